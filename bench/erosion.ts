/** Whether erosion is named, through runs of the product: node scripts/run-ts.mjs bench/erosion.ts [REPETITIONS] [SEED] */
import { type ErosionScenario, simulateErosion } from './parts/erosion.ts';

const [repetitions = 5, seed = 1] = process.argv.slice(2).map(Number);
const drift = { drop: 0.005, pullRequests: 50, isFirstOnly: true };
const none = { drop: 0, pullRequests: 100, isFirstOnly: false };

const named: number[] = [];
const alarms: number[] = [];
for (let repetition = 0; repetition < repetitions; repetition += 1) {
  const scenario: Omit<ErosionScenario, keyof typeof drift> = { seed: seed + repetition, cases: 100, trials: 1 };
  const [first] = (await simulateErosion({ ...scenario, ...drift })).named;
  named.push(first ?? Number.POSITIVE_INFINITY);
  alarms.push((await simulateErosion({ ...scenario, ...none })).named.length);
  process.stderr.write(
    `${repetition + 1}: named at ${first ?? 'never'}, ${alarms.at(-1) ?? 0} alarms without a drop\n`,
  );
}
named.sort((a, b) => a - b);
const median = named[Math.floor((repetitions - 1) / 2)] ?? Number.POSITIVE_INFINITY;
const most = Math.max(...alarms);
process.stdout.write('| 100 cases, one trial each | | wanted |\n|---|---|---|\n');
process.stdout.write(`| −0.5 points a pull request: named at, median of ${repetitions} | ${median} | ≤ 20 |\n`);
process.stdout.write(`| no drop: alarms in 100 pull requests, the most of ${repetitions} | ${most} | ≤ 2 |\n`);
process.exitCode = median <= 20 && most <= 2 ? 0 : 1;
