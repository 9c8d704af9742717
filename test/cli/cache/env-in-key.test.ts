import { expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const adapters = [
  ['exec', 'exec:node answer.mjs', 'process.stdout.write(process.env.MODE ?? "none");'],
  ['module', 'module:answer.mjs', 'export default () => process.env.MODE ?? "none";'],
] as const;

test.each(adapters)(
  'a variable that %s hands on is part of the key by its value',
  { tags: 'slow' },
  async (_, use, source) => {
    const project = openTempProject();
    project.write('evals/answer.mjs', source);
    project.write(
      'evals/mode.eval.yaml',
      `prompts: [{ id: v1, text: Which? }]
providers: [{ id: app, use: "${use}", env: [MODE, APP_TOKEN] }]
cases: [{ id: a, assert: [{ equals: good }] }]
`,
    );
    const run = async (env: Readonly<Record<string, string>>) => {
      const { code, report } = await project.report(['run'], { env: { APP_TOKEN: 'token-0123456789', ...env } });
      const [trial] = report.suites[0]?.cases[0]?.trials ?? [];
      return [code, trial?.output, trial?.cached];
    };
    expect(await run({ MODE: 'good' })).toEqual([0, 'good', false]);
    expect(await run({ MODE: 'bad' })).toEqual([1, 'bad', false]);
    expect(await run({ MODE: 'good' })).toEqual([0, 'good', true]);
    // A credential says who asks, and a variable that is not handed on says nothing.
    expect(await run({ MODE: 'bad', APP_TOKEN: 'token-9876543210', OTHER: 'x' })).toEqual([1, 'bad', true]);
    // Neither value is in any file.
    for (const file of project.files('.llmcheck/answers')) expect(project.read(file)).not.toMatch(/token-\d/);
  },
);

test.each(adapters)(
  'a recorded answer of %s is stale once the variables or the program have changed',
  { tags: ['slow'] },
  async (_, use, source) => {
    const project = openTempProject();
    project.write('evals/answer.mjs', source);
    project.write(
      'evals/mode.eval.yaml',
      `prompts: [{ id: v1, text: Which? }]
providers: [{ id: app, use: "${use}", env: [MODE] }]
cases: [{ id: a, assert: [{ equals: good }] }]
recordings: answers.jsonl
`,
    );
    const run = async (mode: string, ...argv: readonly string[]) => {
      const { code, stdout } = await project.run(['run', ...argv], { env: { MODE: mode } });
      return [code, stdout.includes('stale')];
    };
    expect(await run('good', '--record')).toEqual([0, false]);
    expect(await run('good')).toEqual([0, false]);
    expect(await run('bad')).toEqual([3, true]);
    project.write('evals/answer.mjs', `${source}\n// edited`);
    expect(await run('good')).toEqual([3, true]);
  },
);

test('a recorded answer of http is stale once its body template has changed', async () => {
  const project = openTempProject();
  const server = await startServer({ body: { text: 'good' } });
  onTestFinished(() => server.close());
  const write = (body: string) =>
    project.write(
      'evals/mode.eval.yaml',
      `prompts: [{ id: v1, text: Which? }]
providers: [{ id: app, use: "http:app", baseURL: "${server.url}", request: ${body}, response: { text: $.text } }]
cases: [{ id: a, assert: [{ equals: good }] }]
recordings: answers.jsonl
`,
    );
  write('{ ask: "{{ prompt }}" }');
  expect((await project.run(['run', '--record'])).code).toBe(0);
  expect((await project.run(['run'])).code).toBe(0);
  write('{ ask: "{{ prompt }}", tone: short }');
  const { code, stdout } = await project.run(['run']);
  expect([code, stdout.includes('stale'), server.requests.length]).toEqual([3, true, 1]);
});
