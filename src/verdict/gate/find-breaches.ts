import { isReplacedBy } from '../../model/comparison/baseline.ts';
import type { Breach, LoosenedCase } from '../../model/comparison/gate.ts';
import type { StopReason } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { RunSummary, VariantSummary } from '../../model/run/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { JudgedComparison, JudgedRun } from './judge-comparisons.ts';
import { type GatedVariant } from './judge-limits.ts';
import { describeOpen, describeOwnDrop, percent, rounding } from './wording.ts';

export interface BreachInput {
  readonly summary: RunSummary;
  readonly settings: RunSettings;
  readonly judged: Pick<JudgedRun, 'comparisons' | 'verdicts'>;
  readonly loosenedCases: readonly LoosenedCase[];
  readonly missing?: readonly string[];
  readonly further: { readonly failures: readonly Breach[]; readonly warnings: readonly string[] };
}

/** The breaches of a run, by the outcome that they cause. */
export interface RunBreaches {
  readonly failures: readonly Breach[];
  readonly missing: readonly Breach[];
  readonly errors: readonly Breach[];
  readonly drifted: readonly Breach[];
  readonly stopped: readonly Breach[];
  readonly unvalidated: readonly Breach[];
  readonly unevaluated: readonly Breach[];
  readonly unsettled: readonly Breach[];
  /** Failures that do not count, because a judge of their suite is not validated. */
  readonly undecided: readonly Breach[];
}

export function findBreaches(input: BreachInput, variantGates: readonly GatedVariant[]): RunBreaches {
  const { summary, settings, judged, further, loosenedCases, missing = [] } = input;
  const variants = summary.suites.flatMap((suite) => suite.variants);
  const gates = [...variantGates, ...judged.comparisons];
  const unvalidated = findUnvalidated(summary);
  const mayDecide = ({ suite }: Breach) => !unvalidated.some((breach) => breach.suite === suite);
  const found = gates.flatMap((gate) => gate.failures);
  // A judge that may not decide may not fail a suite either. Contracts are compared without a judge.
  const failures = [
    ...found.filter(mayDecide),
    ...findLoosenedBreaches(loosenedCases, summary).filter(mayDecide),
    ...further.failures,
  ];
  const unconfirmed = gates.flatMap(({ unsettled }) => unsettled).filter(({ why }) => why === 'errors').length;
  const errors = [...findErrors(variants, unconfirmed, settings), ...gates.flatMap((gate) => gate.errors)];
  const open = variantGates.flatMap(({ undecided }) => undecided);
  // A run that failed needs no further cell.
  const unasked = failures.length > 0 ? [] : findUndecided(summary, variantGates, judged);
  const stopped = [...findStop(summary, open), ...unasked];
  const unjudged = variantGates.flatMap((gate) => gate.unjudged);
  const lost = stopped.length > 0 ? [] : findLost(settings);
  const empty = errors.length > 0 || stopped.length > 0 ? [] : findEmptiness(summary, variants, settings, unjudged);
  return {
    failures,
    missing: missing.map((message) => ({ code: 'record-incomplete' as const, message })),
    errors,
    drifted: settings.drift === true ? [] : findDriftBreaches(summary, judged),
    stopped,
    unvalidated,
    unevaluated: [...lost, ...empty],
    unsettled: failures.length > 0 ? [] : findUnsettled(summary, withoutPaused(variantGates, judged.comparisons)),
    undecided: found.filter((breach) => !mayDecide(breach)),
  };
}

/** Drift beyond the margin: the model or the data changed, so the run says nothing good of the change. */
function findDriftBreaches({ suites }: RunSummary, { comparisons }: BreachInput['judged']): readonly Breach[] {
  return comparisons.flatMap(({ variant, drift }): readonly Breach[] => {
    const suite = suites.find(({ variants }) => variants.includes(variant));
    if (suite === undefined || !drift.isBeyondMargin || suite.recorded.gate.cases.drifted === 'warn') return [];
    const { prompt, provider } = variant.recorded;
    const message =
      drift.cases.length === 0 && drift.drop !== undefined
        ? describeOwnDrop(drift.drop)
        : `${drift.cases.length} of ${formatCount(drift.of, 'case')} fail with the accepted prompt too`;
    return [{ code: 'drift', suite: suite.recorded.suite, prompt, provider, message }];
  });
}

/** What looks worse and is not settled, unless `gate.unsettled` only warns. A must-pass case is never left open. */
function findUnsettled({ suites }: RunSummary, { variantGates, comparisons }: Deciding): readonly Breach[] {
  return suites.flatMap(({ recorded: { suite, gate }, variants }) => {
    const isTolerated = gate.unsettled === 'warn';
    const gates = [...variantGates, ...comparisons].filter(({ variant }) => variants.includes(variant));
    return gates.flatMap((found): readonly Breach[] => {
      const { prompt, provider } = found.variant.recorded;
      const where = { suite, prompt, provider };
      const cases = found.unsettled
        .filter(({ because }) => !isTolerated || because === 'must-pass')
        .map(({ caseId, message }): Breach => ({ code: 'unsettled', ...where, caseId, message }));
      const averages = 'unsettledAverages' in found && !isTolerated ? found.unsettledAverages : [];
      return [...cases, ...averages, ...('certainty' in found && !isTolerated ? findUnseeable(found, where) : [])];
    });
  });
}

/** A drop of any size could go unnoticed where nothing could be compared. */
function findUnseeable({ compared, certainty }: JudgedComparison, where: Pick<Breach, 'suite'>): readonly Breach[] {
  if (certainty.kind !== 'unseen') return [];
  if (compared.passRate.n === 0) {
    const message = 'no case could be compared with what was accepted, so a drop of any size could go unnoticed';
    return [{ code: 'unsettled', ...where, message }];
  }
  const { drop = null } = certainty;
  if (drop !== null && Math.ceil(drop * 100) < 100) return [];
  return [{ code: 'unsettled', ...where, message: 'a drop of any size could go unnoticed' }];
}

/** A loosened must-pass case fails, and every loosened case where the gate says so. */
function findLoosenedBreaches(cases: readonly LoosenedCase[], { suites }: RunSummary): readonly Breach[] {
  return cases.flatMap((found): readonly Breach[] => {
    const { suite, prompt, provider, caseId, mustPass } = found;
    const gate = suites.find(({ recorded }) => recorded.suite === suite)?.recorded.gate;
    if (!mustPass && gate?.cases.loosened !== 'fail') return [];
    const message = `${mustPass ? 'must-pass case' : 'case'} ${caseId} ${describeLoosening(found)}`;
    return [{ code: 'case-loosened', suite, prompt, provider, caseId, message }];
  });
}

function describeLoosening({ isLost, before, after, reason }: LoosenedCase): string {
  if (isLost === true) return `is not judged as it was accepted: ${after.join(', ')}`;
  const why = reason === undefined ? '' : `; under the accepted ones: ${reason}`;
  return `passes under edited checks alone: ${before.join(', ')} → ${after.join(', ')}${why}`;
}

export type Deciding = Pick<JudgedRun, 'comparisons'> & { readonly variantGates: readonly GatedVariant[] };

/**
 * Leaves out variants whose cases are all skipped by their suite, if others were compared. Skipped cases do not replace
 * accepted cases that are gone.
 */
export function withoutPaused(variantGates: readonly GatedVariant[], comparisons: JudgedRun['comparisons']): Deciding {
  const paused = new Set(
    variantGates.flatMap(({ variant }) => (variant.planned === variant.skippedByCase ? [variant] : [])),
  );
  for (const { variant, compared } of comparisons) {
    if ([...compared.cases.values()].some(({ change }) => change === 'removed')) paused.delete(variant);
  }
  if (comparisons.every(({ variant }) => paused.has(variant))) return { variantGates, comparisons };
  return {
    variantGates: variantGates.filter(({ variant }) => !paused.has(variant)),
    comparisons: comparisons.filter(({ variant }) => !paused.has(variant)),
  };
}

/** A failure whose fresh trials errored could not be judged either, and counts as an error. */
function findErrors(
  variants: readonly VariantSummary[],
  unconfirmed: number,
  { maxErrors }: RunSettings,
): readonly Breach[] {
  const errored = variants.reduce((sum, variant) => sum + variant.errored, 0);
  const planned = variants.reduce((sum, variant) => sum + variant.planned, 0);
  const allowed = 'count' in maxErrors ? maxErrors.count : maxErrors.fraction * planned;
  if (errored + unconfirmed <= allowed + rounding) return [];
  const tolerance = 'count' in maxErrors ? `${maxErrors.count}` : percent(maxErrors.fraction);
  const failures =
    unconfirmed === 0 ? '' : `; ${unconfirmed} that failed could not be confirmed, since their fresh trials errored`;
  const message = `${errored} of ${formatCount(planned, 'cell')} could not be judged${failures} (--max-errors ${tolerance})`;
  return [{ code: 'errors-exceeded', message }];
}

/** A judge whose agreement with people was never measured, or is too low, may not decide. */
function findUnvalidated({ suites }: RunSummary): readonly Breach[] {
  return suites.flatMap(({ recorded: { suite, unvalidated = [] }, variants }) =>
    variants.some(({ planned }) => planned > 0)
      ? unvalidated.map((message) => ({ code: 'judge-unvalidated' as const, suite, message }))
      : [],
  );
}

/** Named files and suites that hold no case: errors of other cells do not explain that. */
function findLost({ allowEmpty, emptySelections = [] }: RunSettings): readonly Breach[] {
  if (allowEmpty) return [];
  return emptySelections.flatMap(({ message, isNamed }) =>
    isNamed ? [{ code: 'nothing-evaluated' as const, message: `${message} (--allow-empty accepts that)` }] : [],
  );
}

/** A run that tested nothing must not pass. */
function findEmptiness(
  summary: RunSummary,
  variants: readonly VariantSummary[],
  settings: RunSettings,
  unjudged: readonly Breach[],
): readonly Breach[] {
  if (settings.allowEmpty) return [];
  const isPart = (settings.shard?.count ?? 1) > 1;
  // Another shard may have judged a case of the slice.
  const missing: readonly Breach[] = isPart
    ? []
    : unjudged.map((breach) => ({ ...breach, message: `${breach.message} (--allow-empty accepts that)` }));
  const judged = variants.reduce((sum, variant) => sum + variant.passed + variant.failed, 0);
  if (judged > 0) return missing;
  const planned = variants.reduce((sum, variant) => sum + variant.planned, 0);
  const observed = variants.reduce((sum, variant) => sum + variant.observed, 0);
  // With more shards than cases some shards are empty, which is not a mistake.
  const isEmptyShard = planned + observed === 0 && isPart && summary.suites.length > 0;
  if (isEmptyShard) return missing;
  const message = `${describeEmptiness(summary.suites.length, planned, observed, settings)} (--allow-empty accepts that)`;
  return [...missing, { code: 'nothing-evaluated', message }];
}

function describeEmptiness(suites: number, planned: number, observed: number, { changedSince }: RunSettings): string {
  if (suites === 0) return changedSince === undefined ? 'no suite was found' : `no suite changed since ${changedSince}`;
  if (planned > 0) return `none of the ${planned} planned cells was judged`;
  return observed > 0 ? `all ${observed} cells are under observe, so nothing was judged` : 'no case was selected';
}

/** Says that a run ended before its plan. `undecided` are the limits that its unreached cells still decide. */
function findStop(summary: RunSummary, undecided: readonly string[]): readonly Breach[] {
  const unreached = summary.suites
    .flatMap(({ variants }) => variants)
    .reduce((sum, { skipped, skippedByCase, notAsked }) => sum + skipped - skippedByCase - notAsked, 0);
  const stopReason = summary.stopReason === 'decided' ? undefined : summary.stopReason;
  // A cell without a verdict and without a reason did not pass.
  if (stopReason === undefined && unreached === 0) return [];
  const reason = stopReason === undefined ? 'cells have no result' : describeStop[stopReason];
  const cells =
    unreached === 0 ? '' : `; ${unreached} planned ${unreached === 1 ? 'cell was' : 'cells were'} not judged`;
  return [{ code: 'stopped', message: `the run stopped before its end: ${reason}${cells}${describeOpen(undecided)}` }];
}

const describeStop: Readonly<Record<Exclude<StopReason, 'decided'>, string>> = {
  budget: 'the budget is used up (--max-cost)',
  deadline: 'the deadline was reached (--deadline)',
  bail: 'enough cells failed (--bail)',
  storage: 'the run record could not be written',
  queue: 'its queue or its workers disappeared (--queue; --resume continues it)',
  interrupted: 'it was interrupted (--resume continues it)',
};

/** Cells that an early end left out, of variants that the others do not decide: these cells did not pass. */
function findUndecided(
  summary: RunSummary,
  variantGates: readonly GatedVariant[],
  judged: Pick<JudgedRun, 'comparisons'>,
): readonly Breach[] {
  const decided = findDecided(summary, variantGates, judged);
  const open = summary.suites.flatMap(({ variants }) => variants).filter((variant) => !decided.has(variant));
  const notAsked = open.reduce((sum, variant) => sum + variant.notAsked, 0);
  if (notAsked === 0) return [];
  const verb = notAsked === 1 ? 'was' : 'were';
  const undecided = variantGates.filter(({ variant }) => open.includes(variant)).flatMap((gate) => gate.undecided);
  const message = `${formatCount(notAsked, 'planned cell')} ${verb} not asked (decided early), and what was asked does not decide the run: run it again without --early${describeOpen(undecided)}`;
  return [{ code: 'stopped', message }];
}

/**
 * Finds the variants of an early run whose other cases need not be asked. The cases asked exclude a drop, and meet
 * every limit. A version that another one replaces is only asked for the comparison with it.
 */
export function findDecided(
  { suites }: RunSummary,
  variantGates: readonly GatedVariant[],
  { comparisons }: Pick<JudgedRun, 'comparisons'>,
): ReadonlySet<VariantSummary> {
  const certain = new Set(
    comparisons.flatMap(({ variant, partial }) => (partial?.isCertain === true ? [variant] : [])),
  );
  const isOpen = new Set(variantGates.flatMap(({ variant, undecided }) => (undecided.length > 0 ? [variant] : [])));
  return new Set(
    suites.flatMap(({ variants }) =>
      variants.filter((variant) => {
        const { prompt, provider, baselineOf } = variant.recorded;
        const isOfRun = ({ recorded }: VariantSummary) =>
          recorded.provider === provider && recorded.prompt === baselineOf;
        const own =
          variant.replacedBy === undefined
            ? [variant]
            : variants.filter((other) => isOfRun(other) || isReplacedBy(variant.recorded, other.recorded));
        // Variants that are compared with this one in the run need its answers.
        const beside = comparisons.flatMap((one) => {
          const { kind, recorded } = one.compared.baseline;
          const isThis = recorded.prompt === prompt && recorded.provider === provider;
          return kind !== 'stored' && isThis && variants.includes(one.variant) ? [one.variant] : [];
        });
        return own.length > 0 && [...own, ...beside].every((one) => certain.has(one) && !isOpen.has(one));
      }),
    ),
  );
}
