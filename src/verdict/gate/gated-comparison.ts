import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import { countStatus, isJudged } from '../../model/run/cell.ts';
import type { AcceptedPromptState } from '../../model/run/record.ts';
import type { SuiteSummary, VariantSummary } from '../../model/run/summary.ts';
import { isNoBudget } from '../../model/suite/gate-policy.ts';
import { maxErrored } from '../confirm/case-evidence.ts';
import type { Askable } from '../confirm/settle.ts';
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

/** Finds what the run knew of the prompt that it is compared with here; undefined if that was another prompt. */
export function acceptedPromptOf(
  { recorded: { acceptedPrompt } }: VariantSummary,
  { baseline }: ComparedVariant,
): AcceptedPromptState | undefined {
  return acceptedPrompt?.of === nameSent(baseline.recorded) ? acceptedPrompt : undefined;
}

/** What a run can ask again of a compared variant, or could when it ran. */
export function askableOf({ suite, variant, acceptedPrompt, isOfRecords }: GatedComparison): Askable {
  // Fresh trials beside another prompt say nothing of this one.
  if (isOfRecords === true && (acceptedPrompt === undefined || !wasAskedAgain(variant))) return 'records';
  const askable = askableOfFirst(suite);
  if (askable !== 'candidate') return askable;
  return isPairKnown({ acceptedPrompt }) && !isGone(variant) ? 'both' : 'candidate';
}

/** True if the accepted prompt that the run asks is the one that it is compared with. */
export function isPairKnown({
  acceptedPrompt,
}: {
  readonly acceptedPrompt?: AcceptedPromptState | undefined;
}): boolean {
  return acceptedPrompt !== undefined && acceptedPrompt.is !== 'unavailable';
}

/** What a run can ask again of a variant of which nothing was accepted. */
export function askableOfFirst({ recorded: { replayed, gate } }: SuiteSummary): Askable {
  if (replayed === true) return 'recordings';
  return isNoBudget(gate.confirm.budget) ? 'budget' : 'candidate';
}

function wasAskedAgain({ cases }: VariantSummary): boolean {
  return [...cases.values()].some(({ confirmations, accepted }) => confirmations.length + accepted.length > 0);
}

/** True where the accepted prompt was asked and mostly errored: its model may no longer exist. Two errors are enough. */
export function isGone({ cases }: VariantSummary): boolean {
  let [errors, verdicts] = [0, 0];
  for (const { accepted } of cases.values()) {
    if (accepted.length === 0) continue;
    errors += countStatus(accepted, 'errored');
    verdicts += accepted.filter(isJudged).length;
  }
  return errors >= maxErrored && errors > verdicts;
}
