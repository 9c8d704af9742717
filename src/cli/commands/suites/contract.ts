import { type Command, Option } from 'commander';
import { checkContracts, diffSchemas } from '../../../contracts/check-contracts.ts';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import type { Direction } from '../../../model/comparison/finding.ts';
import type { ContractPolicy } from '../../../model/suite/recorded-settings.ts';
import { loadProject } from '../../../project/load-project.ts';
import { contractReporters } from '../../../reports/index.ts';
import type { Io } from '../../io.ts';
import { describeNoSuite } from '../../load-suites.ts';
import { printProblems } from '../../output/problems.ts';
import { collect, collectSplit, parseRequests, requestsOf, writeDecision } from '../../output/reports.ts';
import type { DefineCommand } from '../define.ts';

interface ReportFlags {
  readonly reporter: readonly string[];
  readonly quiet?: boolean;
  readonly color: boolean;
}

interface CheckFlags extends ReportFlags {
  readonly against?: string;
  readonly config?: string;
}

interface DiffFlags extends ReportFlags {
  readonly direction: Direction;
  readonly policy?: ContractPolicy;
  readonly strictConsumers?: boolean;
  readonly ignore: readonly string[];
  readonly approve: readonly string[];
}

export const define: DefineCommand = (contract, { io, exit }) => {
  contract.addHelpText(
    'after',
    `
Exit code 1 where a contract breaks without approval, 2 where a schema can't be read.

Examples:
  $ llmcheck contract check                             each prompt against its accepted baseline
  $ llmcheck contract check --against git:origin/main   against the files as main has them
  $ llmcheck contract diff old.json new.json --direction output`,
  );
  addCheck(contract).action(async (paths: string[], flags: CheckFlags) => exit(await check(paths, flags, io)));
  addDiff(contract).action(async (old: string, replacement: string, flags: DiffFlags) =>
    exit(await diff({ old, replacement }, flags, io)),
  );
};

function addCheck(contract: Command): Command {
  return contract
    .command('check')
    .description("Compare each prompt's contract with its baseline or with a commit.")
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--against <git:REF|FILE>', 'a commit, or another baseline file (default: the accepted baseline)')
    .addOption(reporterOption())
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'only what breaks, and the verdict')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck contract check evals/triage.eval.yaml
  $ llmcheck contract check --against git:main... -r github`,
    );
}

function addDiff(contract: Command): Command {
  return contract
    .command('diff')
    .description('Compare two JSON Schema files, JSON or YAML.')
    .argument('<OLD>', 'the schema that others rely on')
    .argument('<NEW>', 'the schema that takes its place')
    .addOption(
      new Option('--direction <side>', 'input: callers send it; output: consumers read it')
        .choices(['input', 'output'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--policy <name>', 'how changes are judged (default practical)').choices([
        'practical',
        'formal',
        'lenient',
      ]),
    )
    .option('--strict-consumers', 'consumers refuse properties that they do not know')
    .option('--ignore <pointer>', 'leave out findings here and below (repeatable)', collectSplit, [])
    .option('--approve <fingerprint>', 'let this finding through (repeatable)', collectSplit, [])
    .addOption(reporterOption())
    .option('-q, --quiet', 'only what breaks, and the verdict')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck contract diff old.json new.json --direction input
  $ llmcheck contract diff old.yaml new.yaml --direction output --approve 3f2a9c0d1e4b`,
    );
}

function reporterOption(): Option {
  return new Option('-r, --reporter <name[=path]>', 'terminal, json, markdown, github or junit (repeatable)')
    .argParser(collect)
    .default([], 'terminal');
}

/** The contracts of a project's prompts. */
async function check(paths: readonly string[], flags: CheckFlags, io: Io): Promise<number> {
  const requests = requestsOf(parseRequests(flags.reporter, contractReporters));
  const { against, config: configPath } = flags;
  const { cwd, env } = io;
  const { project, warnings } = await loadProject({ paths, cwd, ...defined({ configPath }) });
  printProblems(warnings, io, flags.color);
  if (project.suites.length === 0) {
    io.stderr.write(describeNoSuite(project.root, paths, io.cwd));
    return exitCodes.incomplete;
  }
  const report = await checkContracts({ project, paths, ...defined({ against, configPath }), cwd, env });
  return writeDecision(report, requests, { io, ...flags });
}

/** Compares two schema files. */
async function diff(
  paths: { readonly old: string; readonly replacement: string },
  flags: DiffFlags,
  io: Io,
): Promise<number> {
  const requests = requestsOf(parseRequests(flags.reporter, contractReporters));
  const { direction, policy, strictConsumers, ignore, approve: approved } = flags;
  const { cwd } = io;
  const report = diffSchemas({ paths, direction, ...defined({ policy, strictConsumers }), ignore, approved, cwd });
  return writeDecision(report, requests, { io, ...flags });
}
