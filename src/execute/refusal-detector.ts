/** Tells refusals that pile up because of a limit from single ones that come whatever the load is. */
export interface RefusalDetector {
  /** Takes the number of a call that is sent now. */
  send(): number;
  admit(pace: Pace): void;
  /** True where refusals have become more than chance explains. */
  refuse(call: number, pace: Pace): boolean;
}

/** How calls are sent: at no known limit, well below one, or near it. */
export type Pace = 'free' | 'below' | 'near';

/** Calls that are looked back to. */
const memory = 32;
/** Odds against a run of refusals by chance. */
const odds = 1e4;
/** Weights of a new outcome in the usual share of refusals and in the present one. */
const usualWeight = 1 / 100;
const presentWeight = 1 / 20;

/**
 * Looks for runs of refusals in the order of sending, since refusals come back sooner than answers. The longer refusals
 * are usual here, the longer a run has to be. What is usual is learned only at a load that was once admitted.
 */
export function createRefusalDetector(): RefusalDetector {
  const isRefused = new Uint8Array(memory);
  let sent = 0;
  let usualShare = 0.05;
  let presentShare = 0;
  /** After an alarm one more refusal is enough, until a call is admitted. */
  let isAlarmed = false;

  function learn(refusal: 0 | 1, pace: Pace): void {
    if (pace !== 'near') usualShare += (refusal - usualShare) * usualWeight;
    presentShare += (refusal - presentShare) * presentWeight;
  }

  function runAround(call: number): number {
    let length = 1;
    for (let before = call - 1; before > sent - memory && before >= 0 && isRefused[before % memory] === 1; before -= 1)
      length += 1;
    for (let after = call + 1; after < sent && isRefused[after % memory] === 1; after += 1) length += 1;
    return length;
  }

  return {
    send() {
      isRefused[sent % memory] = 0;
      sent += 1;
      return sent - 1;
    },
    admit(pace) {
      learn(0, pace);
      isAlarmed = false;
    },
    refuse(call, pace) {
      learn(1, pace);
      if (call <= sent - memory) return false;
      isRefused[call % memory] = 1;
      const chance = Math.min(0.6, Math.max(0.03, usualShare * 1.5));
      const needed = Math.ceil(Math.log(odds) / -Math.log(chance));
      const isRun = isAlarmed || runAround(call) >= needed;
      const isCreeping = pace === 'near' && presentShare > usualShare * 2 + 0.06;
      if (!isRun && !isCreeping) return false;
      isAlarmed = true;
      isRefused.fill(0);
      presentShare = 0;
      return true;
    },
  };
}
