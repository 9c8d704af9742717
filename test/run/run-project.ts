import { rmSync } from 'node:fs';
import { defineProvider } from '../../src/api/define.ts';
import { openContext, type RunSuitesOptions, toFlags } from '../../src/api/options.ts';
import { runSuites } from '../../src/api/run-suites.ts';
import { prepareRun } from '../../src/cli/run/prepare-run.ts';
import type { Report } from '../../src/model/report/report.ts';
import type { ProgressEvent } from '../../src/model/run/progress.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import type { ProviderAnswer } from '../../src/model/suite/own-code.ts';
import type { RunOptions, RunPorts } from '../../src/plan/run-options.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

/** What a provider says to the text of a request: an answer, or a status of HTTP. `asked`: how often it was asked before. */
export type Reply = (text: string, asked: number, model: string) => string | number | ProviderAnswer;

export interface DoneRun {
  readonly report: Report;
  /** The texts that were sent, in their order. */
  readonly asked: readonly string[];
  readonly events: readonly ProgressEvent[];
  /** The rows that were written now, in their order. */
  readonly rows: readonly string[];
  /** Outcome, breaches, warnings and how the run ended. */
  readonly verdict: readonly string[];
}

interface RunProject extends TempProject {
  reply: Reply;
  edit(file: string, from: string | RegExp, to: string): void;
  /** Runs all suites within this process, one call at a time. */
  go(options?: RunSuitesOptions & { readonly onEvent?: (event: ProgressEvent) => void }): Promise<DoneRun>;
  /** What a run would be given. */
  prepare(options?: RunSuitesOptions): Promise<{ readonly options: RunOptions; readonly ports: RunPorts }>;
}

/** A project whose suites ask `own:MODEL`, which answers without a server: with what follows `: ` unless told otherwise. */
export function openRunProject(files: Readonly<Record<string, string>>): RunProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [evals/*.eval.yaml]\n');
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  const counts = new Map<string, number>();
  let asked: string[] = [];
  const own = defineProvider({
    name: 'own',
    summary: 'answers by itself',
    complete({ messages, model }) {
      const text = messages.at(-1)?.content ?? '';
      const before = counts.get(text) ?? 0;
      counts.set(text, before + 1);
      asked.push(text);
      const reply = opened.reply(text, before, model);
      if (typeof reply === 'number') throw Object.assign(new Error(`status ${reply}`), { status: reply });
      return typeof reply === 'string' ? { text: reply, usage: { inputTokens: 10, outputTokens: 5 } } : reply;
    },
  });
  const place = { cwd: project.root, env: {}, concurrency: 1 };
  const opened: RunProject = {
    ...project,
    reply: (text) => text.replace(/^.*: /, ''),
    edit(file, from, to) {
      const text = project.read(file);
      const edited = text.replaceAll(from, to);
      if (edited === text) throw new Error(`${file} has no ${from}`);
      project.write(file, edited);
    },
    async go({ onEvent, ...options } = {}) {
      asked = [];
      counts.clear();
      const events: ProgressEvent[] = [];
      const run = runSuites({ ...place, plugins: [own], ...options });
      for await (const event of run) {
        events.push(event);
        onEvent?.(event);
      }
      const report = await run;
      const rows = events.flatMap((event) => (event.type === 'cell-finished' ? describeRow(event.row) : []));
      return { report, asked, events, rows, verdict: describeVerdict(report) };
    },
    async prepare(options = {}) {
      const all = { ...place, ...options };
      const { cwd, env } = openContext(all);
      const io = {
        stdout: { write: () => undefined, isTty: false, columns: () => undefined },
        stderr: { write: () => undefined, isTty: false, columns: () => undefined },
        env,
        cwd,
        now: () => new Date('2026-11-28T08:00:00.000Z'),
        random: () => 0.5,
        onSignal: () => () => undefined,
      };
      const prepared = await prepareRun([], toFlags(all), io, { plugins: [own] });
      return { options: prepared.options, ports: { ...prepared.ports, onProgress: () => undefined } };
    },
  };
  return opened;
}

const baselines = new Map<string, Readonly<Record<string, string>>>();

/** The same with a baseline of all suites as they are, which is made once for each set of files. */
export async function openAccepted(files: Readonly<Record<string, string>>): Promise<RunProject> {
  const key = JSON.stringify(files);
  const known = baselines.get(key);
  const project = openRunProject({ ...files, ...known });
  if (known !== undefined) return project;
  await project.go({ updateBaseline: true, cache: 'off' });
  rmSync(project.path('.llmcheck'), { recursive: true });
  const made = project.files('evals').filter((name) => name.endsWith('.baseline.jsonl'));
  baselines.set(key, Object.fromEntries(made.map((name) => [name, project.read(name)])));
  return project;
}

function describeRow({ caseId, trial, status, side, confirmation, prompt, provider, skip }: CellRow): string {
  const of = side === 'accepted' ? 'accepted' : confirmation === true ? 'again' : `${trial}`;
  const variant = prompt === 'v1' && provider === 'own' ? '' : `${prompt} × ${provider} `;
  return `${variant}${caseId} ${of} ${status}${skip === undefined ? '' : ` by ${skip.reason}`}`;
}

function describeVerdict({ decision, run, notes }: Report): readonly string[] {
  return [
    `${decision.outcome}${run.stopReason === undefined ? '' : `, stopped by ${run.stopReason}`}`,
    ...decision.breaches.map(({ code, message }) => `${code}: ${message}`),
    ...decision.warnings.map((warning) => `warning: ${warning}`),
    ...notes.map((note) => `note: ${note}`),
  ];
}

export const words = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `w${String(index).padStart(2, '0')}`);

/** A suite that asks for its words; `more` stands before its cases, `ofCase` adds to one. */
export function wordsSuite(count: number, more = '', ofCase: (word: string) => string = () => ''): string {
  return `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: own, use: "own:model", price: { input: 1, output: 2 }, params: { max_tokens: 100 } }]
defaults: { assert: [{ equals: "{{ word }}" }] }
${more}
cases:
${words(count)
  .map((word) => `  - { id: ${word}, vars: { word: ${word} }${ofCase(word)} }\n`)
  .join('')}`;
}
