import { expect, test } from 'vitest';
import type { AcceptedPromptState } from '../../src/model/run/record.ts';
import type { RowSummary } from '../../src/model/run/summary.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { createRandom } from '../../src/text/random.ts';
import { decide } from '../../src/verdict/gate/decide-run.ts';
import { shortenSettled } from '../support/build-flagged.ts';
import { buildGated, judgeGated, unavailable, unchanged } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, compareSides } from '../support/build-side.ts';
import { simulateRun } from '../support/simulate-run.ts';

/**
 * Verdicts on runs drawn at random, as they were before. A change of the statistics or of the gate shows up here:
 * `vitest run test/verdict/generated-runs.test.ts -u` accepts it.
 */
function createDraw(seed: number) {
  const random = createRandom(seed);
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const maybe = <T extends object>(share: number, value: T): T | object => (random() < share ? value : {});
  return { random, pick, maybe };
}

type Draw = ReturnType<typeof createDraw>;

function drawGate({ pick, maybe }: Draw): Partial<GatePolicy> {
  return {
    alpha: pick(0.05, 0.01, 0.2),
    scope: pick('population', 'suite'),
    certify: pick(false, false, true),
    cases: { broken: pick('fail', 'warn'), drifted: pick('warn', 'fail'), added: pick('fail', 'warn') },
    confirm: { cases: pick(10, 2), budget: pick({ share: 2, least: 200 }, { share: 0.3 }, { calls: 0 }) },
    passRate: { ...maybe(0.4, { min: pick(0.5, 0.9) }), ...maybe(0.4, { maxDrop: pick(0.02, 0.2) }) },
    score: { ...maybe(0.3, { min: 0.6 }), ...maybe(0.3, { maxDrop: 0.1 }) },
    cost: { ...maybe(0.3, { max: 0.02 }), ...maybe(0.4, { maxIncrease: pick(0.1, 1) }) },
    latency: { ...maybe(0.3, { p95MaxMs: 300 }), ...maybe(0.3, { maxIncrease: 0.5 }) },
    ...maybe(0.3, { steps: { max: 3, maxIncrease: 0.2 } }),
    ...maybe(0.4, { slices: { hard: { passRate: { min: 0.5, maxDrop: 0.1 } } } }),
  };
}

const states: readonly AcceptedPromptState[] = [{ is: 'askable' }, unchanged, unavailable];

/** Cases with what may come with an answer: its score, cost, latency and steps, its slice and its group. */
function drawSide(draw: Draw, passes: number, ids: readonly string[], isCandidate: boolean) {
  const { random, pick } = draw;
  const letter = (): string => (random() < 0.005 ? 'e' : random() < passes ? 'p' : 'f');
  const word = (length: number): string => Array.from({ length }, letter).join('');
  return ids.map((id, index) => {
    const trials = pick(1, 1, 3);
    const fresh = isCandidate && random() < 0.4 ? `+${word(pick(1, 2, 5))}|${word(pick(0, 2, 5))}` : '';
    const row: Partial<RowSummary> = {
      costUsd: random() < 0.004 ? null : pick(0.001, 0.001, isCandidate ? 0.004 : 0.002),
      latencyMs: pick(100, 150, isCandidate ? 900 : 400),
      steps: pick(1, 2, isCandidate ? 5 : 3),
      slices: index % 3 === 0 ? ['hard'] : [],
    };
    const options = { row, mustPass: index === 1, ...(index < 4 && { group: 'kin' }) };
    return buildCaseSummary(id, `${word(trials)}${fresh}`, options);
  });
}

const round = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value instanceof Map ? [...value] : value;

function judgeDrawn(seed: number): string {
  const draw = createDraw(seed);
  const { pick, random } = draw;
  const count = pick(3, 8, 20, 60);
  const ids = Array.from({ length: count }, (_, index) => `c${index}`);
  const before = pick(1, 0.9, 0.6);
  const gate = drawGate(draw);
  const old = drawSide(draw, before, pick(ids, ids.slice(1)), false);
  const now = drawSide(draw, before * pick(1, 1, 0.7, 0.3), pick(ids, ids.slice(0, -1)), true);
  const [baseline, candidate] = [old, now].map((side) =>
    buildSide(Object.fromEntries(side.map((found) => [found.caseId, found]))),
  );
  if (baseline === undefined || candidate === undefined) throw new Error('two sides');
  const policy = { ...defaultGate, ...gate };
  const compared = compareSides(baseline, candidate, {
    gate: policy,
    latencyComparable: random() < 0.5,
    isWhole: random() < 0.8,
    redefined: new Set(random() < 0.2 ? ['c2'] : []),
  });
  // A second variant shares the level.
  const variants = Array.from({ length: pick(1, 2) }, () =>
    buildGated(compared, { gate, acceptedPrompt: pick(...states) }),
  );
  const isFinal = random() < 0.8;
  const judged = judgeGated(variants, { isFinal, settings: { ...(random() < 0.2 && { drift: true }) } });
  const [{ warnings, isInconclusive, unsettled, certainty, report } = unjudged] = judged.comparisons;
  const { outcome, kind, breaches } = decide({
    summary: { suites: variants.map(({ suite }) => suite), warnings: [] } as unknown as Parameters<
      typeof decide
    >[0]['summary'],
    settings: { maxErrors: { count: pick(0, 5) } } as unknown as Parameters<typeof decide>[0]['settings'],
    judged,
  });
  const said = breaches.map(({ code, message }) => `${code}: ${message}`);
  const settled = Object.values(shortenSettled(judged.settled));
  const { cases, averages, ...flagged } = judged.suspicions.flagged;
  const asks = { cases: cases.length, averages: averages.length, ...flagged };
  const facts = { outcome, kind, asks, isInconclusive, certainty, unsettled: unsettled.length, settled, report };
  return [`== ${seed}`, JSON.stringify(facts, round), ...said, ...warnings].join('\n');
}

const unjudged = {
  warnings: ['nothing was judged'],
  isInconclusive: false,
  unsettled: [],
  certainty: undefined,
  report: {},
} as const;

function simulateDrawn(seed: number): string {
  const draw = createDraw(seed);
  const { pick, random } = draw;
  const rate = pick(1, 0.9, 0.5, 0);
  const before = Object.fromEntries(
    Array.from({ length: pick(4, 12, 30) }, (_, n) => [`c${n}`, pick('p', 'pp', 'pf')]),
  );
  const { failures, warnings, ...rest } = simulateRun({
    before,
    trials: pick(1, 2),
    answer: (_, side) => (random() < (side === 'candidate' ? rate : 0.95) ? 'p' : random() < 0.05 ? 'e' : 'f'),
    gate: drawGate(draw),
    acceptedPrompt: pick(...states),
    shards: pick(1, 1, 3),
  });
  return [`== run ${seed}`, JSON.stringify(rest), ...failures.map(({ message }) => message), ...warnings].join('\n');
}

test('a comparison that is drawn at random is judged as before', { tags: 'slow' }, async () => {
  const seeds = Array.from({ length: 120 }, (_, index) => index + 1);
  await expect(`${seeds.map(judgeDrawn).join('\n')}\n`).toMatchFileSnapshot('snapshots/generated-comparisons.txt');
});

test('a run that is drawn at random ends as before, its fresh trials included', { tags: 'slow' }, async () => {
  const seeds = Array.from({ length: 60 }, (_, index) => index + 1);
  await expect(`${seeds.map(simulateDrawn).join('\n')}\n`).toMatchFileSnapshot('snapshots/generated-runs.txt');
});
