/**
 * The gate's error rates: node scripts/run-ts.mjs bench/gate-simulation.ts [--runs=1000] [--seed=1] [--only=TEXT] [--small] [--strict]
 *
 * Each simulated run accepts a baseline, edits the prompt and runs again. A scenario is run once by `runSuites`; its replicates
 * put other results into that record and ask again by the product's functions. Whole runs of some scenarios check that their
 * replicates decide the same. `--small` takes one cell of each row. Each cell is a line on stderr, and each row one on stdout.
 * Ends with 1 if a row is missed and `--strict` is given.
 */
import { checkAgreement } from './parts/gate-agreement.ts';
import { openGateProject } from './parts/gate-project.ts';
import { openReplay } from './parts/gate-replay.ts';
import { checkedScenarios, type Rates, type Row, rows } from './parts/gate-rows.ts';
import type { Scenario } from './parts/gate-scenario.ts';

const flags = new Map(process.argv.slice(2).map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? '']));
const numberOf = (name: string, usual: number): number => (flags.has(name) ? Number(flags.get(name)) : usual);
const isSmall = flags.has('--small');
const runs = numberOf('--runs', isSmall ? 100 : 1000);
const seed = numberOf('--seed', 1);
const only = flags.get('--only') ?? '';

const project = openGateProject();
const wholeRuns = 'whole runs';
/** Several rows look at the same cells. */
const measured = new Map<string, Rates>();
let missed = 0;
try {
  console.log('| scenario | measured | wanted | met | runs |\n|---|---|---|---|---|');
  for (const row of rows) {
    if (!row.name.includes(only)) continue;
    console.log(await measureRow(row));
  }
  if (wholeRuns.includes(only)) for (const line of await measureWholeRuns()) console.log(line);
} finally {
  project.close();
}
process.exitCode = missed > 0 && flags.has('--strict') ? 1 : 0;

async function measureRow(row: Row): Promise<string> {
  const { name, figure, wanted } = row;
  const cells = isSmall ? row.cells.slice(0, 1) : row.cells;
  const isMet = (value: number, limit: number) => (wanted.is === 'at most' ? value <= limit : value >= limit);
  const limitOf = (limit: number) => `${wanted.is === 'at most' ? '≤' : '≥'} ${percent(limit)}`;
  let worst: { readonly value: number; readonly cell: Scenario } | undefined;
  let [sum, count] = [0, 0];
  for (const cell of cells) {
    const rates = await measure(cell);
    const value = figure(rates);
    sum += value * rates.runs;
    count += rates.runs;
    const isWorse = worst === undefined || (wanted.is === 'at most' ? value > worst.value : value < worst.value);
    if (isWorse) worst = { value, cell };
    console.error(
      `${name} | ${describeCell(cell)} | ${percent(value)} | ${limitOf(wanted.each)} | ${isMet(value, wanted.each) ? 'met' : 'NOT MET'} | ${describeRates(rates)}`,
    );
  }
  if (worst === undefined) throw new Error(`${name} has no cell`);
  const pooled = sum / count;
  const isAllMet = isMet(worst.value, wanted.each) && (wanted.pooled === undefined || isMet(pooled, wanted.pooled));
  if (!isAllMet) missed += 1;
  const shown =
    cells.length === 1
      ? percent(worst.value)
      : `${percent(pooled)}, worst ${percent(worst.value)} (${describeCell(worst.cell)})`;
  const limits =
    wanted.pooled === undefined ? limitOf(wanted.each) : `${limitOf(wanted.pooled)}, worst ${limitOf(wanted.each)}`;
  return `| ${name} | ${shown} | ${limits} | ${isAllMet ? 'yes' : '**no**'} | ${count} |`;
}

/** Checks the replicates, and what is sent, by whole runs. */
async function measureWholeRuns(): Promise<readonly string[]> {
  const scenarios = isSmall ? checkedScenarios.slice(0, 3) : checkedScenarios;
  const seeds = Array.from({ length: isSmall ? 2 : 8 }, (_, index) => seed + index);
  let [count, equal, aboveMost] = [0, 0, 0];
  for (const scenario of scenarios) {
    const found = await checkAgreement(project, scenario, seeds);
    count += found.runs;
    equal += found.equal;
    aboveMost += found.aboveMost;
    console.error(
      `${wholeRuns} | ${describeCell(scenario)} | ${found.equal} of ${found.runs} as their replicates, ${found.aboveMost} above the most`,
    );
    for (const difference of found.differences) console.error(difference);
  }
  const simulated = [...measured.values()];
  const simulatedRuns = simulated.reduce((sum, rates) => sum + rates.runs, 0);
  const simulatedAbove = simulated.reduce((sum, rates) => sum + rates.aboveMost * rates.runs, 0);
  if (equal < count) missed += 1;
  if (aboveMost + simulatedAbove > 0) missed += 1;
  const met = (isMet: boolean) => (isMet ? 'yes' : '**no**');
  return [
    `| ${wholeRuns}: the same decision as their replicate, word for word | ${equal} of ${count} | all | ${met(equal === count)} | ${count} |`,
    `| ${wholeRuns}: sent more than a dry run said | ${aboveMost} of ${count} | none | ${met(aboveMost === 0)} | ${count} |`,
    `| every replicate: sent more than the budget | ${simulatedAbove} of ${simulatedRuns} | none | ${met(simulatedAbove === 0)} | ${simulatedRuns} |`,
  ];
}

async function measure(cell: Scenario): Promise<Rates> {
  const key = JSON.stringify(cell);
  const known = measured.get(key);
  if (known !== undefined) return known;
  const replay = await openReplay(project, cell);
  const sum = { failed: 0, found: 0, passed: 0, drifted: 0, unsettled: 0, certain: 0, extra: 0, aboveMost: 0 };
  let mostExtra = 0;
  for (let replicate = 0; replicate < runs; replicate += 1) {
    const { exitCode, decision, planned: calls, fresh, allowed } = replay.simulate(seed * 1_000_003 + replicate);
    sum.failed += Number(exitCode === 1);
    sum.found += Number(exitCode === 1 && decision.breaches.some(({ suite }) => suite === 's0'));
    sum.passed += Number(exitCode === 0);
    sum.drifted += Number(exitCode === 3);
    sum.unsettled += Number(exitCode === 4);
    sum.certain += Number(decision.certainty?.kind === 'certain');
    sum.extra += fresh / calls;
    sum.aboveMost += Number(fresh > allowed);
    mostExtra = Math.max(mostExtra, fresh / calls);
  }
  const share = (value: number) => value / runs;
  const rates: Rates = {
    runs,
    failed: share(sum.failed),
    found: share(sum.found),
    passed: share(sum.passed),
    drifted: share(sum.drifted),
    unsettled: share(sum.unsettled),
    certain: share(sum.certain),
    extra: share(sum.extra),
    aboveMost: share(sum.aboveMost),
    mostExtra,
  };
  measured.set(key, rates);
  return rates;
}

function describeCell(cell: Scenario): string {
  const { suites, cases, trials, providers, flake, kind, drop, broken, hour, gate, groupSize, slices, together } = cell;
  const { mustPass, added, isFirst, isScored, judge } = cell;
  const of = (value: unknown, text: string) => (value === undefined || value === 0 ? [] : [text]);
  return [
    `${suites > 1 ? `${suites} suites × ` : ''}${cases} × ${trials}${providers > 1 ? ` on ${providers} providers` : ''}`,
    kind === 'uneven' ? 'uneven' : `${kind} ${100 * flake} %`,
    ...of(drop, `−${100 * (drop ?? 0)} points`),
    ...of(broken, `${broken} broken`),
    ...of(hour, `bad hour of ${percent(hour?.share ?? 0)}`),
    ...of(groupSize, `groups of ${groupSize}`),
    ...of(mustPass, `${mustPass} must-pass`),
    ...of(added, `${added} added`),
    ...of(isFirst, 'first run'),
    ...of(isScored, 'scores'),
    ...of(judge, 'judged'),
    ...of(slices, `${slices} slices`),
    ...of(together, `together by ${together}`),
    ...of(gate, `${gate}`),
  ].join(', ');
}

function describeRates({
  failed,
  found,
  passed,
  drifted,
  unsettled,
  certain,
  extra,
  mostExtra,
  aboveMost,
}: Rates): string {
  return `failed ${percent(failed)}, found ${percent(found)}, passed ${percent(passed)}, drift ${percent(drifted)}, unsettled ${percent(unsettled)}, certain ${percent(certain)}, extra ${percent(extra)}, at most ${percent(mostExtra)}, above ${percent(aboveMost)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
