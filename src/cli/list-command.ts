import { defined } from '../json/defined.ts';
import {
  type ListedRow,
  listAssertions,
  listCases,
  listProviders,
  listReporters,
  listRuns,
  listSuites,
} from '../listing/list-parts.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Problem } from '../model/problem.ts';
import { loadPlugins, loadProject } from '../project/load-project.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import type { Io } from './io.ts';
import { cellText, printRows } from './print-rows.ts';
import { warnOfNothing } from './warn-of-nothing.ts';

export type ListSubject = 'suites' | 'cases' | 'providers' | 'assertions' | 'reporters' | 'runs';

/** `llmcheck list`: a table for people, `--json` for scripts. */
export async function listCommand(
  subject: ListSubject,
  paths: readonly string[],
  flags: { readonly config?: string; readonly json?: boolean },
  io: Io,
): Promise<number> {
  const rows = await findRows(subject, paths, flags.config, io);
  // The whole of an assertion is too wide for a table.
  if (subject === 'assertions' && flags.json !== true) io.stdout.write(rows.map(describeRow).join('\n'));
  else printRows(rows, { json: flags.json === true, noun: subject }, io);
  return exitCodes.passed;
}

/** A row as a block of lines, its first two values as the head. */
function describeRow(row: ListedRow): string {
  const [name, family, ...entries] = Object.entries(row);
  const lines = entries.map(([key, value]) => `  ${key.padEnd(11)} ${cellText(value)}\n`);
  return `${cellText(name?.[1])} (${cellText(family?.[1])})\n${lines.join('')}`;
}

/** All of them, or those that are named. */
function selectNamed(rows: readonly ListedRow[], names: readonly string[]): readonly ListedRow[] {
  if (names.length === 0) return rows;
  const known = rows.map(({ assertion }) => String(assertion));
  const problems = names
    .filter((name) => !known.includes(name))
    .map((name): Problem => {
      const hint = didYouMean(name, known);
      const message = `there is no assertion "${name}"`;
      return { code: 'usage', severity: 'error', message, ...defined({ hint }) };
    });
  if (problems.length > 0) throw new UserError(problems);
  return rows.filter(({ assertion }) => names.includes(String(assertion)));
}

async function findRows(
  subject: ListSubject,
  paths: readonly string[],
  config: string | undefined,
  io: Io,
): Promise<readonly ListedRow[]> {
  const configPath = config === undefined ? {} : { configPath: config };
  const project = async () => {
    const loaded = await loadProject({ paths, cwd: io.cwd, ...configPath });
    warnOfNothing(loaded.warnings, io);
    return loaded.project;
  };
  const plugins = () => loadPlugins({ cwd: io.cwd, ...configPath });
  switch (subject) {
    case 'suites':
      return listSuites(await project());
    case 'cases':
      return listCases(await project());
    case 'providers':
      return listProviders(await project(), io.env);
    case 'assertions':
      return selectNamed(await listAssertions(findProjectRoot(io.cwd, config), await plugins()), paths);
    case 'reporters':
      return listReporters(await plugins());
    case 'runs':
      return listRuns(findProjectRoot(io.cwd, config));
  }
}
