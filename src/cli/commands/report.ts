import type { ReportFlags } from '../report-command.ts';
import type { AddCommand } from './add-command.ts';

export const addReport: AddCommand = (program, io, setExitCode) => {
  program
    .command('report')
    .description('Render a stored run again, in any reporter.')
    .argument('[run]', 'run id, the start of one, or a record file (default: the last run)')
    .option(
      '-r, --reporter <name[=path]>',
      'report format (repeatable)',
      (value: string, previous: string[]) => [...previous, value],
      [],
    )
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'only the verdict and what failed')
    .option('--verbose', 'every failing case, with its whole answer')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck report\n  $ llmcheck report 20261124-153012-a1b2c3 -r junit=report.xml -r json=report.json',
    )
    .action(async (run: string | undefined, flags: ReportFlags) => {
      const { reportCommand } = await import('../report-command.ts');
      setExitCode(await reportCommand(run, flags, io));
    });
};
