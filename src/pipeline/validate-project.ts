import type { Problem } from '../model/problem.ts';
import { findRetirements } from './find-retirements.ts';
import { planRun } from './plan-run.ts';
import { readSuiteRecordings } from './read-suite-recordings.ts';
import type { RunOptions, RunPorts } from './run-options.ts';

export interface ValidatedProject {
  readonly warnings: readonly Problem[];
  readonly cases: number;
  readonly cells: number;
}

/** What `run` does before its first call, beyond loading; throws a UserError where it would. */
export async function validateProject(
  options: Pick<RunOptions, 'project' | 'selection' | 'settings' | 'record'>,
  { env, cwd, now }: Pick<RunPorts, 'env' | 'cwd' | 'now'>,
): Promise<ValidatedProject> {
  const { project } = options;
  const planned = await planRun(options, { env });
  const { plan, providers, endpointOf } = planned;
  const isHermetic = project.suites.every(({ recordings }) => recordings !== undefined);
  readSuiteRecordings(project.suites, cwd);
  const warnings: Problem[] = [];
  const named = new Set<string>();
  for (const provider of [...providers.values(), ...project.suites.flatMap(({ askedModels }) => askedModels)]) {
    const { apiKeyEnv } = endpointOf(provider);
    if (isHermetic || apiKeyEnv === undefined || (env[apiKeyEnv] ?? '') !== '' || named.has(provider.id)) continue;
    named.add(provider.id);
    warnings.push({
      code: 'missing-key',
      severity: 'warning',
      message: `${apiKeyEnv} is not set: provider ${provider.id} can answer from the cache only`,
      ...(provider.at === undefined ? {} : { at: provider.at }),
    });
  }
  warnings.push(...findRetirements({ planned, isHermetic: ({ recordings }) => recordings !== undefined, now: now() }));
  return {
    warnings,
    cases: project.suites.reduce((sum, { caseCount }) => sum + caseCount, 0),
    cells: plan.cellCount,
  };
}
