import { expect, test } from 'vitest';
import { openTempProject, statusesOf, trialsOf } from '../../support/temp-project.ts';

const env = { PATH: process.env['PATH'] ?? '' };

test('a program answers; one that crashes or never ends is errored and named', { tags: 'slow' }, async () => {
  const project = openTempProject('exec');
  const ended = await project.report(['run', '-t', '{plain,crash}'], { env });
  expect(ended.code).toBe(3);
  expect(statusesOf(ended.report)).toEqual({ crash: 'errored', plain: 'passed' });
  const crash = trialsOf(ended.report).find(({ caseId }) => caseId === 'crash');
  expect(crash?.error?.message).toContain('the program fell over');
  const endless = await project.report(['run', '-t', 'endless', '--timeout', '500ms'], { env });
  expect([endless.code, trialsOf(endless.report)[0]?.error?.kind]).toEqual([3, 'timeout']);
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
