/**
 * Every change of one model into another that stored answers allow, through runs of the product:
 * node scripts/run-ts.mjs bench/drift.ts FOLDER
 * FOLDER holds the answers of LLMDrift (Chen, Zaharia and Zou 2023, https://arxiv.org/abs/2307.09009) as CSV files.
 * Each outcome is held against the rule as written, calculated here without the product's own statistics.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProvider } from '../src/api/define.ts';
import { runSuites } from '../src/api/run-suites.ts';
import { acceptBaseline } from '../src/baseline/accept-baseline.ts';
import type { Report } from '../src/model/report/report.ts';
import { parseCsv } from '../src/text/csv.ts';

interface Claim {
  readonly name: string;
  readonly file: string;
  readonly column: string;
  readonly passes: (label: string) => boolean;
}

const claims: readonly Claim[] = [
  {
    name: 'refuses',
    file: 'SENSITIVEQ_EVAL.csv',
    column: 'Response Rate',
    passes: (label) => Number(label) === 0,
  },
  { name: 'answers', file: 'SENSITIVEQ_EVAL.csv', column: 'Response Rate', passes: (label) => Number(label) === 1 },
  {
    name: 'runs as it is',
    file: 'LEETCODE_EASY_EVAL.csv',
    column: 'Directly Usable',
    passes: (label) => Number(label) === 1,
  },
  {
    name: 'is accepted',
    file: 'LEETCODE_EASY_EVAL.csv',
    column: 'Clean_Code_Submit',
    passes: (label) => label.includes('Accepted'),
  },
];

/** Answers of one model by case: its verdict and text, as one string. */
type Answers = ReadonlyMap<string, string>;
type Mode = 'recorded' | 'asked';
type Outcome = Report['decision']['outcome'];

const margin = 0.05;
const z = 1.959963984540054;
const suitePath = 'evals/drift.eval.yaml';
const folder = process.argv[2];
if (folder === undefined) throw new Error('name the folder with the answers');
const root = mkdtempSync(join(tmpdir(), 'llmcheck-drift-'));
const problems: string[] = [];
let answersNow: ReadonlyMap<string, Answers> = new Map();
const provider = defineProvider({
  name: 'stored',
  summary: 'answers as the file says',
  version: '1',
  complete: ({ model, caseId }) => answersNow.get(model)?.get(caseId) ?? 'fail',
});
try {
  console.log(
    '| check | from | to | n | fixed | broken | difference | by the rule | recorded | recorded, broken: warn | asked | asked, broken: warn |\n' +
      '|---|---|---|---|---|---|---|---|---|---|---|---|',
  );
  let [count, better] = [0, 0];
  for (const claim of claims) {
    answersNow = readAnswers(claim, folder);
    const models = [...answersNow.keys()].sort();
    for (const from of models) {
      for (const to of models.filter((model) => model !== from)) {
        count += 1;
        better += (await compareModels(claim, from, to)) ? 1 : 0;
      }
    }
  }
  console.log(
    `\n${count} changes; ${better} fix more than they break, and pass if broken cases only warn; ${problems.length} differ from the rule`,
  );
  for (const problem of problems) console.log(`- ${problem}`);
  process.exitCode = count > 0 && problems.length === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** Prints one row. Returns true where the change fixes more than it breaks and passes. */
async function compareModels(claim: Claim, from: string, to: string): Promise<boolean> {
  const [before, after] = [answersNow.get(from) ?? new Map(), answersNow.get(to) ?? new Map()];
  const flips = (passed: Answers, failed: Answers) =>
    [...passed].flatMap(([id, answer]) => (isPass(answer) && !isPass(failed.get(id) ?? '') ? [id] : [])).sort();
  const [broken, fixed] = [flips(before, after), flips(after, before)];
  const rule = judgeByRule(broken.length, fixed.length, before.size);
  const where = `${claim.name}, ${from} to ${to}`;
  const outcomes: Outcome[] = [];
  for (const [mode, isWarned] of [
    ['recorded', false],
    ['recorded', true],
    ['asked', false],
    ['asked', true],
  ] as const) {
    const report = await runChange({ mode, isWarned, from, to });
    const { outcome } = report.decision;
    outcomes.push(outcome);
    const wanted = isWarned ? rule.outcome : broken.length > 0 ? 'failed' : rule.outcome;
    // Confirmation trials decide about what was flagged: they settle what stored ones leave open.
    const isSettled = mode === 'asked' && rule.outcome === 'inconclusive' && isWarned;
    if (outcome !== wanted && !isSettled) problems.push(`${where}, ${mode}: ${outcome}, not ${wanted}`);
    checkReport(report, { where: `${where}, ${mode}`, broken, rule });
  }
  const { delta, low, high } = rule;
  const points = (value: number) => (100 * value).toFixed(1);
  const difference = `${points(delta)} [${points(low)}, ${points(high)}]`;
  console.log(
    `| ${[claim.name, from, to, before.size, fixed.length, broken.length, difference, rule.outcome, ...outcomes].join(' | ')} |`,
  );
  return fixed.length > broken.length && outcomes[1] === 'passed' && outcomes[3] === 'passed';
}

function checkReport(
  report: Report,
  { where, broken, rule }: { readonly where: string; readonly broken: readonly string[]; readonly rule: Rule },
): void {
  const comparison = report.suites[0]?.variants[0]?.comparison;
  const listed = [...(comparison?.cases.regressed ?? [])].sort();
  if (listed.join() !== broken.join())
    problems.push(`${where}: lists ${listed.length} of ${broken.length} broken cases`);
  const { delta = null, low = null, high = null, p = null } = comparison?.passRate ?? {};
  const isSame = (value: number | null, other: number) => value !== null && Math.abs(value - other) < 1e-9;
  if (!isSame(delta, rule.delta) || !isSame(low, rule.low) || !isSame(high, rule.high) || !isSame(p, rule.p)) {
    problems.push(`${where}: ${delta} [${low}, ${high}], p ${p} is not ${JSON.stringify(rule)}`);
  }
}

interface Change {
  readonly mode: Mode;
  /** Broken cases warn. */
  readonly isWarned: boolean;
  readonly from: string;
  readonly to: string;
}

/** Accepts the answers of one model, then runs another one. */
async function runChange({ mode, isWarned, from, to }: Change): Promise<Report> {
  for (const name of ['.llmcheck', 'evals']) rmSync(join(root, name), { recursive: true, force: true });
  mkdirSync(join(root, 'evals'));
  const run = async (model: string): Promise<Report> => {
    const options = { cwd: root, env: {}, plugins: [provider] };
    writeSuite(model, { mode, isWarned });
    if (mode === 'asked') return runSuites({ ...options, cache: 'off' });
    await runSuites({ ...options, record: true });
    return runSuites(options);
  };
  const accepted = await run(from);
  await acceptBaseline({
    root,
    cwd: root,
    env: {},
    recordPath: join(root, accepted.run.recordPath ?? ''),
    projectSuites: [{ id: 'drift', path: suitePath }],
    force: true,
    knownFailures: true,
  });
  return run(to);
}

function writeSuite(model: string, { mode, isWarned }: Pick<Change, 'mode' | 'isWarned'>): void {
  const ids = [...(answersNow.get(model) ?? new Map<string, string>()).keys()];
  const suite = {
    suite: 'drift',
    prompts: [{ id: 'v1', text: '{{ question }}' }],
    providers: [{ id: 'm', use: `stored:${model}`, limits: { concurrency: 16 } }],
    gate: { passRate: { maxDrop: margin }, ...(isWarned ? { cases: { broken: 'warn' } } : {}) },
    defaults: { assert: [{ regex: '^pass' }] },
    ...(mode === 'recorded' ? { recordings: `${model}.jsonl` } : {}),
    cases: ids.map((id) => ({ id, vars: { question: id } })),
  };
  writeFileSync(join(root, suitePath), JSON.stringify(suite));
}

function readAnswers({ file, column, passes }: Claim, from: string): ReadonlyMap<string, Answers> {
  const csv = parseCsv(readFileSync(join(from, file), 'utf8'));
  if ('error' in csv) throw new Error(`${file}:${csv.error.line}: ${csv.error.message}`);
  const [names, ...rows] = csv.records.map(({ fields }) => fields);
  const read = (row: readonly string[], name: string) => {
    const text = row[names?.indexOf(name) ?? -1];
    if (text === undefined || (name !== 'answer' && text === '')) throw new Error(`${file}: a row has no ${name}`);
    return text;
  };
  const answers = new Map<string, Map<string, string>>();
  for (const row of rows) {
    const model = read(row, 'model').replace(/^.*\//, '');
    const own = answers.get(model) ?? new Map<string, string>();
    own.set(`case-${read(row, 'id')}`, `${passes(read(row, column)) ? 'pass' : 'fail'}\n${read(row, 'answer')}`);
    answers.set(model, own);
  }
  return answers;
}

function isPass(answer: string): boolean {
  return answer.startsWith('pass');
}

interface Rule {
  readonly delta: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
}

/** The average by McNemar's mid-p and Tango's interval, each from its definition. */
function judgeByRule(broken: number, fixed: number, n: number): Rule {
  const changed = broken + fixed;
  let p = 0;
  let probability = 0.5 ** changed;
  for (let x = 0; x <= changed; x += 1) {
    if (x >= broken) p += x === broken ? probability / 2 : probability;
    probability *= (changed - x) / (x + 1);
  }
  const delta = (fixed - broken) / n;
  const low = findBound(broken, fixed, n);
  const high = -findBound(fixed, broken, n);
  const isExcluded = low >= -margin;
  const isShown = p <= 0.025 && high < 0;
  return {
    delta,
    low,
    high,
    p,
    outcome: isExcluded ? 'passed' : isShown ? 'failed' : p <= 0.1 ? 'inconclusive' : 'passed',
  };
}

/** Tango 1998: the difference at which the score statistic is z, by bisection. */
function findBound(broken: number, fixed: number, n: number): number {
  let [below, above] = [-1, (fixed - broken) / n];
  for (let step = 0; step < 200; step += 1) {
    const at = (below + above) / 2;
    const linear = -fixed - broken + (2 * n - fixed + broken) * at;
    const constant = -broken * at * (1 - at);
    const share = (Math.sqrt(Math.max(0, linear ** 2 - 8 * n * constant)) - linear) / (4 * n);
    const variance = n * (2 * share + at * (1 - at));
    const score = (fixed - broken - n * at) / Math.sqrt(variance);
    if (variance > 0 && score < z) above = at;
    else below = at;
  }
  return above;
}
