import { describe, expect, test } from 'vitest';
import type { AcceptedPrompt } from '../../../src/baseline/accepted-prompts.ts';
import { firstAcceptedTrial, firstFreshTrial, suiteVariantKey } from '../../../src/model/run/cell.ts';
import type { RenderedVariant } from '../../../src/model/run/plan.ts';
import type { RowSummary } from '../../../src/model/run/summary.ts';
import type { ProviderConfig, Suite } from '../../../src/model/suite/suite.ts';
import { providerKey } from '../../../src/plan/build-plan.ts';
import type { PlannedRun } from '../../../src/plan/plan-run.ts';
import { summarizeRun } from '../../../src/record/summarize-run.ts';
import {
  addSpend,
  addUsd,
  createAcceptedCells,
  createFreshCells,
  createSpendOfSides,
  spendOfCell,
  timesSpend,
  whyUnbounded,
} from '../../../src/run/asking/fresh-cells.ts';
import { keyOfVars } from '../../../src/templates/rendered-table.ts';
import type { AskedSide } from '../../../src/verdict/confirm/case-evidence.ts';
import type { NextTrials } from '../../../src/verdict/confirm/choose-next.ts';
import { buildCase, buildCheck, buildPrompt, buildProvider, buildSuite } from '../../support/build-case.ts';
import { buildHeader, buildRecordedSuite, buildRowSummary, buildVariant } from '../../support/build-summary.ts';

const own = buildProvider({ id: 'own' });
const older = buildProvider({ id: 'own', model: 'older' });
const judge = buildProvider({ id: 'judge', model: 'strict' });
const asksJudge = buildCheck({ assertion: 'rubric', asks: 'judge' });
const cases = [
  buildCase({ id: 'a' }),
  buildCase({ id: 'b' }),
  buildCase({ id: 'judged', checks: [asksJudge] }),
  buildCase({ id: 'elsewhere', providers: ['other'] }),
];
const suite = buildSuite(cases, { providers: [own], askedModels: [{ ...judge, params: { max_tokens: 1 } }] });
const variant: RenderedVariant = { prompt: buildPrompt(), provider: own, params: { max_tokens: 100 } };
const acceptedVariant: RenderedVariant = {
  prompt: buildPrompt({
    messages: [{ role: 'user', template: { source: 'Old', variables: [], render: () => 'Old' } }],
  }),
  provider: older,
  params: { max_tokens: 200 },
};

interface PlannedOptions {
  /** Models without a price. */
  readonly unpriced?: readonly string[];
  readonly variant?: RenderedVariant;
  readonly suites?: readonly Suite[];
}

/** A planned run of the suite. A request costs a dollar for each token that it may answer. */
function plan({ unpriced = [], variant: asked = variant, suites = [suite] }: PlannedOptions = {}): PlannedRun {
  const pricer = {
    hasPrice: ({ model }: { readonly model: string }) => !unpriced.includes(model),
    boundOf: ({ model, maxOutputTokens }: { readonly model: string; readonly maxOutputTokens: number }) =>
      unpriced.includes(model) ? undefined : maxOutputTokens,
  };
  const endpointOf = () => ({ adapterVersion: '1', sends: true });
  const rendering = {
    endpointOf,
    optionsOf: () => undefined,
    hashEnv: () => [],
    contractCheck: () => buildCheck(),
    describeFile: () => ({}),
  };
  return {
    plan: { suites: suites.map((planned) => ({ suite: planned, variants: [asked] })) },
    pricer,
    endpointOf,
    rendering,
  } as unknown as PlannedRun;
}

const accepted = (found: RenderedVariant | undefined = acceptedVariant): ReadonlyMap<string, AcceptedPrompt> =>
  new Map([
    [
      suiteVariantKey({ suite: 'triage', prompt: 'v1', provider: 'own' }),
      { state: { is: 'askable' }, ...(found === undefined ? {} : { variant: found }) },
    ],
  ]);
const unaskable: ReadonlyMap<string, AcceptedPrompt> = new Map([
  [suiteVariantKey({ suite: 'triage', prompt: 'v1', provider: 'own' }), { state: { is: 'unchanged' } }],
]);

const idOf = (caseId: string, prompt = 'v1') => JSON.stringify(['triage', prompt, 'own', caseId]);
/** `count`: with those that were asked already. */
const want = (caseId: string, side: AskedSide, count: number): NextTrials => ({ id: idOf(caseId), side, count });

function summarize(rows: readonly Partial<RowSummary>[]) {
  const recorded = buildRecordedSuite([buildVariant(2, { provider: 'own' })]);
  const all = rows.map((row) => buildRowSummary({ provider: 'own', caseId: 'a', ...row }));
  return summarizeRun(buildHeader([recorded]), all, undefined);
}

const again = { confirmation: true } as const;
const ofAccepted = (trial: number) => ({ ...again, side: 'accepted', trial: firstAcceptedTrial + trial }) as const;

describe('the cells of fresh trials', () => {
  /** Each cell in short, by the model that it asks. */
  function render(
    wanted: readonly NextTrials[],
    rows: readonly Partial<RowSummary>[],
    prompts: ReadonlyMap<string, AcceptedPrompt> = accepted(),
  ): Readonly<Record<string, readonly string[]>> {
    const fresh = createFreshCells({ planned: plan(), acceptedPrompts: prompts });
    const cells = fresh.render(wanted, summarize(rows));
    const modelOf = new Map([own, older].map((provider) => [providerKey(provider), provider.model]));
    return Object.fromEntries(
      Array.from(cells, ([key, ofProvider]) => [
        modelOf.get(key) ?? key,
        ofProvider.map(({ key: { caseId, trial }, request, confirmation, side }) =>
          [
            caseId,
            trial >= firstAcceptedTrial ? 'accepted' : trial >= firstFreshTrial ? 'fresh' : trial,
            request.messages[0]?.content,
            request.model,
            confirmation,
            side,
          ].join(' '),
        ),
      ]),
    );
  }

  const route = 'Route: I want my money back';

  test('ask what the case asks, as often as it was not asked yet', () => {
    const cell = `a fresh ${route} gpt-4o-mini true `;
    expect(render([want('a', 'candidate', 2)], [{}, { trial: 1 }])).toEqual({ 'gpt-4o-mini': [cell, cell] });
    const asked = [{}, { trial: 5, ...again }, { trial: 4, ...again }];
    expect(render([want('a', 'candidate', 3)], asked)).toEqual({ 'gpt-4o-mini': [cell] });
    expect(render([want('a', 'candidate', 2)], asked)).toEqual({});
    // What was skipped was not asked, and an average may want less of a case than the case itself.
    const skipped = [{}, { trial: 5, ...again, status: 'skipped' as const }];
    expect(render([want('a', 'candidate', 1), want('a', 'candidate', 2)], skipped)).toEqual({
      'gpt-4o-mini': [cell, cell],
    });
    expect(render([want('a', 'candidate', 1)], [{ trial: 1 }, { ...ofAccepted(7) }])).toEqual({
      'gpt-4o-mini': [cell],
    });
  });

  test('ask the accepted prompt with its own model and parameters', () => {
    const fresh = createFreshCells({ planned: plan(), acceptedPrompts: accepted() });
    const cells = fresh.render([want('a', 'accepted', 1)], summarize([{}])).get(providerKey(older));
    expect(cells).toMatchObject([
      {
        key: { suite: 'triage', prompt: 'v1', provider: 'own', caseId: 'a' },
        request: { model: 'older', params: { max_tokens: 200 }, messages: [{ role: 'user', content: 'Old' }] },
        confirmation: true,
        side: 'accepted',
      },
    ]);
  });

  test('of cases and sides that can’t be asked are none', () => {
    expect(render([want('a', 'accepted', 1)], [{}], unaskable)).toEqual({});
    expect(render([want('a', 'candidate', 1)], [{}], unaskable)).toHaveProperty('gpt-4o-mini');
    expect(render([want('b', 'candidate', 1)], [{}])).toEqual({});
    expect(render([want('gone', 'candidate', 1)], [{ caseId: 'gone' }])).toEqual({});
    expect(render([want('elsewhere', 'candidate', 1)], [{ caseId: 'elsewhere' }])).toEqual({ 'gpt-4o-mini': [] });
    expect(render([{ ...want('a', 'candidate', 1), id: idOf('a', 'v2') }], [{}])).toEqual({});
  });

  test('begin with either side, by the case', () => {
    const same = accepted({ ...acceptedVariant, provider: own });
    const sidesOf = (caseId: string) =>
      render([want(caseId, 'candidate', 1), want(caseId, 'accepted', 2)], [{ caseId }], same)['gpt-4o-mini']?.map(
        (cell) => cell.split(' ').slice(0, 2).join(' '),
      );
    expect(sidesOf('a')).toMatchInlineSnapshot(`
      [
        "a accepted",
        "a accepted",
        "a fresh",
      ]
    `);
    expect(sidesOf('b')).toMatchInlineSnapshot(`
      [
        "b fresh",
        "b accepted",
        "b accepted",
      ]
    `);
    expect(sidesOf('judged')).toMatchInlineSnapshot(`
      [
        "judged fresh",
        "judged accepted",
        "judged accepted",
      ]
    `);
  });

  test('of several cases keep the order in which they are wanted', () => {
    const wanted = [want('b', 'candidate', 1), want('a', 'candidate', 2)];
    expect(render(wanted, [{}, { caseId: 'b' }])['gpt-4o-mini']?.map((cell) => cell.slice(0, 3))).toEqual([
      'b f',
      'a f',
      'a f',
    ]);
  });

  /** The trial numbers of a side. */
  function numbersOf(side: AskedSide, rows: readonly Partial<RowSummary>[], count = 2) {
    const fresh = createFreshCells({ planned: plan(), acceptedPrompts: accepted() });
    const provider = side === 'accepted' ? older : own;
    const cells = fresh.render([want('a', side, count)], summarize(rows)).get(providerKey(provider)) ?? [];
    return cells.map(({ key, request }) => {
      expect(request.trial).toBe(key.trial);
      return key.trial;
    });
  }

  test.each([
    ['accepted', firstAcceptedTrial, { ...again, side: 'accepted' }],
    ['candidate', firstFreshTrial, again],
  ] as const)('number the trials of the %s side by the planned answers, one after the other', (side, least, mark) => {
    const [first = 0, second] = numbersOf(side, [{ answerId: 'x' }]);
    expect([second, first >= least]).toEqual([first + 1, true]);
    expect(numbersOf(side, [{ answerId: 'x' }, { ...mark, trial: first }], 3)).toEqual([first + 1, first + 2]);
    expect(numbersOf(side, [{ answerId: 'x' }, { ...again, trial: 1, answerId: 'z' }], 9)).toContain(first + 1);
    expect(numbersOf(side, [{ answerId: 'y' }])[0]).not.toBe(first);
    expect(numbersOf(side, [{ answerId: 'x' }, { answerId: 'y', trial: 1 }])[0]).not.toBe(first);
    expect(numbersOf(side, [{}])[0]).toBe(numbersOf(side, [{ answerId: '' }])[0]);
  });
});

describe('what fresh trials may spend', () => {
  const spendsOf = (planned: PlannedRun, prompts = accepted()) =>
    createFreshCells({ planned, acceptedPrompts: prompts });

  test('is that of one cell of the side, judges included', () => {
    const { spendOf } = spendsOf(plan());
    expect(spendOf(idOf('a'), 'candidate')).toEqual({ calls: 1, usd: 100, uncounted: [] });
    expect(spendOf(idOf('a'), 'accepted')).toEqual({ calls: 1, usd: 200, uncounted: [] });
    expect(spendOf(idOf('judged'), 'candidate')).toEqual({ calls: 3, usd: 102, uncounted: [] });
    // The same again, of which it may be the second call.
    expect(spendOf(idOf('a'), 'candidate')).toEqual({ calls: 1, usd: 100, uncounted: [] });
    expect(spendOf(idOf('gone'), 'candidate')).toEqual({ calls: 0, usd: undefined });
    expect(spendOf(idOf('elsewhere'), 'candidate')).toEqual({ calls: 0, usd: undefined });
    expect(spendsOf(plan(), unaskable).spendOf(idOf('a'), 'accepted')).toEqual({ calls: 0, usd: undefined });
  });

  test('is known of the calls where a model has no price', () => {
    const { spendOf } = spendsOf(plan({ unpriced: ['gpt-4o-mini'] }));
    expect(spendOf(idOf('a'), 'candidate')).toEqual({
      calls: 1,
      usd: undefined,
      uncounted: ['own: gpt-4o-mini has no price'],
    });
    // The judge has one.
    expect(spendOf(idOf('judged'), 'candidate')).toMatchObject({ calls: 3, usd: 2 });
  });

  test('was spent by every trial so far, whatever came of it', () => {
    const fresh = spendsOf(plan());
    expect(fresh.spentOn(summarize([{}, { caseId: 'b' }]))).toEqual({ calls: 0, usd: undefined });
    const rows = [
      {},
      { trial: 1, ...again },
      { trial: 2, ...again, status: 'errored' as const },
      ofAccepted(1),
      { caseId: 'b' },
      { caseId: 'b', ...ofAccepted(2) },
      { caseId: 'b', ...ofAccepted(3) },
    ];
    expect(fresh.spentOn(summarize(rows))).toEqual({ calls: 5, usd: 2 * 100 + 3 * 200 });
    expect(fresh.spentOn(summarize(rows.slice(0, 2)))).toEqual({ calls: 1, usd: 100 });
    expect(fresh.spentOn(summarize([{}, ofAccepted(1)]))).toEqual({ calls: 1, usd: 200 });
  });

  test('is, of both sides, that of the dearer one', () => {
    const cellOf = createAcceptedCells(plan(), accepted({ ...acceptedVariant, prompt: variant.prompt }));
    const key = { suite: 'triage', prompt: 'v1', provider: 'own', caseId: 'judged', trial: 3 };
    const cell = cellOf(key);
    if (cell === undefined) throw new Error('there is no such cell');
    const ofSides = (planned: PlannedRun, prompts = accepted()) => {
      const [candidate] = [cellOf({ ...key, caseId: 'a' })];
      if (candidate === undefined) throw new Error('there is no such cell');
      const request = { ...candidate.request, params: { max_tokens: 100 } };
      return createSpendOfSides(planned, prompts)(own, { ...candidate, request });
    };
    expect(ofSides(plan())).toEqual({ calls: 1, usd: 200, uncounted: [] });
    expect(ofSides(plan(), accepted({ ...acceptedVariant, params: { max_tokens: 50 } }))).toEqual({
      calls: 1,
      usd: 100,
      uncounted: [],
    });
    expect(ofSides(plan(), unaskable)).toEqual({ calls: 1, usd: 100, uncounted: [] });
    expect(ofSides(plan({ unpriced: ['gpt-4o-mini'] }))).toEqual({
      calls: 1,
      usd: 200,
      uncounted: ['own: gpt-4o-mini has no price'],
    });
    expect(ofSides(plan({ unpriced: ['older'] }))).toEqual({
      calls: 1,
      usd: 100,
      uncounted: ['own: older has no price'],
    });
    expect(ofSides(plan({ unpriced: ['older', 'gpt-4o-mini'] })).usd).toBeUndefined();
    const ofJudged = createSpendOfSides(plan(), accepted());
    const unjudged = { ...cell, checks: [] };
    expect([ofJudged(own, cell).calls, ofJudged(own, unjudged).calls]).toEqual([3, 3]);
    const elsewhere = { ...unjudged, key: { ...key, caseId: 'elsewhere' } };
    expect(ofJudged(own, elsewhere)).toEqual({ calls: 1, usd: 200, uncounted: [] });
    expect(spendOfCell(plan(), own, cell)).toMatchObject({ calls: 3, usd: 202 });
    expect(spendOfCell(plan(), own, { ...cell, key: { ...key, suite: 'other' } })).toMatchObject({
      calls: 3,
      usd: 200,
    });
  });

  test('has no bound without a price, or without a limit on output tokens', () => {
    const named: ProviderConfig = { ...own, id: 'named' };
    expect(whyUnbounded(plan(), named)).toBe('named: gpt-4o-mini has no limit on output tokens');
    expect(whyUnbounded(plan({ unpriced: ['gpt-4o-mini'] }), named)).toBe('named: gpt-4o-mini has no price');
  });

  test('is added where it is known', () => {
    expect([addUsd(1, 2), addUsd(undefined, 2), addUsd(1, undefined), addUsd(undefined, undefined)]).toEqual([
      3,
      2,
      1,
      undefined,
    ]);
    expect(addSpend({ calls: 1, usd: 1 }, { calls: 2, usd: 3 })).toEqual({ calls: 3, usd: 4 });
    expect(timesSpend({ calls: 2, usd: 3 }, 0.5)).toEqual({ calls: 1, usd: 1.5 });
    expect(timesSpend({ calls: 2, usd: undefined }, 2)).toEqual({ calls: 4, usd: undefined });
  });
});

describe('the cell that asks the accepted prompt beside a cell', () => {
  const key = { suite: 'triage', prompt: 'v1', provider: 'own', caseId: 'a', trial: 0 };

  test('is there where the prompt and the case are', () => {
    const cellOf = createAcceptedCells(plan(), accepted());
    expect(cellOf(key)).toMatchObject({ key, request: { model: 'older', params: { max_tokens: 200 } } });
    expect(cellOf({ ...key, caseId: 'b' })).toMatchObject({ key: { caseId: 'b' } });
    expect(cellOf({ ...key, caseId: 'gone' })).toBeUndefined();
    expect(cellOf({ ...key, caseId: 'elsewhere' })).toBeUndefined();
    expect(cellOf({ ...key, prompt: 'v2' })).toBeUndefined();
    expect(createAcceptedCells(plan(), unaskable)(key)).toBeUndefined();
    const other = new Map([
      [
        suiteVariantKey({ suite: 'other', prompt: 'v1', provider: 'own' }),
        { state: { is: 'askable' }, variant: acceptedVariant },
      ],
    ]);
    expect(
      createAcceptedCells(plan(), other as ReadonlyMap<string, AcceptedPrompt>)({ ...key, suite: 'other' }),
    ).toBeUndefined();
  });

  test('is that of its own suite', () => {
    const other = buildSuite([buildCase({ id: 'c', vars: { email: 'other' } })], { id: 'other', providers: [own] });
    const prompts = new Map([
      ...accepted(),
      [suiteVariantKey({ suite: 'other', prompt: 'v1', provider: 'own' }), [...accepted().values()][0]],
    ]);
    const cellOf = createAcceptedCells(
      plan({ suites: [suite, other] }),
      prompts as ReadonlyMap<string, AcceptedPrompt>,
    );
    expect(cellOf(key)?.key).toEqual(key);
    expect(cellOf({ ...key, suite: 'other', caseId: 'c' })?.vars).toEqual({ email: 'other' });
    expect([cellOf({ ...key, suite: 'other' }), cellOf({ ...key, caseId: 'c' })]).toEqual([undefined, undefined]);
  });

  test('is not there where a prompt in code was not accepted with the case', () => {
    const [known, unknown] = [[keyOfVars({ email: 'I want my money back' })], []].map((keys) => {
      const rendered = { lines: ['Old'], cases: Object.fromEntries(keys.map((hash) => [hash, []])) };
      const template = {
        source: 'Old',
        variables: [],
        language: { name: 'code' as const, rendered },
        render: () => 'Old',
      };
      return accepted({ ...acceptedVariant, prompt: buildPrompt({ messages: [{ role: 'user', template }] }) });
    });
    expect(createAcceptedCells(plan(), known ?? unaskable)(key)).toMatchObject({ key });
    expect(createAcceptedCells(plan(), unknown ?? accepted())(key)).toBeUndefined();
    const sides = [known, unknown].map(
      (prompts = unaskable) =>
        createFreshCells({ planned: plan(), acceptedPrompts: prompts }).spendOf(idOf('a'), 'accepted').calls,
    );
    expect(sides).toEqual([1, 0]);
  });
});
