import { exitCodes } from '../model/exit-code.ts';
import { loadProject } from '../pipeline/load-project.ts';
import { validateProject } from '../pipeline/validate-project.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { wantsColor } from './style.ts';

/** `llmcheck validate`: what run checks before its first call, and nothing else. */
export async function validateCommand(
  paths: readonly string[],
  flags: { readonly config?: string; readonly quiet?: boolean },
  io: Io,
): Promise<number> {
  const loaded = await loadProject({
    paths,
    cwd: io.cwd,
    ...(flags.config === undefined ? {} : { configPath: flags.config }),
  });
  const { warnings, cells, cases } = await validateProject(loaded.project, { env: io.env });
  const all = [...loaded.warnings, ...warnings];
  if (all.length > 0) io.stderr.write(describeProblems(all, { color: wantsColor(io.stderr, io.env, true) }));
  const { suites } = loaded.project;
  if (suites.length === 0) {
    io.stderr.write('no suite was found: llmcheck looks for evals/**/*.eval.yaml; `llmcheck init` writes one\n');
    return exitCodes.incomplete;
  }
  if (flags.quiet !== true) {
    io.stdout.write(`${count(suites.length, 'suite')}, ${count(cases, 'case')}, ${count(cells, 'cell')}: valid\n`);
  }
  return exitCodes.passed;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
