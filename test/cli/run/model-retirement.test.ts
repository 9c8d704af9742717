import { expect, test } from 'vitest';
import { findRetirement, retirementTable } from '../../../src/providers/retirements.ts';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suite = (model: string) => `suite: old
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:${model}", price: { input: 1, output: 1 } }]
cases: [{ id: one, vars: { word: one }, assert: [{ equals: one }] }]
`;

async function runOn(day: string, model = 'gpt-5-mini') {
  const server = await startEchoServer();
  const project = openTempProject();
  project.write('evals/old.eval.yaml', suite(model));
  const now = () => new Date(`${day}T12:00:00Z`);
  const run = await project.report(['run'], { env: server.env, now });
  const report = await project.run(['report']);
  const validated = await project.run(['validate'], { env: server.env, now });
  return { ...run, shown: report.stdout.replaceAll(/\s+/g, ' '), validated };
}

test.each([
  ['2026-10-12', 'is shut down by its vendor on 2026-12-11, in 60 days'],
  ['2026-12-10', 'is shut down by its vendor on 2026-12-11, in 1 day'],
  ['2026-12-11', 'was to be shut down by its vendor on 2026-12-11: if that happened, calls to it fail'],
  ['2027-05-01', 'was to be shut down by its vendor on 2026-12-11: if that happened, calls to it fail'],
])('on %s a run on gpt-5-mini and validate say: %s', async (day, said) => {
  const { code, stderr, shown, validated } = await runOn(day);
  // A word of warning changes no verdict: a gateway may still answer.
  expect([code, validated.code]).toEqual([0, 0]);
  for (const text of [stderr, shown, validated.stderr]) {
    expect(text).toContain(`provider mini: the model gpt-5-mini ${said}`);
  }
  expect(stderr).toMatch(
    /; choose another model: https:\S+ \(as known on \d{4}-\d\d-\d\d\); `llmcheck swap mini=openai:MODEL` compares candidates/,
  );
  expect(validated.stderr).toContain('warning retired-model');
});

test('a candidate for a swap is warned of without a command that finds another candidate', async () => {
  const server = await startEchoServer();
  const project = openTempProject();
  project.write('evals/old.eval.yaml', suite('our-own-model'));
  const now = () => new Date('2026-12-01T12:00:00Z');
  const { stderr } = await project.run(['run', '--swap', 'mini=openai:gpt-5-mini'], { env: server.env, now });
  expect(stderr).toMatch(/the model gpt-5-mini is shut down by its vendor .*; choose another model: https:.*\)\n/);
  expect(stderr).not.toContain('compares candidates');
});

test('an end that is more than 60 days away is no news yet', async () => {
  const { stderr, shown, validated } = await runOn('2026-10-11');
  for (const text of [stderr, shown, validated.stderr]) expect(text).not.toContain('shut down');
});

test('a model without a known end is no news', async () => {
  expect((await runOn('2027-05-01', 'our-own-model')).stderr).not.toContain('shut down');
});

test('answers from recordings do not need the model any more', async () => {
  const project = openTempProject();
  project.write('evals/old.eval.yaml', `${suite('gpt-4-0314')}recordings: answers.jsonl\n`);
  project.write('evals/answers.jsonl', '');
  const { stderr } = await project.run(['run'], { now: () => new Date('2027-01-01') });
  expect(stderr).not.toContain('shut down');
});

test('each platform has its own schedule', () => {
  const find = (adapter: string, model: string, priceProvider?: string) =>
    findRetirement({ adapter, model, ...(priceProvider === undefined ? {} : { priceProvider }) });
  expect(find('bedrock', 'us.anthropic.claude-3-7-sonnet-20250219-v1:0', 'aws')).toMatchObject({ date: '2026-04-28' });
  expect(find('anthropic', 'claude-3-7-sonnet-20250219', 'anthropic')).toMatchObject({ date: '2026-02-19' });
  expect(find('gemini', 'models/gemini-2.5-pro', 'google')).toMatchObject({ date: '2026-10-16', isEarliest: true });
  expect(find('vertex', 'gemini-2.5-pro', 'google')).toMatchObject({ date: '2026-10-20', isEarliest: false });
  // A deployment may be called after any model.
  expect(find('azure', 'gpt-4-0314', 'azure')).toBeUndefined();
  expect(find('ollama', 'gpt-4-0314', 'ollama')).toBeUndefined();
  expect(find('openai', 'constructor', 'openai')).toBeUndefined();
});

test('the table holds days, sources and every model once', () => {
  for (const { shutdowns, earliest = {}, source, asOf } of Object.values(retirementTable)) {
    const days = [...Object.keys(shutdowns), ...Object.keys(earliest), asOf];
    for (const day of days) expect(new Date(day).toISOString()).toContain(day);
    expect(new URL(source).protocol).toBe('https:');
    const ids = [...Object.values(shutdowns), ...Object.values(earliest)].flatMap((text) => text.split(' '));
    expect(ids.filter((id, index) => ids.indexOf(id) !== index || id === '')).toEqual([]);
  }
});
