// The gate's error rates, by whole runs: node scripts/run-ts.mjs bench/gate-simulation.ts [RUNS] [SEED] [ROW] [--write]
// Each run accepts a baseline, edits the prompt and runs again, through `runSuites`. A row of more than 1,200 calls a run
// gets a quarter of the runs. `--write` puts the table into docs/statistics.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRandom } from '../src/text/random.ts';
import { type GateProject, openGateProject, type SimulatedRun, type SuiteShape } from './parts/gate-project.ts';

interface Row {
  readonly name: string;
  readonly wanted: string;
  readonly isMet: (rates: Rates) => boolean;
  readonly cells: readonly Cell[];
}

interface Cell {
  readonly suites: number;
  readonly cases: number;
  readonly trials: number;
  /** The chance that a case fails by itself. */
  readonly flake: number;
  /** `hom`: every case fails with that chance. `mix`: 30 % of the cases do, each with a chance of its own. */
  readonly kind: 'hom' | 'mix';
  /** Runs of which the best becomes the baseline. */
  readonly bestOf?: number;
  /** Only a run with at least the true pass rate becomes the baseline. */
  readonly onlyLucky?: boolean;
  /** The first suite's pass rate drops by so much, in every case alike. */
  readonly drop?: number;
  /** So many cases of the first suite fail for good. */
  readonly broken?: number;
  readonly mustPass?: number;
  /** Cases that come after the baseline was accepted. */
  readonly added?: number;
  readonly isFirst?: boolean;
}

interface Rates {
  readonly runs: number;
  /** Exit code 1. */
  readonly failed: number;
  /** The first suite failed. */
  readonly found: number;
  readonly certain: number;
  readonly inconclusive: number;
  /** Calls beyond the planned ones, as a share of these. */
  readonly extra: number;
  readonly mostExtra: number;
  /** The worst `failed` of the row's cells. */
  readonly worst: number;
}

const flakes = [0.02, 0.05, 0.1, 0.2];
const kinds = ['hom', 'mix'] as const;
const shapes = [
  { cases: 10, trials: 1 },
  { cases: 20, trials: 1 },
  { cases: 20, trials: 5 },
  { cases: 50, trials: 1 },
  { cases: 50, trials: 3 },
  { cases: 100, trials: 1 },
  { cases: 200, trials: 1 },
];

const alone = (cell: Partial<Cell>): Cell => ({ suites: 1, cases: 50, trials: 1, flake: 0.05, kind: 'mix', ...cell });
const over = (cell: Partial<Cell>) =>
  flakes.filter((flake) => flake <= 0.1).map((flake) => alone({ kind: 'hom', flake, ...cell }));

const rows: readonly Row[] = [
  {
    name: 'unchanged behaviour, 1 suite, 10–200 cases, 1/3/5 trials, hom and mix 2–20 %',
    wanted: 'false alarms ≤ 2.5 %, worst ≤ 4 %',
    isMet: ({ failed, worst }) => failed <= 0.025 && worst <= 0.04,
    cells: shapes.flatMap((shape) => kinds.flatMap((kind) => flakes.map((flake) => alone({ ...shape, kind, flake })))),
  },
  {
    name: '12 suites × 20 cases × 3, mix 10 %',
    wanted: '≤ 3 %',
    isMet: ({ failed }) => failed <= 0.03,
    cells: [alone({ suites: 12, cases: 20, trials: 3, flake: 0.1 })],
  },
  {
    name: '40 suites × 100 cases, mix 10 %',
    wanted: '≤ 3 %',
    isMet: ({ failed }) => failed <= 0.03,
    cells: [alone({ suites: 40, cases: 100, flake: 0.1 })],
  },
  {
    name: '12 × 20 × 3, mix 10 %, best of 5 runs accepted',
    wanted: '≤ 3 %',
    isMet: ({ failed }) => failed <= 0.03,
    cells: [alone({ suites: 12, cases: 20, trials: 3, flake: 0.1, bestOf: 5 })],
  },
  {
    name: '100 cases, hom 5 %, best of 5 runs accepted',
    wanted: '≤ 3 %',
    isMet: ({ failed }) => failed <= 0.03,
    cells: [alone({ cases: 100, kind: 'hom', bestOf: 5 })],
  },
  {
    name: '100 cases, hom 5 %, only runs with 95 % accepted',
    wanted: '≤ 3 %',
    isMet: ({ failed }) => failed <= 0.03,
    cells: [alone({ cases: 100, kind: 'hom', onlyLucky: true })],
  },
  {
    name: '10 must-pass cases of 50, each at 2–10 % flake',
    wanted: '≤ 5 %',
    isMet: ({ worst }) => worst <= 0.05,
    cells: over({ mustPass: 10 }),
  },
  {
    name: '30 cases added to 50, each at 2–10 % flake',
    wanted: '≤ 5 %',
    isMet: ({ worst }) => worst <= 0.05,
    cells: over({ added: 30 }),
  },
  {
    name: 'first run of 50 cases, each at 2–10 % flake',
    wanted: '≤ 5 %',
    isMet: ({ worst }) => worst <= 0.05,
    cells: over({ isFirst: true }),
  },
  {
    name: '2 of 100 cases broken for good, 1 and 3 trials, mix 10 %: one found',
    wanted: '≥ 94 %',
    isMet: ({ found }) => found >= 0.94,
    cells: [1, 3].map((trials) => alone({ cases: 100, trials, flake: 0.1, broken: 2 })),
  },
  {
    name: '50 cases drop 20 points, alone',
    wanted: 'found ≥ 83 %',
    isMet: ({ found }) => found >= 0.83,
    cells: [alone({ drop: 0.2 })],
  },
  {
    name: '50 cases drop 20 points, one of 12 suites',
    wanted: 'found ≥ 83 %',
    isMet: ({ found }) => found >= 0.83,
    cells: [alone({ suites: 12, drop: 0.2 })],
  },
  {
    name: '10 of 50 cases break for good, alone and one of 12 suites',
    wanted: 'found ≥ 83 %',
    isMet: ({ found }) => found >= 0.83,
    cells: [1, 12].map((suites) => alone({ suites, broken: 10 })),
  },
  {
    name: '100 cases drop 10 points, one of 12 suites',
    wanted: 'found ≥ 58 %',
    isMet: ({ found }) => found >= 0.58,
    cells: [alone({ suites: 12, cases: 100, drop: 0.1, kind: 'hom' })],
  },
  {
    name: '1,000 cases drop 5 points, called certain',
    wanted: '≤ 2.7 %',
    isMet: ({ certain }) => certain <= 0.027,
    cells: [alone({ cases: 1000, drop: 0.05 })],
  },
  {
    name: 'everything broken: 5, 20, 100 cases',
    wanted: 'found always, extra calls ≤ 100 %',
    isMet: ({ found, mostExtra }) => found === 1 && mostExtra <= 1,
    cells: [5, 20, 100].map((cases) => alone({ cases, broken: cases, flake: 0.02 })),
  },
];

/** Runs of a cell whose share is worth comparing. */
const enoughRuns = 50;

const argv = process.argv.slice(2).filter((word) => word !== '--write');
const [runs = 1000, seed = 1] = argv.slice(0, 2).map(Number);
const only = argv[2];
const project = openGateProject();
try {
  const lines: string[] = [];
  let missed = 0;
  for (const row of rows) {
    if (only !== undefined && !row.name.includes(only)) continue;
    const rates = await measure(row, project);
    const isMet = row.isMet(rates);
    if (!isMet) missed += 1;
    const measured = `${isMet ? '' : '**missed:** '}${describe(rates)}`;
    lines.push(`| ${row.name} | ${row.wanted} | ${measured} | ${rates.runs} |`);
    console.log(lines.at(-1));
  }
  if (process.argv.includes('--write')) writeTable(lines);
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  project.close();
}

async function measure({ name, cells }: Row, opened: GateProject): Promise<Rates> {
  const sum = { runs: 0, failed: 0, found: 0, certain: 0, inconclusive: 0, extra: 0, mostExtra: 0, worst: 0 };
  for (const [index, cell] of cells.entries()) {
    // Each cell has its own stream, so that one can be looked at alone.
    const random = createRandom(seed + 1000 * index + name.length);
    const count = Math.max(1, Math.ceil((runs / cells.length) * (plannedCalls(cell) > 1200 ? 0.25 : 1)));
    let failed = 0;
    for (let replicate = 0; replicate < count; replicate += 1) {
      const { report, calls } = await simulate(cell, opened, random);
      const planned = report.totals.planned;
      const [first] = report.suites;
      const isFailed = report.exitCode === 1;
      failed += isFailed ? 1 : 0;
      const isFound = report.decision.breaches.some(({ suite }) => suite === first?.suite);
      sum.found += isFound ? 1 : 0;
      sum.certain += report.decision.certainty?.kind === 'certain' ? 1 : 0;
      sum.inconclusive += report.decision.outcome === 'inconclusive' ? 1 : 0;
      const extra = (calls - planned) / planned;
      sum.extra += extra;
      sum.mostExtra = Math.max(sum.mostExtra, extra);
    }
    sum.runs += count;
    sum.failed += failed;
    // Of a few runs a share says nothing.
    if (count >= enoughRuns) sum.worst = Math.max(sum.worst, failed / count);
  }
  const share = (value: number) => value / sum.runs;
  const { found, certain, inconclusive, extra, mostExtra, worst } = sum;
  return {
    runs: sum.runs,
    failed: share(sum.failed),
    found: share(found),
    certain: share(certain),
    inconclusive: share(inconclusive),
    extra: share(extra),
    mostExtra,
    worst,
  };
}

function plannedCalls({ suites, cases, trials, bestOf = 1 }: Cell): number {
  return suites * cases * trials * (bestOf + 1);
}

async function simulate(cell: Cell, opened: GateProject, random: () => number): Promise<SimulatedRun> {
  const { suites, cases, trials, added = 0, mustPass = 0, drop = 0, broken = 0 } = cell;
  const accepted = Array.from({ length: suites }, () => drawRates(cases + added, cell, random));
  const candidate = accepted.map((rates, suite) =>
    rates.map((rate, index) => (suite > 0 ? rate : index < broken ? 1 : Math.min(1, rate + drop))),
  );
  const draw = (suite: number, index: number, side: 'accepted' | 'candidate') =>
    random() < ((side === 'accepted' ? accepted : candidate)[suite]?.[index] ?? 1);
  const shapeOf = (count: number): readonly SuiteShape[] =>
    Array.from({ length: suites }, () => ({
      cases: count,
      trials,
      mustPass: Array.from({ length: mustPass }, (_, index) => index),
    }));
  opened.clear();
  if (cell.isFirst !== true) {
    opened.write(shapeOf(cases), 'accepted');
    await opened.accept(await chooseBaseline(cell, opened, draw));
  }
  opened.write(shapeOf(cases + added), 'candidate');
  return opened.run(draw);
}

async function chooseBaseline(
  { bestOf = 1, onlyLucky = false, flake }: Cell,
  opened: GateProject,
  draw: (suite: number, index: number, side: 'accepted' | 'candidate') => boolean,
): Promise<SimulatedRun> {
  let best = await opened.run(draw);
  for (let run = 1; run < bestOf; run += 1) {
    const next = await opened.run(draw);
    if ((next.report.totals.passRate ?? 0) > (best.report.totals.passRate ?? 0)) best = next;
  }
  if (!onlyLucky) return best;
  for (let run = 0; (best.report.totals.passRate ?? 0) < 1 - flake && run < 20; run += 1) best = await opened.run(draw);
  return best;
}

function drawRates(count: number, { flake, kind }: Cell, random: () => number): readonly number[] {
  return Array.from({ length: count }, () => {
    if (kind === 'hom') return flake;
    return random() < 0.7 ? 0 : Math.min(1, (random() * 2 * flake) / 0.3);
  });
}

function describe({ failed, worst, found, certain, inconclusive, extra, mostExtra }: Rates): string {
  return [
    `failed ${percent(failed)}${worst > 0 ? ` (worst ${percent(worst)})` : ''}`,
    `found ${percent(found)}`,
    `certain ${percent(certain)}`,
    `inconclusive ${percent(inconclusive)}`,
    `extra calls ${percent(extra)}, at most ${percent(mostExtra)}`,
  ].join(', ');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function writeTable(lines: readonly string[]): void {
  const file = 'docs/statistics.md';
  const text = readFileSync(file, 'utf8');
  const [start, end] = ['<!-- gate-simulation -->\n', '<!-- /gate-simulation -->'];
  const table = ['| scenario | wanted | measured | runs |', '|---|---|---|---|', ...lines].join('\n');
  const before = text.slice(0, text.indexOf(start) + start.length);
  writeFileSync(file, `${before}\n${table}\n\n${text.slice(text.indexOf(end))}`);
}
