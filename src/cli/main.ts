import { Command, CommanderError, Help } from 'commander';
import { isUnderCi } from '../files/state-folder.ts';
import { StorageError } from '../files/write-files.ts';
import { withoutInherited } from '../json/without-inherited.ts';
import { exitCodes } from '../model/comparison/exit-code.ts';
import { UserError } from '../model/problem.ts';
import { storageProblem } from '../model/storage-problem.ts';
import { quote } from '../text/shorten.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { commands } from './commands/index.ts';
import { protectOptionalValues, runFlags } from './flags/run-flags.ts';
import type { Io } from './io.ts';
import { wantsColor } from './output/style.ts';
import { version } from './version.ts';

export { processIo } from './io.ts';

/** The whole program as a function: arguments and streams in, exit code out. */
export async function main(argv: readonly string[], entryIo: Io): Promise<number> {
  const io = { ...entryIo, env: withoutInherited(entryIo.env) };
  let exitCode: number = exitCodes.passed;
  const exit = (code: number) => {
    exitCode = code;
  };
  const program = createProgram(argv, io, exit);
  try {
    await addCommands(program, argv, io, exit);
    program.hook('preAction', (_program, command) => distrustState(command, argv, io));
    const [first, explained = 'help'] = argv;
    // Commander would print the whole help without mentioning the name.
    if (first === 'help' && !/^(?:-|help$)/.test(explained) && !Object.hasOwn(commands, explained)) {
      io.stderr.write(describeUnknownCommand(explained, program));
      return exitCodes.usage;
    }
    await program.parseAsync(protectOptionalValues(joinArgs(argv), io.cwd), { from: 'user' });
    return await settleStdout(argv, exitCode, io);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.passed : exitCodes.usage;
    return reportError(error, argv, io);
  }
}

/** The flags of a run in one word. The program would take `--version` for its own, and end with 0 without a run. */
function joinArgs(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--args');
  const value = at === -1 ? undefined : argv[at + 1];
  return value === undefined ? argv : [...argv.slice(0, at), `--args=${value}`, ...argv.slice(at + 2)];
}

function createProgram(argv: readonly string[], io: Io, exit: (code: number) => void): Command {
  const program = new Command();
  return program
    .name('llmcheck')
    .description('Regression and contract tests for prompts.')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(describeUsageError(text, argv)),
    })
    .configureHelp({
      // The list of commands leaves less than the default on 80 columns, and would be broken within words.
      minWidthToWrap: 20,
      subcommandTerm: (command) => `${command.name()} ${command.usage()}`.trim(),
      // An empty text or list is not a helpful default, so it is not shown.
      optionDescription: (option) =>
        isEmpty(option.defaultValue) ? option.description : new Help().optionDescription(option),
    })
    .showHelpAfterError('Run with --help for the flags and examples.')
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', exampleText)
    .allowExcessArguments()
    .action(() => {
      const [unknown] = program.args;
      if (unknown === undefined) program.outputHelp({ error: true });
      else io.stderr.write(describeUnknownCommand(unknown, program));
      exit(exitCodes.usage);
    });
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0);
}

const exampleText = `
Examples:
  $ llmcheck init                  a working suite, prompt and recorded answers
  $ llmcheck run                   run every suite under evals/
  $ llmcheck run --filter refund   run the cases whose id contains "refund"
  $ llmcheck validate              check the suites without a call
`;

/** Suggests a command. Commander does so only if the program has no action of its own. */
function describeUnknownCommand(name: string, program: Command): string {
  const hint = hintOfCommand(name, program);
  return `error: unknown command ${quote(name)}\n  hint: ${hint}\n`;
}

function hintOfCommand(name: string, program: Command): string {
  const known = program.commands.map((command) => command.name());
  if (/[/\\*]|\.(?:ya?ml|[cm]?[jt]s)$/.test(name)) return `to run it, write llmcheck run ${name}`;
  const other = otherCommands.get(name);
  if (other !== undefined) return `did you mean "${other}"?`;
  return didYouMean(name, known) ?? `there are: ${known.filter((one) => one !== 'complete').join(', ')}`;
}

/** Names that other tools use for these commands. */
const otherCommands: ReadonlyMap<string, string> = new Map([
  ['test', 'run'],
  ['eval', 'run'],
  ['evaluate', 'run'],
  ['check', 'validate'],
  ['lint', 'validate'],
  ['accept', 'baseline accept'],
  ['update', 'baseline accept'],
  ['diff', 'compare'],
  ['show', 'report'],
  ['new', 'init'],
  ['version', '--version'],
  ['ui', 'view'],
  ['serve', 'view'],
  ['convert', 'import'],
]);

/** Names that other tools use for these flags of `run`, some of which look like another flag. */
const otherFlags: ReadonlyMap<string, string> = new Map([
  ['--model', '--provider'],
  ['--models', '--provider'],
  ['--case', '--filter'],
  ['--budget', '--max-cost'],
  ['--repeat', '--trials'],
  ['--no-cache', '--cache off'],
  ['--output', '--reporter'],
]);

/** Commander's message about a mistake, in the form of other problems. */
function describeUsageError(text: string, [first = '']: readonly string[]): string {
  const [message = '', ...rest] = text.trimEnd().split('\n');
  const wanted = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(rest.join(' '))?.[1];
  const choice = /'([^']*)' is invalid(?: for argument '([^']*)')?\. Allowed choices are (.*)\.$/.exec(message);
  if (choice !== null) {
    const [, value = '', , choices = ''] = choice;
    const hint = didYouMean(value, choices.split(', '));
    return `error: ${quote(value)} is none of ${choices}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`;
  }
  const plain = message.replace(/'([^']*)'/, (_, name: string) => quote(name));
  const unknown = /^error: unknown option '([^']*)'/.exec(message)?.[1];
  const flag = first === 'run' && unknown !== undefined ? otherFlags.get(unknown) : undefined;
  if (flag !== undefined) return `${plain}\n  hint: did you mean "${flag}"?\n`;
  if (wanted !== undefined) return `${plain}\n  hint: did you mean "${wanted}"?\n`;
  if (first === '-v') return `${plain}\n  hint: did you mean "--version"?\n`;
  if (first === 'ci' && runFlags.some(({ flags }) => flags.split(/[ ,]+/).includes(unknown ?? '')))
    return `${plain}\n  hint: flags of run go into --args, such as --args "--max-cost 0.50"\n`;
  const isEarly = first.startsWith('-') && message.startsWith('error: unknown option');
  return isEarly ? `${plain}\n  hint: write the command first: llmcheck run ${first}\n` : text;
}

/**
 * Declares every command by name. Loads a command only if its name is among the arguments, to call, complete or explain
 * it.
 */
export async function addCommands(
  program: Command,
  argv: readonly string[],
  io: Io,
  exit: (code: number) => void,
): Promise<void> {
  for (const [name, { usage, summary, hidden = false, load }] of Object.entries(commands)) {
    // `command(name)` inherits the streams and the exit override; `addCommand` does not.
    const command = program.command(name, { hidden }).description(summary);
    if (argv.includes(name)) (await load()).define(command, { program, io, exit });
    else command.helpOption(false).usage(usage);
  }
}

/** The exit code if stdout was lost. A command with a verdict keeps its code. A command that only prints has failed. */
async function settleStdout([command = '']: readonly string[], exitCode: number, io: Io): Promise<number> {
  const fault = await io.stdout.settle?.();
  if (fault === undefined) return exitCode;
  io.stderr.write(`error: stdout could not be written: ${fault}\n`);
  return exitCode === exitCodes.passed && !verdictCommands.has(command) ? exitCodes.usage : exitCode;
}

const verdictCommands: ReadonlySet<string> = new Set(['run', 'compare', 'merge', 'contract', 'ci']);

/** Commands of CI, and all commands under CI, read no committed answers. */
async function distrustState(command: Command, [name]: readonly string[], io: Io): Promise<void> {
  if (name !== 'ci' && !isUnderCi(io.env)) return;
  const flags = command.opts<{ config?: string; baseline?: string; publish?: true; run?: string; merge?: string }>();
  const { config = io.env['LLMCHECK_CONFIG'], publish, run, merge } = flags;
  const { announceCommittedState } = await import('./run/committed-state.ts');
  // A run of the other commands reads no record before it knows its baseline.
  const isLater = name === 'ci' && publish === undefined && run === undefined && merge === undefined;
  announceCommittedState({ config, baseline: flags.baseline }, io, { isLater });
}

/** Prints mistakes of the user as problems, and any other error as a bug. */
async function reportError(thrown: unknown, argv: readonly string[], io: Io): Promise<number> {
  const [{ describeBug, describeProblems }, { maskByName }] = await Promise.all([
    import('./output/problems.ts'),
    import('../secrets/mask-secrets.ts'),
  ]);
  const mask = maskByName(io.env);
  const problems =
    thrown instanceof UserError
      ? thrown.problems
      : thrown instanceof StorageError
        ? [storageProblem(thrown)]
        : undefined;
  if (problems === undefined) {
    io.stderr.write(mask(describeBug(thrown, argv)));
    return exitCodes.bug;
  }
  const color = wantsColor(io.stderr, io.env, !argv.includes('--no-color'));
  io.stderr.write(mask(describeProblems(problems, { color })));
  return exitCodes.usage;
}
