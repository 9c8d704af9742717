import { type Breach, type BreachCode, undecidedCodes } from '../model/comparison/gate.ts';
import type { Report, SuiteReport, VariantReport } from '../model/report/report.ts';
import { formatCount, percentOf } from '../text/format-amount.ts';
import { groupBy } from '../text/group-by.ts';
import { countCases, type HeadlineStyle, nameVariants } from './cases/name-cases.ts';

/** Names cases first, then averages and other limits: two in full, and the number of others. */
export function describeFailed(report: Report, style: HeadlineStyle): string {
  const broken = report.decision.breaches.filter(({ code }) => !undecidedCodes.has(code));
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

/** The verb for the cases of a breach, the worst first. */
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

/** The cases behind a breached rate: failed cases of a first run that were not cleared, else regressed cases. */
function findRateCases(suite: SuiteReport, { suite: name, prompt, provider, code, slice }: Breach): readonly string[] {
  const variant = suite.variants.find((one) => one.prompt === prompt && one.provider === provider);
  if (suite.suite !== name || variant === undefined || slice !== undefined) return [];
  if (code === 'pass-rate-min' && suite.passRateMin === undefined) {
    return (variant.failedCases ?? []).flatMap(({ caseId, isCleared }) => (isCleared === true ? [] : [caseId]));
  }
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
    // Confirmation may end before it reaches every case. Unconfirmed regressed cases count as broken too.
    const others = codes.some((code) => code === 'case-broken') && named.length > 0 ? regressedOf(variant) : [];
    for (const id of [...named, ...ofRate, ...others]) ids.add(id);
    // A fallen rate does not confirm a single case if other cases were confirmed one by one.
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
  const shownVerb = verb === 'broke' && !wasAccepted ? 'fail' : verb;
  const verbs = shownVerb === 'fail' && ids.size === 1 ? 'fails' : shownVerb;
  return [
    `${count} ${style.name(suite.suite)} ${noun} ${verbs} with ${nameVariants(variants, suite, style.name)}` +
      (confirmed < ids.size ? ` (${confirmed} confirmed)` : '') +
      describeMustPass(ids, variants) +
      // The rates cover the cases of both sides, so they say nothing about new ones.
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

function shortPercent(fraction: number): string {
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
