import { describe, expect, test } from 'vitest';
import type { Project, ProviderConfig, Suite } from '../../src/model/suite/suite.ts';
import { findMisdirectedKeys, findMissingKeys, findRetirements } from '../../src/plan/check-providers.ts';
import { findUnknownTools } from '../../src/plan/check-tools.ts';
import { parseSwaps } from '../../src/plan/swap-providers.ts';
import { buildCase, buildCheck, buildProvider } from '../support/build-case.ts';

interface FakeSuite {
  readonly providers?: readonly ProviderConfig[];
  readonly judges?: readonly ProviderConfig[];
  readonly askedModels?: readonly ProviderConfig[];
}

function projectOf(...suites: readonly FakeSuite[]): Project {
  const whole = suites.map((suite) => ({ providers: [], judges: [], askedModels: [], ...suite }));
  return { root: '/project', suites: whole } as unknown as Project;
}

const mini = buildProvider({ id: 'mini' });
const claude = buildProvider({ id: 'claude', adapter: 'anthropic', model: 'claude-sonnet-4-5' });

describe('the keys that a project would send', () => {
  test('are missing where they are not set or empty, each named once', () => {
    const project = projectOf({ providers: [mini, mini], judges: [claude] }, { askedModels: [mini] });
    expect(findMissingKeys(project, {})).toEqual(['OPENAI_API_KEY', 'ANTHROPIC_API_KEY']);
    expect(findMissingKeys(project, { OPENAI_API_KEY: 'sk-x', ANTHROPIC_API_KEY: '' })).toEqual(['ANTHROPIC_API_KEY']);
    expect(findMissingKeys(project, { OPENAI_API_KEY: 'sk-x', ANTHROPIC_API_KEY: 'y' })).toEqual([]);
    const own = buildProvider({ id: 'own', adapter: 'replay', model: 'answer' });
    expect(findMissingKeys(projectOf({ providers: [own] }), {})).toEqual([]);
  });

  test('are those of providers, judges and models that checks ask', () => {
    const gemini = buildProvider({ id: 'gemini', adapter: 'gemini', model: 'gemini-2.5-flash' });
    const all = projectOf({ providers: [mini], judges: [claude], askedModels: [gemini] });
    expect(findMissingKeys(all, {})).toEqual(['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY']);
  });

  const hint = 'give that address a key of its own, in a variable of another name';
  const find = (
    provider: ProviderConfig,
    env: Readonly<Record<string, string>> = {},
    fileVariables: readonly string[] = [],
  ) =>
    findMisdirectedKeys(projectOf({ providers: [provider] }), { env, fileVariables: new Set(fileVariables) }).map(
      (problem) => [problem.code, problem.message, problem.hint],
    );
  const elsewhere = 'https://proxy.example/v1';
  const sent = (variable: string, owner: string, more = '') => [
    'foreign-key',
    `provider mini sends ${variable}, a key of ${owner}, to proxy.example${more}`,
    hint,
  ];

  test.each<[string, ProviderConfig, Readonly<Record<string, string>>, readonly string[], readonly unknown[]]>([
    ['its own service', mini, {}, [], []],
    ['an address without a key', buildProvider({ id: 'mini', baseUrl: elsewhere }), {}, [], []],
    [
      'an address with the key of a service',
      buildProvider({ id: 'mini', baseUrl: elsewhere, apiKeyEnv: 'OPENAI_API_KEY' }),
      {},
      [],
      [sent('OPENAI_API_KEY', 'openai.com')],
    ],
    [
      'an address of the suite with a key of a file',
      buildProvider({ id: 'mini', baseUrl: elsewhere, apiKeyEnv: 'OPENAI_API_KEY' }),
      {},
      ['OPENAI_API_KEY'],
      [sent('OPENAI_API_KEY', 'openai.com')],
    ],
    [
      'the very domain of the service',
      buildProvider({ id: 'mini', baseUrl: 'https://openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY' }),
      {},
      [],
      [],
    ],
    [
      'an address with a key of its own',
      buildProvider({ id: 'mini', baseUrl: elsewhere, apiKeyEnv: 'PROXY_KEY' }),
      {},
      [],
      [],
    ],
    [
      'an address with a header from the environment',
      buildProvider({ id: 'mini', baseUrl: elsewhere, headers: { a: 'x', b: { env: 'GITHUB_TOKEN' } } }),
      {},
      [],
      [sent('GITHUB_TOKEN', 'github.com')],
    ],
    [
      'a subdomain of the service',
      buildProvider({ id: 'mini', baseUrl: 'https://eu.api.openai.com/v1', apiKeyEnv: 'OPENAI_API_KEY' }),
      {},
      [],
      [],
    ],
    [
      'a domain that only ends like the service',
      buildProvider({ id: 'mini', baseUrl: 'https://notopenai.com/v1', apiKeyEnv: 'OPENAI_API_KEY' }),
      {},
      [],
      [['foreign-key', 'provider mini sends OPENAI_API_KEY, a key of openai.com, to notopenai.com', hint]],
    ],
    ['an address that the environment names', mini, { OPENAI_BASE_URL: elsewhere }, [], []],
    [
      'an address that a file names',
      mini,
      { OPENAI_BASE_URL: elsewhere },
      ['OPENAI_BASE_URL'],
      [sent('OPENAI_API_KEY', 'openai.com', ', where OPENAI_BASE_URL of the env file leads')],
    ],
    [
      'an address and a key of the same file',
      mini,
      { OPENAI_BASE_URL: elsewhere },
      ['OPENAI_BASE_URL', 'OPENAI_API_KEY'],
      [],
    ],
    [
      'its own service by address, without a key',
      buildProvider({ id: 'mini', baseUrl: 'https://api.openai.com/v1' }),
      { OPENAI_API_KEY: 'sk-x' },
      [],
      [
        [
          'missing-key',
          'provider mini sends no key to api.openai.com: it has baseURL and no apiKeyEnv',
          'add apiKeyEnv: OPENAI_API_KEY, or leave baseURL out',
        ],
      ],
    ],
    [
      'its own service by address, where no key is set',
      buildProvider({ id: 'mini', baseUrl: 'https://api.openai.com/v1' }),
      { OPENAI_API_KEY: '' },
      [],
      [],
    ],
    [
      'another address, where the key is set',
      buildProvider({ id: 'mini', baseUrl: elsewhere }),
      { OPENAI_API_KEY: 'sk-x' },
      [],
      [],
    ],
  ])('to %s', (_, provider, env, fileVariables, problems) => {
    expect(find(provider, env, fileVariables)).toEqual(problems);
  });

  const bedrock = (more: Partial<ProviderConfig>) =>
    buildProvider({ id: 'mini', adapter: 'bedrock', model: 'amazon.nova-lite-v1:0', ...more });
  const aws = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' };
  test.each<[string, ProviderConfig, Readonly<Record<string, string>>, readonly string[], readonly string[]]>([
    ['Bedrock itself', bedrock({}), aws, [], []],
    ['Bedrock at an address of the suite', bedrock({ baseUrl: elsewhere }), aws, [], []],
  ])('that sign requests may go to %s', (_, provider, env, fileVariables, messages) => {
    expect(find(provider, env, fileVariables).map(([, message]) => message)).toEqual(messages);
  });

  test('are not the password of a cache, and a problem of two suites is named once', () => {
    const context = { env: {}, fileVariables: new Set<string>() };
    const provider = buildProvider({ id: 'mini', baseUrl: elsewhere, apiKeyEnv: 'OPENAI_API_KEY' });
    const twice = projectOf({ providers: [provider] }, { judges: [provider] });
    const withCache = (passwordEnv: string) => ({ ...twice, cache: { passwordEnv } }) as Project;
    expect(findMisdirectedKeys(withCache('CACHE_PASSWORD'), context)).toHaveLength(1);
    expect(findMisdirectedKeys(withCache('HF_TOKEN'), context).map(({ message }) => message)).toEqual([
      'provider mini sends OPENAI_API_KEY, a key of openai.com, to proxy.example',
      'the shared cache is sent HF_TOKEN as its password, which is the key of another service',
    ]);
    expect(findMisdirectedKeys(withCache('AWS_SECRET_ACCESS_KEY'), context)).toHaveLength(2);
  });
});

describe('models that their vendor shuts down', () => {
  const old = buildProvider({ id: 'old', model: 'gpt-4-0314' });
  const find = (
    provider: ProviderConfig,
    {
      planned = 1,
      observed = 0,
      answersFromStoreOnly = false,
      isJudge = false,
      sends = true,
      candidates = [] as string[],
    } = {},
    now = '2026-03-01',
  ) => {
    const suite = { askedModels: isJudge ? [provider] : [] } as unknown as Suite;
    const variants = isJudge ? [] : [{ provider, planned, observed }];
    return findRetirements({
      planned: {
        plan: { suites: [{ suite, variants }] } as never,
        endpointOf: () => ({ adapterVersion: '1', sends }),
      },
      answersFromStoreOnly: () => answersFromStoreOnly,
      now: new Date(`${now}T00:00:00Z`),
      candidates,
    });
  };
  const [known] = find(old);
  const date = /on (\d{4}-\d\d-\d\d)/.exec(known?.message ?? '')?.[1] ?? '';
  const daysBefore = (days: number) => new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10);

  test('are named sixty days before, with the days that are left', () => {
    const said = (days: number) => find(old, {}, daysBefore(days)).map(({ message }) => message);
    const lead = 'provider old: the model gpt-4-0314';
    expect(said(61)).toEqual([]);
    expect(said(60)).toEqual([`${lead} is shut down by its vendor on ${date}, in 60 days`]);
    expect(said(1)).toEqual([`${lead} is shut down by its vendor on ${date}, in 1 day`]);
    expect(said(0)).toEqual([
      `${lead} was to be shut down by its vendor on ${date}: if that happened, calls to it fail`,
    ]);
  });

  test('are named in hours before the day too, in all suites and under all ids', () => {
    const other = { ...mini, id: 'old' };
    const alias = { ...old, id: 'alias' };
    const unnamed = buildProvider({ id: 'gemini', adapter: 'gemini', model: 'gemini-2.5-pro' });
    const suites = [[old], [mini, other, old, alias, unnamed]].map((providers, index) => ({
      suite: { id: String(index), askedModels: [] } as unknown as Suite,
      variants: providers.map((provider) => ({ provider, planned: 1, observed: 0 })),
    }));
    const namedAt = (now: string) =>
      findRetirements({
        planned: {
          plan: { suites } as never,
          endpointOf: ({ adapter }) => ({
            adapterVersion: '1',
            sends: true,
            priceProvider: adapter === 'gemini' ? 'google' : adapter,
          }),
        },
        answersFromStoreOnly: ({ id }) => id === '0',
        now: new Date(now),
      }).map(({ message }) => message);
    const left = `is shut down by its vendor on ${date}, in 1 day`;
    expect(namedAt(`${daysBefore(1)}T12:00:00Z`)).toEqual([
      `provider old: the model gpt-4-0314 ${left}`,
      `provider alias: the model gpt-4-0314 ${left}`,
    ]);
    expect(namedAt('2027-01-01T00:00:00Z')).toHaveLength(3);
    expect(namedAt('2027-01-01T00:00:00Z').at(-1)).toBe(
      'provider gemini: the model gemini-2.5-pro may be shut down by its vendor at any time from 2026-10-16 on',
    );
  });

  test('are those that are asked', () => {
    expect(find(old, { planned: 0 })).toEqual([]);
    expect(find(old, { planned: 0, observed: 1 })).toHaveLength(1);
    expect(find(old, { answersFromStoreOnly: true })).toEqual([]);
    expect(find(old, { sends: false })).toEqual([]);
    expect(find(mini)).toEqual([]);
  });

  test('come with the command that finds another', () => {
    const hintOf = (more: Parameters<typeof find>[1]) => find(old, more)[0]?.hint?.split('; ')[1];
    expect(hintOf({})).toBe('`llmcheck swap old=openai:MODEL` compares candidates');
    expect(hintOf({ isJudge: true })).toBe('`llmcheck judge check` measures the new judge');
    expect(hintOf({ candidates: ['old'] })).toBeUndefined();
  });
});

describe('checks of tools', () => {
  const suiteOf = (checks: readonly object[], turnChecks: readonly object[] = []): Suite => {
    const built = checks.map((check) => buildCheck(check));
    const turns = [{ checks: turnChecks.map((check) => buildCheck(check)) }] as never;
    const cases = [buildCase({ id: 'a', checks: built, turns }), buildCase({ id: 'b', checks: built })];
    const tools = [{ type: 'function', function: { name: 'find_order', parameters: {} } }];
    return {
      prompts: [{ id: 'v1', messages: [], params: { tools } }],
      providers: [mini],
      *cases() {
        yield* cases;
      },
    } as unknown as Suite;
  };
  const named = (...checks: readonly object[]) => findUnknownTools([suiteOf(checks)]).map(({ message }) => message);
  const message = (name: string) => `case "a" checks calls of "${name}", and no prompt or provider declares that tool`;
  const trajectory = (params: object) => ({ assertion: 'trajectory', params });

  test.each<[string, object, readonly string[]]>([
    ['calls', trajectory({ calls: [{ name: 'x' }, 'y', { name: 'find_order' }] }), ['x', 'y']],
    ['never', trajectory({ never: ['x'] }), ['x']],
    ['after', trajectory({ after: { x: ['y'], find_order: [] } }), ['y', 'x']],
    ['counts', trajectory({ counts: { x: 1 } }), ['x']],
    ['toolCalls', { assertion: 'toolCalls', params: { value: [{ name: 'x' }] } }, ['x']],
    ['names', { assertion: 'toolCalls', params: { names: ['x', 'x'] } }, ['x']],
    ['a known one', { assertion: 'toolCalls', params: { names: ['find_order'] } }, []],
    ['another check', { assertion: 'contains', params: { value: ['x'] } }, []],
    ['a child', { assertion: 'not', params: {}, children: [buildCheck(trajectory({ never: ['x'] }))] }, ['x']],
  ])('that name unknown ones in %s are warned of once', (_, check, names) => {
    expect(named(check)).toEqual(names.map(message));
  });

  test('of a suite that declares no tools are not warned of', () => {
    const suite = { ...suiteOf([trajectory({ never: ['x'] })]), prompts: [{ id: 'v1', messages: [], params: {} }] };
    expect(findUnknownTools([suite as unknown as Suite])).toEqual([]);
  });

  test('of a turn count too, and a near name is suggested', () => {
    const [problem] = findUnknownTools([suiteOf([], [trajectory({ never: ['find_orders'] })])]);
    expect(problem).toMatchObject({
      code: 'unknown-tool',
      severity: 'warning',
      message: message('find_orders'),
      hint: 'did you mean "find_order"?',
    });
    const [far] = findUnknownTools([suiteOf([trajectory({ never: ['zzz'] })])]);
    expect(far?.hint).toBe('declare it under params: tools, or leave it out');
  });

  test('of the first thousand cases are looked at', () => {
    const suite = (at: number): Suite => ({
      ...suiteOf([]),
      *cases() {
        for (let index = 1; index <= at; index += 1) {
          const checks = index === at ? [buildCheck(trajectory({ never: ['x'] }))] : [];
          yield buildCase({ id: `c${index}`, checks });
        }
      },
    });
    expect([1000, 1001].map((at) => findUnknownTools([suite(at)]).length)).toEqual([1, 0]);
  });
});

describe('candidates of a swap', () => {
  test.each([
    [['mini=a'], [{ provider: 'mini', candidates: ['a'] }]],
    [['mini=a', 'b', ' c '], [{ provider: 'mini', candidates: ['a', 'b', 'c'] }]],
    [
      ['mini=a', 'big = b', 'mini=c'],
      [
        { provider: 'mini', candidates: ['a', 'c'] },
        { provider: 'big', candidates: ['b'] },
      ],
    ],
    [['mini=a=b'], [{ provider: 'mini', candidates: ['a=b'] }]],
    [[], []],
  ])('are read from %j', (items, swaps) => {
    expect(parseSwaps(items)).toEqual({ swaps, problems: [] });
  });

  test.each([
    [['a'], ['--swap a: not ID=MODEL']],
    [['=a'], ['--swap =a: not ID=MODEL']],
    [['mini='], ['--swap mini=: not ID=MODEL']],
    [['mini=a', ''], ['--swap : not ID=MODEL']],
    [['mini=a', 'a'], ['--swap: two candidates are named a']],
    [['mini=a', 'big=a', 'a'], ['--swap: two candidates are named a']],
  ])('are mistakes in %j', (items, messages) => {
    expect(parseSwaps(items).problems.map(({ message: said }) => said)).toEqual(messages);
  });
});
