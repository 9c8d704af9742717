import { breachRule } from '../model/comparison/breach.ts';
import { exitCodes } from '../model/comparison/exit-code.ts';
import type { Breach } from '../model/comparison/gate.ts';
import type { Report } from '../model/report/report.ts';

/** `blind`: nothing was compared, so that no drift could be seen. */
export type DriftFinding = 'none' | 'unconfirmed' | 'confirmed' | 'blind';

interface Judged {
  readonly report: Report;
  readonly exitCode: number;
}

/** Runs, and again where the first run failed by drift alone: a second run has to agree before anybody is alarmed. */
export async function confirmDrift<Run extends Judged>(
  run: () => Promise<Run>,
  onDrift: () => void,
): Promise<Run & { readonly drift: DriftFinding }> {
  const first = await run();
  if (!isCompared(first.report) && first.exitCode === exitCodes.passed) return { ...first, drift: 'blind' };
  if (!isDriftAlone(first.report)) return { ...first, drift: 'none' };
  onDrift();
  const second = await run();
  const isConfirmed = isDriftAlone(second.report) && isSameDrift(first.report, second.report);
  const isCleared = isDriftAlone(second.report) || second.exitCode === exitCodes.passed;
  return { ...second, drift: isConfirmed ? 'confirmed' : isCleared ? 'unconfirmed' : 'none' };
}

function showsDrift({ code }: Breach): boolean {
  return breachRule(code).drift === 'shows';
}

/** True where a run fails by drift alone: a broken contract, or a case that a change broke, is another failure. */
function isDriftAlone(report: Report): boolean {
  const { outcome, breaches } = report.decision;
  if (outcome !== 'failed' || !breaches.some(showsDrift)) return false;
  return breaches.every((breach) => breachRule(breach.code).drift !== undefined && isOfAccepted(breach, report));
}

/** False for a request, a case or a check that is not as it was accepted: then the change may be what broke it. */
function isOfAccepted({ suite: suiteId, prompt, provider, caseId = '' }: Breach, { suites }: Report): boolean {
  const variants = suites.find(({ suite }) => suite === suiteId)?.variants ?? [];
  const found = variants.find((variant) => variant.prompt === prompt && variant.provider === provider);
  if (found?.comparison?.isSameRequest !== true) return false;
  const { added, redefined } = found.comparison.cases;
  return !added.includes(caseId) && !redefined.includes(caseId);
}

/** Two runs agree where something failed in both. */
function isSameDrift(first: Report, second: Report): boolean {
  const before = new Set(listDrifted(first));
  return listDrifted(second).some((key) => before.has(key));
}

function isCompared(report: Report): boolean {
  return listUncompared(report).length < report.suites.length;
}

/** Suites without a baseline, in which no drift can be seen. */
export function listUncompared({ suites }: Report): readonly string[] {
  return suites
    .filter(({ variants }) => variants.every(({ comparison }) => comparison === undefined))
    .map(({ suite }) => suite);
}

export function listDrifted({ decision }: Report): readonly string[] {
  const keyOf = ({ suite, prompt, provider, code, caseId, slice, class: name }: Breach): string =>
    JSON.stringify([suite, prompt, provider, caseId ?? [code, slice, name]]);
  return decision.breaches.filter(showsDrift).map(keyOf);
}
