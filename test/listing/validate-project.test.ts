import { describe, expect, test } from 'vitest';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

interface FakeSuite {
  readonly suite?: string;
  readonly providers?: string;
  readonly cases?: string;
  readonly more?: string;
}

function writeSuite(project: TempProject, { suite = 'one', providers, cases, more = '' }: FakeSuite = {}): void {
  project.write(
    `evals/${suite}.eval.yaml`,
    `suite: ${suite}
prompts: [{ id: v1, text: "Say {{ word }}" }]
providers: ${providers ?? '["openai:gpt-4.1-mini"]'}
cases:
${cases ?? '  - { id: a, vars: { word: x }, assert: [{ equals: x }] }'}
${more}`,
  );
}

const now = () => new Date('2026-03-01T00:00:00Z');
const withKey = { OPENAI_API_KEY: 'sk-x', ANTHROPIC_API_KEY: 'sk-y' };

async function validate(project: TempProject, env: Readonly<Record<string, string>>, ...argv: readonly string[]) {
  const { code, stdout, stderr } = await project.run(['validate', ...argv], { env, now });
  return [code, stdout, stderr];
}

test('a valid project is counted over all its suites', async () => {
  const project = openTempProject();
  writeSuite(project);
  const cases =
    '  - { id: a, vars: { word: x }, trials: 3, assert: [{ equals: x }] }\n  - { id: b, vars: { word: y }, assert: [{ equals: y }] }';
  writeSuite(project, { suite: 'two', cases });
  expect(await validate(project, withKey)).toEqual([0, '2 suites, 3 cases, 5 cells: valid\n', '']);
});

describe('a key that is not set', () => {
  test.each([[{}], [{ OPENAI_API_KEY: '' }]])('with %j is named once for each provider', async (env) => {
    const project = openTempProject();
    const providers = '["openai:gpt-4.1-mini", { id: other, use: "openai:gpt-4.1-nano" }]';
    writeSuite(project, { providers });
    writeSuite(project, { suite: 'two' });
    const [code, stdout, stderr] = await validate(project, env);
    expect([code, stdout]).toEqual([0, '2 suites, 2 cases, 3 cells: valid\n']);
    const lines = String(stderr)
      .split('\n')
      .filter((line) => line.includes('missing-key'));
    expect(lines.map((line) => /provider (\S+)/.exec(line)?.[1])).toEqual(['openai:gpt-4.1-mini', 'other']);
    expect(lines[0]).toMatch(/^evals\/\w+\.eval\.yaml:3:13 warning/);
    expect(lines[0]).toContain(
      'OPENAI_API_KEY is not set: provider openai:gpt-4.1-mini can answer from the cache only',
    );
  });

  test('is named for each variable where suites give one provider different ones, at the first place', async () => {
    const project = openTempProject();
    const withEnv = (name: string) => `[{ id: mini, use: "openai:gpt-4.1-mini", apiKeyEnv: ${name} }]`;
    writeSuite(project, { suite: 'a', providers: withEnv('KEY_ONE') });
    writeSuite(project, { suite: 'b', providers: withEnv('KEY_TWO') });
    writeSuite(project, { suite: 'c', providers: withEnv('KEY_ONE') });
    const lines = String((await validate(project, {}))[2])
      .split('\n')
      .filter((line) => line.includes('missing-key'));
    expect(lines.map((line) => /^(\S+?):.* (KEY_\w+) is not set/.exec(line)?.slice(1))).toEqual([
      ['evals/a.eval.yaml', 'KEY_ONE'],
      ['evals/b.eval.yaml', 'KEY_TWO'],
    ]);
  });

  test('is named where one suite of two is answered by recordings', async () => {
    const project = openTempProject();
    writeSuite(project);
    writeSuite(project, { suite: 'two', more: 'recordings: two.recordings.jsonl\n' });
    project.write('evals/two.recordings.jsonl', '');
    expect((await validate(project, {}))[2]).toContain('missing-key');
    writeSuite(project, { more: 'recordings: two.recordings.jsonl\n' });
    expect((await validate(project, {}))[2]).not.toContain('missing-key');
  });

  test('is not named for a provider that only a suite with recordings uses', async () => {
    const project = openTempProject();
    writeSuite(project);
    const recorded = { suite: 'two', providers: '["anthropic:claude-sonnet-4-5"]' };
    writeSuite(project, { ...recorded, more: 'recordings: two.recordings.jsonl\n' });
    project.write('evals/two.recordings.jsonl', '');
    expect((await validate(project, { OPENAI_API_KEY: 'sk-x' }))[2]).not.toContain('missing-key');
    // A chosen mode of the cache leaves the recordings unread.
    project.write('llmcheck.config.yaml', 'run: { cache: use }\n');
    expect((await validate(project, { OPENAI_API_KEY: 'sk-x' }))[2]).toContain('ANTHROPIC_API_KEY is not set');
  });

  test('of a judge is named too', async () => {
    const project = openTempProject();
    const cases = '  - { id: a, vars: { word: x }, assert: [{ rubric: "Is it kind?" }] }';
    writeSuite(project, { cases, more: 'judges: ["anthropic:claude-sonnet-4-5"]\n' });
    const [, , stderr] = await validate(project, { OPENAI_API_KEY: 'sk-x' });
    expect(stderr).toContain('ANTHROPIC_API_KEY is not set');
  });

  test('matters to no suite with recordings, whose mistakes are reported', async () => {
    const project = openTempProject();
    writeSuite(project, { more: 'recordings: answers.jsonl\n' });
    project.write('evals/answers.jsonl', '');
    const [code, , stderr] = await validate(project, {});
    expect([code, stderr]).toEqual([0, '']);
    project.write('evals/answers.jsonl', 'nonsense\n');
    const [failed, , why] = await validate(project, {});
    expect([failed, why]).toEqual([2, expect.stringContaining('answers.jsonl')]);
  });
});

test('mistakes in baselines and in the plan are reported together, the first ones first', async () => {
  const project = openTempProject();
  writeSuite(project, { providers: '["openai:own-model"]', more: 'gate: { cost: { max: 1 } }\n' });
  project.write('evals/one.baseline.jsonl', 'nonsense\n');
  const [, , both] = await validate(project, withKey);
  expect(both).toMatch(/one\.baseline\.jsonl[^]*no price is known for openai:own-model[^]*\n2 errors\n/);
  writeSuite(project);
  const [, , baseline] = await validate(project, withKey);
  expect(baseline).toMatch(/one\.baseline\.jsonl[^]*\n1 error\n/);
});

test('variables of providers and judges that are not set are named once, and checks of tools that no prompt declares are named', async () => {
  const project = openTempProject();
  const cases = `  - { id: a, vars: { word: x }, assert: [{ rubric: "Is it kind?" }, { toolCalls: [{ name: findOrder }] }] }`;
  const headers = '{ X-Team: { env: TEAM }, X-Own: { env: OPENAI_API_KEY }, X-Mode: fixed }';
  const providers = `[{ id: mini, use: "openai:gpt-4.1-mini", headers: ${headers}, params: { tools: [{ name: find_order }] } }]`;
  writeSuite(project, { providers, cases, more: 'judges: ["openai:gpt-4.1"]\n' });
  writeSuite(project, { suite: 'two', providers: '["openai:gpt-4.1"]' });
  const [code, , stderr] = await validate(project, {});
  const warnings = [...String(stderr).matchAll(/warning ([\w-]+): (.*)/g)].map(([, ...found]) => found.join(': '));
  expect([code, warnings]).toEqual([
    0,
    [
      'missing-key: OPENAI_API_KEY is not set: provider mini can answer from the cache only',
      'missing-key: TEAM is not set: provider mini can answer from the cache only',
      'missing-key: OPENAI_API_KEY is not set: provider openai:gpt-4.1 can answer from the cache only',
      'unknown-tool: case "a" checks calls of "findOrder", and no prompt or provider declares that tool',
    ],
  ]);
});

test('a provider without a key needs none', async () => {
  const project = openTempProject();
  writeSuite(project, { providers: '["openai:gpt-4.1-mini", "ollama:llama3.2"]' });
  const [code, , stderr] = await validate(project, withKey);
  expect([code, stderr]).toEqual([0, '']);
});

describe('what selects nothing', () => {
  const countOf = (text: unknown, part: string) => String(text).split(part).length - 1;

  test('is said once, whether a path, the config or a suite names it', async () => {
    const project = openTempProject();
    writeSuite(project);
    const path = await validate(project, withKey, 'evals/none*.eval.yaml');
    expect([path[0], countOf(path[2], 'selects-nothing')]).toEqual([4, 1]);
    // Loading has told of what the files name.
    project.write('llmcheck.config.yaml', 'suites: [evals/*.eval.yaml, more/*.eval.yaml]\n');
    const pattern = await validate(project, withKey);
    expect([pattern[0], countOf(pattern[2], 'selects-nothing')]).toEqual([0, 1]);
    writeSuite(project, { more: 'gate: { slices: { vip: { passRate: { min: 0.9 } } } }\n' });
    const slice = await validate(project, withKey);
    expect([slice[0], countOf(slice[2], 'selects-nothing')]).toEqual([4, 2]);
    project.write('llmcheck.config.yaml', 'suites: [evals/*.eval.yaml]\nrun: { tag: [gone] }\n');
    writeSuite(project);
    const tag = await validate(project, withKey);
    expect([tag[0], countOf(tag[2], 'selects-nothing'), countOf(tag[2], '--tag gone')]).toEqual([0, 1, 1]);
  });
});
