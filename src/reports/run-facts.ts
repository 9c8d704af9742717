import { describeContractWarnings, type ObservedAnswers } from '../model/finding.ts';
import type { Breach } from '../model/gate.ts';
import type { Report } from '../model/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { formatCost } from './comparison.ts';
import { describeDecision } from './headline.ts';

/** `planned 40 = 38 passed + 1 failed + 1 errored + 0 skipped`, and what is counted apart. */
export function describeCounts({ totals }: Report): string {
  const { planned, passed, failed, errored, skipped, observed, confirmations, cached } = totals;
  const parts = [`planned ${planned} = ${passed} passed + ${failed} failed + ${errored} errored + ${skipped} skipped`];
  if (observed > 0) parts.push(`${observed} observed apart`);
  if (confirmations > 0) parts.push(`${formatCount(confirmations, 'confirmation trial')} apart`);
  parts.push(`${cached} from the cache`);
  return parts.join('; ');
}

/**
 * `cost $0.0010 without the cache, spent $0.0014 ($0.0004 of it on 4 confirmation trials)`. The bill may be more than the planned
 * cells cost, so it says for what.
 */
export function describeSpending({ totals }: Report): string {
  const { observed, confirmations, costUsd, spentUsd, spentApartUsd, judgeCostUsd } = totals;
  const apart = [
    ...(confirmations > 0 ? [formatCount(confirmations, 'confirmation trial')] : []),
    ...(observed > 0 ? [formatCount(observed, 'observed cell')] : []),
  ];
  const share =
    apart.length === 0 || spentApartUsd === 0 ? '' : ` (${formatCost(spentApartUsd)} of it on ${apart.join(' and ')})`;
  const judges = judgeCostUsd === 0 ? '' : `, judges ${formatCost(judgeCostUsd)}`;
  return `cost ${formatCost(costUsd)} without the cache, spent ${formatCost(spentUsd)}${share}${judges}`;
}

/** The warnings of a run without those of its contracts, which are shown with their findings. */
export function warningsBesideContracts({ decision, contracts = [] }: Report): readonly string[] {
  const shown = new Set(contracts.flatMap(describeContractWarnings));
  return decision.warnings.filter((warning) => !shown.has(warning));
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
