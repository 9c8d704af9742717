import { describe, expect, test } from 'vitest';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import { caseStatusOf } from '../../src/record/case-summaries.ts';
import { selectionId } from '../../src/record/count-classes.ts';
import { compareClasses } from '../../src/verdict/compare-classes.ts';
import { pairSides } from '../../src/verdict/pair-cases.ts';
import { buildSide } from '../support/build-side.ts';
import { buildRowSummary } from '../support/build-summary.ts';

const found = { kind: 'field', path: 'route' } as unknown as ClassPolicy['found'];
const policy = (limits: Partial<ClassPolicy> = {}): ClassPolicy => ({
  truth: '{{ route }}',
  found,
  names: ['legal', 'sales', 'spam'],
  recall: {},
  precision: {},
  f1: {},
  ...limits,
});
const gate = { alpha: 0.05, scope: 'population' } as const;

/**
 * A case as its class and what its answers were put in: `legal: legal spam`. `?` names no class, `e` errored, `s` was
 * skipped, `!` was found by another selection, `n` has no class at all.
 */
function classifiedCase(caseId: string, words: string, more: Partial<CaseSummary> = {}): CaseSummary {
  const [truth = '', ...answers] = words.split(/:? /);
  const by = selectionId(found);
  const trials = answers.map((name, trial): RowSummary => {
    if (name === 'n') return buildRowSummary({ caseId, trial });
    if (name === 'e') return buildRowSummary({ caseId, trial, status: 'errored', classified: { truth, by } });
    if (name === 's') return buildRowSummary({ caseId, trial, status: 'skipped', classified: { truth, by } });
    const status = name === truth ? 'passed' : 'failed';
    const classified = { truth, by: name === '!' ? 'other' : by, found: name === '?' ? null : name };
    return buildRowSummary({ caseId, trial, status, classified });
  });
  return {
    caseId,
    status: caseStatusOf(trials),
    observe: false,
    mustPass: false,
    group: undefined,
    caseHash: 'caseHash',
    trials,
    confirmations: [],
    accepted: [],
    ...more,
  };
}

type Words = string | readonly [string, Partial<CaseSummary>];

/** Cases by id, each as it was accepted and as it is now; undefined where a side does not have it. */
function compare(
  cases: Readonly<Record<string, readonly [Words | undefined, Words | undefined]>>,
  limits: Partial<ClassPolicy> = {},
) {
  const side = (at: 0 | 1) =>
    buildSide(
      Object.fromEntries(
        Object.entries(cases).flatMap(([id, pair]) => {
          const words = pair[at];
          if (words === undefined) return [];
          return [[id, typeof words === 'string' ? classifiedCase(id, words) : classifiedCase(id, ...words)]];
        }),
      ),
    );
  const paired = pairSides(side(0), side(1), { redefined: new Set(), isWhole: true });
  return compareClasses(paired, policy(limits), { gate });
}

const repeat = (count: number, before: string, after: string, prefix = 'c') =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${prefix}${String(index).padStart(2, '0')}`,
      [before, after] as const,
    ]),
  );

const round = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(4)) : value instanceof Map ? Object.fromEntries(value) : value;

describe('the cells of two confusion matrices', () => {
  test('are counted on both sides, those that moved most first', () => {
    const { cells, changed, cases } = compare({
      a: ['legal: legal', 'legal: spam'],
      b: ['legal: legal', 'legal: spam'],
      c: ['spam: spam', 'spam: spam'],
      d: ['sales: legal', 'sales: sales'],
      e: ['sales: ?', 'sales: ?'],
      f: ['spam: spam spam', 'spam: spam ?'],
      g: ['spam: other', 'spam: spam'],
    });
    expect(cells).toEqual([
      { truth: 'legal', found: 'legal', baseline: 2, candidate: 0, entered: [] },
      { truth: 'legal', found: 'spam', baseline: 0, candidate: 2, entered: ['a', 'b'] },
      { truth: 'sales', found: 'legal', baseline: 1, candidate: 0, entered: [] },
      { truth: 'sales', found: 'sales', baseline: 0, candidate: 1, entered: [] },
      { truth: 'spam', found: null, baseline: 1, candidate: 0.5, entered: ['f'] },
      { truth: 'spam', found: 'spam', baseline: 2, candidate: 2.5, entered: [] },
      { truth: 'sales', found: null, baseline: 1, candidate: 1, entered: [] },
    ]);
    expect([changed, cases]).toEqual([5, 7]);
  });

  test('name ten cases that entered, and none that was there before', () => {
    const { cells } = compare({
      ...repeat(11, 'legal: legal', 'legal: spam'),
      x: ['legal: spam', 'legal: spam'],
      y: ['legal: spam legal', 'legal: spam legal'],
    });
    expect(cells.find(({ found: name }) => name === 'spam')?.entered).toEqual(
      Array.from({ length: 10 }, (_, index) => `c0${index}`),
    );
  });

  test('do not change where the same classes were named in another order', () => {
    expect(compare({ a: ['legal: legal spam', 'legal: spam legal'] }).changed).toBe(0);
    expect(compare({ a: ['legal: legal spam', 'legal: spam spam'] }).changed).toBe(1);
    expect(compare({ a: ['legal: legal', 'legal: legal legal'] }).changed).toBe(1);
  });
});

describe('cases that are not compared', () => {
  const counts = (cases: Parameters<typeof compare>[0]) => {
    const { cases: compared, relabelled, unclassified } = compare(cases);
    return { compared, relabelled, unclassified };
  };

  test('are of another class than when they were accepted, or have no accepted class', () => {
    expect(counts({ a: ['legal: legal', 'spam: spam'] })).toEqual({ compared: 0, relabelled: 1, unclassified: 0 });
    expect(counts({ a: ['legal: n', 'legal: legal'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 1 });
    expect(counts({ a: ['legal: !', 'legal: legal'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 1 });
    expect(counts({ a: ['legal: e', 'legal: legal'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 0 });
    expect(counts({ a: ['legal: e !', 'legal: legal'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 1 });
    expect(counts({ a: ['legal: legal', 'legal: e'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 0 });
    expect(counts({ a: ['legal: legal', 'legal: n'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 0 });
    expect(counts({ a: [undefined, 'legal: legal'] })).toEqual({ compared: 0, relabelled: 0, unclassified: 0 });
    expect(counts({ a: [['legal: spam', { caseHash: 'other' }], 'legal: legal'] })).toEqual({
      compared: 0,
      relabelled: 0,
      unclassified: 0,
    });
  });

  test('make a class vanish where it has no case left', () => {
    expect(
      compare({
        a: ['legal: legal', undefined],
        b: ['legal: legal', undefined],
        c: ['sales: sales', undefined],
        d: ['sales: sales', 'sales: sales'],
        e: ['audit: ?', undefined],
        f: ['spam: n', undefined],
        g: ['spam: spam', 'spam: spam'],
      }).vanished,
    ).toEqual([
      { name: 'audit', cases: 1 },
      { name: 'legal', cases: 2 },
    ]);
    expect(compare({ a: ['legal: legal', undefined], b: [undefined, 'legal: legal'] }).vanished).toEqual([]);
  });
});

describe('recall and macro F1', () => {
  const shown = (cases: Parameters<typeof compare>[0], limits: Partial<ClassPolicy> = {}) => {
    const { f1, recall } = compare(cases, limits);
    return JSON.parse(JSON.stringify({ f1, recall }, round)) as unknown;
  };

  test('are tested over the cases of each class, and held to their limits', () => {
    const cases = { ...repeat(12, 'legal: legal', 'legal: spam', 'l'), ...repeat(8, 'spam: spam', 'spam: spam', 's') };
    const limits = { recall: { legal: { maxDrop: 0.2 }, spam: { min: 1 } }, f1: { maxDrop: 0.1 } };
    expect(shown(cases, limits)).toMatchInlineSnapshot(`
      {
        "f1": {
          "evidence": {
            "baseline": 1,
            "candidate": 0.2857,
            "delta": -0.7143,
            "high": -0.5476,
            "low": -0.881,
            "n": 20,
            "p": 0.0001221,
          },
          "maxDrop": 0.1,
        },
        "recall": {
          "legal": {
            "evidence": {
              "baseline": 1,
              "candidate": 0,
              "delta": -1,
              "high": -0.515,
              "low": -1,
              "n": 12,
              "p": 0.0001221,
            },
            "isLimited": true,
            "maxDrop": 0.2,
            "planning": {
              "cases": 16,
              "repeats": null,
            },
          },
          "spam": {
            "evidence": {
              "baseline": 1,
              "candidate": 1,
              "delta": 0,
              "high": 0.3244,
              "low": -0.3244,
              "n": 8,
              "p": 0.5,
            },
            "isLimited": false,
            "maxDrop": 0.05,
            "planning": {
              "cases": 73,
              "repeats": null,
            },
          },
        },
      }
    `);
  });

  test('without a limit are held to the usual drop, and their p-values share a level', () => {
    const cases = {
      ...repeat(3, 'legal: legal', 'legal: spam', 'l'),
      ...repeat(4, 'spam: spam', 'spam: legal', 's'),
      ...repeat(2, 'sales: sales', 'sales: sales', 'x'),
    };
    expect(shown(cases)).toMatchInlineSnapshot(`
      {
        "f1": {
          "evidence": {
            "baseline": 1,
            "candidate": 0.3333,
            "delta": -0.6667,
            "high": -0.3505,
            "low": -1,
            "n": 9,
            "p": 0.003906,
          },
          "maxDrop": 0.05,
        },
        "recall": {
          "legal": {
            "evidence": {
              "baseline": 1,
              "candidate": 0,
              "delta": -1,
              "high": 0.123,
              "low": -1,
              "n": 3,
              "p": 0.125,
            },
            "isLimited": false,
            "maxDrop": 0.05,
            "planning": {
              "cases": 73,
              "repeats": null,
            },
          },
          "sales": {
            "evidence": {
              "baseline": 1,
              "candidate": 1,
              "delta": 0,
              "high": 0.6576,
              "low": -0.6576,
              "n": 2,
              "p": 0.5,
            },
            "isLimited": false,
            "maxDrop": 0.05,
            "planning": {
              "cases": 73,
              "repeats": null,
            },
          },
          "spam": {
            "evidence": {
              "baseline": 1,
              "candidate": 0,
              "delta": -1,
              "high": -0.02022,
              "low": -1,
              "n": 4,
              "p": 0.09375,
            },
            "isLimited": false,
            "maxDrop": 0.05,
            "planning": {
              "cases": 73,
              "repeats": null,
            },
          },
        },
      }
    `);
    const limited = compare(cases, { recall: { spam: { maxDrop: 0.1 } } });
    expect(limited.recall.get('spam')?.evidence.p).toBeLessThan(compare(cases).recall.get('spam')?.evidence.p ?? 0);
  });

  test('count errors against the candidate in the lower bound alone', () => {
    const clean = repeat(10, 'legal: legal', 'legal: legal');
    const [without, before, after] = [
      shown(clean),
      shown({ ...clean, x: ['legal: spam e', 'legal: spam'], y: ['legal: e', 'legal: e'] }),
      shown({ ...clean, x: ['legal: legal', 'legal: legal e'] }),
    ];
    expect({ without, before, after }).toMatchInlineSnapshot(`
      {
        "after": {
          "f1": {
            "evidence": {
              "baseline": 1,
              "candidate": 1,
              "delta": 0,
              "high": 0.2588,
              "low": -0.2588,
              "n": 11,
              "p": 1,
              "worstLow": -0.2821,
            },
            "maxDrop": 0.05,
          },
          "recall": {
            "legal": {
              "evidence": {
                "baseline": 1,
                "candidate": 1,
                "delta": 0,
                "high": 0.2588,
                "low": -0.2588,
                "n": 11,
                "p": 0.5,
                "worstLow": -0.2925,
              },
              "isLimited": false,
              "maxDrop": 0.05,
              "planning": {
                "cases": 73,
                "repeats": null,
              },
            },
          },
        },
        "before": {
          "f1": {
            "evidence": {
              "baseline": 0.9524,
              "candidate": 0.9524,
              "delta": 0,
              "high": 0.2588,
              "low": -0.2588,
              "n": 11,
              "p": 1,
              "worstLow": -0.3121,
            },
            "maxDrop": 0.05,
          },
          "recall": {
            "legal": {
              "evidence": {
                "baseline": 0.9091,
                "candidate": 0.9091,
                "delta": 0,
                "high": 0.2588,
                "low": -0.2588,
                "n": 11,
                "p": 0.5,
                "worstLow": -0.386,
              },
              "isLimited": false,
              "maxDrop": 0.05,
              "planning": {
                "cases": 73,
                "repeats": null,
              },
            },
          },
        },
        "without": {
          "f1": {
            "evidence": {
              "baseline": 1,
              "candidate": 1,
              "delta": 0,
              "high": 0.2775,
              "low": -0.2775,
              "n": 10,
              "p": 1,
            },
            "maxDrop": 0.05,
          },
          "recall": {
            "legal": {
              "evidence": {
                "baseline": 1,
                "candidate": 1,
                "delta": 0,
                "high": 0.2775,
                "low": -0.2775,
                "n": 10,
                "p": 0.5,
              },
              "isLimited": false,
              "maxDrop": 0.05,
              "planning": {
                "cases": 73,
                "repeats": null,
              },
            },
          },
        },
      }
    `);
  });

  test('of cases of one group are no independent evidence', () => {
    const grouped = Object.fromEntries(
      Object.entries(repeat(12, 'legal: legal', 'legal: spam')).map(([id, [before, after]]) => [
        id,
        [before, [after, { group: 'kin' }]] as const,
      ]),
    );
    expect(shown(grouped)).toMatchInlineSnapshot(`
      {
        "f1": {
          "evidence": {
            "baseline": 1,
            "candidate": 0,
            "delta": -1,
            "high": -0.2065,
            "low": -1,
            "n": 12,
            "p": 0.25,
          },
          "maxDrop": 0.05,
        },
        "recall": {
          "legal": {
            "evidence": {
              "baseline": 1,
              "candidate": 0,
              "delta": -1,
              "high": 1,
              "low": -1,
              "n": 12,
              "p": 1,
            },
            "isLimited": false,
            "maxDrop": 0.05,
            "planning": {
              "cases": null,
              "repeats": null,
            },
          },
        },
      }
    `);
  });
});
