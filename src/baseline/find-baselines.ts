import { relative } from 'node:path';
import type { Baseline } from '../model/baseline.ts';
import { UserError } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import type { RunSettings } from '../model/record.ts';
import type { Suite } from '../model/suite.ts';
import { type GitRef, openGitRef } from '../project/git/git-files.ts';
import { baselinePathOf, refuseLinkOutside, refuseOutside } from '../project/project-paths.ts';
import { classifySource, type RecordSource } from '../project/record-source.ts';
import { findStoredRun, listStoredRuns } from '../project/stored-runs.ts';
import { openRecordHeads, type StoredRecord } from '../record/open-stored-record.ts';
import { isRunRecord } from '../record/read-run-record.ts';
import { readCases } from './baseline-order.ts';
import { openBaselineFile, openBaselineText } from './open-baseline.ts';

/** What a suite is held against. */
export type SuiteBaseline =
  | { readonly kind: 'file'; readonly source: string; readonly baseline: Baseline; readonly own?: Baseline }
  | { readonly kind: 'record'; readonly source: string; readonly record: StoredRecord };

/** Finds the baseline of a suite; undefined where there is none yet, which is news and no error. */
export type FindBaseline = (suite: { readonly id: string; readonly path: string }) => SuiteBaseline | undefined;

export interface FindBaselineOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Resolves `--baseline` once, before anything is sent; throws a UserError for what does not exist. */
export function openBaselines(
  wanted: RunSettings['baseline'],
  options: FindBaselineOptions & {
    /** True where a record says what it was compared with: a record may come from anywhere. */
    readonly isRecorded?: boolean;
  },
): FindBaseline {
  if (wanted === undefined || wanted === 'none') return () => undefined;
  if (wanted === 'auto') return remember((suite) => fileBeside(suite, options));
  const { root, cwd } = options;
  const source = classifySource(wanted.source, { cwd, runs: listStoredRuns({ root }), isPromptId: () => false });
  if (source.kind === 'file') {
    if (options.isRecorded === true) refuseOutside(source.path, options, recordedHint);
    else refuseLinkOutside(source.path, options);
  }
  return remember(openSource(source, wanted.source, options));
}

const recordedHint = 'put that file into the project, or name both sides: llmcheck compare BASELINE RUN';

/** Opens the baseline of every suite; one UserError has the problems of them all. */
export function checkBaselines(suites: readonly Pick<Suite, 'id' | 'path'>[], findBaseline: FindBaseline): void {
  const problems: Problem[] = [];
  for (const suite of suites) {
    try {
      findBaseline(suite);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new UserError(problems);
}

/** A run asks several times; each file is read once. */
function remember(find: FindBaseline): FindBaseline {
  const found = new Map<string, SuiteBaseline | undefined>();
  return (suite) => {
    if (!found.has(suite.id)) found.set(suite.id, find(suite));
    return found.get(suite.id);
  };
}

function openSource(source: RecordSource, text: string, options: FindBaselineOptions): FindBaseline {
  const { root, cwd, env } = options;
  switch (source.kind) {
    case 'git':
      return fromGit(openGitRef(root, source.ref, env), options);
    case 'run': {
      const record = openRecordHeads(findStoredRun({ root }, source.id).path, cwd);
      return () => ({ kind: 'record', source: `run ${source.id}`, record });
    }
    case 'file': {
      const shown = relative(cwd, source.path);
      if (isRunRecord(source.path)) {
        const record = openRecordHeads(source.path, cwd);
        return () => ({ kind: 'record', source: shown, record });
      }
      const baseline = openBaselineFile(source.path, shown);
      return (suite) => (baseline?.suite === suite.id ? { kind: 'file', source: shown, baseline } : undefined);
    }
    case 'prompt': {
      const message = `--baseline ${text} is a prompt id: two prompt versions are compared by --compare`;
      throw new UserError([{ code: 'usage', severity: 'error', message, hint: `write --compare ${text},<other>` }]);
    }
  }
}

function fileBeside(
  { id, path }: { id: string; path: string },
  { root, cwd }: FindBaselineOptions,
): SuiteBaseline | undefined {
  const file = baselinePathOf(root, path);
  const shown = relative(cwd, file);
  const baseline = openBaselineFile(file, shown);
  if (baseline === undefined) return undefined;
  checkSuite(baseline, id, shown);
  return { kind: 'file', source: shown, baseline };
}

/** The baseline as it stands at the ref, beside the one that the working tree brings where that is another. */
function fromGit(ref: GitRef, options: FindBaselineOptions): FindBaseline {
  const { root, cwd } = options;
  return ({ id, path }) => {
    const file = baselinePathOf(root, path);
    const shown = relative(cwd, file);
    const text = ref.readFile(file);
    if (text === undefined) return undefined;
    const source = `git:${ref.name}:${shown}`;
    const baseline = openBaselineText(text, source);
    checkSuite(baseline, id, source);
    const own = openBaselineFile(file, shown);
    const isOther = own !== undefined && !isSameBaseline(own, baseline);
    return {
      kind: 'file',
      source: `git:${ref.name} (${ref.commit.slice(0, 8)})`,
      baseline,
      ...(isOther ? { own } : {}),
    };
  };
}

/** Line by line, since either may be larger than what should be in memory. */
function isSameBaseline(a: Baseline, b: Baseline): boolean {
  if (a.suite !== b.suite || JSON.stringify(a.variants) !== JSON.stringify(b.variants)) return false;
  const others = readCases(b);
  for (const row of readCases(a)) {
    const other = others.next();
    if (other.done === true || JSON.stringify(row) !== JSON.stringify(other.value)) return false;
  }
  return others.next().done === true;
}

function checkSuite(baseline: Baseline, id: string, file: string): void {
  if (baseline.suite === id) return;
  const message = `${file} is the baseline of suite ${baseline.suite}, not of ${id}`;
  const hint = 'accept it anew with llmcheck baseline accept, after removing the file';
  throw new UserError([{ code: 'record', severity: 'error', message, hint, at: { file, line: 1, column: 1 } }]);
}
