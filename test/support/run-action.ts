import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const stepSchema = z.object({
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.boolean()]).transform(String)).optional(),
  'continue-on-error': z.boolean().optional(),
  shell: z.literal('bash').optional(),
  'working-directory': z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  run: z.string().optional(),
});

const actionSchema = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string() })),
  outputs: z.record(z.string(), z.object({ description: z.string(), value: z.string() })),
  runs: z.object({ using: z.literal('composite'), steps: z.array(stepSchema) }),
});

export type Action = z.infer<typeof actionSchema>;

export function readAction(path: string): Action {
  return actionSchema.parse(parse(readFileSync(path, 'utf8')));
}

export interface ActionRun {
  readonly exitCode: number;
  readonly log: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** What each step that uses another action was given. */
  readonly used: readonly { readonly action: string; readonly with: Readonly<Record<string, string>> }[];
}

export interface ActionOptions {
  readonly workspace: string;
  readonly inputs?: Readonly<Record<string, string>>;
  /** Of the job: secrets and what the runner sets. */
  readonly env: Readonly<Record<string, string>>;
  readonly token: string;
  readonly runId: string;
  /** Of the job. */
  readonly matrix?: Readonly<Record<string, string | number>>;
  /** Of the job in its matrix. */
  readonly jobIndex?: string;
  /** Entries of the action's cache by key, kept between runs. */
  readonly cache: Map<string, string>;
  /** Folders by the name of the artifact, kept between jobs. Without it nothing can be uploaded. */
  readonly artifacts?: Map<string, string>;
}

/** Carries a composite action out as the runner does: expressions, conditions, steps in order, outputs. */
export async function runAction(action: Action, options: ActionOptions): Promise<ActionRun> {
  const temp = mkdtempSync(join(tmpdir(), 'llmcheck-action-'));
  onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
  const context: Context = {
    inputs: {},
    github: { token: options.token, run_id: options.runId, run_attempt: '1', job: options.env['GITHUB_JOB'] ?? '' },
    strategy: { 'job-index': options.jobIndex ?? '0' },
    matrix: options.matrix ?? null,
    steps: {},
    runner: { temp },
    env: options.env,
  };
  for (const [name, input] of Object.entries(action.inputs)) {
    context.inputs[name] = options.inputs?.[name] ?? fill(input.default, context);
  }
  const summaryFile = join(temp, 'summary.md');
  writeFileSync(summaryFile, '');
  const used: ActionRun['used'][number][] = [];
  let log = '';
  let exitCode = 0;
  for (const [index, step] of action.runs.steps.entries()) {
    const condition = step.if ?? 'success()';
    const isAsked = exitCode === 0 || condition.includes('always()');
    if (!isAsked || !isTrue(evaluate(condition, context))) continue;
    if (step.uses !== undefined) {
      const given = Object.fromEntries(
        Object.entries(step.with ?? {}).map(([key, text]) => [key, fill(text, context)]),
      );
      used.push({ action: step.uses, with: given });
      const ended = useAction(step.uses, given, options, temp);
      if (ended.code !== 0 && exitCode === 0 && step['continue-on-error'] !== true) exitCode = ended.code;
      if (step.id !== undefined) context.steps[step.id] = { outputs: ended.outputs };
      continue;
    }
    const outputFile = join(temp, `output-${index}`);
    const script = join(temp, `step-${index}.sh`);
    writeFileSync(outputFile, '');
    writeFileSync(script, step.run ?? '');
    const ended = await runScript(script, {
      shell: step.shell,
      cwd: join(options.workspace, fill(step['working-directory'] ?? '.', context)),
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: temp,
        CI: 'true',
        ...options.env,
        RUNNER_TEMP: temp,
        GITHUB_OUTPUT: outputFile,
        GITHUB_STEP_SUMMARY: summaryFile,
        ...Object.fromEntries(Object.entries(step.env ?? {}).map(([key, text]) => [key, fill(text, context)])),
      },
    });
    log += ended.log;
    if (ended.code !== 0 && exitCode === 0) exitCode = ended.code;
    if (step.id !== undefined) context.steps[step.id] = { outputs: parseOutputs(readFileSync(outputFile, 'utf8')) };
  }
  return {
    exitCode,
    log,
    summary: readFileSync(summaryFile, 'utf8'),
    outputs: Object.fromEntries(
      Object.entries(action.outputs).map(([name, { value }]) => [name, fill(value, context)]),
    ),
    used,
  };
}

/** What expressions read. */
export interface Context {
  readonly inputs: Record<string, string>;
  readonly github: Readonly<Record<string, unknown>>;
  readonly strategy: Readonly<Record<string, string>>;
  readonly matrix: ActionOptions['matrix'] | null;
  readonly steps: Record<string, { readonly outputs: Readonly<Record<string, string>> }>;
  readonly needs?: Readonly<Record<string, { readonly outputs: Readonly<Record<string, string>> }>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly runner?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Replaces each `${{ … }}`. */
export function fill(text: string, context: Context): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => evaluate(expression, context));
}

/** As much of the expression language as the action uses; anything else is an error. */
export function evaluate(expression: string, context: Context): string {
  const text = expression.trim();
  const [one = '', ...rest] = text.split('||');
  if (rest.length > 0) {
    const left = evaluate(one, context);
    return isTrue(left) ? left : evaluate(rest.join('||'), context);
  }
  const [first = '', ...others] = text.split('&&');
  if (others.length > 0) {
    const left = evaluate(first, context);
    return isTrue(left) ? evaluate(others.join('&&'), context) : left;
  }
  const comparison = /^(.*?)\s*(==|!=)\s*(.*)$/s.exec(text);
  if (comparison !== null) {
    const [, left = '', sign, right = ''] = comparison;
    const isSame = evaluate(left, context).toLowerCase() === evaluate(right, context).toLowerCase();
    return String(isSame === (sign === '=='));
  }
  const literal = /^'([^']*)'$/.exec(text)?.[1];
  if (literal !== undefined) return literal;
  if (text === 'always()' || text === 'success()' || text === '!cancelled()') return 'true';
  if (text === '' || text === 'false') return text;
  if (/^hashFiles\(('[^']*'(, )?)+\)$/.test(text)) return '0123abcd';
  if (text === 'toJSON(matrix)') return JSON.stringify(context.matrix, undefined, 2);
  const [root = '', ...path] = text.split('.');
  if (!Object.hasOwn(context, root)) throw new Error(`not understood: ${text}`);
  let value: unknown = context[root as keyof Context];
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function isTrue(value: string): boolean {
  return value !== '' && value !== 'false';
}

function useAction(
  uses: string,
  given: Readonly<Record<string, string>>,
  options: ActionOptions,
  temp: string,
): UsedAction {
  if (uses.startsWith('actions/upload-artifact@')) return uploadArtifact(given, options);
  useCache(uses, given, options, temp);
  return { code: 0, outputs: {} };
}

interface UsedAction {
  readonly code: number;
  readonly outputs: Readonly<Record<string, string>>;
}

/** As `actions/upload-artifact` does: an artifact that is not zipped is one file, and is named after it. */
export function uploadArtifact(
  given: Readonly<Record<string, string>>,
  { workspace, artifacts, runId }: Pick<ActionOptions, 'workspace' | 'artifacts' | 'runId'>,
): UsedAction {
  const found = listFiles(workspace, given['path'] ?? '');
  if (found.length === 0) return { code: given['if-no-files-found'] === 'error' ? 1 : 0, outputs: {} };
  const isZip = given['archive'] !== 'false';
  if (artifacts === undefined || (!isZip && found.length > 1)) return { code: 1, outputs: {} };
  const name = isZip ? (given['name'] ?? 'artifact') : basename(found[0] ?? '');
  if (given['overwrite'] === 'true') artifacts.delete(given['name'] ?? 'artifact');
  if (artifacts.has(name)) return { code: 1, outputs: {} };
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-artifact-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of found) cpSync(file, join(folder, basename(file)), { recursive: true });
  artifacts.set(name, folder);
  const url = `https://github.example/acme/shop/actions/runs/${runId}/artifacts/${artifacts.size}`;
  return { code: 0, outputs: { 'artifact-url': url } };
}

/** A path whose last part may be `*` with an ending. */
function listFiles(workspace: string, pattern: string): readonly string[] {
  const folder = resolve(workspace, dirname(pattern));
  if (!existsSync(folder)) return [];
  const [start = '', end] = basename(pattern).split('*');
  const isMatch = (name: string): boolean =>
    end === undefined ? name === start : name.startsWith(start) && name.endsWith(end);
  return readdirSync(folder)
    .filter(isMatch)
    .map((name) => join(folder, name));
}

export function useCache(
  action: string,
  given: Readonly<Record<string, string>>,
  options: Pick<ActionOptions, 'workspace' | 'cache'>,
  temp: string,
): void {
  const name = /^actions\/cache\/(restore|save)@/.exec(action)?.[1];
  if (name === undefined) return;
  const folder = join(options.workspace, given['path'] ?? '');
  if (name === 'save') {
    if (!existsSync(folder)) return;
    const kept = mkdtempSync(join(tmpdir(), 'llmcheck-action-cache-'));
    onTestFinished(() => rmSync(kept, { recursive: true, force: true }));
    cpSync(folder, kept, { recursive: true });
    options.cache.set(given['key'] ?? '', kept);
    return;
  }
  const prefixes = [given['key'] ?? '', ...(given['restore-keys'] ?? '').split('\n').filter((line) => line !== '')];
  const newestFirst = [...options.cache].reverse();
  const found = prefixes.flatMap((prefix) => newestFirst.filter(([key]) => key.startsWith(prefix)))[0];
  if (found === undefined) return;
  mkdirSync(temp, { recursive: true });
  cpSync(found[1], folder, { recursive: true });
}

/** As the runner starts it: a step that names no shell goes on after a command that fails within a pipe. */
export function runScript(
  script: string,
  {
    shell,
    ...options
  }: {
    readonly shell: 'bash' | undefined;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<{ readonly code: number; readonly log: string }> {
  const flags = shell === 'bash' ? ['--noprofile', '--norc', '-eo', 'pipefail'] : ['-e'];
  return new Promise((resolve) => {
    const child = spawn('bash', [...flags, script], options);
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
    child.on('close', (code) => resolve({ code: code ?? -1, log }));
  });
}

export function parseOutputs(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (name === '') throw new Error(`not an output: ${line}`);
      return [name, value];
    }),
  );
}
