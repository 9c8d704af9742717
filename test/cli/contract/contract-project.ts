import { type ChatServer, startChatServer, wordOf } from '../../support/chat-server.ts';
import { commitAll, initRepository, runGit } from '../../support/git.ts';
import type { CliResult } from '../../support/run-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

export interface JsonFinding {
  readonly suite?: string;
  readonly prompt?: string;
  readonly ruleId: string;
  readonly direction: string;
  readonly severity: string;
  readonly path: string;
  readonly message: string;
  readonly fingerprint: string;
  readonly approved?: boolean;
  readonly at?: { readonly file: string; readonly line: number; readonly column: number };
}

export interface JsonContracts {
  readonly format: number;
  readonly findings: readonly JsonFinding[];
  readonly notes: readonly string[];
  readonly observed: readonly {
    readonly prompt: string;
    readonly answers: string;
    readonly schema: string;
    readonly total: number;
    readonly rejected: number;
    readonly offenders: readonly { readonly caseId: string; readonly reason: string }[];
    readonly message: string;
  }[];
}

export interface ContractProject extends TempProject {
  readonly server: ChatServer;
  /** Answers by the number of their case; else a billing answer. */
  readonly answers: Map<number, unknown>;
  git(...argv: string[]): string;
  commit(message?: string): void;
  edit(file: string, from: string | RegExp, to: string): void;
  llmcheck(...argv: string[]): Promise<CliResult>;
  /** `contract …` with `-r json`. */
  contract(...argv: string[]): Promise<CliResult & JsonContracts>;
  /** Runs all cases and accepts what came. */
  accept(): Promise<void>;
}

export const suiteFile = 'evals/triage.eval.yaml';
export const outputFile = 'evals/schemas/output.json';
export const inputFile = 'evals/schemas/input.yaml';
export const promptFile = 'evals/prompts/triage.md';

const suite = `prompts:
  - id: v1
    file: prompts/triage.md
providers: [openai:test-model]
contract:
  input: schemas/input.yaml
  output: schemas/output.json
cases: [{ file: cases.jsonl }]
`;

const input = `type: object
required: [email]
properties:
  email: { type: string }
  channel: { enum: [mail, chat] }
`;

const output = {
  type: 'object',
  required: ['queue', 'reason'],
  properties: {
    queue: { enum: ['billing', 'legal', 'sales'] },
    reason: { type: 'string' },
  },
};

/** A repository with a suite of forty cases, whose prompt has an input and an output schema in files of their own. */
export async function openContractProject(): Promise<ContractProject> {
  const project = openTempProject();
  const answers = new Map<number, unknown>();
  const server = await startChatServer(({ text }) => {
    const answer = answers.get(Number(wordOf(text)) || 0) ?? { queue: 'billing', reason: 'money' };
    return typeof answer === 'string' ? answer : JSON.stringify(answer);
  });
  const git: ContractProject['git'] = (...argv) => runGit(project.root, ...argv);
  const commit: ContractProject['commit'] = (message) => void commitAll(project.root, message);
  // Git itself needs to be found by the program.
  const env = { ...server.env, PATH: process.env['PATH'] ?? '' };
  const llmcheck: ContractProject['llmcheck'] = (...argv) => project.run(argv, { env });
  project.write(suiteFile, suite);
  project.write(inputFile, input);
  project.write(outputFile, `${JSON.stringify(output, undefined, 2)}\n`);
  project.write(promptFile, 'Say: {{ email }}\n');
  project.write(
    'evals/cases.jsonl',
    Array.from({ length: 40 }, (_, index) => {
      const id = `case-${String(index + 1).padStart(2, '0')}`;
      return `${JSON.stringify({ id, vars: { email: String(index + 1) }, assert: [{ contains: 'queue' }] })}\n`;
    }).join(''),
  );
  project.write('.gitignore', '.llmcheck/\n');
  initRepository(project.root, 'first');
  return {
    ...project,
    server,
    answers,
    git,
    commit,
    llmcheck,
    edit(file, from, to) {
      const before = project.read(file);
      const after = before.replace(from, to);
      if (after === before) throw new Error(`nothing to replace in ${file}: ${String(from)}`);
      project.write(file, after);
    },
    async contract(...argv) {
      const result = await llmcheck('contract', ...argv, '-r', 'json');
      if (!result.stdout.startsWith('{')) throw new Error(`no findings (exit ${result.code}):\n${result.stderr}`);
      return { ...result, ...(JSON.parse(result.stdout) as JsonContracts) };
    },
    async accept() {
      const run = await llmcheck('run', '-q', '--no-baseline');
      if (run.code > 1) throw new Error(`nothing to accept (exit ${run.code}):\n${run.stdout}${run.stderr}`);
      const { code, stderr } = await llmcheck('baseline', 'accept', '--force');
      if (code !== 0) throw new Error(stderr);
    },
  };
}

/** `rule severity path`, the part of a finding that tests hold on to. */
export function linesOf(findings: readonly JsonFinding[]): readonly string[] {
  return findings.map(({ ruleId, severity, path }) => `${ruleId} ${severity} ${path}`);
}
