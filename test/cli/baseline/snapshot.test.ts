import { expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';

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
  expect(changed.code).toBe(1);
  expect(changed.stdout).toContain('Good day, Ada');
});
