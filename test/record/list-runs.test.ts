import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listRuns, newRunId, secondsOfRunId } from '../../src/record/list-runs.ts';
import fc from '../support/property.ts';
import { catchUserError, makeFolder } from './build-rows.ts';

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

  test('of one second are told apart by when they were last written', () => {
    const folder = makeFolder();
    add(folder, '20251124-153012-ffff', 1);
    add(folder, '20251124-153012-0000', 2);
    // The id's time comes first: an old run that was resumed is not the latest.
    add(folder, '20251124-153011-8888', 3);
    expect(listRuns(folder).map(({ id }) => id.slice(-4))).toEqual(['0000', 'ffff', '8888']);
  });

  test('are never younger than their last write, whatever their name says', () => {
    const folder = makeFolder();
    add(folder, '20251124-153012-0000');
    utimesSync(add(folder, '20991231-235959-ffff'), timeOf('20251123-000000'), timeOf('20251123-000000'));
    utimesSync(add(folder, 'zzz'), timeOf('20251122-000000'), timeOf('20251122-000000'));
    expect(listRuns(folder).map(({ id }) => id)).toEqual(['20251124-153012-0000', '20991231-235959-ffff', 'zzz']);
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
