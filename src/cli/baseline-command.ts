import { acceptBaseline } from '../baseline/accept-baseline.ts';
import { findRecordedSuiteFiles } from '../baseline/find-recorded-suites.ts';
import { listBaselines, pruneBaselines, showBaselines } from '../baseline/tend-baselines.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Suite } from '../model/suite.ts';
import { listLeftBaselines } from '../plan/find-left-baselines.ts';
import { loadProject } from '../project/load-project.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { describeStoredRun, findStoredRun, listStoredRuns } from '../project/stored-runs.ts';
import { formatCount } from '../text/format-amount.ts';
import { describeKnownFailures } from './describe-known-failures.ts';
import type { Io } from './io.ts';
import { printRows } from './print-rows.ts';
import { warnOfNothing } from './warn-of-nothing.ts';

type Flags = Readonly<Record<string, unknown>>;

/** `llmcheck baseline …` */
export async function baselineCommand(action: string, paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const config = typeof flags['config'] === 'string' ? { configPath: flags['config'] } : {};
  if (action === 'accept') return accept(paths, flags, config, io);
  const { project, warnings } = await loadProject({ paths, cwd: io.cwd, ...config });
  warnOfNothing(warnings, io);
  const json = flags['json'] === true;
  if (action === 'list') {
    const left = paths.length === 0 ? await listLeftBaselines(project) : [];
    printRows(listBaselines(project, left, io.cwd), { json, noun: 'suites' }, io);
  } else if (action === 'show') printRows(showBaselines(project, io.cwd), { json, noun: 'accepted results yet' }, io);
  else {
    const pruned = pruneBaselines(project, io.cwd);
    if (json) io.stdout.write(`${JSON.stringify(pruned, undefined, 2)}\n`);
    else for (const { file, removed } of pruned) io.stdout.write(`${file}: removed ${formatCount(removed, 'row')}\n`);
  }
  return exitCodes.passed;
}

async function accept(
  given: readonly string[],
  flags: Flags,
  config: { readonly configPath?: string },
  io: Io,
): Promise<number> {
  const root = findProjectRoot(io.cwd, config.configPath);
  const isRun = (name: string) => listStoredRuns({ root }).some(({ id }) => id === name);
  const [named, ...others] = given;
  const isNamed = typeof flags['run'] !== 'string' && named !== undefined && isRun(named);
  const paths = isNamed ? others : given;
  const wanted = isNamed ? named : typeof flags['run'] === 'string' ? flags['run'] : undefined;
  const stored = findStoredRun({ root }, wanted, io.cwd);
  io.stderr.write(`accepting ${describeStoredRun(stored, io.now())}\n`);
  const suites = await loadSuites(paths, stored.path, { root, ...config }, io);
  const suitePaths = paths.length === 0 ? undefined : new Set(suites.map(({ path }) => path));
  const accepted = await acceptBaseline({
    root,
    cwd: io.cwd,
    env: io.env,
    recordPath: stored.path,
    projectSuites: suites,
    force: flags['force'] === true,
    ...config,
    ...(suitePaths === undefined ? {} : { isWanted: (path: string) => suitePaths.has(path) }),
  });
  for (const one of accepted) {
    const { file, isChanged, cases, variants } = one;
    io.stdout.write(
      `${isChanged ? 'wrote' : 'unchanged'} ${file}: ${formatCount(cases, 'case')} × ${formatCount(variants, 'variant')}\n`,
    );
    io.stdout.write(describeKnownFailures(one, flags['knownFailures'] === true));
  }
  return exitCodes.passed;
}

/** The named suites, else those that the record names and that the project has; of a suite that is broken, its problems. */
async function loadSuites(
  paths: readonly string[],
  recordPath: string,
  options: { readonly root: string; readonly configPath?: string },
  io: Io,
): Promise<readonly Suite[]> {
  const { root, ...config } = options;
  const named = paths.length > 0 ? paths : findRecordedSuiteFiles(recordPath, root);
  if (named.length === 0) return [];
  const { project, warnings } = await loadProject({ paths: named, cwd: io.cwd, ...config });
  warnOfNothing(warnings, io);
  return project.suites;
}
