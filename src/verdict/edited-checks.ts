import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import { comparedKeys, type FindBaseline, type VariantKey } from '../model/comparison/baseline.ts';
import type { ComparedCase, ComparedSide, ComparedVariant } from '../model/comparison/comparison.ts';
import type { LoosenedCase } from '../model/comparison/gate.ts';
import type { JudgedLine } from '../model/run/deciding-lines.ts';
import type { RunHeader } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, RunSummary } from '../model/run/summary.ts';
import { isSameCase } from '../model/suite/same-case.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import type { GatedComparison } from './gate/gated-comparison.ts';
import { type PairOptions, passedByMajority, validResults } from './pair-cases.ts';

/** The cases of a variant as they were accepted. */
export interface AcceptedVariant {
  readonly cases: ReadonlyMap<string, CaseSummary>;
  /** The output contract that their answers were checked against. */
  readonly outputContract: JsonValue | undefined;
}

/**
 * Finds cases that were accepted under other checks than those that both sides were judged by: none of them is a known
 * failure. A changed output contract, which belongs to the variant, does not make all cases incomparable: only a case that
 * breaks the new contract is redefined. As a regression it would look drifted: the accepted prompt breaks that contract too.
 */
export function findRedefined(
  { baseline: side, candidate, cases }: ComparedVariant,
  accepted: AcceptedVariant,
  readRow: StoredRecord['readRow'],
): Pick<PairOptions, 'redefined' | 'breaking'> {
  const hasOtherContract = canonicalJson(accepted.outputContract) !== canonicalJson(candidate.recorded.contract.output);
  const isAcceptedSide = side.cases === accepted.cases;
  const redefined = new Set<string>();
  const breaking = new Set<string>();
  // Nothing can be found then, so the rows of a large suite are not read.
  if (isAcceptedSide && !hasOtherContract) return { redefined, breaking };
  const breaksContract = ({ trials }: CaseSummary) =>
    trials.some(
      ({ status, rowIndex }) =>
        status === 'failed' &&
        readRow(rowIndex).checks.some(({ assertion, pass }) => assertion === 'contract' && !pass),
    );
  for (const { caseId, baseline, candidate: found, change } of cases.values()) {
    const held = accepted.cases.get(caseId);
    if (held === undefined || baseline === undefined || found === undefined) continue;
    const isBreaking = hasOtherContract && breaksContract(found);
    if (isBreaking) breaking.add(caseId);
    if (change !== 'redefined' && (isBreaking || !isSameCase(held.caseHash, found.caseHash))) redefined.add(caseId);
  }
  return { redefined, breaking };
}

interface JudgedSide {
  /** The accepted answers, judged by the checks of the run. */
  readonly side: ComparedSide;
  /** The accepted answers as they were judged, classified as the run classifies. */
  readonly unedited: ComparedSide;
  /** Cases whose accepted answers were judged by edited checks. */
  readonly edited: ReadonlySet<string>;
}

/** Applies verdicts by the checks of the run to the accepted answers. `now`: the cases of the run. */
export function withJudged(
  side: ComparedSide,
  lines: readonly JudgedLine[],
  now: ReadonlyMap<string, CaseSummary>,
): JudgedSide {
  if (lines.length === 0) return { side, unedited: side, edited: new Set() };
  const classified = new Map<string, CaseSummary>();
  const judged = new Map<string, CaseSummary>();
  for (const line of lines) {
    const before = side.cases.get(line.caseId);
    if (before === undefined) continue;
    if (line.by === 'classes') {
      const byTrial = new Map(line.trials.map((trial) => [trial.trial, trial.classified]));
      const trials = before.trials.map(
        (row): RowSummary => ({ ...row, classified: byTrial.get(row.trial) ?? row.classified }),
      );
      classified.set(line.caseId, { ...before, trials });
    }
  }
  for (const line of lines) {
    const before = classified.get(line.caseId) ?? side.cases.get(line.caseId);
    // The suite may have been edited once more since the verdict.
    if (line.by !== 'new-checks' || before === undefined || now.get(line.caseId)?.caseHash !== line.caseHash) continue;
    judged.set(line.caseId, judgeCase(before, line));
  }
  const unedited = classified.size === 0 ? side : { ...side, cases: new Map([...side.cases, ...classified]) };
  return {
    unedited,
    side: judged.size === 0 ? unedited : { ...unedited, cases: new Map([...unedited.cases, ...judged]) },
    edited: new Set(judged.keys()),
  };
}

/** No `pooled`: it counts verdicts of the old checks. No `slices`: a baseline stores none, the candidate's count. */
function judgeCase(
  { caseId, observe, mustPass, group, trials: before }: CaseSummary,
  { caseHash, trials: verdicts }: Extract<JudgedLine, { by: 'new-checks' }>,
): CaseSummary {
  const byTrial = new Map(verdicts.map((verdict) => [verdict.trial, verdict]));
  const trials = before.map(({ pooled: _pooled, ...row }): RowSummary => {
    const verdict = byTrial.get(row.trial);
    return verdict === undefined
      ? { ...row, caseHash }
      : { ...row, caseHash, status: verdict.status, score: verdict.score };
  });
  return {
    caseId,
    status: caseStatusOf(trials),
    observe,
    mustPass,
    group,
    caseHash,
    trials,
    confirmations: [],
    accepted: [],
  };
}

interface LoosenedInput {
  readonly header: RunHeader;
  readonly summary: Pick<RunSummary, 'suites' | 'stopReason'>;
  readonly judged: readonly JudgedLine[];
  readonly findBaseline: FindBaseline;
}

/**
 * Finds cases that a change makes easier to pass: the new answer fails the accepted checks and passes the edited ones, or a
 * must-pass case is removed, skipped or only observed, or fails and is no must-pass case any more. What the change's own baseline accepts is
 * left out.
 */
export function findLoosenedCases(gated: readonly GatedComparison[], input: LoosenedInput): readonly LoosenedCase[] {
  const compared = gated.flatMap((comparison) => {
    const { suite, variant } = comparison;
    const where = { suite: suite.recorded.suite, prompt: variant.recorded.prompt, provider: variant.recorded.provider };
    const verdicts = new Map(
      input.judged.flatMap((line) =>
        line.by === 'accepted-checks' &&
        line.suite === where.suite &&
        line.prompt === where.prompt &&
        line.provider === where.provider
          ? [[line.caseId, line] as const]
          : [],
      ),
    );
    return [...comparison.compared.baseline.cases.values()].flatMap((before): readonly LoosenedCase[] => {
      const { caseId } = before;
      const found = describeLoosened(before, comparison, verdicts.get(caseId));
      if (found === undefined || isAcceptedByChange(caseId, comparison)) return [];
      const isMustPass = before.mustPass || variant.cases.get(caseId)?.mustPass === true;
      return [{ ...where, caseId, mustPass: isMustPass, ...found }];
    });
  });
  return [...compared, ...findRemovedVariants(input)];
}

type Loosening = Pick<LoosenedCase, 'before' | 'after' | 'reason' | 'isLost'>;

function describeLoosened(
  before: CaseSummary,
  { variant, compared, isFirst }: GatedComparison,
  line: Extract<JudgedLine, { by: 'accepted-checks' }> | undefined,
): Loosening | undefined {
  if (isFirst === true || compared.baseline.kind !== 'stored') return undefined;
  const now = variant.cases.get(before.caseId);
  const lost = before.observe ? undefined : describeLost(compared.cases.get(before.caseId), now);
  // A case that failed when it was accepted is not missed.
  if (lost !== undefined && (before.mustPass || passedByMajority(before))) {
    return { before: [before.mustPass ? 'mustPass' : 'judged'], after: [lost], isLost: true };
  }
  // Where every answer passes, nothing is hidden: that the case need not pass any more is a changed setting.
  if (before.mustPass && now !== undefined && !now.mustPass && validResults(now).includes(0)) {
    return { before: ['mustPass'], after: ['no longer mustPass'], isLost: true };
  }
  if (line === undefined || line.verdict === 'passes' || line.verdict === 'not-kept') return undefined;
  const isMustPass = before.mustPass || now?.mustPass === true;
  if (line.verdict === 'unknown' && !isMustPass) return undefined;
  const { before: checks, after, reason } = line;
  return { before: checks, after, ...(reason === undefined ? {} : { reason }) };
}

/** How a case stopped to be judged; undefined if it did not. */
function describeLost(found: ComparedCase | undefined, now: CaseSummary | undefined): string | undefined {
  if (now === undefined) return found?.change === 'removed' ? 'removed' : undefined;
  if (now.observe) return 'only observed';
  const { trials } = now;
  const isSkipped = trials.length > 0 && trials.every(({ skipReason }) => skipReason === 'case');
  return isSkipped ? 'skipped' : undefined;
}

/** True if the baseline that the change brings holds the case as it is now, or has none of it either. */
function isAcceptedByChange(caseId: string, { variant, own }: GatedComparison): boolean {
  if (own === undefined) return false;
  const [accepted, now] = [own.baseline.cases.get(caseId), variant.cases.get(caseId)];
  if (accepted === undefined || now === undefined) return accepted === now;
  return (
    isSameCase(accepted.caseHash, now.caseHash) && accepted.mustPass === now.mustPass && passedByMajority(accepted)
  );
}

/** Must-pass cases of accepted variants that the run has no more. A run that leaves out variants says nothing of them. */
function findRemovedVariants({ header, summary, findBaseline }: LoosenedInput): readonly LoosenedCase[] {
  if (header.settings.compare !== undefined || header.settings.swap !== undefined) return [];
  if (summary.stopReason !== undefined || header.settings.shard !== undefined) return [];
  return summary.suites.flatMap(({ recorded: { suite, path, filtered }, variants }) => {
    const found = filtered ? undefined : findBaseline({ id: suite, path });
    if (found === undefined || found.isFirst === true) return [];
    const known = new Set(variants.flatMap(({ recorded }) => comparedKeys(recorded).map(nameOf)));
    const change = found.own;
    return found.baseline.variants.flatMap((variant) => {
      const { prompt, provider } = variant;
      if (known.has(nameOf(variant))) return [];
      return [...found.baseline.casesOf(variant).values()].flatMap(({ caseId, mustPass }): readonly LoosenedCase[] => {
        const isAccepted = change !== undefined && change.casesOf(variant).get(caseId) === undefined;
        if (!mustPass || isAccepted) return [];
        return [
          {
            suite,
            prompt,
            provider,
            caseId,
            mustPass,
            before: ['mustPass'],
            after: ['removed with its variant'],
            isLost: true,
          },
        ];
      });
    });
  });
}

function nameOf({ prompt, provider }: VariantKey): string {
  return JSON.stringify([prompt, provider]);
}
