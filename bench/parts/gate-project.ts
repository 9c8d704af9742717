import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptBaseline } from '../../src/baseline/accept-baseline.ts';
import { type Report, runSuites } from '../../src/index.ts';

/** What a simulated suite is made of. */
export interface SuiteShape {
  readonly cases: number;
  readonly trials: number;
  /** Ids of must-pass cases. */
  readonly mustPass?: readonly number[];
}

/** Whether a simulated answer fails, by the suite, the case and the side that is asked. */
type DrawFailure = (suite: number, caseIndex: number, side: 'accepted' | 'candidate') => boolean;

/** A project in memory or in the temporary folder whose model answers as a simulation says. */
export interface GateProject {
  /** Writes the suites with this prompt. */
  write(shapes: readonly SuiteShape[], prompt: 'accepted' | 'candidate'): void;
  /** Forgets baselines, runs and answers. */
  clear(): void;
  /** Removes the records alone. */
  forgetRuns(): void;
  run(
    draw: DrawFailure,
    options?: { readonly drift?: boolean; readonly early?: boolean; readonly seed?: number },
  ): Promise<SimulatedRun>;
  accept(run: SimulatedRun): Promise<void>;
  close(): void;
}

export interface SimulatedRun {
  readonly report: Report;
  /** Calls that the model got. */
  readonly calls: number;
}

interface SimulatedModel {
  answer: (text: string) => string;
}

const modelKey = Symbol.for('llmcheck.bench.model');

const plugin = `const model = globalThis[Symbol.for('llmcheck.bench.model')];
export const simulated = {
  kind: 'provider',
  name: 'simulated',
  summary: 'Answers as a simulation says',
  complete: ({ messages }) => model.answer(messages.at(-1).content),
};
`;

export function openGateProject(): GateProject {
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-gate-'));
  const model: SimulatedModel = { answer: () => 'no' };
  Object.assign(globalThis, { [modelKey]: model });
  writeFileSync(join(root, 'llmcheck.config.yaml'), 'plugins: [./simulated.mjs]\n');
  writeFileSync(join(root, 'simulated.mjs'), plugin);
  mkdirSync(join(root, 'evals'));
  const clear = (): void => {
    rmSync(join(root, '.llmcheck'), { recursive: true, force: true });
    rmSync(join(root, 'evals'), { recursive: true, force: true });
    mkdirSync(join(root, 'evals'));
  };
  return {
    clear,
    forgetRuns: () => rmSync(join(root, '.llmcheck', 'runs'), { recursive: true, force: true }),
    write(shapes, prompt) {
      for (const [suite, shape] of shapes.entries()) {
        writeFileSync(join(root, 'evals', `s${suite}.eval.yaml`), suiteText(suite, shape, prompt));
        writeFileSync(join(root, 'evals', `s${suite}.jsonl`), casesText(shape));
      }
    },
    async run(draw, options = {}) {
      let calls = 0;
      model.answer = (text) => {
        calls += 1;
        const [side, suite, index] = text.split(' ');
        const isFailed = draw(Number(suite), Number(index), side === 'candidate' ? 'candidate' : 'accepted');
        return isFailed ? 'no' : 'yes';
      };
      const report = await runSuites({ cwd: root, cache: 'off', ...options });
      return { report, calls };
    },
    async accept({ report }) {
      const recordPath = join(root, report.run.recordPath ?? '');
      const projectSuites = report.suites.map(({ suite, path }) => ({ id: suite, path }));
      await acceptBaseline({ root, cwd: root, env: {}, recordPath, projectSuites, force: true, knownFailures: true });
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

function suiteText(suite: number, { trials }: SuiteShape, prompt: string): string {
  return `suite: s${suite}
prompts: [{ id: v1, text: "${prompt} ${suite} {{ index }}" }]
providers: [{ id: m, use: "simulated:m", limits: { concurrency: 64 } }]
defaults: { trials: ${trials}, assert: [{ equals: "yes" }] }
cases: [{ file: s${suite}.jsonl }]
`;
}

function casesText({ cases, mustPass = [] }: SuiteShape): string {
  const contracts = new Set(mustPass);
  const lines = Array.from({ length: cases }, (_, index) =>
    JSON.stringify({
      id: `c${index}`,
      vars: { index: String(index) },
      ...(contracts.has(index) ? { mustPass: true } : {}),
    }),
  );
  return `${lines.join('\n')}\n`;
}
