import Table from 'cli-table3';
import { toSafeLine } from '../lib/sanitize.ts';
import { exitCodes } from '../model/exit-code.ts';
import {
  listAssertions,
  listCases,
  listProviders,
  listReporters,
  listRuns,
  listSuites,
} from '../pipeline/list-parts.ts';
import { findProjectRoot, loadProject } from '../pipeline/load-project.ts';
import type { Io } from './io.ts';

export type ListSubject = 'suites' | 'cases' | 'providers' | 'assertions' | 'reporters' | 'runs';

type Row = Readonly<Record<string, string | number | readonly string[] | null>>;

/** `llmcheck list`: a table for people, `--json` for scripts. */
export async function listCommand(
  subject: ListSubject,
  paths: readonly string[],
  flags: { readonly config?: string; readonly json?: boolean },
  io: Io,
): Promise<number> {
  const rows = await findRows(subject, paths, flags.config, io);
  if (flags.json === true) {
    io.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return exitCodes.passed;
  }
  const [first] = rows;
  if (first === undefined) {
    io.stderr.write(`no ${subject}\n`);
    return exitCodes.passed;
  }
  const columns = Object.keys(first);
  const table = new Table({
    head: columns,
    style: { head: [], border: [], compact: true },
    chars: plainBorders,
  });
  table.push(...rows.map((row) => columns.map((column) => cellText(row[column]))));
  io.stdout.write(`${trimLines(table.toString())}\n`);
  return exitCodes.passed;
}

async function findRows(
  subject: ListSubject,
  paths: readonly string[],
  config: string | undefined,
  io: Io,
): Promise<readonly Row[]> {
  const configPath = config === undefined ? {} : { configPath: config };
  const project = async () => (await loadProject({ paths, cwd: io.cwd, ...configPath })).project;
  switch (subject) {
    case 'suites':
      return listSuites(await project());
    case 'cases':
      return listCases(await project());
    case 'providers':
      return listProviders(await project(), io.env);
    case 'assertions':
      return listAssertions();
    case 'reporters':
      return listReporters();
    case 'runs':
      return listRuns(await findProjectRoot(io.cwd, config));
  }
}

function cellText(value: Row[string] | undefined): string {
  if (value === undefined || value === null) return '–';
  return toSafeLine(Array.isArray(value) ? value.join(', ') : String(value));
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const plainBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
};
