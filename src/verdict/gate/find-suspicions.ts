import type { ComparedCase } from '../../model/comparison/comparison.ts';
import { countStatus } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { CaseSummary, RunSummary, SuiteSummary, VariantSummary } from '../../model/run/summary.ts';
import { isSameCase } from '../../model/suite/same-case.ts';
import type { GatePolicy } from '../../model/suite/suite.ts';
import { brokenCaseFailures } from '../../stats/exact-tests.ts';
import type { RetriedCase } from '../confirm/judge-case.ts';
import type { SuspicionInput } from '../confirm/suspicion-input.ts';
import { countVerdicts } from '../pair-cases.ts';
import { findLookedAverages, findStoredMetrics, isAbout, type LookedAverage } from './find-averages.ts';
import { comparedCase, type GatedComparison, retriedCase, type Sides, sidesOf } from './gated-comparison.ts';

export type CaseBreach =
  | 'must-pass'
  | 'case-broken'
  | 'case-drifted'
  | 'case-added-failed'
  | 'contract-changed'
  | 'first-run';

/** A case that failed, and the rule that decides about it. */
export interface Suspicion {
  readonly caseId: string;
  readonly because: CaseBreach;
  /** `known`: the case was accepted as broken. */
  readonly rule: 'suspect' | 'must-pass' | 'added' | 'known';
  readonly sides: Sides;
  readonly candidate: CaseSummary;
  readonly baseline: CaseSummary | undefined;
  /** The case's name in messages. */
  readonly noun: string;
  readonly retried: RetriedCase;
}

/** Everything in a run that looks worse. */
export interface Suspicions {
  /** The suspicions of each gated variant, compared or not. */
  readonly ofVariant: ReadonlyMap<VariantSummary, readonly Suspicion[]>;
  /** The averages that confirmation trials decide about, by the variant. */
  readonly looks: ReadonlyMap<VariantSummary, readonly LookedAverage[]>;
  /** Variants with a suspicious case that the change's own baseline accepts. */
  readonly accepted: ReadonlySet<VariantSummary>;
  readonly input: SuspicionInput;
}

export interface SpendOptions {
  /** The part of each level that may be spent; an early run judges more than once. */
  readonly share?: number;
  /** Variants with cases that were not asked. */
  readonly partial?: ReadonlyMap<VariantSummary, { readonly isCertain: boolean }>;
}

/** Finds what looks worse: cases that failed, and averages whose accepted prompt can be asked. */
export function findSuspicions(
  { suites }: Pick<RunSummary, 'suites'>,
  gated: readonly GatedComparison[],
  settings: Pick<RunSettings, 'drift' | 'shard' | 'mergedShards'>,
  { share = 1, partial }: SpendOptions = {},
): Suspicions {
  const ofVariant = new Map<VariantSummary, readonly Suspicion[]>();
  const looks = new Map<VariantSummary, readonly LookedAverage[]>();
  const averages: SuspicionInput['averages'][number][] = [];
  let storedAverages = 0;
  const accepted = new Set<VariantSummary>();
  const compared = new Map(gated.map((comparison) => [comparison.variant, comparison]));
  for (const suite of suites) {
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      const comparison = compared.get(variant);
      if (comparison === undefined) {
        ofVariant.set(variant, findFirstFailures(suite, variant));
        continue;
      }
      const found = findComparedFailures(comparison, settings);
      ofVariant.set(variant, found.open);
      if (found.isFiltered) accepted.add(variant);
      const isCertain = partial?.get(variant)?.isCertain === true;
      const looked = findLookedAverages(comparison, settings, { share, isCertain });
      looks.set(variant, looked);
      averages.push(...looked);
      storedAverages += findStoredMetrics(comparison, looked, settings).filter(({ canFail }) => canFail).length;
    }
  }
  const input = {
    ...sortSuspicions(suites, gated, { ofVariant, looks, share }),
    averages,
    storedAverages,
    askedShare: findAskedShare(gated, settings),
    shards: settings.shard?.count ?? 1,
    mergedShards: settings.mergedShards,
  };
  return { ofVariant, looks, accepted, input };
}

/** Failures of a variant of which nothing was accepted: every case must pass, unless the suite sets a limit. */
function findFirstFailures(suite: SuiteSummary, variant: VariantSummary): readonly Suspicion[] {
  const { replayed, gate } = suite.recorded;
  const sides = replayed === true || gate.confirm.budget === 0 ? 'nothing' : 'candidate';
  const isWhole = gate.passRate.min === undefined;
  return [...variant.cases.values()].flatMap((candidate): Suspicion[] => {
    if (candidate.observe || countStatus(candidate.trials, 'failed') === 0) return [];
    const shared = { caseId: candidate.caseId, sides, candidate, baseline: undefined } as const;
    const retried = retriedCase(suite, variant, candidate);
    if (candidate.mustPass) {
      return [{ ...shared, retried, because: 'must-pass', rule: 'must-pass', noun: 'must-pass case' }];
    }
    return isWhole ? [{ ...shared, retried, because: 'first-run', rule: 'added', noun: 'case' }] : [];
  });
}

function findComparedFailures(
  comparison: GatedComparison,
  settings: Pick<RunSettings, 'drift'>,
): { readonly open: readonly Suspicion[]; readonly isFiltered: boolean } {
  const { compared, own } = comparison;
  const sides = sidesOf(comparison, settings);
  const suspicions = [...compared.cases.values()].flatMap((found) => judgeWhether(found, comparison, sides));
  if (own === undefined) return { open: suspicions, isFiltered: false };
  // A change that also brings the baseline for its results was reviewed: what that baseline holds is accepted.
  const unaccepted = new Set(
    [...own.cases.values()]
      .flatMap((found) => judgeWhether(found, { ...comparison, compared: own }, sides))
      .filter(({ rule }) => rule !== 'known')
      .map(({ caseId }) => caseId),
  );
  const open = suspicions.filter(({ caseId, rule }) => rule === 'known' || unaccepted.has(caseId));
  return { open, isFiltered: open.length < suspicions.length };
}

function judgeWhether(found: ComparedCase, comparison: GatedComparison, sides: Sides): readonly Suspicion[] {
  const { suite, compared, mustPassWhole, isFirst } = comparison;
  const { candidate, baseline, change, caseId } = found;
  // Nearly all cases of a large suite, and there is nothing to say of them.
  if (candidate === undefined || (change === 'stillPassing' && !candidate.mustPass)) return [];
  const { accepted: all } = compared.baseline;
  const accepted = all === undefined ? baseline : all.get(caseId);
  const shared = { caseId, sides, candidate, baseline };
  const retried = () => comparedCase(comparison, candidate);
  const suspect = (): Suspicion => ({
    ...shared,
    because: candidate.mustPass ? 'must-pass' : sides === 'drift' ? 'case-drifted' : 'case-broken',
    rule: 'suspect',
    noun: 'case',
    retried: retried(),
  });
  const hasFailed = countStatus(candidate.trials, 'failed') > 0;
  if (candidate.mustPass) {
    // A first baseline was not reviewed yet: it can't accept that a must-pass case fails.
    const isKnown = isFirst !== true && change !== 'redefined' && isKnownFailure(accepted, candidate);
    // A must-pass case that was accepted although it fails at times can still break for good, like any case.
    if (isKnown && found.suspect) return [suspect()];
    if (!hasFailed) return [];
    const rule = isKnown ? 'known' : 'must-pass';
    return [{ ...shared, because: 'must-pass', rule, noun: 'must-pass case', retried: retried() }];
  }
  const isNew = change === 'added' || change === 'redefined' || (change === 'unjudged' && !hasVerdict(baseline));
  if (isNew) {
    if (!hasFailed) return [];
    const noun = change === 'redefined' ? 'redefined case' : 'new case';
    const because = found.breaksContract === true ? 'contract-changed' : 'case-added-failed';
    return [{ ...shared, because, rule: 'added', noun, retried: retried() }];
  }
  if (found.suspect) return [suspect()];
  const isOfWhole = mustPassWhole === true && suite.recorded.gate.passRate.min === undefined;
  return isOfWhole && hasFailed
    ? [{ ...shared, because: 'first-run', rule: 'added', noun: 'case', retried: retried() }]
    : [];
}

function sortSuspicions(
  suites: readonly SuiteSummary[],
  gated: readonly GatedComparison[],
  { ofVariant, looks, share }: Pick<Suspicions, 'ofVariant' | 'looks'> & { readonly share: number },
): Omit<SuspicionInput, 'averages' | 'storedAverages' | 'askedShare' | 'shards' | 'mergedShards'> {
  const mustPass: RetriedCase[] = [];
  const added: SuspicionInput['added'][number][] = [];
  const suspects: SuspicionInput['suspects'][number][] = [];
  const judgedCases = gated.reduce((sum, { compared, otherCases = 0 }) => sum + compared.passRate.n + otherCases, 0);
  let maxRetrials = 0;
  for (const { recorded, variants } of suites) {
    const { gate, suite } = recorded;
    for (const variant of variants) {
      if (recorded.replayed !== true) maxRetrials += (variant.planned - variant.skippedByCase) * gate.confirm.budget;
      for (const suspicion of ofVariant.get(variant) ?? []) {
        if (suspicion.rule === 'known' || !canRetry(suspicion)) continue;
        // A suspicion that only warns is not worth a call.
        if (suspicion.rule === 'added' && !failsAsNew(suspicion.because, gate)) continue;
        const alpha = share * gate.alpha;
        const shared = { found: suspicion.retried, suite, alpha, maxConfirmed: gate.confirm.cases };
        if (suspicion.rule === 'must-pass') mustPass.push(suspicion.retried);
        else if (suspicion.rule === 'added') added.push(shared);
        else {
          suspects.push({
            ...shared,
            asksAccepted: suspicion.sides === 'both',
            failures: failuresToBreak(suspicion, judgedCases, alpha),
            averages: (looks.get(variant) ?? [])
              .filter(({ hypothesis }) => isAbout(hypothesis, suspicion.candidate))
              .map(({ id }) => id),
            isGated: gate.cases.broken === 'fail' || suspicion.because === 'case-drifted',
          });
        }
      }
    }
  }
  const comparedCases = gated
    .filter(({ variant }) => (looks.get(variant) ?? []).length > 0)
    .reduce((sum, { compared }) => sum + compared.passRate.n, 0);
  return { mustPass, added, suspects, comparedCases, maxRetrials: Math.floor(maxRetrials) };
}

/** True where a failed case without a counterpart fails the gate. If it breaks a changed contract, the change broke it. */
export function failsAsNew(because: CaseBreach, { cases }: GatePolicy): boolean {
  if (because === 'contract-changed') return cases.broken === 'fail' || cases.added === 'fail';
  return because === 'first-run' || cases.added === 'fail';
}

/**
 * Finds the share of the level for cases whose accepted prompt can be asked. The others are judged by a rule over all
 * compared cases, and use the rest.
 */
function findAskedShare(gated: readonly GatedComparison[], settings: Pick<RunSettings, 'drift'>): number {
  let [asked, others] = [0, 0];
  for (const comparison of gated) {
    const { compared, otherCases = 0 } = comparison;
    const cases = compared.passRate.n + otherCases;
    const sides = sidesOf(comparison, settings);
    if (sides === 'both') asked += cases;
    else if (sides === 'candidate' || sides === 'drift') others += cases;
  }
  return asked === 0 ? 1 : asked / (asked + others);
}

/**
 * Must-pass and new cases are asked again whatever was accepted. Between two records, the trials that were made decide.
 */
function canRetry({ sides, rule, candidate }: Suspicion): boolean {
  if (sides === 'nothing') return false;
  if (sides === 'records') return rule !== 'suspect' && candidate.confirmations.length > 0;
  return rule !== 'suspect' || sides !== 'unchanged';
}

/** Computes it from the failure rate that the accepted trials allow, which is at least one in five. */
function failuresToBreak({ baseline }: Suspicion, n: number, alpha: number): number {
  const { trials, failures } = countVerdicts(baseline ?? { trials: [] });
  const rate = (0.5 + failures) / (4.5 + trials);
  return brokenCaseFailures({ n, alpha, toleratedFailureRate: Math.min(0.97, Math.max(0.2, rate)) });
}

function hasVerdict(found: CaseSummary | undefined): boolean {
  return found !== undefined && countVerdicts(found).trials > 0;
}

/** True where the case was accepted as broken under the same checks. */
function isKnownFailure(accepted: CaseSummary | undefined, { caseHash }: CaseSummary): boolean {
  return accepted?.mustPass === true && isSameCase(accepted.caseHash, caseHash) && isBrokenMustPass(accepted);
}

/** A must-pass case as stored: a failed trial, unless its confirmation trials cleared it. */
export function isBrokenMustPass({ trials, confirmations }: CaseSummary): boolean {
  if (countStatus(trials, 'failed') === 0) return false;
  const passed = countStatus(confirmations, 'passed');
  return passed < passesToClear || passed <= countStatus(confirmations, 'failed');
}

/** Two of three confirmation trials decide about a must-pass case. */
const passesToClear = 2;
