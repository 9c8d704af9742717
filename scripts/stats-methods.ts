import { z } from 'zod';
import { judgedMargin, judgeError } from '../src/stats/agreement.ts';
import { bootstrapF1 } from '../src/stats/bootstrap-f1.ts';
import { classScores, confusionMatrix, macroScores } from '../src/stats/classification.ts';
import { compareCases, compareWorstCase } from '../src/stats/compare-cases.ts';
import { groupClusteredError, mean } from '../src/stats/descriptive.ts';
import { normalQuantile, regularisedIncompleteBeta, tCdf, tQuantile } from '../src/stats/distributions.ts';
import { fisherExact, fisherMidP, mcnemarTest } from '../src/stats/exact-tests.ts';
import { adjustBenjaminiHochberg, adjustHolm, sequentialEvidence } from '../src/stats/multiplicity.ts';
import { suiteBound, varianceComponents } from '../src/stats/pairs.ts';
import { casesNeeded, casesToExcludeMargin, minCasesForMargin, repeatsNeeded } from '../src/stats/planning.ts';
import {
  clopperPearsonInterval,
  newcombeUnpairedInterval,
  tangoInterval,
  wilsonInterval,
} from '../src/stats/proportions.ts';
import { comparePairedCost, costRatio, hodgesLehmann, wilcoxonSignedRank } from '../src/stats/ranks.ts';
import { scoreMeanInterval } from '../src/stats/score-bound.ts';
import { mannKendall, testErosion } from '../src/stats/trend.ts';
import {
  belowRequiredRate,
  blockProbability,
  caseFlakiness,
  casesNeededSingle,
  cleanRepeatsBound,
  cleanRepeatsNeeded,
  clusteredMeanInterval,
  clusteredQuantileInterval,
  flakeDetectionProbability,
  mcnemarTwoSided,
  minDetectableEffect,
  newcombePairedInterval,
  passAtK,
  quantileInterval,
  quantileRatioInterval,
  recallInterval,
  repeatsToDetectFlake,
  scoreDifferenceInterval,
  shrinkPassRates,
} from './reference-statistics.ts';

/** A reference method: takes a case's input, returns its output under the names of the reference file. */
export type StatsMethod = (input: unknown) => Readonly<Record<string, unknown>>;

const number = z.number();
const numbers = z.array(number);
const alpha = number;
const bound = number.nullable();
const paired = z.array(z.object({ baseline: numbers, candidate: numbers }));
const power = { alpha, power: number };

/** Every method id of a reference file, and the functions that answer it. */
export const statsMethods: ReadonlyMap<string, StatsMethod> = new Map([
  define('wilson', { passes: number, n: number, alpha }, (i) => bounds(wilsonInterval(i.passes, i.n, i.alpha))),
  define('clopper_pearson', { passes: number, n: number, alpha }, (i) =>
    bounds(clopperPearsonInterval(i.passes, i.n, i.alpha)),
  ),
  define('score_mean_interval', { cases: z.array(numbers), alpha }, (i) => {
    const estimate = scoreMeanInterval(caseMeans(i.cases), i.alpha);
    return { n: estimate.n, mean: estimate.mean, ...bounds(estimate) };
  }),
  define('cluster_mean_t', { cases: z.array(numbers), alpha }, (i) => {
    const estimate = clusteredMeanInterval(caseMeans(i.cases), i.alpha);
    return { n: estimate.n, mean: estimate.mean, se: estimate.se, df: estimate.df, ...bounds(estimate) };
  }),
  define('group_clustered_se', { values: numbers, groups: z.array(z.union([z.string(), number])) }, (i) => {
    const { se, groupCount } = groupClusteredError(i.values, i.groups);
    return { se, G: groupCount };
  }),
  define('mcnemar', { b: number, c: number }, (i) => {
    const test = mcnemarTest(i.b, i.c);
    const twoSided = mcnemarTwoSided(i.b, i.c);
    return {
      p_two_sided_exact: twoSided.exact,
      p_two_sided_midp: twoSided.midP,
      p_worse_midp: test.pWorse,
      p_better_midp: test.pBetter,
    };
  }),
  define('tango', { b: number, c: number, n: number, alpha }, (i) =>
    difference(tangoInterval({ worse: i.b, better: i.c, n: i.n }, i.alpha)),
  ),
  define('newcombe_unpaired', { x1: number, n1: number, x2: number, n2: number, alpha }, (i) =>
    difference(newcombeUnpairedInterval({ successes1: i.x1, n1: i.n1, successes2: i.x2, n2: i.n2 }, i.alpha)),
  ),
  define('newcombe_paired', { both: number, only1: number, only2: number, neither: number, alpha }, (i) =>
    difference(newcombePairedInterval(i, i.alpha)),
  ),
  define('score_lower_bound', { d: numbers, alpha }, (i) => {
    const estimate = scoreDifferenceInterval(i.d, i.alpha);
    return { mean: estimate.mean, ...bounds(estimate) };
  }),
  define('gate', { cases: paired, alpha, margin: number, binary: z.boolean() }, (i) => {
    const comparison = compareCases(sides(i.cases), { alpha: i.alpha, margin: i.margin, binary: i.binary });
    const { n, changed, delta, pWorse, verdict } = comparison;
    return { n, delta, ...bounds(comparison), p_worse: pWorse, changed, verdict };
  }),
  define(
    'gate_worst_case',
    {
      cases: z.array(
        z.object({ baseline: numbers, candidate: numbers, baseline_errors: number, candidate_errors: number }),
      ),
      alpha,
      margin: number,
    },
    (i) => {
      const results = {
        ...sides(i.cases),
        baselineErrors: i.cases.map((one) => one.baseline_errors),
        candidateErrors: i.cases.map((one) => one.candidate_errors),
      };
      const { observed, worst, verdict } = compareWorstCase(results, { alpha: i.alpha, margin: i.margin });
      return {
        observed_lower: observed.low,
        observed_verdict: observed.verdict,
        worst_delta: worst.delta,
        worst_lower: worst.low,
        final_verdict: verdict,
      };
    },
  ),
  define('suite_bound', { cases: paired, alpha }, (i) => {
    const { effectiveN, worse, better, ...estimate } = suiteBound(i.cases, i.alpha);
    return { n_eff: effectiveN, b: worse, c: better, ...difference(estimate) };
  }),
  define('cost_ratio', { baseline: numbers, candidate: numbers, alpha }, (i) => {
    const estimate = costRatio(i.baseline, i.candidate, i.alpha);
    return {
      ratio: estimate.ratio,
      ...bounds(estimate),
      se_log: estimate.seLog,
      p_increase: estimate.pIncrease,
    };
  }),
  define('quantile_ci', { values: numbers, p: number, alpha }, (i) => {
    const estimate = quantileInterval(i.values, i.p, i.alpha);
    return { estimate: estimate.estimate, ...bounds(estimate), ...ranks(estimate) };
  }),
  define('quantile_ci_clustered', { cases: z.array(numbers), p: number, alpha }, (i) => {
    const estimate = clusteredQuantileInterval(i.cases, i.p, i.alpha);
    return { estimate: estimate.estimate, se_p: estimate.seShare, ...bounds(estimate), ...ranks(estimate) };
  }),
  define('hodges_lehmann', { l: numbers, alpha }, (i) => {
    const estimate = hodgesLehmann(i.l, i.alpha);
    return { n: estimate.n, estimate: estimate.estimate, ...bounds(estimate), rank: estimate.rank };
  }),
  define('wilcoxon_signed_rank', { l: numbers }, (i) => {
    const test = wilcoxonSignedRank(i.l);
    return { p_greater: test.pGreater, V: test.positiveRankSum };
  }),
  define('quantile_ratio_mover', { baseline: quantileShape(), candidate: quantileShape() }, (i) => {
    const estimate = quantileRatioInterval(fromBounds(i.baseline), fromBounds(i.candidate));
    return { ratio: estimate.ratio, ...bounds(estimate) };
  }),
  define('holm', { p: numbers }, (i) => ({ adjusted: adjustHolm(i.p) })),
  define('bh', { p: numbers }, (i) => ({ adjusted: adjustBenjaminiHochberg(i.p) })),
  define('mde', { n: number, variance: number, ...power }, (i) => ({ mde: minDetectableEffect(i.n, i.variance, i) })),
  define('cases_needed', { delta: number, variance: number, ...power }, (i) => ({
    n: casesNeeded(i.delta, i.variance, i),
  })),
  define('cases_needed_k1', { delta: number, discordance: number, ...power }, (i) => ({
    n: casesNeededSingle(i.delta, i.discordance, i),
  })),
  define('min_cases_for_margin', { margin: number, alpha }, (i) => ({ n: minCasesForMargin(i.margin, i.alpha) })),
  define('cases_needed_not_regressed', { margin: number, variance: number, ...power }, (i) => ({
    n: casesToExcludeMargin(i.margin, i.variance, i),
  })),
  define(
    'repeats_needed',
    { n: number, delta: number, omega2: number, sigma2_baseline: number, sigma2_candidate: number, ...power },
    (i) => ({
      k: repeatsNeeded({ ...i, sigma2Baseline: i.sigma2_baseline, sigma2Candidate: i.sigma2_candidate }, i),
    }),
  ),
  define('variance_components', { cases: paired }, (i) => {
    const parts = varianceComponents(sides(i.cases));
    return {
      sigma2_baseline: parts.sigma2Baseline,
      sigma2_candidate: parts.sigma2Candidate,
      var_d: parts.varianceOfDifference,
      omega2: parts.omega2,
    };
  }),
  define(
    'case_worse_fisher_midp',
    { baseline_passes: number, baseline_n: number, candidate_passes: number, candidate_n: number },
    (i) => ({
      p_worse: fisherMidP({
        baselinePasses: i.baseline_passes,
        baselineN: i.baseline_n,
        candidatePasses: i.candidate_passes,
        candidateN: i.candidate_n,
      }),
    }),
  ),
  define('flake_case', { passes: number, n: number }, (i) => ({ ...caseFlakiness(i.passes, i.n) })),
  define('pass_at_k_pass_hat_k', { passes: number, n: number, k: number }, (i) => {
    const chance = passAtK(i.passes, i.n, i.k);
    return { pass_at_k: chance.passAtK, pass_hat_k: chance.passHatK };
  }),
  define('flake_detection', { flake_rate: number, repeats: number, probability: number }, (i) => ({
    p_detect: flakeDetectionProbability(i.flake_rate, i.repeats),
    repeats_needed: repeatsToDetectFlake(i.flake_rate, i.probability),
  })),
  define('beta_binomial_mom', { passes: numbers, n: numbers }, (i) => ({
    ...shrinkPassRates(i.passes.map((passes, index) => ({ passes, n: i.n[index] ?? 0 }))),
  })),
  define('must_pass_block_probability', { flake_rate: number, repeats: number, confirmations: number }, (i) => ({
    p_block: blockProbability(i.flake_rate, i.repeats, i.confirmations),
  })),
  define('min_pass_rate_test', { passes: number, n: number, required: number }, (i) => ({
    p_below: belowRequiredRate(i.passes, i.n, i.required),
  })),
  define('clean_repeats_needed', { required: number, alpha }, (i) => ({
    k: cleanRepeatsNeeded(i.required, i.alpha),
    lower_bound_after_5: cleanRepeatsBound(5, i.alpha),
  })),
  define('e_process', { d: numbers, margin: number, alpha_early: number }, (i) => {
    const evidence = sequentialEvidence(i.d, { margin: i.margin, alphaEarly: i.alpha_early });
    return {
      log_e_regressed: evidence.logERegressed,
      log_e_not_regressed: evidence.logENotRegressed,
      stop: evidence.stop,
    };
  }),
  define('normal_quantile', { p: number }, (i) => ({ x: normalQuantile(i.p) })),
  define('t_quantile', { p: number, df: number }, (i) => ({ x: tQuantile(i.p, i.df) })),
  define('t_cdf', { t: number, df: number }, (i) => ({ p: tCdf(i.t, i.df) })),
  define('regularised_incomplete_beta', { x: number, a: number, b: number }, (i) => ({
    p: regularisedIncompleteBeta(i.x, i.a, i.b),
  })),
  ...gateMethods(),
]);

/** The methods of the gate's second stage, of slices, classes and judges. */
function gateMethods(): readonly (readonly [string, StatsMethod])[] {
  const counts = {
    candidateFailures: number,
    candidateTrials: number,
    acceptedFailures: number,
    acceptedTrials: number,
  };
  const names = z.array(z.string());
  const f1Input = { truth: names, baseline: names, candidate: names, alpha };
  const bootstrap = (i: { truth: string[]; baseline: string[]; candidate: string[]; alpha: number }) =>
    bootstrapF1(
      i.truth.map((truth, index) => ({
        baseline: [{ truth, found: i.baseline[index] ?? '' }],
        candidate: [{ truth, found: i.candidate[index] ?? '' }],
      })),
      { alpha: i.alpha },
    );
  return [
    define('fisher_exact', counts, (i) => ({ p: fisherExact(i) })),
    define('recall_interval', { right: number, support: number, alpha }, (i) => ({
      ...recallInterval(i.right, i.support, i.alpha),
    })),
    define('class_scores', { truth: names, found: names }, (i) => {
      const matrix = confusionMatrix(i.truth.map((truth, index) => ({ truth, found: i.found[index] ?? '' })));
      const scores = classScores(matrix);
      return {
        classes: matrix.classes,
        precision: scores.map(({ precision }) => precision),
        recall: scores.map(({ recall }) => recall),
        f1: scores.map(({ f1 }) => f1),
        macroF1: macroScores(matrix).f1,
      };
    }),
    define('f1_bootstrap', f1Input, (i) => ({ ...bootstrap(i) })),
    define('f1_difference', f1Input, (i) => ({ ...bootstrap(i) })),
    define('paired_cost', { baseline: numbers, candidate: numbers, margin: number }, (i) => ({
      ...comparePairedCost(i.baseline, i.candidate, i.margin),
    })),
    define(
      'judge_error',
      { passesFound: number, passes: number, failuresFound: number, failures: number, alpha },
      (i) => {
        const { sensitivity, specificity, youden, youdenLow } = judgeError(i, i.alpha);
        return {
          sensitivity: sensitivity.value,
          sensitivityLow: sensitivity.low,
          sensitivityHigh: sensitivity.high,
          specificity: specificity.value,
          specificityLow: specificity.low,
          specificityHigh: specificity.high,
          youden,
          youdenLow,
        };
      },
    ),
    define('judged_margin', { margin: number, youdenLow: number, judged: number }, (i) => ({
      margin: judgedMargin(i.margin, i.youdenLow, i.judged),
    })),
    define('erosion', { differences: numbers, margin: number }, (i) => ({ ...testErosion(i.differences, i.margin) })),
    define('mann_kendall', { values: numbers }, (i) => ({ ...mannKendall(i.values) })),
    define('mcnemar_mid_p', { b: number, c: number }, (i) => ({ p: mcnemarTwoSided(i.b, i.c).midP })),
  ];
}

function define<Shape extends z.ZodRawShape>(
  id: string,
  shape: Shape,
  answer: (input: z.output<z.ZodObject<Shape>>) => Readonly<Record<string, unknown>>,
): readonly [string, StatsMethod] {
  const schema = z.object(shape);
  return [id, (input) => answer(schema.parse(input))];
}

function quantileShape() {
  return z.object({ estimate: bound, lower: bound, upper: bound });
}

function fromBounds(quantile: { estimate: number | null; lower: number | null; upper: number | null }) {
  return { estimate: quantile.estimate, low: quantile.lower, high: quantile.upper };
}

function bounds({ low, high }: { low: number | null; high: number | null }) {
  return { lower: low, upper: high };
}

function ranks({ lowRank, highRank }: { lowRank: number | null; highRank: number | null }) {
  return { lower_rank: lowRank, upper_rank: highRank };
}

function difference(estimate: { delta: number | null; low: number | null; high: number | null }) {
  return { delta: estimate.delta, ...bounds(estimate) };
}

function caseMeans(cases: readonly (readonly number[])[]): number[] {
  return cases.filter((repeats) => repeats.length > 0).map(mean);
}

function sides(cases: readonly { baseline: readonly number[]; candidate: readonly number[] }[]) {
  return { baseline: cases.map(({ baseline }) => baseline), candidate: cases.map(({ candidate }) => candidate) };
}
