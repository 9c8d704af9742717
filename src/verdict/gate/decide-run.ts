import { defined } from '../../json/defined.ts';
import { type BreachCode, breachRule } from '../../model/comparison/breach.ts';
import type { Breach, Decision, DecisionKind, DriftSummary, LoosenedCase } from '../../model/comparison/gate.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { RunSummary } from '../../model/run/summary.ts';
import { combineCertainty } from './certainty.ts';
import { describeLoosened } from './compare-gates.ts';
import { type Deciding, findBreaches, type RunBreaches, withoutPaused } from './find-breaches.ts';
import type { JudgedComparison, JudgedRun } from './judge-comparisons.ts';
import { type GatedVariant, judgeLimits } from './judge-limits.ts';
import { findUnselectedClasses, findUnselectedSlices } from './judge-slices.ts';

interface DecideInput {
  readonly summary: RunSummary;
  readonly settings: RunSettings;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  /** A variant without a comparison must pass whole. */
  readonly judged: Pick<JudgedRun, 'comparisons' | 'verdicts'>;
  /** Cases that pass under edited checks alone. */
  readonly loosenedCases?: readonly LoosenedCase[];
  /** What the record lacks to be decided, a sentence each. */
  readonly missing?: readonly string[];
  /** Breaches and remarks of others, such as contracts. */
  readonly further?: { readonly failures: readonly Breach[]; readonly warnings: readonly string[] };
}

/** Decides over the planned cells: what failed, what could not be judged, and what was not evaluated. */
export function decide(input: DecideInput): Decision {
  const { summary, settings, judged, further = nothingFurther, loosenedCases = [] } = input;
  const { comparisons } = judged;
  const variantGates = judgeLimits(summary, judged);
  const breaches = findBreaches({ ...input, further, loosenedCases }, variantGates);
  const loosened = describeLoosened(settings, summary, comparisons);
  const deciding = withoutPaused(variantGates, comparisons);
  const drift = sumDrift(summary, judged);
  const certainty = combineCertainty(
    deciding.comparisons.map((comparison) => comparison.certainty),
    deciding.variantGates.filter(({ isCompared }) => !isCompared).length,
  );
  const decision = {
    evidence: listEvidence(summary, judged),
    ...defined({ loosenedCases: loosenedCases.length === 0 ? undefined : loosenedCases, drift, certainty }),
    breaches: [
      ...breaches.failures,
      ...breaches.missing,
      ...breaches.errors,
      ...breaches.drifted,
      ...breaches.stopped,
      ...breaches.unvalidated,
      ...breaches.unevaluated,
      ...breaches.unsettled,
    ],
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
    ...defined({ interrupted: input.interrupted }),
  };
  return { ...decision, ...conclude(breaches, decision, deciding, settings) };
}

const nothingFurther: Required<DecideInput>['further'] = { failures: [], warnings: [] };

type Concluded = Pick<Decision, 'outcome' | 'kind' | 'incompleteBecause' | 'breaches'>;

/** The outcome by the first of these that holds: not known, failed, not judged, drifted, stopped, not evaluated, not settled. */
function conclude(
  breaches: RunBreaches,
  decision: Omit<Decision, 'outcome' | 'kind'>,
  deciding: Deciding,
  settings: RunSettings,
): Concluded {
  const incomplete = (incompleteBecause: NonNullable<Decision['incompleteBecause']>, kind: DecisionKind): Concluded => {
    return { outcome: 'incomplete', incompleteBecause, kind, breaches: decision.breaches };
  };
  const [first] = breaches.failures;
  if (decision.interrupted !== undefined && first === undefined) {
    return incomplete(breaches.errors.length > 0 ? 'errors' : 'stopped', 'interrupted');
  }
  // Without what it was compared with, a failure may be one that was accepted.
  if (breaches.missing.length > 0) return incomplete('record', 'record');
  if (first !== undefined)
    return { outcome: 'failed', kind: kindOfFailure(breaches.failures), breaches: decision.breaches };
  if (breaches.errors.length > 0) return incomplete('errors', 'errors');
  if (breaches.drifted.length > 0) return incomplete('drift', 'drift');
  if (breaches.stopped.length > 0) return incomplete('stopped', 'stopped');
  if (breaches.unvalidated.length > 0) return incomplete('unvalidated', 'unvalidated');
  if (breaches.unevaluated.length > 0) return incomplete('nothing-evaluated', 'nothing-evaluated');
  if (breaches.unsettled.length > 0) return { outcome: 'inconclusive', kind: 'unsettled', breaches: decision.breaches };
  return concludeCertainty(decision, deciding, settings);
}

/** The kind of the breach that decides: what concerns a case before averages, and these before other limits. */
function kindOfFailure(failures: readonly Breach[]): DecisionKind {
  const has = (...codes: readonly BreachCode[]) => failures.some(({ code }) => codes.includes(code));
  if (has('must-pass')) return 'must-pass';
  if (has('case-broken')) return 'broken';
  if (has('case-loosened')) return 'loosened';
  if (has('case-drifted', 'pass-rate-drifted')) return 'drift';
  if (has('case-added-failed')) return 'added';
  const kinds = new Set(failures.map(({ code }) => breachRule(code).kind));
  if (kinds.has('average')) return 'regressed';
  if (kinds.has('limit')) return 'limit';
  return kinds.has('contract') ? 'contract' : 'erosion';
}

function listEvidence({ suites }: RunSummary, { verdicts }: DecideInput['judged']): Decision['evidence'] {
  return suites.flatMap(({ recorded: { suite }, variants }) =>
    variants.flatMap((variant) => {
      const { prompt, provider } = variant.recorded;
      return (verdicts.get(variant) ?? []).map(({ evidence }) => ({ suite, prompt, provider, ...evidence }));
    }),
  );
}

/** Counts each case once, on whichever variants it drifted. */
function sumDrift({ suites }: RunSummary, { comparisons }: Pick<JudgedRun, 'comparisons'>): DriftSummary | undefined {
  const hasDrifted = ({ drift }: JudgedComparison) => drift.cases.length > 0 || drift.drop !== undefined;
  const bySuite = suites.flatMap(({ variants }) => {
    const drifts = comparisons
      .filter((comparison) => variants.includes(comparison.variant) && hasDrifted(comparison))
      .map(({ drift }) => drift);
    const [first] = drifts;
    return first === undefined
      ? []
      : [{ cases: new Set(drifts.flatMap(({ cases }) => cases)).size, of: first.of, drifts }];
  });
  if (bySuite.length === 0) return undefined;
  return {
    cases: bySuite.reduce((sum, { cases }) => sum + cases, 0),
    of: bySuite.reduce((sum, { of }) => sum + of, 0),
    isBeyondMargin: bySuite.some(({ drifts }) => drifts.some(({ isBeyondMargin }) => isBeyondMargin)),
  };
}

/** Concludes a run in which nothing failed, everything was evaluated and nothing is open, by how certain that is. */
function concludeCertainty(
  decision: Omit<Decision, 'outcome' | 'kind'>,
  { variantGates, comparisons }: Deciding,
  settings: RunSettings,
): Concluded {
  const openOf = ({ undecided, unsettled }: GatedVariant) => undecided.length + unsettled.length;
  const asking = variantGates.filter(({ certify }) => settings.requireConclusive || certify);
  const byVariant = new Map(comparisons.map((comparison) => [comparison.variant, comparison]));
  const isUncertain = ({ variant }: GatedVariant) => {
    const comparison = byVariant.get(variant);
    return comparison !== undefined && (comparison.isInconclusive || comparison.certainty.kind === 'unseen');
  };
  const open = asking.reduce((sum, gate) => sum + openOf(gate) + Number(isUncertain(gate)), 0);
  const uncompared = asking.filter((gate) => !gate.isCompared && openOf(gate) === 0).length;
  const { breaches } = decision;
  if (open + uncompared > 0) {
    const message = describeUncertain(open, uncompared, settings);
    return {
      outcome: 'incomplete',
      incompleteBecause: 'inconclusive',
      kind: 'uncertain',
      breaches: [...breaches, { code: 'inconclusive', message }],
    };
  }
  return { outcome: 'passed', kind: kindOfPass(decision, comparisons), breaches };
}

function kindOfPass(
  { loosenedCases, drift, certainty }: Omit<Decision, 'outcome' | 'kind'>,
  comparisons: JudgedRun['comparisons'],
): DecisionKind {
  if (loosenedCases !== undefined) return 'loosened';
  if (drift !== undefined) return 'drifted';
  if (comparisons.some(({ report }) => report.accepted.length > 0)) return 'accepted';
  return certainty?.kind ?? 'uncompared';
}

function describeUncertain(open: number, uncompared: number, { requireConclusive }: RunSettings): string {
  const asks = requireConclusive ? '--require-conclusive' : 'gate.certify';
  const verdicts = open === 0 ? [] : [open === 1 ? '1 verdict is open' : `${open} verdicts are open`];
  const variants = uncompared === 1 ? 'variant is' : 'variants are';
  const others = uncompared === 0 ? [] : [`${uncompared} ${variants} compared with nothing`];
  return `${[...verdicts, ...others].join(', ')}, and ${asks} asks for ${open + uncompared === 1 ? 'it' : 'all of them'}`;
}
