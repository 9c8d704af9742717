import { relative } from 'node:path';
import { UserError } from '../errors.ts';
import { judgeContract } from '../gate/judge-cases.ts';
import { quote } from '../lib/quote.ts';
import type { Problem } from '../model/problem.ts';
import type { RecordedSuite } from '../model/record.ts';
import type { Suite } from '../model/suite.ts';
import type { SuiteSummary } from '../model/summary.ts';
import type { PlannedSuite } from '../plan/build-plan.ts';
import { buildBaseline } from '../record/build-baseline.ts';
import { writeBaseline } from '../stores/baseline-file.ts';
import { countCases } from '../stores/baseline-order.ts';
import { withFileLock } from '../stores/file-lock.ts';
import { mergeBaseline } from '../stores/merge-baseline.ts';
import { readBaseline } from '../stores/read-baseline.ts';
import { probeFile } from '../stores/replace-file.ts';
import { baselinePathOf } from './baseline-path.ts';
import { withRefusal } from './create-record.ts';
import { openBaselineFile } from './open-baseline.ts';
import { openStoredRecord, type StoredRecord } from './open-stored-record.ts';

export interface AcceptOptions {
  readonly root: string;
  readonly cwd: string;
  /** The record to accept. */
  readonly recordPath: string;
  /** Of the project. A record is a file from anywhere: what it says of other suites is refused. */
  readonly projectSuites: readonly Pick<Suite, 'id' | 'path'>[];
  /** Takes a suite by its path relative to the root; all of the record's where undefined. */
  readonly isWanted?: (suitePath: string) => boolean;
  /** Accepts what is incomplete, errored or breaks a contract. */
  readonly force: boolean;
}

export interface AcceptedBaseline {
  readonly suite: string;
  /** Relative to the working folder. */
  readonly file: string;
  readonly isChanged: boolean;
  readonly cases: number;
  readonly variants: number;
}

/** Writes a record as the accepted baseline of its suites: all of them or, where one is refused, none. Throws a `StorageError` too. */
export function acceptBaseline(options: AcceptOptions): readonly AcceptedBaseline[] {
  const { root, cwd, force, isWanted } = options;
  const record = openStoredRecord(options.recordPath, cwd);
  const suites = record.summary.suites.filter(({ recorded }) => isWanted?.(recorded.path) ?? true);
  const foreign = suites.flatMap(({ recorded }) => findForeign(recorded, record, options));
  if (foreign.length > 0) throw new UserError(foreign);
  const problems = suites.length === 0 ? [nothingToAccept(record)] : force ? [] : findObjections(record, suites);
  if (problems.length > 0) throw new UserError(problems);
  // One that can't be written is found before the first is written.
  for (const { recorded } of suites) probeFile(baselinePathOf(root, recorded.path));
  return suites.map((suite) => {
    // A baseline's own prompt that ran again is no version of the suite.
    const own = { ...suite, variants: suite.variants.filter(({ recorded }) => recorded.baselineOf === undefined) };
    const path = baselinePathOf(root, suite.recorded.path);
    const file = relative(cwd, path);
    const isFull = !suite.recorded.filtered && record.summary.stopReason === undefined;
    return withFileLock(path, () => {
      // Of what a full run replaces nothing is needed, but a file that is damaged is not for us to write over.
      if (isFull) readBaseline(path, file, () => {});
      const old = isFull ? undefined : openBaselineFile(path, file);
      const merged = mergeBaseline(old, buildBaseline(own, record.readRow), { isFull });
      return {
        suite: suite.recorded.suite,
        file,
        isChanged: writeBaseline(path, merged),
        cases: countCases(merged).ids,
        variants: merged.variants.length,
      };
    });
  });
}

/** Throws a `UserError` where a baseline that a run is to write can't be written: found before its first call. */
export function refuseUnwritableBaselines(suites: Iterable<PlannedSuite>, root: string): void {
  for (const { suite, selectedCases } of suites) {
    if (selectedCases > 0) withRefusal(() => probeFile(baselinePathOf(root, suite.path)));
  }
}

function findForeign(
  { suite, path }: RecordedSuite,
  { shownPath }: StoredRecord,
  { projectSuites }: AcceptOptions,
): readonly Problem[] {
  if (projectSuites.some((own) => own.id === suite && own.path === path)) return [];
  const message = `${shownPath} holds the suite ${quote(suite)} at ${quote(path)}, and the project has no such suite`;
  const hint = 'accept it in the project that it was run in, or run the suite again after a change of its id or path';
  return [{ code: 'record', severity: 'error', message, hint }];
}

function nothingToAccept({ shownPath }: StoredRecord): Problem {
  const hint = '`llmcheck list runs` shows what each stored run has; --run takes another';
  return { code: 'record', severity: 'error', message: `${shownPath} holds none of these suites`, hint };
}

/** What a baseline must not be made of unless its user says so. */
function findObjections({ summary, shownPath }: StoredRecord, suites: readonly SuiteSummary[]): readonly Problem[] {
  const problems: Problem[] = [];
  const object = (message: string, hint: string) => problems.push({ code: 'record', severity: 'error', message, hint });
  if (!summary.ended || summary.stopReason !== undefined) {
    object(
      `${shownPath} is incomplete (${summary.stopReason ?? 'no end'})`,
      'go on with llmcheck run --resume, or accept it with --force',
    );
  }
  for (const { recorded, variants } of suites) {
    for (const variant of variants) {
      const where = `${recorded.suite}: ${variant.recorded.prompt} × ${variant.recorded.provider}`;
      if (variant.errored > 0)
        object(`${where} has ${variant.errored} errored cells`, 'run again with --resume, or accept it with --force');
      if (variant.replacedBy !== undefined) continue;
      for (const found of variant.cases.values()) {
        if (!found.mustPass) continue;
        const [word] = judgeContract(found.caseId, found, 'must-pass', 'stands', false);
        if (word?.kind === 'broken') object(`${where}: ${word.message}`, 'mend it, or accept it with --force');
      }
    }
  }
  return problems;
}
