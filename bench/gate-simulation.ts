// Error rates of the gate beside naive rules: node scripts/run-ts.mjs bench/gate-simulation.ts [REPLICATES] [SEED]

import { compareCases } from '../src/stats/compare-cases.ts';
import { createRandom } from '../src/text/random.ts';

const ALPHA = 0.05;
const MARGIN = 0.05;
/** Share of cases that pass but for flakes; the others fail but for flakes. */
const CAPABLE = 0.9;
const MAX_FALSE_REGRESSED = 0.03;
const MAX_FALSE_NOT_REGRESSED = 0.035;

interface Cell {
  readonly n: number;
  readonly repeats: number;
  readonly flakeRate: number;
  readonly drop: number;
}

interface Rates {
  readonly anyDrop: number;
  readonly dropBeyondMargin: number;
  readonly regressed: number;
  readonly notRegressed: number;
}

const [replicates = 10_000, seed = 1] = process.argv.slice(2).map(Number);
if (!(Number.isInteger(replicates) && replicates > 0 && Number.isFinite(seed))) {
  console.error('usage: node scripts/run-ts.mjs bench/gate-simulation.ts [REPLICATES] [SEED]');
  process.exitCode = 2;
} else {
  process.exitCode = simulate(replicates, seed);
}

function simulate(count: number, seed: number): number {
  console.log(`${count} replicates a cell, seed ${seed}, alpha ${ALPHA}, margin ${100 * MARGIN} points; rates in %`);
  console.log('                                naive rules fail           gate');
  console.log('repeats  flake    n  true drop   any drop  drop > margin   regressed  not regressed  inconclusive');
  let worstFalseRegressed = 0;
  let worstFalseNotRegressed = 0;
  for (const cell of cells()) {
    const rates = measureRates(cell, count, seed);
    console.log(renderRow(cell, rates));
    if (cell.drop === 0) worstFalseRegressed = Math.max(worstFalseRegressed, rates.regressed);
    else worstFalseNotRegressed = Math.max(worstFalseNotRegressed, rates.notRegressed);
  }
  const isWithin = worstFalseRegressed <= MAX_FALSE_REGRESSED && worstFalseNotRegressed <= MAX_FALSE_NOT_REGRESSED;
  console.log(
    `false regressed, worst cell: ${percent(worstFalseRegressed)} % (target ${percent(MAX_FALSE_REGRESSED)} %)`,
  );
  console.log(
    `false not regressed at a true drop of the margin, worst cell: ${percent(worstFalseNotRegressed)} % (target ${percent(MAX_FALSE_NOT_REGRESSED)} %)`,
  );
  return isWithin ? 0 : 1;
}

function* cells(): Generator<Cell> {
  for (const repeats of [1, 3]) {
    for (const flakeRate of [0, 0.05, 0.2]) {
      for (const n of [50, 100, 200]) {
        for (const drop of [0, MARGIN]) yield { n, repeats, flakeRate, drop };
      }
    }
  }
}

function measureRates(cell: Cell, count: number, seed: number): Rates {
  // Each cell has its own stream, so that one can be looked at alone.
  const random = createRandom(seed + 1e6 * cell.n + 1e4 * cell.repeats + 100 * cell.flakeRate + cell.drop * 1000);
  const tally = { anyDrop: 0, dropBeyondMargin: 0, regressed: 0, notRegressed: 0 };
  for (let replicate = 0; replicate < count; replicate += 1) {
    const { delta, verdict } = compareCases(drawResults(cell, random), { alpha: ALPHA, margin: MARGIN, binary: true });
    if (delta !== null && delta < -1e-12) tally.anyDrop += 1;
    if (delta !== null && delta < -MARGIN - 1e-12) tally.dropBeyondMargin += 1;
    if (verdict === 'regressed') tally.regressed += 1;
    if (verdict === 'not_regressed') tally.notRegressed += 1;
  }
  return {
    anyDrop: tally.anyDrop / count,
    dropBeyondMargin: tally.dropBeyondMargin / count,
    regressed: tally.regressed / count,
    notRegressed: tally.notRegressed / count,
  };
}

/** A random share of the capable cases breaks, so that the drop over the population is exactly as stated. */
function drawResults(
  { n, repeats, flakeRate, drop }: Cell,
  random: () => number,
): { baseline: number[][]; candidate: number[][] } {
  const breakRate = drop / (CAPABLE * (1 - 2 * flakeRate));
  const baseline: number[][] = [];
  const candidate: number[][] = [];
  for (let index = 0; index < n; index += 1) {
    const isCapable = random() < CAPABLE;
    const isBroken = isCapable && random() < breakRate;
    const draw = (passRate: number): number[] => Array.from({ length: repeats }, () => (random() < passRate ? 1 : 0));
    baseline.push(draw(isCapable ? 1 - flakeRate : flakeRate));
    candidate.push(draw(isCapable && !isBroken ? 1 - flakeRate : flakeRate));
  }
  return { baseline, candidate };
}

function renderRow({ n, repeats, flakeRate, drop }: Cell, rates: Rates): string {
  const inconclusive = 1 - rates.regressed - rates.notRegressed;
  return [
    String(repeats).padStart(7),
    percent(flakeRate).padStart(7),
    String(n).padStart(5),
    percent(drop).padStart(11),
    percent(rates.anyDrop).padStart(11),
    percent(rates.dropBeyondMargin).padStart(15),
    percent(rates.regressed).padStart(12),
    percent(rates.notRegressed).padStart(15),
    percent(inconclusive).padStart(14),
  ].join('');
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
