import { expect, test } from 'vitest';
import { openTempProject, statusesOf, trialsOf } from '../../support/temp-project.ts';

const env = { PATH: process.env['PATH'] ?? '' };

test('a program answers; one that crashes or never ends is errored and named', async () => {
  const project = openTempProject('exec');
  const { code, report } = await project.report(['run', '--timeout', '1500ms'], { env });
  expect(code).toBe(3);
  expect(statusesOf(report)).toEqual({ crash: 'errored', endless: 'errored', plain: 'passed' });
  const errors = Object.fromEntries(trialsOf(report).map(({ caseId, error }) => [caseId, error]));
  expect(errors['crash']?.message).toContain('the program fell over');
  expect(errors['endless']?.kind).toBe('timeout');
});

test('an answer is cached until the program changes', async () => {
  const project = openTempProject('exec');
  const argv = ['run', '-t', 'plain'];
  const first = await project.report(argv, { env });
  const second = await project.report(argv, { env });
  project.write('evals/answer.mjs', `// another version\n${project.read('evals/answer.mjs')}`);
  const third = await project.report(argv, { env });
  expect([first, second, third].map(({ report }) => report.totals.cached)).toEqual([0, 1, 0]);
});

test('a program that is not there is a provider error that names it', async () => {
  const project = openTempProject('exec');
  project.write(
    'evals/exec.eval.yaml',
    project.read('evals/exec.eval.yaml').replace('node answer.mjs', './nowhere.sh'),
  );
  const { code, report } = await project.report(['run'], { env });
  expect(code).toBe(3);
  expect(trialsOf(report)[0]?.error?.message).toContain('nowhere.sh');
});
