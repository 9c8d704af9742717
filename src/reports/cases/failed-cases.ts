import type { Writable } from '../../json/defined.ts';
import type { CaseReport, Report, SuiteReport } from '../../model/report/report.ts';
import { clipText, quote } from '../../text/shorten.ts';
import { type CaseExplanation, describeError, explainCase } from './explain-case.ts';
import { type CaseRank, caseRanks, createFindGateEffect, type GateEffect, rankCase, rankWord } from './gate-effect.ts';

/** The failure of a case on one or more variants that failed alike. */
export interface CaseOutcome {
  /** The case on one of these variants, for its answer and reasons. */
  readonly entry: CaseReport;
  readonly variants: readonly VariantName[];
  readonly effect: GateEffect;
  readonly rank: CaseRank;
  readonly explanation: CaseExplanation;
}

export type VariantName = Pick<CaseReport, 'prompt' | 'provider'>;

/** Cases of one suite that failed alike. Reports show them as one entry, so that a reason is read once. */
export interface FailedCases {
  readonly suite: SuiteReport;
  /** The case ids in natural order: 1, 2, 10. */
  readonly caseIds: readonly string[];
  readonly mustPass: boolean;
  readonly rank: CaseRank;
  /** The outcomes of the first case, the worst first. */
  readonly outcomes: readonly [CaseOutcome, ...CaseOutcome[]];
}

/** Cases that a report names together under one reason. */
export interface CaseGroup {
  /** The kind of tolerance, or the error message with its numbers replaced. */
  readonly key: string;
  readonly reason: string;
  /** The first few cases; `count` includes the others. */
  readonly cases: readonly CaseName[];
  /** Cases, whatever the number of their variants. */
  readonly count: number;
  readonly variants: readonly VariantName[];
}

type CaseName = Pick<CaseReport, 'caseId' | 'at'>;

/** The cases of one suite that did not pass. */
export interface SuiteSurvey {
  readonly suite: SuiteReport;
  /** The cases to show, worst first. */
  readonly failed: readonly FailedCases[];
  /** Numbers of failed cases outside groups, whether they fit on the screen or not. */
  readonly counts: Readonly<Record<CaseRank, number>>;
  /** Cases that the gate tolerates. */
  readonly tolerated: readonly CaseGroup[];
  readonly errored: readonly CaseGroup[];
}

export interface SurveyLimits {
  /** Entries in the whole report. */
  readonly maxEntries: number;
  /** An entry for each case, even if several failed alike. */
  readonly isEachAlone?: boolean;
  readonly maxNames: number;
  /** Groups of a kind in a suite. Without a limit, messages that name their case would make a group each. */
  readonly maxGroups: number;
}

/** Reads every case that did not pass once. Keeps the worst of the whole report, and counts the others. */
export function surveyCases(report: Report, limits: SurveyLimits): readonly SuiteSurvey[] {
  const worst = new WorstCases(limits);
  const surveys = report.suites.map((suite) => surveySuite(report, suite, worst, limits));
  return surveys.map((survey) => ({
    ...survey,
    failed: worst.list().filter(({ suite }) => suite === survey.suite),
  }));
}

export function countHidden({ counts, failed }: SuiteSurvey): readonly (readonly [CaseRank, number])[] {
  return caseRanks.flatMap((rank) => {
    const shown = failed.filter((one) => one.rank === rank).reduce((sum, { caseIds }) => sum + caseIds.length, 0);
    return counts[rank] > shown ? [[rank, counts[rank] - shown] as const] : [];
  });
}

/** Every case that failed, the worst first. Reads them once for each rank, so that memory does not grow with the run. */
export function* readFailedCases(report: Report, { suite, counts, tolerated }: SuiteSurvey): Iterable<FailedCases> {
  const findEffect = createFindGateEffect(report, suite);
  const hasMustPass = suite.variants.some(({ failedCases = [] }) => failedCases.some(({ mustPass }) => mustPass));
  for (const isCritical of hasMustPass ? [true, false] : [false]) {
    for (const rank of caseRanks) {
      if (counts[rank] === 0 && (rank !== 'tolerated' || tolerated.length === 0)) continue;
      for (const entries of readByCase(suite, ['failed', 'flaky'])) {
        const isOfRank = worstRank(entries, findEffect, isListed) === rank;
        if (!isOfRank || entries.some(({ mustPass }) => mustPass === true) !== isCritical) continue;
        const failed = judgeCase(suite, entries, findEffect, isListed);
        if (failed !== undefined) yield failed;
      }
    }
  }
}

/** Finds the rank without reading the rows of a case from the disk. */
function worstRank(
  entries: readonly CaseReport[],
  findEffect: (entry: CaseReport) => GateEffect,
  isShown: (effect: GateEffect) => boolean,
): CaseRank | undefined {
  const ranks = new Set<CaseRank | undefined>();
  for (const entry of entries) {
    const effect = findEffect(entry);
    if (entry.status !== 'errored' && isShown(effect)) ranks.add(rankCase(entry, effect));
  }
  return caseRanks.find((rank) => ranks.has(rank));
}

function isListed(effect: GateEffect): boolean {
  return effect.kind !== 'passed';
}

function surveySuite(
  report: Report,
  suite: SuiteReport,
  worst: WorstCases,
  limits: SurveyLimits,
): Omit<SuiteSurvey, 'failed'> {
  const counts = { regressed: 0, broken: 0, new: 0, failing: 0, flaky: 0, accepted: 0, tolerated: 0 };
  const tolerated = new Groups(limits);
  const errored = new Groups(limits);
  // A suite without failures need not be read.
  if (suite.variants.every((variant) => variant.failed + variant.errored + variant.observed === 0)) {
    return { suite, counts, tolerated: [], errored: [] };
  }
  const findEffect = createFindGateEffect(report, suite);
  for (const entries of readByCase(suite, ['failed', 'flaky', 'errored'])) {
    for (const entry of entries) {
      if (entry.status === 'errored') errored.add(describeErrored(suite, entry), entry);
      else {
        const effect = findEffect(entry);
        if (isGrouped(effect)) tolerated.add({ key: effect.because, own: effect.reason, shared: effect.reason }, entry);
      }
    }
    const rank = worstRank(entries, findEffect, (effect) => !isGrouped(effect));
    if (rank === undefined) continue;
    counts[rank] += 1;
    // Explaining a case reads its rows from the disk. After this many failures of a rank the list is full.
    if (counts[rank] > maxExplained && entries.every(({ mustPass }) => mustPass !== true)) continue;
    const failed = judgeCase(suite, entries, findEffect, (effect) => !isGrouped(effect));
    if (failed !== undefined) worst.add(failed);
  }
  return { suite, counts, tolerated: tolerated.list(), errored: errored.list() };
}

/** True for tolerated cases that need no separate entry. */
function isGrouped(effect: GateEffect): effect is GateEffect & { kind: 'tolerated' } {
  return effect.kind === 'tolerated' && effect.because !== 'within-limits' && effect.because !== 'accepted';
}

/** Messages that differ only in case names, numbers and hashes share a key. */
export function describeErrored({ suite }: SuiteReport, entry: CaseReport): GroupReason {
  const { caseId, prompt, provider } = entry;
  const row = entry.trials.find(({ status }) => status === 'errored');
  const own = clipText(row === undefined ? 'no reason was recorded' : describeError(row), maxMessageUnits);
  const shared = own
    .replaceAll(` --filter ${suite}/${caseId}`, '')
    .replaceAll(`case ${quote(caseId)}`, 'each case')
    .replaceAll(`prompt ${quote(prompt)}, `, '')
    .replaceAll(`provider ${quote(provider)}, `, '')
    .replaceAll(/(\.\w+):\d+\b/g, '$1')
    .replaceAll(/\b[0-9a-f]{32,}\b/g, '…');
  return { key: shared.replaceAll(/\d+/g, '0'), own, shared };
}

const maxMessageUnits = 1000;
const maxExplained = 2000;

/** Groups the entries by case. A report lists the variants of a case one after another. */
function* readByCase(suite: SuiteReport, statuses: readonly CaseReport['status'][]): Iterable<readonly CaseReport[]> {
  let entries: CaseReport[] = [];
  for (const entry of suite.cases({ statuses })) {
    if (entries[0] !== undefined && entries[0].caseId !== entry.caseId) {
      yield entries;
      entries = [];
    }
    entries.push(entry);
  }
  if (entries.length > 0) yield entries;
}

/** Undefined if no variant failed in a way that needs an entry. */
function judgeCase(
  suite: SuiteReport,
  entries: readonly CaseReport[],
  findEffect: (entry: CaseReport) => GateEffect,
  isShown: (effect: GateEffect) => boolean,
): FailedCases | undefined {
  const outcomes = new Map<string, CaseOutcome>();
  for (const entry of entries) {
    if (entry.status === 'errored') continue;
    const effect = findEffect(entry);
    const rank = rankCase(entry, effect);
    if (rank === undefined || !isShown(effect)) continue;
    const outcome = { entry, variants: [entry], effect, rank, explanation: explainCase(entry) };
    const key = describeAlike(outcome);
    const same = outcomes.get(key);
    outcomes.set(key, same === undefined ? outcome : addVariant(same, outcome));
  }
  const [first, ...others] = [...outcomes.values()].toSorted((a, b) => rankOf(a) - rankOf(b));
  if (first === undefined) return undefined;
  return {
    suite,
    caseIds: [first.entry.caseId],
    mustPass: first.entry.mustPass === true,
    rank: first.rank,
    outcomes: [first, ...others],
  };
}

/** Keeps the worse of two effects. If the numbers of trials differ, the larger is shown as `up to`. */
function addVariant(same: CaseOutcome, other: CaseOutcome): CaseOutcome {
  const [worse, better] = rankOf(other) < rankOf(same) || isMilder(same, other) ? [other, same] : [same, other];
  const [one, two] = [worse.explanation.trials, better.explanation.trials];
  const most = one === '' ? two : one;
  const trials = one === two || most.startsWith(upTo) ? most : `${upTo}${most}`;
  return { ...worse, variants: [...same.variants, other.entry], explanation: { ...worse.explanation, trials } };
}

const upTo = 'up to ';

function isMilder(one: CaseOutcome, other: CaseOutcome): boolean {
  return one.effect.kind === 'tolerated' && other.effect.kind === 'failure';
}

/** Failures with the same key share an entry: their reasons and both answers are equal. */
function describeAlike({ entry, effect, rank, explanation }: Omit<CaseOutcome, 'variants'>): string {
  const { reasons, answer, before } = explanation;
  const why = reasons.map(({ label, reason }) => [label, reason]);
  const isAccepted = effect.kind === 'tolerated' && effect.because === 'accepted';
  return JSON.stringify([isAccepted, rankWord(entry, rank), why, answer ?? null, before ?? null]);
}

function rankOf({ rank }: { readonly rank: CaseRank }): number {
  return caseRanks.indexOf(rank);
}

let collator: Intl.Collator | undefined;

/**
 * Compares names in natural order. The collator is created on demand: it takes a few milliseconds, and most runs sort
 * no names.
 */
function naturalOrder(a: string, b: string): number {
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b);
}

/** Keeps only the entries to show, because each may have an answer of megabytes. */
class WorstCases {
  readonly #limits: SurveyLimits;
  #kept: { readonly key: string; readonly cases: FailedCases & { readonly caseIds: string[] } }[] = [];

  constructor(limits: SurveyLimits) {
    this.#limits = limits;
  }

  add(found: FailedCases): void {
    const { suite, mustPass, outcomes, caseIds } = found;
    // A case that fails the gate and one that does not never share an entry, which says so of all its cases.
    const alike = outcomes.map((outcome) => [
      describeAlike(outcome),
      outcome.effect.kind,
      outcome.variants.map(nameVariant),
    ]);
    const key = JSON.stringify([suite.suite, mustPass, alike]);
    const same = this.#limits.isEachAlone === true ? undefined : this.#kept.find((one) => one.key === key);
    if (same !== undefined) {
      same.cases.caseIds.push(...caseIds);
      return;
    }
    this.#kept.push({ key, cases: { ...found, caseIds: [...caseIds] } });
    if (this.#kept.length <= this.#limits.maxEntries) return;
    this.#kept = this.#kept.toSorted((a, b) => compareFailed(a.cases, b.cases)).slice(0, this.#limits.maxEntries);
  }

  list(): readonly FailedCases[] {
    return this.#kept
      .map(({ cases }) => ({ ...cases, caseIds: cases.caseIds.toSorted(naturalOrder) }))
      .toSorted(compareFailed);
  }
}

export function worstFirst(failed: readonly FailedCases[]): readonly FailedCases[] {
  return failed.toSorted(compareFailed);
}

/** Must-pass cases first, then by rank, then those that fail the gate, then in natural order. */
function compareFailed(a: FailedCases, b: FailedCases): number {
  return (
    Number(b.mustPass) - Number(a.mustPass) ||
    rankOf(a) - rankOf(b) ||
    Number(isTolerated(a)) - Number(isTolerated(b)) ||
    naturalOrder(a.caseIds[0] ?? '', b.caseIds[0] ?? '')
  );
}

function isTolerated({ outcomes: [first] }: FailedCases): boolean {
  return first.effect.kind === 'tolerated';
}

function nameVariant({ prompt, provider }: VariantName): readonly [string, string] {
  return [prompt, provider];
}

/** `own` describes a single case, `shared` several. */
export interface GroupReason {
  readonly key: string;
  readonly own: string;
  readonly shared: string;
}

/** This many names are sorted before the first few are taken. */
const maxSorted = 1000;

const others: GroupReason = { key: '', own: 'other messages', shared: 'other messages' };

class Groups {
  readonly #limits: SurveyLimits;
  readonly #groups = new Map<string, Writable<CaseGroup> & { cases: CaseName[]; variants: VariantName[] }>();
  /** The case that each group counted last. */
  readonly #last = new Map<string, string>();

  constructor(limits: SurveyLimits) {
    this.#limits = limits;
  }

  add(found: GroupReason, entry: CaseReport): void {
    const { caseId, prompt, provider } = entry;
    const isFull = this.#groups.size >= this.#limits.maxGroups && !this.#groups.has(found.key);
    const { key, own, shared } = isFull ? others : found;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { key, reason: own, cases: [], count: 0, variants: [] };
      this.#groups.set(key, group);
    }
    if (own !== group.reason) group.reason = shared;
    if (!group.variants.some((one) => one.prompt === prompt && one.provider === provider)) {
      group.variants.push({ prompt, provider });
    }
    // The variants of a case follow one another.
    if (this.#last.get(key) === caseId) return;
    this.#last.set(key, caseId);
    group.count += 1;
    if (group.cases.length < Math.max(maxSorted, this.#limits.maxNames)) group.cases.push({ caseId, at: entry.at });
  }

  list(): readonly CaseGroup[] {
    return [...this.#groups.values()].map((group) => ({
      ...group,
      cases: group.cases.toSorted((a, b) => naturalOrder(a.caseId, b.caseId)).slice(0, this.#limits.maxNames),
    }));
  }
}
