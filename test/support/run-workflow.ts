import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import {
  type Action,
  type Context,
  evaluate,
  fill,
  isTrue,
  parseOutputs,
  runAction,
  runScript,
  uploadArtifact,
  useCache,
} from './run-action.ts';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z.record(z.string(), text);

const stepSchema = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  if: text.optional(),
  uses: z.string().optional(),
  with: texts.optional(),
  env: texts.optional(),
  run: z.string().optional(),
  shell: z.literal('bash').optional(),
  'continue-on-error': z.boolean().optional(),
});

const jobSchema = z.looseObject({
  if: text.optional(),
  permissions: texts.optional(),
  outputs: texts.optional(),
  steps: z.array(stepSchema),
});

const workflowSchema = z.looseObject({ name: z.string(), jobs: z.record(z.string(), jobSchema) });

export type Workflow = z.infer<typeof workflowSchema>;

export function readWorkflow(path: string): Workflow {
  return workflowSchema.parse(parse(readFileSync(path, 'utf8')));
}

export interface JobRun {
  readonly ran: boolean;
  readonly exitCode: number;
  readonly log: string;
  readonly summary: string;
  /** Of the job. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface WorkflowJobOptions {
  readonly workspace: string;
  readonly action: Action;
  /** What the runner sets. A secret reaches a step only by its `env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly token: string;
  readonly runId: string;
  readonly cache: Map<string, string>;
  /** Folders by the name of the artifact, kept between jobs. */
  readonly artifacts: Map<string, string>;
  readonly event?: unknown;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly needs?: Context['needs'];
  readonly matrix?: Readonly<Record<string, string | number>>;
}

/** Carries the steps of a job out: its scripts and this repository's action are run, actions of GitHub are played. */
export async function runJob({ jobs }: Workflow, name: string, options: WorkflowJobOptions): Promise<JobRun> {
  const job = jobs[name];
  if (job === undefined) throw new Error(`no job ${name}`);
  const temp = mkdtempSync(join(tmpdir(), 'llmcheck-job-'));
  onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
  const context: Context = {
    inputs: { ...options.inputs },
    github: {
      token: options.token,
      run_id: options.runId,
      run_attempt: '1',
      job: name,
      event_name: options.env['GITHUB_EVENT_NAME'] ?? '',
      repository: options.env['GITHUB_REPOSITORY'] ?? '',
      event: options.event ?? {},
    },
    strategy: { 'job-index': '0' },
    matrix: options.matrix ?? null,
    steps: {},
    needs: options.needs ?? {},
    secrets: { ...options.secrets },
    runner: { temp },
  };
  const none = { ran: false, exitCode: 0, log: '', summary: '', outputs: {} };
  if (job.if !== undefined && !isTrue(evaluate(bare(job.if), context))) return none;
  let exitCode = 0;
  let log = '';
  let summary = '';
  for (const step of job.steps) {
    const condition = bare(step.if ?? 'success()');
    const isAsked = exitCode === 0 || condition.includes('always()') || condition.includes('!cancelled()');
    if (!isAsked || !isTrue(evaluate(condition, context))) continue;
    const ended = await runStep(step, context, { ...options, temp, job: name });
    log += ended.log;
    summary += ended.summary;
    if (step.id !== undefined) context.steps[step.id] = { outputs: ended.outputs };
    if (ended.code !== 0 && exitCode === 0 && step['continue-on-error'] !== true) exitCode = ended.code;
  }
  const outputs = Object.fromEntries(
    Object.entries(job.outputs ?? {}).map(([key, value]) => [key, fill(value, context)]),
  );
  return { ran: true, exitCode, log, summary, outputs };
}

/** A condition may be written with or without its braces. */
function bare(condition: string): string {
  return condition.replace(/^\$\{\{(.*)\}\}$/s, '$1');
}

interface EndedStep {
  readonly code: number;
  readonly log: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
}

const nothing: EndedStep = { code: 0, log: '', summary: '', outputs: {} };

type StepOptions = WorkflowJobOptions & { readonly temp: string; readonly job: string };

async function runStep(step: z.infer<typeof stepSchema>, context: Context, options: StepOptions): Promise<EndedStep> {
  const filled = (values: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fill(value, context)]));
  const env = { ...options.env, ...filled(step.env), GITHUB_JOB: options.job, RUNNER_TEMP: options.temp };
  const given = filled(step.with);
  if (step.uses?.startsWith('llmcheck/llmcheck@') === true) {
    const run = await runAction(options.action, { ...options, inputs: given, env });
    return { code: run.exitCode, log: run.log, summary: run.summary, outputs: run.outputs };
  }
  if (step.uses !== undefined) return useAction(step.uses, given, options);
  // The project's packages are in place.
  if (/^npm ci\b/.test(step.run ?? '')) return nothing;
  const files = {
    output: join(options.temp, 'output'),
    summary: join(options.temp, 'summary'),
    script: join(options.temp, 'step.sh'),
  };
  for (const path of [files.output, files.summary]) writeFileSync(path, '');
  writeFileSync(files.script, step.run ?? '');
  const { code, log } = await runScript(files.script, {
    shell: step.shell,
    cwd: options.workspace,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: options.temp,
      CI: 'true',
      ...env,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    },
  });
  return {
    code,
    log,
    summary: readFileSync(files.summary, 'utf8'),
    outputs: parseOutputs(readFileSync(files.output, 'utf8')),
  };
}

function useAction(uses: string, given: Readonly<Record<string, string>>, options: StepOptions): EndedStep {
  const name = uses.replace(/@.*/, '');
  if (name.startsWith('actions/cache')) useCache(uses, given, options, options.temp);
  else if (name === 'actions/upload-artifact') return { ...nothing, ...uploadArtifact(given, options) };
  else if (name === 'actions/download-artifact') return download(given, options);
  else if (!['actions/checkout', 'actions/setup-node'].includes(name)) throw new Error(`not played: ${uses}`);
  return nothing;
}

/** One artifact by its name, or each whose name has the beginning of `pattern`, into a folder of its name. */
function download(given: Readonly<Record<string, string>>, { workspace, artifacts }: StepOptions): EndedStep {
  const { name = '', pattern, path = '.' } = given;
  const found = [...artifacts].filter(([key]) =>
    pattern === undefined ? key === name : key.startsWith(pattern.replace('*', '')),
  );
  if (found.length === 0) return { ...nothing, code: 1, log: 'Artifact not found' };
  for (const [key, folder] of found) {
    const into = resolve(workspace, path, pattern === undefined ? '.' : key);
    mkdirSync(into, { recursive: true });
    cpSync(folder, into, { recursive: true, verbatimSymlinks: true });
  }
  return nothing;
}
