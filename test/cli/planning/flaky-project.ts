import type { Calibration } from '../../../src/sizing/measure-false-alarms.ts';
import type { PlanSizeResult } from '../../../src/sizing/plan-size.ts';
import { completionOf, startChatServer } from '../../support/chat-server.ts';
import type { CliResult } from '../../support/run-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

export const suiteFile = 'evals/flaky.eval.yaml';
const casesFile = 'data/cases.jsonl';

/** What a call costs: 10 input tokens and 5 output tokens at the suite's own price. */
export const callUsd = 0.00002;

export interface FlakyProject extends TempProject {
  /** The model snapshot that answers. */
  model: string;
  readonly requests: readonly unknown[];
  readonly llmcheck: (...argv: readonly string[]) => Promise<CliResult>;
  /** Writes the cases: one a word, their answers one a letter, passed or failed, over and over again. */
  readonly setCases: (outcomes: string, extra?: Readonly<Record<string, Record<string, unknown>>>) => void;
  /** `llmcheck run --cache refresh`, which may fail. */
  readonly runFresh: (...argv: readonly string[]) => Promise<void>;
  readonly planSize: (...argv: readonly string[]) => Promise<PlanSizeResult['variants']>;
  readonly calibrate: (...argv: readonly string[]) => Promise<Calibration & { readonly code: number }>;
}

/** A suite of a server whose answers are wrong as often as its cases say. `{ key: yaml }` adds to the suite. */
export async function openFlakyProject(outcomes: string, extra = ''): Promise<FlakyProject> {
  const project = openTempProject();
  const letters = new Map<string, string>();
  const asked = new Map<string, number>();
  let model = 'small-2026-01';
  const server = await startChatServer(({ text }) => {
    const caseId = /case-\d+/.exec(text)?.[0] ?? '';
    const count = asked.get(caseId) ?? 0;
    asked.set(caseId, count + 1);
    const answers = letters.get(caseId) ?? 'p';
    return { body: completionOf(answers[count % answers.length] === 'p' ? caseId : `wrong ${count}`, model) };
  });
  const setCases: FlakyProject['setCases'] = (words, overrides = {}) => {
    const rows = words.split(' ').map((word, index) => {
      const id = `case-${String(index).padStart(2, '0')}`;
      letters.set(id, word);
      return JSON.stringify({ id, vars: { word: id }, expected: id, ...overrides[id] });
    });
    project.write(casesFile, `${rows.join('\n')}\n`);
  };
  const llmcheck: FlakyProject['llmcheck'] = (...argv) => project.run(argv, { env: server.env });
  const readJson = async (argv: readonly string[]) => {
    const result = await llmcheck(...argv, '--json');
    if (!result.stdout.startsWith('{')) throw new Error(`no JSON (exit ${result.code}):\n${result.stderr}`);
    return { code: result.code, report: JSON.parse(result.stdout) as unknown };
  };
  project.write(suiteFile, suiteText(extra));
  setCases(outcomes);
  return {
    ...project,
    get model() {
      return model;
    },
    set model(name) {
      model = name;
    },
    requests: server.requests,
    llmcheck,
    setCases,
    async runFresh(...argv) {
      const { code, stderr } = await llmcheck('run', '--no-baseline', '--cache', 'refresh', ...argv);
      if (code > 1) throw new Error(`exit ${code}:\n${stderr}`);
    },
    async planSize(...argv) {
      const { report } = await readJson(['plan-size', ...argv]);
      return (report as PlanSizeResult).variants;
    },
    async calibrate(...argv) {
      const { code, report } = await readJson(['calibrate', ...argv]);
      return { ...(report as Calibration), code };
    },
  };
}

export function suiteText(extra = '', prompt = 'Say: {{ word }}'): string {
  return `suite: flaky
prompts:
  - id: v1
    text: "${prompt}"
providers:
  - id: mini
    use: openai:small
    params: { max_tokens: 20 }
    price: { input: 1, output: 2 }
cases:
  - file: ../${casesFile}
    assert: [{ equals: "{{expected}}" }]
${extra}`;
}

/** The one variant of a suite that has one. */
export function onlyOne<T>(items: readonly T[]): T {
  const [only, second] = items;
  if (only === undefined || second !== undefined) throw new Error(`${items.length} items where one is wanted`);
  return only;
}
