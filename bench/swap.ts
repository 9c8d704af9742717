/**
 * What `llmcheck swap` says of candidates whose truth is known:
 * node scripts/run-ts.mjs bench/swap.ts [RUNS] [FOLDER]
 * Eight candidates equal the provider: none may be called better or worse in 97.5 % of the runs. Of candidates with a planted
 * order, the cheapest that equals the provider must be named. FOLDER holds the answers of LLMDrift as CSV files (bench/drift.ts):
 * each model of them is then a candidate for each other.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProvider } from '../src/api/define.ts';
import { runSuites } from '../src/api/run-suites.ts';
import type { SwapReport } from '../src/model/comparison/comparison.ts';
import { parseCsv } from '../src/text/csv.ts';
import { createRandom } from '../src/text/random.ts';

const [runsText = '200', folder] = process.argv.slice(2);
const runs = Number(runsText);
const root = mkdtempSync(join(tmpdir(), 'llmcheck-swap-'));

/** Whether a model's answer to a case passes. */
let isPass: (model: string, caseId: string) => boolean = () => true;
const provider = defineProvider({
  name: 'fake',
  summary: 'answers as the bench says',
  version: '1',
  complete: ({ model, caseId }) => ({
    text: isPass(model, caseId) ? 'yes' : 'no',
    usage: { inputTokens: 100, outputTokens: 10 },
  }),
});

interface Shape {
  readonly suites: number;
  readonly cases: readonly string[];
  readonly trials: number;
  /** USD per million tokens, by model; the first is the provider's. */
  readonly prices: Readonly<Record<string, number>>;
  readonly broken?: 'warn';
}

async function swap({ suites, cases, trials, prices, broken }: Shape): Promise<SwapReport> {
  for (const name of ['.llmcheck', 'evals']) rmSync(join(root, name), { recursive: true, force: true });
  mkdirSync(join(root, 'evals'));
  const priced = Object.entries(prices).map(([model, usd]) => [model, { input: usd, output: usd }]);
  writeFileSync(join(root, 'llmcheck.config.yaml'), JSON.stringify({ prices: Object.fromEntries(priced) }));
  const [usual = '', ...candidates] = Object.keys(prices);
  for (let index = 0; index < suites; index += 1) {
    const suite = {
      suite: `s${index}`,
      prompts: [{ id: 'v1', text: '{{ question }}' }],
      providers: [{ id: 'usual', use: `fake:${usual}`, limits: { concurrency: 64 } }],
      ...(broken === undefined ? {} : { gate: { cases: { broken } } }),
      defaults: { trials, assert: [{ equals: 'yes' }] },
      cases: cases.map((id) => ({ id, vars: { question: `${index} ${id}` } })),
    };
    writeFileSync(join(root, 'evals', `s${index}.eval.yaml`), JSON.stringify(suite));
  }
  const named = candidates.map((model) => `fake:${model}`).join(',');
  const options = { cwd: root, env: {}, plugins: [provider], cache: 'off', swap: [`usual=${named}`] } as const;
  const { swaps = [] } = await runSuites(options);
  const [report] = swaps;
  if (report === undefined) throw new Error('the run has no swap');
  return report;
}

function listCases(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `c${index}`);
}

/** Every case fails with one chance, or 70 % never fail and the others with a chance up to a bound, on average `rate`. */
function drawRates(kind: 'hom' | 'mix', rate: number, cases: readonly string[], random: () => number) {
  const rateOf = () => (kind === 'hom' ? rate : random() < 0.7 ? 0 : (random() * 2 * rate) / 0.3);
  return new Map(cases.map((id) => [id, rateOf()]));
}

async function showEqual(): Promise<void> {
  console.log(
    '| eight equal candidates | runs | better | worse | undecided rows | called better or worse |\n|---|---|---|---|---|---|',
  );
  const shapes = [
    ['hom', 0.05, 50, 1, 1],
    ['hom', 0.2, 50, 1, 1],
    ['mix', 0.1, 100, 1, 1],
    ['mix', 0.1, 30, 3, 1],
    ['hom', 0.05, 20, 1, 4],
  ] as const;
  const names = ['usual', ...Array.from({ length: 8 }, (_, index) => `m${index}`)];
  for (const [kind, rate, count, trials, suites] of shapes) {
    const random = createRandom(count + suites);
    let [better, worse, undecided, wrong] = [0, 0, 0, 0];
    for (let run = 0; run < runs; run += 1) {
      const cases = listCases(count);
      const rates = drawRates(kind, rate, cases, random);
      isPass = (_, id) => random() >= (rates.get(id) ?? 0);
      const prices = Object.fromEntries(names.map((name) => [name, 1]));
      const { rows } = await swap({ suites, cases, trials, prices });
      const isOf = (verdict: string) => rows.some((row) => row.verdict === verdict);
      if (isOf('better')) better += 1;
      if (isOf('worse')) worse += 1;
      if (isOf('better') || isOf('worse')) wrong += 1;
      undecided += rows.filter(({ verdict }) => verdict === 'undecided').length / rows.length;
    }
    const share = (value: number) => `${((100 * value) / runs).toFixed(1)} %`;
    const shape = `${suites} × ${count} × ${trials}, ${kind} ${100 * rate} %`;
    console.log(`| ${[shape, runs, share(better), share(worse), share(undecided), share(wrong)].join(' | ')} |`);
  }
}

/** Failure rates and prices; the third is the cheapest that equals the provider. */
const planted = {
  usual: [0.03, 1],
  same: [0.03, 0.8],
  right: [0.03, 0.5],
  weaker: [0.15, 0.3],
  poor: [0.4, 0.1],
} as const;

async function showPlanted(): Promise<void> {
  console.log(
    '\n| planted order | runs | the right one named | a worse one named | none named |\n|---|---|---|---|---|',
  );
  const random = createRandom(7);
  for (const [suites, count] of [
    [1, 100],
    [1, 300],
    [3, 100],
  ] as const) {
    let [right, wrong, none] = [0, 0, 0];
    for (let run = 0; run < runs; run += 1) {
      const rateOf = new Map<string, number>(Object.entries(planted).map(([name, [rate]]) => [name, rate]));
      isPass = (model) => random() >= (rateOf.get(model) ?? 1);
      const prices = Object.fromEntries(Object.entries(planted).map(([name, [, price]]) => [name, price]));
      const { cheapest } = await swap({ suites, cases: listCases(count), trials: 1, prices });
      if (cheapest.includes('fake:right')) right += 1;
      else if (cheapest.length === 0) none += 1;
      else if (cheapest.some((name) => name !== 'fake:same')) wrong += 1;
    }
    const share = (value: number) => `${((100 * value) / runs).toFixed(1)} %`;
    console.log(`| ${[`${suites} × ${count}`, runs, share(right), share(wrong), share(none)].join(' | ')} |`);
  }
}

const claims = [
  ['answers', 'SENSITIVEQ_EVAL.csv', 'Response Rate', (label: string) => Number(label) === 1],
  ['refuses', 'SENSITIVEQ_EVAL.csv', 'Response Rate', (label: string) => Number(label) === 0],
  ['runs as it is', 'LEETCODE_EASY_EVAL.csv', 'Directly Usable', (label: string) => Number(label) === 1],
  ['is accepted', 'LEETCODE_EASY_EVAL.csv', 'Clean_Code_Submit', (label: string) => label.includes('Accepted')],
] as const;

async function showStored(from: string): Promise<void> {
  console.log('\n| stored answers | provider | candidates, the best first |\n|---|---|---|');
  for (const [name, file, column, passes] of claims) {
    const csv = parseCsv(readFileSync(join(from, file), 'utf8'));
    if ('error' in csv) throw new Error(`${file}:${csv.error.line}: ${csv.error.message}`);
    const [names = [], ...rows] = csv.records.map(({ fields }) => fields);
    const read = (row: readonly string[], member: string) => row[names.indexOf(member)] ?? '';
    const passing = new Map<string, Map<string, boolean>>();
    for (const row of rows) {
      const model = read(row, 'model').replace(/^.*\//, '');
      const own = passing.get(model) ?? new Map<string, boolean>();
      passing.set(model, own.set(`case-${read(row, 'id')}`, passes(read(row, column))));
    }
    isPass = (model, id) => passing.get(model)?.get(id) === true;
    for (const usual of passing.keys()) {
      const others = [...passing.keys()].filter((model) => model !== usual);
      const prices = Object.fromEntries([usual, ...others].map((model) => [model, 1]));
      const cases = [...(passing.get(usual)?.keys() ?? [])];
      const report = await swap({ suites: 1, cases, trials: 1, prices, broken: 'warn' });
      const sorted = report.rows.toSorted((a, b) => (b.passRate.candidate ?? 0) - (a.passRate.candidate ?? 0));
      const shown = sorted.map(({ candidate, verdict, passRate: { candidate: rate, delta } }) => {
        const points = ((delta ?? 0) * 100).toFixed(1);
        return `${candidate.slice(5)} ${verdict} (${((rate ?? 0) * 100).toFixed(0)} %, ${points} pts)`;
      });
      console.log(`| ${name} | ${usual} | ${shown.join('; ')} |`);
    }
  }
}

try {
  await showEqual();
  await showPlanted();
  if (folder !== undefined) await showStored(folder);
} finally {
  rmSync(root, { recursive: true, force: true });
}
