import { expect, test } from 'vitest';
import type { DecisionOutcome } from '../../src/model/comparison/gate.ts';
import type { CiOutcome } from '../../src/publishing/ci-outcome.ts';
import { publishDrift } from '../../src/publishing/drift-outcome.ts';
import type { JobIo } from '../../src/publishing/job.ts';
import { buildComparison, buildReport, buildSuite, buildVariant } from '../support/build-report.ts';

const flags = { summary: false, annotations: false };
const outcome: CiOutcome = {
  exitCode: 0,
  conclusion: 'success',
  title: 'passed: all',
  body: '',
  annotations: '',
  outputs: {},
};

/** Whether the issue was kept, which fails here for want of a repository, and the output `drift`. */
async function publish(run: DecisionOutcome, isCompared: boolean) {
  const said: string[] = [];
  const io: JobIo = {
    stdout: { write: () => {} },
    stderr: { write: (text) => void said.push(text) },
    env: {},
    cwd: process.cwd(),
    now: () => new Date(0),
    random: () => 0,
  };
  const variant = buildVariant(isCompared ? { comparison: buildComparison() } : {});
  const report = buildReport([buildSuite([], { variants: [variant] })], {
    decision: { outcome: run },
  });
  const mask = (text: string) => text;
  const options = { root: io.cwd, github: undefined, mask, id: 'drift', checkName: 'drift', origin: {} };
  const { outputs } = await publishDrift(
    outcome,
    { report, drift: 'none', outcomeAs: () => outcome },
    flags,
    io,
    options,
  );
  return [said.join('').includes('the issue was not written'), outputs['drift']];
}

test('an issue ends with a run that passed, and with no other', async () => {
  expect(await publish('passed', true)).toEqual([true, 'none']);
  expect(await publish('inconclusive', true)).toEqual([false, '']);
  expect(await publish('failed', true)).toEqual([false, '']);
  expect(await publish('incomplete', true)).toEqual([false, '']);
});

test('a run that was compared with nothing ends no issue', async () => {
  expect(await publish('passed', false)).toEqual([false, 'none']);
});
