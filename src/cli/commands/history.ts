import { readHistory } from '../../history/read-history.ts';
import { defined } from '../../json/defined.ts';
import type { History } from '../../model/history.ts';
import type { ReportStyle } from '../../model/report.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import { openFlagReader } from '../flags/flag-reader.ts';
import type { Io } from '../io.ts';
import { renderHistory } from '../output/render-history.ts';
import { parseRequests, writeReportsOnly } from '../output/reports.ts';
import type { DefineCommand } from './define.ts';

interface Flags {
  readonly suite: readonly string[];
  readonly limit: string;
  readonly recent?: string;
  readonly cases?: boolean;
  readonly reporter: string;
  readonly config?: string;
  readonly color: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  const collect = (value: string, previous: readonly string[]) => [...previous, ...value.split(',')];
  command
    .argument('[paths...]', 'suite files, folders or globs (default: every suite that a stored run holds)')
    .option('-s, --suite <id>', 'only these suites (repeatable)', collect, [])
    .option('-n, --limit <n>', 'the latest n runs', '50')
    .option('--recent <n>', 'the latest n of them are held against those before (default: half)')
    .option('--cases', 'every case, not only those whose flake rate changed')
    .option('-r, --reporter <name[=path]>', 'terminal or json', 'terminal')
    .option('-c, --config <file>', 'config file')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck history\n  $ llmcheck history evals/triage.eval.yaml --limit 20 --cases\n  $ llmcheck history -r json=history.json',
    )
    .action(async (paths: string[], flags: Flags) => exit(await showHistory(paths, flags, io)));
};

async function showHistory(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const formats = {
    terminal: {
      extension: 'txt',
      render: (history: History, style: ReportStyle) =>
        renderHistory(history, { ...style, allCases: flags.cases === true }),
    },
    json: { extension: 'json', render: (history: History) => [`${JSON.stringify(history, undefined, 1)}\n`] },
  };
  const reader = openFlagReader();
  const { requests, problems } = parseRequests([flags.reporter], formats);
  for (const { message, hint } of problems) reader.refuse(message, hint);
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER };
  const limit = reader.readCount('--limit', flags.limit, range);
  const recent = flags.recent === undefined ? undefined : reader.readCount('--recent', flags.recent, range);
  reader.check();
  const history = readHistory({
    root: findProjectRoot(io.cwd, flags.config ?? io.env['LLMCHECK_CONFIG']),
    cwd: io.cwd,
    paths,
    suites: flags.suite,
    limit,
    ...defined({ recent }),
  });
  for (const { message } of history.damaged) io.stderr.write(`warning: a run is left out: ${message}\n`);
  // A file that is asked for replaces the report on the terminal.
  const wanted = requests.filter(({ name, path }) => path !== undefined || name === flags.reporter);
  return writeReportsOnly(history, wanted, { io, color: flags.color });
}
