import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CellRow, RowHead } from '../../src/model/record.ts';
import { openRowReader, openUsageReader, readRowHeads, readRunRecord } from '../../src/stores/read-run-record.ts';
import { parseRowHead, renderRow } from '../../src/stores/row-layout.ts';
import { createHeadScanner } from '../../src/stores/scan-row-head.ts';
import { createRunRecord, rewriteRunRecord } from '../../src/stores/write-run-record.ts';
import fc from '../support/property.ts';
import { buildHeader, buildRow, catchUserError, endRow, makeFolder } from './build-rows.ts';

describe('the line of a row', () => {
  test('is the row again, whatever its texts are', () => {
    fc.assert(
      fc.property(rows(), (row) => {
        expect(JSON.parse(renderRow(row))).toEqual(JSON.parse(JSON.stringify(row)));
      }),
    );
  });

  test('begins with what counting needs, and that part is read alone', () => {
    fc.assert(
      fc.property(rows(), (row) => {
        expect(parseRowHead(Buffer.from(renderRow(row)))).toEqual(headOf(row));
      }),
    );
  });

  test('has no head where the answer has no hash: there would seem to have been none', () => {
    const { answerHash: _answerHash, ...row } = buildRow('a', { answerHash: 'h' });
    expect(parseRowHead(Buffer.from(renderRow(row)))).toBeUndefined();
    expect(JSON.parse(renderRow(row))).toEqual(row);
  });

  test.each([
    ['garbage', 'garbage'],
    ['a row in another order', JSON.stringify(buildRow('a'))],
    ['a row that was cut off behind its head', renderRow(buildRow('a', { answerHash: 'h' })).slice(0, -1)],
    ['a head that is no JSON', '{"type":"cell",,"identity":"i"}'],
    ['a head with an amount that is none', renderRow(buildRow('a', { answerHash: 'h', score: Number.NaN }))],
  ])('has no head where it is %s', (_, line) => {
    expect(parseRowHead(Buffer.from(line))).toBeUndefined();
  });
});

describe('a head read byte by byte', () => {
  const scan = createHeadScanner();
  const scanLine = (line: string) => {
    // A line lies in the middle of a buffer, between two others.
    const around = Buffer.from(`${line}\n${line}\n${line}`);
    const length = Buffer.byteLength(line);
    return scan(around, length + 1, 2 * length + 1);
  };

  test('is the one that JSON.parse finds, or is left to it', () => {
    let scanned = 0;
    const names = fc.constantFrom('v1', 'v2', 'größe', 'a\\b');
    const head = fc.tuple(rows(), names, names, amounts(), amounts(), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(head, ([{ skip, ...row }, caseId, suite, score, costUsd, isMarked, isSkipped]) => {
        const marks = isMarked ? { observe: true, mustPass: true, confirmation: true, cached: true } : {};
        const line = renderRow({
          ...row,
          caseId,
          suite,
          prompt: 'v1',
          provider: 'p',
          score,
          latencyMs: score * 1000,
          costUsd,
          spentUsd: null,
          judgeCostUsd: 0,
          ...marks,
          ...(isSkipped && skip !== undefined ? { skip } : {}),
        } as CellRow);
        const found = scanLine(line);
        if (found === undefined) return;
        scanned += 1;
        expect(found).toEqual(parseRowHead(Buffer.from(line)));
      }),
      { numRuns: 500 },
    );
    // Texts with escapes are left to JSON.parse, others are not.
    expect(scanned).toBeGreaterThan(50);
  });

  test('is that of every plain row', () => {
    for (const status of ['passed', 'failed', 'errored', 'skipped'] as const) {
      const row = buildRow('größe', { status, answerHash: 'h', model: 'm', score: 0.25, costUsd: 0.00014 });
      expect(scanLine(renderRow(row))).toEqual(headOf(row));
    }
  });

  const plain = renderRow(buildRow('a', { answerHash: 'h', costUsd: 0.5, score: 1 }));
  test.each([
    ['another key in between', plain.replace('"cached":', '"more":1,"cached":')],
    ['a key twice', plain.replace('"status":', '"stamp":"s","status":')],
    ['no stamp', plain.replace(/"stamp":"[^"]*",/, '')],
    ['a trial that is none', plain.replace('"trial":0', '"trial":0.5')],
    ['a trial beyond 32 bits', plain.replace('"trial":0', '"trial":4294967296')],
    ['an empty stamp', plain.replace(/"stamp":"[^"]*"/, '"stamp":""')],
    ['a score above one', plain.replace('"score":1', '"score":7')],
    ['a negative score', plain.replace('"score":1', '"score":-1')],
    ['a negative latency', plain.replace('"score":1', '"score":1,"latencyMs":-1')],
    ['an amount that is infinite', plain.replace('"costUsd":0.5', '"costUsd":1e999')],
    ['a status that is none', plain.replace('"status":"passed"', '"status":"passed?"')],
    ['an amount with a leading zero', plain.replace('"costUsd":0.5', '"costUsd":00.5')],
    ['an amount without decimals', plain.replace('"costUsd":0.5', '"costUsd":0.')],
    ['an amount without an exponent', plain.replace('"costUsd":0.5', '"costUsd":1e-')],
    ['an amount that is a text', plain.replace('"costUsd":0.5', '"costUsd":"0.5"')],
    ['an escape', plain.replace('"caseId":"a"', String.raw`"caseId":"\u0061"`)],
    ['a tab within a text', plain.replace('"caseId":"a"', '"caseId":"a\t"')],
    ['no end', plain.slice(0, -1)],
    ['no row', '{"type":"end","durationMs":1,"notes":[]}'],
    ['nothing', ''],
  ])('is refused with %s', (_, line) => {
    expect(line).not.toBe(plain);
    expect(scanLine(line)).toBeUndefined();
  });
});

/** Amounts as they come: rounded, raw, tiny. */
function amounts(): fc.Arbitrary<number> {
  const raw = fc.double({ min: 0, max: 1, noNaN: true });
  const rounded = fc.integer({ min: 0, max: 1e9 }).map((units) => units / 1e7);
  return fc.oneof(raw, rounded, fc.constantFrom(0, 1, 1e-7, 5e-324, 1.7976931348623157e308, 123456789012345680000));
}

describe('a record read by its heads', () => {
  test('says the same as one read whole, rows of before there were heads included', () => {
    const written = [
      buildRow('a', { answerHash: 'h' }),
      buildRow('old'),
      buildRow('b', { answerHash: 'h', status: 'failed', score: 0, mustPass: true }),
      buildRow('a', { answerHash: 'i', trial: 1, confirmation: true }),
    ];
    const path = write(written);
    const [{ rows: heads, ...read }, { summaries: whole, ...readWhole }] = [
      readRowHeads(path, headOf),
      readRunRecord(path, headOf),
    ];
    expect(heads).toEqual(whole);
    expect(read).toEqual(readWhole);
    expect(heads.map(({ caseId, trial }) => [caseId, trial])).toEqual([
      ['a', 0],
      ['old', 0],
      ['b', 0],
      ['a', 1],
    ]);
    expect(openRowReader(read)(2)).toEqual(written[2]);
  });

  test('gives the usages of its rows in one pass, whatever else bears that name', () => {
    const usage = { inputTokens: 7, outputTokens: 3, cachedInputTokens: 2 };
    const calls = [
      { requestHash: 'r', cached: false, attempts: 1, costUsd: 1, usage: { inputTokens: 1, outputTokens: 1 } },
    ];
    const written = [
      buildRow('a', { usage, calls, output: '"usage":{"inputTokens":9,"outputTokens":9} \\' }),
      buildRow('b', { calls, toolCalls: [{ name: 'usage', rawArguments: '{}', arguments: { usage: { a: 1 } } }] }),
      buildRow('c', { usage: { inputTokens: 1, outputTokens: 2 }, answerHash: 'h' }),
      buildRow('a', { usage, answerHash: 'h', trial: 1 }),
    ];
    const record = readRowHeads(write(written), () => 1);
    const readUsage = openUsageReader(record);
    expect([3, 0, 1, 2].map(readUsage)).toEqual([3, 0, 1, 2].map((index) => written[index]?.usage));
    expect(readUsage(0)).toBe(readUsage(3));
  });

  test('of a run that was killed counts no row that was cut off', () => {
    const path = write([buildRow('a', { answerHash: 'h' })]);
    const line = renderRow(buildRow('b', { answerHash: 'h' }));
    appendFileSync(path, line.slice(0, -20));
    expect(readRowHeads(path, ({ caseId }) => caseId)).toMatchObject({
      rows: ['a'],
      warnings: [expect.stringContaining('cut off')],
    });
  });

  test('names the line that is neither head nor row', () => {
    const path = write([buildRow('a', { answerHash: 'h' })]);
    appendFileSync(path, `${renderRow(buildRow('b', { answerHash: 'h' })).slice(0, -9)}\n`);
    const { problems } = catchUserError(() => readRowHeads(path, () => 1));
    expect(problems).toMatchObject([{ code: 'record', at: { file: path, line: 4 } }]);
  });

  test('finds damage behind a head when that row is read', () => {
    const path = write([]);
    const line = renderRow(buildRow('b', { answerHash: 'h' }));
    appendFileSync(path, `${line.replace('"checks":[', '"checks":[[')}\n`);
    const record = readRowHeads(path, ({ caseId }) => caseId);
    expect(record.rows).toEqual(['b']);
    const { problems } = catchUserError(() => openRowReader(record)(0));
    expect(problems).toMatchObject([{ code: 'record', message: expect.stringContaining('no row') }]);
  });

  test('is read by its heads still after it was written anew', () => {
    const path = write([buildRow('a', { answerHash: 'h' }), buildRow('b', { answerHash: 'i' })]);
    const { places } = readRunRecord(path, () => 1);
    rewriteRunRecord(path, buildHeader(), [...places].slice(1)).close();
    const record = readRowHeads(path, (row) => ('identity' in row ? 'whole' : row.answerHash));
    expect(record.rows).toEqual(['i']);
  });
});

function headOf(row: RowHead | CellRow): RowHead {
  const { identity: _1, at: _2, checks: _3, attempts: _4, calls: _5, output: _6, ...rest } = row as CellRow;
  const { reasoning: _7, refusal: _8, toolCalls: _9, finishReason: _10, ...more } = rest;
  const { systemFingerprint: _11, usage: _12, error: _13, ...head } = more;
  return head;
}

/** Rows with hostile texts in every field that a text can come into. */
function rows(): fc.Arbitrary<CellRow> {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostile));
  return fc
    .record({
      caseId: text,
      suite: text,
      prompt: text,
      provider: text,
      model: text,
      output: text,
      message: text,
      reason: text,
      status: fc.constantFrom('passed' as const, 'failed' as const, 'errored' as const, 'skipped' as const),
      costUsd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      isAnswered: fc.boolean(),
    })
    .map(({ caseId, model, output, message, reason, isAnswered, ...others }) => {
      const { output: _output, ...row } = buildRow(caseId, {
        ...others,
        checks: [{ assertion: 'equals', pass: true, score: 1, reason }],
        skip: { reason: 'case', message },
        toolCalls: [{ name: reason, rawArguments: output, arguments: { a: 1, identity: output } }],
      });
      return isAnswered ? { ...row, model, output, answerHash: '0123456789abcdef' } : row;
    });
}

const hostile = [',"identity":', '","identity":"', '\\",\\"identity\\":', '}\n{', '\u2028', '\\'];

function write(lines: readonly CellRow[]): string {
  const writer = createRunRecord(join(makeFolder(), 'runs'), buildHeader());
  for (const row of lines) writer.append(row);
  writer.append(endRow);
  writer.close();
  return writer.path;
}
