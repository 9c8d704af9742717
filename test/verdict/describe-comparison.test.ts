import { describe, expect, test } from 'vitest';
import type { ComparedClasses, ComparedVariant, MetricEvidence } from '../../src/model/comparison/comparison.ts';
import { describeClassGaps, describeComparison } from '../../src/verdict/gate/describe-comparison.ts';
import type { Hypothesis } from '../../src/verdict/gate/judge-metrics.ts';
import { gateMetrics, type JudgedMetric, judgeAsked } from '../../src/verdict/gate/test-metrics.ts';
import { openGate } from '../support/build-case.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';

const evidence = (more: Partial<MetricEvidence> = {}): MetricEvidence => ({
  n: 10,
  baseline: 0.9,
  candidate: 0.8,
  delta: -0.1,
  low: -0.2,
  high: 0.05,
  p: 0.2,
  ...more,
});
const hypothesis = (more: Partial<Hypothesis> = {}): Hypothesis => ({
  metric: 'passRate',
  code: 'pass-rate-regressed',
  evidence: evidence(),
  margin: 0.05,
  isRatio: false,
  level: 'fail',
  p: 0.2,
  ...more,
});
const clean = compareSides(buildSide(repeatCase(3, 'p')), buildSide(repeatCase(3, 'p')));
const planning = (cases: number | null, repeats: number | null) => ({ cases, repeats });

const verdict = {
  outcome: 'inconclusive',
  certainty: { kind: 'unseen', cases: 3, drop: 0.2 },
  notes: ['own note'],
  accepted: [{ caseId: 'a', change: 'regressed' }],
  isFirst: false,
  isPartial: false,
  unsettled: 0,
  unsettledAverages: 0,
  isOpenByErrors: false,
  isOfRecords: false,
  isSameRequest: false,
  open: [],
} satisfies Parameters<typeof describeComparison>[1];
const show = (compared: Partial<ComparedVariant>, more: Partial<Parameters<typeof describeComparison>[1]> = {}) =>
  describeComparison({ ...clean, ...compared }, { ...verdict, ...more });

describe('a comparison as a report shows it', () => {
  test('has its intervals, unless cases were not asked', () => {
    const metrics = { passRate: evidence(), costUsd: evidence({ baseline: 2 }), steps: evidence({ baseline: 3 }) };
    const shown = { baseline: 0.9, candidate: 0.8, delta: -0.1, low: -0.2, high: 0.05, p: 0.2 };
    const whole = show({ ...metrics, score: evidence({ n: 4 }) });
    expect([whole.passRate, whole.costUsd, whole.steps, whole.score]).toEqual([
      shown,
      { ...shown, baseline: 2 },
      { ...shown, baseline: 3 },
      shown,
    ]);
    const partial = show(metrics, { isPartial: true });
    expect(partial.passRate).toEqual({ ...shown, low: null, high: null, p: null });
    expect(partial.score.baseline).toBeNull();
    expect(show({})).not.toHaveProperty('steps');
  });

  test('says what is compared with what, and what is the first or from this run', () => {
    const found = show({}, { isFirst: true, unsettled: 2 });
    expect(found).toMatchObject({
      outcome: 'inconclusive',
      against: { source: 'test', prompt: 'v1' },
      isFirst: true,
      unsettled: 2,
      accepted: [{ caseId: 'a', change: 'regressed' }],
      notes: ['own note'],
    });
    expect(found).not.toHaveProperty('isWithinRun');
    expect(show({})).not.toHaveProperty('isFirst');
    expect(show({})).not.toHaveProperty('unsettled');
    expect(show({})).not.toHaveProperty('prompts');
    const accepting = { acceptedAt: '2026-01-01', ageDays: 3 };
    const baseline = { ...clean.baseline, kind: 'run', accepting } as const;
    expect(show({ baseline })).toMatchObject({ isWithinRun: true, against: accepting });
    const other = { ...clean.candidate, recorded: { ...clean.candidate.recorded, messages: [] } };
    expect(show({ candidate: other }).prompts?.candidate).toEqual([]);
  });

  test('lists cases by what became of them, and warns where most were lost', () => {
    const compared = compareSides(
      buildSide({ a: 'p', b: 'f', c: 'f', d: 'p', e: 'pf', gone: 'p', lost: 'f', away: 'pf' }),
      buildSide({ a: 'f', b: 'p', c: 'f', d: buildCaseSummary('d', 'p', { caseHash: 'x' }), e: 'pf', n: 'p' }),
    );
    const found = show(compared);
    expect(found.cases).toEqual({
      regressed: ['a'],
      drifted: [],
      fixed: ['b'],
      stillFailing: ['c'],
      flaky: ['e'],
      added: ['n'],
      removed: ['away', 'gone', 'lost'],
      redefined: ['d'],
    });
    expect(found).not.toHaveProperty('lostCases');
    expect(found.notes).toEqual(['2 of 3 removed cases failed or were flaky on the baseline: away, lost', 'own note']);
    const lost = (before: Record<string, string>, after: Record<string, string>) =>
      show(compareSides(buildSide(before), buildSide(after))).lostCases;
    expect(lost({ a: 'p', b: 'p' }, { a: 'p', n: 'p', m: 'p' })).toBeUndefined();
    expect(lost({ a: 'p', b: 'p', c: 'p' }, { a: 'p', n: 'p' })).toEqual({ lost: 2, of: 3 });
  });

  test('says what its data lack', () => {
    const rejudged = new Map(
      [...clean.cases].map(([id, found], index) => [id, { ...found, rejudged: index > 0 }] as const),
    );
    const slices = new Map([
      ['vip', { passRate: evidence({ n: 0 }), maxDrop: 0.1, planning: planning(null, null) }],
      ['eu', { passRate: evidence(), maxDrop: 0.2, planning: planning(null, null) }],
    ]);
    const notes = (compared: Partial<ComparedVariant>) => show(compared, { notes: [] }).notes;
    expect(notes({ sameAnswers: 1, answers: 3 })).toEqual(['1 of 3 answers is the very one the baseline holds']);
    expect(notes({ sameAnswers: 3, answers: 3 })).toEqual([
      '3 of 3 answers are the very ones the baseline holds: nothing new was measured',
    ]);
    expect(notes({ cases: rejudged })).toEqual([
      "2 cases have new checks: the baseline's answers were judged again by them, only for the rates",
    ]);
    expect(notes({ groups: 1 })).toEqual([
      'all 3 compared cases are of one group: nothing certain can be said of other inputs',
    ]);
    expect(notes({ groups: 2 })).toEqual([]);
    expect(notes({ slices })).toEqual([
      "slice vip: none of its cases can be compared, so a drop of its pass rate can't be seen",
    ]);
    expect(notes({ passRate: evidence({ isUnpaired: true }) })).toEqual([
      'no case is comparable: the pass rates are compared as those of two separate samples',
    ]);
    expect(notes({ errors: { baseline: 5, candidate: 2, share: 0.1 } })).toEqual([
      '2 errored trials could hide a regression',
    ]);
    expect(notes({ errors: { baseline: 5, candidate: 0, share: 0 } })).toEqual([]);
    expect(show({ slices }).slices).toEqual([
      expect.objectContaining({ slice: 'vip', cases: 0, maxDrop: 0.1 }),
      expect.objectContaining({ slice: 'eu', cases: 10, maxDrop: 0.2 }),
    ]);
  });

  test('names cases that passed when accepted and fail with the old prompt too', () => {
    const before = buildSide({ a: 'f', b: 'f', c: 'f' });
    const accepted = new Map(
      Object.entries({ a: 'p', b: 'p', c: 'f' }).map(([id, word]) => [id, buildCaseSummary(id, word)]),
    );
    const compared = compareSides({ ...before, accepted }, buildSide({ a: 'f', b: 'f', c: 'f' }));
    expect(show(compared, { notes: [] }).notes).toEqual([
      '2 cases that passed when accepted now fail with the old prompt too: a, b',
    ]);
    const own = compareSides(before, buildSide({ a: 'f', b: 'f', c: 'f' }));
    expect(show(own, { notes: [] }).notes).toEqual([]);
  });
});

describe('advice', () => {
  const advise = (one: Partial<Hypothesis>, compared: Partial<ComparedVariant> = {}) =>
    show({ planning: planning(73, 4), ...compared }, { open: [hypothesis(one)] }).advice[0];

  test('says which drop is not excluded, and what would exclude it', () => {
    expect(advise({})).toBe(
      'pass rate: a drop of up to 20 pts is not excluded by 10 cases; to certify 5 pts: ~73 cases, or 4 trials on these 10 cases',
    );
    expect(advise({ evidence: evidence({ n: 1, worstLow: -0.4 }) }, { planning: planning(null, 4) })).toBe(
      'pass rate: a drop of up to 40 pts is not excluded by 1 case; to certify 5 pts: 4 trials on this case',
    );
    expect(advise({ evidence: evidence({ low: null }) }, { planning: planning(null, null) })).toBe(
      'pass rate: a drop of any size is not excluded by 10 cases; to certify 5 pts: more cases',
    );
    expect(advise({}, { groups: 2, planning: planning(null, null) })).toBe(
      'pass rate: a drop of up to 20 pts is not excluded by 10 cases of 2 groups; to certify 5 pts: cases of more groups',
    );
    expect(advise({ evidence: evidence({ n: 0 }) })).toBe(
      'no case is comparable, so nothing can be said of the pass rate',
    );
    expect(show({}, { outcome: 'failed', open: [hypothesis()] }).advice).toEqual([]);
  });

  test('is that of the metric, slice or class that is meant', () => {
    const slices = new Map([['vip', { passRate: evidence(), maxDrop: 0.1, planning: planning(5, null) }]]);
    const recall = new Map([
      ['legal', { evidence: evidence(), maxDrop: 0.1, isLimited: true, planning: planning(6, null) }],
    ]);
    const parts = {
      slices,
      classes: { recall, f1: { evidence: evidence(), maxDrop: 0.1 } } as unknown as ComparedClasses,
      scorePlanning: planning(7, null),
      groups: 4,
    };
    const cases = (one: Partial<Hypothesis>, compared: Partial<ComparedVariant> = parts) =>
      /not excluded by (.*); to certify 5 pts: (.*)$/
        .exec(advise(one, compared) ?? '')
        ?.slice(1)
        .join(' | ');
    expect(cases({ slice: 'vip' })).toBe('10 cases | ~5 cases');
    expect(cases({ metric: 'recall', class: 'legal' })).toBe('10 cases | ~6 cases');
    expect(cases({ metric: 'score' })).toBe('10 cases of 4 groups | ~7 cases');
    expect(cases({ metric: 'score' }, {})).toBe('10 cases | ~73 cases, or 4 trials on these 10 cases');
    expect(cases({ metric: 'f1' }, {})).toBe('10 cases | more cases');
  });

  test('of a ratio is about an increase', () => {
    const ratio = { metric: 'cost', isRatio: true, margin: 0.1 } as const;
    expect(advise({ ...ratio, evidence: evidence({ high: 0.1 }) })).toBe(
      'cost: an increase beyond 10 % is not excluded by 10 cases: too few of them stayed within it',
    );
    expect(advise({ ...ratio, evidence: evidence({ high: 0.11, n: 1 }) })).toBe(
      'cost: an increase of up to 11 % is not excluded by 1 case; more cases narrow it',
    );
    expect(advise({ ...ratio, evidence: evidence({ high: null }) })).toBe(
      'cost: an increase of any size is not excluded by 10 cases; more cases narrow it',
    );
  });
});

test('what the comparison of classes could not see', () => {
  const classes = {
    cases: 2,
    recall: new Map([
      ['legal', { evidence: evidence({ n: 0 }), isLimited: true }],
      ['sales', { evidence: evidence({ n: 0 }), isLimited: false }],
      ['spam', { evidence: evidence(), isLimited: true }],
    ]),
    relabelled: 0,
    unclassified: 0,
    vanished: [],
  } as unknown as ComparedClasses;
  const gaps = (more: Partial<ComparedClasses>) => describeClassGaps({ ...clean, classes: { ...classes, ...more } });
  const limited = "class legal: none of its cases can be compared, so a drop of its recall can't be seen";
  expect(describeClassGaps(clean)).toEqual([]);
  expect(gaps({})).toEqual([limited]);
  expect(gaps({ relabelled: 1, unclassified: 2, cases: 0 })).toEqual([
    '1 case is of another class than when accepted, and not compared by class',
    "2 cases can't be compared by class: the baseline holds neither a class nor an answer",
    'no case can be compared by class, so a drop of recall or macro F1 cannot be seen',
    limited,
  ]);
  expect(
    gaps({
      relabelled: 2,
      vanished: [
        { name: 'old', cases: 1 },
        { name: 'gone', cases: 3 },
      ],
    }),
  ).toEqual([
    'class old has no case any more: its 1 case was removed since the baseline',
    'class gone has no case any more: its 3 cases were removed since the baseline',
    '2 cases are of another class than when accepted, and not compared by class',
    limited,
  ]);
});

describe('a metric that fresh trials decide about', () => {
  const look = (kind: string, more = {}, isCertain = false, pairs = 5) => {
    const { hypothesis: _one, ...rest } = judgeAsked(
      { id: 'rate', hypothesis: hypothesis(more), average: undefined, isAccepted: false },
      kind === 'none' ? undefined : ({ kind, cases: 5, pairs, p: 0.01 } as never),
      { alpha: 0.05, isCertain },
    );
    return rest;
  };
  const quiet = { verdict: 'inconclusive', isOpen: false };

  test('is what its looks say', () => {
    expect(look('confirmed')).toEqual({
      verdict: 'regressed',
      isOpen: false,
      why: 'seen again in fresh trials of 5 cases',
    });
    expect(look('confirmed', {}, false, 8).why).toBe('seen again in 8 fresh trials of 5 cases');
    expect(look('cleared')).toEqual({ ...quiet, why: 'but not in fresh trials of 5 cases' });
    for (const kind of ['unsettled', 'open']) {
      expect(look(kind)).toEqual({ ...quiet, isOpen: true, why: 'and fresh trials of 5 cases do not settle it' });
      expect(look(kind, {}, false, 0)).toEqual({ ...quiet, isOpen: true, why: 'and it was not asked again' });
    }
    expect(look('errored')).toEqual({
      ...quiet,
      isOpen: true,
      why: 'and the fresh trials that should settle it errored',
    });
    for (const kind of ['not-needed', 'none']) expect(look(kind)).toEqual(quiet);
    expect(look('none', {}, true)).toEqual({ ...quiet, verdict: 'not_regressed' });
    expect(look('none', { evidence: evidence({ low: -0.04 }) })).toEqual({ ...quiet, verdict: 'not_regressed' });
    expect(look('not-needed', {}, true)).toEqual(quiet);
  });
});

describe('what judged metrics do to the gate', () => {
  const fell = hypothesis({ evidence: evidence({ low: -0.2, high: -0.06, p: 0.001 }), p: 0.001 });
  const gate = (metrics: readonly Partial<JudgedMetric>[], compared: Partial<ComparedVariant> = {}, limits = {}) => {
    const judged = metrics.map(
      (one): JudgedMetric => ({ hypothesis: fell, verdict: 'inconclusive', isOpen: false, ...one }),
    );
    const where = { suite: 's', prompt: 'v', provider: 'p' };
    const found = gateMetrics(judged, { ...clean, ...compared }, { ...openGate, ...limits }, where);
    return { ...found, uncertain: found.uncertain.length };
  };
  const none = { failures: [], errors: [], notes: [], uncertain: 0, unsettled: [] };
  const words = 'pass rate fell: −10.0 pts [−20.0, −6.0], which is more than the 5 pts that are tolerated';

  test('a regression fails where a limit is set, and warns elsewhere', () => {
    expect(gate([{ verdict: 'regressed', why: 'seen again' }])).toEqual({
      ...none,
      failures: [
        {
          code: 'pass-rate-regressed',
          suite: 's',
          prompt: 'v',
          provider: 'p',
          metric: 'passRate',
          baseline: 0.9,
          candidate: 0.8,
          message: `${words}, seen again`,
        },
      ],
    });
    const warned = { ...fell, level: 'warn' } as const;
    expect(gate([{ verdict: 'regressed', hypothesis: warned }])).toEqual({
      ...none,
      notes: [`${words} (a warning: the suite's gate sets no limit)`],
    });
    const sliced = { ...fell, slice: 'vip', class: 'legal', evidence: { ...fell.evidence, baseline: null } };
    expect(gate([{ verdict: 'regressed', hypothesis: sliced }]).failures[0]).toMatchObject({
      slice: 'vip',
      class: 'legal',
    });
    expect(gate([{ verdict: 'regressed', hypothesis: sliced }]).failures[0]).not.toHaveProperty('baseline');
  });

  test('what is not settled is uncertain and said, what is within the margin is said where it is worse', () => {
    const open = gate([{ why: 'and not settled', isOpen: true }]);
    expect(open).toMatchObject({ ...none, notes: [`${words}, and not settled`], uncertain: 1, unsettled: [{}] });
    expect(open.unsettled).toMatchObject([
      { code: 'unsettled', metric: 'passRate', message: `${words}, and not settled` },
    ]);
    expect(gate([{ hypothesis: { ...fell, level: 'warn' }, isOpen: true }])).toEqual(none);
    // One of several that is open leaves the variant open.
    expect(
      [gate([{ isOpen: true }, {}]), gate([{}, { isOpen: true }])].map(({ unsettled }) => unsettled.length),
    ).toEqual([1, 1]);
    expect(gate([{}, {}])).toMatchObject({ unsettled: [], uncertain: 2 });
    const within = hypothesis({ evidence: evidence({ delta: -0.02, low: -0.04, high: -0.01 }), p: 0.001 });
    expect(gate([{ hypothesis: within, verdict: 'not_regressed' }])).toEqual({
      ...none,
      notes: ['pass rate fell: −2.0 pts [−4.0, −1.0], which is within the 5 pts that are tolerated'],
    });
    expect(gate([{ hypothesis: { ...within, p: 0.025 }, verdict: 'not_regressed' }]).notes).toHaveLength(1);
    const quiet = [
      { ...within, evidence: { ...within.evidence, high: 0.01 } },
      { ...within, p: 0.026 },
      { ...within, p: null },
    ];
    for (const one of quiet) expect(gate([{ hypothesis: one, verdict: 'not_regressed' }])).toEqual(none);
  });

  test('a cost or latency that is not known can’t be judged', () => {
    const cost = hypothesis({ metric: 'cost', code: 'cost-regressed', isRatio: true, margin: 0.1 });
    const latency = { ...cost, metric: 'latency', code: 'latency-regressed' } as const;
    expect(gate([{ hypothesis: cost }], { isCostUnknown: true }).errors).toEqual([
      {
        code: 'unpriced',
        suite: 's',
        prompt: 'v',
        provider: 'p',
        metric: 'cost',
        message:
          "the cost can't be compared (no price, or an answer without usage), so the limit of +10 % can't be judged",
      },
    ]);
    expect(gate([{ hypothesis: latency }], { isLatencyUnknown: true }).errors).toMatchObject([
      { code: 'untimed', metric: 'latency' },
    ]);
    for (const [one, compared] of [
      [cost, { isLatencyUnknown: true }],
      [latency, { isCostUnknown: true }],
      [{ ...cost, level: 'warn' as const }, { isCostUnknown: true }],
    ] as const) {
      expect(gate([{ hypothesis: one }], compared).errors).toEqual([]);
    }
  });

  test('a latency gate that was not applied, and latencies that depend on the order, are said', () => {
    const limits = { latency: { maxIncrease: 0.1 } };
    expect(gate([], { latencyComparable: false }, limits).notes).toHaveLength(1);
    expect(gate([], { latencyComparable: true }, limits).notes).toEqual([]);
    expect(gate([], { latencyComparable: false }).notes).toEqual([]);
    const latency = hypothesis({ metric: 'latency', isRatio: true, margin: 0.1, level: 'warn' });
    const later = { laterLatency: 0.3, latencyMs: evidence({ delta: 0.05 }) };
    const order = /^latency depends more on the order/;
    expect(gate([{ hypothesis: { ...latency, level: 'fail' } }], later).notes).toEqual([expect.stringMatching(order)]);
    expect(gate([{ hypothesis: latency, verdict: 'regressed' }], later).notes).toEqual([
      expect.stringContaining('a warning'),
      expect.stringMatching(order),
    ]);
    expect(gate([{ hypothesis: latency }], later).notes).toEqual([]);
    expect(gate([{ hypothesis: { ...latency, level: 'fail' } }]).notes).toEqual([]);
  });
});
