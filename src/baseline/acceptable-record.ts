import { basename, join } from 'node:path';
import { isBrokenContract } from '../compare/gate/find-suspicions.ts';
import { countVerdicts } from '../compare/pair-cases.ts';
import { openJudgePorts } from '../judges/judge-answer.ts';
import type { Baseline } from '../model/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { RecordedSuite } from '../model/record.ts';
import type { Suite } from '../model/suite.ts';
import type { CaseSummary, SuiteSummary } from '../model/summary.ts';
import { openCells } from '../plan/find-cells.ts';
import { openStoredRecord, type StoredRecord } from '../record/read-run-record.ts';
import { shellWord } from '../text/command-line.ts';
import { formatCount } from '../text/format-amount.ts';
import { quote } from '../text/shorten.ts';
import { type AcceptableSuite, judgeAsAccepted } from './judge-as-accepted.ts';

export interface AcceptOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The record to accept. */
  readonly recordPath: string;
  /** Of the project. A record may come from anywhere: other suites in it are refused. */
  readonly projectSuites: readonly Pick<Suite, 'id' | 'path'>[];
  /** Takes a suite by its path relative to the root; all of the record's where undefined. */
  readonly isWanted?: (suitePath: string) => boolean;
  /** Accepts what is incomplete, errored or breaks a contract. */
  readonly force: boolean;
  /** Makes each failing case a known failure, even where it passed in most of its earlier trials. */
  readonly knownFailures?: boolean;
  /** The config as the user named it, for the commands that are printed. */
  readonly configPath?: string;
}

/** A record as it would be accepted, and the reasons against accepting it. */
export interface AcceptableRecord {
  readonly record: StoredRecord;
  readonly suites: readonly AcceptableSuite[];
  /** Empty with `force`. */
  readonly objections: readonly Problem[];
}

export async function openAcceptable(options: AcceptOptions): Promise<AcceptableRecord> {
  const { cwd, force, isWanted } = options;
  const record = openStoredRecord(options.recordPath, cwd);
  if (record.header.settings.swap !== undefined) throw new UserError([comparesProviders(record)]);
  const wanted = record.summary.suites.filter(({ recorded }) => isWanted?.(recorded.path) ?? true);
  // Checked before a suite is loaded from the path in the record.
  const unknown = wanted.flatMap(({ recorded }) => findUnknownSuite(recorded, record, options));
  if (unknown.length > 0) throw new UserError(unknown);
  const cellOf = openCells(record.header, options);
  const judge = openJudgePorts(options);
  try {
    const suites: AcceptableSuite[] = [];
    for (const suite of wanted) {
      // The baseline's own prompt, run again beside the suite's, is no version of the suite.
      const own = { ...suite, variants: suite.variants.filter(({ recorded }) => recorded.baselineOf === undefined) };
      suites.push(await judgeAsAccepted(own, { readRow: record.readRow, cellOf, ports: judge.ports }));
    }
    if (suites.length === 0) return { record, suites, objections: [nothingToAccept(record)] };
    return { record, suites, objections: force ? [] : findObjections(record, suites, options) };
  } finally {
    judge.close();
  }
}

/** Its candidates are no part of a suite, and its suites ran without their other providers. */
function comparesProviders({ shownPath }: StoredRecord): Problem {
  const message = `${shownPath} compares candidates for a provider (--swap), and is no baseline`;
  const hint = 'write the provider that you choose in the suite, run it, and accept that run';
  return { code: 'record', severity: 'error', message, hint };
}

function findUnknownSuite(
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

/** Reasons why a record must not become a baseline without `--force`. */
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
  // What was not asked keeps what was accepted of it.
  const isStopped = summary.stopReason !== undefined && summary.stopReason !== 'decided';
  if (!summary.ended || isStopped) {
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
        if (!found.mustPass || found.observe || !isBrokenContract(found)) continue;
        object(`${where}: ${describeContract(found)}`, `fix it, or ${accept}`);
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
  // A record in another folder, such as an artifact of CI, is named by its path.
  const run =
    basename(path) === `${header.id}.jsonl` && path.includes(join('.llmcheck', 'runs')) ? header.id : shownPath;
  return ['llmcheck baseline accept --run', shellWord(run), ...configFlag(config), ...flags].join(' ');
}

function configFlag({ configPath }: Pick<AcceptOptions, 'configPath'>): readonly string[] {
  return configPath === undefined ? [] : ['-c', shellWord(configPath)];
}

/** A failing case that was not accepted before. Once it is accepted, it fails no gate. */
export interface KnownFailure {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  /** Why it failed. */
  readonly reason: string;
}

/** Finds the cases that failed in a suite's run and that were not accepted as failing before. */
export function findNewFailures(
  { recorded, variants }: SuiteSummary,
  old: Pick<Baseline, 'casesOf'> | undefined,
  readRow: StoredRecord['readRow'],
): readonly KnownFailure[] {
  return variants.flatMap(({ recorded: { prompt, provider }, replacedBy, cases }) => {
    if (replacedBy !== undefined) return [];
    const accepted = old?.casesOf({ prompt, provider });
    return [...cases.values()].flatMap((found): KnownFailure[] => {
      const { caseId, caseHash, observe, trials } = found;
      if (observe || !isFailure(found)) return [];
      const before = accepted?.get(caseId);
      if (before !== undefined && before.caseHash === caseHash && isFailure(before)) return [];
      const failed = trials.find(({ status }) => status === 'failed');
      const row = failed === undefined ? undefined : readRow(failed.rowIndex);
      const reason = row?.checks.find(({ pass }) => !pass)?.reason ?? row?.error?.message ?? 'failed';
      return [{ suite: recorded.suite, caseId, prompt, provider, reason }];
    });
  });
}

/** A case fails if it did not pass in most of its accepted trials; a must-pass case, if the last run broke it. */
function isFailure(found: CaseSummary): boolean {
  if (found.mustPass) return isBrokenContract(found);
  const { trials, failures } = countVerdicts(found);
  return failures > 0 && failures * 2 >= trials;
}

function describeContract({ caseId, trials, confirmations }: CaseSummary): string {
  const count = (rows: CaseSummary['trials'], wanted: string) => rows.filter(({ status }) => status === wanted).length;
  const retried = count(confirmations, 'failed') + count(confirmations, 'passed');
  const again = retried === 0 ? '' : ` and in ${count(confirmations, 'failed')} of ${retried} confirmation trials`;
  return `must-pass case ${caseId} failed in ${count(trials, 'failed')} of ${trials.length} trials${again}`;
}
