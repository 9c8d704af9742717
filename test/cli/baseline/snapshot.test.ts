import { expect, test } from 'vitest';
import { openTempProject, statusesOf } from '../../support/temp-project.ts';

const suite = `suite: greet
prompts: [{ id: v1, text: "Greet {{ name }}" }]
providers: ["exec:node answer.mjs"]
cases:
  - id: ada
    vars: { name: Ada }
    assert: [{ snapshot: exact }]
`;

function program(answer: string): string {
  return `process.stdin.resume(); process.stdin.on('end', () => process.stdout.write(${JSON.stringify(answer)}));\n`;
}

test('a snapshot is an error until an answer is accepted, then holds the next answers to it', async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite);
  project.write('evals/answer.mjs', program('Hello Ada'));
  const first = await project.run(['run']);
  expect(first.code).toBe(3);
  expect(first.stdout).toContain('no accepted answer');
  expect((await project.run(['baseline', 'accept', '--force'])).code).toBe(0);
  expect((await project.run(['run', '--cache', 'refresh', '--no-baseline'])).code).toBe(3);
  expect((await project.run(['run', '--cache', 'refresh'])).code).toBe(0);
  project.write('evals/answer.mjs', program('Good day, Ada'));
  const changed = await project.run(['run', '--cache', 'refresh']);
  // Its fresh trials are held to the accepted answer too.
  expect(changed.code).toBe(1);
  expect(changed.stdout).toContain('Good day, Ada');
});

test('a resumed run judges a snapshot anew once another answer was accepted', async () => {
  const project = openTempProject();
  project.write('evals/greet.eval.yaml', suite);
  project.write('evals/answer.mjs', program('Hello Ada'));
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
