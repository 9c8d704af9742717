import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StorageError } from '../../src/files/write-files.ts';
import type { Usage } from '../../src/model/run/completion.ts';
import type { RecordRow } from '../../src/model/run/deciding-lines.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { defaultGate } from '../../src/model/suite/gate-policy.ts';
import { openRowReader, readRowsAt } from '../../src/record/read-rows.ts';
import { hasHeader, openStoredRecord, readRunHeader, readRunRecord } from '../../src/record/read-run-record.ts';
import { createRunRecord, type RunRecordWriter, rewriteRunRecord } from '../../src/record/write-run-record.ts';
import { buildHeader, buildRow, catchUserError, endRow, makeFolder, resumeRow } from './build-rows.ts';

const check = { assertion: 'equals', pass: true, score: 1, reason: 'equal' };

describe('a run record', () => {
  test('gives back header, rows and end as they were appended', () => {
    const path = write([buildRow('refund'), buildRow('parcel'), endRow]);
    const record = readRunRecord(path, ({ caseId }, rowIndex) => ({ caseId, rowIndex }));
    expect(record).toMatchObject({ path, header: buildHeader(), end: endRow, warnings: [] });
    expect(record.summaries).toEqual([
      { caseId: 'refund', rowIndex: 0 },
      { caseId: 'parcel', rowIndex: 1 },
    ]);
    expect([...readRowsAt(path, [...record.places].toReversed())]).toEqual([buildRow('parcel'), buildRow('refund')]);
  });

  test('holds every row on disk as soon as it is appended', () => {
    const writer = createRunRecord(makeFolder(), buildHeader());
    writer.append(buildRow('refund'));
    expect(summarize(writer.path)).toEqual(['refund passed']);
    writer.close();
  });

  test('the last row of a cell wins, and another trial is another cell', () => {
    const rows = [buildRow('a', { status: 'errored' }), buildRow('b'), buildRow('a', { trial: 1 }), buildRow('a')];
    const record = readRunRecord(write(rows), (row, rowIndex) => [row.caseId, row.trial, row.status, rowIndex]);
    expect(record.summaries).toEqual([
      ['a', 0, 'passed', 3],
      ['b', 0, 'passed', 1],
      ['a', 1, 'passed', 2],
    ]);
    expect(record.places.size).toBe(4);
  });

  test('ids that could run into each other stay apart', () => {
    const rows = [buildRow('c', { suite: 'a","b', prompt: 'x' }), buildRow('c', { suite: 'a', prompt: 'b","x' })];
    expect(readRunRecord(write(rows), () => 1).summaries).toHaveLength(2);
  });

  test('a run that was resumed has no end until it ends again', () => {
    const stopped = { ...endRow, stopReason: 'interrupted' as const };
    const resumed = write([buildRow('a'), stopped, resumeRow, buildRow('b')]);
    expect(readRunRecord(resumed, () => 1)).toMatchObject({ end: undefined });
    appendFileSync(resumed, `${JSON.stringify(endRow)}\n`);
    expect(readRunRecord(resumed, () => 1).end).toEqual(endRow);
  });

  test('rows longer than the read buffer are read whole', () => {
    const long = buildRow('long', { output: 'ä'.repeat(1_500_000) });
    const path = write([buildRow('a'), long, buildRow('b')]);
    const record = readRunRecord(path, ({ output }) => output?.length);
    expect(record.summaries[1]).toBe(1_500_000);
    expect([...readRowsAt(path, record.places)].map(({ caseId }) => caseId)).toEqual(['a', 'long', 'b']);
  });
});

describe('creating a record', () => {
  test('makes the folder, and never overwrites a run', () => {
    const folder = join(makeFolder(), '.llmcheck', 'runs');
    createRunRecord(folder, buildHeader()).close();
    const error = catchStorageError(() => createRunRecord(folder, buildHeader()));
    expect(error.code).toBe('EEXIST');
  });

  test('where no folder can be made is a StorageError', () => {
    const blocker = join(makeFolder(), 'file');
    writeFileSync(blocker, '');
    expect(catchStorageError(() => createRunRecord(join(blocker, 'runs'), buildHeader())).code).toBe('ENOTDIR');
  });

  test('a header that cannot be written is a StorageError', () => {
    const folder = makeFolder();
    expect(catchStorageError(() => createRunRecord(folder, buildHeader(), { writeSync: full })).code).toBe('ENOSPC');
    // An empty file would be the latest record, and stand in the way of those that can be resumed.
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a disk that fills up', () => {
  test('is a StorageError that names code and file, and half a row never stays in the middle', () => {
    const disk = { bytesLeft: Number.POSITIVE_INFINITY };
    const writer = createRunRecord(makeFolder(), buildHeader(), { writeSync: limited(disk) });
    writer.append(buildRow('a'));
    disk.bytesLeft = 20;
    const error = catchStorageError(() => writer.append(buildRow('b')));
    expect(error).toMatchObject({ code: 'ENOSPC', path: writer.path });
    expect(error.message).toContain('no space');
    disk.bytesLeft = Number.POSITIVE_INFINITY;
    writer.append({ ...endRow, stopReason: 'storage' });
    writer.close();
    expect(readRunRecord(writer.path, ({ caseId }) => caseId)).toMatchObject({
      summaries: ['a'],
      end: { stopReason: 'storage' },
      warnings: [],
    });
  });

  test('leaves nothing of a record that is discarded', () => {
    const disk = { bytesLeft: Number.POSITIVE_INFINITY };
    const writer = createRunRecord(makeFolder(), buildHeader(), { writeSync: limited(disk) });
    disk.bytesLeft = 20;
    catchStorageError(() => writer.append(buildRow('a')));
    writer.discard();
    expect(existsSync(writer.path)).toBe(false);
    // It is closed already.
    writer.close();
    writer.discard();
  });

  test('leaves whole rows alone where the run closes after it', () => {
    const disk = { bytesLeft: Number.POSITIVE_INFINITY };
    const writer = createRunRecord(makeFolder(), buildHeader(), { writeSync: limited(disk) });
    writer.append(buildRow('a'));
    disk.bytesLeft = 20;
    expect(() => writer.append(buildRow('b'))).toThrow(StorageError);
    writer.close();
    writer.close();
    expect(readRunRecord(writer.path, ({ caseId }) => caseId)).toMatchObject({ summaries: ['a'], warnings: [] });
  });

  test('a write that takes only a part is gone on with', () => {
    const writer = createRunRecord(makeFolder(), buildHeader(), {
      writeSync: (fd, bytes) => writeSync(fd, bytes.subarray(0, 7)),
    });
    writer.append(buildRow('a'));
    writer.close();
    expect(summarize(writer.path)).toEqual(['a passed']);
  });
});

describe('a record that another run goes on with', () => {
  test('takes no further row of the one before', () => {
    const writer = createRunRecord(makeFolder(), buildHeader());
    writer.append(buildRow('a'));
    const [first, second] = [resume(writer.path), resume(writer.path)];
    for (const late of [writer, first]) {
      expect(catchStorageError(() => late.append(buildRow('late'))).code).toBe('ESTALE');
      late.close();
    }
    second.append(buildRow('b'));
    second.close();
    expect(summarize(writer.path)).toEqual(['a passed', 'b passed']);
  });

  test('takes no further row where another process has emptied it', () => {
    const writer = createRunRecord(makeFolder(), buildHeader());
    writer.append(buildRow('a'));
    truncateSync(writer.path);
    expect(catchStorageError(() => writer.append(buildRow('b'))).message).toMatch(/emptied it or cut it off\.$/);
    writer.close();
    expect(statSync(writer.path).size).toBe(0);
  });

  test('is not read at the places of its earlier rows', async () => {
    const path = write([buildRow('a')]);
    const readRow = openRowReader(readRunRecord(path, () => 1));
    expect(readRow(0).caseId).toBe('a');
    // The open file is closed in a microtask.
    await Promise.resolve();
    resume(path).close();
    expect(catchUserError(() => readRow(0)).problems).toMatchObject([{ code: 'record' }]);
  });

  test('that has been deleted is a StorageError, not a run without a record', () => {
    const writer = createRunRecord(makeFolder(), buildHeader());
    rmSync(writer.path);
    expect(catchStorageError(() => writer.append(buildRow('a'))).code).toBe('ENOENT');
  });

  test('tells where each row lies now, and takes rows as they would be written today', () => {
    const path = write([buildRow('a'), buildRow('b')]);
    const { places } = readRunRecord(path, () => 1);
    const found: { readonly caseId: string; readonly offset: number; readonly length: number }[] = [];
    const writer = rewriteRunRecord(path, buildHeader({ startedAt: 'another, longer time' }), [...places].reverse(), {
      renew: (row) => ({ ...row, output: 'new' }),
      onRow: ({ caseId, output }, place) => {
        expect(output).toBe('new');
        found.push({ caseId, ...place });
      },
    });
    const [place] = writer.append(buildRow('c'));
    writer.close();
    const bytes = readFileSync(path);
    const at = (offset: number, length: number) =>
      JSON.parse(bytes.subarray(offset, offset + length).toString()) as object;
    expect(found.map(({ caseId }) => caseId)).toEqual(['b', 'a']);
    for (const { caseId, offset, length } of found) expect(at(offset, length)).toMatchObject({ caseId, output: 'new' });
    expect(at(place?.offset ?? 0, place?.length ?? 0)).toMatchObject({ caseId: 'c' });
  });

  test('loses what killed processes left beside it a minute ago, and nothing else', () => {
    const path = write([buildRow('a')]);
    const ages: readonly (readonly [name: string, ageS: number])[] = [
      ['old.jsonl.0123456789ab.tmp', 70],
      ['young.jsonl.0123456789ab.tmp', 30],
      ['other.jsonl.0123456789.tmp', 70],
      ['other.jsonl', 70],
    ];
    for (const [name, ageS] of ages) {
      const file = join(dirname(path), name);
      writeFileSync(file, '');
      const writtenS = Date.now() / 1000 - ageS;
      utimesSync(file, writtenS, writtenS);
    }
    resume(path).close();
    expect(readdirSync(dirname(path)).sort()).toEqual(
      [basename(path), 'other.jsonl', 'other.jsonl.0123456789.tmp', 'young.jsonl.0123456789ab.tmp'].sort(),
    );
  });

  test('stays as it was where the disk has no room for the new one', () => {
    const path = write([buildRow('a')]);
    const before = readFileSync(path);
    const { places } = readRunRecord(path, () => 1);
    const rewrite = () => rewriteRunRecord(path, buildHeader(), places, { writeSync: limited({ bytesLeft: 50 }) });
    expect(catchStorageError(rewrite).code).toBe('ENOSPC');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  });
});

describe('a record whose writer was killed', () => {
  const whole = `${JSON.stringify(buildHeader())}\n`;
  const rows = [buildRow('a'), buildRow('b')].map((row) => Buffer.from(`${JSON.stringify(row)}\n`));
  const [first = Buffer.alloc(0), last = Buffer.alloc(0)] = rows;

  test('is read and resumed whatever byte it ends at', { tags: 'slow' }, () => {
    const path = join(makeFolder(), 'run.jsonl');
    for (let length = 0; length <= last.length; length += 1) {
      const cut = Buffer.concat([Buffer.from(whole), first, last.subarray(0, length)]);
      // Without its line break the last row is whole all the same.
      const isWhole = length >= last.length - 1;
      writeFileSync(path, cut);
      const record = readRunRecord(path, ({ caseId }) => caseId);
      expect(record.summaries).toEqual(isWhole ? ['a', 'b'] : ['a']);
      expect(record.warnings).toHaveLength(isWhole || length === 0 ? 0 : 1);
      const writer = resume(path);
      writer.append(resumeRow);
      writer.append(buildRow('c'));
      writer.close();
      expect(readRunRecord(path, ({ caseId }) => caseId)).toMatchObject({
        summaries: isWhole ? ['a', 'b', 'c'] : ['a', 'c'],
        warnings: [],
      });
    }
  });

  test('cannot be read or resumed where even the header was cut off', () => {
    const path = join(makeFolder(), 'run.jsonl');
    for (const length of [0, 1, 40, whole.length - 2]) {
      writeFileSync(path, whole.slice(0, length));
      for (const work of [() => summarize(path), () => resume(path)]) {
        expect(catchUserError(work).problems).toMatchObject([{ code: 'record', at: { file: path, line: 1 } }]);
      }
      expect(readFileSync(path, 'utf8')).toHaveLength(length);
    }
  });

  test('a tail of zero bytes, as a power cut leaves it, is cut off', () => {
    const path = join(makeFolder(), 'run.jsonl');
    writeFileSync(path, Buffer.concat([Buffer.from(whole), first, Buffer.alloc(4096)]));
    expect(readRunRecord(path, () => 1)).toMatchObject({ summaries: [1], warnings: [expect.any(String)] });
    resume(path).close();
    expect(summarize(path)).toEqual(['a passed']);
    expect(readFileSync(path).includes(0)).toBe(false);
  });
});

test('a header without the line break that ends it is one', () => {
  const path = join(makeFolder(), 'r.jsonl');
  const header = JSON.stringify(buildHeader());
  for (const [text, expected] of [
    [header, true],
    [header.slice(0, -1), false],
    ['{}\n', true],
    ['', false],
  ] as const) {
    writeFileSync(path, text);
    expect(hasHeader(path)).toBe(expected);
  }
});

test('a record of an older version has the newer keys of a gate at their defaults', () => {
  const gate = { alpha: 0.2, cases: { broken: 'warn' }, confirm: { budget: 0.5 } };
  const suites = [{ suite: 'support', path: 'a.yaml', outputs: 'full', filtered: false, variants: [], gate }];
  const uncalibrated = ['judge x may not decide'];
  const path = join(makeFolder(), 'r.jsonl');
  writeFileSync(path, `${JSON.stringify({ ...buildHeader(), suites: [{ ...suites[0], uncalibrated }] })}\n`);
  expect(readRunHeader(path).suites[0]).toMatchObject({
    unvalidated: uncalibrated,
    gate: {
      ...defaultGate,
      alpha: 0.2,
      cases: { ...defaultGate.cases, broken: 'warn' },
      confirm: { ...defaultGate.confirm, budget: { share: 0.5 } },
    },
  });
});

test.each<[string, object]>([
  ['alpha', { alpha: '0.05' }],
  ['alpha', { alpha: 5 }],
  ['a limit', { passRate: { maxDrop: '5%' } }],
  ['a word', { cases: { broken: 'never' } }],
  ['a budget', { confirm: { budget: { calls: -1 } } }],
])('a header whose gate has a wrong value of %s is refused', (_, gate) => {
  const suites = [{ suite: 'support', path: 'a.yaml', outputs: 'full', filtered: false, variants: [], gate }];
  const path = join(makeFolder(), 'r.jsonl');
  writeFileSync(path, `${JSON.stringify({ ...buildHeader(), suites })}\n`);
  expect(() => readRunHeader(path)).toThrow('is not a run record');
});

test('a stored record says how it ended and where it is', () => {
  const path = write([buildRow('a'), endRow]);
  const other = { ...endRow, durationMs: 7 };
  expect(openStoredRecord(path, dirname(path), { end: other })).toMatchObject({
    end: endRow,
    shownPath: basename(path),
  });
  const killed = write([buildRow('a')]);
  expect(openStoredRecord(killed, join(dirname(killed), 'deeper'), { end: other })).toMatchObject({
    end: other,
    shownPath: killed,
  });
});

describe('what is no record', () => {
  test('names the first twenty of many damaged lines', () => {
    const path = write([]);
    appendFileSync(path, 'damaged\n'.repeat(25));
    const { problems } = catchUserError(() => readRunRecord(path, () => 1));
    expect(problems.map(({ at }) => at?.line)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
  });

  test('garbage in the middle is a problem with its line', () => {
    const bad = [
      'garbage',
      '{"type":"cell"}',
      '{"type":"later"}',
      JSON.stringify({ ...buildRow('x'), costUsd: 'free' }),
    ];
    const path = write([buildRow('a')]);
    appendFileSync(path, `${bad.join('\n')}\n${JSON.stringify(buildRow('b'))}\n`);
    const { problems } = catchUserError(() => summarize(path));
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([3, 4, 5, 6].map((line) => ['record', line]));
  });

  test.each([
    ['a score above one', { score: 7 }],
    ['a negative score', { score: -1 }],
    ['a negative latency', { latencyMs: -1 }],
    ['a trial below the first', { trial: -1 }],
    ['a trial beyond 32 bits', { trial: 2 ** 32 }],
    ['no caseHash', { caseHash: '' }],
    ['usage below zero', { usage: { inputTokens: -1, outputTokens: 1 } }],
    ['usage without numbers', { usage: {} as Usage }],
    ['a check with a score above one', { checks: [{ ...check, score: 9 }] }],
    ['a check of negative weight', { checks: [{ ...check, weight: -1 }] }],
    ['a place below the first', { position: -1 }],
    ['a group that is no text', { group: 3 as unknown as string }],
    ['a slice that is no text', { slices: [3 as unknown as string] }],
    ['a side that no trial has', { side: 'baseline' as unknown as 'accepted' }],
    ['a name of its answer that is no text', { answerId: 3 as unknown as string }],
    ['a model that is no text', { model: 3 as unknown as string }],
    ['a reason for its skip that is no object', { skip: 'later' as unknown as NonNullable<CellRow['skip']> }],
  ] satisfies [string, Partial<CellRow>][])('a row with %s is damaged, with a head and without one', (_, changes) => {
    const path = write([buildRow('a'), buildRow('bad', changes), buildRow('bad', { answerHash: 'h', ...changes })]);
    const { problems } = catchUserError(() => summarize(path));
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([3, 4].map((line) => ['record', line]));
    const damaged: number[] = [];
    const { summaries } = readRunRecord(path, ({ caseId }) => caseId, { onDamaged: (line) => damaged.push(line) });
    expect([summaries, damaged]).toEqual([['a'], [3, 4]]);
  });

  test.each<[string, object]>([
    ['message', { messages: [{ role: 'user', content: 3 }] }],
    ['turn', { messages: [], turns: [{ content: 'Hello' }] }],
  ])('a row that asked with a %s that is none is damaged', (_, asked) => {
    const path = write([buildRow('bad', { asked: asked as NonNullable<CellRow['asked']> })]);
    expect(catchUserError(() => summarize(path)).problems).toMatchObject([{ code: 'record', at: { line: 2 } }]);
  });

  test.each([
    ['', 'it is empty'],
    ['{"type":"ru', 'was cut off'],
    ['{"type":"case"}\n', 'run header'],
  ])('a file that begins with %j is no record, and the problem says why: %s', (text, reason) => {
    const path = write([]);
    writeFileSync(path, text);
    const { problems } = catchUserError(() => readRunHeader(path));
    expect(problems[0]?.message).toContain(reason);
  });

  test('an amount that is infinite is damaged too', () => {
    const path = write([buildRow('a', { answerHash: 'h', costUsd: 0.125 })]);
    writeFileSync(path, readFileSync(path, 'utf8').replace('0.125', '1e999'));
    expect(catchUserError(() => summarize(path)).problems).toMatchObject([{ code: 'record', at: { line: 2 } }]);
  });

  test('an unknown format is a problem that names both numbers', () => {
    const path = join(makeFolder(), 'run.jsonl');
    writeFileSync(path, `${JSON.stringify({ type: 'run', format: 9 })}\n`);
    for (const work of [() => summarize(path), () => resume(path)]) {
      const [problem] = catchUserError(work).problems;
      expect(problem?.code).toBe('record');
      expect(problem?.message).toMatch(/format 9.*format 1/);
    }
  });

  test.each([
    ['another file', '{"name": "package"}\n'],
    ['a row without header', `${JSON.stringify(buildRow('a'))}\n`],
    ['a header without suites', `${JSON.stringify({ ...buildHeader(), suites: undefined })}\n`],
    ['a list', '[]\n'],
    ['an empty line', '\n'],
  ])('%s is refused', (_, text) => {
    const path = join(makeFolder(), 'run.jsonl');
    writeFileSync(path, text);
    expect(catchUserError(() => summarize(path)).problems).toMatchObject([{ code: 'record' }]);
  });

  test('a missing file and a folder are problems, not bugs', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'folder.jsonl'));
    expect(catchUserError(() => summarize(join(folder, 'none.jsonl'))).problems[0]?.message).toContain(
      'There is no run record',
    );
    expect(catchUserError(() => summarize(join(folder, 'folder.jsonl'))).problems[0]?.message).toContain('EISDIR');
    expect(catchUserError(() => resume(join(folder, 'none.jsonl'))).problems[0]?.code).toBe('record');
    expect(existsSync(join(folder, 'none.jsonl'))).toBe(false);
  });

  test('a file that changes between the passes is noticed', () => {
    const path = write([buildRow('a')]);
    const { places } = readRunRecord(path, () => 1);
    writeFileSync(path, '');
    expect(catchUserError(() => [...readRowsAt(path, places)]).problems).toMatchObject([{ code: 'record' }]);
  });
});

function write(rows: readonly RecordRow[]): string {
  const writer = createRunRecord(makeFolder(), buildHeader());
  for (const row of rows) if (row.type !== 'run') writer.append(row);
  writer.close();
  return writer.path;
}

/** As a resumed run opens it: with all that is whole. */
function resume(path: string): RunRecordWriter {
  const { places } = readRunRecord(path, () => 1, { onDamaged: () => undefined });
  return rewriteRunRecord(path, buildHeader(), places);
}

function summarize(path: string): readonly string[] {
  return readRunRecord(path, ({ caseId, status }: CellRow) => `${caseId} ${status}`).summaries;
}

function full(): number {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

/** Writes what still fits, as a file system does, and then nothing. */
function limited(disk: { bytesLeft: number }) {
  return (fd: number, bytes: Buffer): number => {
    if (disk.bytesLeft === 0) return full();
    const written = writeSync(fd, bytes.subarray(0, Math.min(bytes.length, disk.bytesLeft)));
    disk.bytesLeft -= written;
    return written;
  };
}

function catchStorageError(work: () => unknown): StorageError {
  try {
    work();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
