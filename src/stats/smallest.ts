/** The smallest whole number from `least` on with a property that larger ones have too; null beyond `most`. */
export function smallestSize(least: number, most: number, isEnough: (size: number) => boolean): number | null {
  let [low, high] = [least - 1, least];
  while (!isEnough(high)) {
    if (high >= most) return null;
    [low, high] = [high, Math.min(most, high * 2)];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The smallest number between two with a property that larger ones have too, after so many halvings. */
export function smallestBetween(
  least: number,
  most: number,
  halvings: number,
  isEnough: (value: number) => boolean,
): number {
  let [low, high] = [least, most];
  for (let step = 0; step < halvings; step += 1) {
    const middle = (low + high) / 2;
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
