import { describe, expect, test } from 'vitest';
import { createStop } from '../../../src/calls/stop.ts';
import type { CallRecord, Cell, CellKey, CellResult, SkipReason } from '../../../src/model/run/cell.ts';
import type { ProgressEvent } from '../../../src/model/run/progress.ts';
import type { CellRow } from '../../../src/model/run/record.ts';
import type { Verdict } from '../../../src/model/run/verdict.ts';
import {
  type CellQueue,
  type ExecuteOptions,
  executeCells,
  executeQueues,
} from '../../../src/run/asking/execute-cells.ts';
import type { Run } from '../../../src/run/open-run.ts';
import { buildCell, buildCompletion } from '../../support/build-case.ts';
import { createManualClock, settleMicrotasks } from '../../support/manual-clock.ts';
import fc from '../../support/property.ts';

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
  await executeQueues({
    queues,
    skipReasonOf: () => undefined,
    onResult: async (result) => {
      results.push(result);
    },
    ...overrides,
  });
  return results;
}

describe('executeQueues', () => {
  test('gives every cell of every queue exactly one result', async () => {
    const queue = fc.record({ cells: fc.nat(80), cellsAtOnce: fc.integer({ min: 0, max: 9 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(queue, { maxLength: 4 }), fc.nat(200), async (shapes, stopAfter) => {
        const clock = createManualClock();
        let started = 0;
        const queues = shapes.map(
          ({ cells, cellsAtOnce }, index): CellQueue => ({
            cells: cellsOf(cells, `p${index}`),
            cellsAtOnce: () => cellsAtOnce,
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
    const all = execute([{ cells: cells(), cellsAtOnce: () => 3, run }]);
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
    const results = await execute([{ cells: cellsOf(6), cellsAtOnce: () => 1, run }], { skipReasonOf: () => stopped });
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
    await execute([{ cells, cellsAtOnce: () => 1, run }], { skipReasonOf: () => 'bail' });
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
    const all = execute([{ cells: cellsOf(6), cellsAtOnce: () => 4, run }], { onResult });
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
        { cells: cellsOf(1, 'slow'), cellsAtOnce: () => 1, run: slow },
        { cells: cellsOf(40, 'fast'), cellsAtOnce: () => 1, run: async (cell) => judged(cell) },
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
        { cells: cellsOf(5, 'slow'), cellsAtOnce: () => 1, run: slow },
        { cells: cellsOf(5, 'broken'), cellsAtOnce: () => 1, run: () => Promise.reject(new TypeError('a bug')) },
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

describe('executeCells', () => {
  const key = (caseId: string, trial = 0) => ({
    suite: 's',
    prompt: 'v1',
    provider: 'a',
    caseId,
    trial,
  });
  const verdict = (pass: boolean, reason: string): Verdict => ({
    assertion: 'equals',
    pass,
    score: pass ? 1 : 0,
    reason,
    weight: 1,
    required: false,
  });
  const { at } = buildCell();
  const base = { cellHash: 'cell', caseHash: 'case', observe: false, mustPass: false, at };
  const paid = (costUsd: number | undefined, more: Partial<CallRecord> = {}): CallRecord => ({
    requestHash: 'r',
    completion: buildCompletion(),
    cached: false,
    attempts: 1,
    costUsd,
    ...more,
  });
  type Judged = Extract<CellResult, { status: 'judged' }>;
  const judgedAs = (passed: boolean, more: Partial<Judged> & Pick<Judged, 'key'>): CellResult => ({
    ...base,
    status: 'judged',
    passed,
    score: passed ? 1 : 0,
    verdicts: [],
    calls: [],
    attempts: 1,
    judgeCostUsd: 0,
    ...more,
  });
  const errored = (caseId: string): CellResult => ({
    ...base,
    key: key(caseId),
    status: 'errored',
    failure: { kind: 'server', message: 'status 500' },
    attempts: 1,
    calls: [],
    verdicts: [],
    judgeCostUsd: 0,
  });
  const skippedBy = (reason: SkipReason, message?: string): CellResult => ({
    ...base,
    key: key('skipped'),
    status: 'skipped',
    reason,
    calls: [],
    ...(message === undefined ? {} : { message }),
  });

  /** Runs cells that end in these results, one after the other, and logs what comes of each in its order. */
  async function keep(
    results: readonly CellResult[],
    { bail, isTold = true, decidedAfter }: { bail?: number; isTold?: boolean; decidedAfter?: number } = {},
  ) {
    let begun = 0;
    const skipReasonOf = () => {
      begun += 1;
      return decidedAfter !== undefined && begun > decidedAfter ? 'decided' : undefined;
    };
    const log: string[] = [];
    const progress: Partial<Extract<ProgressEvent, { type: 'cell-finished' }>>[] = [];
    const stop = createStop();
    const state = { failedCells: 0, hasLowScore: false, isCutShort: false, isDecidedEarly: false };
    const cells = results.map((result) => buildCell({ key: result.key }));
    const ports = {
      mask: (text: string) => text,
      onProgress: (event: ProgressEvent) => {
        if (event.type !== 'cell-finished') return;
        log.push(`told ${event.key.caseId}`);
        const { type: _type, key: _key, row: _row, ...told } = event;
        progress.push(told);
      },
      ...(isTold && { trace: { result: (result: CellResult) => log.push(`traced ${result.key.caseId}`) } }),
    };
    const run = {
      options: { bail },
      ports,
      stop,
      state,
      comparedAnswers: { post: (of: CellKey, result: unknown) => log.push(`posted ${of.caseId} ${String(result)}`) },
      record: {
        append: async (row: CellRow) => {
          log.push(`wrote ${row.caseId}`);
          await Promise.resolve();
          log.push(`kept ${row.caseId}`);
        },
      },
      ...(isTold && { dispatch: { forget: (of: CellKey) => log.push(`forgot ${of.caseId}`) } }),
      runnerOf: () => ({
        cellsAtOnce: () => 1,
        run: async (cell: Cell) => results[cells.indexOf(cell)],
      }),
    } as unknown as Run;
    await executeCells(run, [['a', cells]], ...(decidedAfter === undefined ? [] : [skipReasonOf]));
    return { log, progress, state, stopped: stop.reason() };
  }

  test('writes each row before its cell counts as done, and tells everyone who waits for it', async () => {
    const { log } = await keep([judgedAs(true, { key: key('one') }), skippedBy('budget'), errored('three')]);
    expect(log).toEqual([
      'told one',
      'traced one',
      'wrote one',
      'kept one',
      'forgot one',
      'posted skipped undefined',
      'told skipped',
      'traced skipped',
      'wrote skipped',
      'kept skipped',
      'forgot skipped',
      'told three',
      'traced three',
      'wrote three',
      'kept three',
      'forgot three',
    ]);
    const quiet = await keep([judgedAs(true, { key: key('one') })], { isTold: false });
    expect(quiet.log).toEqual(['told one', 'wrote one', 'kept one']);
  });

  test('tells of a cell its name, its status, what it cost and why it did not pass', async () => {
    const batched = paid(2, { billed: { costUsd: 1 } });
    const { progress } = await keep([
      judgedAs(true, { key: key('one'), calls: [paid(1), batched, paid(4, { cached: true })] }),
      judgedAs(true, { key: key('one', 1), calls: [paid(1, { cached: true })], verdicts: [verdict(false, 'weak')] }),
      judgedAs(true, { key: key('one', 2), calls: [paid(1, { cached: true }), paid(4, { cached: true })] }),
      judgedAs(false, { key: key('two', 2), verdicts: [verdict(true, 'fine'), verdict(false, 'not equal')] }),
      judgedAs(false, {
        key: key('two'),
        failure: { kind: 'contextLength', message: 'too long' },
        verdicts: [verdict(false, 'not equal')],
      }),
      judgedAs(false, { key: key('three', 3), confirmation: true, side: 'accepted' }),
      judgedAs(true, { key: key('four'), calls: [paid(undefined), paid(1)] }),
      judgedAs(true, { key: key('five'), calls: [paid(1), paid(1, { billed: { costUsd: undefined } })] }),
      judgedAs(true, { key: key('six'), calls: [paid(1)], unusable: { costUsd: 4, billedUsd: 2 } }),
      judgedAs(true, { key: key('seven'), calls: [paid(1)], unusable: { costUsd: 4, billedUsd: undefined } }),
      { ...errored('eight'), calls: [paid(1)] },
      skippedBy('budget'),
      skippedBy('case', 'not today'),
    ]);
    expect(progress).toEqual([
      { label: 's/one · v1 × a', status: 'passed', cached: false, spentUsd: 2 },
      { label: 's/one · v1 × a · trial 2', status: 'passed', cached: true, spentUsd: 0 },
      { label: 's/one · v1 × a · trial 3', status: 'passed', cached: true, spentUsd: 0 },
      { label: 's/two · v1 × a · trial 3', status: 'failed', cached: false, spentUsd: 0, reason: 'not equal' },
      { label: 's/two · v1 × a', status: 'failed', cached: false, spentUsd: 0, reason: 'too long' },
      { label: 's/three · v1 × a · accepted prompt', status: 'failed', cached: false, spentUsd: 0 },
      { label: 's/four · v1 × a', status: 'passed', cached: false, spentUsd: undefined },
      { label: 's/five · v1 × a', status: 'passed', cached: false, spentUsd: undefined },
      { label: 's/six · v1 × a', status: 'passed', cached: false, spentUsd: 3 },
      { label: 's/seven · v1 × a', status: 'passed', cached: false, spentUsd: undefined },
      { label: 's/eight · v1 × a', status: 'errored', cached: false, spentUsd: 1, reason: 'status 500' },
      { label: 's/skipped · v1 × a', status: 'skipped', cached: false, spentUsd: 0, reason: 'budget' },
      { label: 's/skipped · v1 × a', status: 'skipped', cached: false, spentUsd: 0, reason: 'not today' },
    ]);
  });

  const calm = { failedCells: 0, hasLowScore: false, isCutShort: false, isDecidedEarly: false };
  test.each<[string, CellResult, Partial<typeof calm>]>([
    ['that passed in full', judgedAs(true, { key: key('a') }), {}],
    ['that passed with a part of its score', judgedAs(true, { key: key('a'), score: 0.9 }), { hasLowScore: true }],
    ['that failed', judgedAs(false, { key: key('a') }), { hasLowScore: true, failedCells: 1 }],
    [
      'that failed with its full score, by a required check without a weight',
      judgedAs(false, { key: key('a'), score: 1 }),
      { hasLowScore: true, failedCells: 1 },
    ],
    ['that is observed and failed', judgedAs(false, { key: key('a'), observe: true }), { hasLowScore: true }],
    [
      'that failed when it was asked again',
      judgedAs(false, { key: key('a'), confirmation: true }),
      { hasLowScore: true },
    ],
    ['that errored', errored('a'), {}],
    ['that its suite skips', skippedBy('case'), {}],
    ['that the budget skips', skippedBy('budget'), { isCutShort: true }],
    ['that is decided without it', skippedBy('decided'), { isDecidedEarly: true }],
  ])('remembers of a cell %s what the run needs to know', async (_what, result, expected) => {
    expect((await keep([result])).state).toEqual({ ...calm, ...expected });
  });

  test('stops at the failed cell that --bail names, and at no fresh trial', async () => {
    const failed = (caseId: string) => judgedAs(false, { key: key(caseId) });
    const again = judgedAs(false, { key: key('again'), confirmation: true });
    const stopped = await keep([failed('a'), again, failed('b'), failed('c')], { bail: 2 });
    expect([stopped.stopped, stopped.state.failedCells]).toEqual(['bail', 2]);
    expect(stopped.log.filter((line) => line.startsWith('told '))).toHaveLength(4);
    expect(stopped.progress[3]).toMatchObject({ status: 'skipped', reason: 'bail' });
    expect((await keep([failed('a'), again], { bail: 2 })).stopped).toBeUndefined();
    expect((await keep([failed('a'), failed('b')])).stopped).toBeUndefined();
  });

  test('skips the cells that are decided without them, under a reason that the stop of the run precedes', async () => {
    const failed = (caseId: string) => judgedAs(false, { key: key(caseId) });
    const { progress, state } = await keep([failed('a'), failed('b')], { decidedAfter: 1 });
    expect(progress.map(({ status, reason }) => [status, reason])).toEqual([
      ['failed', undefined],
      ['skipped', 'decided'],
    ]);
    expect(state).toMatchObject({ isDecidedEarly: true, isCutShort: false });
    const stopped = await keep([failed('a'), failed('b')], { decidedAfter: 1, bail: 1 });
    expect(stopped.progress[1]).toMatchObject({ reason: 'bail' });
  });

  test('counts for each row how many cells of its provider began before it', async () => {
    const cells = cellsOf(3);
    const positions: number[] = [];
    const onResult = async (_result: CellResult, _cell: Cell, position: number) => void positions.push(position);
    await execute([{ cells, cellsAtOnce: () => 1, run: async (cell) => judged(cell) }], { onResult });
    await execute([{ cells: cellsOf(1, 'b'), cellsAtOnce: () => 1, run: async (cell) => judged(cell) }], { onResult });
    expect(positions).toEqual([0, 1, 2, 0]);
  });
});
