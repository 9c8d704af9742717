import type { Scenario } from './gate-scenario.ts';

/** What is counted over the simulated runs of a cell, as shares of them. */
export interface Rates {
  readonly runs: number;
  /** Exit code 1. */
  readonly failed: number;
  /** The first suite is among what failed. */
  readonly found: number;
  readonly passed: number;
  /** Exit code 3: too much fails with the accepted prompt too. */
  readonly drifted: number;
  /** Exit code 4. */
  readonly unsettled: number;
  readonly certain: number;
  /** Fresh trials as a share of the planned ones: on average, and at most. */
  readonly extra: number;
  readonly mostExtra: number;
  /** Runs that sent more than the dry run's most. */
  readonly aboveMost: number;
}

/** A line of the table: a claim over some cells. The rows on exit codes 3 and 4 of unchanged runs have limits of this bench's. */
export interface Row {
  readonly name: string;
  readonly cells: readonly Scenario[];
  readonly figure: (rates: Rates) => number;
  readonly wanted: {
    /** Of the worst cell. */
    readonly each: number;
    /** Of all runs together. */
    readonly pooled?: number;
    readonly is: 'at most' | 'at least';
  };
}

const base: Scenario = { suites: 1, cases: 50, trials: 1, providers: 1, flake: 0.05, kind: 'mix' };
const cell = (members: Partial<Scenario>): Scenario => ({ ...base, ...members });

const flakes = [0.02, 0.05, 0.1, 0.2];
const kinds = ['hom', 'mix'] as const;
const flaking = (members: Partial<Scenario>): readonly Scenario[] =>
  kinds.flatMap((kind) => flakes.map((flake) => cell({ ...members, kind, flake })));

const mixed = (members: Partial<Scenario>): readonly Scenario[] =>
  [0.05, 0.1, 0.2].map((flake) => cell({ ...members, flake }));

const unchanged: readonly Scenario[] = [
  ...[
    { cases: 10 },
    { cases: 20 },
    { cases: 20, trials: 5 },
    { cases: 50 },
    { cases: 50, trials: 3 },
    { cases: 100 },
    { cases: 200 },
    { suites: 12, cases: 20, trials: 3 },
    { suites: 12, cases: 50 },
    { providers: 4, cases: 20 },
  ].flatMap(flaking),
  cell({ suites: 4, providers: 2, cases: 20, flake: 0.1 }),
  cell({ suites: 12, providers: 4, cases: 10, flake: 0.1 }),
];

const together: readonly Scenario[] = [
  ...mixed({ providers: 2, together: 'providers' }),
  ...mixed({ providers: 4, cases: 20, together: 'providers' }),
  ...mixed({ providers: 4, cases: 20, trials: 3, together: 'providers' }),
];

const grouped: readonly Scenario[] = [
  ...mixed({ groupSize: 5 }),
  ...mixed({ groupSize: 5, trials: 3 }),
  ...mixed({ groupSize: 5, together: 'group' }),
  ...mixed({ groupSize: 5, together: 'group', cases: 100 }),
];

const sliced: readonly Scenario[] = [...mixed({ slices: 4, cases: 100 }), ...mixed({ slices: 4, trials: 3 })];

const scored: readonly Scenario[] = [
  ...mixed({ isScored: true }),
  ...mixed({ isScored: true, trials: 3 }),
  ...mixed({ isScored: true, cases: 100 }),
];

const badHour = (share: number): readonly Scenario[] =>
  [50, 200].flatMap((cases) => [1, 3].map((trials) => cell({ cases, trials, hour: { more: 0.15, share } })));

const broken = (members: Partial<Scenario>): Scenario => cell({ kind: 'hom', flake: 0, ...members });

// No flakes: a case that failed when it was accepted is a known failure, and rightly passes.
const policies = ['alpha: 0.01', 'alpha: 0.001', ...[0, 10, 24].map((calls) => `confirm: { budget: ${calls} }`)];
const small: readonly Scenario[] = policies.flatMap((gate) =>
  [1, 4, 20].flatMap((cases) => [1, 2, 3, 4].map((providers) => broken({ cases, broken: cases, providers, gate }))),
);

const failed = ({ failed: share }: Rates) => share;
const found = ({ found: share }: Rates) => share;
const passed = ({ passed: share }: Rates) => share;
const certain = ({ certain: share }: Rates) => share;
const drifted = ({ drifted: share }: Rates) => share;
const unsettled = ({ unsettled: share }: Rates) => share;

const falseAlarms = { is: 'at most', each: 0.04, pooled: 0.025 } as const;
const atMost = (each: number) => ({ is: 'at most', each }) as const;
const atLeast = (each: number) => ({ is: 'at least', each }) as const;

const broke = (members: Partial<Scenario>) => cell({ kind: 'hom', ...members });
const allBroken: readonly Scenario[] = [1, 2, 3, 4, 5, 8, 12].flatMap((cases) =>
  [1, 2, 3, 4].map((providers) => broken({ cases, broken: cases, providers })),
);

export const rows: readonly Row[] = [
  {
    name: 'unchanged behaviour: 10–200 cases, 1/3/5 trials, 1–12 suites, 1–4 providers, hom and mix 2–20 %: failed',
    cells: unchanged,
    figure: failed,
    wanted: falseAlarms,
  },
  {
    name: 'unchanged, a case fails on all providers together: failed',
    cells: together,
    figure: failed,
    wanted: falseAlarms,
  },
  { name: 'unchanged, groups of 5: failed', cells: grouped, figure: failed, wanted: falseAlarms },
  { name: 'unchanged, 4 slices: failed', cells: sliced, figure: failed, wanted: falseAlarms },
  { name: 'unchanged, scores: failed', cells: scored, figure: failed, wanted: falseAlarms },
  {
    name: 'bad hour, +15 points for the first third of the cases: failed',
    cells: badHour(1 / 3),
    figure: failed,
    wanted: atMost(0.04),
  },
  {
    name: 'bad hour, +15 points for all planned trials: failed',
    cells: badHour(1),
    figure: failed,
    wanted: atMost(0.04),
  },
  {
    name: 'alpha 0.01 and 0.001, budget of 0, 10 and 24 calls; 1, 4 and 20 cases on 1–4 providers, all broken: passed',
    cells: small,
    figure: passed,
    wanted: atMost(0),
  },
  { name: '1–12 cases on 1–4 providers, all broken: found', cells: allBroken, figure: found, wanted: atLeast(1) },
  {
    name: '3 of 12 cases broken on 1–4 providers, hom 5 %: found',
    cells: [1, 2, 3, 4].map((providers) => broke({ cases: 12, broken: 3, providers })),
    figure: found,
    wanted: atLeast(0.97),
  },
  {
    name: '1 of 20 cases broken, hom 5 %: found',
    cells: [broke({ cases: 20, broken: 1 })],
    figure: found,
    wanted: atLeast(0.88),
  },
  {
    name: '2 of 100 cases broken, mix 10 %, 1 and 3 trials: found',
    cells: [1, 3].map((trials) => cell({ cases: 100, trials, flake: 0.1, broken: 2 })),
    figure: found,
    wanted: atLeast(0.94),
  },
  {
    name: '5–8 of 20 cases broken, hom 5 %: found',
    cells: [5, 6, 7, 8].map((count) => broke({ cases: 20, broken: count })),
    figure: found,
    wanted: atLeast(0.97),
  },
  {
    name: '−20 points, 50 cases × 3: found',
    cells: [cell({ trials: 3, drop: 0.2 })],
    figure: found,
    wanted: atLeast(0.97),
  },
  {
    name: '−20 points, 20 cases × 3: found',
    cells: [cell({ cases: 20, trials: 3, drop: 0.2 })],
    figure: found,
    wanted: atLeast(0.93),
  },
  { name: '−20 points, 50 cases × 1: found', cells: [cell({ drop: 0.2 })], figure: found, wanted: atLeast(0.88) },
  {
    name: '−20 points, one of 12 suites of 50 × 1: found',
    cells: [cell({ suites: 12, drop: 0.2 })],
    figure: found,
    wanted: atLeast(0.9),
  },
  {
    name: '−10 points, 200 cases × 1: found',
    cells: [cell({ cases: 200, drop: 0.1 })],
    figure: found,
    wanted: atLeast(0.8),
  },
  {
    name: '10 must-pass cases of 50, uneven 2–10 %: failed',
    cells: [cell({ kind: 'uneven', mustPass: 10 })],
    figure: failed,
    wanted: atMost(0.05),
  },
  {
    name: '30 cases added to 50, uneven 2–10 %: failed',
    cells: [cell({ kind: 'uneven', added: 30 })],
    figure: failed,
    wanted: atMost(0.05),
  },
  {
    name: 'first run of 50 cases, uneven 2–10 %: failed',
    cells: [cell({ kind: 'uneven', isFirst: true })],
    figure: failed,
    wanted: atMost(0.05),
  },
  {
    name: '−5 points, the margin itself, 200 and 1,000 cases: called certain',
    cells: [200, 1000].map((cases) => cell({ cases, drop: 0.05 })),
    figure: certain,
    wanted: atMost(0.027),
  },
  {
    name: '−5 points, judge 0.95/0.90 with 100 labels, 200 and 1,000 cases: called certain',
    cells: [200, 1000].map((cases) =>
      cell({ cases, drop: 0.05, judge: { sensitivity: 0.95, specificity: 0.9, labels: 100 } }),
    ),
    figure: certain,
    wanted: atMost(0.027),
  },
  {
    name: 'unchanged: fresh trials, as a share of the planned ones',
    cells: unchanged.filter(({ cases, suites, providers, trials }) => cases * suites * providers * trials >= 20),
    figure: ({ extra }) => extra,
    wanted: atMost(0.5),
  },
  {
    name: 'everything broken, 20–100 cases on 1–4 providers: fresh trials, as a share of the planned ones',
    cells: [20, 50, 100].flatMap((cases) => [1, 4].map((providers) => broken({ cases, broken: cases, providers }))),
    figure: ({ mostExtra }) => mostExtra,
    wanted: atMost(1.6),
  },
  {
    name: 'unchanged: ended with exit code 3, drift',
    cells: unchanged,
    figure: drifted,
    wanted: atMost(0.05),
  },
  {
    name: 'unchanged: ended with exit code 4, not settled',
    cells: unchanged,
    figure: unsettled,
    wanted: atMost(0.05),
  },
];

/** Scenarios that are also run whole. */
export const checkedScenarios: readonly Scenario[] = [
  cell({ cases: 20, flake: 0.1 }),
  cell({ cases: 12, providers: 3, broken: 3 }),
  cell({ cases: 20, trials: 3, drop: 0.2 }),
  cell({ suites: 3, cases: 20, flake: 0.2 }),
  cell({ cases: 20, kind: 'uneven', isFirst: true }),
  cell({ cases: 20, kind: 'uneven', added: 10, mustPass: 5 }),
  cell({ cases: 40, groupSize: 5, slices: 2, drop: 0.1 }),
  cell({ cases: 20, isScored: true, drop: 0.1, flake: 0.1 }),
  cell({ cases: 20, broken: 4, gate: 'confirm: { budget: 10 }' }),
];
