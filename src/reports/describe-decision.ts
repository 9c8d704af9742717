import type { Breach, BreachCode } from '../model/gate.ts';
import type { StopReason } from '../model/record.ts';
import type { Report, SuiteReport, VariantReport } from '../model/report.ts';
import { formatCount, formatPercent, formatUsd } from '../text/format-amount.ts';

/** The gate's word in one sentence, without the exit code. */
export function describeDecision(report: Report): string {
  return [describeOutcome(report), ...describeLosses(report)].join('; ');
}

/** Most of a baseline's cases gone is more than a change of some. */
function describeLosses({ suites }: Report): readonly string[] {
  return suites.flatMap(({ suite, variants }) => {
    const losses = variants.flatMap(({ comparison }) => comparison?.lostCases ?? []);
    const [worst] = losses.toSorted((a, b) => b.lost - a.lost);
    return worst === undefined ? [] : [`${worst.lost} of ${worst.of} cases of the baseline of ${suite} are gone`];
  });
}

function describeOutcome(report: Report): string {
  const { decision, run, totals } = report;
  const { outcome, breaches } = decision;
  if (decision.interrupted !== undefined) return `interrupted by ${decision.interrupted}; what was done is kept`;
  switch (outcome) {
    case 'passed':
      return totals.planned === 0 ? 'passed: nothing was planned' : 'passed';
    case 'failed':
      return describeFailure(breaches);
    case 'inconclusive':
      return `inconclusive: ${describeOpen(report)}`;
    case 'incomplete':
      return `incomplete: ${describeIncomplete(report)}${run.complete ? '' : '; llmcheck run --resume goes on'}`;
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

/** The same with its first word in capitals: it must be found where there is no colour. */
export function shoutDecision(report: Report): string {
  return describeDecision(report).replace(/^\w+/, (word) => word.toUpperCase());
}

/** `planned 40 = 38 passed + 1 failed + 1 errored + 0 skipped`, and what is counted apart. */
export function describeCounts({ totals }: Report): string {
  const { planned, passed, failed, errored, skipped, observed, confirmations, cached } = totals;
  const parts = [`planned ${planned} = ${passed} passed + ${failed} failed + ${errored} errored + ${skipped} skipped`];
  if (observed > 0) parts.push(`${observed} observed apart`);
  if (confirmations > 0) parts.push(`${formatCount(confirmations, 'fresh trial')} apart`);
  parts.push(`${cached} from the cache`);
  return parts.join('; ');
}

/**
 * `cost $0.0010 without the cache, spent $0.0014 ($0.0004 of it on 4 fresh trials)`: what is billed may be more than the
 * planned cells cost, and it is said for what.
 */
export function describeSpending({ totals }: Report): string {
  const { observed, confirmations, costUsd, spentUsd, spentApartUsd, judgeCostUsd } = totals;
  const amount = (usd: number | null): string => (usd === null ? 'unknown' : formatUsd(usd));
  const apart = [
    ...(confirmations > 0 ? [formatCount(confirmations, 'fresh trial')] : []),
    ...(observed > 0 ? [formatCount(observed, 'observed cell')] : []),
  ];
  const share =
    apart.length === 0 || spentApartUsd === 0 ? '' : ` (${amount(spentApartUsd)} of it on ${apart.join(' and ')})`;
  const judges = judgeCostUsd === 0 ? '' : `, judges ${amount(judgeCostUsd)}`;
  return `cost ${amount(costUsd)} without the cache, spent ${amount(spentUsd)}${share}${judges}`;
}

/** Gated variants that had nothing to be compared with. */
export function findUncompared({ variants }: SuiteReport): {
  readonly variants: readonly VariantReport[];
  readonly isWholeSuite: boolean;
} {
  const gated = variants.filter(({ replacedBy, planned }) => replacedBy === undefined && planned > 0);
  const uncompared = gated.filter(({ comparison }) => comparison === undefined);
  return { variants: uncompared, isWholeSuite: uncompared.length === gated.length };
}

/** What is asked of variants that are compared with nothing. */
export function describeBareLimit({ passRateMin = 1 }: SuiteReport): string {
  return passRateMin === 1 ? 'must pass whole' : `must reach a pass rate of ${formatPercent(passRateMin)}`;
}

/** The notes of a comparison that are not among the warnings anyway. */
export function notesBesideWarnings(
  { decision }: Report,
  suite: SuiteReport,
  variant: VariantReport,
): readonly string[] {
  const place = `${suite.suite} · ${variant.prompt} × ${variant.provider}`;
  // Of a large suite there may be thousands of either.
  const warnings = new Set(decision.warnings);
  return (variant.comparison?.notes ?? []).filter((note) => !warnings.has(`${place}: ${note}`));
}

/** What an inconclusive comparison found, and what it did not: never that there is no regression. */
export function describeInconclusive(regressedCases: number, unsettled = 0): string {
  if (unsettled > 0) {
    return `${formatCount(unsettled, 'failure')} ${unsettled === 1 ? 'was' : 'were'} neither confirmed nor cleared`;
  }
  if (regressedCases === 0) return 'nothing shows a regression, and nothing excludes one';
  const [noun, verb] = regressedCases === 1 ? ['case', 'is'] : ['cases', 'are'];
  return `${regressedCases} regressed ${noun} ${verb} not enough to show a regression, and nothing excludes one`;
}

/** Where a breach is and what broke: `triage · v2 × openai:gpt-4o · refund: …`. */
export function describeBreach({ suite, prompt, provider, caseId, message }: Breach): string {
  const variant = [prompt, provider].filter((part) => part !== undefined).join(' × ');
  const place = [suite, variant === '' ? undefined : variant, caseId].filter((part) => part !== undefined).join(' · ');
  return place === '' ? message : `${place}: ${message}`;
}

const stopSentences: Readonly<Record<StopReason, string>> = {
  budget: 'the budget (--max-cost) stopped the run',
  deadline: 'the time limit (--deadline) stopped the run',
  bail: 'the run was stopped at the failures that --bail allows',
  storage: 'the record could not be written any further',
  queue: 'the queue (--queue) or its workers were gone for too long',
  interrupted: 'the run was interrupted',
};

function describeOpen({ suites }: Report): string {
  const open = suites.flatMap(({ variants }) =>
    variants.flatMap(({ comparison }) => (comparison?.outcome === 'inconclusive' ? [comparison] : [])),
  );
  if (open.length === 0) return 'limits of the gate are undecided';
  return describeInconclusive(
    open.reduce((sum, { cases }) => sum + cases.regressed.length, 0),
    open.reduce((sum, { unsettled = 0 }) => sum + unsettled, 0),
  );
}

function describeIncomplete(report: Report): string {
  const { decision, run, totals } = report;
  switch (decision.incompleteBecause ?? 'stopped') {
    case 'errors':
      return describeErrors(report);
    case 'nothing-evaluated':
      return totals.passed + totals.failed > 0 ? 'a file or suite has no case left' : 'nothing was evaluated';
    case 'uncalibrated':
      return 'a judge may not decide before it is calibrated (llmcheck judge check)';
    case 'inconclusive':
      return `${describeOpen(report)}; --require-conclusive asks for a verdict`;
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
