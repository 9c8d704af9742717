import { describeContractWarnings, type ObservedAnswers } from '../model/finding.ts';
import type { Breach } from '../model/gate.ts';
import type { Report, SuiteReport, VariantReport } from '../model/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { formatCost } from './comparison.ts';
import { describeDecision } from './headline.ts';

/** `40 planned = 38 passed + 1 failed + 1 errored · 12 cached`: zeros are left out, and what is counted apart follows. */
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
 * `cost $0.0010, spent $0.0014 ($0.0004 to confirm)`: the cost of the planned cells as if nothing were cached, and the
 * bill, which may be more than that, so it says for what. One figure where both are the same.
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

/** The warnings of a run without those of contracts and comparisons, which are shown with their findings. */
export function warningsElsewhere({ decision, contracts = [], suites }: Report): readonly string[] {
  const shown = new Set(contracts.flatMap(describeContractWarnings));
  for (const suite of suites) {
    for (const variant of suite.variants) {
      for (const note of variant.comparison?.notes ?? []) shown.add(describeNote(suite, variant, note));
    }
  }
  return decision.warnings.filter((warning) => !shown.has(warning));
}

/** The warnings that comparisons give, as the decision has them. */
export function describeNote({ suite }: SuiteReport, { prompt, provider }: VariantReport, note: string): string {
  return `${suite} · ${prompt} × ${provider}: ${note}`;
}

/** A breach without a case, such as a cost. */
export interface GateEntry {
  /** An `error` is what kept the run from being judged. */
  readonly kind: 'failure' | 'error';
  readonly name: string;
  readonly message: string;
  readonly breach?: Breach;
}

/**
 * What fails the gate besides single cases; a report that shows cases alone could look green without it. A broken
 * contract is shown with its findings, where the report has them.
 */
export function findGateEntries(report: Report): readonly GateEntry[] {
  const { decision } = report;
  if (decision.outcome === 'passed' || decision.outcome === 'inconclusive') return [];
  const kind = decision.outcome === 'failed' ? 'failure' : 'error';
  const breaches = decision.breaches.filter(({ caseId }) => caseId === undefined);
  if (breaches.length === 0 && (kind === 'error' || decision.breaches.length === 0)) {
    return [{ kind, name: 'decision', message: describeDecision(report) }];
  }
  const beside = breaches.filter(({ code }) => code !== 'contract-broken' || report.contracts === undefined);
  return beside.map((breach) => ({ kind, name: breachName(breach), message: describeBreach(breach), breach }));
}

function breachName({ code, suite, prompt, provider, slice, class: ofClass }: Breach): string {
  return [code, suite, prompt, provider, slice, ofClass].filter((part) => part !== undefined).join(' · ');
}

/** Where a breach is and what broke: `triage · v2 × openai:gpt-4o · refund: …`. */
export function describeBreach({ suite, prompt, provider, caseId, message }: Breach): string {
  const variant = [prompt, provider].filter((part) => part !== undefined).join(' × ');
  const place = [suite, variant === '' ? undefined : variant, caseId].filter((part) => part !== undefined).join(' · ');
  return place === '' ? message : `${place}: ${message}`;
}

/** The first stored answers that a schema rejected, a line each, and how many more there are. */
export function describeRejected({ rejected, offenders }: ObservedAnswers): readonly string[] {
  const more = rejected - offenders.length;
  return [
    ...offenders.map(({ caseId, reason }) => toSafeLine(`${caseId}: ${reason}`)),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}
