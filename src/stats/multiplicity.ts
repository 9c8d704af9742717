import { checkAlpha, checkProbability } from './distributions.ts';

/** Step-down adjusted p-values in the order given; they bound the chance of any false claim. Source: Holm 1979, https://www.jstor.org/stable/4615733. */
export function adjustHolm(pValues: readonly number[]): number[] {
  let floor = 0;
  return adjust(pValues, ascending(pValues), (p, rank) => {
    floor = Math.max(floor, Math.min(1, (pValues.length - rank) * p));
    return floor;
  });
}

/** Step-up adjusted p-values in the order given; they bound the expected share of false claims. Source: Benjamini and Hochberg 1995, https://doi.org/10.1111/j.2517-6161.1995.tb02031.x. */
export function adjustBenjaminiHochberg(pValues: readonly number[]): number[] {
  let ceiling = 1;
  return adjust(pValues, ascending(pValues).reverse(), (p, rank) => {
    ceiling = Math.min(ceiling, (pValues.length / (pValues.length - rank)) * p);
    return ceiling;
  });
}

interface IndexedP {
  readonly p: number;
  readonly index: number;
}

function adjust(
  pValues: readonly number[],
  walk: readonly IndexedP[],
  next: (p: number, step: number) => number,
): number[] {
  const adjusted = pValues.map(() => 1);
  for (const [step, { p, index }] of walk.entries()) adjusted[index] = next(p, step);
  return adjusted;
}

function ascending(pValues: readonly number[]): IndexedP[] {
  for (const p of pValues) checkProbability(p);
  return pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
}

/** Evidence so far, as natural logs of e-values; 0 is none. */
export interface SequentialEvidence {
  readonly logERegressed: number;
  readonly logENotRegressed: number;
  /** The largest evidence so far. A claim that was refuted once stays refuted. */
  readonly largestLogERegressed: number;
  readonly largestLogENotRegressed: number;
  readonly stop: 'regressed' | 'not_regressed' | 'continue';
}

const bets = Array.from({ length: 19 }, (_, index) => (index + 1) / 20);

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
  const regressed = bets.map(() => 0);
  const notRegressed = bets.map(() => 0);
  let [largestLogERegressed, largestLogENotRegressed] = [0, 0];
  for (const difference of differences) {
    const gain = (difference + margin) / (1 - margin);
    for (const [index, bet] of bets.entries()) {
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
