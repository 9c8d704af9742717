import { describe, expect, test } from 'vitest';
import type { Cell } from '../../src/model/run/cell.ts';
import type { Case, Suite } from '../../src/model/suite/suite.ts';
import { accountId, buildPlan, type Plan, type PlanOptions, providerKey } from '../../src/plan/build-plan.ts';
import { emptySelection, type Selection } from '../../src/plan/select-cases.ts';
import { buildCase, buildCheck, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';
import fc from '../support/property.ts';

const options: PlanOptions = {
  selection: emptySelection,
  optionsOf: () => undefined,
  hashEnv: () => [],
  endpointOf: ({ baseUrl }) => ({ adapterVersion: '3', ...(baseUrl === undefined ? {} : { baseUrl }), sends: true }),
  contractCheck: (schema) => buildCheck({ assertion: 'contract', params: schema, source: { contract: schema } }),
  describeFile: (_suite, path) => ({ path, mediaType: 'image/png', bytes: 1, sha256: path }),
};

function plan(suites: readonly Suite[], selection: Partial<Selection> = {}): Plan {
  return buildPlan(suites, { ...options, selection: { ...emptySelection, ...selection } });
}

function cellsOf(built: Plan): Cell[] {
  return built.providerKeys.flatMap((provider) => [...built.cells(provider)]);
}

const keyOf = ({ key }: Cell) => `${key.suite}/${key.caseId} ${key.prompt} ${key.provider} ${key.trial}`;

const twoByTwo = {
  prompts: [buildPrompt({ id: 'v1' }), buildPrompt({ id: 'v2' })],
  providers: [buildProvider({ id: 'a' }), buildProvider({ id: 'b', model: 'gpt-4o' })],
};

describe('a cell', () => {
  test('is rendered and ready to send', () => {
    const prompt = buildPrompt({ params: { temperature: 0 } });
    const provider = buildProvider({ baseUrl: 'http://127.0.0.1:1/v1', params: { temperature: 1, seed: 7 } });
    const [cell] = cellsOf(
      plan([
        buildSuite([buildCase({ mustPass: true, threshold: 0.5, trials: 2 })], {
          prompts: [prompt],
          providers: [provider],
        }),
      ]),
    );
    expect(cell).toMatchObject({
      key: { suite: 'triage', prompt: 'v1', provider: 'openai:gpt-4o-mini', caseId: 'refund', trial: 0 },
      request: {
        adapter: 'openai',
        adapterVersion: '3',
        baseUrl: 'http://127.0.0.1:1/v1',
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'Route: I want my money back' }],
        params: { temperature: 0, seed: 7 },
        trial: 0,
        origin: { suite: 'triage', prompt: 'v1', provider: 'openai:gpt-4o-mini', caseId: 'refund' },
      },
      mustPass: true,
      observe: false,
      threshold: 0.5,
      caseHash: 'caseHash-refund',
      at: { file: 'evals/triage.eval.yaml', line: 12, column: 5 },
    });
    expect(cell).not.toHaveProperty('skip');
  });

  test('is one trial: its request has the number, and nothing else differs', () => {
    const cells = cellsOf(plan([buildSuite([buildCase({ trials: 3 })])]));
    expect(cells.map(({ key, request }) => [key.trial, request.trial])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(new Set(cells.map(({ cellHash }) => cellHash)).size).toBe(1);
  });

  test('is skipped with the reason of its suite', () => {
    expect(cellsOf(plan([buildSuite([buildCase({ skip: 'later' })])]))).toMatchObject([{ skip: 'later' }]);
  });

  test('is checked against the output contract of its version, else of the suite', () => {
    const prompts = [
      buildPrompt({ id: 'own', contract: { output: { type: 'array' } } }),
      buildPrompt({ id: 'input only', contract: { input: true } }),
      buildPrompt({ id: 'none' }),
    ];
    const cells = cellsOf(plan([buildSuite([buildCase()], { prompts, contract: { output: { type: 'object' } } })]));
    expect(Object.fromEntries(cells.map(({ key, checks }) => [key.prompt, checks[0]]))).toMatchObject({
      own: { assertion: 'contract', params: { type: 'array' } },
      'input only': { assertion: 'contract', params: { type: 'object' } },
      none: { assertion: 'contract', params: { type: 'object' } },
    });
    expect(cellsOf(plan([buildSuite([buildCase()])]))[0]?.checks).toHaveLength(1);
  });

  test.each<[string, Partial<Case>]>([
    ['its caseHash, which covers vars, turns, checks and threshold,', { caseHash: 'another' }],
    ['mustPass', { mustPass: true }],
    ['observe', { observe: true }],
    ['skip', { skip: 'later' }],
  ])('has another cell hash where %s changed', (_name, change) => {
    const cellHashes = [{}, change].map(
      (overrides) => cellsOf(plan([buildSuite([buildCase(overrides)])]))[0]?.cellHash,
    );
    expect(cellHashes[0]).not.toBe(cellHashes[1]);
  });

  test('keeps its cell hash where only its place or its tags changed', () => {
    const moved = buildCase({ at: { file: 'b.yaml', line: 99, column: 1 }, tags: ['new'] });
    const [one, other] = [buildCase(), moved].map((testCase) => cellsOf(plan([buildSuite([testCase])]))[0]);
    expect(one?.cellHash).toBe(other?.cellHash);
    expect(other?.tags).toEqual(['new']);
  });
});

describe('a plan', () => {
  test('runs every case on every variant, the versions of a case side by side in each trial', () => {
    const cases = [buildCase({ id: 'x', trials: 2 }), buildCase({ id: 'y' })];
    const built = plan([buildSuite(cases, twoByTwo)]);
    expect(built.cellCount).toBe(12);
    expect(cellsOf(built).map(keyOf)).toEqual([
      'triage/x v1 a 0',
      'triage/x v2 a 0',
      'triage/x v1 a 1',
      'triage/x v2 a 1',
      'triage/y v1 a 0',
      'triage/y v2 a 0',
      'triage/x v1 b 0',
      'triage/x v2 b 0',
      'triage/x v1 b 1',
      'triage/x v2 b 1',
      'triage/y v1 b 0',
      'triage/y v2 b 0',
    ]);
  });

  test('keeps a case to the prompts and providers it names', () => {
    const cases = [
      buildCase({ id: 'x', prompts: ['v2'] }),
      buildCase({ id: 'y', providers: ['b'], prompts: ['v1', 'v2'] }),
    ];
    expect(
      cellsOf(plan([buildSuite(cases, twoByTwo)]))
        .map(keyOf)
        .toSorted(),
    ).toEqual(['triage/x v2 a 0', 'triage/x v2 b 0', 'triage/y v1 b 0', 'triage/y v2 b 0']);
  });

  test('keeps to the selected prompts, providers and trials', () => {
    const built = plan([buildSuite([buildCase({ trials: 5 })], twoByTwo)], {
      prompts: ['v2'],
      providers: ['b'],
      trials: 2,
    });
    expect(cellsOf(built).map(keyOf)).toEqual(['triage/refund v2 b 0', 'triage/refund v2 b 1']);
    expect(built.suites[0]?.filtered).toBe(true);
  });

  test('names only providers that have cells, and has none for others', () => {
    const built = plan([buildSuite([buildCase({ providers: ['b'] })], twoByTwo)]);
    expect(built.providerKeys).toEqual([providerKey(twoByTwo.providers[1] ?? buildProvider())]);
    expect([...built.cells('no such provider')]).toEqual([]);
  });

  test('counts observed cells apart', () => {
    const cases = [buildCase({ id: 'x', trials: 3, observe: true }), buildCase({ id: 'y', trials: 2 })];
    const built = plan([buildSuite(cases)]);
    expect(built.suites[0]?.variants).toMatchObject([{ planned: 2, observed: 3 }]);
    expect(built.cellCount).toBe(5);
  });

  test('shares a provider between suites whose provider is configured alike, and only then', () => {
    const alike = buildProvider({ at: { file: 'other.yaml', line: 3, column: 1 } });
    const other = buildProvider({ limits: { rpm: 5 } });
    const suites = [
      buildSuite([buildCase()], { id: 'one' }),
      buildSuite([buildCase()], { id: 'two', providers: [alike] }),
      buildSuite([buildCase()], { id: 'three', providers: [other] }),
    ];
    const built = plan(suites);
    expect(built.providerKeys.map((provider) => [...built.cells(provider)].map(({ key }) => key.suite))).toEqual([
      ['one', 'two'],
      ['three'],
    ]);
  });

  test('counts trials of all observed cases', () => {
    const cases = ['x', 'y'].map((id, index) => buildCase({ id, trials: 2 + index, observe: true }));
    expect(plan([buildSuite(cases)]).suites[0]?.variants).toMatchObject([{ planned: 0, observed: 5 }]);
  });

  test('keeps providers of other ids apart, though they are configured alike', () => {
    const [a, b] = [buildProvider({ id: 'a' }), buildProvider({ id: 'b' })];
    expect(plan([buildSuite([buildCase()], { providers: [a, b] })]).providerKeys).toHaveLength(2);
  });

  test('runs the prompt of the baseline where its version runs', () => {
    const prompts = [buildPrompt({ id: 'v1' }), buildPrompt({ id: 'v1 of the baseline', baselineOf: 'v1' })];
    const cases = [buildCase({ id: 'x', prompts: ['v1'] }), buildCase({ id: 'y', prompts: ['v2'] })];
    const built = plan([buildSuite(cases, { prompts })], { prompts: ['v1'] });
    const asked = cellsOf(built).map(({ key }) => `${key.caseId} ${key.prompt}`);
    expect(asked.toSorted()).toEqual(['x v1', 'x v1 of the baseline']);
    expect(built.suites[0]?.variants.map(({ planned }) => planned)).toEqual([1, 1]);
  });

  test('gives the cells of wanted cases alone', () => {
    const built = plan([
      buildSuite(['x', 'y'].map((id) => buildCase({ id }))),
      buildSuite([buildCase({ id: 'x' })], { id: 'b' }),
    ]);
    const [key = ''] = built.providerKeys;
    const wanted = [...built.cells(key, (suite, caseId) => suite === 'triage' && caseId === 'y')];
    expect(wanted.map(keyOf)).toEqual(['triage/y v1 openai:gpt-4o-mini 0']);
  });

  test('asks the versions of half of the cases in the other order, unless a check compares them', () => {
    const cases = Array.from({ length: 16 }, (_, index) => buildCase({ id: `c${index}` }));
    const prompts = [buildPrompt({ id: 'v2', replaces: 'v1' }), buildPrompt({ id: 'v1' })];
    const firstOf = (criteria: Suite['criteria']) => {
      const cells = cellsOf(plan([buildSuite(cases, { prompts, criteria })]));
      return cells.filter((_, index) => index % 2 === 0).map(({ key }) => key.prompt);
    };
    // In the order of the file, or the other way round.
    expect(firstOf([]).join(' ')).toMatchInlineSnapshot(`"v1 v1 v1 v1 v2 v1 v2 v1 v1 v1 v1 v1 v2 v1 v1 v1"`);
    const judge = buildProvider();
    const pairwise = { assertion: 'pairwise', judge, criterionHash: 'h', at: buildCase().at };
    expect(new Set(firstOf([pairwise]))).toEqual(new Set(['v1']));
  });

  test('renders a case only when its cells are asked for', () => {
    let rendered = 0;
    const template = {
      source: '',
      variables: [],
      render: () => {
        rendered += 1;
        return '';
      },
    };
    const prompts = [buildPrompt({ messages: [{ role: 'user', template }] })];
    const cases = Array.from({ length: 10 }, (_, index) => buildCase({ id: `case-${index}`, trials: 4 }));
    const built = plan([buildSuite(cases, { prompts })]);
    expect([built.cellCount, rendered]).toEqual([40, 0]);
    const cells = built.cells(built.providerKeys[0] ?? '')[Symbol.iterator]();
    cells.next();
    expect(rendered).toBe(1);
  });

  test('without suites or cases is empty', () => {
    expect(plan([])).toMatchObject({ cellCount: 0, providerKeys: [], suites: [] });
    expect(plan([buildSuite([])])).toMatchObject({ cellCount: 0, providerKeys: [] });
  });

  test('counts exactly the cells that it yields, each with its own key', () => {
    const ids = (prefix: string, max: number) =>
      fc.integer({ min: 0, max }).map((count) => Array.from({ length: count }, (_, index) => `${prefix}${index}`));
    const testCase = fc.record({
      trials: fc.integer({ min: 1, max: 3 }),
      observe: fc.boolean(),
      tags: fc.subarray(['x', 'y']),
      prompts: fc.option(fc.subarray(['v0', 'v1', 'v2']), { nil: undefined }),
      providers: fc.option(fc.subarray(['p0', 'p1']), { nil: undefined }),
    });
    const suite = fc.record({
      prompts: ids('v', 3),
      providers: ids('p', 2),
      cases: fc.array(testCase, { maxLength: 6 }),
    });
    const selection = fc.record(
      {
        filters: fc.subarray(['s0', 'c1', 's1/c*']),
        tags: fc.subarray(['x']),
        prompts: fc.subarray(['v1']),
        providers: fc.subarray(['p0']),
        sample: fc.record({ size: fc.integer({ min: 1, max: 4 }), seed: fc.nat(9) }),
        shard: fc.integer({ min: 1, max: 3 }).map((index) => ({ index, count: 3 })),
        trials: fc.integer({ min: 1, max: 4 }),
      },
      { requiredKeys: ['filters', 'tags', 'prompts', 'providers'] },
    );
    fc.assert(
      fc.property(fc.array(suite, { maxLength: 3 }), selection, (shapes, chosen) => {
        const suites = shapes.map(({ prompts, providers, cases }, index) =>
          buildSuite(
            cases.map(({ prompts: own, providers: where, ...shape }, number) =>
              buildCase({
                id: `c${number}`,
                ...shape,
                ...(own === undefined ? {} : { prompts: own }),
                ...(where === undefined ? {} : { providers: where }),
              }),
            ),
            {
              id: `s${index}`,
              path: `evals/s${index}.eval.yaml`,
              prompts: prompts.map((id) => buildPrompt({ id })),
              providers: providers.map((id) => buildProvider({ id })),
            },
          ),
        );
        const built = plan(suites, chosen);
        const cells = cellsOf(built);
        expect(cells).toHaveLength(built.cellCount);
        expect(new Set(cells.map(keyOf)).size).toBe(cells.length);
        for (const { suite: planned, variants } of built.suites) {
          for (const { prompt, provider, planned: gated, observed } of variants) {
            const own = cells.filter(
              ({ key }) => key.suite === planned.id && key.prompt === prompt.id && key.provider === provider.id,
            );
            expect([own.filter(({ observe }) => !observe).length, own.filter(({ observe }) => observe).length]).toEqual(
              [gated, observed],
            );
          }
        }
      }),
    );
  });
});

test.each([
  ['is its address and key', {}, { baseUrl: 'https://a', apiKeyEnv: 'KEY' }, 'https://a\nKEY'],
  [
    'counts the variables of headers, and no other header',
    { headers: { b: { env: 'B' }, a: { env: 'A' }, c: 'c' } },
    { baseUrl: 'https://a', apiKeyEnv: 'KEY' },
    'https://a\nKEY\n\nA\nB',
  ],
])('the account of a provider %s', (_what, more, endpoint, expected) => {
  const sends = { adapterVersion: '1', sends: true };
  expect(accountId(buildProvider(more), { ...sends, ...endpoint })).toBe(expected);
  expect(accountId(buildProvider(more), sends)).toBe(providerKey(buildProvider(more)));
});
