import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';

const suite = `suite: echo
prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: program, use: "exec:node -e console.log(1)" }]
cases: [{ id: one, vars: { word: one }, assert: [{ contains: "1" }] }, { id: two, vars: { word: two }, assert: [{ contains: "1" }] }]
`;

test('the folder of --merge is read without following a link', async () => {
  const project = openTempProject();
  project.write('evals/echo.eval.yaml', suite);
  const elsewhere = openTempProject();
  elsewhere.write('other.jsonl', 'no record');
  for (const index of [1, 2]) {
    expect((await project.run(['run', '--no-baseline', '--shard', `${index}/2`])).code).toBe(0);
  }
  mkdirSync(project.path('shards'));
  for (const [index, record] of project.files('.llmcheck/runs').entries()) {
    project.write(`shards/${index}/run.jsonl`, project.read(record));
  }
  symlinkSync('..', project.path('shards/0/circle'));
  symlinkSync(project.root, project.path('shards/0/project'));
  symlinkSync(elsewhere.root, project.path('shards/1/elsewhere'));
  symlinkSync('run.jsonl', project.path('shards/0/again.jsonl'));
  const { code, stderr } = await project.run(['ci', 'github', '--merge', 'shards', '--no-summary', '--no-annotations']);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('there twice')]);
});

test('a file in the place of the folder of --merge holds no record', async () => {
  const project = openTempProject();
  project.write('evals/echo.eval.yaml', suite);
  project.write('shards.jsonl', '');
  const { code, stderr } = await project.run(['ci', 'github', '--merge', 'shards.jsonl', '--no-summary']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('no record of a shard is there')]);
});
