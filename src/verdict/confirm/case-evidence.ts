import { isJudged } from '../../model/run/cell.ts';
import type { RowSummary } from '../../model/run/summary.ts';
import { failuresToConfirm, PairedEvidence } from '../../stats/two-sample-evidence.ts';

/** The members of a trial's row that decide about cases and averages. An errored trial has no verdict. */
export type TrialRow = Pick<RowSummary, 'status' | 'score' | 'costUsd' | 'steps' | 'classified'>;

/** A side that is asked again: the new prompt, or the accepted one. */
export type AskedSide = 'candidate' | 'accepted';

/** The fresh trials of a case on both sides, in the order of their numbers. The trials with one index are a pair. */
export type FreshTrials = Readonly<Record<AskedSide, readonly TrialRow[]>>;

/** Trials that a side of a case must have, counted from its first fresh one. */
export interface WantedTrials {
  readonly side: AskedSide;
  readonly count: number;
}

/**
 * What fresh trials say of a case that was flagged.
 *
 * `broken`: the new prompt fails it, and the accepted one does not. `drifted`: the accepted prompt fails it too. `flaky`: a
 * fresh trial of the new prompt passed. `errored`: its fresh trials could not be judged. `unsettled`: all pairs are asked,
 * and they do not tell. `open`: more trials are needed.
 */
export type CaseOutcome = 'broken' | 'drifted' | 'flaky' | 'errored' | 'unsettled' | 'open';

export interface CaseEvidence {
  readonly outcome: CaseOutcome;
  /** Fresh trials with a verdict that count, and those of them that failed, on both sides. */
  readonly asked: number;
  readonly failed: number;
  readonly acceptedAsked: number;
  readonly acceptedFailed: number;
  /** The evidence that the change broke the case; null if a must-pass rule decided. */
  readonly evidence: number | null;
  /** Set if the outcome is `open`. */
  readonly wanted?: WantedTrials;
}

export interface EvidenceRule {
  /** False if the accepted prompt can't be asked. */
  readonly asksAccepted: boolean;
  /** The evidence that confirms the case: 2 · flagged cases / alpha. */
  readonly threshold: number;
}

/** The most pairs of a case. */
export const maxPairs = 15;

/** Below this evidence the accepted prompt fails as well. */
const driftedBelow = 0.5;

/** The fewest failures of the accepted prompt that show drift. Fewer may be chance: the case can be flaky. */
const failuresThatShowDrift = 4;

/** A side of a case with so many errored fresh trials can't be settled by asking again. */
export const maxErrored = 2;

/**
 * Weighs the fresh trials of a case in pairs, the new prompt first. A pass of the new prompt clears it. A failure without an
 * accepted side, or after that side is gone, counts two to one.
 */
export function weighCase(fresh: FreshTrials, { asksAccepted, threshold }: EvidenceRule): CaseEvidence {
  const tally = new Tally();
  const paired = new PairedEvidence();
  let isPaired = asksAccepted;
  let unpaired = 1;
  // Two to one is little evidence, so many flagged cases need more failures.
  const most = () => (isPaired ? maxPairs : Math.max(maxPairs, failuresToConfirm(threshold)));
  for (let pair = 0; tally.asked < most(); pair += 1) {
    const candidate = tally.take(fresh, 'candidate', pair);
    if (candidate === 'wanted' || candidate === 'spent') return tally.end(candidate, pair);
    if (candidate === 'passed') return tally.settle('flaky');
    const accepted = isPaired ? tally.take(fresh, 'accepted', pair) : 'spent';
    if (accepted === 'wanted') return tally.end(accepted, pair, 'accepted');
    isPaired = accepted !== 'spent';
    // Two to one holds against chance, not against a change of the model that both sides saw.
    if (!isPaired && tally.acceptedFailed > 0) return tally.settle('unsettled');
    if (candidate !== 'failed' || accepted === 'errored') continue;
    if (isPaired) paired.add({ candidate: true, accepted: accepted === 'failed' });
    else unpaired *= 2;
    tally.evidence = paired.value * unpaired;
    if (tally.evidence >= threshold) return tally.settle('broken');
    const isShared = tally.evidence < driftedBelow && tally.acceptedFailed >= failuresThatShowDrift;
    if (isPaired && isShared) return tally.settle('drifted');
  }
  return tally.settle('unsettled');
}

const mustPassTrials = 3;
const failuresThatBreak = 2;

/** Two failures in three fresh trials break a must-pass case. The accepted prompt is asked beside it, to tell whose change it was. */
export function weighMustPass(fresh: FreshTrials, { asksAccepted }: Pick<EvidenceRule, 'asksAccepted'>): CaseEvidence {
  const tally = new Tally();
  // The accepted prompt only says whose change it was: nothing is wanted of one that errs, and no outcome waits for it.
  let missing: number | undefined;
  for (let pair = 0; ; pair += 1) {
    const candidate = tally.take(fresh, 'candidate', pair);
    if (candidate === 'wanted' && missing !== undefined) return tally.end('wanted', missing, 'accepted', null);
    if (candidate === 'wanted' || candidate === 'spent') return tally.end(candidate, pair, 'candidate', null);
    if (asksAccepted && tally.take(fresh, 'accepted', pair) === 'wanted') missing ??= pair;
    if (tally.failed >= failuresThatBreak) return tally.settle('broken', null);
    if (tally.asked - tally.failed > mustPassTrials - failuresThatBreak) return tally.settle('flaky', null);
  }
}

type Taken = 'passed' | 'failed' | 'errored' | 'wanted' | 'spent';

/** Counts the fresh trials that an outcome rests on. */
class Tally {
  asked = 0;
  failed = 0;
  acceptedAsked = 0;
  acceptedFailed = 0;
  evidence = 1;
  readonly #errored: Record<AskedSide, number> = { candidate: 0, accepted: 0 };

  /** `wanted` if the trial was not asked yet, `spent` if too many trials of its side errored. */
  take(fresh: FreshTrials, side: AskedSide, index: number): Taken {
    if (this.#errored[side] >= maxErrored) return 'spent';
    const trial = fresh[side][index];
    if (trial === undefined) return 'wanted';
    if (!isJudged(trial)) {
      this.#errored[side] += 1;
      return 'errored';
    }
    const isFailed = trial.status === 'failed';
    if (side === 'candidate') {
      this.asked += 1;
      this.failed += Number(isFailed);
    } else {
      this.acceptedAsked += 1;
      this.acceptedFailed += Number(isFailed);
    }
    return isFailed ? 'failed' : 'passed';
  }

  settle(outcome: Exclude<CaseOutcome, 'open'>, evidence: number | null = this.evidence): CaseEvidence {
    const { asked, failed, acceptedAsked, acceptedFailed } = this;
    return { outcome, asked, failed, acceptedAsked, acceptedFailed, evidence };
  }

  end(
    why: 'wanted' | 'spent',
    pair: number,
    side: AskedSide = 'candidate',
    evidence: number | null = this.evidence,
  ): CaseEvidence {
    if (why === 'spent') return this.settle('errored', evidence);
    return { ...this.settle('unsettled', evidence), outcome: 'open', wanted: { side, count: pair + 1 } };
  }
}
