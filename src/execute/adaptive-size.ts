/** How many calls may be in flight: grows while that gets more answered, shrinks when the server refuses. */
export interface AdaptiveSize {
  readonly size: number;
  /** What all providers and judges so far begin with, and may come to. */
  allow(start: number, ceiling: number): void;
  /** Changes with the size: answers tell only of the size under which their calls were sent. */
  readonly regime: number;
  /** Refusals began to pile up while all slots were taken; once an episode. */
  cut(nowMs: number): void;
  /** A call that was sent under `regime` was answered, while others waited for a slot or not. */
  observeAnswer(answer: { latencyMs: number; regime: number; isFull: boolean }, nowMs: number): void;
  /** A call was not answered in time. */
  observeTrouble(): void;
}

/** What is left after a cut. */
const cutTo = 0.75;
/** After a cut the size at which refusals came is tried again after this long. */
const cautionMs = 30_000;
/** Of the additional throughput that a larger size could bring, what it must bring to be kept. */
const neededGain = 0.3;

/** `timeoutMs` is that of a call: the size grows only so far that calls would still fit into half of it if they took longer in proportion. */
export function createAdaptiveSize(timeoutMs: number): AdaptiveSize {
  let size = 1;
  let ceiling = 1;
  let regime = 0;
  // Of the calls that were sent under the present size.
  let answers = 0;
  let latencySumMs = 0;
  let toSkip = 0;
  let fullAnswers = 0;
  let troubles = 0;
  /** The size before the last growth, and its throughput; undefined while there is nothing to compare with. */
  let before: { readonly size: number; readonly perMs: number } | undefined;
  let roundsToHold = 0;
  let failedGrowths = 0;
  /** Where refusals came last. */
  let refusedAt: number | undefined;
  let refusedMs = 0;

  function resize(newSize: number): void {
    size = newSize;
    regime += 1;
    toSkip = 0;
    startRound();
  }

  function startRound(): void {
    answers = 0;
    latencySumMs = 0;
    fullAnswers = 0;
    troubles = 0;
  }

  function endRound(nowMs: number): void {
    const averageMs = latencySumMs / answers;
    // Little's law: so many in flight, each for so long.
    const perMs = size / Math.max(averageMs, 0.001);
    const isClean = troubles <= answers / 10;
    const wasFull = fullAnswers >= answers * 0.8;
    startRound();
    if (before !== undefined) {
      const grown = before;
      before = undefined;
      const wanted = 1 + neededGain * (size / grown.size - 1);
      if (!isClean || (wasFull && perMs < grown.perMs * wanted)) {
        failedGrowths += 1;
        roundsToHold = 4 * 2 ** Math.min(failedGrowths, 5);
        resize(grown.size);
        return;
      }
      failedGrowths = 0;
    }
    if (!isClean || !wasFull || size >= ceiling) return;
    if (roundsToHold > 0) {
      roundsToHold -= 1;
      return;
    }
    const fitting = (size * timeoutMs) / 2 / Math.max(averageMs, 0.001);
    const next = Math.floor(Math.min(nextSize(nowMs), ceiling, fitting));
    if (next <= size) return;
    // Won back after a cut, it need not prove its worth again.
    if (refusedAt === undefined) before = { size, perMs };
    resize(next);
    if (before !== undefined) toSkip = Math.floor(next / 2);
  }

  function nextSize(nowMs: number): number {
    if (refusedAt === undefined) return Math.ceil(size * (failedGrowths > 0 ? 1.25 : 2));
    if (size + 1 < refusedAt) return size + Math.max(1, Math.floor((refusedAt - 1 - size) / 2));
    return nowMs - refusedMs >= cautionMs ? size + 1 : size;
  }

  return {
    get size() {
      return size;
    },
    get regime() {
      return regime;
    },
    allow(start, newCeiling) {
      ceiling = Math.max(ceiling, newCeiling);
      if (start > size && refusedAt === undefined) resize(start);
    },
    cut(nowMs) {
      refusedAt = size;
      refusedMs = nowMs;
      before = undefined;
      resize(Math.max(1, Math.floor(size * cutTo)));
    },
    observeAnswer(answer, nowMs) {
      if (answer.regime !== regime) return;
      // The first ones after a growth were sent before all new slots were taken.
      if (toSkip > 0) {
        toSkip -= 1;
        return;
      }
      answers += 1;
      latencySumMs += answer.latencyMs;
      if (answer.isFull) fullAnswers += 1;
      if (answers >= size) endRound(nowMs);
    },
    observeTrouble() {
      troubles += 1;
    },
  };
}
