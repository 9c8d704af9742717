import { defined } from '../json/defined.ts';
import { validateProject } from '../listing/validate-project.ts';
import { exitCodes } from '../model/exit-code.ts';
import { findForeignKeys } from '../plan/find-foreign-keys.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { loadForRun, resolveRun } from './resolve-run.ts';
import { buildRunOptions } from './run-options.ts';
import { wantsColor } from './style.ts';

/** `llmcheck validate`: what run checks before its first call, and nothing else. */
export async function validateCommand(
  paths: readonly string[],
  flags: { readonly config?: string; readonly quiet?: boolean },
  io: Io,
): Promise<number> {
  const configPath = flags.config ?? io.env['LLMCHECK_CONFIG'];
  const invocation = { flags: {}, env: io.env, cwd: io.cwd, root: findProjectRoot(io.cwd, configPath) };
  const {
    project,
    warnings: loadWarnings,
    plugins,
  } = await loadForRun({ paths, cwd: io.cwd, ...defined({ configPath }) }, invocation);
  const { values, settings, env, fileVariables, ...resolved } = resolveRun(project.run, invocation, plugins);
  const options = buildRunOptions(values, settings, project, paths);
  const { warnings, cells, cases, isIncomplete } = await validateProject(options, { env, cwd: io.cwd, now: io.now });
  const foreignKeys = findForeignKeys(project, { env, fileVariables });
  const all = [...loadWarnings, ...resolved.warnings, ...foreignKeys, ...warnings];
  if (all.length > 0) io.stderr.write(describeProblems(all, { color: wantsColor(io.stderr, io.env, true) }));
  const { suites } = project;
  if (suites.length === 0) {
    io.stderr.write('no suite was found: llmcheck looks for evals/**/*.eval.yaml; `llmcheck init` writes one\n');
    return exitCodes.incomplete;
  }
  if (isIncomplete) return exitCodes.incomplete;
  if (flags.quiet !== true) {
    io.stdout.write(`${count(suites.length, 'suite')}, ${count(cases, 'case')}, ${count(cells, 'cell')}: valid\n`);
  }
  return exitCodes.passed;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
