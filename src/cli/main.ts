import { Command, CommanderError } from 'commander';
import { StorageError } from '../files/storage-error.ts';
import { storageProblem, UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { quote } from '../text/shorten.ts';
import { commands } from './commands/index.ts';
import { describeBug } from './describe-bug.ts';
import type { Io } from './io.ts';
import { protectOptionalValues } from './optional-values.ts';
import { wantsColor } from './style.ts';
import { version } from './version.ts';

export { processIo } from './process-io.ts';

/** The whole program as a function: arguments and streams in, exit code out. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.passed;
  const program = new Command();
  program
    .name('llmcheck')
    .description('Regression and contract tests for prompts.')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError('Run with --help for the flags and examples.')
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', exampleText)
    .allowExcessArguments()
    .action(() => {
      const [unknown] = program.args;
      if (unknown === undefined) program.outputHelp({ error: true });
      else io.stderr.write(describeUnknownCommand(unknown, program));
      exitCode = exitCodes.usage;
    });
  for (const addCommand of commands) {
    addCommand(program, io, (code) => {
      exitCode = code;
    });
  }
  try {
    await program.parseAsync(protectOptionalValues(argv, io.cwd), { from: 'user' });
    return await settleStdout(argv, exitCode, io);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.passed : exitCodes.usage;
    const problems =
      error instanceof UserError ? error.problems : error instanceof StorageError ? [storageProblem(error)] : undefined;
    if (problems !== undefined) {
      const [{ describeProblems }, { maskByName }] = await Promise.all([
        import('./describe-problems.ts'),
        import('./mask-io.ts'),
      ]);
      const color = wantsColor(io.stderr, io.env, !argv.includes('--no-color'));
      io.stderr.write(maskByName(io.env)(describeProblems(problems, { color })));
      return exitCodes.usage;
    }
    const { maskByName } = await import('./mask-io.ts');
    io.stderr.write(maskByName(io.env)(describeBug(error, argv)));
    return exitCodes.bug;
  }
}

/** A verdict wins over a report that was lost; what only prints has done nothing where that was lost. */
async function settleStdout([command = '']: readonly string[], exitCode: number, io: Io): Promise<number> {
  const fault = await io.stdout.settle?.();
  if (fault === undefined) return exitCode;
  io.stderr.write(`error: stdout could not be written: ${fault}\n`);
  return exitCode === exitCodes.passed && !verdictCommands.has(command) ? exitCodes.usage : exitCode;
}

const verdictCommands: ReadonlySet<string> = new Set(['run', 'compare', 'merge', 'contract', 'ci']);

/** Commander suggests commands only where the program has no action of its own. */
function describeUnknownCommand(name: string, program: Command): string {
  const known = program.commands.map((command) => command.name());
  const hint = didYouMean(name, known) ?? `there are: ${known.join(', ')}`;
  return `error: unknown command ${quote(name)}\n  hint: ${hint}\n`;
}

const exampleText = `
Examples:
  $ llmcheck init                        a working suite, prompt and recorded answers
  $ llmcheck run                         run every suite under evals/
  $ llmcheck run --filter refund         run the cases whose id contains "refund"
  $ llmcheck validate                    check the suites without a call
`;
