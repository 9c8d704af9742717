import type { Breach, BreachCode, Certainty } from '../model/gate.ts';
import type { StopReason } from '../model/record.ts';
import type { Report, SuiteReport, VariantReport } from '../model/report.ts';
import { formatCount, percentOf } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { countCases, type HeadlineStyle, nameVariants } from './cases/name-cases.ts';
import { describeCertainty } from './comparison.ts';
import { describeErrors } from './describe-errors.ts';
import { countAccepted } from './list-accepted.ts';

const plain: HeadlineStyle = { name: toSafeLine, sentence: toSafeLine };

/** What every report says first: `FAILED: 10 of 42 tickets cases broke with v2 (mini and big) (exit code 1)`. */
export function headlineOf(report: Report): string {
  return `${shoutDecision(report)} (exit code ${report.exitCode})`;
}

/** The same without the exit code. */
export function shoutDecision(report: Report): string {
  return describeDecision(report).replace(/^\w+/, (word) => word.toUpperCase());
}

/** The decision in one sentence: `failed: 10 of 42 tickets cases broke with v2 (mini and big)`. */
export function describeDecision(report: Report): string {
  return `${outcomeWord(report)}: ${describeVerdict(report)}`;
}

/** The same word for an outcome in every report. */
export function outcomeWord({ decision }: Report): string {
  return decision.interrupted === undefined ? decision.outcome : 'interrupted';
}

/** The verdict in the words of a person, who counts cases: `10 of 42 tickets cases broke with v2 (mini and big)`. */
export function describeVerdict(report: Report, style: HeadlineStyle = plain): string {
  return [describeOutcome(report, style), ...describeNotAsked(report), ...describeLosses(report, style)].join('; ');
}

/** What was not asked never counts as passed. */
function describeNotAsked({ totals: { notAsked = 0, planned } }: Report): readonly string[] {
  return notAsked === 0 ? [] : [`${notAsked} of ${planned} planned cells were not asked (decided early)`];
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
      return describePassed(report);
    case 'failed':
      return describeFailed(report, style);
    case 'inconclusive':
      return describeUnsettled(report, style);
    case 'incomplete':
      return `${describeIncomplete(report, style)}${run.complete || run.stopReason === 'decided' ? '' : '; llmcheck run --resume goes on'}`;
  }
}

function describePassed(report: Report): string {
  const { decision, totals, suites } = report;
  if (totals.planned === 0) return 'nothing was planned';
  const accepted = countAccepted(report);
  if (accepted.regressions > 0) {
    const mustPass = accepted.mustPass > 0 ? ` (${accepted.mustPass} must-pass)` : '';
    return `this change accepts ${formatCount(accepted.regressions, 'regression')}${mustPass}`;
  }
  if (decision.certainty !== undefined) return describeSureness(report, decision.certainty);
  const cases = suites.reduce((sum, { variants }) => sum + countCases(gatedOf(variants)), 0);
  const failed = suites.reduce((sum, { variants }) => sum + countDistinct(gatedOf(variants).flatMap(listFailed)), 0);
  const errored = suites.reduce((sum, { variants }) => sum + countErrored(gatedOf(variants)), 0);
  const others = errored === 0 ? '' : `; ${formatCount(errored, 'case')} could not be judged`;
  if (cases === 0) return `no case was judged${others}`;
  if (failed === 0) return `${cases === 1 ? 'the case passes' : `all ${cases} cases pass`}${others}`;
  return `${cases - failed} of ${formatCount(cases, 'case')} pass, which is within the limits${others}`;
}

/**
 * People count cases, not answers, so that the variants of a suite count once. The drop that could go unnoticed is said of
 * the cases in which it could.
 */
function describeSureness({ suites }: Report, certainty: Certainty): string {
  const compared = suites.map(({ variants }) => variants.flatMap(({ comparison }) => comparison?.certainty ?? []));
  const count = compared.reduce((sum, parts) => sum + Math.max(0, ...parts.map(({ cases }) => cases)), 0);
  const worst = compared.flat().find(({ kind, drop }) => kind === 'unseen' && drop === certainty.drop);
  const cases = certainty.kind === 'unseen' && certainty.slice === undefined ? (worst?.cases ?? count) : count;
  return describeCertainty({ ...certainty, cases });
}

function gatedOf(variants: readonly VariantReport[]): readonly VariantReport[] {
  return variants.filter(({ replacedBy }) => replacedBy === undefined);
}

function listFailed({ failedCases = [] }: VariantReport): readonly string[] {
  return failedCases.map(({ caseId }) => caseId);
}

function countErrored(variants: readonly VariantReport[]): number {
  return Math.max(0, ...variants.map(({ erroredCases = 0 }) => erroredCases));
}

function countDistinct(names: readonly string[]): number {
  return new Set(names).size;
}

/** Cases first, then averages and other limits: two of them in full, and how many more there are. */
function describeFailed(report: Report, style: HeadlineStyle): string {
  const broken = report.decision.breaches.filter(({ code }) => !withoutVerdict.has(code));
  const cases = caseKinds.flatMap((kind) =>
    report.suites.flatMap((suite) => describeCases(suite, findCases(suite, broken, kind), kind, style)),
  );
  const limits = broken.filter(
    (breach) => !isCaseCode(breach.code) && !report.suites.some((suite) => findRateCases(suite, breach).length > 0),
  );
  const all = [...cases, ...describeLimits(report, limits, style)];
  const shown = all.slice(0, maxParts);
  if (all.length > shown.length) shown.push(`${formatCount(all.length - shown.length, 'more limit')} broken`);
  return shown.length === 0 ? 'the gate says no' : shown.join('; ');
}

const maxParts = 2;

/** What a breach that names a case says of it, the worst first. */
const caseKinds = [
  { codes: ['must-pass', 'case-broken', 'pass-rate-min', 'pass-rate-regressed'], isNew: false, verb: 'broke' },
  { codes: ['case-drifted'], isNew: false, verb: 'drifted' },
  { codes: ['case-added-failed'], isNew: true, verb: 'fail' },
] as const satisfies readonly { codes: readonly BreachCode[]; isNew: boolean; verb: string }[];

type CaseKind = (typeof caseKinds)[number];

function isCaseCode(code: BreachCode): boolean {
  const isRate = code === 'pass-rate-min' || code === 'pass-rate-regressed';
  return !isRate && caseKinds.some(({ codes }) => (codes as readonly BreachCode[]).includes(code));
}

/** The cases that say more than a rate: the failed ones of a first run, which must pass whole, and those of a rate that fell. */
function findRateCases(suite: SuiteReport, { suite: name, prompt, provider, code, slice }: Breach): readonly string[] {
  const variant = suite.variants.find((one) => one.prompt === prompt && one.provider === provider);
  if (suite.suite !== name || variant === undefined || slice !== undefined) return [];
  if (code === 'pass-rate-min' && suite.passRateMin === undefined) return listFailed(variant);
  return code === 'pass-rate-regressed' ? regressedOf(variant) : [];
}

function regressedOf({ comparison }: VariantReport): readonly string[] {
  return comparison?.cases.regressed ?? [];
}

interface FoundCases {
  readonly ids: ReadonlySet<string>;
  /** How many of them the gate names. */
  readonly confirmed: number;
  readonly variants: readonly VariantReport[];
}

function findCases(suite: SuiteReport, breaches: readonly Breach[], { codes }: CaseKind): FoundCases {
  const own = breaches.filter(
    (breach) => breach.suite === suite.suite && (codes as readonly BreachCode[]).includes(breach.code),
  );
  const ids = new Set<string>();
  const confirmed = new Set<string>();
  const variants = suite.variants.filter((variant) => {
    const ofVariant = own.filter(({ prompt, provider }) => prompt === variant.prompt && provider === variant.provider);
    const named = ofVariant.flatMap(({ caseId }) => caseId ?? []);
    const ofRate = ofVariant.flatMap((breach) => findRateCases(suite, breach));
    // The calls may end before all are confirmed: what passed before and fails now broke as well.
    const others = codes.some((code) => code === 'case-broken') && named.length > 0 ? regressedOf(variant) : [];
    for (const id of [...named, ...ofRate, ...others]) ids.add(id);
    // A rate that fell confirms none of its cases beside those that were confirmed one by one.
    const isRateAlone = named.length === 0 || ofVariant.every(({ code }) => code !== 'pass-rate-regressed');
    for (const id of isRateAlone ? [...named, ...ofRate] : named) confirmed.add(id);
    return named.length + ofRate.length > 0;
  });
  return { ids, confirmed: confirmed.size, variants };
}

/** `10 of 42 tickets cases broke with v2 (mini and big), 1 of them must-pass: pass rate 100 → 76.2 %`. */
function describeCases(
  suite: SuiteReport,
  { ids, confirmed, variants }: FoundCases,
  { isNew, verb }: CaseKind,
  style: HeadlineStyle,
): readonly string[] {
  if (ids.size === 0) return [];
  const all = countCases(suite.variants);
  const wasAccepted = variants.some(({ comparison }) => comparison !== undefined && comparison.isWithinRun !== true);
  const isPart = !isNew && ids.size <= all;
  const count = isPart ? `${ids.size} of ${all}` : `${ids.size}${isNew ? ` ${describeNew(ids, variants)}` : ''}`;
  const noun = (isPart ? all : ids.size) === 1 ? 'case' : 'cases';
  const said = verb === 'broke' && !wasAccepted ? 'fail' : verb;
  const verbs = said === 'fail' && ids.size === 1 ? 'fails' : said;
  return [
    `${count} ${style.name(suite.suite)} ${noun} ${verbs} with ${nameVariants(variants, suite, style.name)}` +
      (confirmed < ids.size ? ` (${confirmed} confirmed)` : '') +
      describeMustPass(ids, variants) +
      // New cases are on one side alone: the rates are those of the others.
      (isNew ? '' : describeRates(variants)),
  ];
}

function describeNew(ids: ReadonlySet<string>, variants: readonly VariantReport[]): string {
  const redefined = new Set(variants.flatMap(({ comparison }) => comparison?.cases.redefined ?? []));
  const count = [...ids].filter((id) => redefined.has(id)).length;
  if (count === 0) return 'new';
  return count === ids.size ? 'redefined' : 'new or redefined';
}

function describeMustPass(ids: ReadonlySet<string>, variants: readonly VariantReport[]): string {
  const failed = variants.flatMap(({ failedCases = [] }) => failedCases);
  const count = countDistinct(failed.flatMap(({ caseId, mustPass }) => (mustPass && ids.has(caseId) ? caseId : [])));
  if (count === 0) return '';
  if (count < ids.size) return `, ${count} of them must-pass`;
  return count === 1 ? ', a must-pass case' : ', all of them must-pass';
}

/** `: pass rate 100 → 76.2 %`, of the variant that lost most. */
function describeRates(variants: readonly VariantReport[]): string {
  const rates = variants.flatMap(({ comparison }) => {
    const { baseline = null, candidate = null } = comparison?.passRate ?? {};
    return baseline === null || candidate === null || candidate >= baseline ? [] : [{ baseline, candidate }];
  });
  const [worst] = rates.toSorted((a, b) => b.baseline - b.candidate - (a.baseline - a.candidate));
  if (worst === undefined) return '';
  const isAlike = rates.every(
    ({ candidate, baseline }) => candidate === worst.candidate && baseline === worst.baseline,
  );
  const change = `${shortPercent(worst.baseline)} → ${shortPercent(worst.candidate)} %`;
  return `: pass rate ${change}${isAlike && rates.length === variants.length ? '' : ' at worst'}`;
}

function shortPercent(fraction: number): string {
  return percentOf(fraction).replace(/\.0$/, '');
}

/** Averages and other limits, those of one rule on several variants as one. */
function describeLimits(report: Report, breaches: readonly Breach[], style: HeadlineStyle): readonly string[] {
  const groups = new Map<string, [Breach, ...Breach[]]>();
  for (const breach of breaches) {
    const key = JSON.stringify([breach.code, breach.suite, breach.slice]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [breach]);
    else group.push(breach);
  }
  return [...groups.values()].map((group) => {
    const [{ code, suite: name, prompt, message }] = group;
    if (code === 'contract-broken') {
      return `${formatCount(group.length, 'unapproved contract break')}${prompt === undefined ? '' : ` of ${style.name(prompt)}`}`;
    }
    const suite = report.suites.find((one) => one.suite === name);
    const variants = suite?.variants.filter((one) =>
      group.some(({ prompt: p, provider }) => p === one.prompt && provider === one.provider),
    );
    const isNamed = suite !== undefined && variants !== undefined && variants.length > 0;
    const place = isNamed ? `${style.name(suite.suite)} with ${nameVariants(variants, suite, style.name)}: ` : '';
    return `${place}${style.sentence(message)}`;
  });
}

const withoutVerdict: ReadonlySet<BreachCode> = new Set<BreachCode>([
  'errors-exceeded',
  'unpriced',
  'untimed',
  'stopped',
  'judge-uncalibrated',
  'nothing-evaluated',
  'inconclusive',
]);

const stopSentences: Readonly<Record<StopReason, string>> = {
  decided: 'what was asked (--early) does not decide the run; run again without it',
  budget: 'the budget (--max-cost) stopped the run',
  deadline: 'the time limit (--deadline) stopped the run',
  bail: 'the run was stopped at the failures that --bail allows',
  storage: 'the record could not be written any further',
  queue: 'the queue (--queue) or its workers did not answer for too long',
  interrupted: 'the run was interrupted',
};

/** What looks worse and was neither confirmed nor cleared. */
function describeUnsettled({ suites }: Report, style: HeadlineStyle): string {
  const unsettled = suites.flatMap((suite) =>
    suite.variants.flatMap((variant) => {
      const { comparison } = variant;
      return comparison?.outcome === 'inconclusive' ? [{ suite, variant, comparison }] : [];
    }),
  );
  const [first] = unsettled;
  if (first === undefined) return 'limits of the gate are undecided';
  if (unsettled.every(({ comparison }) => comparison.certainty.cases === 0)) return 'no case could be compared';
  const cases = countDistinct(
    unsettled.flatMap(({ suite, comparison }) =>
      comparison.cases.regressed.map((id) => JSON.stringify([suite.suite, id])),
    ),
  );
  const others = unsettled.reduce((sum, { comparison }) => sum + (comparison.unsettled ?? 0), 0);
  const own = unsettled.filter(({ suite }) => suite === first.suite).map(({ variant }) => variant);
  const place = unsettled.every(({ suite }) => suite === first.suite)
    ? ` with ${nameVariants(own, first.suite, style.name)}`
    : '';
  if (cases > 0) {
    const [noun, verb] = cases === 1 ? ['case', 'fails'] : ['cases', 'fail'];
    return `${cases} ${noun} that passed before ${verb} now${place}, neither confirmed nor cleared`;
  }
  if (others > 0) {
    return `${formatCount(others, 'failure')}${place} ${others === 1 ? 'was' : 'were'} neither confirmed nor cleared`;
  }
  const rates = describeRates(own).replace(/^: /, '');
  const n = countCases(own);
  return `${rates === '' ? 'an average looks worse' : rates}${place}, which ${formatCount(n, 'case')} can't tell from chance`;
}

function describeIncomplete(report: Report, style: HeadlineStyle): string {
  const { decision, run, totals } = report;
  switch (decision.incompleteBecause ?? 'stopped') {
    case 'errors':
      return describeErrors(report, style);
    case 'nothing-evaluated':
      if (totals.passed + totals.failed === 0) return 'nothing was evaluated';
      return 'a file, a suite or a slice of its gate has no case left';
    case 'uncalibrated':
      return 'a judge may not decide before it is calibrated (llmcheck judge check)';
    case 'inconclusive':
      return describeUncertain(report, style);
    case 'stopped':
      return run.stopReason === undefined ? 'the run did not end' : stopSentences[run.stopReason];
  }
}

/** `--require-conclusive` or `gate.certify` asks for more than a run that passed or is inconclusive shows. */
function describeUncertain(report: Report, style: HeadlineStyle): string {
  const { certainty, breaches } = report.decision;
  const asked = breaches.find(({ code }) => code === 'inconclusive')?.message ?? '--require-conclusive asks for more';
  const isOpen = report.suites.some(({ variants }) =>
    variants.some(({ comparison }) => comparison?.outcome === 'inconclusive'),
  );
  if (isOpen) return `${describeUnsettled(report, style)}; ${asked}`;
  return certainty?.kind === 'unseen' ? `${describeSureness(report, certainty)}; ${asked}` : asked;
}
