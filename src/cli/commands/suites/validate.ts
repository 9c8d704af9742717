import { defined } from '../../../json/defined.ts';
import { validateProject } from '../../../listing/validate-project.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { UserError, usageProblem } from '../../../model/problem.ts';
import { type Project } from '../../../model/suite/suite.ts';
import { findMisdirectedKeys } from '../../../plan/check-providers.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { findDrift, findSnapshots } from '../../../snapshots/find-drift.ts';
import { openMcpPorts } from '../../../snapshots/read-server.ts';
import { formatCount } from '../../../text/format-amount.ts';
import { loadForRun, resolveRun } from '../../flags/resolve-run.ts';
import { buildRunOptions } from '../../flags/run-settings.ts';
import type { Io } from '../../io.ts';
import { describeNoSuite } from '../../load-suites.ts';
import { printProblems } from '../../output/problems.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly config?: string;
  readonly quiet?: boolean;
  readonly live?: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--live', 'also ask the MCP servers of snapshots whether their tools have changed')
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'print problems only')
    .addHelpText('after', '\nExamples:\n  $ llmcheck validate\n  $ llmcheck validate evals/triage.eval.yaml')
    .action(async (paths: string[], flags: Flags) => exit(await validate(paths, flags, io)));
};

/** Makes the checks that `run` makes before its first call. */
async function validate(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const configPath = flags.config ?? io.env['LLMCHECK_CONFIG'];
  const { cwd, now } = io;
  const invocation = { flags: {}, env: io.env, cwd, root: findProjectRoot(cwd, configPath) };
  const loaded = await loadForRun({ paths, cwd, ...defined({ configPath }) }, invocation);
  const { project, plugins } = loaded;
  const resolved = resolveRun(project.run, invocation, plugins);
  const { values, settings, env, fileVariables } = resolved;
  const options = buildRunOptions(values, settings, { project }, { paths });
  const { warnings, cells, cases, isIncomplete } = await validateProject(options, { env, cwd, now });
  const misdirectedKeys = findMisdirectedKeys(project, { env, fileVariables });
  printProblems([...loaded.warnings, ...resolved.problems, ...misdirectedKeys, ...warnings], io);
  const askedServers = flags.live === true ? [formatCount(await refuseDrift(project, { env, cwd }), 'MCP server')] : [];
  const { suites } = project;
  if (suites.length === 0) {
    io.stderr.write(describeNoSuite(project.root, paths, io.cwd));
    return exitCodes.incomplete;
  }
  if (isIncomplete) return exitCodes.incomplete;
  if (flags.quiet !== true) {
    const counts = [formatCount(suites.length, 'suite'), formatCount(cases, 'case'), formatCount(cells, 'cell')];
    io.stdout.write(`${[...counts, ...askedServers].join(', ')}: valid\n`);
  }
  return exitCodes.passed;
}

/** Throws a `UserError` if a server's tools differ from its snapshot. Returns the number of asked servers. */
async function refuseDrift(project: Project, { env, cwd }: Pick<Io, 'env' | 'cwd'>): Promise<number> {
  const snapshots = findSnapshots(project);
  if (snapshots.length === 0) {
    const message = '--live: no suite uses the tools of an MCP server, so there is no server to ask';
    throw new UserError([usageProblem(message, 'leave --live out')]);
  }
  const problems = await findDrift(snapshots, cwd, openMcpPorts(project.root, env));
  if (problems.length > 0) throw new UserError(problems);
  return snapshots.length;
}
