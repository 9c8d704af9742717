/**
 * The evidence that one side fails more often than the other, gathered from pairs of trials in turn: a two-sample e-value.
 *
 * Each alternative says how often both sides fail. Its factor is the ratio of its likelihood of a pair to that of a null
 * hypothesis in which both sides fail equally often, at the mean of its two rates. The evidence is the weighted sum of the
 * alternatives' products. If both sides fail equally often, the chance that it ever reaches 1/x is at most x, whenever the
 * asking stops.
 * Source: Turner, Ly and Grünwald 2024, https://arxiv.org/abs/2106.02693; Ville 1939.
 */
export class PairedEvidence {
  readonly #products: number[] = alternatives.map(() => 1 / alternatives.length);
  #value = 1;

  /** The evidence so far; 1 before the first pair. */
  get value(): number {
    return this.#value;
  }

  /** Adds one pair: whether the candidate and the accepted side failed. */
  add({ candidate, accepted }: { readonly candidate: boolean; readonly accepted: boolean }): void {
    const factors = factorsOf(candidate, accepted);
    let sum = 0;
    for (let index = 0; index < factors.length; index += 1) {
      const product = (this.#products[index] ?? 0) * (factors[index] ?? 0);
      this.#products[index] = product;
      sum += product;
    }
    this.#value = sum;
  }
}

interface Alternative {
  readonly accepted: number;
  readonly candidate: number;
}

/** Failure rates that a broken case and its accepted counterpart may have. */
const alternatives: readonly Alternative[] = [0.01, 0.05, 0.15, 0.35].flatMap((accepted) =>
  [0.5, 0.75, 0.9, 0.99]
    .filter((candidate) => candidate > accepted + 0.1)
    .map((candidate) => ({ accepted, candidate })),
);

function factorOf({ accepted: a, candidate: c }: Alternative, candidate: boolean, accepted: boolean): number {
  const both = (a + c) / 2;
  const chance = (rate: number, failed: boolean) => (failed ? rate : 1 - rate);
  return (chance(c, candidate) * chance(a, accepted)) / (chance(both, candidate) * chance(both, accepted));
}

/** The factors of all alternatives for each of the four pairs. A simulation adds pairs millions of times. */
const factorsOfPairs = [false, true].flatMap((candidate) =>
  [false, true].map((accepted) => alternatives.map((alternative) => factorOf(alternative, candidate, accepted))),
);

function factorsOf(candidate: boolean, accepted: boolean): readonly number[] {
  return factorsOfPairs[Number(candidate) * 2 + Number(accepted)] ?? [];
}

/** Pairs after which a candidate that always fails is broken, beside an accepted side that always passes. */
export function pairsToConfirm(threshold: number): number {
  const evidence = new PairedEvidence();
  let pairs = 0;
  while (evidence.value < threshold) {
    evidence.add({ candidate: true, accepted: false });
    pairs += 1;
  }
  return pairs;
}

/** Failures in a row after which a case is broken that has no accepted side: each counts two to one against chance. */
export function failuresToConfirm(threshold: number): number {
  return Math.max(1, Math.ceil(Math.log2(threshold)));
}
