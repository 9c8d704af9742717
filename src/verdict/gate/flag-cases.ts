import type { ComparedCase } from '../../model/comparison/comparison.ts';
import { caseKey, countStatus, suiteVariantKey } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { CaseSummary, RunSummary, SuiteSummary, VariantSummary } from '../../model/run/summary.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import { isSameCase } from '../../model/suite/same-case.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { type Askable, countOtherCases, type Flagged, type FlaggedCase, freshTrialsOf } from '../confirm/settle.ts';
import { countVerdicts, failedThroughout } from '../pair-cases.ts';
import { type AskedClaim, findAskedClaims, findStoredClaims } from './flag-averages.ts';
import { askableOf, askableOfFirst, type GatedComparison } from './gated-comparison.ts';

export type CaseBreach = 'must-pass' | 'case-broken' | 'case-added-failed' | 'contract-changed' | 'first-run';

/** A case that failed, and the rule that decides about it. */
export interface Suspicion {
  readonly caseId: string;
  readonly because: CaseBreach;
  /** `known`: the case was accepted as broken. */
  readonly rule: FlaggedCase['rule'] | 'known';
  readonly askable: Askable;
  readonly candidate: CaseSummary;
  readonly baseline: CaseSummary | undefined;
  /** The case's name in messages. */
  readonly noun: string;
  /** Unique in the invocation. */
  readonly id: string;
}

/** Everything in a run that looks worse. */
export interface Suspicions {
  /** The suspicions of each gated variant, compared or not. */
  readonly ofVariant: ReadonlyMap<VariantSummary, readonly Suspicion[]>;
  /** The claims about averages that fresh trials decide, by the variant. */
  readonly claims: ReadonlyMap<VariantSummary, readonly AskedClaim[]>;
  /** Variants with a suspicious case that the change's own baseline accepts. */
  readonly accepted: ReadonlySet<VariantSummary>;
  readonly flagged: Flagged;
}

export interface FlagRunOptions {
  readonly settings: Pick<RunSettings, 'shard' | 'mergedShards'>;
  /** The part of each level that may be spent; an early run judges more than once. */
  readonly share?: number;
  /** Variants with cases that were not asked. */
  readonly partial?: ReadonlyMap<VariantSummary, { readonly isCertain: boolean }>;
}

/** Flags what looks worse: cases that failed, and averages that fell. Flagging alone fails no run. */
export function flagRun(
  { suites }: Pick<RunSummary, 'suites'>,
  gated: readonly GatedComparison[],
  { settings, share = 1, partial }: FlagRunOptions,
): Suspicions {
  const ofVariant = new Map<VariantSummary, readonly Suspicion[]>();
  const claims = new Map<VariantSummary, readonly AskedClaim[]>();
  const cases: FlaggedCase[] = [];
  let storedAverages = 0;
  const accepted = new Set<VariantSummary>();
  const compared = new Map(gated.map((comparison) => [comparison.variant, comparison]));
  for (const suite of suites) {
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      const comparison = compared.get(variant);
      const found =
        comparison === undefined
          ? { open: findFirstFailures(suite, variant), isFiltered: false }
          : findComparedFailures(comparison);
      ofVariant.set(variant, found.open);
      const hasPairs = comparison?.acceptedPrompt !== undefined;
      cases.push(...found.open.flatMap((suspicion) => flagCase(suspicion, suite, variant, { share, hasPairs })));
      if (comparison === undefined) continue;
      if (found.isFiltered) accepted.add(variant);
      const isCertain = partial?.get(variant)?.isCertain === true;
      const asked = findAskedClaims(comparison, { settings, share, isCertain });
      claims.set(variant, asked);
      storedAverages += findStoredClaims(comparison, asked).filter(({ canFail }) => canFail).length;
    }
  }
  const flagged: Flagged = {
    cases: cases.toSorted(inAskingOrder),
    averages: [...claims.values()].flat().flatMap(({ average }) => average ?? []),
    storedAverages,
    casesOfOtherShards: countOtherCases(settings),
    shards: settings.shard?.count ?? 1,
  };
  return { ofVariant, claims, accepted, flagged };
}

/** Must-pass cases first, then in a random order that depends on nothing but the names. */
function inAskingOrder(a: FlaggedCase, b: FlaggedCase): number {
  if ((a.rule === 'must-pass') !== (b.rule === 'must-pass')) return a.rule === 'must-pass' ? -1 : 1;
  return sha256Hex(a.id) < sha256Hex(b.id) ? -1 : 1;
}

function flagCase(
  { id, rule, askable, candidate, because }: Suspicion,
  { recorded: { suite, gate, unvalidated = [] } }: SuiteSummary,
  { recorded: { prompt, provider } }: VariantSummary,
  { share, hasPairs }: { readonly share: number; readonly hasPairs: boolean },
): readonly FlaggedCase[] {
  if (rule === 'known') return [];
  const variant = suiteVariantKey({ suite, prompt, provider });
  return [
    {
      id,
      suite,
      variant,
      group: candidate.group === undefined ? undefined : JSON.stringify([variant, candidate.group]),
      rule,
      askable,
      // Fresh trials of another accepted prompt say nothing of what this one is compared with.
      fresh: freshTrialsOf(hasPairs ? candidate : { ...candidate, accepted: [] }),
      level: (share * gate.alpha) / 2,
      // A judge that is not validated may not fail the run, so it spares no other case either.
      isGated: failsGate(because, gate) && unvalidated.length === 0,
      maxConfirmed: gate.confirm.cases,
    },
  ];
}

/** True if a confirmed failure fails the gate. */
export function failsGate(because: CaseBreach, { cases }: GatePolicy): boolean {
  switch (because) {
    case 'case-broken':
      return cases.broken === 'fail';
    case 'case-added-failed':
      return cases.added === 'fail';
    case 'contract-changed':
      // It breaks a changed contract, so the change broke it.
      return cases.broken === 'fail' || cases.added === 'fail';
    case 'first-run':
    case 'must-pass':
      return true;
  }
}

/** Failures of a variant of which nothing was accepted: every case must pass, unless the suite sets a limit. */
function findFirstFailures(suite: SuiteSummary, variant: VariantSummary): readonly Suspicion[] {
  const { suite: suiteId, gate } = suite.recorded;
  const { prompt, provider } = variant.recorded;
  const askable = askableOfFirst(suite);
  const isWhole = gate.passRate.min === undefined;
  return [...variant.cases.values()].flatMap((candidate): Suspicion[] => {
    if (candidate.observe || countStatus(candidate.trials, 'failed') === 0) return [];
    const { caseId } = candidate;
    const id = caseKey({ suite: suiteId, prompt, provider, caseId });
    const shared = { caseId, id, askable, candidate, baseline: undefined } as const;
    if (candidate.mustPass) return [{ ...shared, because: 'must-pass', rule: 'must-pass', noun: 'must-pass case' }];
    if (!isWhole || !failedThroughout(candidate)) return [];
    return [{ ...shared, because: 'first-run', rule: 'added', noun: 'case' }];
  });
}

function findComparedFailures(comparison: GatedComparison): {
  readonly open: readonly Suspicion[];
  readonly isFiltered: boolean;
} {
  const { compared, own } = comparison;
  const askable = askableOf(comparison);
  const suspicions = [...compared.cases.values()].flatMap((found) => findSuspicion(found, comparison, askable));
  if (own === undefined) return { open: suspicions, isFiltered: false };
  // A change that also brings the baseline for its results was reviewed: what that baseline holds is accepted.
  const unaccepted = new Set(
    [...own.cases.values()]
      .flatMap((found) => findSuspicion(found, { ...comparison, compared: own }, askable))
      .filter(({ rule }) => rule !== 'known')
      .map(({ caseId }) => caseId),
  );
  const open = suspicions.filter(({ caseId, rule }) => rule === 'known' || unaccepted.has(caseId));
  return { open, isFiltered: open.length < suspicions.length };
}

function findSuspicion(found: ComparedCase, comparison: GatedComparison, askable: Askable): readonly Suspicion[] {
  const { suite, variant, compared, mustPassWhole, isFirst } = comparison;
  const { candidate, baseline, change, caseId } = found;
  // Nearly all cases of a large suite, and there is nothing to say of them.
  if (candidate === undefined || (change === 'stillPassing' && !candidate.mustPass)) return [];
  const { accepted: all } = compared.baseline;
  const accepted = all === undefined ? baseline : all.get(caseId);
  const { prompt, provider } = variant.recorded;
  const id = caseKey({ suite: suite.recorded.suite, prompt, provider, caseId });
  const shared = { caseId, id, askable, candidate, baseline };
  const suspect: Suspicion = {
    ...shared,
    because: candidate.mustPass ? 'must-pass' : 'case-broken',
    rule: 'suspect',
    noun: 'case',
  };
  const hasFailed = countStatus(candidate.trials, 'failed') > 0;
  if (candidate.mustPass) {
    // A first baseline was not reviewed yet: it can't accept that a must-pass case fails.
    const isKnown = isFirst !== true && change !== 'redefined' && isKnownFailure(accepted, candidate);
    // A must-pass case that was accepted although it fails at times can still break for good, like any case.
    if (isKnown && found.suspect) return [suspect];
    if (!hasFailed) return [];
    return [{ ...shared, because: 'must-pass', rule: isKnown ? 'known' : 'must-pass', noun: 'must-pass case' }];
  }
  const isNew = change === 'added' || change === 'redefined' || (change === 'unjudged' && !hasVerdict(baseline));
  if (isNew) {
    if (!failedThroughout(candidate)) return [];
    const noun = change === 'redefined' ? 'redefined case' : 'new case';
    const because = found.breaksContract === true ? 'contract-changed' : 'case-added-failed';
    return [{ ...shared, because, rule: 'added', noun }];
  }
  if (found.suspect) return [suspect];
  const isOfWhole = mustPassWhole === true && suite.recorded.gate.passRate.min === undefined;
  return isOfWhole && failedThroughout(candidate)
    ? [{ ...shared, because: 'first-run', rule: 'added', noun: 'case' }]
    : [];
}

function hasVerdict(found: CaseSummary | undefined): boolean {
  return found !== undefined && countVerdicts(found).trials > 0;
}

/** True where the case was accepted as broken under the same checks. */
function isKnownFailure(accepted: CaseSummary | undefined, { caseHash }: CaseSummary): boolean {
  return accepted?.mustPass === true && isSameCase(accepted.caseHash, caseHash) && isBrokenMustPass(accepted);
}

/** A must-pass case as stored: a failed trial, unless its fresh trials cleared it. */
export function isBrokenMustPass({ trials, confirmations }: CaseSummary): boolean {
  if (countStatus(trials, 'failed') === 0) return false;
  const passed = countStatus(confirmations, 'passed');
  return passed < passesToClear || passed <= countStatus(confirmations, 'failed');
}

/** Two of three fresh trials decide about a must-pass case. */
const passesToClear = 2;
