import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRun, latestRun, listRuns } from '../../src/stores/list-runs.ts';
import { newRunId } from '../../src/stores/run-id.ts';
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
    for (const id of ['20261124-153012-a1b2', '20261125-000000-0000', '20251231-235959-ffff']) add(folder, id);
    writeFileSync(join(folder, 'notes.txt'), '');
    mkdirSync(join(folder, 'folder.jsonl'));
    expect(listRuns(folder)).toEqual(
      ['20261125-000000-0000', '20261124-153012-a1b2', '20251231-235959-ffff'].map((id) => ({
        id,
        path: join(folder, `${id}.jsonl`),
        bytes: 3,
        modifiedMs: 1_000_000,
      })),
    );
    expect(latestRun(folder)?.id).toBe('20261125-000000-0000');
  });

  test('of one second are told apart by when they were last written', () => {
    const folder = makeFolder();
    add(folder, '20261124-153012-ffff', 1_000);
    add(folder, '20261124-153012-0000', 2_000);
    // The id's time comes first: an old run that was resumed is not the latest.
    add(folder, '20261124-153011-8888', 3_000);
    expect(listRuns(folder).map(({ id }) => id.slice(-4))).toEqual(['0000', 'ffff', '8888']);
  });

  test('are none where the folder is missing', () => {
    const folder = join(makeFolder(), 'none');
    expect([listRuns(folder), latestRun(folder), findRun(folder, 'x')]).toEqual([[], undefined, undefined]);
  });

  test('that cannot be listed are a problem', () => {
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    expect(catchUserError(() => listRuns(file)).problems).toMatchObject([{ code: 'record' }]);
  });

  test('are found by their whole id, which is never a path', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'runs'));
    add(folder, 'outside');
    add(join(folder, 'runs'), '20261124-153012-a1b2');
    expect(findRun(join(folder, 'runs'), '20261124-153012-a1b2')?.path).toContain('20261124-153012-a1b2.jsonl');
    expect(findRun(join(folder, 'runs'), '20261124')).toBeUndefined();
    expect(findRun(join(folder, 'runs'), '../outside')).toBeUndefined();
  });
});

function add(folder: string, id: string, mtimeS = 1_000): void {
  const path = join(folder, `${id}.jsonl`);
  writeFileSync(path, '{}\n');
  utimesSync(path, mtimeS, mtimeS);
}
