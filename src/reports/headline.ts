import {
  type Breach,
  type Certainty,
  type Decision,
  type DriftSummary,
  type LoosenedCase,
  unsettledBecause,
} from '../model/comparison/gate.ts';
import type { Report, SuiteReport, VariantReport } from '../model/report/report.ts';
import type { StopReason } from '../model/run/cell.ts';
import { formatCount, listFirst } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { countCases, type HeadlineStyle, nameVariants } from './cases/name-cases.ts';
import {
  type AcceptedChanges,
  countAccepted,
  describeCertainty,
  type FirstBaselines,
  findFirstBaselines,
} from './comparison.ts';
import {
  countDistinct,
  countFlaky,
  countUntimed,
  describeFailed,
  gatedOf,
  listFailed,
  shortPercent,
} from './describe-failed.ts';
import { describeUnjudged } from './describe-unjudged.ts';

const plain: HeadlineStyle = { name: toSafeLine, sentence: toSafeLine };

/** The first line of every report: `FAILED: 10 of 42 tickets cases broke with v2 (mini and big) (exit code 1)`. */
export function headlineOf(report: Report): string {
  return `${shoutDecision(report)} (exit code ${report.exitCode})`;
}

/** The headline without the exit code. */
export function shoutDecision(report: Report): string {
  return describeDecision(report).replace(outcomeWord(report), (word) => word.toUpperCase());
}

/** The decision in one sentence: `failed: 10 of 42 tickets cases broke with v2 (mini and big)`. */
export function describeDecision(report: Report): string {
  return joinVerdict(report, outcomeWord(report), describeVerdict(report));
}

/** `failed: 10 of 42 tickets cases broke`, or `passed with 4 loosened checks: …`. */
export function joinVerdict(report: Report, word: string, sentence: string): string {
  return `${word}${isLoosened(report) ? ' ' : ': '}${sentence}`;
}

/** The word that every report uses for an outcome. */
export function outcomeWord({ decision }: Report): string {
  if (decision.interrupted !== undefined) return 'interrupted';
  return decision.kind === 'drift' && decision.outcome === 'incomplete' ? 'not passed' : decision.outcome;
}

/** True for a run that passed and that is not simply green: somebody has to look at what it accepts or leaves open. */
export function needsReview(report: Report): boolean {
  const { outcome, loosened = [], loosenedCases = [], drift } = report.decision;
  if (outcome !== 'passed') return false;
  const failing = findFirstBaselines(report)?.failing ?? [];
  const changes = countAccepted(report).regressions + failing.length + loosened.length + loosenedCases.length;
  return changes > 0 || describeTolerated(report).length > 0 || drift !== undefined;
}

/** True for a run that passed with checks that are easier to pass than the accepted ones. */
function isLoosened({ decision: { outcome, kind } }: Report): boolean {
  return outcome === 'passed' && kind === 'loosened';
}

/** The verdict, counted in cases: `10 of 42 tickets cases broke with v2 (mini and big)`. */
export function describeVerdict(report: Report, style: HeadlineStyle = plain): string {
  return [
    describeOutcome(report, style),
    ...describeNotAsked(report),
    ...describeLosses(report, style),
    ...describeLoosened(report),
  ].join('; ');
}

/** A cell that was not asked never counts as passed. */
function describeNotAsked({ totals: { notAsked = 0, planned } }: Report): readonly string[] {
  return notAsked === 0 ? [] : [`${notAsked} of ${planned} planned cells were not asked (decided early)`];
}

/** Describes loosened settings. A change that makes its own failure pass must be visible. */
function describeLoosened({ decision: { loosened = [] } }: Report): readonly string[] {
  return loosened.length === 0 ? [] : [`this change loosens its gate (${formatCount(loosened.length, 'warning')})`];
}

/** The suites that lost most of their baseline's cases. */
function describeLosses({ suites }: Report, { name }: HeadlineStyle): readonly string[] {
  return suites.flatMap(({ suite, variants }) => {
    const losses = variants.flatMap(({ comparison }) => comparison?.lostCases ?? []);
    const [worst] = losses.toSorted((a, b) => b.lost - a.lost);
    return worst === undefined
      ? []
      : [`${worst.lost} of ${worst.of} cases of the baseline of ${name(suite)} are missing`];
  });
}

function describeOutcome(report: Report, style: HeadlineStyle): string {
  const { decision, run } = report;
  if (decision.interrupted !== undefined) return `by ${decision.interrupted}; what was done is kept`;
  switch (decision.outcome) {
    case 'passed':
      return describePassed(report, style);
    case 'failed':
      return describeFailed(report, style);
    case 'inconclusive':
      return describeUnsettled(report, style);
    case 'incomplete':
      return `${describeIncomplete(report, style)}${run.complete || run.stopReason === 'decided' ? '' : '; llmcheck run --resume goes on'}`;
  }
}

function describePassed(report: Report, style: HeadlineStyle): string {
  const { decision, totals } = report;
  if (totals.planned === 0) return 'nothing was planned';
  return [
    isLoosened(report) ? describeLoosenedCases(report) : describeSound(report, style),
    ...(decision.drift === undefined ? [] : [describeDrifted(decision.drift)]),
    ...describeTolerated(report),
  ].join('; ');
}

/** What `gate.unsettled: warn` lets pass is still said. */
function describeTolerated({ decision, suites }: Report): readonly string[] {
  const open = decision.evidence.filter(({ verdict }) => verdict === 'unsettled');
  const cases = countDistinct(open.map(({ suite, caseId }) => JSON.stringify([suite, caseId])));
  const averages = suites
    .flatMap(({ variants }) => gatedOf(variants))
    .reduce((sum, { comparison }) => sum + (comparison?.unsettledAverages ?? 0), 0);
  const counts = [
    ...(cases > 0 ? [formatCount(cases, 'case')] : []),
    ...(averages > 0 ? [formatCount(averages, 'average')] : []),
  ];
  if (counts.length === 0) return [];
  const isOne = cases + averages === 1;
  return [`${counts.join(' and ')} ${isOne ? 'looks worse and is' : 'look worse and are'} not settled`];
}

/** `with 4 loosened checks: under the accepted ones 4 of 20 cases would fail`. */
function describeLoosenedCases({ decision: { loosenedCases = [] }, suites }: Report): string {
  const countNames = (cases: readonly LoosenedCase[]) =>
    countDistinct(cases.map(({ suite, caseId }) => JSON.stringify([suite, caseId])));
  const edited = loosenedCases.filter(({ isLost }) => isLost !== true);
  const [count, lost] = [countNames(edited), countNames(loosenedCases.filter(({ isLost }) => isLost === true))];
  const ofSuites = suites.filter(({ suite }) => edited.some((found) => found.suite === suite));
  const all = ofSuites.reduce((sum, { variants }) => sum + countCases(gatedOf(variants)), 0);
  const of = count <= all ? `${count} of ${formatCount(all, 'case')}` : formatCount(count, 'case');
  const failing = count === 0 ? [] : [`under the accepted ones ${of} would fail`];
  const gone = lost === 0 ? [] : [`${formatCount(lost, 'accepted case')} ${lost === 1 ? 'is' : 'are'} judged no more`];
  return `with ${formatCount(count + lost, 'loosened check')}: ${[...failing, ...gone].join('; ')}`;
}

/** `3 cases fail with the accepted prompt too`. */
function describeDrifted({ cases }: DriftSummary): string {
  if (cases === 0) return "the accepted prompt's own pass rate fell";
  return `${formatCount(cases, 'case')} ${cases === 1 ? 'fails' : 'fail'} with the accepted prompt too`;
}

function describeSound(report: Report, style: HeadlineStyle): string {
  const { decision, suites } = report;
  const first = findFirstBaselines(report);
  const accepted = countAccepted(report);
  if (first !== undefined || accepted.regressions > 0) {
    return [
      ...(first === undefined ? [] : [describeFirst(first, style)]),
      ...(accepted.regressions === 0 ? [] : [describeAccepted(accepted)]),
    ].join('; ');
  }
  if (decision.certainty !== undefined) return describeSureness(report, decision.certainty);
  const cases = suites.reduce((sum, { variants }) => sum + countCases(gatedOf(variants)), 0);
  const failed = suites.reduce((sum, { variants }) => sum + countDistinct(gatedOf(variants).flatMap(listFailed)), 0);
  const errored = suites.reduce((sum, { variants }) => sum + countErrored(gatedOf(variants)), 0);
  const others = errored === 0 ? '' : `; ${formatCount(errored, 'case')} could not be judged`;
  if (cases === 0) return `no case was judged${others}`;
  if (failed === 0) return `${cases === 1 ? 'the case passes' : `all ${cases} cases pass`}${others}`;
  const flaky = suites.reduce((sum, suite) => sum + countFlaky(suite), 0);
  const often = flaky === 0 ? '' : ` in every trial and ${flaky} ${flaky === 1 ? 'is' : 'are'} flaky`;
  const passes = cases === 1 ? 'passes' : 'pass';
  return `${cases - failed} of ${formatCount(cases, 'case')} ${passes}${often}, which is within the limits${others}`;
}

function describeAccepted({ regressions, mustPass }: AcceptedChanges): string {
  return `this change accepts ${formatCount(regressions, 'regression')}${mustPass > 0 ? ` (${mustPass} must-pass)` : ''}`;
}

function describeFirst({ cases, failing }: FirstBaselines, { name }: HeadlineStyle): string {
  if (failing.length === 0) return `first baseline: ${cases === 1 ? 'the case passes' : `all ${cases} cases pass`}`;
  const names = listFirst(
    failing.map((id) => name(id)),
    maxFailing,
  );
  return `first baseline: ${cases - failing.length} of ${formatCount(cases, 'case')} pass; failing cases accepted by this change: ${names}`;
}

const maxFailing = 5;

/**
 * Describes the certainty. Counts each case once, even if it has several variants. A possible unnoticed drop names the
 * number of its own cases.
 */
function describeSureness({ suites }: Report, certainty: Certainty): string {
  const compared = suites.map(({ variants }) => variants.flatMap(({ comparison }) => comparison?.certainty ?? []));
  const count = compared.reduce((sum, parts) => sum + Math.max(0, ...parts.map(({ cases }) => cases)), 0);
  const worst = compared.flat().find(({ kind, drop }) => kind === 'unseen' && drop === certainty.drop);
  const cases = certainty.kind === 'unseen' && certainty.slice === undefined ? (worst?.cases ?? count) : count;
  return describeCertainty({ ...certainty, cases }, describeRate(suites));
}

/** The pass rates of the variant that fell most: `pass rate 98 → 97 %`. */
function describeRate(suites: readonly SuiteReport[]): string | undefined {
  const rates = suites.flatMap(({ variants }) =>
    variants.flatMap(({ comparison }) => {
      const { baseline = null, candidate = null } = comparison?.passRate ?? {};
      return baseline === null || candidate === null ? [] : [{ baseline, candidate }];
    }),
  );
  const [worst] = rates.toSorted((a, b) => b.baseline - b.candidate - (a.baseline - a.candidate));
  if (worst === undefined) return undefined;
  return `pass rate ${shortPercent(worst.baseline)} → ${shortPercent(worst.candidate)} %`;
}

function countErrored(variants: readonly VariantReport[]): number {
  return Math.max(0, ...variants.map(({ erroredCases = 0 }) => erroredCases));
}

const stopSentences: Readonly<Record<StopReason, string>> = {
  decided: 'what was asked (--early) does not decide the run; run again without it',
  budget: 'the budget (--max-cost) stopped the run',
  deadline: 'the time limit (--deadline) stopped the run',
  bail: 'the run was stopped at the failures that --bail allows',
  storage: 'the record could not be written any further',
  queue: 'the queue (--queue) or its workers did not answer for too long',
  interrupted: 'the run was interrupted',
};

/** Names what looks worse and was not settled, and why. */
function describeUnsettled({ decision, suites }: Report, style: HeadlineStyle): string {
  const open = decision.breaches.filter(({ code }) => code === 'unsettled');
  const ids = new Set(
    open.flatMap(({ suite, caseId }) => (caseId === undefined ? [] : [JSON.stringify([suite, caseId])])),
  );
  const [first] = open;
  if (first === undefined) return 'limits of the gate are undecided';
  const suite = suites.find((other) => other.suite === first.suite);
  const isOneSuite = open.every((breach) => breach.suite === first.suite);
  const variants = (suite?.variants ?? []).filter(({ prompt, provider }) =>
    open.some((breach) => breach.prompt === prompt && breach.provider === provider),
  );
  const place =
    suite !== undefined && isOneSuite && variants.length > 0
      ? ` with ${nameVariants(variants, suite, style.name)}`
      : '';
  if (ids.size > 0) {
    const noun = `${isOneSuite && suite !== undefined ? `${style.name(suite.suite)} ` : ''}${ids.size === 1 ? 'case' : 'cases'}`;
    return `${ids.size} ${noun} ${ids.size === 1 ? 'looks' : 'look'} worse${place} and ${ids.size === 1 ? 'is' : 'are'} not settled: ${style.sentence(describeReasons(decision, ids) ?? shortReason(first))}`;
  }
  return `${suite === undefined || !isOneSuite ? '' : `${style.name(suite.suite)}${place}: `}${style.sentence(first.message)}`;
}

/** Why these cases, each `[suite, case]` in JSON, are not settled; undefined if the evidence does not say. */
function describeReasons({ evidence }: Decision, ids: ReadonlySet<string>): string | undefined {
  const reasons = evidence.flatMap(({ suite, caseId, verdict, why }) =>
    verdict === 'unsettled' && why !== undefined && ids.has(JSON.stringify([suite, caseId])) ? [why] : [],
  );
  const number = ids.size === 1 ? 'one' : 'many';
  const sentences = [...new Set(reasons)].map((why) => unsettledBecause[why][number]);
  return sentences.length === 0 ? undefined : sentences.join(', or ');
}

/** The reason is the last part of the message of a case. */
function shortReason({ message }: Breach): string {
  return message.split('; ').at(-1) ?? message;
}

/** `not this change: the model or the data; 6 of 10 cases fail with the accepted prompt too`. */
function describeDrift({ decision: { drift, breaches } }: Report): string {
  const blame = 'not this change: the model or the data';
  if (drift === undefined || drift.cases === 0) {
    return `${blame}; ${breaches.find(({ code }) => code === 'drift')?.message ?? 'the accepted prompt fails too'}`;
  }
  return `${blame}; ${drift.cases} of ${formatCount(drift.of, 'case')} fail with the accepted prompt too`;
}

function describeIncomplete(report: Report, style: HeadlineStyle): string {
  const { decision, run, totals } = report;
  switch (decision.incompleteBecause ?? 'stopped') {
    case 'errors':
      return describeErrors(report, style);
    case 'nothing-evaluated':
      if (totals.passed + totals.failed === 0) return 'nothing was evaluated';
      return 'a file, a suite or a slice of its gate has no case left';
    case 'unvalidated':
      return 'a judge may not decide before it is validated (llmcheck judge check)';
    case 'inconclusive':
      return describeUncertain(report, style);
    case 'drift':
      return describeDrift(report);
    case 'record':
      return decision.breaches.find(({ code }) => code === 'record-incomplete')?.message ?? 'the record is incomplete';
    case 'stopped':
      return run.stopReason === undefined ? 'the run did not end' : stopSentences[run.stopReason];
  }
}

/** Describes a passed or inconclusive run that is too uncertain for `--require-conclusive` or `gate.certify`. */
function describeUncertain(report: Report, style: HeadlineStyle): string {
  const { certainty, breaches } = report.decision;
  const asked = breaches.find(({ code }) => code === 'inconclusive')?.message ?? '--require-conclusive asks for more';
  if (breaches.some(({ code }) => code === 'unsettled')) return `${describeUnsettled(report, style)}; ${asked}`;
  return certainty?.kind === 'unseen' ? `${describeSureness(report, certainty)}; ${asked}` : asked;
}

/** Why errors kept a run from being judged. */
function describeErrors(report: Report, style: HeadlineStyle): string {
  const { breaches } = report.decision;
  const { suites, totals } = report;
  const untimed = breaches.filter(({ code }) => code === 'untimed');
  const isUnpriced = breaches.some(({ code }) => code === 'unpriced');
  if (breaches.some(({ code }) => code === 'errors-exceeded') || (untimed.length === 0 && !isUnpriced)) {
    return totals.errored === 0 ? 'what failed could not be confirmed' : describeUnjudged(report, style);
  }
  const count = countUntimed(suites, untimed);
  const answers = count === 0 ? 'some answers' : formatCount(count, 'answer');
  return [
    ...(untimed.length > 0 ? [`a latency limit can't be judged because the latency of ${answers} is unknown`] : []),
    ...(isUnpriced ? ["a cost limit can't be judged because the cost of some answers is unknown"] : []),
  ].join(', and ');
}
