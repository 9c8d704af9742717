import { checkAlpha } from './distributions.ts';

/** Evidence so far, as natural logs of e-values; 0 is none. */
export interface SequentialEvidence {
  readonly logERegressed: number;
  readonly logENotRegressed: number;
  /** The largest so far: a claim that was refuted once stays refuted, whatever comes after. */
  readonly largestLogERegressed: number;
  readonly largestLogENotRegressed: number;
  readonly stop: 'regressed' | 'not_regressed' | 'continue';
}

const BETS = Array.from({ length: 19 }, (_, index) => (index + 1) / 20);

/**
 * Bets against "not worse" and against "worse by the margin", averaged over fixed stakes; may be looked at after every batch.
 * The cases must come in random order. By Ville's inequality either claim is false with probability at most alphaEarly, whenever one stops.
 * Source: Waudby-Smith and Ramdas 2024, https://doi.org/10.1093/jrsssb/qkad009; Ville 1939, http://archive.numdam.org/item/THESE_1939__218__1_0/.
 */
export function sequentialEvidence(
  differences: Iterable<number>,
  { margin, alphaEarly }: { readonly margin: number; readonly alphaEarly: number },
): SequentialEvidence {
  if (!(margin >= 0 && margin < 1)) throw new RangeError(`a margin lies in [0, 1), ${margin} does not`);
  checkAlpha(alphaEarly);
  const regressed = BETS.map(() => 0);
  const notRegressed = BETS.map(() => 0);
  let [largestLogERegressed, largestLogENotRegressed] = [0, 0];
  for (const difference of differences) {
    const gain = (difference + margin) / (1 - margin);
    for (const [index, bet] of BETS.entries()) {
      regressed[index] = (regressed[index] ?? 0) + Math.log1p(-bet * difference);
      notRegressed[index] = (notRegressed[index] ?? 0) + Math.log1p(bet * gain);
    }
    largestLogERegressed = Math.max(largestLogERegressed, logMeanExp(regressed));
    largestLogENotRegressed = Math.max(largestLogENotRegressed, logMeanExp(notRegressed));
  }
  const logERegressed = logMeanExp(regressed);
  const logENotRegressed = logMeanExp(notRegressed);
  const largest = { largestLogERegressed, largestLogENotRegressed };
  const threshold = -Math.log(alphaEarly);
  if (logERegressed >= threshold) return { logERegressed, logENotRegressed, ...largest, stop: 'regressed' };
  const stop = logENotRegressed >= threshold ? 'not_regressed' : 'continue';
  return { logERegressed, logENotRegressed, ...largest, stop };
}

function logMeanExp(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  let sum = 0;
  for (const log of logs) sum += Math.exp(log - largest);
  return largest + Math.log(sum / logs.length);
}
