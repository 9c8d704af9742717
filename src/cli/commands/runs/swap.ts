import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../../../model/problem.ts';
import { addRunFlags } from '../../flags/run-flags.ts';
import type { DefineCommand } from '../define.ts';
import { type RunFlags, runCommand } from './run.ts';

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths|id=model...]', 'suite files, folders or globs, and ID=MODEL,MODEL for each provider')
    .option('-c, --config <file>', 'config file')
    .option('--no-color', 'no colour')
    .option('--json', 'the whole report as JSON, with the table under swaps');
  addRunFlags(command);
  command
    .addHelpText(
      'after',
      `
ID is a provider of the suites, MODEL is adapter:model or another provider of the project.
Candidates get the provider's params and limits, without those that their API lacks.
Each is compared with the provider within this run. No suite and no baseline is changed.

Examples:
  $ llmcheck swap mini=openai:gpt-5-mini,anthropic:claude-haiku-4-5 --max-cost 2
  $ llmcheck swap evals/triage.eval.yaml mini=local --trials 3
  $ llmcheck swap mini=openai:gpt-5-mini --dry-run       the most that it may cost

Exit codes: those of llmcheck run; 1 where a candidate is worse.`,
    )
    .action(async (given: string[], flags: RunFlags) => {
      const isSwap = (text: string) => text.includes('=') && !existsSync(resolve(io.cwd, text));
      const swap = [...listOf(flags['swap']), ...given.filter(isSwap)];
      if (swap.length === 0) {
        throw usageError('no candidate is named', 'write ID=MODEL, such as mini=openai:gpt-5-mini');
      }
      const reporter = listOf(flags['reporter']);
      const isTaken = reporter.some((name) => !name.includes('='));
      const table = flags['json'] === true ? 'json' : 'swap';
      const all = isTaken ? reporter : [...reporter, table];
      const paths = given.filter((text) => !isSwap(text));
      exit(await runCommand(paths, { ...flags, swap, reporter: all }, io));
    });
};

/** The values of a flag that may be repeated. */
function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
