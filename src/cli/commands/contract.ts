import { Option } from 'commander';
import type { ContractFlags } from '../contract-command.ts';
import type { AddCommand } from './add-command.ts';

const collect = (value: string, previous: readonly string[]): string[] => [...previous, ...value.split(',')];

const reporter = (): Option =>
  new Option('-r, --reporter <name[=path]>', 'terminal, json, markdown, github or junit (repeatable)')
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([], 'terminal');

export const addContract: AddCommand = (program, io, setExitCode) => {
  const contract = program
    .command('contract')
    .description('Find what breaks callers and consumers of a prompt, without a call.')
    .addHelpText(
      'after',
      `
Exit code 1 where a contract breaks and nobody approved it, 2 where a schema can't be read.

Examples:
  $ llmcheck contract check                             each prompt against its accepted baseline
  $ llmcheck contract check --against git:origin/main   against the files as main has them
  $ llmcheck contract diff old.json new.json --direction output`,
    );

  contract
    .command('check')
    .description("Hold each prompt's contract against its baseline, or against a commit.")
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--against <git:REF|FILE>', 'a commit, or another baseline file (default: the accepted baseline)')
    .addOption(reporter())
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'only what breaks, and the verdict')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck contract check evals/triage.eval.yaml
  $ llmcheck contract check --against git:main... -r github`,
    )
    .action(async (paths: string[], flags: ContractFlags) => {
      const { checkCommand } = await import('../contract-command.ts');
      setExitCode(await checkCommand(paths, flags, io));
    });

  contract
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
    .option('--ignore <pointer>', 'leave out findings here and below (repeatable)', collect, [])
    .option('--approve <fingerprint>', 'let this finding through (repeatable)', collect, [])
    .addOption(reporter())
    .option('-q, --quiet', 'only what breaks, and the verdict')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck contract diff old.json new.json --direction input
  $ llmcheck contract diff old.yaml new.yaml --direction output --approve 3f2a9c0d1e4b`,
    )
    .action(async (old: string, replacement: string, flags: ContractFlags) => {
      const { diffCommand } = await import('../contract-command.ts');
      setExitCode(await diffCommand({ old, replacement }, flags, io));
    });
};
