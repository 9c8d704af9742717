import { describe, expect, test } from 'vitest';
import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import type { CaseSummary } from '../../src/model/run/summary.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { type CaseBreach, failsGate, flagRun, isBrokenMustPass } from '../../src/verdict/gate/flag-cases.ts';
import type { GatedComparison } from '../../src/verdict/gate/gated-comparison.ts';
import { buildGated, type GatedOptions, unavailable, unchanged } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, type CaseOptions, compareSides } from '../support/build-side.ts';
import { rowsOf, type SummaryOptions, summarize } from '../support/build-summary.ts';

const must: CaseOptions = { mustPass: true };
const other: CaseOptions = { caseHash: 'other' };

type Cases = Readonly<Record<string, string | CaseSummary>>;

/** A word for each case that looks worse, and what is asked again. */
function find(gated: readonly GatedComparison[], settings: Partial<RunSettings> = {}) {
  const found = flagRun({ suites: gated.map(({ suite }) => suite) }, gated, { settings });
  const { cases, averages, ...flagged } = found.flagged;
  const caseIdOf = (id: string) => (JSON.parse(id) as readonly string[]).at(-1);
  return {
    said: [...found.ofVariant.values()]
      .flat()
      .map(({ caseId, because, rule, askable, noun }) => `${caseId} ${because} ${rule} ${askable} (${noun})`),
    asks: cases.map(({ id, rule, isGated }) => `${caseIdOf(id)} ${rule} ${isGated ? 'gated' : 'warns'}`),
    cases,
    averages: averages.length,
    accepted: found.accepted.size,
    flagged,
  };
}

const compare = (before: Cases, after: Cases, more: Partial<ComparedVariant> = {}): ComparedVariant => ({
  ...compareSides(buildSide(before), buildSide(after)),
  ...more,
});
const findIn = (before: Cases, after: Cases, options: GatedOptions = {}, settings: Partial<RunSettings> = {}) =>
  find([buildGated(compare(before, after), options)], settings);

describe('a case that failed', () => {
  test.each<[string, Cases, Cases, readonly string[]]>([
    ['passes', { a: 'p' }, { a: 'p' }, []],
    ['fails still', { a: 'f' }, { a: 'f' }, []],
    ['passed by majority', { a: 'ppf' }, { a: 'fff' }, ['a case-broken suspect both (case)']],
    ['fails at times', { a: 'pp' }, { a: 'pf' }, []],
    ['is new', {}, { a: 'f' }, ['a case-added-failed added both (new case)']],
    ['is new and passes', {}, { a: 'p' }, []],
    ['is new and was not judged', {}, { a: 'e' }, []],
    [
      'was redefined',
      { a: buildCaseSummary('a', 'p', other) },
      { a: 'f' },
      ['a case-added-failed added both (redefined case)'],
    ],
    ['was accepted without a verdict', { a: 'e' }, { a: 'f' }, ['a case-added-failed added both (new case)']],
    ['has no verdict now', { a: 'p' }, { a: 'e' }, []],
    [
      'must pass',
      { a: buildCaseSummary('a', 'p', must) },
      { a: buildCaseSummary('a', 'pf', must) },
      ['a must-pass must-pass both (must-pass case)'],
    ],
    ['must pass and does', { a: buildCaseSummary('a', 'p', must) }, { a: buildCaseSummary('a', 'pp', must) }, []],
    [
      'must pass and was broken before',
      { a: buildCaseSummary('a', 'f', must) },
      { a: buildCaseSummary('a', 'f', must) },
      ['a must-pass known both (must-pass case)'],
    ],
    [
      'must pass since now',
      { a: 'f' },
      { a: buildCaseSummary('a', 'f', must) },
      ['a must-pass must-pass both (must-pass case)'],
    ],
    [
      'must pass and failed at times before',
      { a: buildCaseSummary('a', 'ppf', must) },
      { a: buildCaseSummary('a', 'ff', must) },
      ['a must-pass suspect both (case)'],
    ],
    [
      'must pass and was cleared before',
      { a: buildCaseSummary('a', 'f+pp', must) },
      { a: buildCaseSummary('a', 'f', must) },
      ['a must-pass must-pass both (must-pass case)'],
    ],
    [
      'must pass and was redefined',
      { a: buildCaseSummary('a', 'f', { ...must, ...other }) },
      { a: buildCaseSummary('a', 'f', must) },
      ['a must-pass must-pass both (must-pass case)'],
    ],
  ])('and %s', (_, before, after, said) => {
    expect(findIn(before, after).said).toEqual(said);
  });

  test('was accepted by what the version before had, not by what that says in this run', () => {
    const [broken, fine] = [buildCaseSummary('a', 'f', must), buildCaseSummary('a', 'p', must)];
    const beside = (accepted: Readonly<Record<string, CaseSummary>>) => {
      const baseline = { ...buildSide({ a: broken }), accepted: new Map(Object.entries(accepted)) };
      return find([buildGated(compareSides(baseline, buildSide({ a: broken })))]).said;
    };
    expect(beside({ a: broken })).toEqual(['a must-pass known both (must-pass case)']);
    expect(beside({ a: fine })).toEqual(['a must-pass must-pass both (must-pass case)']);
    expect(beside({})).toEqual(['a must-pass must-pass both (must-pass case)']);
  });

  test('can’t be accepted as broken by the first baseline', () => {
    const broken = { a: buildCaseSummary('a', 'f', must) };
    expect(find([{ ...buildGated(compare(broken, broken)), isFirst: true }]).said).toEqual([
      'a must-pass must-pass both (must-pass case)',
    ]);
  });

  test('counts beside a comparison too if all cases of its suite must pass', () => {
    const args = [
      { a: 'f', b: 'p' },
      { a: 'f', b: 'p' },
    ] as const;
    expect(findIn(...args, { mustPassWhole: true }).said).toEqual(['a first-run added both (case)']);
    expect(findIn(...args, { mustPassWhole: true, gate: { passRate: { min: 0.5 } } }).said).toEqual([]);
    expect(findIn(...args, { mustPassWhole: false }).said).toEqual([]);
  });

  test('is judged by whom the run can ask', () => {
    const askable = (options: GatedOptions) => findIn({ a: 'p' }, { a: 'f' }, options).said[0];
    expect(askable({})).toBe('a case-broken suspect both (case)');
    expect(askable({ acceptedPrompt: unavailable })).toBe('a case-broken suspect candidate (case)');
    // An unchanged prompt is asked again like any other.
    expect(askable({ acceptedPrompt: unchanged })).toBe('a case-broken suspect both (case)');
    expect(askable({ suite: { replayed: true } })).toBe('a case-broken suspect recordings (case)');
    expect(askable({ isOfRecords: true })).toBe('a case-broken suspect records (case)');
    for (const budget of [{ calls: 0 }, { share: 0 }]) {
      expect(askable({ gate: { confirm: { cases: 10, budget } } })).toBe('a case-broken suspect budget (case)');
    }
  });

  test('is judged without the accepted prompt where that errs more often than it answers', () => {
    const askable = (accepted: string) =>
      findIn({ a: 'p', b: 'p' }, { a: `f+fff|${accepted}`, b: 'f' }).said.map((text) => text.split(' ')[3]);
    expect(askable('ee')).toEqual(['candidate', 'candidate']);
    expect(askable('pee')).toEqual(['candidate', 'candidate']);
    expect(askable('e')).toEqual(['both', 'both']);
    expect(askable('ppee')).toEqual(['both', 'both']);
  });

  test('is accepted where the change’s own baseline holds it so', () => {
    const after = { a: 'f', b: 'f', n: 'f' };
    const compared = compare({ a: 'p', b: 'p' }, after);
    const own = compare({ a: 'f', b: 'p', n: 'f' }, after);
    const found = find([buildGated(compared, { own })]);
    expect([found.said, found.accepted]).toEqual([['b case-broken suspect both (case)'], 1]);
    const none = find([buildGated(compared, { own: compare({ a: 'p', b: 'p' }, after) })]);
    expect([none.said.length, none.accepted]).toEqual([3, 0]);
  });
});

describe('what the run asks again', () => {
  const after = { a: 'f', b: 'f', n: 'f', m: buildCaseSummary('m', 'f', must) };
  const before = { a: 'p', b: 'ppppfff', m: buildCaseSummary('m', 'p', must) };
  const asks = (gate: Partial<GatePolicy> = {}) => findIn(before, after, { gate }).asks;

  test('is must-pass cases, and then suspects and new cases in an order that their names decide', () => {
    const [first, ...rest] = asks();
    expect(first).toBe('m must-pass gated');
    expect(rest.toSorted()).toEqual(['a suspect gated', 'b suspect gated', 'n added gated']);
    const reversed = findIn(Object.fromEntries(Object.entries(before).toReversed()), after).asks;
    expect(reversed).toEqual(asks());
  });

  test('is also what only warns, but for a must-pass case', () => {
    expect(asks({ cases: { broken: 'warn', drifted: 'warn', added: 'warn' } }).toSorted()).toEqual([
      'a suspect warns',
      'b suspect warns',
      'm must-pass gated',
      'n added warns',
    ]);
  });

  test('only warns where a judge of the suite is not validated', () => {
    const suite = { unvalidated: ['judge gpt-4o has no labels'] };
    expect(findIn({ a: 'p' }, { a: 'f' }, { suite }).asks).toEqual(['a suspect warns']);
  });

  test('is nothing of what is known as broken', () => {
    const known = { m: buildCaseSummary('m', 'f', must) };
    expect(findIn(known, known).asks).toEqual([]);
  });

  test('names groups by their variant, and shares the level of a part of the run', () => {
    const kin = { a: buildCaseSummary('a', 'f', { group: 'kin' }), b: 'f' };
    const { cases } = findIn({ a: 'p', b: 'p' }, kin);
    const groups = new Map(cases.map(({ id, group }) => [id.includes('"a"'), group]));
    expect([groups.get(false), groups.get(true)]).toEqual([undefined, expect.stringContaining('kin')]);
    const gated = [buildGated(compare({ a: 'p' }, { a: 'f' }), { gate: { alpha: 0.02 } })];
    const levels = (share: number) =>
      flagRun({ suites: gated.map(({ suite }) => suite) }, gated, { settings: {}, share }).flagged.cases.map(
        ({ level }) => level,
      );
    expect([levels(1), levels(0.8)]).toEqual([[0.01], [0.008]]);
  });

  test('shares its evidence with other shards, and its level with averages that stored trials decide', () => {
    const apart = buildGated(compareSides(buildSide({ a: 'p' }), buildSide({ b: 'p' })));
    expect(find([apart]).flagged).toEqual({ storedAverages: 1, casesOfOtherShards: 0, shards: 1 });
    const shard = { index: 1, count: 3, otherCases: { triage: 4, other: 5 } };
    expect(find([apart], { shard }).flagged).toEqual({ storedAverages: 1, casesOfOtherShards: 9, shards: 3 });
  });

  test('leaves out variants that another one replaces', () => {
    const gated = buildGated(compare({ a: 'p' }, { a: 'f' }));
    const replaced = { ...gated.variant, replacedBy: 'v2' };
    const suite = { ...gated.suite, variants: [replaced] };
    expect(flagRun({ suites: [suite] }, [], { settings: {} }).ofVariant.size).toBe(0);
  });
});

test.each<[CaseBreach, Partial<GatePolicy['cases']>, boolean]>([
  ['case-broken', {}, true],
  ['case-broken', { broken: 'warn' }, false],
  ['case-added-failed', {}, true],
  ['case-added-failed', { added: 'warn' }, false],
  ['contract-changed', { added: 'warn' }, true],
  ['contract-changed', { broken: 'warn' }, true],
  ['contract-changed', { broken: 'warn', added: 'warn' }, false],
  ['must-pass', { broken: 'warn', added: 'warn' }, true],
  ['first-run', { broken: 'warn', added: 'warn' }, true],
])('a confirmed failure by %s with %j fails the gate: %s', (because, cases, fails) => {
  expect(failsGate(because, { ...defaultGate, cases: { ...defaultGate.cases, ...cases } })).toBe(fails);
});

describe('a variant of which nothing was accepted', () => {
  const first = (outcomes: string, options: SummaryOptions = {}, mustPass = false) => {
    const { suites } = summarize(rowsOf(outcomes, { mustPass }), options);
    const { ofVariant } = flagRun({ suites }, [], { settings: {} });
    return [...ofVariant.values()]
      .flat()
      .map(({ caseId, because, rule, askable }) => `${caseId} ${because} ${rule} ${askable}`);
  };

  test('must pass whole, unless the suite sets a limit; what must pass must anyway', () => {
    expect(first('p f pf e')).toEqual(['case-1 first-run added candidate']);
    const limit = { gate: { passRate: { min: 0.5 } } };
    expect(first('p f', limit)).toEqual([]);
    expect(first('p f', limit, true)).toEqual(['case-1 must-pass must-pass candidate']);
    expect(first('pf', {}, true)).toEqual(['case-0 must-pass must-pass candidate']);
    expect(first('f', { suite: { replayed: true } })).toEqual(['case-0 first-run added recordings']);
    expect(first('f', { gate: { confirm: { cases: 10, budget: { calls: 0 } } } })).toEqual([
      'case-0 first-run added budget',
    ]);
  });
});

test.each([
  ['p', false],
  ['f', true],
  ['pf', true],
  ['f+pp', false],
  ['f+ppf', false],
  ['f+p', true],
  ['f+ppff', true],
  ['f+ff', true],
])('a must-pass case stored as %s was broken: %s', (outcomes, is) => {
  expect(isBrokenMustPass(buildCaseSummary('a', outcomes))).toBe(is);
});
