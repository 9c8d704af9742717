const minRun = 8;

/**
 * The numbers below `count`, sorted so that `isAfter` holds for none and its next one; equal ones stay in their order.
 * Takes two arrays of numbers outside of the heap, where the engine's own sorting takes copies on it.
 */
export function sortPlaces(count: number, isAfter: (first: number, second: number) => boolean): Uint32Array {
  let sorted = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) sorted[index] = index;
  for (let start = 0; start < count; start += minRun) {
    insertionSort(sorted, start, Math.min(count, start + minRun), isAfter);
  }
  let merged = new Uint32Array(count > minRun ? count : 0);
  for (let width = minRun; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      merge({ from: sorted, into: merged }, start, Math.min(count, start + width), Math.min(count, start + 2 * width));
    }
    [sorted, merged] = [merged, sorted];
  }
  return sorted;

  function merge(
    { from, into }: { readonly from: Uint32Array; readonly into: Uint32Array },
    start: number,
    middle: number,
    end: number,
  ): void {
    // Much comes in order.
    if (middle === end || !isAfter(from[middle - 1] ?? 0, from[middle] ?? 0)) {
      into.set(from.subarray(start, end), start);
      return;
    }
    let [left, right] = [start, middle];
    for (let place = start; place < end; place += 1) {
      const takesRight = left === middle || (right < end && isAfter(from[left] ?? 0, from[right] ?? 0));
      into[place] = (takesRight ? from[right] : from[left]) ?? 0;
      if (takesRight) right += 1;
      else left += 1;
    }
  }
}

function insertionSort(
  places: Uint32Array,
  start: number,
  end: number,
  isAfter: (first: number, second: number) => boolean,
): void {
  for (let index = start + 1; index < end; index += 1) {
    const moved = places[index] ?? 0;
    let place = index;
    for (; place > start && isAfter(places[place - 1] ?? 0, moved); place -= 1) places[place] = places[place - 1] ?? 0;
    places[place] = moved;
  }
}
