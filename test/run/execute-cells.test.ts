import { describe, expect, test } from 'vitest';
import type { Cell, CellResult } from '../../src/model/cell.ts';
import { type CellQueue, type ExecuteOptions, executeCells } from '../../src/run/execute-cells.ts';
import { buildCell } from '../support/build-case.ts';
import { createManualClock, settleMicrotasks } from '../support/manual-clock.ts';
import fc from '../support/property.ts';

function cellsOf(count: number, provider = 'a'): Cell[] {
  return Array.from({ length: count }, (_, trial) =>
    buildCell({ key: { suite: 's', prompt: 'v1', provider, caseId: 'refund', trial } }),
  );
}

function judged({ key, cellHash, caseHash, observe, mustPass, at }: Cell): CellResult {
  const base = { key, cellHash, caseHash, observe, mustPass, at };
  return { ...base, status: 'judged', passed: true, score: 1, verdicts: [], calls: [], attempts: 1, judgeCostUsd: 0 };
}

async function execute(queues: readonly CellQueue[], overrides: Partial<ExecuteOptions> = {}): Promise<CellResult[]> {
  const results: CellResult[] = [];
  await executeCells({
    queues,
    skipReasonOf: () => undefined,
    onResult: async (result) => {
      results.push(result);
    },
    ...overrides,
  });
  return results;
}

describe('executeCells', () => {
  test('gives every cell of every queue exactly one result', async () => {
    const queue = fc.record({ cells: fc.nat(80), workers: fc.integer({ min: 0, max: 9 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(queue, { maxLength: 4 }), fc.nat(200), async (shapes, stopAfter) => {
        const clock = createManualClock();
        let started = 0;
        const queues = shapes.map(
          ({ cells, workers }, index): CellQueue => ({
            cells: cellsOf(cells, `p${index}`),
            workers: () => workers,
            run: async (cell) => {
              started += 1;
              await clock.wait(started % 5, new AbortController().signal);
              return judged(cell);
            },
          }),
        );
        const skipReasonOf = () => (started >= stopAfter ? 'bail' : undefined);
        const results = await clock.runUntil(execute(queues, { skipReasonOf }));
        const expected = queues.flatMap(({ cells }) => [...cells].map(({ key }) => JSON.stringify(key)));
        expect(results.map(({ key }) => JSON.stringify(key)).toSorted()).toEqual(expected.toSorted());
        expect(results.filter(({ status }) => status === 'judged')).toHaveLength(started);
      }),
      { numRuns: 30 },
    );
  });

  test('takes a cell only when a worker is free for it', async () => {
    let taken = 0;
    function* cells() {
      for (const cell of cellsOf(100)) {
        taken += 1;
        yield cell;
      }
    }
    const gates: (() => void)[] = [];
    const run: CellQueue['run'] = (cell) => new Promise((resolve) => gates.push(() => resolve(judged(cell))));
    const all = execute([{ cells: cells(), workers: () => 3, run }]);
    await settleMicrotasks();
    expect(taken).toBe(3);
    gates[0]?.();
    await settleMicrotasks();
    expect(taken).toBe(4);
    while (gates.length < 100) {
      for (const open of gates) open();
      await settleMicrotasks();
    }
    for (const open of gates) open();
    expect(await all).toHaveLength(100);
  });

  test('after a stop the rest is skipped with its reason, and what is in work ends by itself', async () => {
    let stopped: 'deadline' | undefined;
    const run: CellQueue['run'] = async (cell) => {
      if (cell.key.trial === 2) stopped = 'deadline';
      return judged(cell);
    };
    const results = await execute([{ cells: cellsOf(6), workers: () => 1, run }], { skipReasonOf: () => stopped });
    expect(results.map(({ status }) => status)).toEqual([
      'judged',
      'judged',
      'judged',
      'skipped',
      'skipped',
      'skipped',
    ]);
    expect(results[3]).toEqual({
      key: { suite: 's', prompt: 'v1', provider: 'a', caseId: 'refund', trial: 3 },
      cellHash: 'cell-refund',
      caseHash: 'caseHash-refund',
      observe: false,
      mustPass: false,
      at: { file: 'evals/triage.eval.yaml', line: 12, column: 5 },
      status: 'skipped',
      reason: 'deadline',
      calls: [],
    });
  });

  test('a cell that its suite skips keeps that reason after a stop', async () => {
    const ran: Cell[] = [];
    const run: CellQueue['run'] = async (cell) => {
      ran.push(cell);
      return judged(cell);
    };
    const cells = [buildCell({ skip: 'not yet' }), buildCell()];
    await execute([{ cells, workers: () => 1, run }], { skipReasonOf: () => 'bail' });
    expect(ran).toEqual([cells[0]]);
  });

  test('takes no further cell before the result of the last one is kept', async () => {
    const keep: (() => void)[] = [];
    let started = 0;
    const run: CellQueue['run'] = async (cell) => {
      started += 1;
      return judged(cell);
    };
    const onResult = () => new Promise<void>((resolve) => keep.push(resolve));
    const all = execute([{ cells: cellsOf(6), workers: () => 4, run }], { onResult });
    await settleMicrotasks();
    expect(started).toBe(4);
    for (const resolve of keep.splice(0)) resolve();
    await settleMicrotasks();
    expect(started).toBe(6);
    for (const resolve of keep.splice(0)) resolve();
    await all;
  });

  test('queues do not wait for each other', async () => {
    const gates: (() => void)[] = [];
    const slow: CellQueue['run'] = (cell) => new Promise((resolve) => gates.push(() => resolve(judged(cell))));
    const results: CellResult[] = [];
    const all = execute(
      [
        { cells: cellsOf(1, 'slow'), workers: () => 1, run: slow },
        { cells: cellsOf(40, 'fast'), workers: () => 1, run: async (cell) => judged(cell) },
      ],
      {
        onResult: async (result) => {
          results.push(result);
        },
      },
    );
    await settleMicrotasks();
    await settleMicrotasks();
    await settleMicrotasks();
    expect(results.map(({ key }) => key.provider)).toEqual(Array.from({ length: 40 }, () => 'fast'));
    gates[0]?.();
    await all;
  });

  test('a bug ends all queues, but only after what is in work has its result', async () => {
    const results: CellResult[] = [];
    const gates: (() => void)[] = [];
    const slow: CellQueue['run'] = (cell) => new Promise((resolve) => gates.push(() => resolve(judged(cell))));
    const all = execute(
      [
        { cells: cellsOf(5, 'slow'), workers: () => 1, run: slow },
        { cells: cellsOf(5, 'broken'), workers: () => 1, run: () => Promise.reject(new TypeError('a bug')) },
      ],
      {
        onResult: async (result) => {
          results.push(result);
        },
      },
    );
    const bug = all.catch((error: unknown) => error);
    await settleMicrotasks();
    gates[0]?.();
    expect(await bug).toEqual(new TypeError('a bug'));
    expect(results.map(({ key }) => [key.provider, key.trial])).toEqual([['slow', 0]]);
  });
});
