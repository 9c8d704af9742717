import { breachRule, isOpenBreach } from '../../model/comparison/breach.ts';
import type { CaseChange } from '../../model/comparison/comparison.ts';
import type { Breach } from '../../model/comparison/gate.ts';
import type { CaseReport, Report, SuiteReport, VariantReport } from '../../model/report/report.ts';
import { variantKey } from '../../model/run/cell.ts';

/**
 * The effect of a case on the gate. A `tolerated` case did not pass, but does not fail the gate for the given reason.
 */
export type GateEffect =
  | { readonly kind: 'passed' | 'error' | 'skipped' }
  /** `isNamed`: the gate names this case, not only a rate that it is part of. */
  | { readonly kind: 'failure'; readonly isNamed: boolean }
  | {
      readonly kind: 'tolerated';
      readonly because: 'observed' | 'replaced' | 'known' | 'accepted' | 'within-limits';
      readonly reason: string;
    };

export type FindGateEffect = (entry: CaseReport) => GateEffect;

/** Looks up cases of a suite in the decision. So reports show a failure only if it fails the gate. */
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
    if (change !== undefined && variant.accepted.get(caseId) === change) {
      return tolerate('accepted', 'accepted in this change');
    }
    const isInBreached = entry.slices?.some((slice) => variant.breachedSlices.has(slice)) === true;
    const isOfBreached = entry.class !== undefined && variant.breachedClasses.has(entry.class);
    const isOfRate = variant.isBreached && !(variant.mustPassWhole && isCleared(entry));
    if (isOfRate || isInBreached || isOfBreached) return { kind: 'failure', isNamed: false };
    if (change === 'drifted') return tolerate('within-limits', 'it fails with the accepted prompt too');
    if (change === 'regressed') return tolerate('within-limits', 'not confirmed');
    if (isCleared(entry)) return tolerate('within-limits', 'a fresh trial passed');
    return tolerate('within-limits', 'not enough to fail the gate');
  };
}

function isCleared({ trials }: CaseReport): boolean {
  return trials.some(({ confirmation, status }) => confirmation === true && status === 'passed');
}

interface VariantEffect {
  readonly replacedBy: string | undefined;
  /** True if the variant missed a limit that failing cases contribute to. */
  readonly isBreached: boolean;
  /** True if the limit is the 100 % pass rate of a first run. A cleared case then counts as passed. */
  readonly mustPassWhole: boolean;
  readonly breachedSlices: ReadonlySet<string>;
  /** Classes whose recall missed such a limit. */
  readonly breachedClasses: ReadonlySet<string>;
  readonly brokenCases: ReadonlySet<string>;
  readonly known: { readonly cases: ReadonlySet<string>; readonly reason: string } | undefined;
  /** How the accepted cases changed, by case id. */
  readonly accepted: ReadonlyMap<string, CaseChange>;
}

function variantEffect(report: Report, suite: SuiteReport, variant: VariantReport): VariantEffect {
  const own = report.decision.breaches.filter((breach) => concerns(breach, suite, variant) && !isOpenBreach(breach));
  const breached = own.filter(({ caseId, code }) => caseId === undefined && breachRule(code).byCases === true);
  const isBreached = breached.length > 0;
  return {
    replacedBy: variant.replacedBy,
    isBreached,
    mustPassWhole: suite.passRateMin === undefined && breached.every(({ code }) => code === 'pass-rate-min'),
    breachedSlices: new Set(own.flatMap(({ slice }) => slice ?? [])),
    breachedClasses: new Set(own.flatMap((breach) => (breach.metric === 'recall' ? (breach.class ?? []) : []))),
    brokenCases: new Set(own.flatMap(({ caseId }) => caseId ?? [])),
    known: findKnown(variant, isBreached),
    accepted: new Map(
      (variant.comparison?.accepted ?? []).flatMap((one) => ('metric' in one ? [] : [[one.caseId, one.change]])),
    ),
  };
}

/** The cases that fail on both sides, and why the gate tolerates them. */
function findKnown({ comparison }: VariantReport, isBreached: boolean): VariantEffect['known'] {
  if (comparison === undefined) return undefined;
  const cases = new Set(comparison.cases.stillFailing);
  if (comparison.isFirst === true) return { cases, reason: 'accepted in this change, which adds the first baseline' };
  if (comparison.isWithinRun !== true) return { cases, reason: 'known failure: it fails in the baseline too' };
  // No baseline accepted these cases, so they count towards a breached rate.
  return isBreached ? undefined : { cases, reason: `it fails with ${comparison.against.prompt} in this run too` };
}

/** A breach without a field concerns every value of it. */
function concerns(breach: Breach, suite: SuiteReport, variant: VariantReport): boolean {
  return (
    (breach.suite ?? suite.suite) === suite.suite &&
    (breach.prompt ?? variant.prompt) === variant.prompt &&
    (breach.provider ?? variant.provider) === variant.provider
  );
}

/** Ranks of cases that did not pass, the worst first. */
export const caseRanks = ['regressed', 'broken', 'new', 'failing', 'flaky', 'accepted', 'tolerated'] as const;

export type CaseRank = (typeof caseRanks)[number];

/** The rank of a case in a list of failures; undefined if it is not listed. */
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

/** The word beside a case; empty for a tolerated case. Lists count by rank instead: `3 regressed, 1 flaky`. */
export function rankWord(entry: CaseReport, rank: CaseRank): string {
  if (entry.change === 'regressed' || entry.change === 'drifted') return entry.change;
  if (entry.status === 'flaky' || entry.change === 'flaky') return 'flaky';
  if (entry.change === 'added') return 'new';
  if (entry.change === 'redefined') return 'redefined';
  return rank === 'broken' || rank === 'failing' ? rank : '';
}

/** The word for a case beside its mark. Empty if the mark already says it. */
export function wordBesideMark(entry: CaseReport, rank: CaseRank): string {
  const word = rankWord(entry, rank);
  const isPlain = rank === 'broken' || rank === 'failing' || (word === 'regressed' && rank !== 'tolerated');
  return isPlain ? '' : word;
}
