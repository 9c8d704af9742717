import { appendFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openViewedRuns } from '../../src/viewing/view-runs.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

const idOf = (day: number): string => `2025110${day}-093000-aaaa`;
const row = buildRow('a', { provider: 'p' });
const both = [row, { ...row, caseId: 'b' }];

function writeRun(root: string, day: number, rows = [row], isEnded = true): string {
  const suite = buildRecordedSuite([buildVariant(2)], {}, { suite: 'support', path: 'evals/support.eval.yaml' });
  const startedAt = `2025-11-0${day}T09:30:00.000Z`;
  return writeStoredRun(
    root,
    buildHeader({ id: idOf(day), startedAt, suites: [suite] }),
    rows,
    isEnded ? endRow : undefined,
  );
}

function open(root: string, now = new Date()) {
  return openViewedRuns({ root, cwd: root, env: {}, now: () => now });
}

test('a record is counted again only where it has grown', () => {
  const root = makeFolder();
  writeRun(root, 1);
  const growing = writeRun(root, 2, [row], false);
  const viewed = open(root);
  const [before, other] = viewed.list();
  expect([before?.id, before?.state, before?.passed, other?.id]).toEqual([idOf(2), 'running', 1, idOf(1)]);
  expect(viewed.list()[0]).toBe(before);
  const states = viewed.states();
  appendFileSync(growing, `${JSON.stringify({ ...row, caseId: 'b' })}\n`);
  const [after, still] = viewed.list();
  expect([after?.passed, still === other]).toEqual([2, true]);
  expect(viewed.states().get(idOf(2))).not.toBe(states.get(idOf(2)));
  expect(viewed.states().get(idOf(1))).toBe(states.get(idOf(1)));
});

test.each([
  [false, 0, 'running'],
  [false, 300_000, 'running'],
  [false, 300_001, 'unfinished'],
  [true, 300_001, 'complete'],
])('a run with an end (%s) that said nothing for %d ms is %s', (isEnded, quietMs, state) => {
  const root = makeFolder();
  const path = writeRun(root, 1, [row, buildRow('b', { provider: 'p' })], isEnded);
  const now = new Date(Math.floor(statSync(path).mtimeMs) + quietMs);
  expect(open(root, now).list()).toMatchObject([{ id: idOf(1), state }]);
});

test('the verdict of a run is kept until its record grows, and not where it could not be given', async () => {
  const root = makeFolder();
  const path = writeRun(root, 1);
  const viewed = open(root);
  const first = viewed.verdict(idOf(1));
  expect(viewed.verdict(idOf(1))).toBe(first);
  expect(await first).toMatchObject({ outcome: 'incomplete', against: [] });
  appendFileSync(path, 'nonsense\n');
  const second = viewed.verdict(idOf(1));
  expect(second).not.toBe(first);
  await expect(second).rejects.toThrow(idOf(1));
  const third = viewed.verdict(idOf(1));
  expect(third).not.toBe(second);
  await expect(third).rejects.toThrow(idOf(1));
  rmSync(path);
  expect(viewed.verdict(idOf(1))).toBeUndefined();
});

test('two runs are compared where both are there', async () => {
  const root = makeFolder();
  writeRun(root, 1);
  writeRun(root, 2);
  const viewed = open(root);
  expect([viewed.compare(idOf(1), 'none'), viewed.compare('none', idOf(1)), viewed.report('none')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect((await viewed.report(idOf(1)))?.run.id).toBe(idOf(1));
  const report = await viewed.compare(idOf(1), idOf(2));
  expect(report?.suites[0]?.variants[0]?.comparison?.against.source).toBe(`run ${idOf(1)}`);
});

test('the verdict names a prompt of the same run that another one is compared with', async () => {
  const root = makeFolder();
  const variants = [buildVariant(1), buildVariant(1, { prompt: 'v2', replaces: 'v1' })];
  const suite = buildRecordedSuite(variants, {}, { suite: 'support', path: 'evals/support.eval.yaml' });
  writeStoredRun(root, buildHeader({ id: idOf(1), suites: [suite] }), [row, { ...row, prompt: 'v2' }], endRow);
  expect(await open(root).verdict(idOf(1))).toMatchObject({ outcome: 'passed', against: ['v1'] });
});

test('a record that was renamed is compared by its path', async () => {
  const root = makeFolder();
  const path = writeRun(root, 1, both);
  renameSync(path, path.replace(idOf(1), 'before'));
  writeRun(root, 2, both);
  const report = await open(root).compare('before', idOf(2));
  expect(report?.suites[0]?.variants[0]?.comparison?.against.source).toContain('before.jsonl');
  expect(report?.decision.outcome).toBe('passed');
});
