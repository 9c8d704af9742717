import { execFileSync } from 'node:child_process';
import { type ChatServer, completionOf, startChatServer, wordOf } from '../../support/chat-server.ts';
import type { CliOptions, CliResult } from '../../support/run-cli.ts';
import { type JsonReport, openTempProject, type TempProject } from '../../support/temp-project.ts';

/** What a word is answered with; a function gets how often the word was asked for before. */
type Answer = string | ((asked: number) => string | { readonly status: number; readonly body: object });

export interface BaselineProject extends TempProject {
  readonly server: ChatServer;
  /** Answers that differ from the word itself, by word. */
  readonly answers: Map<string, Answer>;
  /** How often each word was asked for since the last `forget`, by the edited prompt. */
  readonly asked: Map<string, number>;
  /** The same by the accepted prompt, while it is asked again beside the edited one. */
  readonly askedAccepted: Map<string, number>;
  /** Tokens that an answer is said to have cost, by word. */
  readonly tokens: Map<string, number>;
  forget(): void;
  llmcheck(...argv: string[]): Promise<CliResult>;
  /** With `-r json`; the comparison of the only variant, or of the one that is named. */
  compared(argv: readonly string[], options?: Omit<CliOptions, 'cwd'>): Promise<ComparedRun>;
  /** Runs and accepts what came, then changes the prompt's params: later answers are those of an edited prompt. */
  accept(...argv: string[]): Promise<void>;
  /** The same without the edit: later runs send what was accepted. */
  acceptUnchanged(...argv: string[]): Promise<void>;
  /** Changes the prompt's params. From then on scripted answers are those of the edited prompt alone. */
  editPrompt(): void;
  /** From then on scripted answers are those of the accepted prompt too: the model itself has changed. */
  changeModel(): void;
  edit(file: string, from: string | RegExp, to: string): void;
  git(...argv: string[]): string;
}

export interface ComparedRun extends CliResult {
  readonly report: JsonReport;
  readonly comparisons: readonly JsonComparison[];
  readonly comparison: JsonComparison;
  readonly codes: readonly string[];
  /** Cases that a breach names. */
  readonly named: readonly string[];
}

interface JsonMetric {
  readonly baseline: number | null;
  readonly candidate: number | null;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly p: number | null;
}

interface JsonComparison {
  readonly outcome: string;
  readonly certainty: { readonly kind: string };
  readonly against: { readonly source: string; readonly prompt: string };
  readonly passRate: JsonMetric;
  readonly score: JsonMetric;
  readonly costUsd: JsonMetric;
  readonly latencyMs: JsonMetric;
  readonly classes?: {
    readonly cases: number;
    readonly f1: JsonMetric;
    readonly recall: readonly (JsonMetric & { readonly class: string; readonly cases: number })[];
    readonly cells: readonly object[];
  };
  readonly cases: Readonly<Record<string, readonly string[]>>;
  readonly residue: readonly string[];
  readonly advice: readonly string[];
  readonly notes: readonly string[];
  readonly accepted: readonly string[];
  readonly prompts?: object;
}

export const suiteFile = 'evals/words.eval.yaml';
export const casesFile = 'evals/words.jsonl';
export const baselineFile = 'evals/words.baseline.jsonl';

/** Twenty cases that each ask for their own word, and a server that says it unless told otherwise. */
export async function openBaselineProject(): Promise<BaselineProject> {
  const project = openTempProject('baseline');
  const answers = new Map<string, Answer>();
  const asked = new Map<string, number>();
  const askedAccepted = new Map<string, number>();
  const tokens = new Map<string, number>();
  // Each edit of the prompt raises its limit of tokens, by which the server knows the accepted prompt from the new one.
  let maxTokens = 20;
  let hasModelChanged = false;
  let answered = 0;
  const server = await startChatServer(({ text, model, body }) => {
    const word = wordOf(text);
    const isAccepted = typeof body['max_tokens'] === 'number' && body['max_tokens'] < maxTokens;
    const counts = isAccepted ? askedAccepted : asked;
    const before = counts.get(word) ?? 0;
    counts.set(word, before + 1);
    const answer = isAccepted && !hasModelChanged ? word : (answers.get(word) ?? word);
    const said = typeof answer === 'function' ? answer(before) : answer;
    if (typeof said !== 'string') return said;
    const output = isAccepted ? 5 : (tokens.get(word) ?? tokens.get('*') ?? 5);
    const usage = { prompt_tokens: 10, completion_tokens: output, total_tokens: 10 + output };
    // As real APIs do: two answers that take equally long would be one answer otherwise.
    answered += 1;
    return { body: { ...completionOf(said, model), id: `chatcmpl-${answered}`, usage } };
  });
  const { env } = server;
  const forget = () => {
    asked.clear();
    askedAccepted.clear();
  };
  const llmcheck: BaselineProject['llmcheck'] = (...argv) => project.run(argv, { env });
  const acceptUnchanged: BaselineProject['acceptUnchanged'] = async (...argv) => {
    const run = await llmcheck('run', ...argv, '-q');
    if (run.code > 1) throw new Error(`nothing to accept (exit ${run.code}):\n${run.stdout}${run.stderr}`);
    const { code, stderr } = await llmcheck('baseline', 'accept', '--force');
    if (code !== 0) throw new Error(stderr);
    forget();
  };
  const editPrompt = () => {
    const text = project.read(suiteFile);
    project.write(suiteFile, text.replaceAll(`max_tokens: ${maxTokens}`, `max_tokens: ${maxTokens + 1}`));
    maxTokens += 1;
  };
  return {
    ...project,
    server,
    answers,
    asked,
    askedAccepted,
    tokens,
    forget,
    llmcheck,
    async compared(argv, options = {}) {
      const { env: own, ...others } = options;
      const result = await project.report(argv, { ...others, env: { ...env, ...own } });
      const comparisons = result.report.suites.flatMap(({ variants }) =>
        variants.flatMap((variant) => ('comparison' in variant ? [variant.comparison as JsonComparison] : [])),
      );
      const { breaches } = result.report.decision;
      return {
        ...result,
        comparisons,
        get comparison() {
          const [only, second] = comparisons;
          if (only === undefined || second !== undefined) throw new Error(`${comparisons.length} comparisons`);
          return only;
        },
        codes: [...new Set(breaches.map(({ code }) => code))].sort(),
        named: breaches.flatMap(({ caseId }) => caseId ?? []).sort(),
      };
    },
    acceptUnchanged,
    editPrompt,
    changeModel: () => {
      hasModelChanged = true;
    },
    async accept(...argv) {
      await acceptUnchanged(...argv);
      editPrompt();
    },
    edit(file, from, to) {
      const before = project.read(file);
      const after = before.replace(from, to);
      if (after === before) throw new Error(`nothing to replace in ${file}: ${String(from)}`);
      project.write(file, after);
    },
    git: (...argv) =>
      execFileSync(
        'git',
        ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false', ...argv],
        {
          cwd: project.root,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          env: { PATH: process.env['PATH'], HOME: project.root, GIT_CONFIG_NOSYSTEM: '1' },
        },
      ),
  };
}

/** Another name of the server's address. */
export function otherAddress({ server }: Pick<BaselineProject, 'server'>): string {
  return (server.env['OPENAI_BASE_URL'] ?? '').replace('127.0.0.1', 'localhost');
}

/** `w01` … of `case-01` …: the first so many. */
export function firstWords(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `w${String(index + 1).padStart(2, '0')}`);
}

export function caseOf(word: string): string {
  return word.replace(/^w/, 'case-');
}

/** A baseline file without what another call gives anew: latencies, the names of answers, and what is counted over runs. */
export function withoutMeasured(text: string): string {
  return text.replaceAll(/"latencyMs":[\d.]+|"answerId":"[0-9a-f]+"|"pooled":\{.*?\},(?="trials":\[)/g, '');
}
