import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { parseExactJson } from '../../src/json/parse-json.ts';
import type { CellRow, RowHead } from '../../src/model/run/record.ts';
import { openRowReader, parseRowHead, renderRow } from '../../src/record/read-rows.ts';
import { readRunRecord, visitRowHeads } from '../../src/record/read-run-record.ts';
import { createRunRecord, rewriteRunRecord } from '../../src/record/write-run-record.ts';
import fc, { codePoint } from '../support/property.ts';
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

  test('keeps every digit of a number that a program left', () => {
    const state = parseExactJson('{"id": 9007199254740993}') as JsonObject;
    expect(renderRow(buildRow('a', { answerHash: 'h', state }))).toContain('"state":{"id":9007199254740993}');
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
    ['a head that is not JSON', '{"type":"cell",,"cellHash":"i"}'],
    ['a head with an amount that is none', renderRow(buildRow('a', { answerHash: 'h', score: Number.NaN }))],
  ])('has no head where it is %s', (_, line) => {
    expect(parseRowHead(Buffer.from(line))).toBeUndefined();
  });
});

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

  test('has the usages of its rows, also of one whose usage was written behind the head', () => {
    const row = buildRow('a', { answerHash: 'h', usage });
    const { usage: _usage, ...rest } = row;
    const path = write([row]);
    appendFileSync(path, `${renderRow(rest).slice(0, -1)},"usage":${JSON.stringify(usage)}}\n`);
    expect(readRowHeads(path, (found) => found.usage).rows).toEqual([usage, usage]);
  });

  test('of a run that was killed counts no row that was cut off', () => {
    const path = write([buildRow('a', { answerHash: 'h' })]);
    const line = renderRow(buildRow('b', { answerHash: 'h', usage: { inputTokens: 1, outputTokens: 1 } }));
    const bytes = readFileSync(path);
    // The second one ends like a whole row.
    for (const cut of [line.slice(0, -20), line.slice(0, line.indexOf('},"calls"') + 1)]) {
      writeFileSync(path, bytes);
      appendFileSync(path, cut);
      expect(readRowHeads(path, ({ caseId }) => caseId)).toMatchObject({
        rows: ['a'],
        warnings: [expect.stringContaining('cut off')],
      });
    }
  });

  test('names the line that is neither head nor row', () => {
    const path = write([buildRow('a', { answerHash: 'h' })]);
    appendFileSync(path, `${renderRow(buildRow('b', { answerHash: 'h' })).slice(0, -9)}\n`);
    const { problems } = catchUserError(() => readRowHeads(path, () => 1));
    expect(problems).toMatchObject([{ code: 'record', at: { file: path, line: 4 } }]);
  });

  test('finds damage behind a head when that row is read', () => {
    const path = write([]);
    const line = renderRow(buildRow('b', { answerHash: 'h', usage }));
    appendFileSync(path, `${line.replace('"checks":[', '"checks":[[')}\n`);
    const record = readRowHeads(path, ({ caseId }) => caseId);
    expect(record.rows).toEqual(['b']);
    const { problems } = catchUserError(() => openRowReader(record)(0));
    expect(problems).toMatchObject([{ code: 'record', message: expect.stringContaining('no row') }]);
  });

  test('is read by its heads after it was written again', () => {
    const path = write([buildRow('a', { answerHash: 'h' }), buildRow('b', { answerHash: 'i', usage })]);
    const { places } = readRunRecord(path, () => 1);
    rewriteRunRecord(path, buildHeader(), [...places].slice(1)).close();
    const record = readRowHeads(path, (row) => ('cellHash' in row ? 'whole' : row.answerHash));
    expect(record.rows).toEqual(['i']);
  });
});

function readRowHeads<Summary>(path: string, summarize: (row: RowHead | CellRow) => Summary) {
  const rows: Summary[] = [];
  const record = visitRowHeads(path, (row) => rows.push(summarize(row)));
  return { ...record, rows };
}

function headOf(row: RowHead | CellRow): RowHead {
  const { cellHash: _1, at: _2, checks: _3, attempts: _4, calls: _5, output: _6, ...rest } = row as CellRow;
  const { reasoning: _7, refusal: _8, toolCalls: _9, finishReason: _10, ...more } = rest;
  const { systemFingerprint: _11, error: _12, ...head } = more;
  return head;
}

/** Rows with hostile texts in every field that a text can come into. */
function rows(): fc.Arbitrary<CellRow> {
  const text = fc.oneof(fc.string({ unit: codePoint }), fc.constantFrom(...hostile));
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
        toolCalls: [{ name: reason, rawArguments: output, arguments: { a: 1, cellHash: output } }],
      });
      return isAnswered ? { ...row, model, output, answerHash: '0123456789abcdef', usage } : row;
    });
}

const usage = { inputTokens: 7, outputTokens: 3, cachedInputTokens: 2 };
const hostile = [',"cellHash":', '","cellHash":"', '\\",\\"cellHash\\":', '}\n{', '\u2028', '\\'];

function write(lines: readonly CellRow[]): string {
  const writer = createRunRecord(join(makeFolder(), 'runs'), buildHeader());
  for (const row of lines) writer.append(row);
  writer.append(endRow);
  writer.close();
  return writer.path;
}
