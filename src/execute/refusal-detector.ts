/** Tells refusals that a limit causes from those that come whatever the load is. */
export interface RefusalDetector {
  /** Takes the number of a call that is sent now. */
  send(): number;
  admit(pace: Pace): void;
  /** What a refusal shows; undefined: nothing yet. */
  refuse(call: number, pace: Pace): RefusalFinding | undefined;
}

/**
 * `limit`: refusals have become more than chance explains. `chance`: they are as many as before although calls are sent
 * much slower, so no limit is behind them.
 */
export type RefusalFinding = 'limit' | 'chance';

export interface Pace {
  /** Calls a millisecond that are sent at most; infinite: no limit is known. */
  readonly perMs: number;
  /** Whether that is well below what was once admitted for a minute. */
  readonly isProven: boolean;
}

/** Calls that are looked back to, and fewer than which say nothing of a share. */
const memory = 64;
const fewest = 32;
/** Odds against a run of refusals by chance. */
const odds = 1e4;
/** No service refuses so many by chance. */
const mostByChance = 0.45;
const usualAtFirst = 0.05;
/** Weight of a new outcome in the usual share of refusals. */
const usualWeight = 1 / 100;

/**
 * Looks at calls in the order of sending, since refusals come back sooner than answers: at runs of refusals, which have to
 * be the longer the more refusals are usual here, and at their share among the latest calls. What is usual is learned only
 * where no limit is known, or well below it.
 */
export function createRefusalDetector(): RefusalDetector {
  const isRefused = new Uint8Array(memory);
  let sent = 0;
  /** The first call that counts: after a finding it starts anew. */
  let first = 0;
  let refused = 0;
  let usualShare = usualAtFirst;
  /** After a finding one more refusal is enough, until a call is admitted. */
  let isAlarmed = false;
  /** The share and the pace with which a series of findings began. */
  let series: { readonly share: number; readonly perMs: number } | undefined;

  function learn(refusal: 0 | 1, { perMs, isProven }: Pace): void {
    if (isProven || perMs === Number.POSITIVE_INFINITY) usualShare += (refusal - usualShare) * usualWeight;
  }

  function runAround(call: number): number {
    const oldest = Math.max(first, sent - memory);
    let length = 1;
    for (let before = call - 1; before >= oldest && isRefused[before % memory] === 1; before -= 1) length += 1;
    for (let after = call + 1; after < sent && isRefused[after % memory] === 1; after += 1) length += 1;
    return length;
  }

  function startAnew(): void {
    first = sent;
    refused = 0;
    isRefused.fill(0);
  }

  return {
    send() {
      const place = sent % memory;
      refused -= isRefused[place] ?? 0;
      isRefused[place] = 0;
      sent += 1;
      return sent - 1;
    },
    admit(pace) {
      learn(0, pace);
      isAlarmed = false;
    },
    refuse(call, pace) {
      learn(1, pace);
      if (call < first || call < sent - memory) return undefined;
      isRefused[call % memory] = 1;
      refused += 1;
      const share = refused / Math.max(fewest, Math.min(memory, sent - first));
      const chance = Math.min(0.6, Math.max(0.03, usualShare * 1.5));
      const isRun = isAlarmed || runAround(call) >= Math.ceil(Math.log(odds) / -Math.log(chance));
      const isNear = pace.perMs !== Number.POSITIVE_INFINITY && !pace.isProven;
      const isTooOften = share > (isNear ? usualShare * 2 + 0.06 : mostByChance);
      if (!isRun && !isTooOften) return undefined;
      const trueShare = refused / Math.max(1, Math.min(memory, sent - first));
      startAnew();
      if (series !== undefined && trueShare < mostByChance && pace.perMs < series.perMs / 3) {
        const isChance = trueShare > series.share / 2;
        series = undefined;
        isAlarmed = false;
        if (isChance) {
          usualShare = trueShare;
          return 'chance';
        }
      }
      if (pace.perMs === Number.POSITIVE_INFINITY) usualShare = Math.min(usualShare, usualAtFirst);
      else if (series === undefined || pace.perMs > series.perMs) series = { share: trueShare, perMs: pace.perMs };
      isAlarmed = true;
      return 'limit';
    },
  };
}
