/** The share of the slots that a cut leaves. */
const cutTo = 0.75;
/** The share of the possible extra throughput that a larger size must bring to be kept. */
const neededGain = 0.3;
/** A size that did not bring enough is tried again after so many rounds, then twice as many. */
const firstHold = 8;
const longestHold = 128;

/**
 * The number of calls that may be in flight. It doubles after each round of answers while throughput grows, because a
 * local model only becomes slower. Refusals cut it; then it grows by one each round.
 */
export class AdaptiveSlots {
  readonly #timeoutMs: number;
  size = 1;
  #ceiling = 1;
  #changedMs = Number.NEGATIVE_INFINITY;
  #isCut = false;
  /** The answers of the round, to calls that were sent under the present size. */
  #answers = 0;
  #latencySumMs = 0;
  /** The size before it grew, and its throughput; undefined while there is nothing to compare with. */
  #before: { readonly size: number; readonly perMs: number } | undefined;
  #roundsToHold = 0;
  #nextHold = firstHold;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Sets the size that the providers and judges so far start with, and the largest that they may reach. */
  allow(start: number, ceiling: number): void {
    this.#ceiling = ceiling;
    if (!this.#isCut) this.size = Math.max(this.size, start);
  }

  cut(nowMs: number): void {
    this.#isCut = true;
    this.#before = undefined;
    this.#resize(Math.max(1, Math.floor(this.size * cutTo)), nowMs);
  }

  /** A call was answered while all slots were taken. */
  observe(latencyMs: number, sentMs: number, nowMs: number): void {
    if (sentMs < this.#changedMs) return;
    this.#answers += 1;
    this.#latencySumMs += latencyMs;
    if (this.#answers >= this.size) this.#resize(this.#findSize(this.#latencySumMs / this.#answers), nowMs);
  }

  /** Computes the size of the next round. */
  #findSize(averageMs: number): number {
    // Little's law: so many in flight, each for so long.
    const perMs = this.size / Math.max(averageMs, 0.001);
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined && perMs < before.perMs * (1 + neededGain * (this.size / before.size - 1))) {
      this.#roundsToHold = this.#nextHold;
      this.#nextHold = Math.min(longestHold, this.#nextHold * 2);
      return before.size;
    }
    this.#roundsToHold -= 1;
    // Calls that take twice as long must still fit into their time limit.
    const mayGrow = this.#roundsToHold < 0 && this.size < this.#ceiling && averageMs * 2 <= this.#timeoutMs;
    if (!mayGrow) return this.size;
    if (this.#isCut) return this.size + 1;
    this.#before = { size: this.size, perMs };
    return Math.min(this.#ceiling, Math.ceil(this.size * (this.#nextHold > firstHold ? 1.25 : 2)));
  }

  #resize(size: number, nowMs: number): void {
    if (size !== this.size) this.#changedMs = nowMs;
    this.size = size;
    this.#answers = 0;
    this.#latencySumMs = 0;
  }
}
