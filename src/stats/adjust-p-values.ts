import { checkProbability } from './distributions.ts';

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
