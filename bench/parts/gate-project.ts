import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptBaseline } from '../../src/baseline/accept-baseline.ts';
import type { Io } from '../../src/cli/io.ts';
import { prepareRun } from '../../src/cli/run/prepare-run.ts';
import { type Report, runSuites } from '../../src/index.ts';
import { forecastRun } from '../../src/run/dry-run.ts';

/** What a simulated suite is made of. */
export interface SuiteShape {
  readonly cases: number;
  readonly trials: number;
  /** Providers, 1 if left out. Each makes a variant. */
  readonly providers?: number;
  /** Ids of must-pass cases. */
  readonly mustPass?: readonly number[];
  /** Cases of a group; without it there are none. */
  readonly groupSize?: number;
  /** Tags that are slices of the gate; each case has one of them. */
  readonly slices?: number;
  /** True if an answer has a score of quarters, and passes from 3/4. */
  readonly isScored?: boolean;
  /** True if the check counts as a judge's, as one among the parts of a combination does. */
  readonly isJudged?: boolean;
  /** Members of the gate, as YAML flow. */
  readonly gate?: string;
}

export type Side = 'accepted' | 'candidate';

/** The score of a simulated answer, in quarters of 1, by the suite, the case, the side and the provider that is asked. */
export type DrawScore = (suite: number, caseIndex: number, side: Side, provider: number) => number;

/** Whether a simulated answer fails. */
type DrawFailure = (suite: number, caseIndex: number, side: Side, provider: number) => boolean;

/** A project in the temporary folder whose model answers as a simulation says. */
export interface GateProject {
  /** Writes the suites with this prompt. */
  write(shapes: readonly SuiteShape[], prompt: Side): void;
  /** Forgets baselines, runs and answers. */
  clear(): void;
  /** Removes the records alone. */
  forgetRuns(): void;
  run(
    draw: DrawFailure | DrawScore,
    options?: { readonly drift?: boolean; readonly early?: boolean; readonly seed?: number },
  ): Promise<SimulatedRun>;
  accept(run: SimulatedRun): Promise<void>;
  /** The most calls that the next run may make, as a dry run says. */
  forecastCalls(): Promise<number>;
  readonly root: string;
  close(): void;
}

export interface SimulatedRun {
  readonly report: Report;
  /** Calls that the model got. */
  readonly calls: number;
}

interface SimulatedModel {
  answer: (model: string, text: string) => string;
}

const modelKey = Symbol.for('llmcheck.bench.model');

const plugin = `const model = globalThis[Symbol.for('llmcheck.bench.model')];
export const simulated = {
  kind: 'provider',
  name: 'simulated',
  summary: 'Answers as a simulation says',
  complete: ({ model: name, messages }) => model.answer(name, messages.at(-1).content),
};
`;

/** An answer of so many quarters holds so many of these letters. */
const letters = 'abcd';

export function openGateProject(): GateProject {
  const root = mkdtempSync(join(tmpdir(), 'llmcheck-gate-'));
  const model: SimulatedModel = { answer: () => '-' };
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
    root,
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
      model.answer = (name, text) => {
        calls += 1;
        const [side, suite, index] = text.split(' ');
        const drawn = draw(
          Number(suite),
          Number(index),
          side === 'candidate' ? 'candidate' : 'accepted',
          Number(name.slice(1)),
        );
        const quarters = typeof drawn === 'number' ? drawn : drawn ? 0 : 4;
        return `-${letters.slice(0, quarters)}`;
      };
      const report = await runSuites({ cwd: root, cache: 'off', ...options });
      return { report, calls };
    },
    async accept({ report }) {
      const recordPath = join(root, report.run.recordPath ?? '');
      const projectSuites = report.suites.map(({ suite, path }) => ({ id: suite, path }));
      await acceptBaseline({ root, cwd: root, env: {}, recordPath, projectSuites, force: true, knownFailures: true });
    },
    async forecastCalls() {
      const prepared = await prepareRun([], { cache: 'off', color: false }, silentIo(root));
      const { variants, fresh } = await forecastRun(prepared.options, { ...prepared.ports, onProgress: () => {} });
      return variants.reduce((sum, { requests }) => sum + requests, fresh.calls);
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

function silentIo(cwd: string): Io {
  const sink = { write: () => {}, isTty: false, columns: () => undefined };
  return {
    stdout: sink,
    stderr: sink,
    env: {},
    cwd,
    now: () => new Date(),
    random: Math.random,
    onSignal: () => () => {},
  };
}

function suiteText(
  suite: number,
  { trials, providers = 1, slices = 0, isScored, isJudged, gate }: SuiteShape,
  prompt: Side,
): string {
  const ids = Array.from({ length: providers }, (_, index) => `m${index}`);
  const ofSlices = Array.from({ length: slices }, (_, index) => `t${index}: { passRate: { maxDrop: 10% } }`);
  const members = [
    ...(gate === undefined ? [] : [gate]),
    ...(slices === 0 ? [] : [`slices: { ${ofSlices.join(', ')} }`]),
  ];
  const checks = (isScored === true ? letters.split('') : [letters]).map((text) => `{ contains: ${text} }`);
  return `suite: s${suite}
prompts: [{ id: v1, text: "${prompt} ${suite} {{ index }}" }]
providers: [${ids.map((id) => `{ id: ${id}, use: "simulated:${id}", limits: { concurrency: 64 } }`).join(', ')}]
gate: { ${members.join(', ')} }
defaults: { trials: ${trials}, assert: [${isJudged === true ? `{ anyOf: [${checks.join(', ')}] }` : checks.join(', ')}] }
cases: [{ file: s${suite}.jsonl${isScored === true ? ', threshold: 0.7' : ''} }]
`;
}

function casesText({ cases, mustPass = [], groupSize, slices = 0 }: SuiteShape): string {
  const contracts = new Set(mustPass);
  const lines = Array.from({ length: cases }, (_, index) =>
    JSON.stringify({
      id: `c${index}`,
      vars: { index: String(index) },
      ...(contracts.has(index) ? { mustPass: true } : {}),
      ...(groupSize === undefined ? {} : { group: `g${Math.floor(index / groupSize)}` }),
      ...(slices === 0 ? {} : { tags: [`t${index % slices}`] }),
    }),
  );
  return `${lines.join('\n')}\n`;
}
