// What `run --early` saves, and its error rates, by whole runs: node scripts/run-ts.mjs bench/early.ts [RUNS] [SEED] [ROW] [--write]
// Each run accepts a baseline, edits the prompt and runs again with a new seed. A row of more than 500 cases
// gets a quarter of the runs. `--write` puts the rows into the table of docs/statistics-reference.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRandom } from '../src/text/random.ts';
import { type GateProject, openGateProject, type SimulatedRun, type SuiteShape } from './parts/gate-project.ts';

interface Row {
  readonly name: string;
  readonly wanted: string;
  readonly isMet: (rates: Rates) => boolean;
  readonly suites?: number;
  readonly cases: number;
  readonly trials?: number;
  /** The chance that a case fails by itself. */
  readonly flake: number;
  /** 30 % of the cases fail, each with a chance of its own; else all with the same. */
  readonly isMixed?: boolean;
  /** Runs of which the best becomes the baseline. */
  readonly bestOf?: number;
  /** Every case fails so much more often. */
  readonly drop?: number;
  /** So many cases fail for good. */
  readonly broken?: number;
}

interface Rates {
  readonly runs: number;
  /** Exit code 1. */
  readonly failed: number;
  /** It ended early and passed. */
  readonly endedPassed: number;
  /** A drop beyond the margin was called excluded, early or at the end. */
  readonly certain: number;
  /** Calls, confirmation trials included, as a share of the planned cells: in the median. */
  readonly calls: number;
  /** In the median, the share of planned cells that were asked. */
  readonly asked: number;
}

const rows: readonly Row[] = [
  {
    name: 'unchanged, 100 cases, all fail 5 % of the time',
    wanted: 'failed ≤ 2.5 %',
    isMet: ({ failed }) => failed <= 0.025,
    cases: 100,
    flake: 0.05,
  },
  {
    name: 'unchanged, 300 cases, 30 % of them flaky, 10 % in all',
    wanted: 'failed ≤ 2.5 %',
    isMet: ({ failed }) => failed <= 0.025,
    cases: 300,
    flake: 0.1,
    isMixed: true,
  },
  {
    name: 'unchanged, 12 suites × 50 cases, 20 % flake',
    wanted: 'failed ≤ 2.5 %',
    isMet: ({ failed }) => failed <= 0.025,
    suites: 12,
    cases: 50,
    flake: 0.2,
  },
  {
    name: 'unchanged, 50 cases × 3 trials, 10 % flake',
    wanted: 'failed ≤ 2.5 %',
    isMet: ({ failed }) => failed <= 0.025,
    cases: 50,
    trials: 3,
    flake: 0.1,
  },
  {
    name: 'unchanged, 100 cases, 5 % flake, best of 5 runs accepted',
    wanted: 'failed ≤ 2.5 %',
    isMet: ({ failed }) => failed <= 0.025,
    cases: 100,
    flake: 0.05,
    bestOf: 5,
  },
  {
    name: 'unchanged, 300 cases, 2 % flake',
    wanted: 'asked ≤ 70 %',
    isMet: ({ asked }) => asked <= 0.7,
    cases: 300,
    flake: 0.02,
  },
  {
    name: 'unchanged, 1,000 cases, 2 % flake',
    wanted: 'asked ≤ 25 %',
    isMet: ({ asked }) => asked <= 0.25,
    cases: 1000,
    flake: 0.02,
  },
  {
    name: 'unchanged, 1,000 cases, 5 % flake',
    wanted: 'asked ≤ 40 %',
    isMet: ({ asked }) => asked <= 0.4,
    cases: 1000,
    flake: 0.05,
  },
  {
    name: 'drop of exactly 5 points, 300 cases, 2 % flake',
    wanted: 'certain ≤ 2.7 %, ended and passed ≤ 2.5 %',
    isMet: ({ certain, endedPassed }) => certain <= 0.027 && endedPassed <= 0.025,
    cases: 300,
    flake: 0.02,
    drop: 0.05,
  },
  {
    name: 'drop of exactly 5 points, 500 cases, 5 % flake',
    wanted: 'certain ≤ 2.7 %, ended and passed ≤ 2.5 %',
    isMet: ({ certain, endedPassed }) => certain <= 0.027 && endedPassed <= 0.025,
    cases: 500,
    flake: 0.05,
    drop: 0.05,
  },
  {
    name: 'drop of 30 points, 300 cases, 5 % flake',
    wanted: 'failed ≥ 99 %, calls ≤ 60 %',
    isMet: ({ failed, calls }) => failed >= 0.99 && calls <= 0.6,
    cases: 300,
    flake: 0.05,
    drop: 0.3,
  },
  {
    name: 'drop of 80 points, 300 cases, 5 % flake',
    wanted: 'failed always, calls ≤ 25 %',
    isMet: ({ failed, calls }) => failed === 1 && calls <= 0.25,
    cases: 300,
    flake: 0.05,
    drop: 0.8,
  },
  {
    name: '2 of 100 cases broken for good, 5 % flake',
    wanted: 'failed ≥ 94 %',
    isMet: ({ failed }) => failed >= 0.94,
    cases: 100,
    flake: 0.05,
    broken: 2,
  },
];

const argv = process.argv.slice(2).filter((word) => word !== '--write');
const [runs = 400, seed = 1] = argv.slice(0, 2).map(Number);
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
    lines.push(`| ${row.name} | ${row.wanted} | ${describe(rates)} | ${rates.runs} |${isMet ? '' : ' **missed**'}`);
    console.log(lines.at(-1));
  }
  if (process.argv.includes('--write')) writeTable(lines);
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  project.close();
}

async function measure(row: Row, opened: GateProject): Promise<Rates> {
  const random = createRandom(seed + row.name.length);
  const count = Math.max(1, Math.ceil(runs * ((row.suites ?? 1) * row.cases > 500 ? 0.25 : 1)));
  let [failed, endedPassed, certain] = [0, 0, 0];
  const calls: number[] = [];
  const asked: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const draw = await accept(row, opened, random);
    opened.forgetRuns();
    const { report, calls: made } = await opened.run(draw, { early: true, seed: index + 1 });
    const { planned, notAsked = 0 } = report.totals;
    if (report.exitCode === 1) failed += 1;
    if (report.exitCode === 0 && notAsked > 0) endedPassed += 1;
    if (report.decision.certainty?.kind === 'certain') certain += 1;
    calls.push(made / planned);
    asked.push((planned - notAsked) / planned);
  }
  const share = (value: number) => value / count;
  return {
    runs: count,
    failed: share(failed),
    endedPassed: share(endedPassed),
    certain: share(certain),
    calls: medianOf(calls),
    asked: medianOf(asked),
  };
}

type Draw = (suite: number, index: number, side: 'accepted' | 'candidate') => boolean;

/** Accepts a new baseline of new cases, and edits the prompt. */
async function accept(row: Row, opened: GateProject, random: () => number): Promise<Draw> {
  const { suites = 1, cases, trials = 1, drop = 0, broken = 0, bestOf = 1 } = row;
  const accepted = Array.from({ length: suites }, () => drawRates(row, random));
  const draw: Draw = (suite, index, side) => {
    const rate = accepted[suite]?.[index] ?? 1;
    if (side === 'accepted' || suite > 0) return random() < rate;
    return index < broken || random() < Math.min(1, rate + drop);
  };
  const shapes: readonly SuiteShape[] = Array.from({ length: suites }, () => ({ cases, trials }));
  opened.clear();
  opened.write(shapes, 'accepted');
  let best: SimulatedRun = await opened.run(draw);
  for (let index = 1; index < bestOf; index += 1) {
    const next = await opened.run(draw);
    if ((next.report.totals.passRate ?? 0) > (best.report.totals.passRate ?? 0)) best = next;
  }
  await opened.accept(best);
  opened.write(shapes, 'candidate');
  return draw;
}

function drawRates({ cases, flake, isMixed = false }: Row, random: () => number): readonly number[] {
  return Array.from({ length: cases }, () => {
    if (!isMixed) return flake;
    return random() < 0.7 ? 0 : Math.min(1, (random() * 2 * flake) / 0.3);
  });
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function describe({ failed, endedPassed, certain, calls, asked }: Rates): string {
  return [
    `failed ${percent(failed)}`,
    `ended early and passed ${percent(endedPassed)}`,
    `certain ${percent(certain)}`,
    `asked ${percent(asked)} of the cells`,
    `calls ${percent(calls)}`,
  ].join(', ');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Rows that were not measured now keep what the page says. */
function writeTable(lines: readonly string[]): void {
  const file = 'docs/statistics-reference.md';
  const text = readFileSync(file, 'utf8');
  const [start, end] = ['<!-- early -->\n', '<!-- /early -->'];
  const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
  const known = [...lines, ...text.slice(from, to).split('\n')];
  const kept = rows.flatMap(({ name }) => known.find((line) => line.startsWith(`| ${name} |`)) ?? []);
  const table = ['| scenario | wanted | measured | runs |', '|---|---|---|---|', ...kept].join('\n');
  writeFileSync(file, `${text.slice(0, from)}\n${table}\n\n${text.slice(to)}`);
}
