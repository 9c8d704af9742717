import type { PlanSizeFlags } from '../plan-size-command.ts';
import type { AddCommand } from './add-command.ts';

export const addPlanSize: AddCommand = (program, io, setExitCode) => {
  program
    .command('plan-size')
    .description('Say what drop a suite can see, and how large it must be for another.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--drop <share>', "the drop of the pass rate to plan for (default: the gate's maxDrop)")
    .option('--power <share>', 'the wanted chance of a clear answer', '0.8')
    .option('--run <id|file>', 'plan from this run alone (default: every stored run and the baseline)')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Sends nothing. Without a stored run it assumes that one trial in twenty flakes, and says so.

Examples:
  $ llmcheck plan-size                                    what each suite can see today
  $ llmcheck plan-size evals/triage.eval.yaml --drop 2%   how large it must be for 2 points`,
    )
    .action(async (paths: string[], flags: PlanSizeFlags) => {
      const { planSizeCommand } = await import('../plan-size-command.ts');
      setExitCode(await planSizeCommand(paths, flags, io));
    });
};
