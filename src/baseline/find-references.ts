import { relative } from 'node:path';
import type { Baseline, Pin } from '../model/baseline.ts';
import { UserError } from '../model/problem.ts';
import type { RunSettings } from '../model/record.ts';
import { openGitRef } from '../project/git/git-files.ts';
import { referencePathOf } from '../project/project-paths.ts';
import { classifySource } from '../project/record-source.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import type { FindBaselineOptions } from './find-baselines.ts';
import { openBaselineFile, openBaselineText } from './open-baseline.ts';

/** The pinned reference of a suite. */
export interface Reference {
  /** In words. */
  readonly source: string;
  readonly baseline: Baseline;
  readonly pin: Pin;
}

/** Finds the pinned reference of a suite; undefined where there is none. Throws a `UserError` for a damaged one. */
export type FindReference = (suite: { readonly id: string; readonly path: string }) => Reference | undefined;

/**
 * Finds references by what the run is compared with. With `--baseline git:REF` the reference at the ref goes before the working
 * tree's, so that a change can neither remove nor replace the one that it is compared with.
 */
export function openReferences(wanted: RunSettings['baseline'], options: FindBaselineOptions): FindReference {
  const { root, cwd, env } = options;
  if (wanted === undefined || wanted === 'none') return () => undefined;
  const source =
    wanted === 'auto'
      ? undefined
      : classifySource(wanted.source, { cwd, runs: listStoredRuns({ root }), isPromptId: () => false });
  const ref = source?.kind === 'git' ? openGitRef(root, source.ref, env) : undefined;
  const found = new Map<string, Reference | undefined>();
  const find: FindReference = (suite) => {
    const path = referencePathOf(root, suite.path);
    const shown = relative(cwd, path);
    const atRef = ref?.readFile(path);
    if (ref === undefined || atRef === undefined) return toReference(openBaselineFile(path, shown), shown, suite.id);
    const name = `git:${ref.name}:${shown}`;
    return toReference(openBaselineText(atRef, name), name, suite.id);
  };
  return (suite) => {
    if (!found.has(suite.id)) found.set(suite.id, find(suite));
    return found.get(suite.id);
  };
}

/** The reference beside a suite. */
export function openReferenceBeside(
  suite: { readonly id: string; readonly path: string },
  { root, cwd }: Pick<FindBaselineOptions, 'root' | 'cwd'>,
): Reference | undefined {
  const path = referencePathOf(root, suite.path);
  const shown = relative(cwd, path);
  return toReference(openBaselineFile(path, shown), shown, suite.id);
}

function toReference(baseline: Baseline | undefined, source: string, suite: string): Reference | undefined {
  if (baseline === undefined) return undefined;
  const refuse = (message: string) => {
    const hint = 'remove the file, or pin again with `llmcheck baseline pin`';
    const at = { file: source, line: 1, column: 1 };
    return new UserError({ code: 'record', message, hint, at });
  };
  if (baseline.suite !== suite) throw refuse(`${source} is the reference of suite ${baseline.suite}, not of ${suite}`);
  if (baseline.pin === undefined) throw refuse(`${source} is not a pinned reference: its header has no "pin"`);
  return { source, baseline, pin: baseline.pin };
}
