import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-sentences-'));
  try {
    writeProject(root, cases, effect);
    const llmcheck = (...argv: string[]) => runCli(argv, { cwd: root });
    writeSuite(root, 'accepted');
    for (const command of [
      ['run', '-q'],
      ['baseline', 'accept'],
    ]) {
      const { code, stdout, stderr } = await llmcheck(...command);
      if (code !== 0) throw new Error(`${stdout}${stderr}`);
    }
    writeSuite(root, 'edited');
    const { code, stdout } = await llmcheck('run', '-r', 'json');
    const report = JSON.parse(stdout) as EditedReport;
    const { outcome, headline } = report.decision;
    return { code, headline: `${outcome.toUpperCase()}: ${headline}`, report };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function writeProject(root: string, cases: number, effect: EditEffect): void {
  mkdirSync(join(root, 'evals'));
  writeFileSync(join(root, 'llmcheck.config.yaml'), 'plugins: [./model.mjs]\n');
  writeFileSync(join(root, 'model.mjs'), modelText(failureOf(cases, effect)));
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

/** When the edited prompt fails, by the case's index and how often it was asked. */
function failureOf(cases: number, effect: EditEffect): string {
  if (effect === 'nothing') return 'false';
  if (effect === 'fails one trial in ten') return '(7 * asked + index) % 10 === 0';
  // A tenth of five cases is half a case: one that fails every other time.
  return cases < 10 ? 'index === 0 && asked % 2 === 0' : 'index % 10 === 0';
}

function modelText(isFailure: string): string {
  return `const counts = new Map();
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
    return ${isFailure} ? 'no' : 'yes';
  },
};
`;
}
