import { defined } from '../../json/defined.ts';
import type {
  CaseChange,
  ComparedCase,
  ComparedClasses,
  ComparedVariant,
  MetricComparison,
  MetricEvidence,
  PlanningAdvice,
} from '../../model/comparison/comparison.ts';
import type { Certainty } from '../../model/comparison/gate.ts';
import type { ClassComparison, ComparisonOutcome, VariantComparison } from '../../model/report/report.ts';
import { isSamePrompt, showBoth } from '../../templates/rendered-table.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import type { Hypothesis } from './judge-metrics.ts';
import { describeJudgedMargin, describeMargin, nameClass, nameMetric, nameSlice, percent, points } from './wording.ts';

interface ComparisonVerdict {
  readonly outcome: ComparisonOutcome;
  readonly certainty: Certainty;
  readonly notes: readonly string[];
  readonly accepted: VariantComparison['accepted'];
  /** True where this change adds the first baseline. */
  readonly isFirst: boolean;
  /** True where cases were not asked: then no interval is shown, since it would be biased. */
  readonly isPartial: boolean;
  /** Failures that were neither confirmed nor cleared. */
  readonly unsettled: number;
  /** Averages that look worse and were neither confirmed nor cleared. */
  readonly unsettledAverages: number;
  /** True if only errored trials keep the comparison from passing. */
  readonly isOpenByErrors: boolean;
  /** True if the requests have not changed. */
  readonly isSameRequest: boolean;
  /** True for two stored records. */
  readonly isOfRecords: boolean;
  /** Metrics whose claim these data can't settle. */
  readonly open: readonly Hypothesis[];
}

/** A comparison and its verdict as a report shows it. */
export function describeComparison(compared: ComparedVariant, verdict: ComparisonVerdict): VariantComparison {
  const { baseline, candidate, unmatched } = compared;
  const ids = (change: CaseChange) => withChange(compared.cases, change).map(({ caseId }) => caseId);
  const describe = verdict.isPartial ? describeWithoutInterval : describeMetric;
  const messages = (side: typeof baseline) => side.recorded.messages;
  const isOtherPrompt = !isSamePrompt(messages(baseline), messages(candidate));
  return {
    outcome: verdict.outcome,
    certainty: verdict.certainty,
    against: { source: baseline.source, prompt: baseline.recorded.prompt, ...baseline.accepting },
    ...defined({
      isWithinRun: baseline.kind === 'stored' ? undefined : (true as const),
      isFirst: verdict.isFirst || undefined,
    }),
    passRate: describe(compared.passRate),
    ...defined({
      judgedMargin: compared.judgedMargin,
      slices: describeSlices(compared, describe),
      classes: compared.classes === undefined ? undefined : describeClasses(compared.classes, describe),
    }),
    score: compared.score === undefined ? nothing : describe(compared.score),
    costUsd: describe(compared.costUsd),
    ...defined({ steps: compared.steps === undefined ? undefined : describe(compared.steps) }),
    latencyMs: describe(compared.latencyMs),
    cases: {
      regressed: ids('regressed'),
      drifted: ids('drifted'),
      fixed: ids('fixed'),
      stillFailing: ids('stillFailing'),
      flaky: ids('flaky'),
      added: ids('added'),
      removed: ids('removed'),
      redefined: ids('redefined'),
    },
    ...defined({
      unsettled: verdict.unsettled === 0 ? undefined : verdict.unsettled,
      unsettledAverages: verdict.unsettledAverages === 0 ? undefined : verdict.unsettledAverages,
      isOpenByErrors: verdict.isOpenByErrors || undefined,
      isSameRequest: verdict.isSameRequest || undefined,
      isOfRecords: verdict.isOfRecords || undefined,
    }),
    ...describeLoss(compared),
    unmatched,
    // A failed comparison needs no advice.
    advice: verdict.outcome === 'failed' ? [] : verdict.open.map((hypothesis) => advise(hypothesis, compared)),
    notes: [...describeData(compared), ...verdict.notes],
    accepted: verdict.accepted,
    ...defined({ prompts: isOtherPrompt ? showBoth(messages(baseline), messages(candidate)) : undefined }),
  };
}

function describeSlices({ slices }: ComparedVariant, describe: typeof describeMetric): VariantComparison['slices'] {
  if (slices === undefined) return undefined;
  return [...slices].map(([slice, { passRate, maxDrop, judgedMargin }]) => {
    return { slice, cases: passRate.n, maxDrop, ...defined({ judgedMargin }), passRate: describe(passRate) };
  });
}

function describeLoss({ cases }: ComparedVariant): Pick<VariantComparison, 'lostCases'> {
  let [lost, before] = [0, 0];
  for (const { change } of cases.values()) {
    if (change === 'removed') lost += 1;
    if (change !== 'added') before += 1;
  }
  return lost * 2 > before ? { lostCases: { lost, of: before } } : {};
}

const nothing: MetricComparison = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null };

/** Says which regression the data can't exclude, and what would exclude it. */
function advise(hypothesis: Hypothesis, compared: ComparedVariant): string {
  const { evidence, slice, class: ofClass, isRatio } = hypothesis;
  const { n } = evidence;
  const name = nameMetric(hypothesis);
  const data = `${formatCount(n, 'case')}${slice === undefined && ofClass === undefined ? describeGroups(compared) : ''}`;
  if (n === 0) return `no case is comparable, so nothing can be said of the ${name}`;
  if (isRatio) {
    if (evidence.high !== null && evidence.high <= hypothesis.margin) {
      return `${name}: an increase beyond ${describeMargin(hypothesis)} is not excluded by ${formatCount(n, 'case')}: too few of them stayed within it`;
    }
    const bound = evidence.high === null ? 'an increase of any size' : `an increase of up to ${percent(evidence.high)}`;
    return `${name}: ${bound} is not excluded by ${formatCount(n, 'case')}; more cases narrow it`;
  }
  const low = evidence.worstLow ?? evidence.low;
  const bound = low === null ? 'a drop of any size' : `a drop of up to ${points(-low)}`;
  const { cases, repeats } = findPlanning(hypothesis, compared);
  const ways = [
    ...(cases === null ? [] : [`~${formatCount(cases, 'case')}`]),
    ...(repeats === null ? [] : [`${formatCount(repeats, 'trial')} on ${n === 1 ? 'this case' : `these ${n} cases`}`]),
  ];
  const more = compared.groups === undefined ? 'more cases' : 'cases of more groups';
  const way = ways.length === 0 ? more : ways.join(', or ');
  return `${name}: ${bound} is not excluded by ${data}; to certify ${describeMargin(hypothesis)}: ${way}`;
}

function findPlanning({ metric, slice, class: ofClass }: Hypothesis, compared: ComparedVariant): PlanningAdvice {
  // No formula says how many cases settle an F1.
  if (metric === 'f1') return { cases: null, repeats: null };
  const ofPart = slice === undefined ? undefined : compared.slices?.get(slice)?.planning;
  const own = ofClass === undefined ? ofPart : compared.classes?.recall.get(ofClass)?.planning;
  return own ?? (metric === 'score' ? compared.scorePlanning : undefined) ?? compared.planning;
}

function describeGroups({ groups }: ComparedVariant): string {
  return groups === undefined ? '' : ` of ${formatCount(groups, 'group')}`;
}

function describeData(compared: ComparedVariant): readonly string[] {
  const { sameAnswers, answers, errors, cases, groups, passRate, judgedMargin } = compared;
  const rejudged = [...cases.values()].filter((found) => found.rejudged).length;
  return [
    ...(sameAnswers > 0 ? [describeSame(sameAnswers, answers)] : []),
    ...(rejudged > 0
      ? [
          `${rejudged} ${rejudged === 1 ? 'case has' : 'cases have'} new checks: the baseline's answers were judged again by them, only for the rates`,
        ]
      : []),
    ...(judgedMargin === undefined ? [] : [describeJudgedMargin(judgedMargin)]),
    ...(groups === 1
      ? [`all ${passRate.n} compared cases are of one group: nothing certain can be said of other inputs`]
      : []),
    ...describeNewSlices(compared),
    ...describeRemoved(cases),
    ...describeDrift(compared),
    ...(passRate.isUnpaired === true
      ? ['no case is comparable: the pass rates are compared as those of two separate samples']
      : []),
    ...(errors.candidate > 0 ? [`${formatCount(errors.candidate, 'errored trial')} could hide a regression`] : []),
  ];
}

/** Names slices without a comparable case: all are new or redefined, so no drop can be seen. */
function describeNewSlices({ slices }: ComparedVariant): readonly string[] {
  return [...(slices ?? [])]
    .filter(([, { passRate }]) => passRate.n === 0)
    .map(([name]) => `${nameSlice(name)}: none of its cases can be compared, so a drop of its pass rate can't be seen`);
}

function describeSame(same: number, all: number): string {
  const verb = same === 1 ? 'is the very one' : 'are the very ones';
  const rest = same === all ? ': nothing new was measured' : '';
  return `${same} of ${formatCount(all, 'answer')} ${verb} the baseline holds${rest}`;
}

/** Names removed cases that failed before. Otherwise deleting them would hide the failures. */
function describeRemoved(cases: ComparedVariant['cases']): readonly string[] {
  const removed = withChange(cases, 'removed');
  const failing = removed.filter(({ baseline }) => baseline?.status === 'failed' || baseline?.status === 'flaky');
  if (failing.length === 0) return [];
  return [
    `${failing.length} of ${removed.length} removed cases failed or were flaky on the baseline: ${nameCases(failing)}`,
  ];
}

/** Names cases that passed when accepted, and now fail with both prompts. They are not known failures. */
function describeDrift({ baseline: { accepted }, cases }: ComparedVariant): readonly string[] {
  if (accepted === undefined) return [];
  const drifted = withChange(cases, 'stillFailing').filter(({ caseId }) => accepted.get(caseId)?.status === 'passed');
  if (drifted.length === 0) return [];
  const failing = `${formatCount(drifted.length, 'case')} that passed when accepted now ${drifted.length === 1 ? 'fails' : 'fail'}`;
  return [`${failing} with the old prompt too: ${nameCases(drifted)}`];
}

function withChange(cases: ComparedVariant['cases'], wanted: CaseChange): readonly ComparedCase[] {
  return [...cases.values()].filter(({ change }) => change === wanted);
}

function nameCases(cases: readonly ComparedCase[]): string {
  return listFirst(
    cases.map(({ caseId }) => caseId),
    maxNames,
  );
}

const maxNames = 10;

function describeMetric({ baseline, candidate, delta, low, high, p }: MetricEvidence): MetricComparison {
  return { baseline, candidate, delta, low, high, p };
}

/** Describes a metric of a variant that ended early. */
function describeWithoutInterval({ baseline, candidate, delta }: MetricEvidence): MetricComparison {
  return { baseline, candidate, delta, low: null, high: null, p: null };
}

/** The classes of both sides as a report shows them. */
function describeClasses(
  { cases, f1, recall, cells }: ComparedClasses,
  describe: typeof describeMetric,
): ClassComparison {
  return {
    cases,
    f1: { maxDrop: f1.maxDrop, ...describe(f1.evidence) },
    recall: [...recall].map(([name, { evidence, maxDrop, isLimited }]) => ({
      class: name,
      cases: evidence.n,
      ...defined({ maxDrop: isLimited ? maxDrop : undefined }),
      ...describe(evidence),
    })),
    cells,
  };
}

/** Says where the comparison of classes has no data. */
export function describeClassGaps({ classes }: ComparedVariant): readonly string[] {
  if (classes === undefined) return [];
  const { recall, relabelled, unclassified, vanished, cases } = classes;
  const limited = [...recall].filter(([, { isLimited, evidence }]) => isLimited && evidence.n === 0);
  return [
    ...vanished.map(
      ({ name, cases: count }) =>
        `${nameClass(name)} has no case any more: its ${formatCount(count, 'case')} ${count === 1 ? 'was' : 'were'} removed since the baseline`,
    ),
    ...(relabelled === 0
      ? []
      : [
          `${formatCount(relabelled, 'case')} ${relabelled === 1 ? 'is' : 'are'} of another class than when accepted, and not compared by class`,
        ]),
    ...(unclassified === 0
      ? []
      : [
          `${formatCount(unclassified, 'case')} can't be compared by class: the baseline holds neither a class nor an answer`,
        ]),
    ...(cases === 0 ? ['no case can be compared by class, so a drop of recall or macro F1 cannot be seen'] : []),
    ...limited.map(
      ([name]) => `${nameClass(name)}: none of its cases can be compared, so a drop of its recall can't be seen`,
    ),
  ];
}
