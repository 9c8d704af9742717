import { Command } from 'commander';
import { addFlags } from '../add-flags.ts';
import type { CiFlags } from '../ci-github-command.ts';
import { protectOptionalValues } from '../optional-values.ts';
import { runFlags } from '../run-flags.ts';
import type { AddCommand } from './add-command.ts';

export const addCi: AddCommand = (program, io, setExitCode) => {
  const ci = program
    .command('ci')
    .description('Run within a CI system and publish there.')
    .addHelpText('after', '\nExamples:\n  $ llmcheck ci github --comment --check-run');

  ci.command('github')
    .description('Run, then publish to GitHub: job summary, annotations, outputs, comment, check.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--run <id>', 'publish a stored run instead of running: an id, a record file, or latest')
    .option('--args <text>', 'flags of run, as one text', '')
    .option('--paths <text>', 'paths, as one text', '')
    .option('--baseline <source>', 'as in run (default on a pull request: the merge-base with its base)', '')
    .option('--comment', 'keep one comment on the pull request, updated in place')
    .option('--check-run', 'put a check on the head commit')
    .option('--id <id>', 'tells several comments and checks of one commit apart', 'default')
    .option('--no-summary', 'no job summary')
    .option('--no-annotations', 'no annotations')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Reads what the runner sets: GITHUB_TOKEN, GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_SHA, GITHUB_API_URL,
GITHUB_STEP_SUMMARY, GITHUB_OUTPUT. What can't be published is a warning; the exit code is that of the run.
On a pull request from a fork, whose jobs have no secrets, stored answers alone are used; where they do not
suffice, the verdict is neutral (exit code 0) unless what was judged fails.

Examples:
  $ llmcheck ci github evals/triage.eval.yaml --args "--max-cost 0.50" --comment
  $ llmcheck ci github --run latest --check-run`,
    )
    .action(async (paths: string[], flags: CiFlags) => {
      const { ciGithubCommand } = await import('../ci-github-command.ts');
      setExitCode(await ciGithubCommand(paths, flags, io, parseRunArguments));
    });

  /** The flags and paths of `run` in words of a text; throws what commander throws. */
  function parseRunArguments(words: readonly string[]): {
    readonly flags: Readonly<Record<string, unknown>>;
    readonly paths: readonly string[];
  } {
    const run = new Command('run')
      .exitOverride()
      .configureOutput({ writeOut: (text) => io.stderr.write(text), writeErr: (text) => io.stderr.write(text) })
      .argument('[paths...]')
      .option('-c, --config <file>')
      .option('--no-color');
    addFlags(run, runFlags);
    run.parse(protectOptionalValues(words, io.cwd), { from: 'user' });
    return { flags: run.opts(), paths: run.args };
  }
};
