import type { SwapCandidate, SwapReport, SwapVerdict } from '../model/comparison/comparison.ts';
import { describeRatio } from '../reports/comparison.ts';

/** One sentence that says which candidate to take, or why none can be named. */
export function describeConclusion({ provider, rows, candidates, cheapest }: Omit<SwapReport, 'conclusion'>): string {
  if (rows.every(({ cases }) => cases === 0)) return `nothing was compared with ${provider}`;
  const suites = new Set(rows.map(({ suite }) => suite)).size;
  const where = suites > 1 ? ' everywhere' : '';
  const [first, ...others] = candidates.filter(({ candidate }) => cheapest.includes(candidate));
  const unpriced = namesOf(candidates.filter((one) => isHolding(one) && one.cellCostUsd === null));
  const open = candidates.filter(({ verdict }) => verdict === 'undecided' || verdict === 'partial');
  if (first === undefined) {
    if (unpriced.length > 0) {
      return `${join(unpriced)} ${unpriced.length === 1 ? 'holds' : 'hold'}${where}, and no price is known: the cheapest can't be named`;
    }
    if (open.length === 0) return `no candidate for ${provider} holds${where}`;
    return `no candidate for ${provider} is known to hold${where}: ${open.map(({ candidate, verdict }) => `${candidate} is ${verdict === 'partial' ? 'not compared whole' : 'undecided'}`).join(', ')}`;
  }
  const names = namesOf([first, ...others]);
  const best = `${join(names)} ${names.length === 1 ? 'is' : 'are'} the cheapest that ${names.length === 1 ? 'holds' : 'hold'}${where}`;
  const isDearer = first.costUsd.delta !== null && first.costUsd.delta > 0;
  const price = describeRatio(first.costUsd);
  return [
    best,
    ...(price === undefined
      ? []
      : [isDearer ? `${price} in cost: ${provider} is cheaper` : `${price} in cost against ${provider}`]),
    ...describeUnseen(rows, names),
    ...(unpriced.length === 0 ? [] : [`the price of ${join(unpriced)} is not known`]),
    ...describeCheaperOpen(first, candidates),
  ].join('; ');
}

export function isHolding({ verdict }: { readonly verdict: SwapVerdict }): boolean {
  return verdict === 'holds' || verdict === 'better';
}

/** Nothing got worse that the cases can show, which is less than nothing. */
function describeUnseen(rows: SwapReport['rows'], names: readonly string[]): readonly string[] {
  const drops = rows.flatMap(({ candidate, unseen }) =>
    names.includes(candidate) && unseen !== undefined ? [unseen] : [],
  );
  if (drops.length === 0) return [];
  const largest = drops.reduce((worst, one) => (worst === null || one === null ? null : Math.max(worst, one)));
  const size = largest === null ? 'of any size' : `of up to ${Math.ceil(largest * 100)} points`;
  return [`a drop ${size} could go unnoticed`];
}

/** A cheaper candidate that is not out yet. */
function describeCheaperOpen({ cellCostUsd }: SwapCandidate, candidates: readonly SwapCandidate[]): readonly string[] {
  const open = candidates.filter(
    (one) =>
      (one.verdict === 'undecided' || one.verdict === 'partial') &&
      one.cellCostUsd !== null &&
      cellCostUsd !== null &&
      one.cellCostUsd < cellCostUsd,
  );
  return open.length === 0
    ? []
    : [`${join(namesOf(open))}, which ${open.length === 1 ? 'is' : 'are'} cheaper, may hold too`];
}

function namesOf(candidates: readonly SwapCandidate[]): readonly string[] {
  return candidates.map(({ candidate }) => candidate);
}

function join(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' and ');
}
