import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import { caseKey, countStatus } from '../../model/run/cell.ts';
import type { AcceptedPromptState, RunSettings } from '../../model/run/record.ts';
import type { CaseSummary, SuiteSummary, VariantSummary } from '../../model/run/summary.ts';
import { judgedRows, maxErroredRetrials, type RetriedCase } from '../confirm/judge-case.ts';
import { nameSent } from '../variant-differences.ts';

/** A gated variant with what it is compared with. */
export interface GatedComparison {
  readonly suite: SuiteSummary;
  readonly variant: VariantSummary;
  readonly compared: ComparedVariant;
  /** The comparison with the working tree's own baseline, where `--baseline git:REF` names another one. */
  readonly own?: ComparedVariant;
  /** The target never had a baseline: this change adds the first one, and accepts the failing cases in it. */
  readonly isFirst?: true;
  /** True for two stored records, which can't be asked: what neither has confirmed stays open. */
  readonly isOfRecords?: boolean;
  /** Nothing of the variant was accepted: beside what it is compared with, it must pass whole. */
  readonly mustPassWhole?: boolean;
  /** What the run knew of the prompt that it is compared with; absent if that was another prompt. */
  readonly acceptedPrompt?: AcceptedPromptState;
  /** Cases of the suite that other shards of the run judge. */
  readonly otherCases?: number;
}

/**
 * What a run can ask again to tell a broken case from chance.
 * `both`: the candidate and the accepted prompt. `candidate`: the accepted prompt can't be asked. `drift`: nothing that is
 * sent has changed, and the run looks for drift. `unchanged`: the same, and it does not. `nothing`: recordings answer, or the
 * budget is 0.
 * `records`: two stored records, of which one was not compared with the other when it ran.
 */
export type Sides = 'both' | 'candidate' | 'drift' | 'unchanged' | 'nothing' | 'records';

/** Finds what the run knew of the prompt that it is compared with here; undefined if that was another prompt. */
export function acceptedPromptOf(
  { recorded: { acceptedPrompt } }: VariantSummary,
  { baseline }: ComparedVariant,
): AcceptedPromptState | undefined {
  return acceptedPrompt?.of === nameSent(baseline.recorded) ? acceptedPrompt : undefined;
}

/** Whether the run can ask what it is compared with again, or could when it ran. */
export function sidesOf(
  { suite, variant, acceptedPrompt, isOfRecords }: GatedComparison,
  { drift }: Pick<RunSettings, 'drift'>,
): Sides {
  const { replayed, gate } = suite.recorded;
  if (isOfRecords === true && acceptedPrompt === undefined) return 'records';
  if (replayed === true) return 'nothing';
  const state = acceptedPrompt?.is ?? 'unavailable';
  if (state === 'unchanged' && drift !== true && gate.cases.drifted !== 'fail') return 'unchanged';
  if (gate.confirm.budget === 0) return 'nothing';
  if (state === 'askable') return isGone(variant) ? 'candidate' : 'both';
  return state === 'unavailable' ? 'candidate' : 'drift';
}

/** A case of a comparison as retrials see it. Those of another accepted prompt say nothing here. */
export function comparedCase(comparison: GatedComparison, found: CaseSummary): RetriedCase {
  const { suite, variant, acceptedPrompt } = comparison;
  const retried = retriedCase(suite, variant, found);
  return acceptedPrompt === undefined ? { ...retried, accepted: [] } : retried;
}

/** True where the accepted prompt was asked and mostly errored: its model may no longer exist. Two errors are enough. */
export function isGone({ cases }: VariantSummary): boolean {
  let [errors, verdicts] = [0, 0];
  for (const { accepted } of cases.values()) {
    if (accepted.length === 0) continue;
    errors += countStatus(accepted, 'errored');
    verdicts += judgedRows(accepted).length;
  }
  return errors >= maxErroredRetrials && errors > verdicts;
}

/** A case as retrials see it. Its id is unique in the run. */
export function retriedCase(suite: SuiteSummary, variant: VariantSummary, found: CaseSummary): RetriedCase {
  const { prompt, provider } = variant.recorded;
  return {
    id: caseKey({ suite: suite.recorded.suite, prompt, provider, caseId: found.caseId }),
    caseId: found.caseId,
    planned: found.trials,
    candidate: found.confirmations,
    accepted: found.accepted,
  };
}
