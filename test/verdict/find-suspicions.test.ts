import { describe, expect, test } from 'vitest';
import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import type { CaseSummary } from '../../src/model/run/summary.ts';
import type { GatePolicy } from '../../src/model/suite/suite.ts';
import { findSuspicions, isBrokenMustPass } from '../../src/verdict/gate/find-suspicions.ts';
import type { GatedComparison } from '../../src/verdict/gate/gated-comparison.ts';
import { buildGated, type GatedOptions, unavailable, unchanged } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, type CaseOptions, compareSides } from '../support/build-side.ts';
import { rowsOf, type SummaryOptions, summarize } from '../support/build-summary.ts';

const must: CaseOptions = { mustPass: true };
const other: CaseOptions = { caseHash: 'other' };

type Cases = Readonly<Record<string, string | CaseSummary>>;

/** A word for each case that looks worse, and what the run asks by. */
function find(gated: readonly GatedComparison[], settings: Partial<RunSettings> = {}) {
  const found = findSuspicions({ suites: gated.map(({ suite }) => suite) }, gated, settings);
  const { suspects, added, mustPass, ...input } = found.input;
  return {
    said: [...found.ofVariant.values()]
      .flat()
      .map(({ caseId, because, rule, sides, noun }) => `${caseId} ${because} ${rule} ${sides} (${noun})`),
    asks: [
      ...suspects.map(
        ({ found: { caseId }, asksAccepted, isGated, failures }) =>
          `${caseId} suspect ${asksAccepted ? 'both' : 'one'} ${isGated ? 'gated' : 'warns'} ${failures}`,
      ),
      ...added.map(({ found: { caseId } }) => `${caseId} added`),
      ...mustPass.map(({ caseId }) => `${caseId} must-pass`),
    ],
    accepted: found.accepted.size,
    ...input,
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
    const sides = (options: GatedOptions, settings: Partial<RunSettings> = {}) =>
      findIn({ a: 'p' }, { a: 'f' }, options, settings).said[0];
    expect(sides({ acceptedPrompt: unavailable })).toBe('a case-broken suspect candidate (case)');
    expect(sides({ acceptedPrompt: unchanged })).toBe('a case-broken suspect unchanged (case)');
    expect(sides({ acceptedPrompt: unchanged }, { drift: true })).toBe('a case-drifted suspect drift (case)');
    expect(sides({ suite: { replayed: true } })).toBe('a case-broken suspect nothing (case)');
    expect(sides({ isOfRecords: true })).toBe('a case-broken suspect records (case)');
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
  const asks = (gate: Partial<GatePolicy> = {}, options: GatedOptions = {}, settings: Partial<RunSettings> = {}) =>
    findIn(before, after, { gate, ...options }, settings).asks;

  test('is each suspect with as many failures as its rate allows for, new cases and must-pass cases', () => {
    expect(asks()).toEqual(['a suspect both gated 3', 'b suspect both gated 5', 'n added', 'm must-pass']);
    expect(asks({ cases: { broken: 'warn', drifted: 'warn', added: 'warn' } })).toEqual([
      'a suspect both warns 3',
      'b suspect both warns 5',
      'm must-pass',
    ]);
    expect(asks({}, { acceptedPrompt: unavailable })[0]).toBe('a suspect one gated 3');
    const drifted = asks({ cases: { broken: 'warn', drifted: 'fail', added: 'fail' } }, { acceptedPrompt: unchanged });
    expect(drifted[0]).toBe('a suspect one gated 3');
  });

  test('leaves out what can not be asked', () => {
    expect(asks({}, { suite: { replayed: true } })).toEqual([]);
    expect(asks({ confirm: { cases: 10, budget: 0 } })).toEqual([]);
    expect(asks({}, { acceptedPrompt: unchanged })).toEqual(['n added', 'm must-pass']);
    expect(asks({}, { isOfRecords: true })).toEqual([]);
    const tried = { ...after, n: 'f+f' };
    expect(find([buildGated(compare(before, tried), { isOfRecords: true })]).asks).toEqual(['n added']);
  });

  test('shares calls and levels over all variants, those that other shards judge included', () => {
    const one = buildGated(compare({ a: 'p', b: 'p' }, { a: 'p', b: 'p' }), {
      planned: 7,
      gate: { confirm: { cases: 10, budget: 0.5 } },
    });
    const two = buildGated(compare({ a: 'p', b: 'p', c: 'p' }, { a: 'p', b: 'p', c: 'p' }), {
      acceptedPrompt: unavailable,
      otherCases: 5,
    });
    const { maxRetrials, askedShare, comparedCases, shards, mergedShards, storedAverages } = find([one, two], {
      shard: { index: 1, count: 3 },
    });
    expect({ maxRetrials, askedShare, comparedCases, shards, mergedShards, storedAverages }).toEqual({
      maxRetrials: 6,
      askedShare: 2 / 10,
      comparedCases: 2,
      shards: 3,
      mergedShards: undefined,
      storedAverages: 1,
    });
    const drift = buildGated(two.compared, { acceptedPrompt: unchanged });
    expect(find([one, drift], { drift: true }).askedShare).toBe(2 / 5);
    expect(find([one, drift]).askedShare).toBe(1);
    expect(find([two]).askedShare).toBe(1);
    expect(find([buildGated(one.compared, { suite: { replayed: true } })]).maxRetrials).toBe(0);
    // A case that the suite skips sends nothing that confirmation trials may add up to; one that was not reached may.
    const skips = (skipReason: 'case' | 'budget') =>
      buildGated(compare({ a: 'p' }, { a: 'p', b: buildCaseSummary('b', 'ss', { row: { skipReason } }) }), {
        planned: 7,
      });
    expect([find([skips('case')]).maxRetrials, find([skips('budget')]).maxRetrials]).toEqual([5, 7]);
    expect(find([one], { mergedShards: 4 }).mergedShards).toBe(4);
  });
});

describe('a variant of which nothing was accepted', () => {
  const first = (outcomes: string, options: SummaryOptions = {}, mustPass = false) => {
    const { suites } = summarize(rowsOf(outcomes, { mustPass }), options);
    const { ofVariant, input } = findSuspicions({ suites }, [], {});
    return [
      ...[...ofVariant.values()]
        .flat()
        .map(({ caseId, because, rule, sides }) => `${caseId} ${because} ${rule} ${sides}`),
      input.added.length,
      input.mustPass.length,
    ];
  };

  test('must pass whole, unless the suite sets a limit; what must pass must anyway', () => {
    expect(first('p f pf e')).toEqual(['case-1 first-run added candidate', 'case-2 first-run added candidate', 2, 0]);
    const limit = { gate: { passRate: { min: 0.5 } } };
    expect(first('p f', limit)).toEqual([0, 0]);
    expect(first('p f', limit, true)).toEqual(['case-1 must-pass must-pass candidate', 0, 1]);
    expect(first('f', { suite: { replayed: true } })).toEqual(['case-0 first-run added nothing', 0, 0]);
    expect(first('f', { gate: { confirm: { cases: 10, budget: 0 } } })).toEqual([
      'case-0 first-run added nothing',
      0,
      0,
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
])('a must-pass case stored as %s was broken: %s', (outcomes, is) => {
  expect(isBrokenMustPass(buildCaseSummary('a', outcomes))).toBe(is);
});
