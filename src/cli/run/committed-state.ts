import { resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { distrustCommittedState } from '../../project/committed-state.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import type { Io } from '../io.ts';
import { printProblems } from '../output/problems.ts';

interface StateFlags {
  readonly config?: string | undefined;
  readonly baseline?: string | undefined;
}

/** Roots whose committed files are looked at again once the baseline is known. */
const waiting = new Set<string>();

/** What was said of a root, for the report of a run there. */
const announced = new Map<string, string>();

/** The warning of committed files that this run does not read. */
export function committedNotes(root: string): readonly string[] {
  const warning = announced.get(root);
  return warning === undefined ? [] : [warning];
}

/** Finds committed files that are not read, and warns of them. `isLater`: once the run knows its baseline. */
export function announceCommittedState(
  { config, baseline }: StateFlags,
  io: Io,
  { isLater }: { readonly isLater: boolean },
): void {
  const root = findProjectRoot(io.cwd, config);
  waiting.delete(root);
  announced.delete(root);
  const warning = distrustCommittedState({
    root,
    env: io.env,
    baseline: baseline || io.env['LLMCHECK_BASELINE'],
    ...defined({ configPath: config === undefined ? undefined : resolve(io.cwd, config) }),
  });
  if (warning === undefined) return;
  announced.set(root, warning.message);
  if (isLater) waiting.add(root);
  else printProblems([warning], io, false);
}

/** The same with the baseline that a command of CI chose. */
export function announceWaitingState(flags: StateFlags, io: Io): void {
  if (waiting.has(findProjectRoot(io.cwd, flags.config))) announceCommittedState(flags, io, { isLater: false });
}
