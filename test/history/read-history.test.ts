import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readHistory } from '../../src/history/read-history.ts';
import { runsFolder } from '../../src/project/stored-runs.ts';
import { buildHeader, buildRow, catchUserError, endRow, makeFolder } from '../record/build-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

/** One run a name, of the suite of that name, the latest last. */
function writeRuns(root: string, ...suites: readonly string[]): void {
  for (const [index, suite] of suites.entries()) {
    const recorded = buildRecordedSuite([buildVariant(1)], {}, { suite, path: `evals/${suite}.eval.yaml` });
    const header = buildHeader({ id: `20251101-09300${index}-aaaa`, suites: [recorded] });
    writeStoredRun(root, header, [buildRow('a', { suite, provider: 'p' })], endRow);
  }
}

function read(root: string, wanted: { readonly paths?: readonly string[]; readonly suites?: readonly string[] } = {}) {
  const { paths = [], suites = [] } = wanted;
  return readHistory({ root, cwd: root, limit: 9, paths, suites });
}

test.each([
  [['support', 'other'], {}, ['other', 'support']],
  [['support', 'other'], { suites: ['other'] }, ['other']],
  [['support', 'other'], { paths: ['evals/support.eval.yaml'] }, ['support']],
  [['support', 'other'], { paths: ['evals/su*'] }, ['support']],
  [['support', 'other'], { paths: ['evals/su*', 'evals/other.eval.yaml'] }, ['other', 'support']],
  [['support', 'other'], { suites: ['other'], paths: ['evals'] }, ['other']],
  [['support', 'other'], { paths: ['evals/'] }, ['other', 'support']],
])('runs of %j, read by %j, give %j', (runs, wanted, suites) => {
  const root = makeFolder();
  writeRuns(root, ...runs);
  expect(read(root, wanted).suites.map(({ suite }) => suite)).toEqual(suites);
});

const noRun = ['there is no stored run yet', '`llmcheck run` stores one in .llmcheck/runs'];
test.each([
  [[], {}, noRun],
  [[], { suites: ['support'] }, noRun],
  [['support', 'other'], { suites: ['suport'] }, ['no stored run holds suport', 'did you mean "support"?']],
  [['support'], { suites: ['x'], paths: ['src'] }, ['no stored run holds x', undefined]],
  [
    ['support', 'other'],
    { paths: ['src', 'lib'] },
    [
      'no stored run holds src, lib',
      'stored runs hold other (evals/other.eval.yaml), support (evals/support.eval.yaml)',
    ],
  ],
  [
    ['support'],
    { paths: ['eval'] },
    ['no stored run holds eval', 'stored runs hold support (evals/support.eval.yaml)'],
  ],
])('runs of %j can not be read by %j', (runs, wanted, [message, hint]) => {
  const root = makeFolder();
  writeRuns(root, ...runs);
  const { problems } = catchUserError(() => read(root, wanted));
  expect(problems).toMatchObject([{ code: 'unknown-id', message, ...(hint !== undefined && { hint }) }]);
});

test('only damaged records are as good as none; each says why it is damaged', () => {
  const root = makeFolder();
  writeRuns(root, 'support');
  writeFileSync(join(runsFolder({ root }), '20251101-093009-aaaa.jsonl'), 'nonsense\n');
  expect(read(root).damaged).toEqual([
    { run: '20251101-093009-aaaa', message: expect.stringContaining('20251101-093009-aaaa') as string },
  ]);
});

test.each([{}, { suites: ['support'] }, { paths: ['evals'] }])('where all are damaged, %j is no history', (wanted) => {
  const root = makeFolder();
  writeRuns(root, 'support');
  const [record = ''] = readdirSync(runsFolder({ root }));
  appendFileSync(join(runsFolder({ root }), record), 'nonsense\n');
  writeFileSync(join(runsFolder({ root }), '20251101-093009-aaaa.jsonl'), 'nonsense\n');
  const { problems } = catchUserError(() => read(root, wanted));
  expect(problems.map(({ code, message }) => [code, message])).toEqual([
    ['record', expect.stringContaining('20251101-093009-aaaa')],
    ['record', expect.stringContaining(record)],
  ]);
});

test('a pattern that cannot be read is a mistake, not a damaged record', () => {
  const root = makeFolder();
  writeRuns(root, 'support');
  const { problems } = catchUserError(() => read(root, { paths: ['evals/{a'] }));
  expect(problems).toHaveLength(1);
});

test('the latest runs with a wanted suite are read, sorted from the oldest to the latest', () => {
  const root = makeFolder();
  const suites = ['support', 'other'].map((suite) =>
    buildRecordedSuite([buildVariant(1)], {}, { suite, path: `evals/${suite}.eval.yaml` }),
  );
  for (const day of [1, 2, 3]) {
    const rows = suites.map(({ suite }) => buildRow('a', { suite, provider: 'p' }));
    writeStoredRun(root, buildHeader({ id: `2025110${day}-093000-aaaa`, suites }), rows, endRow);
  }
  const { runs } = readHistory({ root, cwd: root, limit: 2, paths: [], suites: ['support'] });
  expect(runs.map(({ id }) => id)).toEqual(['20251102-093000-aaaa', '20251103-093000-aaaa']);
});
