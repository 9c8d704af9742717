// oxlint-disable vitest/expect-expect -- expectNumbers asserts.
import { expect, test } from 'vitest';
import * as agreement from '../../src/stats/agreement.ts';
import * as betaBinomial from '../../src/stats/beta-binomial.ts';
import * as f1 from '../../src/stats/bootstrap-f1.ts';
import * as classes from '../../src/stats/classification.ts';
import { compareSamples } from '../../src/stats/compare-answers.ts';
import * as cases from '../../src/stats/compare-cases.ts';
import * as descriptive from '../../src/stats/descriptive.ts';
import * as distributions from '../../src/stats/distributions.ts';
import * as exact from '../../src/stats/exact-tests.ts';
import * as multiplicity from '../../src/stats/multiplicity.ts';
import * as pairs from '../../src/stats/pairs.ts';
import * as suites from '../../src/stats/plan-suite.ts';
import * as planning from '../../src/stats/planning.ts';
import * as proportions from '../../src/stats/proportions.ts';
import * as ranks from '../../src/stats/ranks.ts';
import * as score from '../../src/stats/score-bound.ts';
import { smallestSize } from '../../src/stats/smallest.ts';
import * as trend from '../../src/stats/trend.ts';
import { createRandom } from '../../src/text/random.ts';

// The other tests of this folder compare with reference values. This one shows every digit at many places, so that no
// change of a formula goes unseen.

/** Twelve digits: the last ones differ by platform. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'number') return Number.isFinite(part) ? Number(part.toPrecision(12)) : String(part);
    return ArrayBuffer.isView(part) ? [...(part as Float64Array)] : part;
  });
}

type Call = readonly [name: string, run: () => unknown];

async function expectNumbers(file: string, calls: readonly Call[]): Promise<void> {
  const lines = calls.map(([name, run]) => {
    try {
      return `${name}: ${show(run())}`;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return `${name}: ! ${error.message}`;
    }
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/${file}.txt`);
}

/** The results of a function of numbers, a line for each list of arguments. */
function table<Args extends unknown[]>(
  make: (...args: Args) => unknown,
  ...lists: readonly (readonly [...Args])[]
): readonly Call[] {
  return lists.map((args) => [`${make.name}${show(args)}`, () => make(...args)]);
}

test('distributions', () =>
  expectNumbers('distributions', [
    ...table(distributions.normalCdf, [-40], [-8], [-3], [-3.0001], [-2.9999], [-1], [0], [0.5], [3], [3.0001], [9]),
    ...table(distributions.normalQuantile, [0], [1e-300], [1e-9], [0.01], [0.4999], [0.5], [0.7], [0.999], [1], [1.1]),
    ...table(distributions.normalCritical, [0.05], [0.1], [0.9], [0], [1]),
    ...table(distributions.tCdf, [-3, 1], [-1, 2.5], [0, 4], [2, 30], [1e200, 3], [1, 0]),
    ...table(distributions.tQuantile, [0, 3], [0.025, 1], [0.025, 29], [0.5, 3], [0.9, 4], [1, 2], [1.1, 3], [0.5, 0]),
    ...table(distributions.tCritical, [0.05, 9], [0.5, 1]),
    ...table(
      distributions.binomialProbability,
      [-1, 3, 0.5],
      [0, 3, 0.2],
      [1, 3, 0.2],
      [3, 3, 0.2],
      [4, 3, 0.2],
      [0, 3, 0],
      [1, 3, 0],
      [3, 3, 1],
      [2, 3, 1],
      [40, 100, 0.37],
    ),
    ...table(
      distributions.binomialTails,
      [-0.5, 3, 0.5],
      [0, 3, 0.2],
      [2.9, 3, 0.2],
      [3, 3, 0.2],
      [40, 100, 0.37],
      [1, 2, 2],
    ),
    ...table(distributions.binomialMidP, [0, 5, 0.5], [2, 5, 0.5], [5, 5, 0.5]),
    ...table(distributions.regularisedIncompleteBeta, [0, 1, 2], [0.3, 2, 5], [0.7, 0.5, 0.5], [1, 1, 2]),
    ...table(
      distributions.betaTails,
      [0.25, 0.75, 1, 5],
      [0.5, 0.5, 3, 3],
      [0.9, 0.1, 200, 30],
      [0.5, 0.5, 0, 1],
      [-1, 2, 1, 1],
      [0.5, 0.5, 1, 0],
    ),
    ...table(distributions.betaQuantile, [0, 2, 3], [1, 2, 3], [0.1, 2, 3], [0.975, 8, 3]),
    ...table(distributions.logGamma, [0.5], [1], [9.5], [10], [171], [0]),
    ...table(distributions.deviance, [0, 2], [2, 0], [3, 2], [2, 2]),
    ...table(distributions.checkCounts, [1, 0], [-1, 2], [2, 2]),
  ]));

test('proportions and bounds', () =>
  expectNumbers('proportions', [
    ...table(proportions.wilsonInterval, [0, 0, 0.05], [0, 5, 0.05], [3, 7, 0.1], [5, 5, 0.05], [6, 5, 0.05]),
    ...table(proportions.clopperPearsonInterval, [6, 5, 0.05], [0, 0, 0.05], [0, 5, 0.05], [3, 7, 0.1], [5, 5, 0.05]),
    ...table(
      proportions.clusteredRateInterval,
      [[], 0.05],
      [[{ events: 1, n: 5 }], 0.05],
      [
        [
          { events: 0, n: 10 },
          { events: 4, n: 12 },
          { events: 1, n: 9 },
        ],
        0.1,
      ],
      [
        [
          { events: 0, n: 10 },
          { events: 0, n: 20 },
        ],
        0.05,
      ],
    ),
    ...table(
      proportions.tangoInterval,
      [{ worse: 0, better: 0, n: 0 }, 0.05],
      [{ worse: 3, better: 1, n: 20 }, 0.05],
      [{ worse: 0, better: 2, n: 2 }, 0.1],
      [{ worse: 3, better: 1, n: 3 }, 0.1],
    ),
    ...table(
      proportions.newcombeUnpairedInterval,
      [{ successes1: 3, n1: 9, successes2: 7, n2: 8 }, 0.05],
      [{ successes1: 0, n1: 0, successes2: 7, n2: 8 }, 0.05],
      [{ successes1: 3, n1: 9, successes2: 0, n2: 0 }, 0.05],
    ),
    ...table(
      proportions.compareUnpaired,
      [[], [1], 0.05],
      [[1], [], 0.05],
      [[1, 1, 1, 0.5], [0, 0.5, 1], 0.05],
      [[0, 1], [1, 1], 0.05],
      [Array.from({ length: 400 }, () => 1), Array.from({ length: 400 }, () => 0), 0.05],
      [[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], 0.1, { baseline: ['a', 'a', 'a', 'b', 'b', 'b'] }],
      [
        [1, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        0.1,
        { baseline: ['a', 'a', 'a', 'b', 'b', 'b'], candidate: ['a', 'a', 'b', 'b', 'c', 'c'] },
      ],
      [[1, 1], [1, 0], 0.1, { candidate: ['a', 'a'] }],
    ),
    ...table(
      score.scoreMeanInterval,
      [[], 0.05],
      [[1, 1, 1], 0.05],
      [[0, 0.5, 1, 0.25], 0.05],
      [[0, 0.5, 1, 0.25], 0.05, ['a', 'a', 'b', 'b']],
      [[0.1, 0.9], 0.5],
    ),
    ...table(
      score.scoreLower,
      [[{ value: -1, weight: 3 }], 1.96],
      [[{ value: 0, weight: 3 }], 1.96],
      [[{ value: 0, weight: 3 }], 0],
      [
        [
          { value: -0.5, weight: 3 },
          { value: 0, weight: 10 },
          { value: 0.25, weight: 2 },
        ],
        1.96,
        1.5,
      ],
      [
        [
          { value: 0.2, weight: 3 },
          { value: 5, weight: 1 },
        ],
        1.645,
      ],
      [[{ value: -1.1, weight: 1 }], 1],
      [[], 1],
    ),
    ...table(
      score.scoreUpper,
      [[{ value: 0, weight: 3 }], 1.96],
      [
        [
          { value: -0.5, weight: 3 },
          { value: 0, weight: 10 },
        ],
        1,
        2,
      ],
    ),
    ...table(score.groupEqual, [[]], [[2, 1, 2, 2, 0.5]]),
  ]));

const three = { baseline: [[1, 1], [1, 0, 1], [0]], candidate: [[0, 1], [1, 1], [0]] };
const single = { baseline: [[1], [1], [1], [0], [1]], candidate: [[0], [0], [1], [1], [0]] };
const scores = { baseline: [[0.5, 0.75], [0.9], []], candidate: [[0.25], [0.95, 1], [1]] };
const grouped = {
  baseline: [[1], [1], [1, 1], [0], [1], [1]],
  candidate: [[0], [1], [0, 1], [0], [1], [0]],
  groups: ['a', 'a', 'b', 'b', undefined, undefined],
};
const all: readonly pairs.PairedResults[] = [
  { baseline: [], candidate: [] },
  { baseline: [[]], candidate: [[1]] },
  { baseline: [[1]], candidate: [[1]] },
  { baseline: [[1]], candidate: [[0]] },
  { baseline: [[1, 1]], candidate: [[0, 1]] },
  { baseline: [[1, 1], [1, 1], [1]], candidate: [[1, 1], [1, 1], [1]] },
  three,
  single,
  scores,
  grouped,
  { ...grouped, groups: ['a', 'a', 'a', 'a', 'a', 'a'] },
  { baseline: [[1]], candidate: [] },
  { baseline: [[1]], candidate: [[2]] },
  { baseline: [[1]], candidate: [[1]], groups: [] },
];

test('comparisons of cases', () => {
  const options = [
    { alpha: 0.05, margin: 0.1 },
    { alpha: 0.2, margin: 0.5, scope: 'suite' },
    { alpha: 0.1, margin: 0, binary: false },
    { alpha: 0.1, margin: 0.9, binary: true, scope: 'population' },
  ] as const;
  return expectNumbers('cases', [
    ...table(cases.compareCases, ...all.flatMap((results) => options.map((option) => [results, option] as const))),
    ...table(planning.sampleSizeToSettle, ...all.slice(0, 11).map((results) => [results, options[0]] as const)),
    ...table(planning.sampleSizeToSettle, ...all.slice(0, 11).map((results) => [results, options[1]] as const)),
    ...table(
      planning.sampleSizeToSettle,
      ...all.slice(0, 11).map((results) => [results, { ...options[0], power: 0.5, flakeRate: 0.2 }] as const),
      [three, { alpha: 0.05, margin: 0 }],
      [grouped, { alpha: 0.05, margin: 0 }],
      [three, { alpha: 0.05, margin: 0, scope: 'suite' }],
    ),
    ...table(pairs.pairCases, ...all.slice(0, 11).map((results) => [results] as const)),
    ...table(pairs.varianceComponents, ...all.slice(0, 11).map((results) => [results] as const)),
    ...table(
      pairs.suiteBound,
      [[], 0.05],
      [[{ baseline: [1, 0], candidate: [0.5] }], 0.05],
      [
        [
          { baseline: [1, 1], candidate: [0, 1, 1] },
          { baseline: [0], candidate: [1] },
        ],
        0.1,
      ],
    ),
    ...table(
      pairs.pooledVariance,
      [[]],
      [[[1], [0]]],
      [
        [
          [1, 0],
          [0, 0, 1],
        ],
      ],
    ),
    ...table(
      cases.compareWorstCase,
      [
        { ...three, baselineErrors: [0, 0, 0], candidateErrors: [0, 0, 0] },
        { alpha: 0.05, margin: 0.5 },
      ],
      [
        { ...three, baselineErrors: [0, 1, 0], candidateErrors: [0, 0, 0] },
        { alpha: 0.05, margin: 0.9 },
      ],
      [
        { ...three, baselineErrors: [0, 0, 0], candidateErrors: [2, 0, 1] },
        { alpha: 0.05, margin: 0.9 },
      ],
      [
        { ...three, baselineErrors: [0], candidateErrors: [2, 0, 1] },
        { alpha: 0.05, margin: 0.9 },
      ],
    ),
    ...table(cases.fillErrors, [[[1], [0]], [1, 1], 0], [[[1], []], [0, 2], 1], [[[1]], [0], 0]),
    ...table(
      cases.decideVerdict,
      [
        { low: -0.1, high: 0, pWorse: 0.5 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: -0.1, high: 0, pWorse: 0.5, worstLow: -0.1 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: -0.1, high: 0, pWorse: 0.5, worstLow: -0.2 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: -0.1, high: 0, pWorse: 0.5, worstLow: null },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: -0.2, high: -0.1, pWorse: 0.025 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: -0.2, high: -0.1, pWorse: 0.03 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: -0.2, high: 0, pWorse: 0.01 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: null, high: null, pWorse: null },
        { alpha: 0.05, margin: 0.1 },
      ],
    ),
    ...table(
      cases.decideRatioVerdict,
      [
        { low: 1, high: 1.1, pIncrease: 0.5 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: 1.01, high: 1.2, pIncrease: 0.025 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: 1, high: 1.2, pIncrease: 0.025 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: 1.01, high: 1.2, pIncrease: 0.026 },
        { alpha: 0.05, margin: 0.1 },
      ],
      [
        { low: null, high: null, pIncrease: null },
        { alpha: 0.05, margin: 0.1 },
      ],
    ),
  ]);
});

test('descriptions of values', () =>
  expectNumbers('descriptive', [
    ...table(descriptive.mean, [[]], [[1, 2, 4]]),
    ...table(descriptive.sum, [[]], [[1, 2]]),
    ...table(descriptive.sumOfSquares, [[1, 2, 4]], [[3]]),
    ...table(descriptive.sampleVariance, [[1]], [[1, 2, 4]], [[2, 2]]),
    ...table(
      descriptive.groupClusteredError,
      [
        [1, 2, 4],
        ['a', 'a', 'b'],
      ],
      [
        [1, 2],
        ['a', 'a'],
      ],
      [
        [1, 2, 3, 5],
        ['a', 'b', 'a', 'c'],
      ],
    ),
    ...table<(readonly number[])[]>(
      (...lists) => {
        const moments = lists.reduce(descriptive.addValues, descriptive.noValues);
        return [moments, descriptive.representValues(moments)];
      },
      [],
      [[1]],
      [[1, 2], [4]],
      [[], [3, 3]],
      [[0, 1, 0.5, 1, 1, 0.25]],
      [[1, 1, 0, 0, 0], [1]],
    ),
    ...table(
      (values: readonly (number | undefined)[]) => String(descriptive.sumKnown(values, (value) => value)),
      [[]],
      [[1, 2]],
      [[1, undefined]],
      [[undefined, 1]],
    ),
    ...table(descriptive.sharedGroups, [[]], [['a', 'b', undefined]], [['a', undefined, 'a']]),
    ...table(
      descriptive.designEffect,
      [
        [1, 1, 0, 0],
        ['a', 'a', 'b', 'b'],
      ],
      [
        [1, 0, 1, 0],
        ['a', 'a', 'b', 'b'],
      ],
      [
        [1, 1],
        ['a', 'b'],
      ],
      [
        [1, 0],
        ['a', 'a'],
      ],
    ),
    ...table((a?: number, b?: number) => String(descriptive.addKnown(a, b)), [1, 2], [1], [undefined, 1], [0, 0]),
    ...table(
      descriptive.quantile,
      [[], 0.5],
      [[3, 1, 2], 0.5],
      [[3, 1, 2], 0.9],
      [[1], 1],
      [[1, 2], -0.1],
      [[1, 2], 2],
    ),
    ...table(descriptive.quantile, [[1, Number.NaN], 0.5]),
    ...table(descriptive.quantiles, [
      [3, 1, 2, 8],
      [0, 0.25, 0.5, 1],
    ]),
  ]));

test('exact tests', () =>
  expectNumbers('exact', [
    ...table(exact.mcnemarTest, [0, 0], [3, 1], [1, 3], [5, 0], [4, 4]),
    ...table(
      exact.fisherMidP,
      [{ baselinePasses: 9, baselineN: 10, candidatePasses: 5, candidateN: 10 }],
      [{ baselinePasses: 0, baselineN: 10, candidatePasses: 5, candidateN: 10 }],
      [{ baselinePasses: 100, baselineN: 200, candidatePasses: 120, candidateN: 180 }],
      [{ baselinePasses: 0, baselineN: 0, candidatePasses: 0, candidateN: 0 }],
      [{ baselinePasses: 3, baselineN: 2, candidatePasses: 0, candidateN: 0 }],
      [{ baselinePasses: 3, baselineN: 3, candidatePasses: -1, candidateN: 2 }],
    ),
    ...table(
      exact.fisherExact,
      [{ candidateFailures: 3, candidateTrials: 3, acceptedFailures: 0, acceptedTrials: 3 }],
      [{ candidateFailures: 2, candidateTrials: 5, acceptedFailures: 1, acceptedTrials: 4 }],
      [{ candidateFailures: 0, candidateTrials: 5, acceptedFailures: 1, acceptedTrials: 4 }],
      [{ candidateFailures: 6, candidateTrials: 5, acceptedFailures: 1, acceptedTrials: 4 }],
      [{ candidateFailures: 1.5, candidateTrials: 5, acceptedFailures: 1, acceptedTrials: 4 }],
      [{ candidateFailures: 1, candidateTrials: 5, acceptedFailures: 5, acceptedTrials: 4 }],
    ),
    ...table(
      exact.hypergeometricProbability,
      [0, { drawn: 0, white: 0, total: 0 }],
      [1, { drawn: 0, white: 0, total: 0 }],
      [2, { drawn: 4, white: 5, total: 12 }],
    ),
    ...table(multiplicity.adjustHolm, [[]], [[0.01, 0.04, 0.03, 0.5]], [[0.9, 0.8]], [[2]]),
    ...table(multiplicity.adjustBenjaminiHochberg, [[]], [[0.01, 0.04, 0.03, 0.5]], [[0.9, 0.8]]),
    ...table(
      multiplicity.sequentialEvidence,
      [[], { margin: 0.1, alphaEarly: 0.05 }],
      [[-1, -1, 0, -1, -1], { margin: 0.1, alphaEarly: 0.05 }],
      [[-1, -1, -1, -1, 1, 1], { margin: 0.1, alphaEarly: 0.05 }],
      [Array.from({ length: 9 }, () => -1), { margin: 0.1, alphaEarly: 0.05 }],
      [Array.from({ length: 40 }, () => 0), { margin: 0.1, alphaEarly: 0.05 }],
      [Array.from({ length: 28 }, () => 0.01), { margin: 0.1, alphaEarly: 0.05 }],
      [[0], { margin: 1, alphaEarly: 0.05 }],
      [[0], { margin: -0.1, alphaEarly: 0.05 }],
      [[0, 0.5], { margin: 0, alphaEarly: 0.05 }],
    ),
    ...table(
      compareSamples,
      ...[2, 3, 4].map((size) => {
        const words = ['a b', 'a c', 'a b d', 'x y', 'x z', 'a x', 'y'];
        const tokens = words.map((text) => new Set(text.split(' ')));
        const distances = words.map((one) => words.map((other) => Math.abs(one.length - other.length) / 4));
        return [{ tokens, distances, size }] as const;
      }),
      [{ tokens: [new Set(['a']), new Set(['a']), new Set(['b'])], distances: [], size: 2 }],
    ),
    ...table(
      (count: number) => {
        const random = createRandom(7);
        const numbers = Array.from({ length: count }, () => random());
        const tokens = numbers.map((number) => new Set([number > 0.5 ? 'a' : 'b']));
        const distances = numbers.map((one) => numbers.map((other) => Math.abs(one - other)));
        return compareSamples({ tokens, distances, size: 7 });
      },
      [15],
    ),
  ]));

test('ranks and costs', () => {
  const many = Array.from({ length: 60 }, (_, index) => ((index * 37) % 61) - 20);
  return expectNumbers('ranks', [
    ...table(
      ranks.wilcoxonSignedRank,
      [[]],
      [[0, 0]],
      [[1, -2, 3]],
      [[1, -1, 3]],
      [[0, 1, 2, -3]],
      [[2, 2, -2, 5, 5, -1]],
      [many],
      [many.slice(0, 49)],
      [many.slice(0, 50)],
    ),
    ...table(
      ranks.hodgesLehmann,
      [[], 0.05],
      [[1], 0.05],
      [[1, 3], 0.5],
      [[1, 3, 8], 0.3],
      [[1, 2, 3, 4, 5, 6, 7, 9], 0.05],
      [[2, 2, 2, 2, 2, 2, 2], 0.05],
      [many, 0.05],
      [many.slice(0, 50), 0.05],
      [many.slice(0, 51), 0.05],
      [[1, Number.NaN], 0.05],
    ),
    ...table(
      ranks.findOrderEffect,
      [[0.2, 0.3, 0.25, 0.22, 0.31, 0.28, 0.35, -0.2], [1, 1, 1, 1, 1, 1, 1, -1], 0.05],
      [[0.2, -0.3, 0.25, -0.22, 0.31, -0.28, 0.35, -0.2], [1, -1, 1, -1, 1, -1, 1, -1], 0.05],
      [[-0.2, 0.3, -0.25, 0.22, -0.31, 0.28, -0.35, 0.2], [1, -1, 1, -1, 1, -1, 1, -1], 0.05],
      [[0.2, 0.3, 0.25, 0.22, 0.31, 0.28], [0, 0, 0, 0, 0, 0], 0.05],
      [[0.2, -0.3, 0.25], [1, 1, 1], 0.05],
      [[0.2, 0.3, 0.25, 0.22, 0.31, 0.28, -0.5, -0.4], [1, 1, 1, 1, 1, 1, 0, 0], 0.05],
    ),
    ...table(ranks.signedRankCdf, [0], [1], [3], [4], [51], [-1], [1.5]),
    ...table(
      ranks.costRatio,
      [[], [], 0.05],
      [[1], [2], 0.05],
      [[1, 2], [2, 4], 0.05],
      [[1, 2, 3], [2, 2, 5], 0.05],
      [[0, 0], [1, 1], 0.05],
      [[1, 1], [0, 0], 0.05],
      [[1], [], 0.05],
    ),
    ...table(
      ranks.comparePairedCost,
      [[], [], 0.1],
      [[1, 2, 3], [1.1, 2.2, 3.3], 0.1],
      [[1, 2, 3], [1.2, 2.5, 4], 0.1],
      [[1, 2, 3], [0.9, 2, 4], 0.1],
      [[0, 0], [0, 0], 0.1],
      [[0, 1], [1, 1], 0.1],
      [[1], [], 0.1],
    ),
    ...table(trend.testErosion, [[], 0.1], [[-1], 0.1], [[-0.2, -0.2], 0.1], [[0, 0], 0.1], [[-0.1, -0.1], 0.1]),
    ...table(
      trend.testErosion,
      [[-0.5, -0.4, -0.6, -0.5], 0.1],
      [[-0.5, -0.4, -0.6, -0.5], 0.5],
      [[-0.5, 0.4, -0.6, 0.5], 0.01],
      [[-0.5, -0.4, -0.6, -0.5], 0.1, ['a', 'a', 'b', 'b']],
      [[-0.5, -0.4, -0.6, -0.5], 0.1, ['a', 'a', 'a', 'a']],
      [[-0.5, -0.1, -0.6, -0.2], 0.1, ['a', 'b', 'a', 'b']],
    ),
    ...table(trend.mannKendall, [[]], [[1]], [[1, 1, 1]], [[3, 2, 1]], [[1, 2, 2, 3, 1, 5]], [[5, 4, 4, 4, 2]]),
    ...table(
      trend.suiteFlakiness,
      [[]],
      [[{ passes: 1, n: 1 }]],
      [[{ passes: 1, n: 2 }]],
      [
        [
          { passes: 1, n: 3 },
          { passes: 4, n: 4 },
        ],
      ],
    ),
    ...table(
      trend.countDisagreements,
      [[]],
      [[true]],
      [[true, false, false]],
      [[true, false, true, true, false, true]],
    ),
    ...table(
      trend.flakeChangeP,
      [
        { pairs: 0, disagreements: 0 },
        { pairs: 5, disagreements: 1 },
      ],
      [
        { pairs: 5, disagreements: 1 },
        { pairs: 0, disagreements: 0 },
      ],
      [
        { pairs: 9, disagreements: 1 },
        { pairs: 8, disagreements: 6 },
      ],
      [
        { pairs: 9, disagreements: 8 },
        { pairs: 8, disagreements: 1 },
      ],
      [
        { pairs: 4, disagreements: 2 },
        { pairs: 4, disagreements: 2 },
      ],
    ),
  ]);
});

test('agreement and classes', () => {
  const answers = [
    { truth: 'a', found: 'a' },
    { truth: 'a', found: 'b' },
    { truth: 'b', found: 'b', weight: 0.5 },
    { truth: 'b', found: 'c', weight: 0.5 },
    { truth: 'c', found: 'a' },
  ];
  const matrix = classes.confusionMatrix(answers);
  return expectNumbers('agreement', [
    ...table(
      agreement.cohenKappa,
      [[], 0.05],
      [
        [
          [0, 0],
          [0, 0],
        ],
        0.05,
      ],
      [
        [
          [5, 0],
          [0, 0],
        ],
        0.05,
      ],
      [
        [
          [5, 0],
          [0, 3],
        ],
        0.05,
      ],
      [
        [
          [20, 5],
          [10, 15],
        ],
        0.05,
      ],
      [
        [
          [1, 4],
          [5, 0],
        ],
        0.1,
      ],
      [
        [
          [7, 1, 2],
          [0, 6, 3],
          [1, 1, 9],
        ],
        0.05,
      ],
    ),
    ...table(
      agreement.rankCorrelation,
      [[], 0.05],
      [
        [
          [1, 1],
          [1, 2],
          [1, 3],
          [1, 4],
        ],
        0.05,
      ],
      [
        [
          [1, 1],
          [2, 1],
          [3, 1],
          [4, 1],
        ],
        0.05,
      ],
      [
        [
          [1, 2],
          [2, 4],
          [3, 6],
        ],
        0.05,
      ],
      [
        [
          [1, 2],
          [2, 4],
          [3, 1],
          [4, 9],
        ],
        0.05,
      ],
      [
        [
          [1, 2],
          [2, 2],
          [2, 1],
          [4, 9],
          [4, 9],
          [4, 3],
        ],
        0.05,
      ],
      [
        [
          [1, 4],
          [2, 3],
          [3, 2],
          [4, 1],
        ],
        0.05,
      ],
    ),
    ...table(
      agreement.judgeError,
      [{ passesFound: 9, passes: 10, failuresFound: 7, failures: 8 }, 0.05],
      [{ passesFound: 0, passes: 0, failuresFound: 7, failures: 8 }, 0.05],
      [{ passesFound: 9, passes: 10, failuresFound: 0, failures: 0 }, 0.05],
    ),
    ...table(agreement.judgedMargin, [0.1, 0.8], [0.1, -0.5], [0.1, 0.5, 0.25], [0.1, 0.5, 0]),
    ...table(classes.confusionMatrix, [answers], [[]]),
    ...table(
      classes.classScores,
      [matrix],
      [
        {
          classes: ['a', 'b'],
          counts: [
            [0, 2],
            [0, 0],
          ],
        },
      ],
    ),
    ...table(classes.macroScores, [matrix], [matrix, ['a', 'c']], [matrix, []], [matrix, ['z']]),
    ...table(
      classes.macroScores,
      [
        {
          classes: ['a', 'b', 'c'],
          counts: [
            [0, 2, 0],
            [0, 0, 0],
            [0, 0, 0],
          ],
        },
      ],
      [
        {
          classes: ['a', 'b'],
          counts: [
            [0, 2],
            [0, 0],
          ],
        },
        ['a', 'b'],
      ],
    ),
    ...table(classes.f1Interval, [3, { support: 5, found: 4 }, 0.05], [0, { support: 0, found: 0 }, 0.05]),
  ]);
});

test('intervals of macro F1', () => {
  const of = (truth: string, found: string, weight?: number) => ({
    truth,
    found,
    ...(weight === undefined ? {} : { weight }),
  });
  const before = [of('a', 'a'), of('a', 'a'), of('b', 'b'), of('b', 'b'), of('c', 'c'), of('a', 'b'), of('b', 'a')];
  const after = [of('a', 'a'), of('a', 'b'), of('b', 'b'), of('b', 'c'), of('c', 'a'), of('a', 'b'), of('b', 'b')];
  const paired = before.map((baseline, index) => ({ baseline: [baseline], candidate: [after[index] ?? baseline] }));
  const inGroups = paired.map((one, index) => ({ ...one, group: index < 4 ? `g${index % 2}` : undefined }));
  const cases = after.map((answer, index) => ({ answers: [answer], ...(index > 3 ? { group: 'x' } : {}) }));
  const few = { alpha: 0.1, resamples: 50 };
  const wide = { delta: -0.1, low: -0.11, high: 0, pWorse: 0.2 };
  return expectNumbers('macro-f1', [
    ...table(
      f1.macroF1Interval,
      [[], few],
      [cases, few],
      [cases, { ...few, classes: ['a', 'b'] }],
      [cases, { ...few, classes: ['z'] }],
      [cases, { ...few, seed: 2 }],
      [cases, { alpha: 0.1 }],
      [[{ answers: [of('a', 'a', 0.5), of('a', 'b', 0.5)] }, { answers: [] }], few],
      [Array.from({ length: 30 }, () => ({ answers: [of('a', 'a')] })), few],
    ),
    ...table(
      f1.bootstrapF1,
      [[], few],
      [paired, few],
      [inGroups, few],
      [paired, { ...few, classes: ['c', 'a'] }],
      [paired, { ...few, classes: ['z'] }],
      [paired, { alpha: 0.1, seed: 3 }],
      [paired.slice(0, 1), few],
      [paired.slice(0, 2), few],
      [paired.map(({ baseline, candidate }) => ({ baseline: candidate, candidate: baseline })), few],
      [[{ baseline: [of('a', 'a', 0.5), of('a', 'b', 0.5)], candidate: [of('a', 'b', 0.5), of('a', 'a', 0.5)] }], few],
      [[{ baseline: [of('a', 'a')], candidate: [of('a', 'b')] }], few],
    ),
    ...table(
      f1.widenToUnseen,
      [wide, { cases, classes: ['a', 'b', 'c'], alpha: 0.05 }],
      [wide, { cases, classes: ['a'], alpha: 0.05 }],
      [
        { ...wide, low: -0.9, high: 0.9 },
        { cases, classes: ['a', 'b'], alpha: 0.05 },
      ],
      [wide, { cases: [], classes: ['a'], alpha: 0.05 }],
      [
        { ...wide, delta: null },
        { cases, classes: ['a'], alpha: 0.05 },
      ],
      [
        { ...wide, low: null },
        { cases, classes: ['a'], alpha: 0.05 },
      ],
      [
        { ...wide, high: null },
        { cases, classes: ['a'], alpha: 0.05 },
      ],
      [wide, { cases: [{ answers: [] }, ...cases], classes: ['a', 'b'], alpha: 0.05 }],
    ),
  ]);
});

test('failure rates that were drawn', () =>
  expectNumbers('drawn', [
    ...table<betaBinomial.CaseFailures[]>(
      (...failures) => {
        const random = createRandom(5);
        const draw = betaBinomial.fitFailureRates(failures);
        const spreads = Array.from({ length: 3 }, () => draw(random));
        return [
          spreads,
          spreads.map((spread) => betaBinomial.drawRate(failures[0] ?? { failures: 0, n: 0 }, spread, random)),
        ];
      },
      [],
      [{ failures: 0, n: 3 }],
      [{ failures: 3, n: 3 }],
      [
        { failures: 0, n: 3 },
        { failures: 1, n: 3 },
        { failures: 0, n: 3 },
        { failures: 5, n: 5 },
      ],
      [{ failures: 4, n: 3 }],
    ),
  ]));

test('plans', () => {
  const policies = [
    { alpha: 0.05, power: 0.8 },
    { alpha: 0.2, power: 0.9 },
  ] as const;
  const design = { cases: 40, trials: 3, baselineTrials: 2, sigma2: 0.05, scope: 'population' } as const;
  const designs: readonly suites.SuiteDesign[] = [
    design,
    { ...design, scope: 'suite' },
    { ...design, cases: 0 },
    { ...design, cases: 0, scope: 'suite' },
    { ...design, cases: 5 },
    { ...design, sigma2: 0 },
    { ...design, sigma2: 0.3, cases: 300 },
    { ...design, sigma2: 0.25, cases: 12, trials: 1, baselineTrials: 1 },
    { ...design, sigma2: 0.25, cases: 5, trials: 1, baselineTrials: 1 },
    { ...design, sigma2: 0.25, cases: 1, trials: 1, baselineTrials: 1 },
    { ...design, cases: 400, trials: 1, baselineTrials: 1 },
  ];
  return expectNumbers('plans', [
    ...table(
      suites.planSuite,
      ...designs.flatMap((of) => policies.map((policy) => [of, 0.1, policy] as const)),
      [design, 0.6, policies[0]],
      [design, 0, policies[0]],
      [design, 1, policies[0]],
    ),
    ...table(suites.flakeRateOf, [0], [0.09], [0.25], [0.4]),
    ...table(suites.minChangedCases, [0.05], [0.5], [0.9], [0.0625]),
    ...table(planning.casesNeeded, [0, 1, policies[0]], [0.1, 0.2, policies[0]], [-0.1, 0.2, policies[0]]),
    ...table(planning.minCasesForMargin, [0, 0.05], [0.1, 0.05], [0.99, 0.9], [-1, 0.05]),
    ...table(planning.casesToExcludeMargin, [0, 1, policies[0]], [0.1, 0.001, policies[0]], [0.1, 1, policies[0]]),
    ...table(
      planning.repeatsNeeded,
      [{ n: 40, delta: 0.1, omega2: 0, sigma2Baseline: 0.05, sigma2Candidate: 0.1 }, policies[0]],
      [{ n: 40, delta: 0.1, omega2: 0.5, sigma2Baseline: 0.05, sigma2Candidate: 0.1 }, policies[0]],
      [{ n: 40, delta: 0.9, omega2: 0, sigma2Baseline: 0.05, sigma2Candidate: 0.1 }, policies[0]],
    ),
    ...table(planning.assumedComponents, [0.1, 0.2], [0.1, -0.2], [0.4, 0.9], [0, 0]),
    ...table(planning.plannedZ, [policies[0]], [{ alpha: 0.05, power: 0 }], [{ alpha: 0.05, power: 1 }]),
    ...table(
      (least: number, most: number, wanted: number) => smallestSize(least, most, (size) => size >= wanted),
      [1, 100, 1],
      [1, 100, 37],
      [1, 100, 100],
      [1, 100, 101],
      [5, 5, 5],
      [5, 6, 6],
    ),
  ]);
});
