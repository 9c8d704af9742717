import { exitCodes } from '../model/exit-code.ts';
import { findProjectRoot } from '../pipeline/find-project-root.ts';
import {
  type ListedRow,
  listAssertions,
  listCases,
  listProviders,
  listReporters,
  listRuns,
  listSuites,
} from '../pipeline/list-parts.ts';
import { loadPlugins, loadProject } from '../pipeline/load-project.ts';
import type { Io } from './io.ts';
import { printRows } from './print-rows.ts';

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
  const columns = subject === 'assertions' ? { columns: ['assertion', 'family', 'summary', 'parameters'] } : {};
  printRows(rows, { json: flags.json === true, noun: subject, ...columns }, io);
  return exitCodes.passed;
}

async function findRows(
  subject: ListSubject,
  paths: readonly string[],
  config: string | undefined,
  io: Io,
): Promise<readonly ListedRow[]> {
  const configPath = config === undefined ? {} : { configPath: config };
  const project = async () => (await loadProject({ paths, cwd: io.cwd, ...configPath })).project;
  const plugins = () => loadPlugins({ cwd: io.cwd, ...configPath });
  switch (subject) {
    case 'suites':
      return listSuites(await project());
    case 'cases':
      return listCases(await project());
    case 'providers':
      return listProviders(await project(), io.env);
    case 'assertions':
      return listAssertions(findProjectRoot(io.cwd, config), await plugins());
    case 'reporters':
      return listReporters(await plugins());
    case 'runs':
      return listRuns(findProjectRoot(io.cwd, config));
  }
}
