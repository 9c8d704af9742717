import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findKnownAnswers } from '../../src/measuring/known-answers.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { buildSuite } from '../support/build-case.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

test.each([
  ['an answer', 'from the run', 'run 20261124-153012-a1b2'],
  ['no answer', undefined, 'answers.jsonl'],
])('of a run with %s and recordings, the first that have an answer are taken', (_, output, source) => {
  const root = makeFolder();
  const { output: _other, ...row } = buildRow('a', { suite: 's', provider: 'p' });
  const header = buildHeader({ suites: [buildRecordedSuite([buildVariant(1)], {}, { suite: 's' })] });
  writeStoredRun(root, header, [output === undefined ? { ...row, status: 'errored' } : { ...row, output }], endRow);
  const recordings = join(root, 'answers.jsonl');
  const lines = [0, 1].map((trial) => {
    return JSON.stringify({
      prompt: 'v1',
      provider: 'p',
      caseId: 'a',
      trial,
      completion: { text: `recorded ${trial}` },
    });
  });
  writeFileSync(recordings, lines.join('\n'));
  const suite = buildSuite([], { id: 's', path: join(root, 's.eval.yaml'), recordings });
  const found = findKnownAnswers(suite, { root, cwd: root, from: 'auto' });
  const texts = output === undefined ? ['recorded 0', 'recorded 1'] : [output];
  const answers = texts.map((text, trial) => ({ caseId: 'a', trial, completion: { text } }));
  expect(found).toMatchObject({ source, answers });
});
