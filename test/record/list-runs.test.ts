import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { countStoredRun, listRuns, newRunId, secondsOfRunId } from '../../src/record/list-runs.ts';
import { createRunRecord } from '../../src/record/write-run-record.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import fc from '../support/property.ts';
import { buildHeader, buildRow, catchUserError, endRow, makeFolder } from './build-rows.ts';

describe('newRunId', () => {
  test('is the time in UTC and the random bytes in hex', () => {
    expect(newRunId(new Date('2026-11-24T15:30:12.987Z'), Uint8Array.of(0xa1, 0x02))).toBe('20261124-153012-a102');
  });

  test('sorts by time', () => {
    const seconds = fc.nat(4_000_000_000);
    const random = fc.uint8Array({ minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(seconds, seconds, random, random, (a, b, randomA, randomB) => {
        fc.pre(a < b);
        expect(newRunId(new Date(a * 1000), randomA) < newRunId(new Date(b * 1000), randomB)).toBe(true);
      }),
    );
  });
});

describe('the runs of a folder', () => {
  test('are listed with the latest first, and nothing else with them', () => {
    const folder = makeFolder();
    for (const id of ['20251124-153012-a1b2', '20251125-000000-0000', '20241231-235959-ffff']) add(folder, id);
    writeFileSync(join(folder, 'notes.txt'), '');
    mkdirSync(join(folder, 'folder.jsonl'));
    expect(listRuns(folder)).toEqual(
      ['20251125-000000-0000', '20251124-153012-a1b2', '20241231-235959-ffff'].map((id) => ({
        id,
        path: join(folder, `${id}.jsonl`),
        bytes: 3,
        modifiedMs: (timeOf(id) + 1) * 1000,
      })),
    );
  });

  test('are sorted by their last write where they began in one second', () => {
    const folder = makeFolder();
    add(folder, '20251124-153012-ffff', 1);
    add(folder, '20251124-153012-0000', 2);
    // The id's time comes first: an old run that was resumed is not the latest.
    add(folder, '20251124-153011-8888', 3);
    expect(listRuns(folder).map(({ id }) => id.slice(-4))).toEqual(['0000', 'ffff', '8888']);
  });

  test('of one moment are ordered by their ids', () => {
    const folder = makeFolder();
    for (const id of ['20251124-153012-1111', '20251124-153012-3333', '20251124-153012-2222']) add(folder, id);
    expect(listRuns(folder).map(({ id }) => id.slice(-4))).toEqual(['3333', '2222', '1111']);
  });

  test('are never younger than their last write, whatever their name says', () => {
    const folder = makeFolder();
    add(folder, '20251124-153012-0000');
    utimesSync(add(folder, '20991231-235959-ffff'), timeOf('20251123-000000'), timeOf('20251123-000000'));
    utimesSync(add(folder, 'zzz'), timeOf('20251122-000000'), timeOf('20251122-000000'));
    expect(listRuns(folder).map(({ id }) => id)).toEqual(['20251124-153012-0000', '20991231-235959-ffff', 'zzz']);
  });

  test('come first where their clock is ahead by minutes', () => {
    const folder = makeFolder();
    add(folder, '20251124-153012-0000');
    const ahead = new Date(Date.now() + 100_000);
    utimesSync(add(folder, newRunId(ahead, Uint8Array.of(255))), ahead, ahead);
    expect(listRuns(folder).map(({ id }) => id.slice(-2))).toEqual(['ff', '00']);
  });

  test('come last where they were written by a clock that was wrong, as the folder was changed since', () => {
    const folder = makeFolder();
    add(folder, '20991231-235959-ffff');
    add(folder, '20251124-153012-0000');
    expect(listRuns(folder).map(({ id }) => id.slice(-4))).toEqual(['0000', 'ffff']);
  });

  test('are none where the folder is missing', () => {
    const folder = join(makeFolder(), 'none');
    expect(listRuns(folder)).toEqual([]);
  });

  test('are those that can be looked at: a link that leads to itself is none', () => {
    const folder = makeFolder();
    add(folder, '20251124-153012-a1b2');
    for (const name of ['loop', 'nothing']) symlinkSync(join(folder, 'loop.jsonl'), join(folder, `${name}.jsonl`));
    expect(listRuns(folder).map(({ id }) => id)).toEqual(['20251124-153012-a1b2']);
  });

  test('that cannot be listed are a problem', () => {
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    expect(catchUserError(() => listRuns(file)).problems).toMatchObject([{ code: 'record' }]);
  });
});

function timeOf(id: string): number {
  return secondsOfRunId(id) ?? 0;
}

/** A record that was written for so many seconds. */
function add(folder: string, id: string, forS = 1): string {
  const path = join(folder, `${id}.jsonl`);
  writeFileSync(path, '{}\n');
  utimesSync(path, timeOf(id) + forS, timeOf(id) + forS);
  return path;
}

describe('a run in a list', () => {
  const suites = [buildRecordedSuite([buildVariant(3)], {}, { suite: 'support' })];
  const provenance = { commit: 'c', branch: 'b', dirty: true } as never;
  const row = (caseId: string, status: 'passed' | 'failed') =>
    buildRow(caseId, { status, prompt: 'v1', provider: 'p', costUsd: 0.5 });

  /** A record with this end, counted as a list shows it. */
  function count(last: object | undefined, header: object = {}) {
    const folder = makeFolder();
    const writer = createRunRecord(folder, buildHeader({ suites, ...header }));
    writer.append(row('a', 'passed'), row('b', 'failed'));
    if (last !== undefined) writer.append({ ...endRow, ...last });
    writer.close();
    const [run] = listRuns(folder);
    if (run === undefined) throw new Error('no run is listed');
    return { ...countStoredRun(run, folder), bytes: run.bytes > 0 };
  }

  const counted = {
    id: '20261124-153012-a1b2',
    startedAt: '2026-11-24T15:30:12.000Z',
    suites: ['support'],
    planned: 3,
    passed: 1,
    failed: 1,
    errored: 0,
    skipped: 1,
    costUsd: 1,
    bytes: true,
  };

  test('tells how it ended, and of which commit it is', () => {
    expect(count(undefined)).toEqual({ ...counted, state: 'running' });
    expect(count({})).toEqual({ ...counted, state: 'complete' });
    expect(count({ stopReason: 'deadline' }, { provenance })).toEqual({
      ...counted,
      state: 'deadline',
      commit: 'c',
      branch: 'b',
    });
  });

  test('that can not be read hides no other', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'x.jsonl'), 'no record');
    const [run] = listRuns(folder);
    expect(run && countStoredRun(run, folder)).toEqual({
      id: 'x',
      startedAt: null,
      state: 'unreadable',
      suites: [],
      planned: null,
      passed: null,
      failed: null,
      errored: null,
      skipped: null,
      costUsd: null,
      bytes: 9,
    });
  });
});
