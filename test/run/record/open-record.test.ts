import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/model/problem.ts';
import type { ProgressEvent } from '../../../src/model/run/progress.ts';
import type { CellRow, EndRow } from '../../../src/model/run/record.ts';
import type { RunPorts } from '../../../src/plan/run-options.ts';
import type { RowPlace } from '../../../src/record/read-rows.ts';
import { visitRows } from '../../../src/record/read-run-record.ts';
import { createRunRecord, rewriteRunRecord } from '../../../src/record/write-run-record.ts';
import { type OpenRecord, openRecord, type RecordOptions } from '../../../src/run/record/open-record.ts';
import { buildRow, catchUserError, endRow, makeFolder } from '../../record/build-rows.ts';
import { buildCell } from '../../support/build-case.ts';
import { buildHeader, buildRecordedSuite, buildVariant } from '../../support/build-summary.ts';

/** The record of a resumed run, whose earlier part wrote these rows. */
function resume(...rows: readonly CellRow[]) {
  const folder = makeFolder();
  const variant = buildVariant(2, { provider: 'openai:small' });
  const header = buildHeader([buildRecordedSuite([variant], {}, { suite: 'support' })]);
  const written = createRunRecord(folder, header);
  for (const row of rows) written.append(row);
  written.close();
  const places: RowPlace[] = [];
  visitRows(written.path, (_row, _index, place) => places.push(place));
  const earlier = {
    id: header.id,
    startedAt: header.startedAt,
    header,
    doneCells: rows.length,
    rowOf: () => undefined,
    isOwn: () => false,
    rewrite: (preamble: RecordOptions['compared'], visitors: object) =>
      rewriteRunRecord(written.path, header, places, { renew: (row) => row, preamble, ...visitors }),
  };
  // A record that goes on draws no id.
  const ports = { cwd: folder, onProgress: () => undefined, mask: (text: string) => text } as unknown as RunPorts;
  const later = { ...header, startedAt: '2026-11-25T08:00:00.000Z' };
  const record = openRecord({ folder, header: later, earlier, compared: [], ports, onRefused: () => undefined });
  return {
    record,
    /** The trials that count, fresh trials with a mark. */
    counted: (isEnded = false) => {
      const [of] = record.read(isEnded ? endRow : undefined).summary.suites[0]?.variants ?? [];
      return Array.from(of?.cases.values() ?? [], ({ caseId, trials, confirmations }) => [
        ...trials.map(({ trial, status }) => `${caseId} ${trial} ${status}`),
        ...confirmations.map(({ trial, status }) => `${caseId} ${trial} ${status} again`),
      ]).flat();
    },
  };
}

const keyOf = (caseId: string, trial = 0) =>
  buildCell({
    key: { suite: 'support', prompt: 'v1', provider: 'openai:small', caseId, trial },
    caseHash: 'in.checks',
  });

/** Appends the row of a cell, whose checks are kept before it. */
const append = (record: OpenRecord, row: CellRow) => record.append(row, keyOf(row.caseId, row.trial));
const again = { confirmation: true } as const;

test('a row of the earlier part counts once its cell is due', () => {
  const { record, counted } = resume(buildRow('a'), buildRow('a', { trial: 1, ...again }), buildRow('b'));
  expect(counted()).toEqual([]);
  expect(record.countIfFinished(keyOf('a'))).toBe(true);
  expect(counted()).toEqual(['a 0 passed']);
  expect(record.countIfFinished(keyOf('a'))).toBe(false);
  expect(record.countIfFinished(keyOf('c'))).toBe(false);
  expect(record.countIfFinished({ ...keyOf('a', 1), ...again })).toBe(true);
  expect(counted()).toEqual(['a 0 passed', 'a 1 passed again']);
});

test('the other rows count on demand, and where there are none that is said', () => {
  const { record, counted } = resume(buildRow('a'), buildRow('b'));
  record.countIfFinished(keyOf('b'));
  expect([record.countRest(), record.countRest()]).toEqual([true, false]);
  expect(counted()).toEqual(['a 0 passed', 'b 0 passed']);
});

test('a run that stops before a cell is due counts its row, too', () => {
  const { record, counted } = resume(buildRow('a'), buildRow('a', { trial: 1, ...again }));
  record.countIfFinished(keyOf('a'));
  record.close(endRow);
  expect(counted(true)).toEqual(['a 0 passed', 'a 1 passed again']);
});

test('a planned cell with the number of a fresh trial runs again, and its new row counts', async () => {
  const { record, counted } = resume(buildRow('a'), buildRow('a', { trial: 1, ...again }));
  expect([record.countIfFinished(keyOf('a')), record.countIfFinished(keyOf('a', 1))]).toEqual([true, false]);
  await append(record, buildRow('a', { trial: 1, status: 'failed' }));
  record.close(endRow);
  expect(counted(true)).toEqual(['a 0 passed', 'a 1 failed']);
});

describe('a new record', () => {
  interface Opened extends Partial<Pick<RecordOptions, 'folder' | 'compared'>> {
    readonly values?: readonly number[];
  }

  /** Opens one in a folder; `values` are what chance gives. */
  function open({ folder = makeFolder(), values = [], compared = [] }: Opened = {}) {
    const told: string[] = [];
    const refused: string[] = [];
    let drawn = 0;
    const random = () => {
      drawn += 1;
      if (drawn > 1000) throw new Error('ids are drawn without end');
      return values[drawn - 1] ?? 0;
    };
    const variant = buildVariant(9, { provider: 'openai:small' });
    const { id: _id, ...header } = buildHeader([buildRecordedSuite([variant], {}, { suite: 'support' })]);
    const ports = {
      cwd: folder,
      now: () => new Date('2026-11-24T15:30:12.000Z'),
      random,
      mask: (text: string) => text.replaceAll('billing', '***'),
      onProgress: (event: ProgressEvent) => void told.push(event.type === 'note' ? event.message : event.type),
    } as unknown as RunPorts;
    const record = openRecord({
      folder,
      header,
      earlier: undefined,
      compared,
      ports,
      onRefused: () => void refused.push('stop'),
    });
    const lines = () =>
      readFileSync(record.path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => {
          const { type, caseId, status } = JSON.parse(line) as { type: string; caseId?: string; status?: string };
          return [type, caseId, status].filter((part) => part !== undefined).join(' ');
        });
    return { folder, header, record, told, refused, lines };
  }

  test('draws its id from time and chance, and another one where that is taken', () => {
    const first = open({ values: [0, 0.5, 0.999] });
    expect([first.record.id, first.record.startedAt]).toEqual(['20261124-153012-0080ff', '2026-11-24T15:30:12.000Z']);
    expect(first.record.path).toBe(join(first.folder, '20261124-153012-0080ff.jsonl'));
    const second = open({ folder: first.folder, values: [0, 0.5, 0.999, 0.5, 0.5, 0.5] });
    expect(second.record.id).toBe('20261124-153012-808080');
    // Chance that always gives the same.
    open({ folder: first.folder });
    expect(() => open({ folder: first.folder })).toThrow('20261124-153012-000000.jsonl');
  });

  test('gives up after a hundred ids that are taken', () => {
    const { folder } = open();
    const values = Array.from({ length: 3 * 99 }, () => 0);
    expect(open({ folder, values: [...values, 0.5] }).record.id).toBe('20261124-153012-800000');
    expect(() => open({ folder, values: [...values, 0, 0, 0, 0.75] })).toThrow(UserError);
  });

  test('in a place that is no folder is refused before the first call', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'file'), '');
    const error = catchUserError(() => open({ folder: join(folder, 'file') }));
    expect(error.problems).toMatchObject([
      { hint: 'make room or make the folder writable: a run without a record could not be reported' },
    ]);
  });

  test('writes the rows of one turn together, in their order, and reads each again', async () => {
    const { record, lines } = open();
    const both = [append(record, buildRow('a')), append(record, buildRow('b', { status: 'failed' }))];
    expect(both[0]).toBe(both[1]);
    expect(lines()).toEqual(['run', 'checks']);
    await both[0];
    expect(lines()).toEqual(['run', 'checks', 'cell a passed', 'cell b failed']);
    await append(record, buildRow('c'));
    expect([0, 1, 2].map((index) => record.readRow(index).caseId)).toEqual(['a', 'b', 'c']);
    void append(record, buildRow('d'));
    record.close(endRow);
    const cells = ['cell a passed', 'cell b failed', 'cell c passed', 'cell d passed'];
    expect(lines()).toEqual(['run', 'checks', ...cells, 'end']);
  });

  test('counts what it has so far, and how it ended', async () => {
    const { record, header } = open();
    await append(record, buildRow('a'));
    const first = record.read(undefined);
    expect(first).toMatchObject({
      end: undefined,
      shownPath: `${record.id}.jsonl`,
      header: { ...header, id: record.id },
    });
    expect(first.summary.suites[0]?.variants[0]).toMatchObject({ passed: 1, planned: 9 });
    expect(record.read(undefined).summary.suites).toBe(first.summary.suites);
    await append(record, buildRow('b'));
    const ended = record.read({ ...endRow, stopReason: 'deadline' });
    expect(ended.end?.stopReason).toBe('deadline');
    expect(ended.summary.stopReason).toBe('deadline');
    expect(record.read(undefined).summary).toMatchObject({ stopReason: 'interrupted', ended: false });
    expect(ended.summary.suites[0]?.variants[0]).toMatchObject({ passed: 2 });
  });

  test('that another run has taken over writes no more, and is read from what the other wrote', async () => {
    const { record, told, refused, folder, lines } = open();
    await append(record, buildRow('a'));
    const other = rewriteRunRecord(record.path, { ...record.read(undefined).header }, []);
    other.append(buildRow('x'), buildRow('y'));
    await append(record, buildRow('b'));
    await append(record, buildRow('c'));
    expect([told.length, refused]).toEqual([1, ['stop']]);
    expect(told[0]).toContain(record.path);
    const casesOf = (end?: EndRow) =>
      [...(record.read(end).summary.suites[0]?.variants[0]?.cases.keys() ?? [])].join(' ');
    expect([casesOf(), casesOf(endRow)]).toEqual(['x y', 'x y']);
    expect([record.read(undefined).end, record.read(endRow).end]).toEqual([undefined, endRow]);
    record.close(endRow);
    expect(lines()).toEqual(['run', 'cell x passed', 'cell y passed']);
    other.close();
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('that was removed keeps what it has counted', async () => {
    const { record, told, refused } = open();
    await append(record, buildRow('a'));
    rmSync(record.path);
    await append(record, buildRow('b'));
    expect([told.length, refused]).toEqual([1, ['stop']]);
    expect([...(record.read(undefined).summary.suites[0]?.variants[0]?.cases.keys() ?? [])]).toEqual(['a']);
  });
});

test('a run that goes on says when, and keeps the time and the id of its first part', () => {
  const { record } = resume(buildRow('a'));
  expect([record.id, record.startedAt]).toEqual(['20261124-153012-a1b2c3', '2026-11-24T15:30:12.000Z']);
  const lines = readFileSync(record.path, 'utf8').trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ type: 'resume', startedAt: '2026-11-25T08:00:00.000Z' });
  record.countIfFinished(keyOf('a'));
  expect(record.readRow(0).caseId).toBe('a');
});
