import { expect, test } from 'vitest';
import type { CellRow } from '../../src/model/record.ts';
import type { RunPorts } from '../../src/plan/run-options.ts';
import type { RowPlace } from '../../src/record/read-rows.ts';
import { visitRows } from '../../src/record/read-run-record.ts';
import { createRunRecord, rewriteRunRecord } from '../../src/record/write-run-record.ts';
import { openRecord } from '../../src/run/open-record.ts';
import { buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { buildHeader, buildRecordedSuite, buildVariant } from '../support/build-summary.ts';

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
    rewrite: (onRow: (row: CellRow, place: RowPlace) => void) =>
      rewriteRunRecord(written.path, header, places, { renew: (row) => row, onRow }),
  };
  // A record that goes on draws no id.
  const ports = { cwd: folder, onProgress: () => undefined } as unknown as RunPorts;
  const record = openRecord({ folder, header, earlier, ports, onRefused: () => undefined });
  return {
    record,
    /** The trials that count, confirmation trials with a mark. */
    counted: (isEnded = false) => {
      const [of] = record.read(isEnded ? endRow : undefined).summary.suites[0]?.variants ?? [];
      return Array.from(of?.cases.values() ?? [], ({ caseId, trials, confirmations }) => [
        ...trials.map(({ trial, status }) => `${caseId} ${trial} ${status}`),
        ...confirmations.map(({ trial, status }) => `${caseId} ${trial} ${status} again`),
      ]).flat();
    },
  };
}

const keyOf = (caseId: string, trial = 0) => ({
  key: { suite: 'support', prompt: 'v1', provider: 'openai:small', caseId, trial },
});
const again = { confirmation: true } as const;

test('a row of the earlier part counts once its cell is due', () => {
  const { record, counted } = resume(buildRow('a'), buildRow('a', { trial: 1, ...again }), buildRow('b'));
  expect(counted()).toEqual([]);
  expect(record.takeFinished(keyOf('a'))).toBe(true);
  expect(counted()).toEqual(['a 0 passed']);
  expect(record.takeFinished(keyOf('a'))).toBe(false);
  expect(record.takeFinished(keyOf('c'))).toBe(false);
  expect(record.takeFinished({ ...keyOf('a', 1), ...again })).toBe(true);
  expect(counted()).toEqual(['a 0 passed', 'a 1 passed again']);
});

test('the other rows count on demand, and where there are none that is said', () => {
  const { record, counted } = resume(buildRow('a'), buildRow('b'));
  record.takeFinished(keyOf('b'));
  expect([record.takeRest(), record.takeRest()]).toEqual([true, false]);
  expect(counted()).toEqual(['a 0 passed', 'b 0 passed']);
});

test('a run that stops before a cell is due counts its row, too', () => {
  const { record, counted } = resume(buildRow('a'), buildRow('a', { trial: 1, ...again }));
  record.takeFinished(keyOf('a'));
  record.close(endRow);
  expect(counted(true)).toEqual(['a 0 passed', 'a 1 passed again']);
});

test('a planned cell with the number of a confirmation trial runs again, and its new row counts', async () => {
  const { record, counted } = resume(buildRow('a'), buildRow('a', { trial: 1, ...again }));
  expect([record.takeFinished(keyOf('a')), record.takeFinished(keyOf('a', 1))]).toEqual([true, false]);
  await record.append(buildRow('a', { trial: 1, status: 'failed' }));
  record.close(endRow);
  expect(counted(true)).toEqual(['a 0 passed', 'a 1 failed']);
});
