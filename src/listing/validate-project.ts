import { openRunBaselines } from '../baseline/open-run-baselines.ts';
import { answersFromStoreOnly } from '../calls/calls.ts';
import { readSuiteRecordings } from '../calls/suite-recordings.ts';
import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { findRetirements } from '../plan/check-providers.ts';
import { findUnknownTools } from '../plan/check-tools.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';

export interface ValidatedProject {
  readonly warnings: readonly Problem[];
  readonly cases: number;
  readonly cells: number;
  /** True if a path or filter of one file or suite selects nothing. */
  readonly isIncomplete: boolean;
}

type ValidateOptions = Pick<
  RunOptions,
  'project' | 'selection' | 'settings' | 'record' | 'isCacheModeChosen' | 'rerunBaseline'
>;

/** Runs all checks that `run` makes between loading and its first call. Throws the same `UserError`. */
export async function validateProject(
  options: ValidateOptions,
  { env, cwd, now }: Pick<RunPorts, 'env' | 'cwd' | 'now'>,
): Promise<ValidatedProject> {
  const { project } = options;
  const planned = await planWithEveryProblem(options, { env, cwd });
  const { plan, endpointOf } = planned;
  readSuiteRecordings(project.suites, cwd);
  const warnings: Problem[] = [];
  const named = new Set<string>();
  // Suites may use different keys under one provider name. Show each key at its first place.
  const isStored = (suite: Suite) => answersFromStoreOnly(suite, options);
  const ofVariants = plan.suites
    .filter(({ suite }) => !isStored(suite))
    .flatMap(({ variants }) => variants.map(({ provider }) => provider));
  const ofChecks = project.suites.filter((suite) => !isStored(suite)).flatMap(({ askedModels }) => askedModels);
  for (const provider of [...ofVariants, ...ofChecks]) {
    for (const variable of listVariables(provider, endpointOf(provider))) {
      const name = JSON.stringify([provider.id, variable]);
      if ((env[variable] ?? '') !== '' || named.has(name)) continue;
      named.add(name);
      warnings.push({
        code: 'missing-key',
        severity: 'warning',
        message: `${variable} is not set: provider ${provider.id} can answer from the cache only`,
        ...defined({ at: provider.at }),
      });
    }
  }
  // Loading already reported empty selections in files.
  const known = new Set([project, ...project.suites].flatMap(({ emptySelections = [] }) => emptySelections));
  for (const empty of planned.emptySelections) {
    if (!known.has(empty)) warnings.push({ code: 'selects-nothing', severity: 'warning', message: empty.message });
  }
  warnings.push(...findRetirements({ planned, answersFromStoreOnly: isStored, now: now() }));
  warnings.push(...findUnknownTools(project.suites), ...planned.warnings);
  return {
    warnings,
    cases: project.suites.reduce((sum, { caseCount }) => sum + caseCount, 0),
    cells: plan.cellCount,
    isIncomplete: !options.settings.allowEmpty && planned.emptySelections.some(({ isNamed }) => isNamed),
  };
}

/** Variables that a provider needs for calls. */
function listVariables({ headers }: ProviderConfig, { apiKeyEnv }: Endpoint): readonly string[] {
  const ofHeaders = Object.values(headers).flatMap((value) => (typeof value === 'string' ? [] : [value.env]));
  return [...(apiKeyEnv === undefined ? [] : [apiKeyEnv]), ...ofHeaders];
}

/** Plans the run, and reports mistakes in its baselines together with those of the plan. */
async function planWithEveryProblem(
  options: ValidateOptions,
  ports: Pick<RunPorts, 'env' | 'cwd'>,
): Promise<PlannedRun> {
  let faults: UserError | undefined;
  let { project } = options;
  try {
    ({ project } = await openRunBaselines(options, ports));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    faults = error;
  }
  try {
    const planned = await planRun({ ...options, project }, ports);
    if (faults !== undefined) throw faults;
    return planned;
  } catch (error) {
    if (!(error instanceof UserError) || faults === undefined || error === faults) throw error;
    throw new UserError([...faults.problems, ...error.problems], { cause: error });
  }
}
