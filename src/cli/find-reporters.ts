import { defined } from '../json/defined.ts';
import type { Report } from '../model/report.ts';
import { type ParsedReporters, parseReporters } from './write-reports.ts';

/** Reads `--reporter`; the project's plug-ins are loaded where a name is none of the built-in ones. */
export async function findReporters(
  texts: readonly string[],
  { cwd, config }: { readonly cwd: string; readonly config: string | undefined },
): Promise<ParsedReporters<Report>> {
  const parsed = parseReporters(texts);
  if (parsed.problems.length === 0) return parsed;
  // What reads a project is loaded only where a name asks for it.
  const { loadPlugins } = await import('../project/load-project.ts');
  return parseReporters(texts, await loadPlugins({ cwd, ...defined({ configPath: config }) }));
}
