import { expect, test } from 'vitest';
import type { RowSummary, RunSummary } from '../../src/model/run/summary.ts';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { selectionId } from '../../src/record/count-classes.ts';
import {
  countUnjudged,
  findUnselectedClasses,
  findUnselectedSlices,
  judgeClasses,
  judgeSlices,
  type LimitGate,
  rangeOfMean,
} from '../../src/verdict/gate/judge-slices.ts';
import { buildRecordedSuite, buildVariant, rowsOf, type SummaryOptions, summarize } from '../support/build-summary.ts';

const found = { kind: 'field', path: 'route' } as unknown as ClassPolicy['found'];
const policy = (limits: Partial<ClassPolicy> = {}): ClassPolicy => ({
  truth: '{{ route }}',
  found,
  names: ['legal', 'spam'],
  recall: {},
  precision: {},
  f1: {},
  ...limits,
});

/** Each case as its outcomes and the slices it is in: `pf vip new`. */
function slicedRows(cases: readonly string[], overrides: Partial<RowSummary> = {}): RowSummary[] {
  return cases.flatMap((words, index) => {
    const [outcomes = '', ...slices] = words.split(' ');
    return rowsOf(outcomes, { slices, ...overrides }).map((row) => ({ ...row, caseId: `case-${index}` }));
  });
}

/** Each case as its class and what its answers were put in: `legal: legal spam - ? e s c`. */
function classifiedRows(cases: readonly string[], overrides: Partial<RowSummary> = {}): RowSummary[] {
  const by = selectionId(found);
  return cases.flatMap((words, index) => {
    const [truth = '', ...answers] = words.split(/:? /);
    return answers.flatMap((name, trial) => {
      const [row] = rowsOf(['e', 's', 'c'].includes(name) ? name : name === truth ? 'p' : 'f', overrides);
      if (row === undefined) return [];
      const isAnswer = row.status === 'passed' || row.status === 'failed';
      // `?` names no class; `!` was found by another selection.
      const classified = name === '!' ? { truth, found: truth, by: 'other' } : { truth, by };
      const named = isAnswer && name !== '!' ? { ...classified, found: name === '?' ? null : name } : classified;
      return [{ ...row, caseId: `case-${index}`, trial, classified: named }];
    });
  });
}

function variantOf({ suites: [suite] }: RunSummary) {
  const [variant] = suite?.variants ?? [];
  if (suite === undefined || variant === undefined) throw new Error('one suite of one variant');
  return { recorded: suite.recorded, variant };
}

/** Each limit in short. */
const shorten = (gates: readonly LimitGate[]) =>
  gates.map((gate) => {
    const [kind = 'met', value] = Object.entries(gate)[0] ?? [];
    return value === undefined ? kind : `${kind}: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });

type Slices = NonNullable<GatePolicy['slices']>;

const vip = (min?: number): Slices => ({ vip: { passRate: { ...(min !== undefined && { min }) } } });

function judgeSliced(cases: readonly string[], slices: Slices | undefined, options: SummaryOptions = {}) {
  const summary = summarize(slicedRows(cases), { gate: slices === undefined ? {} : { slices }, ...options });
  const { recorded, variant } = variantOf(summary);
  return shorten(judgeSlices(recorded, variant));
}

test('the least pass rate of a slice is that of its own cases', () => {
  expect([
    judgeSliced(['p vip', 'f'], undefined),
    judgeSliced(['p vip', 'f vip', 'f'], vip(0.5)),
    judgeSliced(['p vip', 'f vip', 'p'], vip(0.51)),
    judgeSliced(['pf vip', 'p new', 'p old'], { ...vip(0.6), new: { passRate: { min: 1 } } }),
    judgeSliced(['p', 'f'], vip(0.5)),
    judgeSliced(['f vip'], vip()),
  ]).toMatchInlineSnapshot(`
    [
      [],
      [
        "met",
      ],
      [
        "failure: {"code":"slice-min","slice":"vip","metric":"passRate","candidate":0.5,"message":"pass rate of slice vip 50 % is below 51 %: 2 cases"}",
      ],
      [
        "failure: {"code":"slice-min","slice":"vip","metric":"passRate","candidate":0.5,"message":"pass rate of slice vip 50 % is below 60 %: 1 case"}",
        "met",
      ],
      [
        "met",
      ],
      [
        "met",
      ],
    ]
  `);
});

test('a slice of which nothing was judged is no slice that passed', () => {
  expect([
    judgeSliced(['e vip', 'ee vip', 'p'], vip(0.5)),
    judgeSliced(['e vip', 'p'], vip()),
    judgeSliced(['c vip', 'p'], vip(0.5)),
    judgeSliced(['s vip', 'p'], vip(0.5)),
    judgeSliced(['s vip', 'p'], vip()),
    judgeSliced(['e vip', 'f vip', 'p'], vip(0.5)),
    shorten(
      (() => {
        const observed = slicedRows(['f vip'], { observe: true });
        const { recorded, variant } = variantOf(
          summarize([...observed, ...rowsOf('p', { caseId: 'z' })], { gate: { slices: vip(1) } }),
        );
        return judgeSlices(recorded, variant);
      })(),
    ),
  ]).toMatchInlineSnapshot(`
    [
      [
        "unjudged: {"code":"nothing-evaluated","slice":"vip","message":"slice vip: none of its 2 cases was judged, so its limit says nothing"}",
      ],
      [
        "unjudged: {"code":"nothing-evaluated","slice":"vip","message":"slice vip: none of its 1 case was judged, so its limit says nothing"}",
      ],
      [
        "unjudged: {"code":"nothing-evaluated","slice":"vip","message":"slice vip: none of its 1 case was judged, so its limit says nothing"}",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "met",
      ],
      [
        "failure: {"code":"slice-min","slice":"vip","metric":"passRate","candidate":0,"message":"pass rate of slice vip 0 % is below 50 %: 1 case"}",
      ],
      [
        "unjudged: {"code":"nothing-evaluated","slice":"vip","message":"slice vip: none of its 1 case was judged, so its limit says nothing"}",
      ],
    ]
  `);
});

test('a slice with cells that were not reached is decided where they can’t change it', () => {
  expect([
    judgeSliced(['p vip', 's vip'], vip(0.5)),
    judgeSliced(['p vip', 's vip'], vip(0.6)),
    judgeSliced(['f vip', 's vip'], vip(0.5)),
    judgeSliced(['f vip', 's vip'], vip(0.51)),
    judgeSliced(['fs vip', 'p vip'], vip(0.76)),
    judgeSliced(['fs vip', 'p vip'], vip(0.75)),
    // Cells without a row may be of the slice.
    judgeSliced(['p vip', 'p vip', 'p'], vip(0.5), { planned: 4 }),
    judgeSliced(['p vip', 'p vip', 'p'], vip(0.51), { planned: 4 }),
    judgeSliced(['f vip', 'f vip', 'p'], vip(0.51), { planned: 4 }),
    judgeSliced(['f vip', 'f vip', 'p s'], vip(0.5), { planned: 4 }),
    judgeSliced(['p'], vip(0.5), { planned: 2 }),
    judgeSliced(['p'], vip(0.5), { planned: 1 }),
  ]).toMatchInlineSnapshot(`
    [
      [
        "met",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "failure: {"code":"slice-min","slice":"vip","metric":"passRate","candidate":0,"message":"pass rate of slice vip 0 % is below 51 %: 1 case"}",
      ],
      [
        "failure: {"code":"slice-min","slice":"vip","metric":"passRate","candidate":0.5,"message":"pass rate of slice vip 50 % is below 76 %: 2 cases"}",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "met",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "failure: {"code":"slice-min","slice":"vip","metric":"passRate","candidate":0,"message":"pass rate of slice vip 0 % is below 51 %: 2 cases"}",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "undecided: pass rate of slice vip",
      ],
      [
        "met",
      ],
    ]
  `);
});

test('the range of a mean is what the cells without a verdict still allow', () => {
  const range = (outcomes: string, options: SummaryOptions & { mean?: number | null } = {}) => {
    const { mean = null, ...more } = options;
    const { variant } = variantOf(summarize(rowsOf(outcomes), more));
    return rangeOfMean(variant, { valueOf: ({ score }) => score ?? 0, mean });
  };
  expect([
    range('p f'),
    range('p f', { mean: 0.25 }),
    range('p s', { mean: 0.25 }),
    range('ps f'),
    range('p s f s'),
    range('p e c'),
    range('p f', { planned: 3 }),
    range('p f', { planned: 9 }),
    range('e'),
    range('e', { planned: 2 }),
    range('s'),
  ]).toMatchInlineSnapshot(`
    [
      {
        "high": 0.5,
        "low": 0.5,
      },
      {
        "high": 0.25,
        "low": 0.25,
      },
      {
        "high": 1,
        "low": 0.5,
      },
      {
        "high": 0.5,
        "low": 0.25,
      },
      {
        "high": 0.75,
        "low": 0.25,
      },
      {
        "high": 1,
        "low": 1,
      },
      {
        "high": 1,
        "low": 0,
      },
      {
        "high": 1,
        "low": 0,
      },
      undefined,
      {
        "high": 1,
        "low": 0,
      },
      {
        "high": 1,
        "low": 0,
      },
    ]
  `);
  const { variant } = variantOf(summarize(rowsOf('p s c cs'), { planned: 9 }));
  expect(countUnjudged(variant)).toBe(6);
});

test('observed cases do not count in the range of a mean', () => {
  const rows = [...slicedRows(['f a', 's a'], { observe: true }), ...rowsOf('p', { caseId: 'z' })];
  const { variant } = variantOf(summarize(rows));
  expect(rangeOfMean(variant, { valueOf: ({ score }) => score ?? 0 })).toEqual({ low: 1, high: 1 });
});

function judgeClassified(cases: readonly string[], limits: Partial<ClassPolicy> | undefined, planned?: number) {
  const suite = limits === undefined ? {} : { classes: policy(limits) };
  const { recorded, variant } = variantOf(
    summarize(classifiedRows(cases), { suite, ...(planned !== undefined && { planned }) }),
  );
  return shorten(judgeClasses(recorded, variant)).filter((line) => line !== 'met');
}

const legalRecall = (min?: number) => ({ recall: { legal: { ...(min !== undefined && { min }) } } });
const legalPrecision = (min?: number) => ({ precision: { legal: { ...(min !== undefined && { min }) } } });

test('recall is the share of a class’s cases that were found, whole or by trials', () => {
  const cases = ['legal: legal', 'legal: spam', 'spam: spam'];
  expect([
    judgeClassified(cases, undefined),
    judgeClassified(cases, legalRecall(0.5)),
    judgeClassified(cases, legalRecall(0.51)),
    judgeClassified(['legal: legal spam', 'legal: ?', 'spam: legal'], legalRecall(0.26)),
    judgeClassified(['legal: legal spam', 'legal: ?', 'spam: legal'], legalRecall(0.25)),
    judgeClassified(cases, legalRecall()),
    judgeClassified(['spam: spam'], legalRecall(1)),
    judgeClassified(['legal: e', 'legal: !', 'spam: spam'], legalRecall(0.1)),
    judgeClassified(['legal: e', 'spam: spam'], legalRecall()),
    judgeClassified(cases, { recall: { legal: { min: 0.9 }, spam: { min: 1 } } }),
  ]).toMatchInlineSnapshot(`
    [
      [],
      [],
      [
        "failure: {"code":"recall-min","class":"legal","metric":"recall","candidate":0.5,"message":"recall of class legal 50 % is below 51 %: 2 cases"}",
      ],
      [
        "failure: {"code":"recall-min","class":"legal","metric":"recall","candidate":0.25,"message":"recall of class legal 25 % is below 26 %: 2 cases"}",
      ],
      [],
      [],
      [],
      [
        "unjudged: {"code":"nothing-evaluated","class":"legal","message":"class legal: none of its 2 cases was judged, so its limit says nothing"}",
      ],
      [
        "unjudged: {"code":"nothing-evaluated","class":"legal","message":"class legal: none of its 1 case was judged, so its limit says nothing"}",
      ],
      [
        "failure: {"code":"recall-min","class":"legal","metric":"recall","candidate":0.5,"message":"recall of class legal 50 % is below 90 %: 2 cases"}",
      ],
    ]
  `);
});

test('precision is the share of the answers of a class that are right', () => {
  expect([
    judgeClassified(['legal: legal', 'spam: legal'], legalPrecision(0.5)),
    judgeClassified(['legal: legal', 'spam: legal'], legalPrecision(0.6)),
    judgeClassified(['legal: spam', 'spam: spam'], legalPrecision(0.6)),
    judgeClassified(['legal: spam', 'spam: legal'], legalPrecision(0.6)),
    judgeClassified(['spam: legal'], legalPrecision(0.6)),
    judgeClassified(['legal: e', 'spam: legal'], legalPrecision(0.6)),
  ]).toMatchInlineSnapshot(`
    [
      [],
      [
        "failure: {"code":"precision-min","class":"legal","metric":"precision","candidate":0.5,"message":"precision of class legal 50 % is below 60 %: 1 case"}",
      ],
      [
        "failure: {"code":"precision-min","class":"legal","metric":"precision","candidate":0,"message":"precision of class legal can't reach 60 %: no answer is of this class, and 1 case should be"}",
      ],
      [
        "failure: {"code":"precision-min","class":"legal","metric":"precision","candidate":0,"message":"precision of class legal 0 % is below 60 %: 1 case"}",
      ],
      [],
      [
        "unjudged: {"code":"nothing-evaluated","class":"legal","message":"class legal: none of its 1 case was judged, so its limit says nothing"}",
      ],
    ]
  `);
});

test('a limit on a class stays open while cells that were not reached may decide it', () => {
  expect([
    judgeClassified(['legal: legal', 'legal: s', 'spam: spam'], legalRecall(0.5)),
    judgeClassified(['legal: legal', 'legal: s', 'spam: spam'], legalRecall(0.6)),
    judgeClassified(['legal: spam', 'legal: s', 'spam: spam'], legalRecall(0.6)),
    judgeClassified(['legal: s', 'spam: spam'], legalRecall(0.6)),
    judgeClassified(['legal: legal', 'spam: s'], legalPrecision(0.6)),
    judgeClassified(['legal: legal', 'spam: s'], legalPrecision(0.5)),
    judgeClassified(['legal: legal', 'legal: s'], legalPrecision(1)),
    judgeClassified(['legal: legal', 'legal: c'], legalRecall(1)),
    judgeClassified(['legal: legal', 'spam: s'], { f1: { min: 0.9 } }),
    judgeClassified(['legal: spam', 'spam: s'], { f1: { min: 0.9 } }),
  ]).toMatchInlineSnapshot(`
    [
      [],
      [
        "undecided: recall of class legal",
      ],
      [
        "failure: {"code":"recall-min","class":"legal","metric":"recall","candidate":0,"message":"recall of class legal 0 % is below 60 %: 2 cases"}",
      ],
      [
        "undecided: recall of class legal",
      ],
      [
        "undecided: precision of class legal",
      ],
      [],
      [],
      [],
      [
        "undecided: macro F1",
      ],
      [
        "failure: {"code":"f1-min","metric":"f1","candidate":0,"message":"macro F1 0 % is below 90 %"}",
      ],
    ]
  `);
});

test('macro F1 is over all classes of the suite that have a case', () => {
  expect([
    judgeClassified(['legal: legal', 'spam: spam'], { f1: { min: 1 } }),
    judgeClassified(['legal: legal', 'spam: legal'], { f1: { min: 0.34 } }),
    judgeClassified(['legal: legal', 'spam: legal'], { f1: { min: 0.33 } }),
    judgeClassified(['legal: e', 'spam: !'], { f1: { min: 0.33 } }),
    judgeClassified([], { f1: { min: 0.33 } }),
    judgeClassified(['legal: s'], { f1: { min: 0.33 } }),
  ]).toMatchInlineSnapshot(`
    [
      [],
      [
        "failure: {"code":"f1-min","metric":"f1","candidate":0.3333333333333333,"message":"macro F1 33.3 % is below 34 %"}",
      ],
      [],
      [
        "unjudged: {"code":"nothing-evaluated","message":"macro F1: no case was judged, so its limit says nothing"}",
      ],
      [],
      [
        "undecided: macro F1",
      ],
    ]
  `);
});

test('where no answer names a class, none was tested', () => {
  expect([
    judgeClassified(['legal: ?', 'spam: other'], {}),
    judgeClassified(['legal: ?'], {}),
    judgeClassified(['legal: ?', 'spam: legal'], {}),
    judgeClassified(['legal: e'], {}),
  ]).toMatchInlineSnapshot(`
    [
      [
        "unjudged: {"code":"nothing-evaluated","message":"none of the 2 answers names a class of the suite: classes.found may select the wrong part"}",
      ],
      [
        "unjudged: {"code":"nothing-evaluated","message":"none of the 1 answer names a class of the suite: classes.found may select the wrong part"}",
      ],
      [],
      [],
    ]
  `);
});

test('observed cases count for no class', () => {
  const rows = [...classifiedRows(['legal: spam'], { observe: true }), ...rowsOf('p', { caseId: 'z' })];
  const { recorded, variant } = variantOf(summarize(rows, { suite: { classes: policy(legalRecall(1)) } }));
  expect(shorten(judgeClasses(recorded, variant))).toEqual(['met', 'met']);
});

test('a gated slice or class is named of which no case was selected', () => {
  const slices = { ...vip(), new: { passRate: {} }, old: { passRate: {} } };
  const ofSlices = (cases: readonly string[], options: SummaryOptions = {}) =>
    findUnselectedSlices(summarize(slicedRows(cases), { gate: { slices }, ...options }));
  const limits = policy({ recall: { legal: {}, spam: {} }, precision: { other: {} } });
  const ofClasses = (cases: readonly string[], options: SummaryOptions = {}) =>
    findUnselectedClasses(summarize(classifiedRows(cases), { suite: { classes: limits }, ...options }));
  expect([
    ofSlices(['p vip', 'f new']),
    ofSlices(['p vip new', 'e old']),
    ofSlices(['p']),
    ofSlices(['p vip', 's new']),
    // A cell without a row may be of any slice.
    ofSlices(['p vip'], { planned: 2 }),
    ofSlices(['p vip', 's new'], { planned: 3 }),
    findUnselectedSlices({ ...summarize(slicedRows(['p vip']), { gate: { slices } }), ended: false }),
    findUnselectedSlices(summarize(slicedRows(['p vip']))),
    ofClasses(['legal: legal']),
    ofClasses(['legal: e', 'spam: spam', 'other: s']),
    ofClasses(['legal: legal'], { planned: 2 }),
    findUnselectedClasses({ ...summarize([], { suite: { classes: limits } }), ended: false }),
    findUnselectedClasses(summarize(classifiedRows(['legal: legal']))),
    findUnselectedClasses(summarize(classifiedRows(['legal: legal']), { suite: { classes: policy() } })),
  ]).toMatchInlineSnapshot(`
    [
      [
        "triage: slice old: none of its cases was selected, so its limits say nothing",
      ],
      [],
      [
        "triage: slice vip: none of its cases was selected, so its limits say nothing",
        "triage: slice new: none of its cases was selected, so its limits say nothing",
        "triage: slice old: none of its cases was selected, so its limits say nothing",
      ],
      [
        "triage: slice old: none of its cases was selected, so its limits say nothing",
      ],
      [],
      [],
      [],
      [],
      [
        "triage: class spam: none of its cases was selected, so its limits say nothing",
        "triage: class other: none of its cases was selected, so its limits say nothing",
      ],
      [],
      [],
      [],
      [],
      [],
    ]
  `);
});

test('a slice of which one variant has a case is selected, and one that a variant has not run yet may be', () => {
  const [one, two] = [buildVariant(1), buildVariant(1, { prompt: 'v2' })];
  const suite = buildRecordedSuite([one, two], { slices: { ...vip(), new: { passRate: {} } } });
  const [ofOne] = summarize(slicedRows(['p vip'])).suites;
  const [ofTwo] = summarize(slicedRows(['p new'])).suites;
  const [open] = summarize([], { planned: 1 }).suites;
  const variants = [...(ofOne?.variants ?? []), ...(ofTwo?.variants ?? [])];
  const run = (own: typeof variants): RunSummary => ({
    suites: [{ recorded: suite, variants: own }],
    stopReason: undefined,
    ended: true,
  });
  expect(findUnselectedSlices(run(variants))).toEqual([]);
  expect(findUnselectedSlices(run(variants.slice(0, 1)))).toHaveLength(1);
  expect(findUnselectedSlices(run([...variants.slice(0, 1), ...(open?.variants ?? [])]))).toEqual([]);
});
