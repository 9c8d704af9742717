import { defined } from '../../json/defined.ts';
import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import type { Breach, Certainty } from '../../model/comparison/gate.ts';
import type { AcceptedDifference, VariantComparison } from '../../model/report/report.ts';
import { countStatus } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { RowSummary, RunSummary, VariantSummary } from '../../model/run/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import { type SettledSuspicions, settleSuspicions } from '../confirm/settle-suspicions.ts';
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
import type { LookedAverage } from './find-averages.ts';
import { findSuspicions, type Suspicions } from './find-suspicions.ts';
import { type CaseVerdict, gateCases, judgeSuspicion, type UnsettledCase } from './gate-cases.ts';
import { type GatedComparison, isGone } from './gated-comparison.ts';
import { decideHypothesis, type Hypothesis } from './judge-metrics.ts';
import { gateMetrics, type JudgedMetric, judgeLook, testAtOnce } from './test-metrics.ts';
import { describeWorse, percent } from './wording.ts';

export interface JudgedComparison {
  readonly variant: VariantSummary;
  /** The comparison with each case's change as confirmation trials have settled it. */
  readonly compared: ComparedVariant;
  readonly mustPassWhole: boolean;
  readonly report: VariantComparison;
  readonly failures: readonly Breach[];
  /** Limits that can't be judged at all. */
  readonly errors: readonly Breach[];
  readonly warnings: readonly string[];
  /** Something looks worse, and is neither confirmed nor cleared. */
  readonly isInconclusive: boolean;
  /** Failures that would count if confirmation trials had confirmed them. */
  readonly unsettled: readonly UnsettledCase[];
  readonly certainty: Certainty;
  /** For a variant with cases that were not asked: whether the others exclude a drop. */
  readonly partial?: { readonly isCertain: boolean };
}

/** Everything that looks worse in a run, before it is judged. */
export interface SettledRun {
  readonly suspicions: Suspicions;
  /** What confirmation trials say so far, while more can be made. */
  readonly settled: SettledSuspicions;
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
  /**
   * Given while planned cells are still to be asked. Then only what has fallen is confirmed, at a part of the level.
   */
  readonly look?: EarlyLook;
  /** False while confirmation trials can still be made. */
  readonly isFinal: boolean;
}

/** Settles everything that looks worse in an invocation together: the more there is, the stronger the evidence must be. */
export function settleRun(gated: readonly GatedComparison[], options: JudgeRunOptions): SettledRun {
  const { summary, settings, isFinal, look } = options;
  const partial = findPartialVariants(gated, options);
  const share = look?.share ?? (settings.early === undefined ? 1 : lastShare);
  const suspicions = findSuspicions(summary, gated, settings, { share, partial });
  const isStopped = findStop(summary) !== undefined;
  const found = settleSuspicions({ ...suspicions.input, isStopped }, isFinal);
  return { suspicions, settled: look === undefined ? found : holdBack(found, suspicions, partial), partial };
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
    [...suspicions.ofVariant].map(([variant, own]) => [
      variant,
      own.map((suspicion) => judgeSuspicion(suspicion, settled.cases.get(suspicion.retried.id), stopReason)),
    ]),
  );
  // The stored trials decide where the accepted prompt is no longer available.
  const isLooked = ({ id }: LookedAverage) => settled.averages.get(id)?.kind !== 'unavailable';
  const looks = new Map([...suspicions.looks].map(([variant, own]) => [variant, own.filter(isLooked)]));
  const tested = testAtOnce(gated, { looks, partial }, settings);
  return {
    comparisons: gated.map((comparison) => {
      const looked = (looks.get(comparison.variant) ?? []).map(({ id, hypothesis, isAccepted }) => ({
        ...judgeLook(hypothesis, settled.averages.get(id), {
          alpha: comparison.suite.recorded.gate.alpha,
          isCertain: partial.get(comparison.variant)?.isCertain === true,
        }),
        ...defined({ isAccepted: isAccepted || undefined }),
      }));
      const own = partial.get(comparison.variant);
      const judged = [...looked, ...(tested.get(comparison) ?? [])];
      const isFiltered = suspicions.accepted.has(comparison.variant);
      return judgeOne(comparison, {
        verdicts: verdicts.get(comparison.variant) ?? [],
        metrics: own === undefined ? judged : judged.map(withoutInterval),
        settings,
        isFiltered,
        ...defined({ partial: own }),
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
  readonly settings: JudgeRunOptions['settings'];
  /** True where the change's own baseline accepts a case that would be looked at. */
  readonly isFiltered: boolean;
  readonly partial?: PartialVariant;
}

function judgeOne(
  comparison: GatedComparison,
  { verdicts, metrics, settings, isFiltered, partial }: JudgedParts,
): JudgedComparison {
  const { suite, variant, mustPassWhole = false } = comparison;
  const { gate, suite: suiteId } = suite.recorded;
  const compared = withDrifted(comparison.compared, verdicts);
  const where = { suite: suiteId, prompt: variant.recorded.prompt, provider: variant.recorded.provider };
  const ofCases = gateCases(verdicts, gate, { where, isDrift: settings.drift === true });
  const ofMetrics = gateMetrics(metrics, compared, gate, where);
  const hasTooManyErrors = compared.errors.share > maxErrorShare;
  const failures = [...ofCases.failures, ...ofMetrics.failures];
  const notes = [
    ...ofCases.notes,
    ...ofMetrics.notes,
    ...(hasTooManyErrors ? [`${percent(compared.errors.share)} of the trials errored: no verdict on the rest`] : []),
    ...describeAcceptedSide(comparison, verdicts, ofMetrics),
    ...describeOldAnswers(compared),
    ...describeClassGaps(compared),
  ];
  // Nothing was compared, so nothing can be said.
  const isEmpty = compared.passRate.n === 0;
  const isInconclusive = ofMetrics.isOpen || ofCases.isOpen || hasTooManyErrors || isEmpty;
  const outcome = failures.length > 0 ? 'failed' : isInconclusive ? 'inconclusive' : 'passed';
  const certainty = findCertainty(comparison, { isOpen: isInconclusive, compared, partial });
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
    certainty,
    ...defined({ partial }),
    report: describeComparison(compared, {
      outcome,
      certainty,
      notes,
      accepted,
      isFirst: comparison.isFirst === true,
      unsettled: ofCases.unsettled.length,
      isOpenByErrors: outcome === 'inconclusive' && !ofMetrics.isOpen && !ofCases.isOpen && !isEmpty,
      isSameRequest: comparison.acceptedPrompt?.is === 'unchanged',
      isOfRecords: comparison.isOfRecords === true,
      isPartial: partial !== undefined,
      // Asking the rest is what settles a variant of which cases were not asked.
      open: accepted.length > 0 || partial !== undefined ? [] : ofMetrics.uncertain,
    }),
  };
}

/** The change of a case that fails with the accepted prompt too is drift. */
function withDrifted(compared: ComparedVariant, verdicts: readonly CaseVerdict[]): ComparedVariant {
  const drifted = new Set(
    verdicts
      .filter(
        (verdict) => verdict.kind === 'drifted' || (verdict.kind === 'broken' && verdict.because === 'case-drifted'),
      )
      .map(({ caseId }) => caseId),
  );
  if (drifted.size === 0) return compared;
  const cases = new Map(
    [...compared.cases].map(([id, found]) => [id, drifted.has(id) ? { ...found, change: 'drifted' as const } : found]),
  );
  return { ...compared, cases };
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
    return ['the accepted prompt could not be asked again: all its confirmation trials errored'];
  }
  if (retrials.length > 0 && isGone(variant)) {
    const explanation = `${countStatus(retrials, 'errored')} of its ${retrials.length} confirmation trials errored`;
    return [`the accepted prompt could not be asked further: ${explanation}`];
  }
  const isOfCases = verdicts.some(({ kind }) => kind === 'broken' || kind === 'unsettled');
  if (!isOfCases && ofMetrics.failures.length === 0 && !ofMetrics.isOpen) return [];
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
