import { describe, expect, test } from 'vitest';
import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import { openGate } from '../support/build-case.ts';
import {
  buildGated,
  type GatedOptions,
  type JudgeGatedOptions,
  judgeGated,
  unavailable,
  unchanged,
} from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';

interface JudgeOptions extends GatedOptions, JudgeGatedOptions {}

function judge(compared: ComparedVariant, options: JudgeOptions = {}) {
  const [judged] = judgeGated([buildGated(compared, options)], options).comparisons;
  if (judged === undefined) throw new Error('one comparison, one verdict');
  return judged;
}

/** The accepted prompt can't be asked. */
const alone: JudgeOptions = { acceptedPrompt: unavailable };
/** Recordings answer. */
const recorded: JudgeOptions = { ...alone, suite: { replayed: true } };
/** Nothing is live, so that what was stored decides about averages. */
const ofRecords: JudgeOptions = { isOfRecords: true };

const broken = (count: number, of: number) =>
  compareSides(buildSide(repeatCase(of, 'p')), buildSide({ ...repeatCase(of, 'p'), ...repeatCase(count, 'f') }));

const warn = { cases: { broken: 'warn', drifted: 'warn', added: 'warn' } } as const;

describe('the verdict', () => {
  test('is failed where 15 of 50 fail now, and its breach has the numbers', () => {
    const { failures, report } = judge(broken(15, 50), { ...ofRecords, gate: warn });
    expect(report.outcome).toBe('failed');
    expect(failures).toMatchObject([
      { code: 'pass-rate-regressed', suite: 'triage', prompt: 'v1', provider: 'p', baseline: 1, candidate: 0.7 },
    ]);
    expect(failures[0]?.message).toBe(
      'pass rate fell: −30.0 pts [−43.8, −19.1], which is more than the 5 pts that are tolerated',
    );
  });

  test('that has failed asks for nothing that would settle it', () => {
    const { report } = judge(broken(4, 20), recorded);
    expect([report.outcome, report.advice]).toEqual(['failed', []]);
  });

  test('has one sentence for several failures that are open for one reason', () => {
    const notes = (count: number, options: JudgeOptions) => judge(broken(count, 100), options).report.notes;
    expect(notes(1, ofRecords)).toEqual([expect.stringMatching(/^case case-000 .*, so it was not asked again$/)]);
    expect(notes(6, ofRecords)[0]).toMatch(
      /^6 failures are not settled: case-\d+(, case-\d+){4} and 1 more; two records .*, so they were not asked again$/,
    );
    expect(notes(2, {})[0]).toMatch(/^2 failures are not settled: .*; the calls for fresh trials were used up/);
  });

  test('is passed for clean cases, with what would exclude a drop that twenty can’t see', () => {
    expect(judge(broken(0, 100)).report).toMatchObject({ outcome: 'passed', advice: [] });
    const { isInconclusive, report } = judge(broken(0, 20));
    expect([isInconclusive, report.outcome]).toEqual([false, 'passed']);
    expect(report.advice).toEqual([
      'pass rate: a drop of up to 16.1 pts is not excluded by 20 cases; to certify 5 pts: ~73 cases',
    ]);
  });

  test('is open between two records if one holds a failure, which is listed', () => {
    const { failures, report, warnings } = judge(broken(1, 400), ofRecords);
    expect([failures, report.outcome]).toEqual([[], 'inconclusive']);
    expect(warnings.join()).toContain('case-000');
    expect(judge(broken(1, 400), { ...ofRecords, gate: warn }).report.outcome).toBe('passed');
  });

  test('is open, never failed, where nothing was asked again', () => {
    for (const count of [1, 15, 50]) {
      for (const options of [{}, alone, { acceptedPrompt: unchanged }]) {
        const { failures, report } = judge(broken(count, 50), options);
        expect([failures, report.outcome]).toEqual([[], 'inconclusive']);
      }
    }
    expect(judge(broken(0, 50), { acceptedPrompt: unchanged }).report.outcome).toBe('passed');
  });

  test('is open with too many errors, whatever the rest says', () => {
    const candidate = buildSide({ ...repeatCase(200, 'p'), ...repeatCase(11, 'e') });
    const compared = compareSides(buildSide(repeatCase(200, 'p')), candidate, { margin: 0.5 });
    const { isInconclusive, warnings } = judge(compared, { gate: { passRate: { maxDrop: 0.5 } } });
    expect([isInconclusive, warnings.join().includes('5.5 % of the trials errored')]).toEqual([true, true]);
  });
});

test('one errored trial of twenty leaves a verdict on the rest', () => {
  const candidate = buildSide({ ...repeatCase(190, 'p'), ...repeatCase(10, 'e', 'errored') });
  const before = buildSide({ ...repeatCase(190, 'p'), ...repeatCase(10, 'p', 'errored') });
  const compared = compareSides(before, candidate, { margin: 0.5 });
  expect(compared.errors.share).toBe(0.05);
  expect(judge(compared, { gate: { passRate: { maxDrop: 0.5 } } }).isInconclusive).toBe(false);
});

test('fresh trials of another accepted prompt say nothing of the one that a stored run is compared with', () => {
  const compared = compareSides(buildSide({ a: 'p' }), buildSide({ a: buildCaseSummary('a', 'f+ffffff|ffffff') }));
  const notes = (options: JudgeOptions) => judge(compared, options).report.notes.join();
  expect(notes({})).toContain('the accepted prompt failed 4 of 4');
  expect(notes(ofRecords)).not.toContain('the accepted prompt failed');
});

describe('an average that looks worse', () => {
  /** Twenty of a hundred fail that passed; then fresh trials. */
  const looked = (outcomes: { readonly failed: string; readonly others: string }, options: JudgeOptions = {}) => {
    const candidate = { ...repeatCase(100, `p${outcomes.others}`), ...repeatCase(20, `f${outcomes.failed}`) };
    return judge(compareSides(buildSide(repeatCase(100, 'p')), buildSide(candidate)), { gate: warn, ...options });
  };

  test('fails where fresh trials confirm it, and says so', () => {
    const { failures, report } = looked({ failed: '+ff|pp', others: '+pp|pp' });
    expect(report.outcome).toBe('failed');
    expect(failures).toMatchObject([{ code: 'pass-rate-regressed', baseline: 1, candidate: 0.8 }]);
    expect(failures[0]?.message).toMatch(/^pass rate fell: −20\.0 pts .*, seen again in fresh trials of \d+ cases$/);
  });

  test('passes where they do not, and says so', () => {
    const { failures, report, isInconclusive } = looked({ failed: '+pp|pp', others: '+pp|pp' });
    expect([failures, report.outcome, isInconclusive]).toEqual([[], 'passed', false]);
    expect(report.notes.join()).toContain(', but not in 200 fresh trials of 100 cases');
  });

  test('is drift where the accepted prompt has fallen too', () => {
    const { failures, drift, report } = looked({ failed: '+ff|ff', others: '+pp|pp' });
    expect([failures, drift.isBeyondMargin, drift.drop?.by.toFixed(2)]).toEqual([[], true, '0.20']);
    expect(report.notes.join()).toContain('own pass rate fell by 20 pts in fresh trials of 100 cases');
    const nightly = looked({ failed: '+ff|ff', others: '+pp|pp' }, { gate: {}, settings: { drift: true } });
    expect(nightly.failures).toContainEqual(expect.objectContaining({ code: 'pass-rate-drifted' }));
  });

  test('is open where no fresh trial was made', () => {
    for (const options of [{}, alone, { settings: { mergedShards: 4 } }]) {
      const { failures, report, unsettledAverages } = looked({ failed: '', others: '' }, options);
      expect([failures, report.outcome, unsettledAverages.length]).toEqual([[], 'inconclusive', 1]);
      expect(report.notes.join()).toContain('and it was not asked again');
    }
  });

  test('is compared with what was accepted where the accepted prompt can’t be asked', () => {
    expect(looked({ failed: '+ff', others: '+pp' }, alone).failures).toMatchObject([{ code: 'pass-rate-regressed' }]);
    expect(looked({ failed: '+pp', others: '+pp' }, alone).report.outcome).toBe('passed');
  });

  test('is decided by what is stored where nothing is live', () => {
    for (const options of [ofRecords, recorded]) {
      const { failures } = judge(broken(20, 100), { ...options, gate: warn });
      expect(failures.map(({ code }) => code)).toEqual(['pass-rate-regressed']);
      // Four of a hundred: p = 0.03, two: 0.125.
      const open = judge(broken(4, 100), { ...options, gate: warn });
      expect([open.failures, open.report.outcome]).toEqual([[], 'inconclusive']);
      expect(judge(broken(2, 100), { ...options, gate: warn }).report.outcome).toBe('passed');
    }
  });

  test('never fails without a budget', () => {
    const unpaid = { ...warn, confirm: { cases: 10, budget: { calls: 0 } } };
    const { failures, unsettledAverages } = judge(broken(20, 100), { gate: unpaid });
    expect([failures, unsettledAverages.map(({ code }) => code)]).toEqual([[], ['unsettled']]);
    expect(unsettledAverages[0]?.message).toContain('and gate.confirm.budget is 0');
  });
});

test('a confirmed slice fails beside a case that stays open', () => {
  const gate = { passRate: { maxDrop: 0.9 }, slices: { german: { passRate: { maxDrop: 0.05 } } } };
  const german = (outcomes: string, prefix: string) =>
    Object.fromEntries(
      Object.keys(repeatCase(10, 'p', prefix)).map((id) => [
        id,
        { ...buildCaseSummary(id, outcomes), slices: ['german'] },
      ]),
    );
  const before = buildSide({ ...repeatCase(100, 'p'), ...german('pp', 'fallen'), ...german('p', 'held'), z: 'p' });
  const after = buildSide({
    ...repeatCase(100, 'p'),
    ...german('pf+fff|ppp', 'fallen'),
    ...german('p+pp|pp', 'held'),
    z: 'f',
  });
  const compared = compareSides(before, after, { gate: { ...openGate, ...gate }, margin: 0.9 });
  const { failures, unsettled } = judge(compared, { gate });
  expect(failures.map(({ code, slice }) => [code, slice])).toEqual([['slice-regressed', 'german']]);
  expect(unsettled.map(({ caseId }) => caseId)).toEqual(['z']);
});

describe('broken cases', () => {
  const before = buildSide({ ...repeatCase(20, 'p'), a: 'p', b: 'p' });
  const after = (a: string, c: string) =>
    compareSides(before, buildSide({ ...repeatCase(20, 'p'), a, b: 'p', ...(c === '' ? {} : { c }) }));
  const codesOf = ({ failures }: ReturnType<typeof judge>) => failures.map(({ code, caseId }) => [code, caseId]);

  test('fail one by one, named', () => {
    expect(codesOf(judge(after('f+fffff|ppppp', 'f+fffffff')))).toEqual([
      ['case-broken', 'a'],
      ['case-added-failed', 'c'],
    ]);
    expect(codesOf(judge(after('f', 'f'), recorded))).toEqual([
      ['case-broken', 'a'],
      ['case-added-failed', 'c'],
    ]);
  });

  test('only warn where the gate says so', () => {
    const { failures, warnings, report } = judge(after('f+fffff|ppppp', 'f+fffffff'), { gate: warn });
    expect([failures, warnings.length, report.outcome]).toEqual([[], 2, 'passed']);
  });

  test('drifted if the accepted prompt fails them too; this is said, and fails where the run looks for it', () => {
    const drifted = after('f+ffff|ffff', '');
    const { failures, report, warnings, compared } = judge(drifted);
    expect([failures, report.outcome]).toEqual([[], 'passed']);
    expect(warnings.join()).toContain('the model or the data changed, not this prompt');
    expect([report.cases.drifted, report.cases.regressed, compared.cases.get('a')?.change]).toEqual([
      ['a'],
      [],
      'drifted',
    ]);
    expect(judge(drifted).drift).toEqual({ cases: ['a'], of: 22, drop: undefined, isBeyondMargin: false });
    expect(judge(drifted, { gate: { passRate: { maxDrop: 0.04 } } }).drift.isBeyondMargin).toBe(true);
    const narrow = { gate: { passRate: { maxDrop: 0.04 } }, settings: { drift: true } } as const;
    expect(codesOf(judge(drifted, narrow))).toEqual([['case-drifted', 'a']]);
  });

  test('that are not settled leave it open, and those that flaked do not', () => {
    expect(judge(after('f', '')).report).toMatchObject({ outcome: 'inconclusive', unsettled: 1 });
    expect(judge(after('f', ''), { gate: warn }).report.outcome).toBe('passed');
    expect(judge(after('f+fp|p', '')).report).toMatchObject({ outcome: 'passed', cases: { flaky: ['a'] } });
    expect(judge(after('p', 'f')).report).toMatchObject({ outcome: 'inconclusive', unsettled: 1 });
  });

  test('say why the accepted prompt was not asked', () => {
    const said = 'the accepted prompt was not asked again: its code has changed';
    expect(judge(after('f+fffff', ''), alone).report.notes).toContain(said);
    expect(judge(after('f+p', ''), alone).report.notes).not.toContain(said);
    expect(judge(after('f+fffff|ppppp', '')).report.notes).not.toContain(said);
  });
});

test('how often a suspect fails until it is broken depends on what is flagged in the whole run', () => {
  const one = compareSides(buildSide({ a: 'p' }), buildSide({ a: 'f+ffff|pppp' }));
  const outcomes = (all: readonly ComparedVariant[]) => {
    const gated = all.map((compared, index) => buildGated(compared, { suite: { suite: `s${index}` } }));
    return [...judgeGated(gated, { isFinal: false }).settled.cases.values()].map(({ outcome }) => outcome);
  };
  expect(outcomes([one])).toEqual(['broken']);
  // Cases that are not flagged take nothing of it.
  expect(outcomes([one, broken(0, 100)])).toEqual(['broken']);
  expect(new Set(outcomes(Array.from({ length: 6 }, () => one)))).toEqual(new Set(['open']));
});

describe('several comparisons', () => {
  const stored = { ...ofRecords, gate: warn };
  const judgeAll = (all: readonly ComparedVariant[]) =>
    judgeGated(all.map((compared) => buildGated(compared, stored))).comparisons;
  const outcomes = (all: readonly ComparedVariant[]) => judgeAll(all).map(({ report }) => report.outcome);

  test('are each held to what Holm asks of the smallest p first', () => {
    // Six broken have p = 2^-7 = 0.0078, seven 0.0039.
    expect(outcomes([broken(6, 20), broken(0, 20), broken(0, 20)])[0]).toBe('failed');
    expect(outcomes([broken(6, 20), broken(0, 20), broken(0, 20), broken(0, 20)])[0]).toBe('inconclusive');
    expect(outcomes([broken(6, 20), broken(7, 20), broken(0, 20), broken(0, 20)])).toEqual([
      'failed',
      'failed',
      'passed',
      'passed',
    ]);
  });

  test('are each held to the level that all flagged averages share, where fresh trials decide', () => {
    const fresh = compareSides(
      buildSide(repeatCase(20, 'p')),
      buildSide({ ...repeatCase(20, 'p+pp|pp'), ...repeatCase(7, 'f+ff|pp') }),
    );
    const failed = (all: number) =>
      judgeGated(Array.from({ length: all }, () => buildGated(fresh, { gate: warn }))).comparisons.filter(
        ({ failures }) => failures.length > 0,
      ).length;
    // Seven of twenty: p = 0.0039, and the last look spends half of 2.5 %.
    expect([failed(1), failed(3), failed(4)]).toEqual([1, 3, 0]);
  });

  test('share one level by their number, where fresh trials decide about some and stored ones about others', () => {
    const fresh = compareSides(
      buildSide(repeatCase(20, 'p')),
      buildSide({ ...repeatCase(20, 'p+pp|pp'), ...repeatCase(7, 'f+ff|pp') }),
    );
    const failures = (looked: number, ofStored: readonly ComparedVariant[]) => {
      const gated = [
        ...Array.from({ length: looked }, () => buildGated(fresh, { gate: warn })),
        ...ofStored.map((compared) => buildGated(compared, stored)),
      ];
      const failed = judgeGated(gated).comparisons.map((one) => one.failures.length > 0);
      return { fresh: failed.slice(0, looked), stored: failed.slice(looked) };
    };
    // Both kinds are significant alone: 0.0039 of the fresh trials at 1.25 %, 0.0078 of the stored ones at 2.5 %.
    expect(failures(1, [])).toEqual({ fresh: [true], stored: [] });
    expect(failures(0, [broken(6, 20)])).toEqual({ fresh: [], stored: [true] });
    expect(failures(1, [broken(6, 20)])).toEqual({ fresh: [true], stored: [true] });
    expect(failures(3, [broken(6, 20)]).stored).toEqual([false]);
    const quiet = Array.from({ length: 6 }, () => broken(0, 20));
    expect(failures(1, quiet).fresh).toEqual([false]);
  });

  test('that only warn do not count', () => {
    const [judged] = judgeAll([broken(6, 20), broken(0, 20), broken(0, 20)]);
    expect(judged?.failures).toHaveLength(1);
  });

  test('need not be proved equal more strictly for being many', () => {
    const certain = judgeAll(Array.from({ length: 30 }, () => broken(0, 100))).map(({ certainty }) => certainty.kind);
    expect(new Set(certain)).toEqual(new Set(['certain']));
  });
});

describe('the cost', () => {
  const priced = (costUsd: number | null) =>
    buildSide({
      a: buildCaseSummary('a', 'p', { row: { costUsd } }),
      b: buildCaseSummary('b', 'p', { row: { costUsd } }),
    });
  const gate = { cost: { maxIncrease: 0.1 } };
  const stored = { ...alone, gate };

  test('that rose beyond its limit fails with the ratio', () => {
    const { failures } = judge(compareSides(priced(1), priced(2)), stored);
    expect(failures).toMatchObject([{ code: 'cost-regressed', metric: 'cost', baseline: 2, candidate: 4 }]);
    expect(failures[0]?.message).toContain('cost rose: +100.0 % [+100.0, +100.0]');
  });

  test('that rose without a limit warns', () => {
    const { failures, warnings } = judge(compareSides(priced(1), priced(2)));
    expect([failures, warnings.join().includes('cost rose')]).toEqual([[], true]);
  });

  test('that is not known is an error under a limit, and none without', () => {
    const compared = compareSides(priced(1), priced(null));
    expect(judge(compared, { gate }).errors).toMatchObject([{ code: 'unpriced', metric: 'cost' }]);
    expect(judge(compared).errors).toEqual([]);
  });

  test('is beyond any limit where it was free, and has no ratio', () => {
    const { errors, failures, report } = judge(compareSides(priced(0), priced(1)), stored);
    expect([errors, report.outcome]).toEqual([[], 'failed']);
    expect(failures).toMatchObject([{ code: 'cost-regressed', baseline: 0 }]);
    expect(failures[0]?.message).toMatch(/^cost rose from nothing to \$/);
    expect(report.costUsd).toMatchObject({ delta: null, low: null, high: null });
    expect(judge(compareSides(priced(0), priced(0)), { gate }).failures).toEqual([]);
    expect(judge(compareSides(priced(0), priced(1)), {}).failures).toEqual([]);
  });

  test('that rose beyond doubt and within its limit is said', () => {
    const compared = compareSides(priced(1), priced(1.05));
    expect(judge(compared, { gate: { cost: { maxIncrease: 0.1 } } }).warnings.join()).toContain(
      'cost rose: +5.0 % [+5.0, +5.0], which is within the 10 % that are tolerated',
    );
  });

  test('that looks higher fails where the accepted prompt is still cheaper today, in a few cases too', () => {
    const asked = (before: number, after: number, today: number | null, count = 2) => {
      const ids = Object.keys(repeatCase(count, 'p'));
      const side = (outcomes: string, costUsd: number) =>
        Object.fromEntries(ids.map((id) => [id, buildCaseSummary(id, outcomes, { row: { costUsd } })]));
      const candidate = Object.entries(side('p+pp|pp', after)).map(([id, found]) => [
        id,
        { ...found, accepted: today === null ? [] : found.accepted.map((row) => ({ ...row, costUsd: today })) },
      ]);
      const compared = compareSides(buildSide(side('p', before)), buildSide(Object.fromEntries(candidate)));
      return judge(compared, { gate });
    };
    for (const count of [1, 2, 5, 20]) {
      expect(asked(1, 2, 1, count).failures).toMatchObject([{ code: 'cost-regressed' }]);
      expect(asked(0, 2, 0, count).failures).toMatchObject([{ code: 'cost-regressed' }]);
      // The price has changed, not the prompt.
      expect(asked(1, 2, 2, count).report.outcome).toBe('passed');
      expect(asked(0, 2, 2, count).report.outcome).toBe('passed');
      expect(asked(1, 2, null, count).report.outcome).toBe('inconclusive');
      expect(asked(0, 2, null, count).report.outcome).toBe('inconclusive');
      expect(asked(1, 1.05, 1, count).report.outcome).toBe('passed');
    }
  });

  test('is open, not unknown, without a common case', () => {
    const compared = compareSides(priced(1), buildSide({ z: 'p' }));
    const { errors, report } = judge(compared, { gate });
    expect([errors, report.outcome]).toEqual([[], 'inconclusive']);
  });
});

describe('sides without a common case', () => {
  const ids = (count: number, outcome: string, prefix: string) => buildSide(repeatCase(count, outcome, prefix));

  test('are open where nothing fell, however many there are', () => {
    const { report, failures } = judge(compareSides(ids(500, 'p', 'old'), ids(500, 'p', 'new')));
    expect([report.outcome, failures]).toEqual(['inconclusive', []]);
    expect(report.passRate).toMatchObject({ baseline: 1, candidate: 1, delta: 0 });
    expect(report.notes.join()).toContain('no case is comparable');
  });

  test('fail where the rate fell beyond doubt', () => {
    const candidate = buildSide({ ...repeatCase(30, 'p', 'new'), ...repeatCase(15, 'f', 'new') });
    const { failures } = judge(compareSides(ids(30, 'p', 'old'), candidate), {
      gate: warn,
    });
    expect(failures).toMatchObject([{ code: 'pass-rate-regressed', baseline: 1, candidate: 0.5 }]);
  });

  test('say nothing of each other where only a part was run', () => {
    const compared = compareSides(ids(30, 'p', 'old'), ids(30, 'f', 'new'), { isWhole: false });
    expect(compared.passRate).toMatchObject({ delta: null, n: 0 });
  });
});

test('removed cases that had failed are named: deleting what fails must be seen', () => {
  const before = buildSide({ a: 'p', b: 'f', c: 'p', d: 'pf' });
  const { report } = judge(compareSides(before, buildSide({ a: 'p' })));
  expect(report.cases.removed).toEqual(['b', 'c', 'd']);
  expect(report.notes).toContain('2 of 3 removed cases failed or were flaky on the baseline: b, d');
});

test('a comparison that lost more than half of its cases says how many, whatever was added', () => {
  const lost = (before: string, after: string) => {
    const side = (ids: string) => buildSide(Object.fromEntries(ids.split('').map((id) => [id, 'p'])));
    return judge(compareSides(side(before), side(after))).report.lostCases;
  };
  expect(lost('abc', 'a')).toEqual({ lost: 2, of: 3 });
  expect(lost('abc', 'avwxyz')).toEqual({ lost: 2, of: 3 });
  expect(lost('abcd', 'ab')).toBeUndefined();
});

describe('what would settle a comparison', () => {
  const clean = broken(0, 20);
  const { passRate } = clean;
  const planning = { cases: 77, repeats: 3 };

  test('is said of each metric by its own cases', () => {
    const compared = {
      ...clean,
      groups: 4,
      score: passRate,
      scorePlanning: { cases: 88, repeats: null },
      slices: new Map([['german', { passRate, maxDrop: 0.1, planning }]]),
    };
    expect(judge(compared).report.advice).toEqual([
      'pass rate: a drop of up to 16.1 pts is not excluded by 20 cases of 4 groups; to certify 5 pts: ~73 cases',
      'pass rate of slice german: a drop of up to 16.1 pts is not excluded by 20 cases; to certify 10 pts: ~77 cases, or 3 trials on these 20 cases',
      'score: a drop of up to 16.1 pts is not excluded by 20 cases of 4 groups; to certify 5 pts: ~88 cases',
    ]);
  });

  /** Of two classes, one has a limit. */
  function classesOf(evidence: typeof passRate) {
    const recall = (isLimited: boolean) => ({ evidence, maxDrop: 0.1, isLimited, planning });
    return {
      cases: 20,
      f1: { evidence: passRate, maxDrop: 0.05 },
      recall: new Map([
        ['billing', recall(false)],
        ['legal', recall(true)],
      ]),
      cells: [],
      changed: 0,
      relabelled: 0,
      unclassified: 0,
      vanished: [],
    };
  }

  test('is not computed for macro F1, and is shown as a limit only for the classes that have one', () => {
    const classes = { ...classesOf(passRate), vanished: [{ name: 'spam', cases: 1 }] };
    const { report } = judge({ ...clean, classes });
    expect(report.advice).toEqual([
      expect.stringContaining('pass rate: '),
      'macro F1: a drop of up to 16.1 pts is not excluded by 20 cases; to certify 5 pts: more cases',
      'recall of class legal: a drop of up to 16.1 pts is not excluded by 20 cases; to certify 10 pts: ~77 cases, or 3 trials on these 20 cases',
    ]);
    expect(report.classes?.recall.map(({ maxDrop }) => maxDrop)).toEqual([undefined, 0.1]);
    expect(report.notes).toContain('class spam has no case any more: its 1 case was removed since the baseline');
  });

  test('is missing where a class with a limit has no case that can be compared', () => {
    const classes = classesOf({ ...passRate, n: 0 });
    expect(judge({ ...clean, classes }).report.notes).toEqual([
      "class legal: none of its cases can be compared, so a drop of its recall can't be seen",
    ]);
  });
});

test('a case with new checks that still fails is no known failure, although it failed before', () => {
  const contract = (outcomes: string) => buildSide({ a: buildCaseSummary('a', outcomes, { mustPass: true }) });
  const redefined = new Set(['a']);
  const compared = compareSides(contract('f'), contract('f+ff'), { redefined });
  expect(judge(compared).failures).toMatchObject([{ code: 'must-pass', caseId: 'a' }]);
  expect(judge(compareSides(contract('f'), contract('f+ff'))).failures).toEqual([]);
});

test('a latency limit that could not be held is said', () => {
  const gate = { latency: { maxIncrease: 0.1 } };
  const sides = [buildSide({ a: 'p' }), buildSide({ a: 'p' })] as const;
  expect(judge(compareSides(...sides), { gate }).warnings.join()).toContain('--rerun-baseline');
  const side = compareSides(...sides, { latencyComparable: true });
  expect(judge(side, { gate }).warnings.join()).not.toContain('--rerun-baseline');
});

describe('a change that brings its own accepted baseline', () => {
  const before = buildSide({ ...repeatCase(20, 'p'), z: 'p' });
  const candidate = buildSide({ ...repeatCase(20, 'p'), z: 'f', new: 'f' });
  const compared = compareSides(before, candidate);

  test('passes where it matches, with its differences listed', () => {
    const own = compareSides(candidate, candidate);
    for (const options of [{}, alone, recorded]) {
      const { failures, report, isInconclusive } = judge(compared, { ...options, own });
      expect([failures, report.outcome, isInconclusive]).toEqual([[], 'passed', false]);
      expect(report.accepted).toEqual([
        { caseId: 'new', change: 'added' },
        { caseId: 'z', change: 'regressed' },
      ]);
    }
  });

  const asked = (own: ComparedVariant) => {
    const { settled } = judgeGated([buildGated(compared, { own })], { isFinal: false });
    return [...settled.cases.keys()].map((id) => (JSON.parse(id) as readonly string[]).at(-1));
  };

  test('asks nothing again of what it accepts', () => {
    expect(asked(compareSides(candidate, candidate))).toEqual([]);
  });

  test('asks for what it has not accepted', () => {
    expect(asked(compareSides(before, candidate))).toEqual(expect.arrayContaining(['new', 'z']));
    const other = buildSide({ ...repeatCase(20, 'p'), z: 'p', new: 'f' });
    expect(asked(compareSides(other, candidate))).toEqual(['z']);
  });

  test('fails by what it has not accepted', () => {
    const own = compareSides(buildSide({ ...repeatCase(20, 'p'), z: 'p', new: 'f' }), candidate);
    const { failures, report } = judge(compared, { ...recorded, own });
    expect(failures).toMatchObject([{ code: 'case-broken', caseId: 'z' }]);
    expect(report.accepted).toEqual([]);
    expect(judge(compared, { ...recorded, own: compareSides(before, candidate) }).failures).toHaveLength(2);
  });

  test('accepts an average that is as it stores it, and no other', () => {
    const fallen = broken(15, 50);
    const stored = fallen.candidate;
    const options = { ...ofRecords, gate: warn };
    expect(judge(fallen, options).report.outcome).toBe('failed');
    const { failures, report } = judge(fallen, { ...options, own: compareSides(stored, stored) });
    expect([failures, report.outcome]).toEqual([[], 'passed']);
    expect(report.accepted.at(-1)).toEqual({ metric: expect.stringMatching(/^pass rate fell: −30\.0 pts/) });
    const whole = buildSide(repeatCase(50, 'p'));
    expect(judge(fallen, { ...options, own: compareSides(whole, stored) }).report.outcome).toBe('failed');
  });

  test('does not accept a cost that has risen since, in a few cases either', () => {
    const priced = (costUsd: number) => buildSide({ a: buildCaseSummary('a', 'p', { row: { costUsd } }) });
    const gate = { cost: { maxIncrease: 0.1 } };
    const risen = compareSides(priced(1), priced(2));
    expect(judge(risen, { ...alone, gate, own: compareSides(priced(2), priced(2)) }).failures).toEqual([]);
    expect(judge(risen, { ...alone, gate, own: compareSides(priced(1), priced(2)) }).failures).toHaveLength(1);
  });

  test('that also errored too much stays open', () => {
    const errored = buildSide({ ...repeatCase(20, 'p'), z: 'f', new: 'f', 'case-001': 'e', 'case-002': 'e' });
    const own = compareSides(errored, errored);
    const { report } = judge(compareSides(before, errored), { ...recorded, own });
    expect(report.outcome).toBe('inconclusive');
  });

  test('has no say where nothing is against the change', () => {
    const clean = buildSide(repeatCase(100, 'p'));
    const own = compareSides(buildSide(repeatCase(100, 'f')), clean);
    expect(judge(compareSides(clean, clean), { own }).report).toMatchObject({ outcome: 'passed', accepted: [] });
    // A drop is excluded, so nothing more is to be asked for.
    expect(judge(broken(0, 100), { ...alone, own: broken(0, 100) }).report.advice).toEqual([]);
  });
});

test('a gate of its own alpha is decided by it', () => {
  const strict = { ...openGate, alpha: 0.001 };
  const compared = compareSides(
    buildSide(repeatCase(20, 'p')),
    buildSide({ ...repeatCase(20, 'p'), ...repeatCase(7, 'f') }),
    { gate: strict },
  );
  expect(judge(compared, { ...ofRecords, gate: { ...warn, alpha: 0.001 } }).report.outcome).toBe('inconclusive');
  expect(judge(broken(7, 20), { ...ofRecords, gate: warn }).report.outcome).toBe('failed');
});
