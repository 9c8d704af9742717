import { basename, join, relative } from 'node:path';
import { judgeContract } from '../compare/gate/judge-cases.ts';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile } from '../files/write-files.ts';
import { openJudgePorts } from '../judges/open-judge-ports.ts';
import { UserError, withRefusal } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import type { RecordedSuite } from '../model/record.ts';
import type { Suite } from '../model/suite.ts';
import type { PlannedSuite } from '../plan/build-plan.ts';
import { openCells } from '../plan/find-cells.ts';
import { baselinePathOf } from '../project/project-paths.ts';
import { openStoredRecord, type StoredRecord } from '../record/open-stored-record.ts';
import { shellWord } from '../text/command-line.ts';
import { formatCount } from '../text/format-amount.ts';
import { quote } from '../text/shorten.ts';
import { writeBaseline } from './baseline-file.ts';
import { countCases } from './baseline-order.ts';
import { buildBaseline } from './build-baseline.ts';
import { type AcceptableSuite, judgeAsAccepted } from './judge-as-accepted.ts';
import { findNewKnownFailures, type KnownFailure } from './known-failures.ts';
import { mergeBaseline } from './merge-baseline.ts';
import { openBaselineFile } from './open-baseline.ts';

export interface AcceptOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The record to accept. */
  readonly recordPath: string;
  /** Of the project. A record is a file from anywhere: what it says of other suites is refused. */
  readonly projectSuites: readonly Pick<Suite, 'id' | 'path'>[];
  /** Takes a suite by its path relative to the root; all of the record's where undefined. */
  readonly isWanted?: (suitePath: string) => boolean;
  /** Accepts what is incomplete, errored or breaks a contract. */
  readonly force: boolean;
  /** The config as the user named it, for the commands that are printed. */
  readonly configPath?: string;
}

export interface AcceptedBaseline {
  readonly suite: string;
  /** Relative to the working folder. */
  readonly file: string;
  readonly isChanged: boolean;
  readonly cases: number;
  readonly variants: number;
  /** Failing cases that nobody had accepted before. */
  readonly knownFailures: readonly KnownFailure[];
}

/** Writes a record as the accepted baseline of its suites: all of them or, where one is refused, none. Throws a `StorageError` too. */
export async function acceptBaseline(options: AcceptOptions): Promise<readonly AcceptedBaseline[]> {
  const { root, cwd } = options;
  const { record, suites, objections } = await openAcceptable(options);
  if (objections.length > 0) throw new UserError(objections);
  // One that can't be written is found before the first is written.
  for (const { suite } of suites) probeFile(baselinePathOf(root, suite.recorded.path));
  return suites.map(({ suite, readRow }) => {
    const path = baselinePathOf(root, suite.recorded.path);
    const file = relative(cwd, path);
    const isFull = !suite.recorded.filtered && record.summary.stopReason === undefined;
    return withFileLock(path, () => {
      // A damaged file is refused, even where a full run needs nothing of it.
      const old = openBaselineFile(path, file);
      const knownFailures = findNewKnownFailures(suite, old, readRow);
      const merged = mergeBaseline(old, buildBaseline(suite, readRow), { isFull });
      return {
        suite: suite.recorded.suite,
        file,
        isChanged: writeBaseline(path, merged),
        cases: countCases(merged).ids,
        variants: merged.variants.length,
        knownFailures,
      };
    });
  });
}

/** A record as it would be accepted, and what is against that. */
export interface AcceptableRecord {
  readonly record: StoredRecord;
  readonly suites: readonly AcceptableSuite[];
  /** None where they are overruled (`force`). */
  readonly objections: readonly Problem[];
}

export async function openAcceptable(options: AcceptOptions): Promise<AcceptableRecord> {
  const { cwd, force, isWanted } = options;
  const record = openStoredRecord(options.recordPath, cwd);
  const wanted = record.summary.suites.filter(({ recorded }) => isWanted?.(recorded.path) ?? true);
  // Before a suite is loaded from where the record says it is.
  const foreign = wanted.flatMap(({ recorded }) => findForeign(recorded, record, options));
  if (foreign.length > 0) throw new UserError(foreign);
  const cellOf = openCells(record.header, options);
  const judge = openJudgePorts(options);
  try {
    const suites: AcceptableSuite[] = [];
    for (const suite of wanted) {
      // A baseline's own prompt that ran again is no version of the suite.
      const own = { ...suite, variants: suite.variants.filter(({ recorded }) => recorded.baselineOf === undefined) };
      suites.push(await judgeAsAccepted(own, { readRow: record.readRow, cellOf, ports: judge.ports }));
    }
    if (suites.length === 0) return { record, suites, objections: [nothingToAccept(record)] };
    return { record, suites, objections: force ? [] : findObjections(record, suites, options) };
  } finally {
    judge.close();
  }
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
function findObjections(
  record: StoredRecord,
  suites: readonly AcceptableSuite[],
  config: Pick<AcceptOptions, 'configPath'>,
): readonly Problem[] {
  const { summary, shownPath } = record;
  const resume = `\`${['llmcheck run --resume', shellWord(record.header.id), ...configFlag(config)].join(' ')}\``;
  const accept = `accept it with \`${acceptCommand(record, ['--force'], config)}\``;
  const problems: Problem[] = [];
  const object = (message: string, hint: string) => problems.push({ code: 'record', severity: 'error', message, hint });
  if (!summary.ended || summary.stopReason !== undefined) {
    object(`${shownPath} is incomplete (${summary.stopReason ?? 'no end'})`, `go on with ${resume}, or ${accept}`);
  }
  for (const { recorded, variants } of suites.map(({ suite }) => suite)) {
    for (const variant of variants) {
      const where = `${recorded.suite}: ${variant.recorded.prompt} × ${variant.recorded.provider}`;
      if (variant.errored > 0)
        object(
          `${where} has ${formatCount(variant.errored, 'errored cell')}`,
          `run them again with ${resume}, or ${accept}`,
        );
      if (variant.replacedBy !== undefined) continue;
      for (const found of variant.cases.values()) {
        if (!found.mustPass) continue;
        const [word] = judgeContract(found.caseId, found, 'must-pass', 'stands', false);
        if (word?.kind === 'broken') object(`${where}: ${word.message}`, `mend it, or ${accept}`);
      }
    }
  }
  return problems;
}

/** The command that accepts a record, to be printed. */
export function acceptCommand(
  { header, path, shownPath }: StoredRecord,
  flags: readonly string[],
  config: Pick<AcceptOptions, 'configPath'>,
): string {
  // A record that lies elsewhere, such as one that CI kept, is named by its path.
  const run =
    basename(path) === `${header.id}.jsonl` && path.includes(join('.llmcheck', 'runs')) ? header.id : shownPath;
  return ['llmcheck baseline accept --run', shellWord(run), ...configFlag(config), ...flags].join(' ');
}

function configFlag({ configPath }: Pick<AcceptOptions, 'configPath'>): readonly string[] {
  return configPath === undefined ? [] : ['-c', shellWord(configPath)];
}
