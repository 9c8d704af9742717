import { describe, expect, test } from 'vitest';
import { comparesAccepted, comparesOther } from '../../src/assertions/index.ts';
import type { Cell } from '../../src/model/run/cell.ts';
import type { CheckSpec } from '../../src/model/run/verdict.ts';
import type { Case, Criterion, PromptVersion, ProviderConfig, Suite } from '../../src/model/suite/suite.ts';
import { buildPlan } from '../../src/plan/build-plan.ts';
import { buildParams, createRenderer, type RenderOptions, withAcceptedHash } from '../../src/plan/render-cells.ts';
import { emptySelection } from '../../src/plan/select-cases.ts';
import { buildCase, buildCell, buildCheck, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';

const options: RenderOptions = {
  endpointOf: ({ baseUrl }) => ({ adapterVersion: '3', ...(baseUrl !== undefined && { baseUrl }), sends: true }),
  optionsOf: ({ options: own }) => (Object.keys(own).length === 0 ? undefined : own),
  hashEnv: (names) => names.map((name) => `value of ${name}`),
  contractCheck: (schema) => buildCheck({ assertion: 'contract', params: schema, source: { contract: schema } }),
  describeFile: (_suite, path) => ({ path, mediaType: 'image/png', bytes: 1, sha256: path }),
};

interface Rendered {
  readonly testCase?: Partial<Case>;
  readonly suite?: Parameters<typeof buildSuite>[1];
  readonly prompt?: Partial<PromptVersion>;
  readonly provider?: Partial<ProviderConfig>;
  readonly options?: Partial<RenderOptions>;
}

function render(rendered: Rendered = {}): Cell {
  const testCase = buildCase(rendered.testCase);
  const suite = buildSuite([testCase], rendered.suite);
  const variant = { prompt: buildPrompt(rendered.prompt), provider: buildProvider(rendered.provider), params: {} };
  const [cell] = createRenderer(suite, variant, { ...options, ...rendered.options })(testCase, 1);
  if (cell === undefined) throw new Error('the case does not run on the variant');
  return cell;
}

describe('the hash of a cell', () => {
  const slices = { eu: { passRate: {} } } as never;
  const gate = { ...buildSuite([]).gate, slices };
  const classes = { truth: '', found: { kind: 'text' }, names: ['spam'], recall: {}, precision: {}, f1: {} } as const;

  test.each<[string, Rendered, string]>([
    ['nothing but the case', {}, ''],
    ['that it is observed', { testCase: { observe: true } }, '.observe'],
    ['that it must pass', { testCase: { mustPass: true } }, '.mustPass'],
    ['that it is skipped', { testCase: { skip: 'why' } }, '.skip'],
    ['all three', { testCase: { skip: 'why', mustPass: true, observe: true } }, '.observe.mustPass.skip'],
    ['its group', { testCase: { group: 'g' } }, '.group:g'],
    ['no tags that are no slices', { testCase: { tags: ['eu'] } }, ''],
    ['its slices', { testCase: { tags: ['eu', 'x'] }, suite: { gate } }, '.slices:["eu"]'],
    ['no class of a suite without classes', { testCase: { truth: 'spam' } }, ''],
    ['no class of a case without one', { suite: { classes } }, ''],
    ['its class', { testCase: { truth: 'spam' }, suite: { classes } }, '.class:["spam","CLASS"]'],
    ['the contract of its suite', { suite: { contract: { output: { type: 'object' } } } }, '.CONTRACT'],
    [
      'the contract of its prompt before that',
      { prompt: { contract: { output: true } }, suite: { contract: { output: { type: 'object' } } } },
      '.CONTRACT',
    ],
  ])('holds %s', (_name, rendered, suffix) => {
    const { cellHash, caseHash } = render(rendered);
    expect(caseHash).toBe('caseHash-refund');
    expect(
      cellHash
        .slice(caseHash.length)
        .replace(/"[0-9a-f]{12}"/, '"CLASS"')
        .replace(/\.[0-9a-f]{12}$/, '.CONTRACT'),
    ).toBe(suffix);
  });

  test('differs by contract, of which that of the prompt comes first', () => {
    const [object, list] = [{ output: { type: 'object' } }, { output: { type: 'array' } }];
    const hashOf = (rendered: Rendered) => render(rendered).cellHash;
    expect(hashOf({ suite: { contract: object } })).not.toBe(hashOf({ suite: { contract: list } }));
    expect(hashOf({ suite: { contract: object }, prompt: { contract: list } })).toBe(
      hashOf({ suite: { contract: list } }),
    );
    const checks = (rendered: Rendered) => render(rendered).checks.map(({ assertion }) => assertion);
    expect([checks({}), checks({ suite: { contract: object } })]).toEqual([['contains'], ['contract', 'contains']]);
  });
});

describe('the hash of a case', () => {
  const judge = buildProvider({ id: 'strict', model: 'judge' });
  const asking = buildCheck({ assertion: 'rubric', asks: 'strict' });
  const code = buildCheck({ assertion: 'javascript', code: { envNames: ['TEAM'] } as never });
  const hashOf = (
    check: CheckSpec | undefined,
    askedModels: readonly ProviderConfig[] = [judge],
    more: Partial<RenderOptions> = {},
  ) =>
    render({ testCase: { checks: check === undefined ? [] : [check] }, suite: { askedModels }, options: more })
      .caseHash;

  test.each<[string, CheckSpec, Partial<Case>]>([
    ['a check', asking, {}],
    ['a check within another', buildCheck({ assertion: 'not', children: [asking] }), {}],
    [
      'a check in the second place within others',
      buildCheck({
        assertion: 'anyOf',
        children: [buildCheck(), buildCheck({ assertion: 'allOf', children: [asking] })],
      }),
      {},
    ],
    ['a check of a turn', buildCheck(), { turns: [{ kind: 'user', content: 'x', checks: [asking] }] }],
  ])('holds the model that %s asks', (_name, check, more) => {
    const of = (model: ProviderConfig) =>
      render({ testCase: { checks: [check], ...more }, suite: { askedModels: [model] } }).caseHash;
    const known = of(judge);
    expect(known).toMatch(/^caseHash-refund\.[0-9a-f]{12}$/);
    const changed: Partial<ProviderConfig>[] = [
      { model: 'other' },
      { adapter: 'anthropic' },
      { params: { seed: 1 } },
      { baseUrl: 'https://x.example' },
      { options: { api: 'responses' } },
    ];
    for (const change of changed) expect(of({ ...judge, ...change })).not.toBe(known);
    expect(of({ ...judge, price: { input: 1, output: 1 } })).toBe(known);
  });

  test('holds no model that no check asks', () => {
    expect([hashOf(undefined), hashOf(buildCheck())]).toEqual(['caseHash-refund', 'caseHash-refund']);
    const other = buildProvider({ id: 'other' });
    expect(hashOf(asking, [judge, other])).toBe(hashOf(asking, [judge]));
    expect(hashOf(asking, [other, judge])).toBe(hashOf(asking, [judge]));
  });

  test('holds the values of the variables that code of a check is given', () => {
    const known = hashOf(code);
    expect(known).not.toBe('caseHash-refund');
    expect(hashOf(code, [], { hashEnv: () => ['another value'] })).not.toBe(known);
    expect(hashOf(buildCheck({ assertion: 'not', children: [code] }))).toBe(known);
  });
});

describe('a cell', () => {
  test('gives a program the variables that it names and the case has', () => {
    const endpointOf = () => ({ adapterVersion: '3', sends: true, vars: ['email', 'missing'] });
    expect(render({ options: { endpointOf } }).request.vars).toEqual({ email: 'I want my money back' });
    expect(render().request.vars).toBeUndefined();
  });

  const template = (role: 'system' | 'developer' | 'user') => ({
    ...buildPrompt().messages[0],
    role,
  });
  const messages = (...roles: readonly ('system' | 'developer' | 'user')[]) => ({
    messages: roles.map(template) as never,
  });
  const turns: Case['turns'] = [
    { kind: 'user', content: 'first', checks: [buildCheck()] },
    { kind: 'user', content: 'second', checks: [] },
  ];

  test.each<[string, PromptVersion['messages'], boolean]>([
    ['a system message', messages('system').messages, true],
    ['system and developer messages', messages('system', 'developer').messages, true],
    ['a user message', messages('user').messages, false],
    ['a system and a user message', messages('system', 'user').messages, false],
  ])('of %s asks with the first turn of the user where it has no message of one', (_name, all, isJoined) => {
    const cell = render({ prompt: { messages: all }, testCase: { turns } });
    expect(cell.turns.map(({ kind }) => kind)).toEqual([isJoined ? 'first' : 'user', 'user']);
    expect(cell.promptMessages).toBe(isJoined ? all.length : undefined);
    expect(cell.request.messages.length).toBe(all.length + (isJoined ? 1 : 0));
  });

  test('of a system message alone keeps turns that do not begin with the user', () => {
    const results: Case['turns'] = [{ kind: 'toolResult', name: 'f', content: 'x', checks: [] }];
    for (const own of [results, []]) {
      const cell = render({ prompt: messages('system'), testCase: { turns: own } });
      expect([cell.turns, cell.promptMessages]).toEqual([own, undefined]);
    }
  });
});

describe('parameters', () => {
  const paramsOf = (
    provider: Partial<ProviderConfig>,
    prompt: Partial<PromptVersion> = {},
    contract: Suite['contract'] = {},
  ) => buildParams(buildSuite([], { contract }), buildPrompt(prompt), buildProvider({ id: 'mini', ...provider }));

  test('are those of the provider, those of the prompt over them, or the accepted ones alone', () => {
    expect(paramsOf({ params: { a: 1, b: 1 } }, { params: { b: 2, c: 3 } })).toEqual({ a: 1, b: 2, c: 3 });
    const accepted = new Map([['mini', { z: 1 }]]);
    expect(paramsOf({ params: { a: 1 } }, { params: { b: 2 }, paramsByProvider: accepted })).toEqual({ z: 1 });
    expect(paramsOf({ id: 'other', params: { a: 1 } }, { paramsByProvider: accepted })).toEqual({ a: 1 });
  });

  test('are called as the API of a candidate calls them, and what is written so wins', () => {
    const paramNames = { max_tokens: 'max_completion_tokens', seed: null, top_p: 'top_p' };
    const rename = (params: ProviderConfig['params']) => paramsOf({ params, paramNames });
    expect(rename({ max_tokens: 1, seed: 2, top_p: 3, other: 4 })).toEqual({
      max_completion_tokens: 1,
      top_p: 3,
      other: 4,
    });
    expect(rename({ max_tokens: 1, max_completion_tokens: 5 })).toEqual({ max_completion_tokens: 5 });
  });

  const closed = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  const format = (schema: object, strict: boolean) => ({
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict } },
  });
  const open = { type: 'object', properties: { a: { type: 'string' } } };

  test.each<[string, Partial<ProviderConfig>, Partial<PromptVersion>, Suite['contract'], object]>([
    ['by the provider', { structured: true }, {}, { output: closed }, format(closed, true)],
    ['by the prompt', {}, { structured: true }, { output: closed }, format(closed, true)],
    [
      'of the prompt before that of the suite',
      { structured: true },
      { contract: { output: closed } },
      { output: open },
      format(closed, true),
    ],
    [
      'without strict mode where the API would refuse it',
      { structured: true },
      {},
      { output: open },
      format(open, false),
    ],
    ['not where the prompt says so', { structured: true }, { structured: false }, { output: closed }, {}],
    ['not where nothing asks for it', {}, {}, { output: closed }, {}],
    ['not without a contract', { structured: true }, {}, {}, {}],
    ['not where it allows everything', { structured: true }, {}, { output: true }, {}],
    [
      'not beside one of the provider',
      { structured: true, params: { response_format: { type: 'text' } } },
      {},
      { output: closed },
      { response_format: { type: 'text' } },
    ],
    [
      'not beside one of the prompt',
      { structured: true },
      { params: { response_format: { type: 'text' } } },
      { output: closed },
      { response_format: { type: 'text' } },
    ],
  ])('hold the schema of the contract: %s', (_name, provider, prompt, contract, params) => {
    expect(paramsOf(provider, prompt, contract)).toEqual(params);
  });
});

describe('a check that compares', () => {
  const snapshot = buildCheck({ assertion: 'snapshot' });
  const pairwise = buildCheck({ assertion: 'pairwise' });
  const within = (check: CheckSpec) => buildCheck({ assertion: 'not', children: [buildCheck(), check] });

  test.each<[string, CheckSpec, boolean, boolean]>([
    ['with the accepted answer', snapshot, true, false],
    ['with it, within another', within(within(snapshot)), true, false],
    ['with the other answer', pairwise, false, true],
    ['with that, within another', within(within(pairwise)), false, true],
    ['with none', within(buildCheck()), false, false],
    ['in a way that is not known', buildCheck({ assertion: 'unheard' }), false, false],
  ])('%s has the accepted answer in the hash of its cell', (_name, check, isAccepted, isOther) => {
    expect([comparesAccepted(check), comparesOther(check)]).toEqual([isAccepted, isOther]);
    const cell = buildCell({ cellHash: 'cell', checks: [buildCheck(), check] });
    const hashOf = (text?: string) =>
      withAcceptedHash(cell, () => (text === undefined ? undefined : { text, toolCalls: [] })).cellHash;
    const isHeld = isAccepted || isOther;
    expect(hashOf()).toMatch(isHeld ? /^cell\.[0-9a-f]{12}$/ : /^cell$/);
    expect(new Set([hashOf(), hashOf('a'), hashOf('b')]).size).toBe(isHeld ? 3 : 1);
  });
});

test('versions that are compared by a check come after what they are compared with', () => {
  const prompts = [
    buildPrompt({ id: 'v3', replaces: 'v2' }),
    buildPrompt({ id: 'v2', replaces: 'v1' }),
    buildPrompt({ id: 'v1' }),
    buildPrompt({ id: 'v3@baseline', baselineOf: 'v3' }),
  ];
  const order = (criteria: readonly Criterion[], firstPrompt?: string) => {
    const suite = buildSuite([buildCase()], { prompts, criteria });
    const plan = buildPlan([suite], {
      ...options,
      selection: emptySelection,
      ...(firstPrompt !== undefined && { firstPrompt }),
    });
    return plan.providerKeys.flatMap((key) => Array.from(plan.cells(key), ({ key: { prompt } }) => prompt));
  };
  const criteria = [{ assertion: 'pairwise' }] as unknown as readonly Criterion[];
  expect(order(criteria)).toEqual(['v3@baseline', 'v1', 'v2', 'v3']);
  expect(order(criteria, 'v3')).toEqual(['v3', 'v3@baseline', 'v1', 'v2']);
  expect([...order([])].sort()).toEqual(['v1', 'v2', 'v3', 'v3@baseline']);
  expect(['v3', 'v3@baseline']).toContain(order([])[0]);
});
