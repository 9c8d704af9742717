import type { Breach } from '../../model/gate.ts';
import type { CaseReport, Report, SuiteReport, VariantReport } from '../../model/report.ts';

/** What a case means for the gate. A `tolerated` one did not pass, and the gate lets it through for `reason`. */
export type GateEffect =
  | { readonly kind: 'passed' | 'error' | 'skipped' }
  /** `isNamed`: the gate names this case, not only a rate that it adds to. */
  | { readonly kind: 'failure'; readonly isNamed: boolean }
  | {
      readonly kind: 'tolerated';
      readonly because: 'observed' | 'replaced' | 'known' | 'accepted' | 'within-limits';
      readonly reason: string;
    };

export type FindGateEffect = (entry: CaseReport) => GateEffect;

/** Looks a suite's cases up in the decision, so that only what fails the gate is shown as a failure. */
export function createFindGateEffect(report: Report, suite: SuiteReport): FindGateEffect {
  const variants = new Map(
    suite.variants.map((variant) => [variantKey(variant), variantEffect(report, suite, variant)]),
  );
  const tolerate = (because: (GateEffect & { kind: 'tolerated' })['because'], reason: string): GateEffect => {
    return { kind: 'tolerated', because, reason };
  };
  return (entry) => {
    const { status, caseId, change } = entry;
    if (status === 'passed' || status === 'skipped') return { kind: status };
    if (entry.observe) return tolerate('observed', 'observed only: outside the gate');
    const variant = variants.get(variantKey(entry));
    if (variant?.replacedBy !== undefined) {
      return tolerate('replaced', `replaced by ${variant.replacedBy}: shown, not gated`);
    }
    if (status === 'errored') return { kind: 'error' };
    if (variant === undefined || variant.brokenCases.has(caseId)) return { kind: 'failure', isNamed: true };
    if (variant.known?.cases.has(caseId) === true) return tolerate('known', variant.known.reason);
    if (change !== undefined && variant.accepted.has(`${caseId} (${change})`)) {
      return tolerate('accepted', 'accepted in this change');
    }
    const isInBreached = entry.slices?.some((slice) => variant.breachedSlices.has(slice)) === true;
    const isOfBreached = entry.class !== undefined && variant.breachedClasses.has(entry.class);
    if (variant.isBreached || isInBreached || isOfBreached) return { kind: 'failure', isNamed: false };
    if (change === 'drifted') return tolerate('within-limits', 'it fails with the accepted prompt too');
    if (change === 'regressed') return tolerate('within-limits', 'not confirmed');
    return tolerate('within-limits', 'not enough to fail the gate');
  };
}

interface VariantEffect {
  readonly replacedBy: string | undefined;
  /** True where the variant as a whole missed a limit that failing cases add to. */
  readonly isBreached: boolean;
  /** Slices that missed such a limit. */
  readonly breachedSlices: ReadonlySet<string>;
  /** Classes whose recall missed such a limit. */
  readonly breachedClasses: ReadonlySet<string>;
  readonly brokenCases: ReadonlySet<string>;
  readonly known: { readonly cases: ReadonlySet<string>; readonly reason: string } | undefined;
  /** In the words of the comparison: `refund (regressed)`. */
  readonly accepted: ReadonlySet<string>;
}

/** Failing cases cause these breaches, and not those of a cost or a latency. */
const causedByCases: ReadonlySet<string> = new Set([
  'pass-rate-min',
  'score-min',
  'pass-rate-regressed',
  'score-regressed',
  'precision-min',
  'f1-min',
  'f1-regressed',
]);

function variantEffect(report: Report, suite: SuiteReport, variant: VariantReport): VariantEffect {
  const own = report.decision.breaches.filter((breach) => concerns(breach, suite, variant));
  const isBreached = own.some(({ caseId, code }) => caseId === undefined && causedByCases.has(code));
  return {
    replacedBy: variant.replacedBy,
    isBreached,
    breachedSlices: new Set(own.flatMap(({ slice }) => slice ?? [])),
    breachedClasses: new Set(own.flatMap((breach) => (breach.metric === 'recall' ? (breach.class ?? []) : []))),
    brokenCases: new Set(own.flatMap(({ caseId }) => caseId ?? [])),
    known: findKnown(variant, isBreached),
    accepted: new Set(variant.comparison?.accepted),
  };
}

/** What fails on both sides, and why that is tolerated. */
function findKnown({ comparison }: VariantReport, isBreached: boolean): VariantEffect['known'] {
  if (comparison === undefined) return undefined;
  const cases = new Set(comparison.cases.stillFailing);
  if (comparison.isWithinRun !== true) return { cases, reason: 'known failure: it fails in the baseline too' };
  // These were never accepted, so a rate that is too low counts them.
  return isBreached ? undefined : { cases, reason: `it fails with ${comparison.against.prompt} in this run too` };
}

/** A breach that leaves a field out concerns all. */
function concerns(breach: Breach, suite: SuiteReport, variant: VariantReport): boolean {
  return (
    (breach.suite ?? suite.suite) === suite.suite &&
    (breach.prompt ?? variant.prompt) === variant.prompt &&
    (breach.provider ?? variant.provider) === variant.provider
  );
}

/** The names of a variant as one key. */
export function variantKey({ prompt, provider }: { readonly prompt: string; readonly provider: string }): string {
  return JSON.stringify([prompt, provider]);
}

/** Cases that did not pass, the most alarming first. */
export const caseRanks = ['regressed', 'broken', 'new', 'failing', 'flaky', 'accepted', 'tolerated'] as const;

export type CaseRank = (typeof caseRanks)[number];

/** The place of a case in a list of what broke; undefined for one that is not listed. */
export function rankCase(entry: CaseReport, effect: GateEffect): CaseRank | undefined {
  if (effect.kind !== 'failure' && effect.kind !== 'tolerated') return undefined;
  if (effect.kind === 'tolerated' && effect.because === 'accepted') return 'accepted';
  if (effect.kind === 'tolerated' && effect.because !== 'within-limits') return 'tolerated';
  if (entry.change === 'regressed') return 'regressed';
  if (effect.kind === 'failure' && effect.isNamed) return 'broken';
  if (entry.status === 'flaky' || entry.change === 'flaky') return 'flaky';
  if (entry.change === 'added' || entry.change === 'redefined') return 'new';
  return effect.kind === 'failure' ? 'failing' : 'tolerated';
}

/** The word beside a case; empty where the case is merely tolerated. Lists count cases by the rank itself: `3 regressed, 1 flaky`. */
export function rankWord(entry: CaseReport, rank: CaseRank): string {
  if (entry.change === 'regressed' || entry.change === 'drifted') return entry.change;
  if (entry.status === 'flaky' || entry.change === 'flaky') return 'flaky';
  if (entry.change === 'added') return 'new';
  if (entry.change === 'redefined') return 'redefined';
  return rank === 'broken' || rank === 'failing' ? rank : '';
}
