import { type BreachRule, breachRule, isOpenBreach } from '../model/comparison/breach.ts';
import { type Breach } from '../model/comparison/gate.ts';
import type { Report, SuiteReport, VariantReport } from '../model/report/report.ts';
import { formatCount, percentOf } from '../text/format-amount.ts';
import { groupBy } from '../text/group-by.ts';
import { countCases, type HeadlineStyle, nameVariants } from './cases/name-cases.ts';

/** Names cases first, then averages and other limits: two in full, and the number of others. */
export function describeFailed(report: Report, style: HeadlineStyle): string {
  const broken = report.decision.breaches.filter((breach) => !isOpenBreach(breach));
  const named = new Map(report.suites.map((suite) => [suite, new Set<string>()]));
  const cases = verbs.flatMap((verb) =>
    [...named].flatMap(([suite, known]) => {
      const found = withoutKnown(findCases(suite, broken, verb), known);
      for (const id of found.ids) known.add(id);
      return describeCases(report, found, verb, style);
    }),
  );
  const limits = broken.filter(
    (breach) =>
      breachRule(breach.code).kind !== 'case' && !report.suites.some((suite) => findFailing(suite, breach).length > 0),
  );
  const all = [...cases, ...describeGone(report, broken), ...describeLimits(report, limits, style)];
  const shown = all.slice(0, maxParts);
  if (all.length > shown.length) shown.push(`${formatCount(all.length - shown.length, 'more limit')} broken`);
  return shown.length === 0 ? 'the gate says no' : shown.join('; ');
}

const maxParts = 2;

/** Cases of prompts or providers that the run does not have any more. */
function describeGone({ suites }: Report, breaches: readonly Breach[]): readonly string[] {
  const gone = breaches.filter(
    ({ code, suite, prompt, provider }) =>
      code === 'case-loosened' &&
      !suites.some(
        (other) =>
          other.suite === suite &&
          other.variants.some((variant) => variant.prompt === prompt && variant.provider === provider),
      ),
  );
  const count = new Set(gone.map(({ suite, caseId }) => JSON.stringify([suite, caseId]))).size;
  if (count === 0) return [];
  const judged = `${count === 1 ? 'is' : 'are'} judged no more`;
  return [`${formatCount(count, 'accepted case')} ${judged}, since the prompt or provider is not in the run`];
}

/** What happened to cases, the worst first. */
const verbs = ['broke', 'are loosened', 'drifted', 'fail'] as const satisfies readonly BreachRule['verb'][];

type Verb = (typeof verbs)[number];

/** The failing cases of a suite that has to pass whole, where nothing was accepted yet. */
function findFailing(suite: SuiteReport, { suite: name, prompt, provider, code, slice }: Breach): readonly string[] {
  if (code !== 'pass-rate-min' || suite.suite !== name || suite.passRateMin !== undefined || slice !== undefined) {
    return [];
  }
  const variant = suite.variants.find((other) => other.prompt === prompt && other.provider === provider);
  return (variant?.failedCases ?? []).flatMap(({ caseId, isCleared }) => (isCleared === true ? [] : [caseId]));
}

function regressedOf({ comparison }: VariantReport): readonly string[] {
  return comparison?.cases.regressed ?? [];
}

interface FoundCases {
  readonly suite: SuiteReport;
  readonly ids: ReadonlySet<string>;
  /** How many of them the gate names. */
  readonly confirmed: ReadonlySet<string>;
  readonly variants: readonly VariantReport[];
}

function findCases(suite: SuiteReport, breaches: readonly Breach[], verb: Verb): FoundCases {
  const ofSuite = breaches.filter((breach) => breach.suite === suite.suite);
  const ids = new Set<string>();
  const confirmed = new Set<string>();
  const variants = suite.variants.filter((variant) => {
    const { prompt, provider } = variant;
    const ofVariant = ofSuite.filter((breach) => breach.prompt === prompt && breach.provider === provider);
    const named = ofVariant.flatMap((breach) => (verbOf(breach, variant) === verb ? (breach.caseId ?? []) : []));
    const failing = verb === 'fail' ? ofVariant.flatMap((breach) => findFailing(suite, breach)) : [];
    // Once enough cases are confirmed, the others are not asked again. They count as broken too.
    const others = verb === 'broke' && named.length > 0 ? regressedOf(variant) : [];
    for (const id of [...named, ...failing, ...others]) ids.add(id);
    for (const id of [...named, ...failing]) confirmed.add(id);
    return named.length + failing.length > 0;
  });
  return { suite, ids, confirmed, variants };
}

/** A case that broke a limit as well is named once, by the worst that happened to it. */
function withoutKnown({ ids, ...found }: FoundCases, known: ReadonlySet<string>): FoundCases {
  return { ...found, ids: new Set([...ids].filter((id) => !known.has(id))) };
}

/** A must-pass case that never passed can't break. */
function verbOf({ code, caseId = '' }: Breach, { comparison }: VariantReport): Verb | undefined {
  const { verb } = breachRule(code);
  if (code !== 'must-pass') return verb;
  if (comparison === undefined) return 'fail';
  const { added, redefined } = comparison.cases;
  return added.includes(caseId) || redefined.includes(caseId) ? 'fail' : verb;
}

/** `10 of 42 tickets cases broke with v2 (mini and big), 1 of them must-pass: pass rate 100 → 76.2 %`. */
function describeCases(
  report: Report,
  { suite, ids, confirmed, variants }: FoundCases,
  verb: Verb,
  style: HeadlineStyle,
): readonly string[] {
  if (ids.size === 0) return [];
  const ofGate = [...ids].filter((id) => confirmed.has(id)).length;
  const all = countCases(suite.variants);
  const wasAccepted = variants.some(({ comparison }) => comparison !== undefined && comparison.isWithinRun !== true);
  const kind = verb === 'fail' && wasAccepted ? describeNew(ids, variants) : '';
  // A case that is gone is none of those that the suite has now.
  const lost = verb === 'are loosened' ? countLost(report, suite, ids) : 0;
  const isPart = kind === '' && lost === 0 && ids.size <= all;
  const count = isPart ? `${ids.size} of ${all}` : `${ids.size}${kind === '' ? '' : ` ${kind}`}`;
  const noun = (isPart ? all : ids.size) === 1 ? 'case' : 'cases';
  const said = verb === 'broke' && !wasAccepted ? 'fail' : verb;
  return [
    `${count} ${style.name(suite.suite)} ${noun} ${conjugate(said, ids.size, lost)} with ${nameVariants(variants, suite, style.name)}` +
      (ofGate < ids.size ? ` (${ofGate} confirmed)` : '') +
      describeMustPass(ids, variants) +
      describeSharedFailures(report, suite, ids) +
      // The rates cover the cases of both sides, so they say nothing about new ones.
      (kind !== '' || verb === 'are loosened' ? '' : describeRates(variants)),
  ];
}

/** How many of these cases are gone, skipped or only observed, so that no check judges them. */
function countLost(
  { decision: { loosenedCases = [] } }: Report,
  { suite }: SuiteReport,
  ids: ReadonlySet<string>,
): number {
  const lost = loosenedCases.filter((found) => found.isLost === true && found.suite === suite && ids.has(found.caseId));
  return new Set(lost.map(({ caseId }) => caseId)).size;
}

function conjugate(verb: Verb, count: number, lost: number): string {
  const isOne = count === 1;
  if (verb === 'are loosened') {
    const passes = `${isOne ? 'passes' : 'pass'} under edited checks alone`;
    const gone = `${isOne ? 'is' : 'are'} judged no more`;
    return lost === 0 ? passes : lost === count ? gone : `${passes} or ${gone}`;
  }
  return verb === 'fail' && count === 1 ? 'fails' : verb;
}

/** A must-pass case fails the run even where the accepted prompt fails it too, which a headline says. */
function describeSharedFailures({ decision }: Report, { suite }: SuiteReport, ids: ReadonlySet<string>): string {
  const mustPass = new Set(
    decision.breaches.flatMap((breach) =>
      breach.code === 'must-pass' && breach.suite === suite ? (breach.caseId ?? []) : [],
    ),
  );
  const shared = decision.evidence.filter(
    (entry) => entry.suite === suite && mustPass.has(entry.caseId) && ids.has(entry.caseId) && entry.acceptedFailed > 0,
  );
  const count = countDistinct(shared.map(({ caseId }) => caseId));
  if (count === 0) return '';
  if (count < ids.size) return `, ${count} of them with the accepted prompt too`;
  return ', with the accepted prompt too';
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
export function describeRates(variants: readonly VariantReport[]): string {
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

export function shortPercent(fraction: number): string {
  return percentOf(fraction).replace(/\.0$/, '');
}

/** Averages and other limits; several variants that miss the same limit share one part. */
function describeLimits(report: Report, breaches: readonly Breach[], style: HeadlineStyle): readonly string[] {
  const groups = groupBy(breaches, ({ code, suite, slice }) => JSON.stringify([code, suite, slice]));
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

export function listFailed({ failedCases = [] }: VariantReport): readonly string[] {
  return failedCases.map(({ caseId }) => caseId);
}

export function countDistinct(names: readonly string[]): number {
  return new Set(names).size;
}

/** Judged answers without a latency, of the variants that these breaches name. */
export function countUntimed(suites: readonly SuiteReport[], breaches: readonly Breach[]): number {
  const variants = suites.flatMap(({ suite, variants: all }) =>
    all.filter(({ prompt, provider }) =>
      breaches.some((breach) => breach.suite === suite && breach.prompt === prompt && breach.provider === provider),
    ),
  );
  return variants.reduce((sum, { passed, failed, latencies }) => {
    return latencies === undefined ? sum : sum + passed + failed - latencies().candidate.length;
  }, 0);
}

/** The variants that no other one replaces. */
export function gatedOf(variants: readonly VariantReport[]): readonly VariantReport[] {
  return variants.filter(({ replacedBy }) => replacedBy === undefined);
}

/** Cases that passed in some trials and failed in others, each once. */
export function countFlaky(suite: SuiteReport): number {
  const gated = new Set(gatedOf(suite.variants).map(({ prompt, provider }) => JSON.stringify([prompt, provider])));
  const flaky = [...suite.cases({ statuses: ['flaky'] })].filter(({ prompt, provider }) =>
    gated.has(JSON.stringify([prompt, provider])),
  );
  return countDistinct(flaky.map(({ caseId }) => caseId));
}
