import { acceptBaseline, findRecordedSuiteFiles } from '../../../baseline/accept-baseline.ts';
import { listBaselines, showBaselines } from '../../../baseline/list-baselines.ts';
import { pinReferences, unpinReferences, wantedRuns } from '../../../baseline/pin-reference.ts';
import { pruneBaselines } from '../../../baseline/prune-baselines.ts';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { listOrphanBaselines } from '../../../plan/select-cases.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { describeStoredRun, findStoredRun, listStoredRuns } from '../../../project/stored-runs.ts';
import { formatCount } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import type { Io } from '../../io.ts';
import { loadSuites } from '../../load-suites.ts';
import { describeKnownFailures } from '../../output/known-failures.ts';
import { collectSplit } from '../../output/reports.ts';
import { printJson, printRows } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

interface AcceptFlags {
  readonly run?: string;
  readonly knownFailures?: boolean;
  readonly force?: boolean;
  readonly config?: string;
}

interface ListFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly pinned?: boolean;
}

interface PinFlags {
  readonly from: readonly string[];
  readonly config?: string;
}

export const define: DefineCommand = (baseline, context) => {
  const { io, exit } = context;
  baseline.addHelpText(
    'after',
    `
Examples:
  $ llmcheck baseline accept                            the last run, for all of its suites
  $ llmcheck baseline accept evals/triage.eval.yaml     for one suite
  $ llmcheck baseline accept --run artifact/run.jsonl   a record that CI kept
  $ llmcheck baseline show                              what is accepted, case by case
  $ llmcheck baseline pin                               keep it as the reference that later runs are held to`,
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
    ['prune', 'Drop rows of cases, prompts and providers that no longer exist.', prune],
  ] as const) {
    const command = baseline
      .command(name)
      .description(description)
      .argument('[paths...]', 'suite files, folders or globs')
      .option('-c, --config <file>', 'config file')
      .option('--json', 'as JSON')
      .addHelpText('after', `\nExample:\n  $ llmcheck baseline ${name}`);
    if (name === 'show') command.option('--pinned', 'the pinned reference instead');
    command.action(async (paths: string[], flags: ListFlags) => {
      await action(paths, flags, io);
      exit(exitCodes.passed);
    });
  }
  definePin(baseline, context);
};

const definePin: DefineCommand = (baseline, { io, exit }) => {
  baseline
    .command('pin')
    .description('Keep a reference that does not move with the baseline, so that slow erosion is seen.')
    .argument('[paths...]', 'suite files, folders or globs')
    .option(
      '--from <run>',
      'count the trials of these runs (repeatable; default: what the baseline holds)',
      collectSplit,
      [],
    )
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck baseline pin\n  $ llmcheck baseline pin evals/triage.eval.yaml --from 20261124-093000-0021c1,artifact/run.jsonl',
    )
    .action(async (paths: string[], flags: PinFlags) => exit(await pin(paths, flags, io)));
  baseline
    .command('unpin')
    .description('Remove the pinned references.')
    .argument('[paths...]', 'suite files, folders or globs')
    .option('-c, --config <file>', 'config file')
    .addHelpText('after', '\nExample:\n  $ llmcheck baseline unpin evals/triage.eval.yaml')
    .action(async (paths: string[], flags: ListFlags) => {
      for (const { suite, file, isRemoved } of unpinReferences(await loadSuites(paths, flags.config, io), io.cwd)) {
        io.stdout.write(isRemoved ? `removed ${file}\n` : `${toSafeLine(suite)} has no pinned reference\n`);
      }
      exit(exitCodes.passed);
    });
};

async function pin(paths: readonly string[], { from, config }: PinFlags, io: Io): Promise<number> {
  const { root, suites } = await loadSuites(paths, config, io);
  const pinned = await pinReferences({
    root,
    cwd: io.cwd,
    env: io.env,
    suites,
    projectSuites: suites,
    recordPaths: from.map((run) => findStoredRun({ root }, run, io.cwd).path),
    now: io.now(),
  });
  for (const { suite, file, isChanged, rows, thinRows, fewestRuns } of pinned) {
    io.stdout.write(
      `${isChanged ? 'pinned' : 'unchanged'} ${file}: ${formatCount(rows, 'case × variant', 'cases × variants')}\n`,
    );
    if (thinRows === 0) continue;
    const more = wantedRuns - fewestRuns;
    io.stderr.write(
      `warning: ${thinRows} of ${rows} of ${toSafeLine(suite)} rest on fewer than ${wantedRuns} runs (the fewest on ${fewestRuns}): ${more} more would make a drop against them certain sooner; accept or name them, and pin again\n`,
    );
  }
  return exitCodes.passed;
}

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
    ...defined({
      configPath: flags.config,
      isWanted: paths.length > 0 ? (path: string) => suitePaths.has(path) : undefined,
    }),
  });
  for (const one of accepted) {
    const { file, isChanged, cases, variants } = one;
    const size = `${formatCount(cases, 'case')} × ${formatCount(variants, 'variant')}`;
    io.stdout.write(`${isChanged ? 'wrote' : 'unchanged'} ${file}: ${size}\n`);
    io.stdout.write(describeKnownFailures(one, flags.knownFailures === true));
  }
  return exitCodes.passed;
}

async function show(
  paths: readonly string[],
  { config, json = false, pinned = false }: ListFlags,
  io: Io,
): Promise<void> {
  const project = await loadSuites(paths, config, io);
  const noun = pinned ? 'pinned results yet' : 'accepted results yet';
  printRows(showBaselines(project, io.cwd, pinned), { json, noun }, io);
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
