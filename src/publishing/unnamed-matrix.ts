import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '../json/json.ts';
import { parseYaml } from '../text/yaml/yaml-text.ts';
import type { JobIo } from './job.ts';

/** What a job of a matrix can be told by, where the workflow does not set LLMCHECK_MATRIX. */
interface UnnamedMatrix {
  /** The values of the variables that the workflow fills from its matrix. */
  readonly values: readonly string[];
}

/**
 * Reads the workflow file, since the runner sets no variable for the matrix. Otherwise jobs that differ only in their
 * `env` would take each other's comment and check. Undefined where the job has no matrix, or the file can't be read.
 */
export function readUnnamedMatrix(env: JobIo['env']): UnnamedMatrix | undefined {
  if ((env['LLMCHECK_MATRIX'] ?? '').trim() !== '') return undefined;
  const workflow = readWorkflow(env);
  const job = memberOf(memberOf(workflow, 'jobs'), env['GITHUB_JOB'] ?? '');
  if (memberOf(memberOf(job, 'strategy'), 'matrix') === undefined) return undefined;
  const steps = memberOf(job, 'steps');
  const maps = [workflow, job, ...(Array.isArray(steps) ? steps : [])].map((part) => memberOf(part, 'env'));
  const names = maps.flatMap((map) => (isJsonObject(map) ? Object.entries(map) : [])).filter(isOfMatrix);
  const values = new Set(names.flatMap(([name]) => (env[name] ? [env[name]] : [])));
  return { values: [...values].sort() };
}

/** The value becomes a part of public names, so a secret is none. */
function isOfMatrix([name, value]: readonly [string, unknown]): boolean {
  if (typeof value !== 'string' || /secrets|token/i.test(value) || /KEY|TOKEN|SECRET|PASS/i.test(name)) return false;
  return /\$\{\{[^}]*\b(?:matrix|strategy)\b/.test(value);
}

function readWorkflow(env: JobIo['env']): unknown {
  const { GITHUB_WORKSPACE: workspace = '', GITHUB_REPOSITORY: repository = '' } = env;
  const ref = env['GITHUB_WORKFLOW_REF'] ?? '';
  const file = /^\/(\.github\/workflows\/[^/@]+)@/.exec(ref.slice(repository.length))?.[1];
  if (workspace === '' || file === undefined || !ref.startsWith(`${repository}/`)) return undefined;
  const path = join(workspace, file);
  return existsSync(path) ? parseYaml(readFileSync(path, 'utf8')).value : undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return isJsonObject(value) ? value[key] : undefined;
}
