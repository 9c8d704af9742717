import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import { type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { type Case, isOwnCode, type Project, type ProviderConfig, type Suite } from '../../src/model/suite/suite.ts';
import { describeSent } from '../../src/plan/describe-suites.ts';
import { type PlannedRun, planRun } from '../../src/plan/plan-run.ts';
import { emptySelection, type Selection } from '../../src/plan/select-cases.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite, openGate } from '../support/build-case.ts';
import { settings as plainSettings } from '../support/build-summary.ts';

interface Planned {
  readonly suites?: readonly Suite[];
  readonly knownSuites?: readonly Suite[];
  readonly selection?: Partial<Selection>;
  readonly settings?: Partial<RunSettings>;
  readonly record?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly prices?: Project['prices'];
}

const mini = buildProvider({ id: 'mini' });
const unpriced = buildProvider({ id: 'own', model: 'own' });
const prompts = ['v1', 'v2'].map((id) => buildPrompt({ id }));

const suiteOf = (
  id: string,
  overrides: Parameters<typeof buildSuite>[1] = {},
  cases: readonly Case[] = [buildCase()],
) => buildSuite(cases, { id, path: `evals/${id}.eval.yaml`, providers: [mini], prompts, ...overrides });

function plan({
  suites = [suiteOf('one')],
  env = {},
  prices = {},
  selection,
  settings,
  record = false,
  knownSuites,
}: Planned = {}) {
  const sources = { files: [], missing: [], globs: [] };
  const project: Project = { root: '/project', sources, suites, prices, run: {}, cache: undefined };
  const chosen = { selection: { ...emptySelection, ...selection }, settings: { ...plainSettings, ...settings } };
  return planRun({ project, ...chosen, record, ...(knownSuites !== undefined && { knownSuites }) }, { env });
}

async function problemsOf(planned: Planned): Promise<readonly string[]> {
  try {
    await plan(planned);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ code, message, hint }) => `${code}: ${message}; ${hint}`);
  }
}

const two = [
  suiteOf('one'),
  suiteOf('two', { prompts: [buildPrompt({ id: 'other' })], providers: [buildProvider({ id: 'large' })] }),
];
const hint = 'add price: { input: …, output: … } (USD per million tokens) to the provider, or prices: to the config';
const noPrice = (why: string) => `missing-price: no price is known for openai:own, so ${why} can't be held; ${hint}`;
const gateOf = (cost: GatePolicy['cost']) => ({ gate: { ...openGate, cost } });

const attaching = buildPrompt({
  messages: [
    {
      role: 'user',
      template: { source: '', variables: [], render: () => '' },
      attach: [{ source: 'gone.png', variables: [], render: () => 'gone.png' }],
    },
  ],
});
const slowGlob = `${'*a'.repeat(40)}b`;
const longIds = suiteOf('one', {}, [buildCase({ id: 'a'.repeat(5000) })]);

describe('a run is not planned', () => {
  test.each<[string, Planned, readonly string[]]>([
    [
      'where no suite has a prompt or provider that is named',
      { suites: two, selection: { prompts: ['v1', 'v3', 'other'], providers: ['minni', 'large', 'x'] } },
      [
        'unknown-id: --prompt v3: no suite has it; did you mean "v1"?',
        'unknown-id: --provider minni: no suite has it; did you mean "mini"?',
        'unknown-id: --provider x: no suite has it; there are: mini, large',
      ],
    ],
    ['but where there is no suite at all', { suites: [], selection: { prompts: ['v3'] } }, []],
    [
      'where no known suite has it, whatever suites are left',
      { suites: two.slice(0, 1), knownSuites: two, selection: { prompts: ['other', 'zzz'] } },
      ['unknown-id: --prompt zzz: no suite has it; there are: v1, v2, other'],
    ],
    [
      'where versions are compared that no suite has',
      { settings: { compare: ['v1', 'zzzz'] } },
      ['unknown-id: --compare zzzz: no suite has it; there are: v1, v2'],
    ],
    [
      'where neither prompt nor provider is meant',
      { settings: { compare: ['yyyy', 'zzzz'] } },
      [
        'unknown-id: --compare yyyy: no suite has it; there are: v1, v2, mini',
        'unknown-id: --compare zzzz: no suite has it; there are: v1, v2, mini',
      ],
    ],
    [
      'where a provider is compared with a prompt',
      { suites: two, settings: { compare: ['large', 'v1', 'mini'] } },
      [
        'usage: --compare large: it is a provider, and v1 is a prompt; compare prompts with prompts, or providers with providers',
        'usage: --compare mini: it is a provider, and v1 is a prompt; compare prompts with prompts, or providers with providers',
      ],
    ],
    [
      'but where a prompt has the name of a provider',
      {
        suites: [suiteOf('one', { prompts: ['v1', 'mini'].map((id) => buildPrompt({ id })) })],
        settings: { compare: ['v1', 'mini'] },
      },
      [],
    ],
    ['but where versions of several suites are compared', { suites: two, settings: { compare: ['v1', 'other'] } }, []],
    [
      'but where only the compared prompts are looked for',
      { settings: { compare: ['v1', 'v2'] }, selection: { prompts: ['v1', 'zzz'] } },
      [],
    ],
    [
      'where recordings are wanted of suites that name none',
      { suites: [...two, suiteOf('three', { recordings: '/project/x.jsonl' })], record: true },
      [
        'recording: --record: suite one (evals/one.eval.yaml) names no recordings file; add recordings: fixtures/<name>.jsonl to the suite',
        'recording: --record: suite two (evals/two.eval.yaml) names no recordings file; add recordings: fixtures/<name>.jsonl to the suite',
      ],
    ],
    [
      'where a limit of cost can not be held',
      { suites: [suiteOf('one', { providers: [unpriced, mini] })], settings: { maxCostUsd: 1 } },
      [noPrice('--max-cost')],
    ],
    [
      'where it can not be held of a judge, in any of the suites',
      { suites: [suiteOf('one'), suiteOf('two', { askedModels: [unpriced] })], settings: { maxCostUsd: 1 } },
      [noPrice('--max-cost')],
    ],
    [
      'where a gate of cost can not be held',
      { suites: [suiteOf('one', { providers: [unpriced], ...gateOf({ max: 1 }) })] },
      [noPrice('the cost gate of suite one')],
    ],
    [
      'where a gate of its increase can not be held, which judges do not count for',
      {
        suites: [
          suiteOf('one', { providers: [unpriced], ...gateOf({ maxIncrease: 0.1 }) }),
          suiteOf('two', { askedModels: [unpriced], ...gateOf({ max: 1 }) }),
          suiteOf('three', { providers: [unpriced] }),
        ],
      },
      [noPrice('the cost gate of suite one')],
    ],
    [
      'where both can not be held, each said once',
      {
        suites: [
          suiteOf('one', { providers: [unpriced], askedModels: [unpriced], ...gateOf({ max: 1 }) }),
          suiteOf('two', { providers: [unpriced] }),
        ],
        settings: { maxCostUsd: 1 },
      },
      [noPrice('--max-cost'), noPrice('the cost gate of suite one')],
    ],
    [
      'where the config names the model otherwise',
      {
        suites: [suiteOf('one', { providers: [unpriced] })],
        settings: { maxCostUsd: 1 },
        prices: { other: { input: 1, output: 1 }, 'openai:onw': { input: 1, output: 1 } },
      },
      [
        noPrice('--max-cost').replace(
          hint,
          'prices of the config names "openai:onw": write "own" if it means this model',
        ),
      ],
    ],
    [
      'but where the config knows the price',
      {
        suites: [suiteOf('one', { providers: [unpriced] })],
        settings: { maxCostUsd: 1 },
        prices: { own: { input: 1, output: 1 } },
      },
      [],
    ],
    [
      'where the cost of a suite after one without a gate can not be held',
      {
        suites: [
          suiteOf('one', { providers: [unpriced] }),
          suiteOf('two', { providers: [unpriced], ...gateOf({ max: 1 }) }),
        ],
      },
      [noPrice('the cost gate of suite two')],
    ],
    [
      'where a file that a case attaches does not exist',
      { suites: [suiteOf('one', { prompts: [attaching] })] },
      ["file-unreadable: attach: gone.png does not exist; write the path from the suite file's folder"],
    ],
    [
      'where a filter would take too long',
      { selection: { filters: [slowGlob] }, suites: [longIds] },
      [expect.stringMatching(/^usage: --filter /)],
    ],
    ['but where nothing limits the cost', { suites: [suiteOf('one', { providers: [unpriced] })] }, []],
  ])('%s', async (_name, planned, problems) => {
    expect(await problemsOf(planned)).toEqual(problems);
  });
});

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('what is kept of a provider', () => {
  const describeOf = async (more: Partial<ProviderConfig>, env: Readonly<Record<string, string>> = {}) => {
    const provider = buildProvider(more);
    const {
      adapterVersion: _version,
      priceProvider: _price,
      ...kept
    } = (await plan({ env })).describeProvider(provider);
    return kept;
  };

  test.each<[string, Partial<ProviderConfig>, object]>([
    ['nothing but its address', {}, {}],
    ['its options', { options: { api: 'responses' } }, { options: { api: 'responses' } }],
    ['the variable of its key', { apiKeyEnv: 'MY_KEY' }, { options: { apiKeyEnv: 'MY_KEY' } }],
    ['the hash of a header', { headers: { Team: 'red' } }, { options: { headers: { team: hash('red') } } }],
    [
      'the hash of a variable, trimmed',
      { headers: { Team: { env: 'TEAM' } } },
      { options: { headers: { team: hash('blue') } } },
    ],
    [
      'the hash of nothing for one that is not set',
      { headers: { team: { env: 'NONE' } } },
      { options: { headers: { team: hash('') } } },
    ],
    [
      'the variable of a header that is a key by its name',
      { headers: { 'X-Api-Key': { env: 'TEAM' } } },
      { options: { headers: { 'x-api-key': 'env:TEAM' } } },
    ],
    [
      'the variable of a header that is a key by its variable',
      { headers: { team: { env: 'TEAM_TOKEN' } } },
      { options: { headers: { team: 'env:TEAM_TOKEN' } } },
    ],
    ['no limit and no other price', { limits: { concurrency: 2 } }, {}],
    ['its own price', { price: { input: 1, output: 2 } }, { price: { input: 1, output: 2 } }],
  ])('is %s', async (_name, more, expected) => {
    const env = { TEAM: ' blue\n', TEAM_TOKEN: 'secret' };
    expect(await describeOf(more, env)).toEqual({ baseUrl: 'https://api.openai.com/v1', ...expected });
  });

  test('is an address of its own', async () => {
    const baseUrl = 'https://proxy.example/v1';
    expect(await describeOf({ baseUrl })).toEqual({ baseUrl });
    const { priceProvider } = (await plan()).describeProvider(buildProvider({ adapter: 'groq', model: 'x' }));
    expect(priceProvider).toBe('groq');
  });
});

test('the first of the compared versions is asked first, where a check compares two', async () => {
  const criteria = [{ assertion: 'pairwise', judge: mini, criterionHash: 'h', at: buildCase().at }];
  const asked = async (compare: readonly string[]) => {
    const { plan: planned } = await plan({ suites: [suiteOf('one', { criteria })], settings: { compare } });
    return planned.providerKeys.flatMap((key) => [...planned.cells(key)].map(({ key: { prompt } }) => prompt));
  };
  expect([await asked(['v1', 'v2']), await asked(['v2', 'v1'])]).toEqual([
    ['v1', 'v2'],
    ['v2', 'v1'],
  ]);
});

test('a version is recorded with its own contract, and the suite’s where it has none', () => {
  const suite = suiteOf('one', { contract: { input: true, output: { type: 'object' } } });
  const contractOf = (contract: object) =>
    describeSent(suite, { prompt: buildPrompt({ contract }), provider: mini, params: {} }, () => ({})).contract;
  expect(contractOf({})).toMatchObject({ input: true, output: { type: 'object' } });
  expect(contractOf({ output: { type: 'string' } })).toMatchObject({ input: true, output: { type: 'string' } });
});

test('what an API refuses of schemas is known of suites that are asked', async () => {
  const open = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
  const json_schema = { name: 'a', schema: open, strict: true };
  const prompt = buildPrompt({ params: { response_format: { type: 'json_schema', json_schema } } });
  const warningsOf = async (recordings: object, record = false) => {
    const suites = [suiteOf('one', { prompts: [prompt], ...recordings })];
    return (await plan({ suites, record })).warnings.map(({ severity }) => severity);
  };
  const recordings = { recordings: '/project/x.jsonl' };
  expect([await warningsOf({}), await warningsOf(recordings), await warningsOf(recordings, true)]).toEqual([
    ['warning'],
    [],
    ['warning'],
  ]);
  const refused = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'], additionalProperties: false };
  const claude = buildProvider({ id: 'claude', adapter: 'anthropic', model: 'claude-sonnet-4-5' });
  const structured = buildPrompt({ contract: { output: refused }, structured: true });
  const suites = [suiteOf('one', { prompts: [structured], providers: [claude] })];
  expect(await problemsOf({ suites })).toEqual([expect.stringMatching(/^refused-schema: provider claude/)]);
});

test.each([
  [{ adapter: 'exec' }, true],
  [{ adapter: 'http' }, true],
  [{ adapter: 'module' }, true],
  [{ plugin: {} }, true],
  [{ adapter: 'openai' }, false],
  [{ adapter: 'replay' }, false],
])('a provider such as %j is the project’s own code: %s', (more, isOwn) => {
  expect(isOwnCode(buildProvider(more as Partial<ProviderConfig>))).toBe(isOwn);
});

describe('a shard', () => {
  const cases = Array.from({ length: 12 }, (_, index) => buildCase({ id: `c${index}`, caseHash: `h${index}` }));
  const suites = (change: Partial<Case> = {}, id = 'c3') => [
    suiteOf(
      'one',
      {},
      cases.map((one) => (one.id === id ? { ...one, ...change } : one)),
    ),
    suiteOf('two', {}, [buildCase({ id: 'x' })]),
  ];
  const shardOf = async (index: number, count: number, more: Planned = {}) => {
    const planned = await plan({
      suites: suites(),
      ...more,
      selection: { ...more.selection, shard: { index, count } },
    });
    return planned;
  };
  const sum = ({ plan: { suites: all } }: PlannedRun, id: string) =>
    all.find(({ suite }) => suite.id === id)?.selectedCases ?? 0;

  test('knows the whole that it is a part of', async () => {
    const parts = await Promise.all([1, 2, 3].map((index) => shardOf(index, 3)));
    const [first] = parts;
    expect(parts.map(({ shard }) => [shard?.index, shard?.count, shard?.filtered])).toEqual([
      [1, 3, false],
      [2, 3, false],
      [3, 3, false],
    ]);
    for (const part of parts) {
      expect([part.shard?.selection, part.shard?.plan]).toEqual([first?.shard?.selection, first?.shard?.plan]);
      expect((part.shard?.otherCases?.['one'] ?? 0) + sum(part, 'one')).toBe(12);
      expect((part.shard?.otherCases?.['two'] ?? 0) + sum(part, 'two')).toBe(1);
    }
    expect((await plan({ suites: suites() })).shard).toBeUndefined();
    expect((await shardOf(1, 3, { selection: { tags: ['x'] } })).shard?.filtered).toBe(true);
  });

  test('does not count what the other shards only observe or skip', async () => {
    const others = async (change: Partial<Case>) => {
      const parts = await Promise.all([1, 2].map((index) => shardOf(index, 2, { suites: suites(change) })));
      return parts.reduce((all, { shard }) => all + (shard?.otherCases?.['one'] ?? 0), 0);
    };
    expect([await others({}), await others({ observe: true }), await others({ skip: 'why' })]).toEqual([12, 11, 11]);
  });

  test.each<[string, Partial<Case>, boolean]>([
    ['the checks of a case', { caseHash: 'other' }, true],
    ['its trials', { trials: 2 }, false],
    ['that it must pass', { mustPass: true }, false],
    ['that it is observed', { observe: true }, false],
    ['that it is skipped', { skip: 'why' }, false],
    ['its threshold', { threshold: 0.5 }, false],
    ['its prompts', { prompts: ['v1', 'v2'] }, false],
    ['its providers', { providers: ['mini'] }, false],
    ['its group', { group: 'g' }, false],
    ['its class', { truth: 'spam' }, false],
  ])('has another state if %s differs', async (_name, change, isOfSelection) => {
    const [before, after] = [await shardOf(1, 2), await shardOf(1, 2, { suites: suites(change) })];
    expect(after.shard?.selection === before.shard?.selection).toBe(!isOfSelection);
    expect(after.shard?.plan === before.shard?.plan).toBe(isOfSelection);
  });

  test('without a case is empty only where the whole is not', async () => {
    const empty = async (more: Planned) => {
      const parts = await Promise.all(
        [1, 2, 3, 4].map((index) => shardOf(index, 4, { suites: suites().slice(1), ...more })),
      );
      return parts.map(({ isEmptyShard }) => isEmptyShard).filter(Boolean).length;
    };
    expect([await empty({}), await empty({ selection: { filters: ['none*'] } })]).toEqual([3, 0]);
    expect((await plan({ suites: [], selection: {} })).isEmptyShard).toBe(false);
    expect((await plan({ suites: suites(), selection: { filters: ['none*'] } })).isEmptyShard).toBe(false);
  });
});
