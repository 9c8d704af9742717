import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import type { Project, ProviderConfig, Suite } from '../../src/model/suite/suite.ts';
import { fitParams } from '../../src/plan/swap-gaps.ts';
import { swapProviders } from '../../src/plan/swap-providers.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';

interface Swap {
  readonly suites?: readonly Suite[];
  /** Candidates by provider. */
  readonly swap?: Readonly<Record<string, readonly string[]>>;
  readonly prompts?: readonly string[];
}

const at = { file: 'evals/triage.eval.yaml', line: 3, column: 5 };
const mini = buildProvider({ id: 'mini', at });
const large = buildProvider({ id: 'large', model: 'gpt-4o', at: { ...at, line: 4 } });
const suiteOf = (overrides: Parameters<typeof buildSuite>[1] = {}) =>
  buildSuite([buildCase()], { providers: [mini, large], ...overrides });
const haiku = 'anthropic:claude-haiku-4-5';

function swapAll({ suites = [suiteOf()], swap = { mini: ['large'] }, prompts = [] }: Swap) {
  const project = { root: '/project', suites } as Partial<Project> as Project;
  const all = Object.entries(swap).map(([provider, candidates]) => ({ provider, candidates }));
  return swapProviders(project, all, { plugins: [], env: {}, flag: '--swap', prompts });
}

function problemsOf(swap: Swap): readonly string[] {
  try {
    swapAll(swap);
  } catch (error) {
    if (error instanceof UserError) return error.problems.map(({ message, hint }) => `${message}; ${hint}`);
    throw error;
  }
  return [];
}

const judge = buildProvider({ id: 'strict', adapter: 'anthropic', model: 'claude-haiku-4-5' });

describe('a swap is refused', () => {
  test.each<[string, Swap, readonly string[]]>([
    [
      'of a provider that no suite has',
      { swap: { mnii: ['large'] } },
      ['--swap mnii: no suite has a provider of that id; did you mean "mini"?'],
    ],
    [
      'of one that is nothing like another',
      { swap: { other: ['large'] } },
      ['--swap other: no suite has a provider of that id; there are: mini, large'],
    ],
    [
      'of a judge',
      { suites: [suiteOf(), suiteOf({ id: 'two', judges: [judge] })], swap: { strict: ['large'] } },
      [
        '--swap strict: it is a judge, and only models under test are compared; write another model under judges, and measure it: llmcheck judge check',
      ],
    ],
    [
      'of a model that is asked by a check',
      { suites: [suiteOf({ askedModels: [judge] })], swap: { strict: ['large'] } },
      [
        '--swap strict: it is a judge, and only models under test are compared; write another model under judges, and measure it: llmcheck judge check',
      ],
    ],
    [
      'for the provider itself',
      { swap: { mini: ['mini'] } },
      ['mini is what mini asks already, in suite triage; name another model'],
    ],
    [
      'for its own model by another name',
      { swap: { mini: ['openai:gpt-4o-mini'] } },
      ['openai:gpt-4o-mini is what mini asks already, in suite triage; name another model'],
    ],
    [
      'for a model that would judge itself',
      { suites: [suiteOf({ askedModels: [judge] })], swap: { mini: [haiku] } },
      [
        `${haiku} would judge itself: judge strict of suite triage is ${haiku}; use another judge, or write sameModel: true in its map under judges`,
      ],
    ],
    [
      'for a candidate with the id of a judge',
      {
        suites: [suiteOf({ judges: [{ ...judge, id: 'openai:gpt-4.1' }] })],
        swap: { mini: ['openai:gpt-4.1'] },
      },
      ['openai:gpt-4.1 is the id of a judge of suite triage; give the judge an id of its own'],
    ],
    [
      'in each suite that is at fault',
      {
        suites: [suiteOf(), suiteOf({ id: 'two', providers: [large] }), suiteOf({ id: 'three' })],
        swap: { mini: ['mini', 'large'] },
      },
      [
        'mini is what mini asks already, in suite triage; name another model',
        'mini is what mini asks already, in suite three; name another model',
      ],
    ],
  ])('%s', (_name, swap, problems) => {
    expect(problemsOf(swap)).toEqual(problems);
  });

  test('where a check compares two versions, in any suite that asks the provider', () => {
    const criteria = ['rubric', 'pairwise'].map((assertion) => ({ assertion })) as unknown as Suite['criteria'];
    const suites = [
      suiteOf(),
      suiteOf({ id: 'two', criteria }),
      suiteOf({ id: 'three', criteria, providers: [large] }),
    ];
    expect(problemsOf({ suites, swap: { mini: ['openai:gpt-4.1'] } })).toEqual([
      '--swap: suite two has a pairwise check, which compares two prompt versions on one provider; leave the suite out: name the paths of the others',
    ]);
    expect(problemsOf({ suites: suites.slice(2), swap: { large: ['mini:x'] } })).toHaveLength(1);
  });

  test('for texts that name no model, each with what is wrong', () => {
    const problems = problemsOf({ swap: { mini: ['nothing', 'large', 'opnai:gpt-4o'] } });
    expect(problems).toHaveLength(2);
    expect(problems.every((problem) => problem.startsWith('--swap: '))).toBe(true);
  });

  test('never where a judge may be a model under test, or another model is judged', () => {
    const allowed = { ...judge, judging: { sameModel: true } as const };
    expect(problemsOf({ suites: [suiteOf({ askedModels: [allowed] })], swap: { mini: [haiku] } })).toEqual([]);
    const elsewhere = { ...judge, baseUrl: 'https://proxy.example' };
    expect(problemsOf({ suites: [suiteOf({ askedModels: [elsewhere] })], swap: { mini: [haiku] } })).toEqual([]);
    const sonnet = { ...judge, model: 'claude-sonnet-4-5' };
    expect(problemsOf({ suites: [suiteOf({ askedModels: [sonnet] })], swap: { mini: [haiku] } })).toEqual([]);
  });
});

describe('a swapped project', () => {
  const idsOf = ({ providers }: Suite) => providers.map(({ id }) => id);

  test('asks the providers and their candidates in each suite that has them, and warns of the others', () => {
    const suites = [
      suiteOf(),
      suiteOf({ id: 'two', providers: [buildProvider({ id: 'other' })] }),
      suiteOf({ id: 'three', providers: [large] }),
    ];
    const { project, warnings } = swapAll({ suites, swap: { mini: ['openai:gpt-4.1', 'large'], large: [haiku] } });
    expect(project.suites.map((suite) => [suite.id, idsOf(suite)])).toEqual([
      ['triage', ['mini', 'openai:gpt-4.1', 'large', haiku]],
      ['three', ['large', haiku]],
    ]);
    expect(warnings.map(({ code, message }) => [code, message])).toEqual([
      ['selects-nothing', 'suite two does not ask mini or large: nothing is compared there'],
    ]);
  });

  test('asks a provider of another suite under its own settings', () => {
    const other = buildProvider({ id: 'far', model: 'far-model', baseUrl: 'https://far.example', params: { seed: 1 } });
    const suites = [suiteOf({ providers: [mini] }), suiteOf({ id: 'two', providers: [other] })];
    const [suite] = swapAll({ suites, swap: { mini: ['far'] } }).project.suites;
    expect(suite?.providers).toEqual([mini, other]);
  });

  test('runs the prompts that no other replaces, or those that the user named', () => {
    const prompts = ['v1', 'v2', 'v3'].map((id) => buildPrompt({ id, ...(id === 'v2' && { replaces: 'v1' }) }));
    const of = (wanted: readonly string[]) =>
      swapAll({ suites: [suiteOf({ prompts })], prompts: wanted }).project.suites[0]?.prompts.map(({ id }) => id);
    expect([of([]), of(['v1']), of(['v1', 'v2'])]).toEqual([['v2', 'v3'], ['v1'], ['v1', 'v2']]);
  });

  test('runs a candidate where its provider would run', () => {
    const cases = [
      buildCase({ id: 'all' }),
      buildCase({ id: 'mini', providers: ['mini'] }),
      buildCase({ id: 'large', providers: ['large'] }),
    ];
    const prompts = [buildPrompt({ id: 'v1' }), buildPrompt({ id: 'v2', providers: ['mini', 'large'] })];
    const suite = buildSuite(cases, { providers: [mini, large], prompts });
    const [swapped] = swapAll({ suites: [suite], swap: { mini: ['large', haiku] } }).project.suites;
    expect([...(swapped?.cases() ?? [])].map(({ id, providers }) => [id, providers])).toEqual([
      ['all', undefined],
      ['mini', ['mini', 'large', haiku]],
      ['large', ['large']],
    ]);
    expect(swapped?.prompts.map(({ providers }) => providers)).toEqual([undefined, ['mini', 'large', haiku]]);
  });

  const whole: ProviderConfig = {
    ...mini,
    baseUrl: 'https://proxy.example',
    apiKeyEnv: 'KEY',
    headers: { team: 'x' },
    options: { api: 'responses' },
    params: { max_tokens: 5 },
    limits: { concurrency: 2 },
    price: { input: 1, output: 2 },
    replaces: 'old',
    structured: true,
    stream: true,
  };
  const candidateOf = (text: string, provider = whole) => {
    const { project, warnings } = swapAll({ suites: [suiteOf({ providers: [provider] })], swap: { mini: [text] } });
    return { candidate: project.suites[0]?.providers[1], warnings: warnings.map(({ message }) => message) };
  };

  test('gives another model of the same API all settings but the price', () => {
    const { price: _price, replaces: _replaces, ...rest } = whole;
    expect(candidateOf('openai:gpt-4.1')).toEqual({
      candidate: { ...rest, id: 'openai:gpt-4.1', model: 'gpt-4.1' },
      warnings: [],
    });
    expect(candidateOf('openai:gpt-5-mini').candidate).toMatchObject({
      paramNames: { max_tokens: 'max_completion_tokens' },
    });
  });

  test('gives another API parameters and limits, and says what does not carry over', () => {
    expect(candidateOf(haiku)).toEqual({
      candidate: {
        id: haiku,
        adapter: 'anthropic',
        model: 'claude-haiku-4-5',
        headers: {},
        options: {},
        params: { max_tokens: 5 },
        limits: { concurrency: 2 },
        folder: '/project',
        structured: true,
        stream: true,
        at,
      },
      warnings: [`baseURL, apiKeyEnv, headers, api of mini do not carry over to ${haiku}, which has another API`],
    });
    const { baseUrl: _baseUrl, ...atHome } = whole;
    expect(candidateOf(haiku, { ...atHome, headers: {} }).warnings).toEqual([
      `apiKeyEnv, api of mini do not carry over to ${haiku}, which has another API`,
    ]);
    expect(candidateOf(haiku, mini).warnings).toEqual([]);
    expect(candidateOf('echo:x', { ...mini, stream: true }).candidate?.stream).toBeUndefined();
  });

  test.each<[string, ProviderConfig['params'], string, readonly string[]]>([
    [
      'parameters that its API lacks',
      { seed: 1, n: 2, top_p: 1 },
      haiku,
      [`${haiku} is asked without seed, n, which its API lacks`],
    ],
    [
      'a JSON mode',
      { response_format: { type: 'json_object' } },
      haiku,
      [`${haiku} lacks what suite triage asks for: a JSON mode (response_format json_object)`],
    ],
    ['a JSON mode that it has', { response_format: { type: 'json_object' } }, 'mistral:m', []],
    [
      'tools',
      { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] },
      'perplexity:sonar',
      ['perplexity:sonar lacks what suite triage asks for: tools'],
    ],
    [
      'tools that it has',
      { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] },
      haiku,
      [],
    ],
    [
      'tools of an adapter that only repeats',
      { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] },
      'echo:x',
      ['echo:x lacks what suite triage asks for: tools'],
    ],
    [
      'tools in a form of their own',
      { tools: [{ type: 'web_search' }] },
      haiku,
      [`${haiku} lacks what suite triage asks for: tools in the form of openai`],
    ],
  ])('says that a candidate lacks %s', (_name, params, text, warnings) => {
    expect(candidateOf(text, { ...mini, params }).warnings).toEqual(warnings);
    const prompts = [buildPrompt(), buildPrompt({ id: 'v2', params })];
    const ofPrompt = swapAll({ suites: [suiteOf({ prompts })], swap: { mini: [text] } }).warnings;
    expect(ofPrompt.map(({ message }) => message)).toEqual(warnings);
  });

  test('says which judges are of the family of a candidate, in any of several suites', () => {
    const asked = [
      { ...judge, model: 'claude-sonnet-4-5' },
      buildProvider({ id: 'local', adapter: 'ollama', model: 'unknown' }),
    ];
    const suites = [suiteOf(), suiteOf({ id: 'two', askedModels: asked })];
    const of = (text: string) => swapAll({ suites, swap: { mini: [text] } }).warnings.map(({ message }) => message);
    expect(of(haiku)).toEqual([`judge strict of suite two is of the family of ${haiku} (Claude), and may favour it`]);
    expect([of('openai:gpt-4.1'), of('ollama:strange')]).toEqual([[], []]);
  });

  test('says everything once, though several suites have it', () => {
    const provider = { ...mini, params: { seed: 1 } };
    const suites = ['one', 'two'].map((id) => suiteOf({ id, providers: [provider] }));
    expect(swapAll({ suites, swap: { mini: [haiku] } }).warnings.map(({ message }) => message)).toEqual([
      `${haiku} is asked without seed, which its API lacks`,
    ]);
  });
});

test.each<[string, string, readonly ProviderConfig['params'][], object]>([
  ['openai', 'gpt-4o', [{ max_tokens: 1, top_p: 1 }], {}],
  ['openai', 'gpt-4o', [{ maxOutputTokens: 1 }, { top_k: 1 }], { maxOutputTokens: 'max_tokens', top_k: null }],
  [
    'openai',
    'gpt-5-mini',
    [{ max_tokens: 1, temperature: 0 }],
    { max_tokens: 'max_completion_tokens', temperature: null },
  ],
  ['azure', 'o3', [{ max_output_tokens: 1 }], { max_output_tokens: 'max_completion_tokens' }],
  ['openai', 'gpt-5-chat-latest', [{ max_tokens: 1, temperature: 0 }], {}],
  ['mistral', 'gpt-5', [{ max_tokens: 1, temperature: 0 }], {}],
  ['gemini', 'gemini-3', [{ topK: 1, seed: 1, user: 'x' }], { topK: 'top_k', user: null }],
  ['exec', 'gpt-5', [{ max_tokens: 1, maxTokens: 1 }], {}],
])('parameters of %s:%s of %j are called %j', (adapter, model, params, names) => {
  expect(fitParams({ adapter, model }, params)).toEqual(names);
});
