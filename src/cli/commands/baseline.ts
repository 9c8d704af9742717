import { acceptBaseline, findRecordedSuiteFiles } from '../../baseline/accept-baseline.ts';
import { listBaselines, pruneBaselines, showBaselines } from '../../baseline/list-baselines.ts';
import { defined } from '../../json/defined.ts';
import { exitCodes } from '../../model/exit-code.ts';
import { listOrphanBaselines } from '../../plan/find-orphan-baselines.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import { describeStoredRun, findStoredRun, listStoredRuns } from '../../project/stored-runs.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { Io } from '../io.ts';
import { loadSuites } from '../load-suites.ts';
import { describeKnownFailures } from '../output/known-failures.ts';
import { printJson, printRows } from '../output/table.ts';
import type { DefineCommand } from './define.ts';

interface AcceptFlags {
  readonly run?: string;
  readonly knownFailures?: boolean;
  readonly force?: boolean;
  readonly config?: string;
}

interface ListFlags {
  readonly config?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (baseline, { io, exit }) => {
  baseline.addHelpText(
    'after',
    `
Examples:
  $ llmcheck baseline accept                            the last run, for all of its suites
  $ llmcheck baseline accept evals/triage.eval.yaml     for one suite
  $ llmcheck baseline accept --run artifact/run.jsonl   a record that CI kept
  $ llmcheck baseline show                              what is accepted, case by case`,
  );
  baseline
    .command('accept')
    .description('Write a run beside its suites as their baseline.')
    .argument('[paths...]', 'suite files, folders or globs (default: every suite of the run), or the id of the run')
    .option('--run <id|file>', 'the run to accept (default: the last)')
    .option('--known-failures', 'make each failing case a known failure, and name it with its reason')
    .option('--force', 'accept an incomplete or errored run, or broken must-pass cases')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck baseline accept\n  $ llmcheck baseline accept --run artifact/run.jsonl',
    )
    .action(async (paths: string[], flags: AcceptFlags) => exit(await accept(paths, flags, io)));
  for (const [name, description, action] of [
    ['show', 'Show accepted results, case by case.', show],
    ['list', 'List suites with their baselines.', list],
    ['prune', 'Drop rows of cases, prompts and providers that are gone.', prune],
  ] as const) {
    baseline
      .command(name)
      .description(description)
      .argument('[paths...]', 'suite files, folders or globs')
      .option('-c, --config <file>', 'config file')
      .option('--json', 'as JSON')
      .addHelpText('after', `\nExample:\n  $ llmcheck baseline ${name}`)
      .action(async (paths: string[], flags: ListFlags) => {
        await action(paths, flags, io);
        exit(exitCodes.passed);
      });
  }
};

async function accept(given: readonly string[], flags: AcceptFlags, io: Io): Promise<number> {
  const root = findProjectRoot(io.cwd, flags.config);
  // The first argument may be the id of a run.
  const [first, ...others] = given;
  const isRun = flags.run === undefined && listStoredRuns({ root }).some(({ id }) => id === first);
  const paths = isRun ? others : given;
  const stored = findStoredRun({ root }, isRun ? first : flags.run, io.cwd);
  io.stderr.write(`accepting ${describeStoredRun(stored, io.now())}\n`);
  const files = paths.length > 0 ? paths : findRecordedSuiteFiles(stored.path, root);
  const suites = files.length === 0 ? [] : (await loadSuites(files, flags.config, io)).suites;
  const suitePaths = new Set(suites.map(({ path }) => path));
  const accepted = await acceptBaseline({
    root,
    cwd: io.cwd,
    env: io.env,
    recordPath: stored.path,
    projectSuites: suites,
    force: flags.force === true,
    knownFailures: flags.knownFailures === true,
    ...defined({ configPath: flags.config }),
    ...(paths.length > 0 && { isWanted: (path: string) => suitePaths.has(path) }),
  });
  for (const one of accepted) {
    const { file, isChanged, cases, variants } = one;
    const size = `${formatCount(cases, 'case')} × ${formatCount(variants, 'variant')}`;
    io.stdout.write(`${isChanged ? 'wrote' : 'unchanged'} ${file}: ${size}\n`);
    io.stdout.write(describeKnownFailures(one, flags.knownFailures === true));
  }
  return exitCodes.passed;
}

async function show(paths: readonly string[], { config, json = false }: ListFlags, io: Io): Promise<void> {
  const project = await loadSuites(paths, config, io);
  printRows(showBaselines(project, io.cwd), { json, noun: 'accepted results yet' }, io);
}

async function list(paths: readonly string[], { config, json = false }: ListFlags, io: Io): Promise<void> {
  const project = await loadSuites(paths, config, io);
  const withoutSuite = paths.length === 0 ? await listOrphanBaselines(project) : [];
  printRows(listBaselines(project, withoutSuite, io.cwd), { json, noun: 'suites' }, io);
}

async function prune(paths: readonly string[], { config, json = false }: ListFlags, io: Io): Promise<void> {
  const pruned = pruneBaselines(await loadSuites(paths, config, io), io.cwd);
  if (json) printJson(pruned, io);
  else for (const { file, removed } of pruned) io.stdout.write(`${file}: removed ${formatCount(removed, 'row')}\n`);
}
