import { expect, test } from 'vitest';
import type { Assertion } from '../../src/assertions/define.ts';
import { assertions } from '../../src/assertions/index.ts';
import { describeAssertions, listAssertions, listReporters, listRuns } from '../../src/listing/list-parts.ts';
import { reporters } from '../../src/reports/index.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

test('each assertion is listed with its parameters and what it says of a wrong answer', async () => {
  const described = await describeAssertions(process.cwd());
  const lines = described.map(({ assertion, family, parameters, failure, definition }) =>
    [
      `${assertion} (${family}): ${parameters.join(', ')}`,
      `  fails: ${JSON.stringify(failure)}`,
      `  defined: ${JSON.stringify(definition)}`,
    ].join('\n'),
  );
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/assertions.txt');
  expect(described.every(({ summary, example }) => summary !== '' && example !== '')).toBe(true);
});

test('an assertion of a plug-in comes after the others and has no failure to show, whatever its name', async () => {
  const { failsOn: _failsOn, definition: _definition, ...equals } = assertions['equals'] as Assertion;
  const own: Assertion = { ...equals, summary: 'of a plug-in' };
  const described = await describeAssertions(process.cwd(), { own, constructor: own });
  const shown = { family: 'text', summary: 'of a plug-in', failure: null, definition: null };
  expect(described.slice(-2)).toMatchObject([
    { assertion: 'own', ...shown },
    { assertion: 'constructor', ...shown },
  ]);
  expect(await listAssertions(process.cwd(), [])).toHaveLength(Object.keys(assertions).length);
});

test('the reporters are listed with what they write', () => {
  const listed = listReporters([]);
  expect(listed.map(({ reporter }) => reporter)).toEqual(Object.keys(reporters));
  expect(listed.every(({ summary }) => typeof summary === 'string' && summary !== '')).toBe(true);
});

test('stored runs are listed with their counts, the latest first; one without an end is unfinished', () => {
  const root = makeFolder();
  const suite = buildRecordedSuite([buildVariant(3, { provider: 'openai:small' })], {}, { suite: 'support' });
  const rows = [buildRow('a'), buildRow('b', { status: 'failed' }), buildRow('c', { status: 'errored' })];
  const header = (day: number) =>
    buildHeader({ id: `2025110${day}-093000-aaaa`, startedAt: `2025-11-0${day}T09:30:00.000Z`, suites: [suite] });
  writeStoredRun(root, header(1), rows, endRow);
  writeStoredRun(root, header(2), rows.slice(0, 1));
  writeStoredRun(root, header(3), rows.slice(0, 2), { ...endRow, stopReason: 'budget' });
  const counts = { suites: ['support'], planned: 3, bytes: expect.any(Number) as number };
  expect(listRuns(root)).toEqual([
    {
      run: '20251103-093000-aaaa',
      startedAt: '2025-11-03T09:30:00.000Z',
      state: 'budget',
      passed: 1,
      failed: 1,
      errored: 0,
      skipped: 1,
      ...counts,
    },
    {
      run: '20251102-093000-aaaa',
      startedAt: '2025-11-02T09:30:00.000Z',
      state: 'unfinished',
      passed: 1,
      failed: 0,
      errored: 0,
      skipped: 2,
      ...counts,
    },
    {
      run: '20251101-093000-aaaa',
      startedAt: '2025-11-01T09:30:00.000Z',
      state: 'complete',
      passed: 1,
      failed: 1,
      errored: 1,
      skipped: 0,
      ...counts,
    },
  ]);
});
