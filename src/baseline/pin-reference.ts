import { relative } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile, removeFile } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import type { BaselineCases, BaselineContent } from '../model/comparison/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { variantKey } from '../model/run/cell.ts';
import { isSameCase } from '../model/suite/same-case.ts';
import type { Project, Suite } from '../model/suite/suite.ts';
import { referencePathOf } from '../project/project-paths.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import type { AcceptableSuite } from './acceptable-record.ts';
import { type AcceptOptions, openAcceptable } from './acceptable-record.ts';
import { countTrials, isSameVariant, keepCases, mergeBaseline, readCases } from './baseline-cases.ts';
import { openBaselineBeside } from './open-baseline.ts';
import { buildBaseline, writeBaseline } from './write-baseline.ts';

/** With fewer runs, the reference's own noise is a large part of a drop against it. */
export const wantedRuns = 5;

export interface PinnedReference {
  readonly suite: string;
  /** Relative to the working folder. */
  readonly file: string;
  readonly isChanged: boolean;
  readonly rows: number;
  /** Rows that rest on fewer than the wanted runs, and the fewest runs that one rests on. */
  readonly thinRows: number;
  readonly fewestRuns: number;
}

export interface PinOptions extends Omit<AcceptOptions, 'recordPath' | 'force' | 'knownFailures' | 'isWanted'> {
  readonly suites: readonly Pick<Suite, 'id' | 'path'>[];
  /** Paths of records to pin. If empty, the baselines are pinned. */
  readonly recordPaths: readonly string[];
  readonly now: Date;
}

/**
 * Writes a reference for each suite, from its baseline or from the named runs. Writes none if one suite's is refused.
 */
export async function pinReferences(options: PinOptions): Promise<readonly PinnedReference[]> {
  const { root, cwd, recordPaths } = options;
  const found = recordPaths.length === 0 ? fromBaselines(options) : await fromRecords(options);
  for (const { suite } of found) probeFile(referencePathOf(root, suite.path));
  return found.map(({ suite, content, until }) => {
    const path = referencePathOf(root, suite.path);
    const reference = { ...content, pin: { until }, cases: content.cases.map(toReferenceCases) };
    const runs = Array.from(readCases(reference), ({ pooled }) => pooled?.runs ?? 0);
    return withFileLock(path, () => ({
      suite: suite.id,
      file: relative(cwd, path),
      isChanged: writeBaseline(path, reference),
      rows: runs.length,
      thinRows: runs.filter((count) => count < wantedRuns).length,
      fewestRuns: runs.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY),
    }));
  });
}

interface FoundReference {
  readonly suite: Pick<Suite, 'id' | 'path'>;
  readonly content: BaselineContent;
  readonly until: string;
}

function fromBaselines({ suites, root, cwd, now }: PinOptions): readonly FoundReference[] {
  const problems: Problem[] = [];
  const found = suites.flatMap((suite): FoundReference[] => {
    const { baseline: content } = openBaselineBeside(suite, { root, cwd });
    if (content !== undefined && hasVerdicts(content)) return [{ suite, content, until: now.toISOString() }];
    const message = `suite ${suite.id} has no ${content === undefined ? 'baseline' : 'accepted verdict'} to pin`;
    const hint = 'accept a run with `llmcheck baseline accept`, or name runs: llmcheck baseline pin --from RUN';
    problems.push({ code: 'record', severity: 'error', message, hint });
    return [];
  });
  if (problems.length > 0) throw new UserError(problems);
  return found;
}

/** Counts the trials of the named runs together, including failed and incomplete runs. */
async function fromRecords(options: PinOptions): Promise<readonly FoundReference[]> {
  const runs: { record: StoredRecord; suites: readonly AcceptableSuite[] }[] = [];
  for (const recordPath of options.recordPaths) {
    const { record, suites } = await openAcceptable({ ...options, recordPath, force: true });
    runs.push({ record, suites });
  }
  runs.sort((a, b) => (a.record.header.startedAt < b.record.header.startedAt ? -1 : 1));
  const problems: Problem[] = [];
  const found = options.suites.flatMap((suite): FoundReference[] => {
    const own = runs.flatMap(({ record, suites }) => {
      const run = suites.find((other) => other.suite.recorded.suite === suite.id);
      const content =
        run === undefined ? undefined : buildBaseline(run.suite, { readRow: run.readRow, checksOf: record.checksOf });
      if (run === undefined || content === undefined || !hasVerdicts(content)) return [];
      const { shownPath: shown, header } = record;
      return [{ shown, startedAt: header.startedAt, content, isFull: !run.suite.recorded.filtered }];
    });
    const last = own.at(-1);
    if (last === undefined) {
      const message = `none of the named runs has a verdict of suite ${suite.id}`;
      problems.push({ code: 'record', severity: 'error', message, hint: 'name another run, or the suites to pin' });
      return [];
    }
    problems.push(...own.slice(0, -1).flatMap(({ shown, content }) => findMismatch(shown, content, last)));
    let content: BaselineContent | undefined;
    for (const run of own) content = mergeBaseline(content, run.content, run);
    return content === undefined ? [] : [{ suite, content, until: last.startedAt }];
  });
  if (problems.length > 0) throw new UserError(problems);
  return found;
}

/** Finds trials with another prompt or other checks, which can't be counted with the newest run's. */
function findMismatch(
  shown: string,
  content: BaselineContent,
  last: { readonly shown: string; readonly content: BaselineContent },
): readonly Problem[] {
  const variants = new Map(content.variants.map((row) => [variantKey(row), row]));
  const rows = new Map(content.cases.map((cases) => [variantKey(cases), cases]));
  return last.content.variants.flatMap((variant): Problem[] => {
    const earlier = variants.get(variantKey(variant));
    if (earlier === undefined) return [];
    const where = `${last.content.suite}: ${variant.prompt} × ${variant.provider}`;
    const object = (what: string): Problem[] => {
      const message = `${where} ${what} in ${shown} than in ${last.shown}, the newest run`;
      return [{ code: 'record', severity: 'error', message, hint: 'leave that run out of --from' }];
    };
    if (!isSameVariant(earlier, variant))
      return object('has another prompt text, another model, or other parameters or settings');
    const newest = last.content.cases.find((cases) => variantKey(cases) === variantKey(variant));
    const ids = [...(newest?.caseIds() ?? [])];
    const cases = rows.get(variantKey(variant));
    const isShared = ids.some(
      (caseId) => cases?.has(caseId) === true && isSameCase(cases.read(caseId).caseHash, newest?.read(caseId).caseHash),
    );
    return isShared ? [] : object('has other cases or other checks');
  });
}

function hasVerdicts(content: BaselineContent): boolean {
  for (const row of readCases(content)) if (countTrials(row) !== undefined) return true;
  return false;
}

/** The cases of a reference: counts without answers. */
function toReferenceCases(cases: BaselineCases): BaselineCases {
  return {
    ...keepCases(cases, (caseId) => cases.has(caseId) && countTrials(cases.read(caseId)) !== undefined),
    read(caseId) {
      const { confirmations: _confirmations, ...row } = cases.read(caseId);
      const pooled = countTrials(row);
      return {
        ...row,
        ...defined({ pooled: pooled === undefined ? undefined : { ...pooled, answers: [] } }),
        trials: row.trials.map(({ trial, status, score }) => ({
          trial,
          status,
          ...defined({ score }),
          checks: [],
        })),
      };
    },
  };
}

export interface UnpinnedReference {
  readonly suite: string;
  readonly file: string;
  readonly isRemoved: boolean;
}

/** Removes the references of suites. A damaged one is removed too. */
export function unpinReferences({ suites, root }: Project, cwd: string): readonly UnpinnedReference[] {
  return suites.map((suite) => {
    const path = referencePathOf(root, suite.path);
    return { suite: suite.id, file: relative(cwd, path), isRemoved: removeFile(path) };
  });
}
