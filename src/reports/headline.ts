import type { Breach, BreachCode } from '../model/gate.ts';
import type { StopReason } from '../model/record.ts';
import type { Report, SuiteReport } from '../model/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { describeCertainty, describeInconclusive } from './comparison.ts';

/** What every report says first, or last on a terminal: `FAILED: 2 thresholds broken (exit code 1)`. */
export function headlineOf(report: Report): string {
  return `${shoutDecision(report)} (exit code ${report.exitCode})`;
}

/** The decision with its first word in capitals, so that it is found where there is no colour. */
export function shoutDecision(report: Report): string {
  return describeDecision(report).replace(/^\w+/, (word) => word.toUpperCase());
}

/** The decision in one sentence: `failed: 2 thresholds broken`. */
export function describeDecision(report: Report): string {
  return [describeOutcome(report), ...describeNotAsked(report), ...describeLosses(report)].join('; ');
}

/** What was not asked never counts as passed. */
function describeNotAsked({ totals: { notAsked = 0, planned } }: Report): readonly string[] {
  return notAsked === 0 ? [] : [`${notAsked} of ${planned} planned cells were not asked (decided early)`];
}

/** The suites that lost most of their baseline's cases. */
function describeLosses({ suites }: Report): readonly string[] {
  return suites.flatMap(({ suite, variants }) => {
    const losses = variants.flatMap(({ comparison }) => comparison?.lostCases ?? []);
    const [worst] = losses.toSorted((a, b) => b.lost - a.lost);
    return worst === undefined ? [] : [`${worst.lost} of ${worst.of} cases of the baseline of ${suite} are missing`];
  });
}

function describeOutcome(report: Report): string {
  const { decision, run, totals } = report;
  const { outcome, breaches } = decision;
  if (decision.interrupted !== undefined) return `interrupted by ${decision.interrupted}; what was done is kept`;
  switch (outcome) {
    case 'passed':
      if (totals.planned === 0) return 'passed: nothing was planned';
      return decision.certainty === undefined ? 'passed' : `passed: ${describeCertainty(decision.certainty)}`;
    case 'failed':
      return describeFailure(breaches);
    case 'inconclusive':
      return `inconclusive: ${describeUnsettled(report)}`;
    case 'incomplete':
      return `incomplete: ${describeIncomplete(report)}${run.complete || run.stopReason === 'decided' ? '' : '; llmcheck run --resume goes on'}`;
  }
}

/** A run that failed may have been stopped as well, which breaks no threshold. */
function describeFailure(breaches: readonly Breach[]): string {
  const broken = breaches.filter(({ code }) => !withoutVerdict.has(code)).length;
  return broken === 0 ? 'failed' : `failed: ${formatCount(broken, 'threshold')} broken`;
}

const withoutVerdict: ReadonlySet<BreachCode> = new Set<BreachCode>([
  'errors-exceeded',
  'unpriced',
  'untimed',
  'stopped',
  'judge-uncalibrated',
  'nothing-evaluated',
  'inconclusive',
]);

const stopSentences: Readonly<Record<StopReason, string>> = {
  decided: 'what was asked (--early) does not decide the run; run again without it',
  budget: 'the budget (--max-cost) stopped the run',
  deadline: 'the time limit (--deadline) stopped the run',
  bail: 'the run was stopped at the failures that --bail allows',
  storage: 'the record could not be written any further',
  queue: 'the queue (--queue) or its workers did not answer for too long',
  interrupted: 'the run was interrupted',
};

function describeUnsettled({ suites }: Report): string {
  const unsettled = suites.flatMap(({ variants }) =>
    variants.flatMap(({ comparison }) => (comparison?.outcome === 'inconclusive' ? [comparison] : [])),
  );
  if (unsettled.length === 0) return 'limits of the gate are undecided';
  if (unsettled.every(({ certainty }) => certainty.cases === 0)) return 'no case could be compared';
  return describeInconclusive(
    unsettled.reduce((sum, { cases }) => sum + cases.regressed.length, 0),
    unsettled.reduce((sum, { unsettled: failures = 0 }) => sum + failures, 0),
  );
}

function describeIncomplete(report: Report): string {
  const { decision, run, totals } = report;
  switch (decision.incompleteBecause ?? 'stopped') {
    case 'errors':
      return describeErrors(report);
    case 'nothing-evaluated':
      if (totals.passed + totals.failed === 0) return 'nothing was evaluated';
      return 'a file, a suite or a slice of its gate has no case left';
    case 'uncalibrated':
      return 'a judge may not decide before it is calibrated (llmcheck judge check)';
    case 'inconclusive':
      return `${describeUnsettled(report)}; --require-conclusive asks for a verdict`;
    case 'stopped':
      return run.stopReason === undefined ? 'the run did not end' : stopSentences[run.stopReason];
  }
}

function describeErrors({ decision: { breaches }, suites, totals }: Report): string {
  const untimed = breaches.filter(({ code }) => code === 'untimed');
  const isUnpriced = breaches.some(({ code }) => code === 'unpriced');
  if (breaches.some(({ code }) => code === 'errors-exceeded') || (untimed.length === 0 && !isUnpriced)) {
    return totals.errored === 0
      ? 'what failed could not be confirmed'
      : `${formatCount(totals.errored, 'cell')} could not be judged`;
  }
  const count = countUntimed(suites, untimed);
  const answers = count === 0 ? 'some answers' : formatCount(count, 'answer');
  return [
    ...(untimed.length > 0 ? [`a latency limit can't be judged because the latency of ${answers} is unknown`] : []),
    ...(isUnpriced ? ["a cost limit can't be judged because the cost of some answers is unknown"] : []),
  ].join(', and ');
}

/** Judged answers without a latency, of the variants that these breaches name. */
function countUntimed(suites: readonly SuiteReport[], breaches: readonly Breach[]): number {
  const variants = suites.flatMap(({ suite, variants: all }) =>
    all.filter(({ prompt, provider }) =>
      breaches.some((breach) => breach.suite === suite && breach.prompt === prompt && breach.provider === provider),
    ),
  );
  return variants.reduce((sum, { passed, failed, latencies }) => {
    return latencies === undefined ? sum : sum + passed + failed - latencies().candidate.length;
  }, 0);
}
