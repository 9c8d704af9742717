import { describe, expect, test } from 'vitest';
import type { Confirmability } from '../../src/compare/gate/judge-cases.ts';
import { type GatedComparison, judgeComparisons } from '../../src/compare/gate/judge-comparisons.ts';
import type { ComparedVariant } from '../../src/model/comparison.ts';
import type { GatePolicy } from '../../src/model/suite.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { openGate } from '../support/build-case.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';
import { buildHeader, buildRecordedSuite, end } from '../support/build-summary.ts';

interface GatedOptions {
  readonly gate?: Partial<GatePolicy>;
  readonly own?: ComparedVariant;
  readonly confirmability?: Confirmability;
}

function gated(compared: ComparedVariant, options: GatedOptions = {}): GatedComparison {
  const { gate = {}, own, confirmability = 'unknown' } = options;
  const { recorded } = compared.candidate;
  const [suite] = summarizeRun(buildHeader([buildRecordedSuite([recorded], gate)]), [], end).suites;
  const [variant] = suite?.variants ?? [];
  if (suite === undefined || variant === undefined) throw new Error('one suite of one variant');
  return { suite, variant, compared, confirmability, ...(own === undefined ? {} : { own }) };
}

function judge(compared: ComparedVariant, options: GatedOptions = {}) {
  const [judged] = judgeComparisons([gated(compared, options)]);
  if (judged === undefined) throw new Error('one comparison, one verdict');
  return judged;
}

const broken = (count: number, of: number) =>
  compareSides(buildSide(repeatCase(of, 'p')), buildSide({ ...repeatCase(of, 'p'), ...repeatCase(count, 'f') }));

describe('the verdict', () => {
  test('of 15 of 50 that fail now is failed, and its breach has the numbers', () => {
    const { failures, report } = judge(broken(15, 50));
    expect(report.outcome).toBe('failed');
    expect(failures).toMatchObject([
      { code: 'pass-rate-regressed', suite: 'triage', prompt: 'v1', provider: 'p', baseline: 1, candidate: 0.7 },
    ]);
    expect(failures[0]?.message).toBe(
      'pass rate fell: −30.0 pts [−43.8, −19.1], which is more than the 5 pts that are tolerated',
    );
  });

  test('that has failed asks for nothing that would settle it', () => {
    const { open, report } = judge(broken(4, 20), { confirmability: 'stands' });
    expect([open, report.outcome, report.advice]).toEqual([[], 'failed', []]);
  });

  test('of many suspects that nobody confirmed is one sentence', () => {
    const notes = (count: number) => judge(broken(count, 100), { confirmability: 'unknown' }).report.notes;
    expect(notes(5)).toHaveLength(5);
    expect(notes(6)).toEqual([
      expect.stringMatching(
        /^6 cases passed on the baseline .* no confirmation trial confirms them: \S+(, \S+){4} and 1 more$/,
      ),
    ]);
  });

  test('of a hundred clean cases is passed, of twenty it is inconclusive with what would settle it', () => {
    expect(judge(broken(0, 100)).report).toMatchObject({ outcome: 'passed', advice: [] });
    const { isInconclusive, report } = judge(broken(0, 20));
    expect([isInconclusive, report.outcome]).toEqual([true, 'inconclusive']);
    expect(report.advice).toEqual([
      'pass rate: a drop of up to 16.1 pts is not excluded by 20 cases; to certify 5 pts: ~73 cases',
    ]);
  });

  test('of suspects that nobody could confirm is that of the average, and they are listed', () => {
    const { failures, report, warnings } = judge(broken(1, 400));
    expect([failures, report.outcome]).toEqual([[], 'passed']);
    expect(warnings.join()).toContain('case-000');
  });

  test('of too many errors is open, whatever the rest says', () => {
    const candidate = buildSide({ ...repeatCase(200, 'p'), ...repeatCase(11, 'e') });
    const compared = compareSides(buildSide(repeatCase(200, 'p')), candidate, { margin: 0.5 });
    const { isInconclusive, warnings } = judge(compared, { gate: { passRate: { maxDrop: 0.5 } } });
    expect([isInconclusive, warnings.join().includes('5.5 % of the trials errored')]).toEqual([true, true]);
  });
});

describe('broken cases', () => {
  const compared = compareSides(buildSide({ a: 'p', b: 'p' }), buildSide({ a: 'f+ff', b: 'p', c: 'f+f' }));

  test('fail one by one, named', () => {
    const { failures } = judge(compared, { confirmability: 'stands' });
    expect(failures.map(({ code, caseId }) => [code, caseId])).toEqual([
      ['case-broken', 'a'],
      ['case-added-failed', 'c'],
    ]);
  });

  test('only warn where the gate says so', () => {
    const { failures, warnings } = judge(compared, {
      confirmability: 'stands',
      gate: { cases: { broken: 'warn', added: 'warn' } },
    });
    expect([failures, warnings.length]).toEqual([[], 2]);
  });

  test('are asked for again as often as the number of judged cases wants it', () => {
    for (const [of, outcomes, isOpen] of [
      [20, 'f+fff', true],
      [20, 'f+ffff', false],
      [100, 'f+ffff', true],
      [100, 'f+fffff', false],
      [1, 'f+f', true],
      [1, 'f+ff', false],
    ] as const) {
      const candidate = buildSide({ ...repeatCase(of, 'p'), 'case-000': outcomes });
      const { open } = judge(compareSides(buildSide(repeatCase(of, 'p')), candidate), { confirmability: 'retrials' });
      expect([of, outcomes, open.length === 1]).toEqual([of, outcomes, isOpen]);
    }
  });
});

test('how often a suspect is asked again depends on the cases of its own suite', () => {
  const small = compareSides(buildSide({ a: 'p' }), buildSide({ a: 'f+ff' }));
  const large = compareSides(buildSide(repeatCase(100, 'p')), buildSide(repeatCase(100, 'p')));
  const [judged] = judgeComparisons([
    gated(small, { confirmability: 'retrials' }),
    gated(large, { confirmability: 'retrials' }),
  ]);
  expect([judged?.open, judged?.failures.map(({ caseId }) => caseId)]).toEqual([[], ['a']]);
});

describe('several comparisons', () => {
  const outcomes = (all: readonly ComparedVariant[], options: GatedOptions = {}) =>
    judgeComparisons(all.map((compared) => gated(compared, options))).map(({ report }) => report.outcome);

  test('are each held to what Holm asks of the smallest p first', () => {
    // Six broken have p = 2^-7 = 0.0078, seven 0.0039.
    expect(outcomes([broken(6, 20), broken(0, 20), broken(0, 20)])[0]).toBe('failed');
    expect(outcomes([broken(6, 20), broken(0, 20), broken(0, 20), broken(0, 20)])[0]).toBe('inconclusive');
    expect(outcomes([broken(6, 20), broken(7, 20), broken(0, 20), broken(0, 20)])).toEqual([
      'failed',
      'failed',
      'inconclusive',
      'inconclusive',
    ]);
  });

  test('that only warn do not count', () => {
    const withCost = gated(broken(6, 20));
    const [judged] = judgeComparisons([withCost, gated(broken(0, 20)), gated(broken(0, 20))]);
    expect(judged?.failures).toHaveLength(1);
  });

  test('need not be proved equal more strictly for being many', () => {
    expect(outcomes(Array.from({ length: 30 }, () => broken(0, 100)))).not.toContain('inconclusive');
  });
});

describe('the cost', () => {
  const priced = (costUsd: number | null) =>
    buildSide({
      a: buildCaseSummary('a', 'p', { row: { costUsd } }),
      b: buildCaseSummary('b', 'p', { row: { costUsd } }),
    });
  const gate = { cost: { maxIncrease: 0.1 } };

  test('that rose beyond its limit fails with the ratio', () => {
    const { failures } = judge(compareSides(priced(1), priced(2)), { gate });
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

  test('of what was free is beyond any limit, and has no ratio', () => {
    const { errors, failures, report } = judge(compareSides(priced(0), priced(1)), { gate });
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

  test('of no common case is not unknown but open', () => {
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
      gate: { cases: { broken: 'fail', added: 'warn' } },
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
    const { failures, report, isInconclusive } = judge(compared, { own, confirmability: 'stands' });
    expect([failures, report.outcome, isInconclusive]).toEqual([[], 'passed', false]);
    expect(report.accepted).toEqual(['new (added)', 'z (regressed)']);
  });

  test('asks nothing again of what it accepts', () => {
    const own = compareSides(candidate, candidate);
    expect(judge(compared, { own, confirmability: 'retrials' }).open).toEqual([]);
  });

  test('asks for what it has not accepted', () => {
    const own = compareSides(before, candidate);
    expect(judge(compared, { own, confirmability: 'retrials' }).open.map(({ caseId }) => caseId)).toEqual(['new', 'z']);
  });

  test('fails where it accepted something else', () => {
    const own = compareSides(buildSide({ ...repeatCase(20, 'p'), z: 'p', new: 'f' }), candidate);
    const { failures, report } = judge(compared, { own, confirmability: 'stands' });
    expect([failures.length, report.accepted]).toEqual([2, []]);
  });

  test('that also errored too much stays open', () => {
    const errored = buildSide({ ...repeatCase(20, 'p'), z: 'f', new: 'f', 'case-001': 'e', 'case-002': 'e' });
    const own = compareSides(errored, errored);
    const { report } = judge(compareSides(before, errored), { own, confirmability: 'stands' });
    expect(report.outcome).toBe('inconclusive');
  });

  test('has no say where nothing is against the change', () => {
    const clean = buildSide(repeatCase(100, 'p'));
    const own = compareSides(buildSide(repeatCase(100, 'f')), clean);
    expect(judge(compareSides(clean, clean), { own }).report).toMatchObject({ outcome: 'passed', accepted: [] });
  });
});

test('a gate of its own alpha is decided by it', () => {
  const strict = { ...openGate, alpha: 0.001 };
  const compared = compareSides(
    buildSide(repeatCase(20, 'p')),
    buildSide({ ...repeatCase(20, 'p'), ...repeatCase(7, 'f') }),
    { gate: strict },
  );
  expect(judge(compared, { gate: { alpha: 0.001 } }).report.outcome).toBe('inconclusive');
  expect(judge(broken(7, 20)).report.outcome).toBe('failed');
});
