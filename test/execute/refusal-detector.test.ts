import { describe, expect, test } from 'vitest';
import { createRefusalDetector, type Pace, type RefusalDetector } from '../../src/execute/refusal-detector.ts';

const free: Pace = { perMs: Number.POSITIVE_INFINITY, isProven: false };

/** Sends calls that are refused at once or admitted, as `isRefused` says; the findings by the number of the call. */
function send(detector: RefusalDetector, calls: number, isRefused: (call: number) => boolean, pace = free) {
  const findings: { readonly call: number; readonly finding: string }[] = [];
  for (let count = 0; count < calls; count += 1) {
    const call = detector.send();
    if (!isRefused(call)) {
      detector.admit(pace);
      continue;
    }
    const finding = detector.refuse(call, pace);
    if (finding !== undefined) findings.push({ call, finding });
  }
  return findings;
}

/** Seeded, so that a share is a share and no pattern. */
function createChance(share: number, seed = 3): () => boolean {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647 < share;
  };
}

describe('createRefusalDetector', () => {
  test('finds a limit after few refusals in a row where refusals are rare', () => {
    const detector = createRefusalDetector();
    expect(send(detector, 200, () => false)).toEqual([]);
    const [found] = send(detector, 5, () => true);
    expect(found?.finding).toBe('limit');
    expect(found?.call).toBeLessThanOrEqual(203);
  });

  test.each([0.03, 0.06, 0.1])('takes a share of %d that comes whatever the load is for chance', (share) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      expect(send(createRefusalDetector(), 5000, createChance(share, seed))).toEqual([]);
    }
  });

  test('is not misled by refusals that come back before the first answers', () => {
    const detector = createRefusalDetector();
    const calls = Array.from({ length: 50 }, () => detector.send());
    const isRefused = createChance(0.15, 9);
    expect(calls.filter(isRefused).map((call) => detector.refuse(call, free))).not.toContain('limit');
  });

  test('finds a limit where every second call is refused', () => {
    const found = send(createRefusalDetector(), 200, (call) => call % 2 === 0);
    expect(found[0]?.finding).toBe('limit');
  });

  test('finds a few refusals enough near a limit that is known', () => {
    const detector = createRefusalDetector();
    send(detector, 300, () => false);
    const near: Pace = { perMs: 0.01, isProven: false };
    expect(send(detector, 200, (call) => call % 8 === 0, near)[0]?.finding).toBe('limit');
  });

  test('after a finding one more refusal is enough, until a call is admitted', () => {
    const detector = createRefusalDetector();
    send(detector, 10, () => true);
    expect(send(detector, 1, () => true)).toHaveLength(1);
    send(detector, 1, () => false);
    expect(send(detector, 1, () => true)).toHaveLength(0);
  });

  test('finds chance where refusals stay as many although calls are sent ever more slowly', () => {
    const detector = createRefusalDetector();
    expect(send(detector, 8, () => true)).not.toEqual([]);
    const isRefused = createChance(0.25);
    let perMs = 1;
    for (let round = 0; round < 20; round += 1) {
      const found = send(detector, 100, isRefused, { perMs, isProven: false });
      if (found.some(({ finding }) => finding === 'chance')) break;
      perMs *= 0.6;
    }
    expect(perMs).toBeGreaterThan(0.01);
    expect(send(detector, 3000, isRefused)).toEqual([]);
  });

  test('finds no chance where slower calls are refused less', () => {
    const detector = createRefusalDetector();
    send(detector, 8, () => true);
    const found = [0.02, 0.014, 0.0098, 0.006, 0.004].flatMap((perMs) =>
      send(detector, 150, createChance(Math.max(0, 1 - 0.01 / perMs)), { perMs, isProven: false }),
    );
    expect(found.map(({ finding }) => finding)).not.toContain('chance');
  });
});
