import { defined } from '../../json/defined.ts';
import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import type { Breach, Certainty } from '../../model/comparison/gate.ts';
import type { AcceptedDifference, VariantComparison } from '../../model/report/report.ts';
import { countStatus } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { RowSummary, RunSummary, VariantSummary } from '../../model/run/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import { type Settled, settle } from '../confirm/settle.ts';
import { hasOtherOptions } from '../variant-differences.ts';
import { findCertainty } from './certainty.ts';
import { describeClassGaps, describeComparison } from './describe-comparison.ts';
import {
  type EarlyLook,
  findPartialVariants,
  holdBack,
  lastShare,
  type PartialVariant,
  withoutInterval,
} from './early-end.ts';
import { findDrifts, noDrift, type VariantDrift } from './find-drift.ts';
import { flagRun, type Suspicions } from './flag-cases.ts';
import { type CaseVerdict, gateCases, judgeSuspicion, type UnsettledCase } from './gate-cases.ts';
import { type GatedComparison, isGone } from './gated-comparison.ts';
import { decideHypothesis, type Hypothesis } from './judge-metrics.ts';
import { gateMetrics, type JudgedMetric, judgeAsked, testStored } from './test-metrics.ts';
import { describeOwnDrop, describeWorse, type OwnDrop, percent } from './wording.ts';

export interface JudgedComparison {
  readonly variant: VariantSummary;
  /** The comparison with each case's change as fresh trials have settled it. */
  readonly compared: ComparedVariant;
  readonly mustPassWhole: boolean;
  readonly report: VariantComparison;
  readonly failures: readonly Breach[];
  /** Limits that can't be judged at all. */
  readonly errors: readonly Breach[];
  readonly warnings: readonly string[];
  /** Something looks worse, and is neither confirmed nor cleared. */
  readonly isInconclusive: boolean;
  /** Failures that would count if fresh trials had confirmed them. */
  readonly unsettled: readonly UnsettledCase[];
  /** Averages that look worse, and that fresh trials did not settle. */
  readonly unsettledAverages: readonly Breach[];
  readonly drift: VariantDrift;
  readonly certainty: Certainty;
  /** For a variant with cases that were not asked: whether the others exclude a drop. */
  readonly partial?: { readonly isCertain: boolean };
}

/** Everything that looks worse in a run, before it is judged. */
export interface SettledRun {
  readonly suspicions: Suspicions;
  /** What fresh trials say so far, while more can be asked. */
  readonly settled: Settled;
  readonly partial: ReadonlyMap<VariantSummary, PartialVariant>;
}

export interface JudgedRun extends Omit<SettledRun, 'partial'> {
  readonly comparisons: readonly JudgedComparison[];
  /** Verdicts on the failed cases of every gated variant, compared or not. */
  readonly verdicts: ReadonlyMap<VariantSummary, readonly CaseVerdict[]>;
}

/** If more cells than this errored, tests of the rest say nothing about the whole. */
const maxErrorShare = 0.05;

export interface JudgeRunOptions {
  readonly summary: Pick<RunSummary, 'suites' | 'stopReason'>;
  readonly settings: Pick<RunSettings, 'drift' | 'shard' | 'mergedShards' | 'early'>;
  /** Given while planned cells are still to be asked. Then only what has fallen is asked again, at a part of the level. */
  readonly look?: EarlyLook;
  /** False while fresh trials can still be asked. */
  readonly isFinal: boolean;
}

/** Settles everything that looks worse in an invocation together: the more there is, the stronger the evidence must be. */
export function settleRun(gated: readonly GatedComparison[], options: JudgeRunOptions): SettledRun {
  const { summary, settings, isFinal, look } = options;
  const partial = findPartialVariants(gated, options);
  const share = look?.share ?? (settings.early === undefined ? 1 : lastShare);
  const suspicions = flagRun(summary, gated, { settings, share, partial });
  const settled = settle(suspicions.flagged, { isFinal });
  return { suspicions, settled: look === undefined ? settled : holdBack(settled, suspicions, partial), partial };
}

/** What ended the run before its plan was carried out. */
function findStop({ stopReason }: JudgeRunOptions['summary']): RunSummary['stopReason'] {
  return stopReason === 'decided' ? undefined : stopReason;
}

/** Judges every comparison by what has been settled of all of them. */
export function judgeRun(gated: readonly GatedComparison[], options: JudgeRunOptions): JudgedRun {
  const { summary, settings } = options;
  const { suspicions, settled, partial } = settleRun(gated, options);
  const stopReason = findStop(summary);
  const verdicts = new Map(
    [...suspicions.ofVariant].map(([variant, found]) => [
      variant,
      found.map((suspicion) => judgeSuspicion(suspicion, settled.cases.get(suspicion.id), stopReason)),
    ]),
  );
  const drifts = findDrifts(gated, ({ variant }) => verdicts.get(variant) ?? [], suspicions.claims);
  const stored = testStored(gated, { claims: suspicions.claims, partial });
  return {
    comparisons: gated.map((comparison) => {
      const claims = suspicions.claims.get(comparison.variant) ?? [];
      const asked = claims.map((claim) =>
        judgeAsked(claim, settled.averages.get(claim.id), {
          alpha: comparison.suite.recorded.gate.alpha,
          isCertain: partial.get(comparison.variant)?.isCertain === true,
        }),
      );
      const early = partial.get(comparison.variant);
      const judged = [...asked, ...(stored.get(comparison) ?? [])];
      return judgeOne(comparison, {
        verdicts: verdicts.get(comparison.variant) ?? [],
        metrics: early === undefined ? judged : judged.map(withoutInterval),
        drift: drifts.get(comparison) ?? noDrift,
        settings,
        isFiltered: suspicions.accepted.has(comparison.variant),
        ...defined({ partial: early }),
      });
    }),
    verdicts,
    suspicions,
    settled,
  };
}

interface JudgedParts {
  readonly verdicts: readonly CaseVerdict[];
  readonly metrics: readonly JudgedMetric[];
  readonly drift: VariantDrift;
  readonly settings: JudgeRunOptions['settings'];
  /** True where the change's own baseline accepts a case that would be looked at. */
  readonly isFiltered: boolean;
  readonly partial?: PartialVariant;
}

function judgeOne(
  comparison: GatedComparison,
  { verdicts, metrics, drift, settings, isFiltered, partial }: JudgedParts,
): JudgedComparison {
  const { suite, variant, mustPassWhole = false } = comparison;
  const { gate } = suite.recorded;
  const compared = withDrifted(comparison.compared, verdicts);
  const { prompt, provider } = variant.recorded;
  const where = { suite: suite.recorded.suite, prompt, provider };
  const isDrift = settings.drift === true && drift.isBeyondMargin && gate.cases.drifted !== 'warn';
  const ofCases = gateCases(verdicts, gate, { where, isDrift });
  const ofMetrics = gateMetrics(metrics, compared, gate, where);
  const { drop } = drift;
  const rateDrift = drop && describeDrop(drop, comparison);
  const hasTooManyErrors = compared.errors.share > maxErrorShare;
  const ofRate = isDrift && drop !== undefined ? [driftBreach(where, drop, describeDrop(drop, comparison))] : [];
  const failures = [...ofCases.failures, ...ofMetrics.failures, ...ofRate];
  const notes = [
    ...ofCases.notes,
    ...ofMetrics.notes,
    ...(isDrift || rateDrift === undefined ? [] : [rateDrift]),
    ...(hasTooManyErrors ? [`${percent(compared.errors.share)} of the trials errored: no verdict on the rest`] : []),
    ...describeSides({ ...comparison, compared }, verdicts, ofMetrics),
  ];
  // Nothing was compared, so nothing can be said.
  const isEmpty = compared.passRate.n === 0;
  const isOpen = ofMetrics.unsettled.length + ofCases.unsettled.length > 0;
  const isInconclusive = isOpen || hasTooManyErrors || isEmpty;
  const outcome = failures.length > 0 ? 'failed' : isInconclusive ? 'inconclusive' : 'passed';
  const isUncertain = isInconclusive || drift.cases.length > 0 || drop !== undefined;
  const certainty = findCertainty(comparison, { isOpen: isUncertain, compared, partial });
  const accepted = failures.length > 0 ? [] : listAccepted(comparison, metrics, isFiltered);
  return {
    variant,
    compared,
    mustPassWhole,
    failures,
    errors: ofMetrics.errors,
    warnings: notes.map((note) => `${where.suite} · ${where.prompt} × ${where.provider}: ${note}`),
    isInconclusive,
    unsettled: ofCases.unsettled,
    unsettledAverages: ofMetrics.unsettled,
    drift,
    certainty,
    ...defined({ partial }),
    report: reportOf(comparison, compared, {
      outcome,
      certainty,
      notes,
      accepted,
      unsettled: ofCases.unsettled.length,
      unsettledAverages: ofMetrics.unsettled.length,
      isOpenByErrors: outcome === 'inconclusive' && !isOpen && !isEmpty,
      isPartial: partial !== undefined,
      // Asking the rest is what settles a variant of which cases were not asked.
      open: accepted.length > 0 || partial !== undefined ? [] : ofMetrics.uncertain,
    }),
  };
}

function describeSides(
  comparison: GatedComparison,
  verdicts: readonly CaseVerdict[],
  metrics: ReturnType<typeof gateMetrics>,
): readonly string[] {
  const { compared } = comparison;
  return [
    ...describeAcceptedSide(comparison, verdicts, metrics),
    ...describeOldAnswers(compared),
    ...describeClassGaps(compared),
  ];
}

/** What a report says of a comparison, besides its figures. */
function reportOf(
  { acceptedPrompt, isFirst, isOfRecords }: GatedComparison,
  compared: ComparedVariant,
  told: Omit<Parameters<typeof describeComparison>[1], 'isFirst' | 'isSameRequest' | 'isOfRecords'>,
): VariantComparison {
  return describeComparison(compared, {
    ...told,
    isFirst: isFirst === true,
    isSameRequest: acceptedPrompt?.is === 'unchanged',
    isOfRecords: isOfRecords === true,
  });
}

/** The change of a case that fails with the accepted prompt too is drift. */
function withDrifted(compared: ComparedVariant, verdicts: readonly CaseVerdict[]): ComparedVariant {
  const drifted = new Set(verdicts.filter(({ kind }) => kind === 'drifted').map(({ caseId }) => caseId));
  if (drifted.size === 0) return compared;
  const cases = new Map(
    [...compared.cases].map(([id, found]) => [id, drifted.has(id) ? { ...found, change: 'drifted' as const } : found]),
  );
  return { ...compared, cases };
}

/** The fall of an average of the accepted prompt, where a run looks for drift. */
function driftBreach(
  where: Pick<Breach, 'suite' | 'prompt' | 'provider'>,
  { hypothesis: { metric, slice, class: ofClass } }: OwnDrop,
  message: string,
): Breach {
  return { code: 'pass-rate-drifted', ...where, metric, ...defined({ slice, class: ofClass }), message };
}

function describeDrop(drop: OwnDrop, { compared }: GatedComparison): string {
  const asked = [...compared.cases.values()].filter(({ candidate }) => (candidate?.accepted.length ?? 0) > 0).length;
  return `${describeOwnDrop(drop)} in fresh trials of ${formatCount(asked, 'case')}; the model or the data changed, not this prompt`;
}

/** The cache holds no headers and options, so that its answers may be those of the settings before an edit. */
function describeOldAnswers({ baseline, candidate, sameAnswers, answers }: ComparedVariant): readonly string[] {
  if (sameAnswers === 0 || !hasOtherOptions(baseline.recorded, candidate.recorded)) return [];
  const count = `${sameAnswers} of ${formatCount(answers, 'answer')}`;
  return [
    `headers or options of the provider have changed, and ${count} came from the cache as before (--cache refresh)`,
  ];
}

/** Says why the accepted prompt was not asked, where a case or an average looked broken. */
function describeAcceptedSide(
  { variant, isOfRecords, acceptedPrompt: state }: GatedComparison,
  verdicts: readonly CaseVerdict[],
  ofMetrics: ReturnType<typeof gateMetrics>,
): readonly string[] {
  const retrials: RowSummary[] = [];
  if (state !== undefined) for (const { accepted } of variant.cases.values()) retrials.push(...accepted);
  if (retrials.length > 0 && retrials.every(({ status }) => status === 'errored')) {
    return ['the accepted prompt could not be asked again: all its fresh trials errored'];
  }
  if (retrials.length > 0 && isGone(variant)) {
    const explanation = `${countStatus(retrials, 'errored')} of its ${retrials.length} fresh trials errored`;
    return [`the accepted prompt could not be asked further: ${explanation}`];
  }
  const isOfCases = verdicts.some(({ kind }) => kind === 'broken' || kind === 'unsettled');
  if (!isOfCases && ofMetrics.failures.length + ofMetrics.unsettled.length === 0) return [];
  if (state === undefined) {
    return isOfRecords === true
      ? []
      : ['the accepted prompt was not asked again: the run was compared with another one'];
  }
  return state.is === 'unavailable' ? [`the accepted prompt was not asked again: ${state.why}`] : [];
}

/** A change that also brings the baseline for its results was reviewed: its differences are listed, and pass. */
function listAccepted(
  { compared, own }: GatedComparison,
  metrics: readonly JudgedMetric[],
  isFiltered: boolean,
): readonly AcceptedDifference[] {
  if (own === undefined) return [];
  const worse = metrics.filter(({ isAccepted, hypothesis }) => isAccepted === true && isClearlyWorse(hypothesis));
  if (!isFiltered && worse.length === 0) return [];
  const accepted: AcceptedDifference[] = [];
  for (const { caseId, change } of compared.cases.values()) {
    if (change !== 'regressed' && change !== 'flaky' && change !== 'added' && change !== 'redefined') continue;
    const ownChange = own.cases.get(caseId)?.change;
    if (ownChange !== undefined && ownChange !== 'regressed') accepted.push({ caseId, change });
  }
  return [...accepted, ...worse.map(({ hypothesis }) => ({ metric: describeWorse(hypothesis) }))];
}

function isClearlyWorse(hypothesis: Hypothesis): boolean {
  return decideHypothesis(hypothesis, hypothesis.p, acceptedAlpha) === 'regressed';
}

const acceptedAlpha = 0.05;
