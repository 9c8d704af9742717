/** How often each run of `size` tokens stands in a list. */
export function countNgrams(tokens: readonly string[], size: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + size <= tokens.length; start += 1) {
    // Tokens hold no white space, so that a joined run stands for one run only.
    const ngram = size === 1 ? (tokens[start] ?? '') : tokens.slice(start, start + size).join(' ');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** The n-grams that two lists share, each as often as it stands in both. */
export function countSharedNgrams(first: ReadonlyMap<string, number>, second: ReadonlyMap<string, number>): number {
  const [small, large] = first.size <= second.size ? [first, second] : [second, first];
  let shared = 0;
  for (const [ngram, count] of small) shared += Math.min(count, large.get(ngram) ?? 0);
  return shared;
}
