// How often the cost gate fails, by whole runs: node scripts/run-ts.mjs bench/cost.ts [RUNS] [SEED]
// Each run accepts a baseline, edits the prompt and runs again, through `runSuites`. The costs of a case have a heavy tail.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProvider } from '../src/api/define.ts';
import { runSuites } from '../src/api/run-suites.ts';
import { acceptBaseline } from '../src/baseline/accept-baseline.ts';
import { createRandom } from '../src/text/random.ts';

interface Row {
  readonly name: string;
  readonly cases: number;
  /** How much more a case costs with the edited prompt. */
  readonly factorOf: (caseIndex: number) => number;
  /** Standard deviation of the log of the cost between answers of one case. */
  readonly spread: number;
  readonly claim: Wanted;
}

interface Wanted {
  readonly wanted: string;
  readonly isMet: (share: number) => boolean;
}

const rarely: Wanted = { wanted: '≤ 4 %', isMet: (share) => share <= 0.04 };
const mostly: Wanted = { wanted: '≥ 85 %', isMet: (share) => share >= 0.85 };
const always: Wanted = { wanted: '100 %', isMet: (share) => share === 1 };
const never: Wanted = { wanted: '0 %', isMet: (share) => share === 0 };
const same = () => 1;
const doubled = () => 2;
const allButOne = (index: number) => (index === 0 ? 1 : 2);
const rows: readonly Row[] = [
  { name: '20 cases with very heavy tails, unchanged', cases: 20, factorOf: same, spread: 1.8, claim: rarely },
  { name: '50 cases, unchanged', cases: 50, factorOf: same, spread: 1, claim: rarely },
  { name: '100 cases, unchanged', cases: 100, factorOf: same, spread: 1, claim: rarely },
  { name: '50 cases, doubled', cases: 50, factorOf: doubled, spread: 1, claim: mostly },
  { name: '5 cases, unchanged', cases: 5, factorOf: same, spread: 0.3, claim: rarely },
  { name: '5 cases, each doubled', cases: 5, factorOf: doubled, spread: 0.05, claim: always },
  { name: '5 cases, one unchanged and four doubled', cases: 5, factorOf: allButOne, spread: 0.01, claim: never },
];
const suitePath = 'evals/costs.eval.yaml';

const [runs = 200, seed = 1] = process.argv.slice(2).map(Number);
const cwd = mkdtempSync(join(tmpdir(), 'llmcheck-cost-'));
try {
  console.log('| cost limit +10 % | failed | wanted | extra calls | runs |\n|---|---|---|---|---|');
  let missed = 0;
  for (const row of rows) {
    const { failed, extra } = await measure(row);
    const { wanted, isMet } = row.claim;
    if (!isMet(failed)) missed += 1;
    const mark = isMet(failed) ? '' : ' **missed**';
    console.log(`| ${row.name} | ${percent(failed)} | ${wanted} | ${percent(extra)} | ${runs} |${mark}`);
  }
  process.exitCode = missed === 0 ? 0 : 1;
} finally {
  rmSync(cwd, { recursive: true, force: true });
}

async function measure(row: Row): Promise<{ readonly failed: number; readonly extra: number }> {
  const random = createRandom(seed + row.name.length);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let [failed, extra, calls] = [0, 0, 0];
  let scales: readonly number[] = [];
  const provider = defineProvider({
    name: 'costly',
    summary: 'answers at a random length',
    version: '1',
    complete: ({ messages }) => {
      calls += 1;
      const [side, index] = (messages.at(-1)?.content ?? '').split(' ');
      const factor = side === 'candidate' ? row.factorOf(Number(index)) : 1;
      const tokens = (scales[Number(index)] ?? 1) * factor * Math.exp(row.spread * normal());
      return { text: 'yes', usage: { inputTokens: 0, outputTokens: 10 + Math.round(tokens) } };
    },
  });
  const run = async (prompt: string) => {
    writeSuite(row.cases, prompt);
    return runSuites({ cwd, env: {}, plugins: [provider], cache: 'off' });
  };
  for (let count = 0; count < runs; count += 1) {
    rmSync(join(cwd, '.llmcheck'), { recursive: true, force: true });
    rmSync(join(cwd, 'evals'), { recursive: true, force: true });
    mkdirSync(join(cwd, 'evals'));
    scales = Array.from({ length: row.cases }, () => Math.exp(5 + 0.5 * normal()));
    const recordPath = join(cwd, (await run('accepted')).run.recordPath ?? '');
    await acceptBaseline({
      root: cwd,
      cwd,
      env: {},
      recordPath,
      projectSuites: [{ id: 'costs', path: suitePath }],
      force: false,
    });
    calls = 0;
    const { exitCode } = await run('candidate');
    failed += exitCode === 1 ? 1 : 0;
    extra += (calls - row.cases) / row.cases;
  }
  return { failed: failed / runs, extra: extra / runs };
}

function writeSuite(cases: number, prompt: string): void {
  const suite = {
    suite: 'costs',
    prompts: [{ id: 'v1', text: `${prompt} {{ index }}` }],
    providers: [{ id: 'm', use: 'costly:m', price: { input: 0, output: 10 }, limits: { concurrency: 64 } }],
    gate: { cost: { maxIncrease: '10%' } },
    defaults: { assert: [{ equals: 'yes' }] },
    cases: Array.from({ length: cases }, (_, index) => ({ id: `c${index}`, vars: { index: String(index) } })),
  };
  writeFileSync(join(cwd, suitePath), JSON.stringify(suite));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
