import { defined } from '../../json/defined.ts';
import { isReplacedBy } from '../../model/comparison/baseline.ts';
import type { Breach, Decision } from '../../model/comparison/gate.ts';
import type { StopReason } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { RunSummary, VariantSummary } from '../../model/run/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import { combineCertainty } from './certainty.ts';
import { describeLoosened } from './compare-gates.ts';
import type { JudgedRun } from './judge-comparisons.ts';
import { type GatedVariant, judgeLimits } from './judge-limits.ts';
import { findUnselectedClasses, findUnselectedSlices } from './judge-slices.ts';
import { describeOpen, percent, rounding } from './wording.ts';

interface DecideInput {
  readonly summary: RunSummary;
  readonly settings: RunSettings;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  /** A variant without a comparison must pass whole. */
  readonly judged: Pick<JudgedRun, 'comparisons' | 'verdicts'>;
  /** Breaches and remarks of others, such as contracts. */
  readonly further?: { readonly failures: readonly Breach[]; readonly warnings: readonly string[] };
}

/** Decides over the planned cells: what failed, what could not be judged, and what was not evaluated. */
export function decide(input: DecideInput): Decision {
  const { summary, settings, judged, further = nothingFurther } = input;
  const { comparisons } = judged;
  const variantGates = judgeLimits(summary, judged);
  const breaches = findBreaches({ ...input, further }, variantGates);
  const { failures, errors, stopped, unvalidated, unevaluated } = breaches;
  const loosened = describeLoosened(settings, summary, comparisons);
  const deciding = withoutPaused(variantGates, comparisons);
  const decision = {
    breaches: [...failures, ...errors, ...stopped, ...unvalidated, ...unevaluated],
    ...defined({ loosened: loosened.length === 0 ? undefined : loosened }),
    warnings: [
      ...loosened,
      ...(settings.emptySelections ?? []).map(({ message }) => message),
      ...findUnselectedSlices(summary),
      ...findUnselectedClasses(summary),
      ...[...variantGates, ...comparisons, further].flatMap(({ warnings }) => warnings),
      ...breaches.undecided.map(
        ({ suite = '', message }) => `${suite}: ${message} (not decided: its judge is not validated)`,
      ),
    ],
    ...defined({
      interrupted: input.interrupted,
      certainty: combineCertainty(
        deciding.comparisons.map(({ certainty }) => certainty),
        deciding.variantGates.filter(({ isCompared }) => !isCompared).length,
      ),
    }),
  };
  if (failures.length > 0) return { outcome: 'failed', ...decision };
  if (errors.length > 0) return { outcome: 'incomplete', incompleteBecause: 'errors', ...decision };
  if (stopped.length > 0) return { outcome: 'incomplete', incompleteBecause: 'stopped', ...decision };
  if (unvalidated.length > 0) return { outcome: 'incomplete', incompleteBecause: 'unvalidated', ...decision };
  if (unevaluated.length > 0) return { outcome: 'incomplete', incompleteBecause: 'nothing-evaluated', ...decision };
  return decideCertainty(decision, deciding, settings);
}

const nothingFurther: Required<DecideInput>['further'] = { failures: [], warnings: [] };

/** The breaches of a run, by the outcome that they cause. */
interface RunBreaches {
  readonly failures: readonly Breach[];
  readonly errors: readonly Breach[];
  readonly stopped: readonly Breach[];
  readonly unvalidated: readonly Breach[];
  readonly unevaluated: readonly Breach[];
  /** Failures that do not count, because a judge of their suite is not validated. */
  readonly undecided: readonly Breach[];
}

function findBreaches(
  { summary, settings, judged, further }: DecideInput & Required<Pick<DecideInput, 'further'>>,
  variantGates: readonly GatedVariant[],
): RunBreaches {
  const variants = summary.suites.flatMap((suite) => suite.variants);
  const gates = [...variantGates, ...judged.comparisons];
  const unvalidated = findUnvalidated(summary);
  const mayDecide = ({ suite }: Breach) => !unvalidated.some((breach) => breach.suite === suite);
  const found = gates.flatMap((gate) => gate.failures);
  // A judge that may not decide may not fail a suite either. Contracts are compared without a judge.
  const failures = [...found.filter(mayDecide), ...further.failures];
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
    errors,
    stopped,
    unvalidated,
    unevaluated: [...lost, ...empty],
    undecided: found.filter((breach) => !mayDecide(breach)),
  };
}

type Deciding = Pick<JudgedRun, 'comparisons'> & { readonly variantGates: readonly GatedVariant[] };

/**
 * Leaves out variants whose cases are all skipped by their suite, if others were compared. Skipped cases do not replace
 * accepted cases that are gone.
 */
function withoutPaused(variantGates: readonly GatedVariant[], comparisons: JudgedRun['comparisons']): Deciding {
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

/** Decides a run in which nothing failed and everything was evaluated, by how certain that is. */
function decideCertainty(
  decision: Omit<Decision, 'outcome' | 'incompleteBecause'>,
  { variantGates, comparisons }: Deciding,
  settings: RunSettings,
): Decision {
  const openOf = ({ undecided, unsettled }: GatedVariant) => undecided.length + unsettled.length;
  const isOpen =
    variantGates.some((gate) => openOf(gate) > 0) || comparisons.some(({ isInconclusive }) => isInconclusive);
  const asking = variantGates.filter(({ certify }) => settings.requireConclusive || certify);
  const byVariant = new Map(comparisons.map((comparison) => [comparison.variant, comparison]));
  const isUncertain = ({ variant }: GatedVariant) => {
    const comparison = byVariant.get(variant);
    return comparison !== undefined && (comparison.isInconclusive || comparison.certainty.kind === 'unseen');
  };
  const open = asking.reduce((sum, gate) => sum + openOf(gate) + Number(isUncertain(gate)), 0);
  const uncompared = asking.filter((gate) => !gate.isCompared && openOf(gate) === 0).length;
  if (open + uncompared === 0) return { outcome: isOpen ? 'inconclusive' : 'passed', ...decision };
  const message = describeUncertain(open, uncompared, settings);
  const breaches = [...decision.breaches, { code: 'inconclusive' as const, message }];
  return { outcome: 'incomplete', incompleteBecause: 'inconclusive', ...decision, breaches };
}

function describeUncertain(open: number, uncompared: number, { requireConclusive }: RunSettings): string {
  const asks = requireConclusive ? '--require-conclusive' : 'gate.certify';
  const verdicts = open === 0 ? [] : [open === 1 ? '1 verdict is open' : `${open} verdicts are open`];
  const variants = uncompared === 1 ? 'variant is' : 'variants are';
  const others = uncompared === 0 ? [] : [`${uncompared} ${variants} compared with nothing`];
  return `${[...verdicts, ...others].join(', ')}, and ${asks} asks for ${open + uncompared === 1 ? 'it' : 'all of them'}`;
}

/** A failure whose confirmation trials errored could not be judged either, and counts as an error. */
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
    unconfirmed === 0
      ? ''
      : `; ${unconfirmed} that failed could not be confirmed, since their confirmation trials errored`;
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
