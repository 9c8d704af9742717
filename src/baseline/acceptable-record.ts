import { basename, join } from 'node:path';
import { comparesAccepted, comparesOther, lookupAssertion } from '../assertions/index.ts';
import { defined } from '../json/defined.ts';
import { answerViewOf, decideAnswer, type JudgePorts, judgeAnswer, openJudgePorts } from '../judges/judge-answer.ts';
import type { Baseline } from '../model/comparison/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { type Cell, type FindCell } from '../model/run/cell.ts';
import type { CellRow, RecordedSuite } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import type { CheckSpec, RecordedCheck, Verdict } from '../model/run/verdict.ts';
import { hasSameFiles, isSameCase, withoutFiles } from '../model/suite/same-case.ts';
import type { Suite } from '../model/suite/suite.ts';
import { openCells } from '../plan/find-cells.ts';
import { recordCheck } from '../record/build-cell-row.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import { openStoredRecord, type StoredRecord } from '../record/read-run-record.ts';
import { shellWord } from '../text/code/command-line.ts';
import { formatCount } from '../text/format-amount.ts';
import { quote } from '../text/shorten.ts';
import { isBrokenMustPass } from '../verdict/gate/flag-cases.ts';
import { countVerdicts } from '../verdict/pair-cases.ts';

export interface AcceptOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The record to accept. */
  readonly recordPath: string;
  /** The suites of the project. A record may come from anywhere, so other suites in it are refused. */
  readonly projectSuites: readonly Pick<Suite, 'id' | 'path'>[];
  /** Takes a suite by its path relative to the root; all of the record's if undefined. */
  readonly isWanted?: (suitePath: string) => boolean;
  /** Accepts a run that is incomplete, has errors or breaks a contract. */
  readonly force: boolean;
  /** Makes each failing case a known failure, even if it passed in most of its earlier trials. */
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
    const isEnded = record.summary.stopReason === undefined;
    for (const suite of wanted) {
      // A selection may leave out a whole suite, and an empty baseline would be taken for its first one.
      if (isEnded && suite.variants.every(({ cases }) => cases.size === 0)) continue;
      // The baseline's own prompt, run again beside the suite's, is not a version of the suite.
      const own = { ...suite, variants: suite.variants.filter(({ recorded }) => recorded.baselineOf === undefined) };
      suites.push(await judgeAsAccepted(own, { readRow: record.readRow, cellOf, ports: judge.ports }));
    }
    if (suites.length === 0) return { record, suites, objections: [nothingToAccept(record)] };
    return { record, suites, objections: force ? [] : findObjections(record, suites, options) };
  } finally {
    judge.close();
  }
}

/**
 * Refuses a run that compares providers. Its candidates are not part of a suite, and its suites ran without their other
 * providers.
 */
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
  return { code: 'record', severity: 'error', message: `${shownPath} holds no case of these suites`, hint };
}

/** Reasons why a record must not become a baseline without `--force`. */
function findObjections(
  record: StoredRecord,
  suites: readonly AcceptableSuite[],
  config: Pick<AcceptOptions, 'configPath'>,
): readonly Problem[] {
  const { shownPath } = record;
  const { stopReason } = record.summary;
  const resume = `\`${['llmcheck run --resume', shellWord(record.header.id), ...configFlag(config)].join(' ')}\``;
  const accept = `accept it with \`${acceptCommand(record, ['--force'], config)}\``;
  const problems: Problem[] = [];
  const object = (message: string, hint: string) => problems.push({ code: 'record', severity: 'error', message, hint });
  // Cases that were not asked keep their accepted answers.
  if (stopReason !== undefined && stopReason !== 'decided') {
    object(`${shownPath} is incomplete (${stopReason})`, `go on with ${resume}, or ${accept}`);
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
        if (!found.mustPass || found.observe || !isBrokenMustPass(found)) continue;
        object(`${where}: ${describeMustPass(found)}`, `fix it, or ${accept}`);
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
      if (before !== undefined && isSameCase(before.caseHash, caseHash) && isFailure(before)) return [];
      const failed = trials.find(({ status }) => status === 'failed');
      const row = failed === undefined ? undefined : readRow(failed.rowIndex);
      const reason = row?.checks.find(({ pass }) => !pass)?.reason ?? row?.error?.message ?? 'failed';
      return [{ suite: recorded.suite, caseId, prompt, provider, reason }];
    });
  });
}

/** A case fails if it did not pass in most of its accepted trials; a must-pass case, if the last run broke it. */
function isFailure(found: CaseSummary): boolean {
  if (found.mustPass) return isBrokenMustPass(found);
  const { trials, failures } = countVerdicts(found);
  return failures > 0 && failures * 2 >= trials;
}

function describeMustPass({ caseId, trials, confirmations }: CaseSummary): string {
  const count = (rows: CaseSummary['trials'], wanted: string) => rows.filter(({ status }) => status === wanted).length;
  const retried = count(confirmations, 'failed') + count(confirmations, 'passed');
  const again = retried === 0 ? '' : ` and in ${count(confirmations, 'failed')} of ${retried} fresh trials`;
  return `must-pass case ${caseId} failed in ${count(trials, 'failed')} of ${trials.length} trials${again}`;
}

interface JudgeAsAcceptedOptions {
  readonly readRow: StoredRecord['readRow'];
  /** The cell of a case as it is planned now, for its checks. */
  readonly cellOf: FindCell;
  readonly ports: JudgePorts;
}

/** A suite of a record and its rows, as they will be accepted. */
export interface AcceptableSuite {
  readonly suite: SuiteSummary;
  readonly readRow: StoredRecord['readRow'];
}

/**
 * Judges answers again that failed a check which compares with the accepted answer: once such an answer is accepted itself,
 * it equals the accepted one and passes. Other checks keep their verdicts, and no model is asked.
 */
export async function judgeAsAccepted(suite: SuiteSummary, options: JudgeAsAcceptedOptions): Promise<AcceptableSuite> {
  const judged = new Map<number, CellRow>();
  const variants: VariantSummary[] = [];
  for (const variant of suite.variants) {
    const cases = new Map<string, CaseSummary>();
    for (const found of variant.cases.values()) {
      const again = await judgeCase(found, variant, options, judged);
      if (again !== undefined) cases.set(found.caseId, again);
    }
    variants.push(cases.size === 0 ? variant : replaceCases(variant, cases));
  }
  const { readRow } = options;
  return { suite: { ...suite, variants }, readRow: (rowIndex) => judged.get(rowIndex) ?? readRow(rowIndex) };
}

/** A case hash without its files and judges: none is asked here, and the run's environment may have named another address of theirs. */
function withoutJudges(caseHash: string): string {
  return withoutFiles(caseHash).split('.').slice(0, 2).join('.');
}

/** Adds the rows that pass once they are accepted. Undefined if none does. */
async function judgeCase(
  { caseId, observe, mustPass, group, slices, caseHash, trials, confirmations, accepted }: CaseSummary,
  { recorded }: VariantSummary,
  { readRow, cellOf, ports }: JudgeAsAcceptedOptions,
  judged: Map<number, CellRow>,
): Promise<CaseSummary | undefined> {
  const open = [...trials, ...confirmations].filter(({ status }) => status === 'failed' || status === 'errored');
  const rows = open.map(({ rowIndex }) => readRow(rowIndex)).filter(mayPass);
  const [first] = rows;
  if (first === undefined) return undefined;
  const cell = await cellOf(first.suite, recorded.prompt, recorded.provider, caseId);
  // The suite may have changed since the run.
  if (cell === undefined || !cell.checks.some(compares)) return undefined;
  if (withoutJudges(cell.caseHash) !== withoutJudges(caseHash) || !hasSameFiles(cell.caseHash, caseHash)) {
    return undefined;
  }
  // A fresh trial is compared with the first answer.
  const firstRow = trials[0] === undefined ? first : readRow(trials[0].rowIndex);
  const again = new Map<RowSummary, RowSummary>();
  for (const summary of open) {
    const row = rows.find(({ trial }) => trial === summary.trial);
    const passed = row && (await judgeRow(row, row.confirmation === true ? firstRow : row, cell, ports));
    if (passed === undefined) continue;
    judged.set(summary.rowIndex, passed);
    again.set(summary, { ...summary, caseHash, status: 'passed', score: passed.score });
  }
  if (again.size === 0) return undefined;
  const replace = (all: readonly RowSummary[]) => all.map((summary) => again.get(summary) ?? summary);
  const replaced = replace(trials);
  return {
    caseId,
    status: caseStatusOf(replaced),
    observe,
    mustPass,
    group,
    slices,
    caseHash,
    trials: replaced,
    confirmations: replace(confirmations),
    accepted,
  };
}

/** True if a check that compares may be the reason why it did not pass. Only then is the suite loaded. */
function mayPass({ answerHash, checks }: CellRow): boolean {
  return answerHash !== undefined && checks.some(({ pass, assertion }) => !pass && mayCompare(assertion));
}

function compares(check: CheckSpec): boolean {
  return comparesAccepted(check) || comparesOther(check);
}

function mayCompare(name: string): boolean {
  const assertion = lookupAssertion(name);
  if (assertion === undefined) return false;
  return 'combine' in assertion || assertion.comparesAccepted === true || assertion.comparesOther === true;
}

/** The row, with its new verdicts if they let it pass. */
async function judgeRow(
  row: CellRow,
  accepted: CellRow,
  cell: Cell,
  judgePorts: JudgePorts,
): Promise<CellRow | undefined> {
  const { text, toolCalls, reasoning } = answerViewOf(accepted);
  const ports: JudgePorts = {
    ...judgePorts,
    findAccepted: () => ({ text, toolCalls, ...defined({ reasoning }) }),
    findOther: () => Promise.resolve('reference'),
  };
  const ofTurns = row.checks.filter(({ turn }) => turn !== undefined);
  const ofAnswer = row.checks.filter(({ turn }) => turn === undefined);
  if (ofAnswer.length !== cell.checks.length) return undefined;
  const comparing = cell.checks.filter(compares);
  const completion = answerViewOf(row);
  const { latencyMs, costUsd } = completion;
  const answer = { cell: { ...cell, checks: comparing }, completion, latencyMs, costUsd, calls: [] };
  const { verdicts } = await judgeAnswer(comparing, answer, ports);
  const again = new Map(verdicts.map((verdict, index) => [comparing[index], recordCheck(verdict, (text) => text)]));
  const checks = [...ofTurns, ...ofAnswer.map((check, index) => again.get(cell.checks[index]) ?? check)];
  const decision = decideAnswer(checks.map(toVerdict), cell.threshold);
  if (decision.status === 'errored' || !decision.passed) return undefined;
  const { error: _error, ...rest } = row;
  return { ...rest, status: 'passed', score: decision.score, checks };
}

function toVerdict({ weight = 1, required = false, ...check }: RecordedCheck): Verdict {
  return { ...check, weight, required };
}

function replaceCases(variant: VariantSummary, replaced: ReadonlyMap<string, CaseSummary>): VariantSummary {
  const cases = new Map([...variant.cases].map(([id, found]) => [id, replaced.get(id) ?? found]));
  const errored = [...cases.values()].reduce(
    (sum, { observe, trials }) => sum + (observe ? 0 : trials.filter(({ status }) => status === 'errored').length),
    0,
  );
  return { ...variant, cases, errored };
}
