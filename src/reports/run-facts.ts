import { describeContractWarnings, type ObservedAnswers } from '../model/comparison/finding.ts';
import type { Breach } from '../model/comparison/gate.ts';
import type {
  AcceptedDifference,
  Report,
  SuiteReport,
  VariantComparison,
  VariantReport,
} from '../model/report/report.ts';
import { shellWord } from '../text/code/command-line.ts';
import { formatCount } from '../text/format-amount.ts';
import { groupBy } from '../text/group-by.ts';
import { toSafeLine } from '../text/sanitize.ts';
import type { VariantName } from './cases/failed-cases.ts';
import { changeWords, formatCost, nameAccepted } from './comparison.ts';
import { describeDecision } from './headline.ts';

/** `40 planned = 38 passed + 1 failed + 1 errored · 12 cached`. Zeros are omitted; cells outside `planned` come last. */
export function describeCounts({ totals }: Report): string {
  const { planned, passed, failed, errored, skipped, observed, confirmations, cached } = totals;
  const others = [...counted(failed, 'failed'), ...counted(errored, 'errored'), ...counted(skipped, 'skipped')];
  return [
    `${planned} planned = ${[`${passed} passed`, ...others].join(' + ')}`,
    ...counted(observed, 'observed apart'),
    ...(confirmations > 0 ? [`${formatCount(confirmations, 'extra call')} to confirm`] : []),
    ...counted(cached, 'cached'),
  ].join(' · ');
}

function counted(count: number, words: string): readonly string[] {
  return count > 0 ? [`${count} ${words}`] : [];
}

/**
 * `cost $0.0010, spent $0.0014 ($0.0004 to confirm)`: the cost of the planned cells as if nothing were cached, then the
 * bill and the reason for the difference. One figure if both are equal.
 */
export function describeSpending({ totals }: Report): string {
  const { observed, confirmations, costUsd, spentUsd, spentApartUsd, judgeCostUsd } = totals;
  const apart = [...(confirmations > 0 ? ['to confirm'] : []), ...(observed > 0 ? ['on observed cells'] : [])];
  const details = [
    ...(apart.length === 0 || spentApartUsd === 0 || spentApartUsd === null
      ? []
      : [`${formatCost(spentApartUsd)} ${apart.join(' and ')}`]),
    ...(judgeCostUsd === 0 ? [] : [`judges ${formatCost(judgeCostUsd)}`]),
  ];
  const cost = costUsd === spentUsd ? '' : `cost ${formatCost(costUsd)}, `;
  return `${cost}spent ${formatCost(spentUsd)}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}

/** `baseline of 2026-11-01 (27 days old)`: the oldest one; nothing if it is not known when it was accepted. */
export function describeAge({ suites }: Report): readonly string[] {
  let oldest: { readonly acceptedAt: string; readonly ageDays: number } | undefined;
  for (const { comparison } of suites.flatMap(({ variants }) => variants)) {
    const { acceptedAt, ageDays } = comparison?.against ?? {};
    if (acceptedAt === undefined || ageDays === undefined) continue;
    if (oldest === undefined || ageDays > oldest.ageDays) oldest = { acceptedAt, ageDays };
  }
  if (oldest === undefined) return [];
  return [`baseline of ${toSafeLine(oldest.acceptedAt.slice(0, 10))} (${formatCount(oldest.ageDays, 'day')} old)`];
}

/** The warnings of a run, without the warnings that reports show beside contracts and comparisons. */
export function warningsElsewhere({ decision, contracts = [], suites }: Report): readonly string[] {
  const shown = new Set(contracts.flatMap(describeContractWarnings));
  for (const suite of suites) {
    for (const variant of suite.variants) {
      for (const note of variant.comparison?.notes ?? []) shown.add(describeNote(suite, variant, note));
    }
  }
  return decision.warnings.filter((warning) => !shown.has(warning));
}

/** A comparison's note, in the form of `decision.warnings`. */
function describeNote({ suite }: SuiteReport, { prompt, provider }: VariantReport, note: string): string {
  return `${suite} · ${prompt} × ${provider}: ${note}`;
}

/** A breach that no failing case shows, such as a cost. */
interface GateEntry {
  /** An `error` kept the run from being judged. */
  readonly kind: 'failure' | 'error';
  readonly name: string;
  readonly message: string;
  readonly breach?: Breach;
}

/**
 * Gate failures that no failing case shows. Without them, a report of cases alone could look green. A broken contract is
 * omitted if the report shows its findings.
 */
export function findGateEntries(report: Report): readonly GateEntry[] {
  const { decision } = report;
  if (decision.outcome === 'passed') return [];
  const kind = decision.outcome === 'failed' ? 'failure' : 'error';
  // A loosened case passes, or is gone.
  const breaches = decision.breaches.filter(({ caseId, code }) => caseId === undefined || code === 'case-loosened');
  if (breaches.length === 0 && (kind === 'error' || decision.breaches.length === 0)) {
    return [{ kind, name: 'decision', message: describeDecision(report) }];
  }
  const beside = breaches.filter(({ code }) => code !== 'contract-broken' || report.contracts === undefined);
  return beside.map((breach) => ({ kind, name: breachName(breach), message: describeBreach(breach), breach }));
}

/** The broken limits, for reports that list loosened cases themselves. */
export function findLimitEntries(report: Report): readonly GateEntry[] {
  return findGateEntries(report).filter(({ breach }) => breach !== undefined && breach.caseId === undefined);
}

function breachName({ code, suite, prompt, provider, caseId, slice, class: ofClass }: Breach): string {
  return [code, suite, prompt, provider, caseId, slice, ofClass].filter((part) => part !== undefined).join(' · ');
}

/** The place of a breach and its message: `triage · v2 × openai:gpt-4o · refund: …`. */
function describeBreach({ suite, prompt, provider, caseId, message }: Breach): string {
  const variant = [prompt, provider].filter((part) => part !== undefined).join(' × ');
  const place = [suite, variant === '' ? undefined : variant, caseId].filter((part) => part !== undefined).join(' · ');
  return place === '' ? message : `${place}: ${message}`;
}

/** The first stored answers that a schema rejected, one a line, and the number of others. */
export function describeRejected({ rejected, offenders }: ObservedAnswers): readonly string[] {
  const more = rejected - offenders.length;
  return [
    ...offenders.map(({ caseId, reason }) => toSafeLine(`${caseId}: ${reason}`)),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}

/** A remark of a comparison besides its figures. Variants with the same remark share it. */
export interface Remark {
  readonly label: string;
  readonly variants: readonly VariantName[];
  /** A sentence, or the names of cases. */
  readonly text?: string;
  readonly caseNames?: readonly string[];
  /** Set if the remark tells how to settle an inconclusive comparison. */
  readonly isAdvice?: true;
}

interface RemarkOptions {
  /** True to also list cases that a report shows one by one, and remarks of comparisons without findings. */
  readonly isVerbose: boolean;
}

export function listRemarks(report: Report, suite: SuiteReport, { isVerbose }: RemarkOptions): readonly Remark[] {
  const warnings = new Set(report.decision.warnings);
  const remarks = suite.variants.flatMap((variant) =>
    remarksOf(suite, variant, { warnings, isVerbose }).map((remark) => ({ remark, variant })),
  );
  return [...groupBy(remarks, ({ remark }) => JSON.stringify(remark)).values()].map((same) => {
    return { ...same[0].remark, variants: same.map(({ variant }) => variant) };
  });
}

function remarksOf(
  suite: SuiteReport,
  variant: VariantReport,
  { warnings, isVerbose }: { readonly warnings: ReadonlySet<string> } & RemarkOptions,
): readonly Omit<Remark, 'variants'>[] {
  const { comparison, replacedBy } = variant;
  if (replacedBy !== undefined) return [{ label: 'not gated', text: `${replacedBy} replaces it in this run` }];
  if (comparison === undefined) return [];
  const { accepted, cases, unmatched, advice, notes, outcome, certainty } = comparison;
  const isQuiet = !isVerbose && outcome === 'passed' && certainty.kind === 'unchanged';
  const list = (label: string, caseNames: readonly string[]) => (caseNames.length === 0 ? [] : [{ label, caseNames }]);
  return [
    ...list('accepted in this change', (isVerbose ? accepted : accepted.filter(isOnlyListed)).map(nameAccepted)),
    ...(isVerbose ? allChanges : shortChanges).flatMap((change) => list(changeWords[change], cases[change])),
    ...unmatched.map((text) => ({ label: 'also differs', text })),
    ...notes.flatMap((text) => {
      const isWarning = warnings.has(describeNote(suite, variant, text));
      return isWarning || !isQuiet ? [{ label: isWarning ? ('warning' as const) : 'note', text }] : [];
    }),
    ...(isVerbose || outcome !== 'passed' ? advice : []).map((text) => ({
      label: 'to settle it',
      text,
      isAdvice: true as const,
    })),
  ];
}

/** False for a regression, because reports also show an accepted one with both of its answers. */
function isOnlyListed(difference: AcceptedDifference): boolean {
  return 'metric' in difference || difference.change !== 'regressed';
}

const allChanges = Object.keys(changeWords) as (keyof typeof changeWords)[];
const shortChanges = ['fixed', 'flaky', 'drifted', 'added', 'removed', 'redefined'] as const;

/** The command to run next; undefined if there is nothing to do. */
export function describeNextStep(report: Report): string | undefined {
  const { decision, run, suites, totals } = report;
  const resume = `llmcheck run --resume ${shellWord(run.id)}`;
  if (decision.interrupted !== undefined) return `go on: ${resume}`;
  switch (decision.outcome) {
    case 'passed':
      return undefined;
    case 'inconclusive':
      return settlingStep(report, resume);
    case 'failed': {
      // `baseline accept` refuses such a run without --force.
      if (totals.errored > 0 || isCutShort(report)) return `to judge the rest: ${resume}`;
      const comparisons = suites.flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []));
      if (comparisons.every(({ isWithinRun }) => isWithinRun === true)) return undefined;
      return `to accept this on purpose: ${acceptCommand(report)}`;
    }
    case 'incomplete':
      if (decision.incompleteBecause !== 'errors') return undefined;
      return askAgainStep(report, resume);
  }
}

function askAgainStep(report: Report, resume: string): string {
  const step = errorSteps[findErrorKind(report) ?? ''];
  if (step === undefined) return `ask again: ${resume}`;
  if (step.endsWith(':')) return `${step} ${resume}`;
  return report.swaps === undefined ? step : step.replace(/llmcheck run$/, 'llmcheck swap ID=MODEL');
}

/** The command that settles the run. */
function settlingStep(report: Report, resume: string): string | undefined {
  const reasons = new Set(report.decision.evidence.flatMap(({ why }) => why ?? []));
  if (reasons.has('errors')) return askAgainStep(report, resume);
  if (reasons.has('budget') || reasons.has('no-budget')) return 'to settle it: llmcheck run --confirm-budget 1000';
  const open = report.suites
    .flatMap(({ variants }) => variants)
    .flatMap(({ prompt, comparison }) => (comparison === undefined ? [] : { ...comparison, candidate: prompt }))
    .filter(({ outcome, certainty }) => outcome === 'inconclusive' && certainty.cases > 0);
  const [first] = open;
  if (first === undefined) return undefined;
  if (first.isOfRecords === true) return `to settle it: llmcheck run ${flagToCompare(first)}`;
  if (open.every(({ isOpenByErrors }) => isOpenByErrors === true)) return askAgainStep(report, resume);
  return 'to settle it: llmcheck run --trials 3';
}

/** The flag for the same baseline. Without it, the next run would use another baseline. */
function flagToCompare({ against, candidate, isWithinRun }: VariantComparison & { candidate: string }): string {
  if (isWithinRun === true && against.prompt === candidate) return '--trials 3';
  if (isWithinRun === true) return `--compare ${shellWord(`${against.prompt},${candidate}`)}`;
  return `--baseline ${shellWord(against.source.replace(/^run /, ''))}`;
}

/** A run that was decided early counts as finished. */
function isCutShort({ run }: Report): boolean {
  return !run.complete && run.stopReason !== 'decided';
}

/** The `baseline accept` command, with --force if a must-pass case fails. */
function acceptCommand({ decision, run }: Report): string {
  const needsForce = decision.breaches.some(({ code }) => code === 'must-pass');
  return `llmcheck baseline accept --run ${shellWord(run.id)}${needsForce ? ' --force' : ''}`;
}

/** Next steps for errors that a resumed run would repeat. A step that ends with a colon needs a command after it. */
const errorSteps: Readonly<Record<string, string>> = {
  recording: 'record again: llmcheck run --record',
  cacheMiss: 'ask the provider: llmcheck run --cache use',
  auth: 'set a key that the provider accepts, then ask again:',
  quota: 'raise the quota of the account, then ask again:',
  notFound: 'correct the model, the address or the command of the provider, then run again: llmcheck run',
  check: 'correct the check or its judge, then ask again:',
  badRequest: 'correct what the provider refuses, then run again: llmcheck run',
};

/** The kind of the first error of the run. */
function findErrorKind({ suites }: Report): string | undefined {
  for (const suite of suites) {
    if (suite.variants.every(({ errored }) => errored === 0)) continue;
    for (const { trials } of suite.cases({ statuses: ['errored'] })) {
      return trials.find(({ error }) => error !== undefined)?.error?.kind;
    }
  }
  return undefined;
}
