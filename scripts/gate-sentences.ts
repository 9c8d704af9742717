import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../test/support/run-cli.ts';

/** What an edit of the prompt does to a suite in which every case passed. */
export type EditEffect = 'nothing' | 'breaks one case in ten' | 'fails one trial in ten';

export interface EditedRun {
  readonly code: number;
  /** The sentence that a reader sees. */
  readonly headline: string;
  /** The JSON report. */
  readonly report: EditedReport;
}

interface EditedReport {
  readonly decision: {
    readonly outcome: string;
    readonly headline: string;
    readonly certainty: { readonly kind: string; readonly cases: number; readonly drop?: number };
    readonly breaches: readonly { readonly code: string; readonly caseId?: string }[];
  };
  readonly suites: readonly {
    readonly variants: readonly { readonly comparison: { readonly passRate: EditedRate } }[];
  }[];
}

interface EditedRate {
  readonly delta: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
}

/** Accepts a suite of so many cases, edits its prompt, and runs it again: by the real commands, in this process. */
export async function runEdited(cases: number, effect: EditEffect): Promise<EditedRun> {
  const baseline = acceptedBaselines.get(cases) ?? acceptSuite(cases);
  acceptedBaselines.set(cases, baseline);
  return inProject(cases, effect.replace(/ .*/, ''), async (root) => {
    writeFileSync(join(root, baselinePath), await baseline);
    const { code, stdout } = await runCli(['run', '--cache', 'off', '-r', 'json'], { cwd: root });
    const report = JSON.parse(stdout) as EditedReport;
    const { outcome, headline } = report.decision;
    return { code, headline: `${outcome.toUpperCase()}: ${headline}`, report };
  });
}

const baselinePath = 'evals/words.baseline.jsonl';

/** By the number of cases: before the edit, all effects are the same. */
const acceptedBaselines = new Map<number, Promise<string>>();

function acceptSuite(cases: number): Promise<string> {
  return inProject(cases, 'accepted', async (root) => {
    for (const command of [
      ['run', '-q', '--cache', 'off'],
      ['baseline', 'accept'],
    ]) {
      const { code, stdout, stderr } = await runCli(command, { cwd: root });
      if (code !== 0) throw new Error(`${stdout}${stderr}`);
    }
    return readFileSync(join(root, baselinePath), 'utf8');
  });
}

async function inProject<Result>(
  cases: number,
  prompt: string,
  use: (root: string) => Promise<Result>,
): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-sentences-'));
  try {
    writeProject(root, cases);
    writeSuite(root, prompt);
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function writeProject(root: string, cases: number): void {
  mkdirSync(join(root, 'evals'));
  writeFileSync(join(root, 'llmcheck.config.yaml'), 'plugins: [./model.mjs]\n');
  writeFileSync(join(root, 'model.mjs'), modelText(cases));
  const lines = Array.from({ length: cases }, (_, index) =>
    JSON.stringify({ id: `case-${index}`, vars: { index: String(index) } }),
  );
  writeFileSync(join(root, 'evals/words.jsonl'), `${lines.join('\n')}\n`);
}

function writeSuite(root: string, prompt: string): void {
  const suite = {
    suite: 'words',
    prompts: [{ id: 'v1', text: `${prompt} {{ index }}` }],
    providers: [{ id: 'm', use: 'words:m', limits: { concurrency: 64 } }],
    defaults: { assert: [{ equals: 'yes' }] },
    cases: [{ file: 'words.jsonl' }],
  };
  writeFileSync(join(root, 'evals/words.eval.yaml'), JSON.stringify(suite));
}

/** One program for every prompt, since answers of a changed one are not compared. The first word of a prompt says when it fails. */
function modelText(cases: number): string {
  // A tenth of five cases is half a case: one that fails every other time.
  const broken = cases < 10 ? 'index === 0 && asked % 2 === 0' : 'index % 10 === 0';
  return `const counts = new Map();
const isFailure = {
  nothing: () => false,
  breaks: (index, asked) => ${broken},
  fails: (index, asked) => (7 * asked + index) % 10 === 0,
};
export const words = {
  kind: 'provider',
  name: 'words',
  summary: 'answers yes, unless the edited prompt fails',
  complete: ({ messages }) => {
    const [prompt, text] = messages.at(-1).content.split(' ');
    if (prompt === 'accepted') return 'yes';
    const index = Number(text);
    const asked = counts.get(index) ?? 0;
    counts.set(index, asked + 1);
    return isFailure[prompt](index, asked) ? 'no' : 'yes';
  },
};
`;
}
