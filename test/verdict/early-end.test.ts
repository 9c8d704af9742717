import { describe, expect, test } from 'vitest';
import type { CaseSummary, VariantSummary } from '../../src/model/run/summary.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import type { Settled } from '../../src/verdict/confirm/settle.ts';
import {
  type EarlyLook,
  findPartialVariants,
  holdBack,
  lastShare,
  type PartialVariant,
  rankOf,
  shareOfAttempt,
  withoutInterval,
} from '../../src/verdict/gate/early-end.ts';
import type { Suspicions } from '../../src/verdict/gate/flag-cases.ts';
import { findHypotheses, type Hypothesis } from '../../src/verdict/gate/judge-metrics.ts';
import { openGate } from '../support/build-case.ts';
import { buildGated, type GatedOptions, judgeGated } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, type CaseOptions, compareSides } from '../support/build-side.ts';

const order = 'seed';
/** Sixty cases in the order in which they are asked. */
const ids = Array.from({ length: 60 }, (_, index) => `c${index}`).toSorted((a, b) =>
  rankOf(order, 'triage', a) < rankOf(order, 'triage', b) ? -1 : 1,
);

type Outcome = (place: number) => string;

interface Options {
  /** Of the cases that were asked, by their places; `s` was not asked. */
  readonly now: Outcome;
  readonly gate?: Partial<GatePolicy>;
  readonly more?: (place: number) => CaseOptions & Partial<CaseSummary>;
  readonly suite?: GatedOptions['suite'];
  readonly look?: EarlyLook;
  readonly early?: { readonly order: string } | undefined;
}

const wide = { passRate: { maxDrop: 0.3 } };

function comparisonOf({ now, gate = wide, more = () => ({}), suite }: Options) {
  const side = (outcome: Outcome) =>
    buildSide(
      Object.fromEntries(
        ids.map((id, place) => {
          const word = outcome(place);
          const { slices, ...options } = more(place);
          const row = {
            ...options.row,
            ...(word === 's' && { skipReason: 'decided' as const }),
            ...(slices && { slices }),
          };
          return [id, { ...buildCaseSummary(id, word, { ...options, row }), ...(slices && { slices }) }];
        }),
      ),
    );
  const compared = compareSides(
    side(() => 'p'),
    side(now),
    { gate: { ...openGate, ...gate }, margin: gate.passRate?.maxDrop ?? 0.05 },
  );
  return buildGated(compared, { gate, ...(suite !== undefined && { suite }) });
}

function partialOf(options: Options): PartialVariant | undefined {
  const comparison = comparisonOf(options);
  const { early = { order }, look } = options;
  const found = findPartialVariants([comparison], {
    settings: options.early === undefined && 'early' in options ? {} : { early: early },
    ...(look !== undefined && { look }),
  });
  return found.get(comparison.variant);
}

const asked =
  (count: number, outcome: Outcome = () => 'p'): Outcome =>
  (place) =>
    place < count ? outcome(place) : 's';

describe('a variant of which cases were not asked', () => {
  test('is certain once a drop beyond the margin is excluded by those that came first', () => {
    expect(partialOf({ now: () => 'p' })).toBeUndefined();
    expect(partialOf({ now: asked(30) })?.isCertain).toBe(true);
    expect(partialOf({ now: asked(5) })?.isCertain).toBe(false);
    expect(partialOf({ now: asked(30), gate: { passRate: { maxDrop: 0.05 } } })?.isCertain).toBe(false);
    // Without an order nobody knows which came first.
    expect(partialOf({ now: asked(30), early: undefined })?.isCertain).toBe(false);
    // A margin of everything can't be bet against, and is met by a few.
    expect(partialOf({ now: asked(30), gate: { passRate: { maxDrop: 1 } } })?.isCertain).toBe(true);
  });

  test('is not certain by cases after the first that was not asked', () => {
    const late: Outcome = (place) => (place === 5 ? 's' : 'p');
    expect(partialOf({ now: late })?.isCertain).toBe(false);
    // Whatever kept it from being asked, unless the suite itself skips it.
    const skipped = (reason: 'case' | 'budget') => (place: number) =>
      place === 5 ? { row: { skipReason: reason } } : {};
    const now: Outcome = (place) => (place === 5 ? 'e' : place < 30 ? 'p' : 's');
    expect(partialOf({ now, more: skipped('case') })?.isCertain).toBe(true);
  });

  test('is not certain in ways that such a test does not cover', () => {
    const now = asked(30);
    expect(partialOf({ now, gate: { ...wide, scope: 'suite' } })?.isCertain).toBe(false);
    expect(partialOf({ now, suite: { classes: {} as never } })?.isCertain).toBe(false);
    expect(partialOf({ now, more: () => ({ group: 'kin' }) })?.isCertain).toBe(false);
    expect(partialOf({ now, gate: { ...wide, cost: { maxIncrease: 0.1 } } })?.isCertain).toBe(false);
    const slices = { vip: { passRate: { maxDrop: 0.3 } } };
    expect(partialOf({ now, gate: { ...wide, slices } })?.isCertain).toBe(false);
    expect(partialOf({ now, gate: { ...wide, slices }, more: () => ({ slices: ['vip'] }) })?.isCertain).toBe(true);
    // The cases of the slice themselves must exclude it.
    const few = (place: number) => (place % 10 === 0 ? { slices: ['vip'] } : {});
    expect(partialOf({ now, gate: { ...wide, slices }, more: few })?.isCertain).toBe(false);
    const unlimited = { vip: { passRate: { min: 0.5 } } };
    expect(partialOf({ now, gate: { ...wide, slices: unlimited } })?.isCertain).toBe(true);
  });

  test('is not certain where errors could hide a drop, and judges see only a part of it', () => {
    expect(partialOf({ now: asked(30, (place) => (place % 3 === 0 ? 'e' : 'p')) })?.isCertain).toBe(false);
    const judge = (name: string, youdenLow: number) => ({
      judge: name,
      assertion: 'rubric',
      measured: { labels: 40, youdenLow },
    });
    const judges = (...lows: readonly number[]) => ({ judges: lows.map((low, index) => judge(`j${index}`, low)) });
    expect(partialOf({ now: asked(30), suite: judges(1) })?.isCertain).toBe(true);
    expect(partialOf({ now: asked(30), suite: judges(1, 0.2) })?.isCertain).toBe(false);
    expect(partialOf({ now: asked(30), suite: judges(0.2, 1) })?.isCertain).toBe(false);
    // Of a slice they see a part of the drop that the slice tolerates, however much the suite does.
    const gate = { passRate: { maxDrop: 0.99 }, slices: { vip: { passRate: { maxDrop: 0.3 } } } };
    const ofSlice = { now: asked(30), gate, more: () => ({ slices: ['vip'] }) };
    expect(partialOf({ ...ofSlice, suite: judges(1) })?.isCertain).toBe(true);
    expect(partialOf({ ...ofSlice, suite: judges(0.3) })?.isCertain).toBe(false);
    expect(partialOf({ ...ofSlice, gate: { passRate: gate.passRate }, suite: judges(0.3) })?.isCertain).toBe(true);
  });

  test('has fallen where those that came first show it, in that metric alone', () => {
    const gate = { ...wide, score: { maxDrop: 0.3 } };
    const claims = (options: Options) => {
      const partial = partialOf(options);
      return findHypotheses(comparisonOf(options).compared, { ...openGate, ...gate })
        .filter((claim) => partial?.hasFallen(claim) === true)
        .map(({ metric }) => metric);
    };
    expect(claims({ now: asked(30, () => 'f'), gate })).toEqual(['passRate']);
    expect(claims({ now: asked(30), gate })).toEqual([]);
    expect(claims({ now: (place) => (place === 5 ? 's' : place > 5 && place < 40 ? 'f' : 'p'), gate })).toEqual([]);
    // Errors are no falls.
    expect(claims({ now: asked(30, () => 'e'), gate })).toEqual([]);
  });

  test('is looked at on the way by the cases before the next one', () => {
    const look = (place: number | undefined): EarlyLook => ({
      share: 0.1,
      budget: 1,
      nextRank: () => (place === undefined ? undefined : rankOf(order, 'triage', ids[place] ?? '')),
    });
    expect(partialOf({ now: () => 'p', look: look(30) })?.isCertain).toBe(true);
    expect(partialOf({ now: () => 'p', look: look(5) })?.isCertain).toBe(false);
    // It was asked whole, so that it is tested once, at the end.
    expect(partialOf({ now: () => 'p', look: look(undefined) })?.isCertain).toBe(false);
  });
});

describe('a run that was decided early', () => {
  const judge = (options: Options, settings: object = { early: { order } }) =>
    judgeGated([comparisonOf(options)], { settings });

  test('keeps a part of each level for its end', () => {
    const levels = (settings?: object) => {
      const fallen = asked(60, (place) => (place % 4 === 0 ? 'f' : 'p'));
      const { cases, averages } = judge({ now: fallen, gate: {} }, settings).suspicions.flagged;
      return [...new Set([...cases, ...averages].map(({ level }) => level))];
    };
    expect([levels(), levels({})]).toEqual([[(0.05 * lastShare) / 2], [0.025]]);
  });

  test('says of a metric that it fell, and shows no interval of a part', () => {
    const [found] = judge({
      now: asked(30, (place) => (place % 2 === 0 ? 'f' : 'p')),
      gate: { ...wide, score: { maxDrop: 0.3 } },
    }).comparisons;
    const said = [...(found?.failures ?? []).map(({ message }) => message), ...(found?.warnings ?? [])];
    expect(said.filter((text) => text.includes('pass rate fell'))).toHaveLength(1);
    expect(said.join()).not.toContain('[');
  });
});

test('attempts before the end spend half as much each, all of them what the end leaves', () => {
  expect([1, 2, 3].map((attempt) => Number(shareOfAttempt(attempt).toFixed(6)))).toEqual([0.1, 0.05, 0.025]);
  expect(lastShare).toBe(0.8);
});

describe('what fresh trials are held back for', () => {
  const hypothesis = (metric: string) => ({ metric }) as unknown as Hypothesis;
  const variant = { recorded: {} } as unknown as VariantSummary;
  const averages = new Map(
    ['rate', 'score'].map((id) => [id, { kind: 'open', wanted: [] }] as const),
  ) as unknown as Settled['averages'];
  const cases = new Map([
    ['gated', { outcome: 'open', wanted: {} }],
    ['warned', { outcome: 'open', wanted: {} }],
    ['broken', { outcome: 'broken' }],
    ['added', { outcome: 'open', wanted: {} }],
  ]) as unknown as Settled['cases'];
  const suspicions = {
    claims: new Map([
      [
        variant,
        [
          { id: 'rate', hypothesis: hypothesis('passRate') },
          { id: 'score', hypothesis: hypothesis('score') },
        ],
      ],
    ]),
    flagged: {
      cases: [
        { id: 'gated', isGated: true, rule: 'suspect' },
        { id: 'warned', isGated: false, rule: 'suspect' },
        { id: 'broken', isGated: false, rule: 'suspect' },
        { id: 'added', isGated: false, rule: 'added' },
      ],
    },
  } as unknown as Suspicions;
  const held = (fallen: readonly string[]) => {
    const partial = new Map([
      [variant, { isCertain: false, hasFallen: ({ metric }: Hypothesis) => fallen.includes(metric) }],
    ]);
    const found = holdBack({ averages, cases }, suspicions, partial);
    return [[...found.averages.keys()], [...found.cases].map(([id, { outcome }]) => `${id} ${outcome}`)];
  };

  test('is an average that has not fallen, and a case that only warns', () => {
    expect(held([])).toEqual([[], ['gated open', 'warned not-needed', 'broken broken', 'added open']]);
  });

  test('is each case beside an average that has fallen', () => {
    expect(held(['score'])).toEqual([
      ['score'],
      ['gated not-needed', 'warned not-needed', 'broken broken', 'added open'],
    ]);
    expect(held(['passRate', 'score'])[0]).toEqual(['rate', 'score']);
  });
});

test('a metric of a part has no interval', () => {
  const evidence = { n: 3, baseline: 1, candidate: 0.5, delta: -0.5, low: -1, high: 0, p: 0.1, worstLow: -1 };
  const found = withoutInterval({
    hypothesis: { metric: 'passRate', evidence, p: 0.1 } as unknown as Hypothesis,
    verdict: 'inconclusive',
    isOpen: true,
  });
  expect(found).toMatchObject({
    verdict: 'inconclusive',
    isOpen: true,
    hypothesis: {
      metric: 'passRate',
      p: null,
      evidence: { ...evidence, low: null, high: null, worstLow: null, p: null },
    },
  });
});
