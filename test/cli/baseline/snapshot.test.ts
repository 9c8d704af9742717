import { expect, test } from 'vitest';
import { openTempProject, statusesOf } from '../../support/temp-project.ts';

const suite = `suite: greet
prompts: [{ id: v1, text: "Greet {{ name }}" }]
providers: ["exec:cat answer.txt"]
cases:
  - id: ada
    vars: { name: Ada }
    assert: [{ snapshot: exact }]
`;

test('a snapshot is an error until an answer is accepted, then holds the next answers to it', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite);
  project.write('evals/answer.txt', 'Hello Ada');
  const first = await project.run(['run']);
  expect(first.code).toBe(3);
  expect(first.stdout).toContain('no accepted answer');
  expect((await project.run(['baseline', 'accept'])).code).toBe(0);
  expect((await project.run(['run', '--cache', 'refresh', '--no-baseline'])).code).toBe(3);
  expect((await project.run(['run', '--cache', 'refresh'])).code).toBe(0);
  project.write('evals/answer.txt', 'Good day, Ada');
  const changed = await project.run(['run', '--cache', 'refresh']);
  // Its fresh trials are held to the accepted answer too.
  expect(changed.code).toBe(1);
  expect(changed.stdout).toContain('Good day, Ada');
});

test('a resumed run judges a snapshot again once another answer was accepted', { tags: ['slow'] }, async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite);
  project.write('evals/answer.txt', 'Hello Ada');
  await project.run(['run']);
  await project.run(['baseline', 'accept', '--force']);
  const { report } = await project.report(['run']);
  expect(statusesOf(report)).toEqual({ ada: 'passed' });
  const accepted = project.read('evals/greet.baseline.jsonl');
  const resume = async () => {
    const resumed = await project.report(['run', '--resume', report.run.id]);
    return [resumed.report.run.id, statusesOf(resumed.report)['ada']];
  };
  expect(await resume()).toEqual([report.run.id, 'passed']);
  project.write('evals/greet.baseline.jsonl', accepted.replaceAll('Hello Ada', 'Good day, Ada'));
  expect(await resume()).toEqual([report.run.id, 'failed']);
});

test('an accepted answer is the new snapshot and has passed, so that the next change fails again', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite);
  for (const answer of ['one', 'two', 'three']) {
    project.write('evals/answer.txt', answer);
    const run = await project.run(['run', '--cache', 'refresh']);
    expect([answer, run.code]).toEqual([answer, answer === 'one' ? 3 : 1]);
    const accepted = await project.run(['baseline', 'accept', '--known-failures']);
    expect([accepted.code, accepted.stdout.includes('known failure')]).toEqual([0, false]);
    const [, , row = ''] = project.read('evals/greet.baseline.jsonl').split('\n');
    expect(JSON.parse(row).trials).toMatchObject([{ status: 'passed', checks: [{ pass: true }], output: answer }]);
    expect((await project.run(['run'])).code).toBe(0);
  }
});

test.each([
  ['a contract', 'mustPass: true', '[{ snapshot: exact }]', 0, 'passed'],
  [
    'a snapshot below a combinator',
    'tags: [x]',
    '[{ anyOf: [{ contains: never }, { snapshot: exact }] }]',
    0,
    'passed',
  ],
  ['what another check fails', 'tags: [x]', '[{ snapshot: exact }, { contains: Hello }]', 0, 'failed'],
  ['a contract that another check fails', 'mustPass: true', '[{ snapshot: exact }, { contains: Hello }]', 2, 'passed'],
])(
  'accepting %s asks for nothing that the answer itself fulfils',
  { tags: 'slow' },
  async (_name, key, checks, code, status) => {
    const project = openTempProject();
    project.write(
      'evals/greet.eval.yaml',
      suite.replace('    assert: [{ snapshot: exact }]', `    ${key}\n    assert: ${checks}`),
    );
    project.write('evals/answer.txt', 'Hello Ada');
    await project.run(['run']);
    expect((await project.run(['baseline', 'accept'])).code).toBe(0);
    project.write('evals/answer.txt', 'Good day, Ada');
    expect((await project.run(['run', '--cache', 'refresh'])).code).toBe(1);
    expect((await project.run(['baseline', 'accept'])).code).toBe(code);
    const [, , row = ''] = project.read('evals/greet.baseline.jsonl').split('\n');
    expect(JSON.parse(row).trials[0].status).toBe(status);
  },
);

test('a snapshot that a review accepts has passed too, must-pass or not', { tags: 'slow' }, async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite.replace('    assert', '    mustPass: true\n    assert'));
  for (const answer of ['one', 'two', 'three']) {
    project.write('evals/answer.txt', answer);
    expect((await project.run(['run', '--cache', 'refresh'])).code).toBe(answer === 'one' ? 3 : 1);
    const { code, stdout } = await project.run(['review', '--accept', 'greet/*', '--into', 'baseline']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 accepted')]);
  }
  expect((await project.run(['run', '--cache', 'refresh'])).code).toBe(0);
});

test('an update of the baseline that only a first snapshot keeps from it says what accepts it', async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite);
  project.write('evals/answer.txt', 'Hello Ada');
  const { code, stderr } = await project.run(['run', '--update-baseline']);
  expect(code).toBe(3);
  const [, command = ''] = /as it is: llmcheck (.*)/.exec(stderr) ?? [];
  expect(command).not.toContain('--force');
  expect((await project.run(command.split(' '))).code).toBe(0);
  expect((await project.run(['run', '--update-baseline'])).code).toBe(0);
});
