import type { CellKey } from '../../model/cell.ts';
import type { ComparedVariant } from '../../model/comparison.ts';
import type { RunSettings } from '../../model/record.ts';
import type { CaseSummary, SuiteSummary, VariantSummary } from '../../model/summary.ts';
import type { RetriedCase } from '../confirm/retried-case.ts';

/** A gated variant with what it is compared with. */
export interface GatedComparison {
  readonly suite: SuiteSummary;
  readonly variant: VariantSummary;
  readonly compared: ComparedVariant;
  /** The comparison with the working tree's own baseline, where `--baseline git:REF` names another one. */
  readonly own?: ComparedVariant;
  /** True for two stored records, of which neither side can be asked: what looks worse stays open. */
  readonly isOfRecords?: boolean;
  /** Nothing of the variant was accepted: beside what it is compared with, it must pass whole. */
  readonly mustPassWhole?: boolean;
  /** Cases of the suite that other shards of the run judge. */
  readonly otherCases?: number;
}

/**
 * What a run can ask again to tell a broken case from chance.
 * `both`: the candidate and the accepted prompt. `candidate`: the accepted prompt can't be asked. `drift`: nothing that is
 * sent has changed, and the run looks for drift. `unchanged`: the same, and it does not. `nothing`: recordings answer, or the
 * budget is 0.
 * `records`: two stored records.
 */
export type Sides = 'both' | 'candidate' | 'drift' | 'unchanged' | 'nothing' | 'records';

/** Whether the run can ask what it is compared with again. */
export function sidesOf(
  { suite, variant, compared, isOfRecords }: GatedComparison,
  { drift }: Pick<RunSettings, 'drift'>,
): Sides {
  const { replayed, gate } = suite.recorded;
  if (isOfRecords === true) return 'records';
  if (replayed === true) return 'nothing';
  // Both versions may be of this run.
  const isWithinRun = compared.baseline.accepted !== undefined;
  const state = isWithinRun ? 'askable' : (variant.recorded.acceptedPrompt?.is ?? 'unavailable');
  if (state === 'unchanged' && drift !== true && gate.cases.drifted !== 'fail') return 'unchanged';
  if (gate.confirm.budget === 0) return 'nothing';
  if (state === 'askable') return 'both';
  return state === 'unavailable' ? 'candidate' : 'drift';
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

/** Names a case on a variant in its run. */
export function caseKey({ suite, prompt, provider, caseId }: Omit<CellKey, 'trial'>): string {
  return JSON.stringify([suite, prompt, provider, caseId]);
}
