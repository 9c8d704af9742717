import type { CalibrateFlags } from '../calibrate-command.ts';
import type { AddCommand } from './add-command.ts';

export const addCalibrate: AddCommand = (program, io, setExitCode) => {
  program
    .command('calibrate')
    .description("Measure the gate's own false alarms on stored trials of one version.")
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--runs <n>', 'how many comparisons', '2000')
    .option('--seed <n>', 'of the splits; the same seed gives the same report', '1')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Sends nothing: it needs cases with two stored trials or more, of one run or of several.
Exit code 4 where there are none.

Examples:
  $ llmcheck calibrate
  $ llmcheck run --trials 6 && llmcheck calibrate evals/triage.eval.yaml --runs 10000`,
    )
    .action(async (paths: string[], flags: CalibrateFlags) => {
      const { calibrateCommand } = await import('../calibrate-command.ts');
      setExitCode(await calibrateCommand(paths, flags, io));
    });
};
