import { isAbsolute, join, relative } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile } from '../files/write-files.ts';
import type { Baseline, BaselineCase, BaselineContent, VariantKey } from '../model/comparison/baseline.ts';
import { exitCodeFor, exitCodes } from '../model/comparison/exit-code.ts';
import { UserError } from '../model/problem.ts';
import type { Report } from '../model/report/report.ts';
import { variantKey } from '../model/run/cell.ts';
import type { PlannedSuite } from '../model/run/plan.ts';
import type { SuiteSummary } from '../model/run/summary.ts';
import { withRefusal } from '../model/storage-problem.ts';
import { baselinePathOf, findOutsideFault } from '../project/project-paths.ts';
import { readRunHeader } from '../record/read-run-record.ts';
import { kindOfPath } from '../suite/files/project-place.ts';
import {
  type AcceptOptions,
  acceptCommand,
  findNewFailures,
  type KnownFailure,
  openAcceptable,
} from './acceptable-record.ts';
import { countCases, countTrials, type MergeOptions, mergeBaseline } from './baseline-cases.ts';
import { openBaselineFile } from './open-baseline.ts';
import { buildBaseline, writeBaseline } from './write-baseline.ts';

export interface AcceptedBaseline {
  readonly suite: string;
  /** Relative to the working folder. */
  readonly file: string;
  readonly isChanged: boolean;
  readonly cases: number;
  readonly variants: number;
  /** Failing cases that were not accepted before. */
  readonly knownFailures: readonly KnownFailure[];
  /** Cases that failed in this run but pass in most of their accepted trials, so that a failure still counts. */
  readonly stillExpected: readonly KnownFailure[];
}

/** Writes a record as the baseline of its suites. Writes none if one is refused. Can throw a `StorageError` too. */
export async function acceptBaseline(options: AcceptOptions): Promise<readonly AcceptedBaseline[]> {
  const { root, cwd } = options;
  const { record, suites, objections } = await openAcceptable(options);
  if (objections.length > 0) throw new UserError(objections);
  // A baseline that can't be written is reported before the first is written.
  for (const { suite } of suites) probeFile(baselinePathOf(root, suite.recorded.path));
  return suites.map(({ suite, readRow }) => {
    const path = baselinePathOf(root, suite.recorded.path);
    const file = relative(cwd, path);
    const isFull = !suite.recorded.filtered && record.summary.stopReason === undefined;
    return withFileLock(path, () => {
      // A damaged file is refused, even if a full run replaces all of it.
      const old = openBaselineFile(path, file);
      const failures = findNewFailures(suite, old, readRow);
      const { merged, stillExpected } = mergeRun(
        old,
        buildBaseline(suite, { readRow, checksOf: record.checksOf }),
        failures,
        {
          isFull,
          isSkipped: findSkipped(suite),
          takesFailures: options.knownFailures === true,
        },
      );
      return {
        suite: suite.recorded.suite,
        file,
        isChanged: writeBaseline(path, merged),
        cases: countCases(merged).ids,
        variants: merged.variants.length,
        knownFailures: failures.filter((failure) => !stillExpected.includes(failure)),
        stillExpected,
      };
    });
  });
}

function findSkipped({ variants }: SuiteSummary): NonNullable<MergeOptions['isSkipped']> {
  const byKey = new Map(variants.map(({ recorded, cases }) => [variantKey(recorded), cases]));
  return (key, caseId) => byKey.get(variantKey(key))?.get(caseId)?.status === 'skipped';
}

interface MergeRunOptions extends Pick<MergeOptions, 'isFull' | 'isSkipped'> {
  readonly takesFailures: boolean;
}

/** Merges a run. If its failures become known failures, earlier results of these cases no longer count. */
function mergeRun(
  old: Baseline | undefined,
  accepted: BaselineContent,
  failures: readonly KnownFailure[],
  { takesFailures, ...options }: MergeRunOptions,
): { readonly merged: BaselineContent; readonly stillExpected: readonly KnownFailure[] } {
  const nameOf = (key: VariantKey, caseId: string) => JSON.stringify([variantKey(key), caseId]);
  const taken = new Set(takesFailures ? failures.map((failure) => nameOf(failure, failure.caseId)) : []);
  const beginsAgain = (key: VariantKey, caseId: string) => taken.has(nameOf(key, caseId));
  const merged = mergeBaseline(old, accepted, { ...options, beginsAgain });
  const rows = new Map(merged.cases.map((cases) => [variantKey(cases), cases]));
  const stillExpected = failures.filter((failure) => {
    const row = rows.get(variantKey(failure))?.read(failure.caseId);
    return row !== undefined && row.mustPass !== true && passesByMajority(row);
  });
  return { merged, stillExpected };
}

function passesByMajority(row: BaselineCase): boolean {
  const counted = countTrials(row);
  return counted !== undefined && counted.failures * 2 < counted.trials;
}

/**
 * Accepts a run that has just ended and passed. Of any other run, and of one in which something drifted, writes nothing and throws
 * a `UserError` with the next step.
 */
export async function updateBaseline(
  { decision }: Report,
  options: Omit<AcceptOptions, 'force' | 'knownFailures'>,
): Promise<readonly AcceptedBaseline[]> {
  const hasDrifted = decision.drift !== undefined;
  if (exitCodeFor(decision) === exitCodes.passed && !hasDrifted) return acceptBaseline({ ...options, force: false });
  const { record, suites, objections } = await openAcceptable({ ...options, force: false });
  const failures = suites.flatMap(({ suite, readRow }) => findNewFailures(suite, undefined, readRow));
  const state = describeState(decision);
  const flags = [...(failures.length > 0 ? ['--known-failures'] : []), ...(objections.length > 0 ? ['--force'] : [])];
  const hint = `to accept it as it is: ${acceptCommand(record, flags, options)}`;
  throw new UserError([
    ...objections,
    {
      code: 'record',
      severity: 'error',
      message: `the run ${state}, and --update-baseline writes nothing of such a run${describeFailures(failures.length)}`,
      hint,
    },
  ]);
}

function describeState({ interrupted, outcome, drift }: Report['decision']): string {
  if (interrupted !== undefined) return 'was interrupted';
  if (outcome === 'failed') return 'failed';
  if (drift !== undefined) return 'drifted: the accepted prompt fails too';
  return outcome === 'inconclusive' ? 'is inconclusive' : 'is incomplete';
}

function describeFailures(count: number): string {
  if (count === 0) return '';
  return count === 1
    ? '; 1 failing case would become a known failure'
    : `; ${count} failing cases would become known failures`;
}

/** Throws a `UserError` if `--update-baseline` could not write. Runs before anything is sent. */
export function refuseUnwritableBaselines(suites: Iterable<PlannedSuite>, root: string): void {
  for (const { suite, selectedCases } of suites) {
    if (selectedCases > 0) withRefusal(() => probeFile(baselinePathOf(root, suite.path)));
  }
}

/** Absolute paths of a record's suites. Files that do not exist or are not of the project are left out. */
export function findRecordedSuiteFiles(recordPath: string, root: string): readonly string[] {
  return readRunHeader(recordPath).suites.flatMap(({ path }) => {
    const file = join(root, path);
    if (isAbsolute(path) || kindOfPath(file) !== 'file') return [];
    return findOutsideFault(file, { root, cwd: root }) === undefined ? [file] : [];
  });
}
