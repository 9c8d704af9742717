import type { Breach } from '../model/gate.ts';
import type { Report } from '../model/report.ts';
import { describeBreach, describeDecision } from './describe-decision.ts';
import { isVariantBreach } from './find-standing.ts';

/** Something that fails the gate without being a case. */
export interface GateEntry {
  /** An `error` is what kept the run from being judged. */
  readonly kind: 'failure' | 'error';
  readonly name: string;
  readonly message: string;
  readonly breach?: Breach;
}

/**
 * What fails the gate besides single cases, such as a cost; without it a failed run could look green.
 * A broken contract is shown with its findings, where the report has them.
 */
export function findGateEntries(report: Report): readonly GateEntry[] {
  const { decision } = report;
  if (decision.outcome === 'passed' || decision.outcome === 'inconclusive') return [];
  const kind = decision.outcome === 'failed' ? 'failure' : 'error';
  const breaches = decision.breaches.filter(isVariantBreach);
  if (breaches.length === 0 && (kind === 'error' || decision.breaches.length === 0)) {
    return [{ kind, name: 'decision', message: describeDecision(report) }];
  }
  const beside = breaches.filter(({ code }) => code !== 'contract-broken' || report.contracts === undefined);
  return beside.map((breach) => ({ kind, name: breachName(breach), message: describeBreach(breach), breach }));
}

function breachName({ code, suite, prompt, provider }: Breach): string {
  return [code, suite, prompt, provider].filter((part) => part !== undefined).join(' · ');
}
