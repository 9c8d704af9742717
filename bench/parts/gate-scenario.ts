import { createRandom } from '../../src/text/random.ts';
import type { Side, SuiteShape } from './gate-project.ts';

/** What is simulated: some suites, how their cases fail, and what the change does to them. */
export interface Scenario {
  readonly suites: number;
  readonly cases: number;
  readonly trials: number;
  /** Providers, each a variant of every suite. */
  readonly providers: number;
  /** The mean chance that a case fails by itself. */
  readonly flake: number;
  /**
   * `hom`: every case fails with that chance. `mix`: 30 % of the cases do, each with a chance of its own. `uneven`: every case
   * fails with a chance of its own between 2 and 10 %.
   */
  readonly kind: 'hom' | 'mix' | 'uneven';
  /** The first suite's pass rate drops by so much, in every case alike. */
  readonly drop?: number;
  /** So many random cases of the first suite fail for good, on every provider. */
  readonly broken?: number;
  readonly mustPass?: number;
  /** Cases that come after the baseline was accepted. */
  readonly added?: number;
  readonly isFirst?: boolean;
  /** Cases of a group. They fail with the same chance. */
  readonly groupSize?: number;
  readonly slices?: number;
  readonly isScored?: boolean;
  /** What fails by chance fails together: `providers`: a case on all of them. `group`: all cases of a group. */
  readonly together?: 'providers' | 'group';
  /** A bad hour: the first planned trials of the candidate fail so much more often. */
  readonly hour?: { readonly more: number; readonly share: number };
  /** How often the judge passes good answers and fails bad ones, and how many labels measured it, half of each. */
  readonly judge?: { readonly sensitivity: number; readonly specificity: number; readonly labels: number };
  /** Members of the gate, as YAML flow. */
  readonly gate?: string;
}

/** What the suites of a scenario look like, before or after the change. */
export function shapesOf(scenario: Scenario, side: Side): readonly SuiteShape[] {
  const {
    suites,
    cases,
    trials,
    providers,
    added = 0,
    mustPass = 0,
    groupSize,
    slices,
    isScored,
    judge,
    gate,
  } = scenario;
  const shape: SuiteShape = {
    cases: side === 'accepted' ? cases : cases + added,
    trials,
    providers,
    mustPass: Array.from({ length: mustPass }, (_, index) => index),
    ...(groupSize === undefined ? {} : { groupSize }),
    ...(slices === undefined ? {} : { slices }),
    ...(isScored === undefined ? {} : { isScored }),
    ...(judge === undefined ? {} : { isJudged: true }),
    ...(gate === undefined ? {} : { gate }),
  };
  return Array.from({ length: suites }, () => shape);
}

/** A trial of a replicate. `count` numbers the trials of a case on one provider and side in one run. */
export interface DrawnTrial {
  readonly run: 'accepting' | 'candidate';
  readonly suite: number;
  readonly caseIndex: number;
  readonly side: Side;
  readonly provider: number;
  readonly count: number;
}

/** The scores of all trials of one replicate, in quarters. The order in which they are asked changes none of them. */
export type DrawTrial = (trial: DrawnTrial) => number;

export const passingQuarters = 3;

/** Draws the chances of one replicate. */
export function drawReplicate(scenario: Scenario, seed: number): DrawTrial {
  const {
    suites,
    cases,
    trials,
    added = 0,
    drop = 0,
    broken = 0,
    groupSize,
    together,
    hour,
    judge,
    isScored,
  } = scenario;
  const random = createRandom(seed);
  const size = cases + added;
  const chances = Array.from({ length: suites }, () => {
    const drawn = Array.from({ length: size }, () => drawChance(scenario, random));
    return groupSize === undefined ? drawn : drawn.map((_, index) => drawn[index - (index % groupSize)] ?? 0);
  });
  const order = Array.from({ length: size }, (_, index) => [random(), index] as const).sort(([a], [b]) => a - b);
  const isBroken = new Set(order.slice(0, broken).map(([, index]) => index));
  return ({ run, suite, caseIndex, side, provider, count }) => {
    let chance = chances[suite]?.[caseIndex] ?? 0;
    if (side === 'candidate' && suite === 0) chance = isBroken.has(caseIndex) ? 1 : Math.min(1, chance + drop);
    const isPlanned = run === 'candidate' && side === 'candidate' && count < trials;
    if (isPlanned && hour !== undefined && caseIndex < hour.share * size) chance = Math.min(1, chance + hour.more);
    if (judge !== undefined) chance = chance * judge.specificity + (1 - chance) * (1 - judge.sensitivity);
    const place = [
      seed,
      run === 'accepting' ? 0 : 1,
      suite,
      together === 'group' && groupSize !== undefined ? Math.floor(caseIndex / groupSize) : caseIndex,
      side === 'accepted' ? 0 : 1,
      together === 'providers' ? 0 : provider,
      count,
    ];
    const isFailed = hashToUnit(place, 0) < chance;
    if (isScored !== true) return isFailed ? 0 : 4;
    const further = hashToUnit(place, 1);
    return isFailed ? Math.floor(3 * further) : further < 0.7 ? 4 : passingQuarters;
  };
}

function drawChance({ kind, flake }: Scenario, random: () => number): number {
  switch (kind) {
    case 'hom':
      return flake;
    case 'mix':
      return random() < 0.7 ? 0 : Math.min(1, (random() * 2 * flake) / 0.3);
    case 'uneven':
      return 0.02 + 0.08 * random();
  }
}

/** A number in [0, 1) that depends on nothing but its arguments. */
function hashToUnit(parts: readonly number[], salt: number): number {
  let hash = 0x9e3779b9 ^ salt;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return (hash >>> 0) / 2 ** 32;
}
