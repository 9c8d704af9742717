import { relative, resolve } from 'node:path';
import { type AffectedOptions, findAffected } from '../changes/find-affected.ts';
import { defined } from '../json/defined.ts';
import type { RunOptions } from '../plan/run-options.ts';
import { describeAffected, summarizeAffected } from './describe-affected.ts';
import { packageFolder, version } from './version.ts';

/** Leaves out the suites that `--changed` finds unchanged, and says why. */
export function narrowRun(
  options: RunOptions,
  changed: unknown,
  { env, cwd, envFile }: Pick<AffectedOptions, 'env' | 'cwd' | 'envFile'>,
): { readonly options: RunOptions; readonly explanation: string } {
  if (changed === undefined) return { options, explanation: '' };
  const { project, settings } = options;
  const affected = findAffected({
    project,
    cwd,
    env,
    baseline: settings.baseline,
    ...defined({ envFile }),
    ...(typeof changed === 'string' ? { ref: changed.replace(/^git:/, '') } : {}),
    tool: { version, ...defined({ folder: packageFolder }) },
  });
  const suites = affected.suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [] : [suite]));
  const paths = suites.map(({ path }) => relative(cwd, resolve(project.root, path)));
  return {
    explanation: describeAffected(affected),
    options: {
      ...options,
      project: { ...project, suites },
      settings: project.suites.length === 0 ? settings : { ...settings, changedSince: affected.since },
      knownSuites: project.suites,
      // A resumed run goes on with these suites, whatever git says by then.
      ...(paths.length === 0 ? {} : { invocation: { ...options.invocation, paths } }),
      notes: [summarizeAffected(affected)],
    },
  };
}
