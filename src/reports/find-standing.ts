import type { Breach } from '../model/gate.ts';
import type { CaseReport, Report, SuiteReport, VariantReport } from '../model/report.ts';

/** What a case means for the gate: a `tolerated` one did not do well, and the gate lets it through for `reason`. */
export type Standing =
  | { readonly kind: 'passed' | 'error' | 'skipped' }
  /** `isNamed`: the gate holds this very case against the run, not only a share that it adds to. */
  | { readonly kind: 'failure'; readonly isNamed: boolean }
  | { readonly kind: 'tolerated'; readonly because: Toleration; readonly reason: string };

export type Toleration = 'observed' | 'replaced' | 'known' | 'accepted' | 'within-limits';

export type FindStanding = (entry: CaseReport) => Standing;

/** Looks a suite's cases up in the decision, so that only what fails the gate is shown as a failure. */
export function createFindStanding(report: Report, suite: SuiteReport): FindStanding {
  const variants = new Map(
    suite.variants.map((variant) => [variantKey(variant), variantStanding(report, suite, variant)]),
  );
  return (entry) => {
    if (entry.status === 'passed') return { kind: 'passed' };
    if (entry.status === 'skipped') return { kind: 'skipped' };
    if (entry.observe) return { kind: 'tolerated', because: 'observed', reason: 'observed only: outside the gate' };
    const variant = variants.get(variantKey(entry));
    if (variant?.replacedBy !== undefined) {
      return { kind: 'tolerated', because: 'replaced', reason: `replaced by ${variant.replacedBy}: shown, not gated` };
    }
    if (entry.status === 'errored') return { kind: 'error' };
    if (variant === undefined || variant.brokenCases.has(entry.caseId)) return { kind: 'failure', isNamed: true };
    if (variant.known?.cases.has(entry.caseId) === true)
      return { kind: 'tolerated', because: 'known', reason: variant.known.reason };
    if (entry.change !== undefined && variant.accepted.has(`${entry.caseId} (${entry.change})`))
      return { kind: 'tolerated', because: 'accepted', reason: 'accepted in this change' };
    if (variant.breached) return { kind: 'failure', isNamed: false };
    return { kind: 'tolerated', because: 'within-limits', reason: 'not enough to fail the gate' };
  };
}

/** Breaches that no single case stands for, such as a cost. */
export function isVariantBreach(breach: Breach): boolean {
  return breach.caseId === undefined;
}

interface VariantStanding {
  readonly replacedBy: string | undefined;
  /** True where the variant as a whole missed something that failing cases add to. */
  readonly breached: boolean;
  readonly brokenCases: ReadonlySet<string>;
  readonly known: { readonly cases: ReadonlySet<string>; readonly reason: string } | undefined;
  /** As the comparison words them: `refund (regressed)`. */
  readonly accepted: ReadonlySet<string>;
}

/** Of these, failing cases are the cause; a cost or a latency is nobody's failure. */
const causedByCases: ReadonlySet<string> = new Set([
  'pass-rate-min',
  'score-min',
  'pass-rate-regressed',
  'score-regressed',
]);

function variantStanding(report: Report, suite: SuiteReport, variant: VariantReport): VariantStanding {
  const own = report.decision.breaches.filter((breach) => concerns(breach, suite, variant));
  const breached = own.some((breach) => isVariantBreach(breach) && causedByCases.has(breach.code));
  return {
    replacedBy: variant.replacedBy,
    breached,
    brokenCases: new Set(own.flatMap((breach) => (breach.caseId === undefined ? [] : [breach.caseId]))),
    known: findKnown(variant, breached),
    accepted: new Set(variant.comparison?.accepted),
  };
}

/** What fails on both sides, and why that is tolerated. */
function findKnown({ comparison }: VariantReport, breached: boolean): VariantStanding['known'] {
  if (comparison === undefined) return undefined;
  const cases = new Set(comparison.cases.stillFailing);
  if (comparison.isWithinRun !== true) return { cases, reason: 'known failure: it fails in the baseline too' };
  // Nobody accepted these, so they are among what a rate that is too low consists of.
  return breached ? undefined : { cases, reason: `it fails with ${comparison.against.prompt} in this run too` };
}

/** A field that a breach leaves out holds for all. */
function concerns(breach: Breach, suite: SuiteReport, variant: VariantReport): boolean {
  return (
    (breach.suite ?? suite.suite) === suite.suite &&
    (breach.prompt ?? variant.prompt) === variant.prompt &&
    (breach.provider ?? variant.provider) === variant.provider
  );
}

function variantKey(variant: { readonly prompt: string; readonly provider: string }): string {
  return JSON.stringify([variant.prompt, variant.provider]);
}
