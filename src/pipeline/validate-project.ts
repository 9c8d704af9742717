import { readRecordings } from '../cache/recordings.ts';
import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { planRun } from './plan-run.ts';

export interface ValidatedProject {
  readonly warnings: readonly Problem[];
  readonly cases: number;
  readonly cells: number;
}

/** What `run` does before its first call, beyond loading; throws a UserError where it would. */
export async function validateProject(
  project: Project,
  { env }: { readonly env: Readonly<Record<string, string | undefined>> },
): Promise<ValidatedProject> {
  const settings = { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false } as const;
  const { plan, providers, endpointOf } = await planRun(
    { project, selection: emptySelection, settings, record: false },
    { env },
  );
  const isHermetic = project.suites.every(({ recordings }) => recordings !== undefined);
  for (const { recordings } of project.suites) if (recordings !== undefined) readRecordings(recordings);
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
  return {
    warnings,
    cases: project.suites.reduce((sum, { caseCount }) => sum + caseCount, 0),
    cells: plan.cellCount,
  };
}
