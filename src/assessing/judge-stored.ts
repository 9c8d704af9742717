import { assertions } from '../assertions/index.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import type { AnswerToJudge, JudgePorts } from '../judges/judge-answer.ts';
import type { Baseline, BaselineTrial, FindBaseline } from '../model/comparison/baseline.ts';
import type { ComparedSide } from '../model/comparison/comparison.ts';
import { type Cell, type FindCell, isJudged } from '../model/run/cell.ts';
import type { ComparedRole, JudgedLine, JudgedTrial, StoredChecks } from '../model/run/deciding-lines.ts';
import type { CellRow } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import type { CheckSpec, RecordedCheck } from '../model/run/verdict.ts';
import type { ClassPolicy } from '../model/suite/classes.ts';
import { checksHashOf, hasSameFiles, inputsHashOf, isSameCase } from '../model/suite/same-case.ts';
import { selectionId, truthOf } from '../record/count-classes.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { findVariant } from '../record/summarize-run.ts';
import { compileStoredCheck, describeStoredCheck } from '../suite/assertions/stored-checks.ts';
import { type CompareRecordOptions, findStoredSide } from '../verdict/compare-record.ts';
import { passedByMajority } from '../verdict/pair-cases.ts';

/** A cell as far as its answers can be judged again. */
type JudgedCell = Pick<Cell, 'key' | 'checks' | 'vars' | 'threshold' | 'caseHash'>;

type FindJudgedCell = (...key: Parameters<FindCell>) => JudgedCell | undefined | Promise<JudgedCell | undefined>;

/** Makes the checks of a record's cases again. Checks that run code or ask a model are not made. */
export function openStoredCells({ summary, checksOf }: Pick<StoredRecord, 'summary' | 'checksOf'>): FindJudgedCell {
  return (suite, prompt, provider, caseId) => {
    const found = findVariant(summary, { suite, prompt, provider })?.cases.get(caseId);
    const stored = found && checksOf(checksHashOf(found.caseHash));
    if (found === undefined || stored === undefined) return undefined;
    const checks = compileAll(stored);
    const { caseHash } = found;
    const key = { suite, prompt, provider, caseId, trial: 0 };
    return checks && { key, checks, vars: {}, caseHash, ...defined({ threshold: stored.threshold }) };
  };
}

/** Undefined if a check can't be made from what is kept. */
function compileAll({ checks }: StoredChecks): readonly CheckSpec[] | undefined {
  const compiled = checks.flatMap((source) => compileStoredCheck(source, assertions) ?? []);
  return compiled.length === checks.length ? compiled : undefined;
}

/** What is needed to judge answers by other checks than those that they were first judged by. No model is asked. */
export interface JudgeStoredOptions {
  readonly record: StoredRecord;
  readonly findBaseline: FindBaseline;
  readonly costOf: CompareRecordOptions['costOf'];
  /** The checks of a case of the run; undefined where they are not kept or can't be made again. */
  readonly cellOf: FindJudgedCell;
  readonly ports: JudgePorts;
  /** Verdicts that are known already. */
  readonly known?: readonly JudgedLine[];
  /** Asked before each case. False leaves the rest out. */
  readonly mayGoOn?: () => boolean;
}

/** Judges accepted answers by the checks of the run, and classifies them as the run does. */
export async function judgeAccepted(options: JudgeStoredOptions): Promise<readonly JudgedLine[]> {
  const known = new Set((options.known ?? []).map(nameOf));
  const lines: JudgedLine[] = [];
  for await (const line of judgeSides(options, known)) lines.push(line);
  return lines;
}

function nameOf(line: JudgedLine): string {
  const role = line.by === 'accepted-checks' ? '' : line.role;
  const hash = line.by === 'new-checks' ? line.caseHash : '';
  return JSON.stringify([line.by, role, line.suite, line.prompt, line.provider, line.caseId, hash]);
}

async function* judgeSides(options: JudgeStoredOptions, known: ReadonlySet<string>): AsyncGenerator<JudgedLine> {
  const { record, findBaseline, costOf } = options;
  for (const suite of record.summary.suites) {
    const found = findBaseline({ id: suite.recorded.suite, path: suite.recorded.path });
    if (found === undefined) continue;
    const roles: readonly (readonly [ComparedRole, Baseline])[] = [
      ['baseline', found.baseline],
      ...(found.own === undefined ? [] : [['own', found.own] as const]),
    ];
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      for (const [role, baseline] of roles) {
        const side = findStoredSide(variant, { ...found, baseline }, costOf);
        if (side !== undefined) yield* judgeSide({ suite, variant, role, baseline, side }, options, known);
      }
    }
  }
}

interface StoredSide {
  readonly suite: SuiteSummary;
  readonly variant: VariantSummary;
  readonly role: ComparedRole;
  readonly baseline: Baseline;
  readonly side: ComparedSide;
}

async function* judgeSide(
  stored: StoredSide,
  options: JudgeStoredOptions,
  known: ReadonlySet<string>,
): AsyncGenerator<JudgedLine> {
  const { suite, variant, role, baseline, side } = stored;
  const { mayGoOn = () => true } = options;
  const { prompt, provider } = side.recorded;
  const where = { type: 'judged', suite: suite.recorded.suite, prompt, provider, role } as const;
  for (const before of side.cases.values()) {
    if (!mayGoOn()) return;
    const { caseId } = before;
    const now = variant.cases.get(caseId);
    const classes = await classifyCase(before, now, suite.recorded.classes, () =>
      baseline.readCase(side.recorded, caseId),
    );
    if (classes !== undefined) {
      const line: JudgedLine = { ...where, caseId, by: 'classes', trials: classes };
      if (!known.has(nameOf(line))) yield line;
    }
    if (now === undefined || !isEdited(before.caseHash, now.caseHash)) continue;
    const { caseHash } = now;
    const line: JudgedLine = { ...where, caseId, by: 'new-checks', caseHash, trials: [] };
    if (known.has(nameOf(line))) continue;
    const { prompt: ofRun, provider: providerOfRun } = variant.recorded;
    const cell = await options.cellOf(suite.recorded.suite, ofRun, providerOfRun, caseId);
    // The suite may have changed since the candidate ran.
    if (cell === undefined || !isSameCase(cell.caseHash, caseHash)) continue;
    const answers = baseline.readCase(side.recorded, caseId);
    const trials = answers && (await judgeTrials(before, answers.trials, cell, { ...options, side }));
    if (trials !== undefined) yield { ...line, trials };
  }
}

/** True if only the checks of a case differ. */
function isEdited(before: string, now: string): boolean {
  return !isSameCase(before, now) && inputsHashOf(before) === inputsHashOf(now) && hasSameFiles(before, now);
}

/** Undefined if an answer was not kept, or a check could not be made. */
async function judgeTrials(
  before: CaseSummary,
  answers: readonly BaselineTrial[],
  cell: JudgedCell,
  { ports, side }: Pick<JudgeStoredOptions, 'ports'> & { readonly side: ComparedSide },
): Promise<readonly JudgedTrial[] | undefined> {
  const { costOf = bookedCost } = side;
  const trials: JudgedTrial[] = [];
  for (const row of before.trials) {
    if (!isJudged(row)) continue;
    const answer = answers.find(({ trial }) => trial === row.trial);
    if (answer?.output === undefined) return undefined;
    const judged = await judgeTrial(answer, row, cell, { ports, costUsd: costOf(row) ?? undefined });
    if (judged === undefined) return undefined;
    trials.push({ trial: row.trial, ...judged });
  }
  return trials;
}

function bookedCost({ costUsd }: RowSummary): number | null | undefined {
  return costUsd;
}

async function judgeTrial(
  trial: BaselineTrial | CellRow,
  { latencyMs, firstTokenMs }: Pick<RowSummary, 'latencyMs' | 'firstTokenMs'>,
  cell: Pick<Cell, 'key' | 'checks' | 'vars' | 'threshold'>,
  { ports, costUsd }: { readonly ports: JudgePorts; readonly costUsd: number | undefined },
): Promise<(Omit<JudgedTrial, 'trial'> & { readonly reason?: string }) | undefined> {
  const { output = '', toolCalls = [], trajectory: steps, state, checks: stored } = trial;
  // What ended the cell early is no check that could be made again.
  if (stored.some(endsCell)) return { status: 'failed', score: 0 };
  const { finishReason, usage, reasoning, refusal } = trial;
  const completion = {
    text: output,
    toolCalls,
    ...defined({ finishReason, latencyMs, firstTokenMs, usage, reasoning, refusal, steps, state }),
  };
  // No model is asked: its stored verdict is used where its question is the same, else the case is redefined.
  const judged: AnswerToJudge = { cell, completion, latencyMs, costUsd, stored };
  // Loaded late: nearly every comparison works without the assertions.
  const { decideAnswer, judgeAnswer } = await import('../judges/judge-answer.ts');
  const { verdicts } = await judgeAnswer(cell.checks, judged, ports);
  const decision = decideAnswer(verdicts, cell.threshold);
  if (decision.status === 'errored') return undefined;
  const reason = decision.passed ? undefined : verdicts.find(({ pass }) => !pass)?.reason;
  return { status: decision.passed ? 'passed' : 'failed', score: decision.score, ...defined({ reason }) };
}

/** True for the verdict that a conversation could not go on: a call without a stub, or a turn that did not fit. */
function endsCell({ assertion, pass }: RecordedCheck): boolean {
  return !pass && (assertion === 'tools' || assertion === 'turns');
}

type ClassifiedTrials = Extract<JudgedLine, { by: 'classes' }>['trials'];

/** Classifies the accepted answers that were classified in another way, or not at all; undefined if there is none. */
async function classifyCase(
  before: CaseSummary,
  now: CaseSummary | undefined,
  classes: ClassPolicy | undefined,
  readCase: () => { readonly trials: readonly BaselineTrial[] } | undefined,
): Promise<ClassifiedTrials | undefined> {
  if (classes === undefined) return undefined;
  const by = selectionId(classes.found);
  const others = before.trials.filter((row) => isJudged(row) && row.classified?.by !== by);
  const truth = truthOf(before) ?? (now && truthOf(now));
  if (others.length === 0 || truth === undefined) return undefined;
  const answers = readCase()?.trials ?? [];
  const { classifyAnswer } = await import('../judges/judge-answer.ts');
  const classified = others.flatMap(({ trial: index }) => {
    const answer = answers.find(({ trial }) => trial === index);
    if (answer?.output === undefined) return [];
    const { output: text, toolCalls = [], reasoning, trajectory: steps, state } = answer;
    const found = classifyAnswer(classes.found, { text, toolCalls, ...defined({ reasoning, steps, state }) });
    return [{ trial: index, classified: { truth, found, by } }];
  });
  return classified.length === 0 ? undefined : classified;
}

/**
 * Judges the answers of the run by the checks that were accepted, where a change edits them. Only cases that passed on both
 * sides are looked at: a failing one is reported by itself.
 */
export async function judgeByAccepted(options: JudgeStoredOptions): Promise<readonly JudgedLine[]> {
  const { record, findBaseline, costOf, mayGoOn = () => true } = options;
  const lines: JudgedLine[] = [];
  for (const suite of record.summary.suites) {
    const found = findBaseline({ id: suite.recorded.suite, path: suite.recorded.path });
    if (found === undefined || found.isFirst === true) continue;
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      const side = findStoredSide(variant, found, costOf);
      for (const before of side?.cases.values() ?? []) {
        if (!mayGoOn()) return lines;
        const now = variant.cases.get(before.caseId);
        if (now === undefined || now.observe || !isEdited(before.caseHash, now.caseHash)) continue;
        if (!passedByMajority(before) || !passedByMajority(now)) continue;
        const { prompt, provider } = variant.recorded;
        const where = { type: 'judged', suite: suite.recorded.suite, prompt, provider, caseId: now.caseId } as const;
        lines.push({
          ...where,
          by: 'accepted-checks',
          ...(await judgeByOldChecks(before, now, found.baseline, options)),
        });
      }
    }
  }
  return lines;
}

type OldVerdict = Pick<Extract<JudgedLine, { by: 'accepted-checks' }>, 'verdict' | 'before' | 'after' | 'reason'>;

async function judgeByOldChecks(
  before: CaseSummary,
  now: CaseSummary,
  baseline: Baseline,
  { record, ports }: JudgeStoredOptions,
): Promise<OldVerdict> {
  const accepted = baseline.checksOf(checksHashOf(before.caseHash));
  const edited = record.checksOf(checksHashOf(now.caseHash));
  const words = describeEdit(accepted, edited);
  if (accepted === undefined) return { verdict: 'not-kept', ...words };
  const checks = accepted.checks.map((source) => compileStoredCheck(source, assertions));
  const rows = now.trials.filter(isJudged).map(({ rowIndex }) => record.readRow(rowIndex));
  let [failed, reason]: [number, string | undefined] = [0, undefined];
  for (const row of rows) {
    const judged = await judgeRow(row, { accepted, edited, checks }, ports);
    if (judged === undefined) return { verdict: 'unknown', ...words };
    if (judged.status !== 'failed') continue;
    failed += 1;
    reason ??= judged.reason;
  }
  return failed * 2 >= rows.length
    ? { verdict: 'fails', ...words, ...defined({ reason }) }
    : { verdict: 'passes', ...words };
}

interface OldChecks {
  readonly accepted: StoredChecks;
  readonly edited: StoredChecks | undefined;
  /** Undefined for a check that can't be made from what is kept. */
  readonly checks: readonly (CheckSpec | undefined)[];
}

/** A check that the edit leaves as it is keeps the verdict of the run, so only the others are made again. */
async function judgeRow(row: CellRow, { accepted, edited, checks }: OldChecks, ports: JudgePorts) {
  const { judgeAnswer, decideAnswer } = await import('../judges/judge-answer.ts');
  const made = row.checks.filter(({ assertion, turn }) => assertion !== 'contract' && turn === undefined);
  const texts = (edited?.checks ?? []).map((source) => JSON.stringify(source));
  const verdicts = [];
  for (const [index, source] of accepted.checks.entries()) {
    const same = texts.indexOf(JSON.stringify(source));
    const kept = made.length === texts.length ? made[same] : undefined;
    if (kept !== undefined) {
      verdicts.push({ ...kept, weight: kept.weight ?? 1, required: kept.required ?? false });
      continue;
    }
    const check = checks[index];
    if (check === undefined) return undefined;
    const { suite, prompt, provider, caseId, trial } = row;
    const cell = { key: { suite, prompt, provider, caseId, trial }, checks: [check], vars: {} };
    const {
      output: text = '',
      toolCalls = [],
      trajectory: steps,
      state,
      reasoning,
      refusal,
      usage,
      finishReason,
    } = row;
    const { latencyMs, firstTokenMs } = row;
    const completion = {
      text,
      toolCalls,
      ...defined({ finishReason, latencyMs, firstTokenMs, usage, reasoning, refusal, steps, state }),
    };
    const answer: AnswerToJudge = { cell, completion, latencyMs, costUsd: row.costUsd ?? undefined };
    verdicts.push(...(await judgeAnswer(cell.checks, answer, ports)).verdicts);
  }
  const decision = decideAnswer(verdicts, accepted.threshold);
  if (decision.status === 'errored') return undefined;
  const reason = verdicts.find(({ pass }) => !pass)?.reason;
  return { status: decision.passed ? ('passed' as const) : ('failed' as const), ...defined({ reason }) };
}

/** The checks that an edit removes and adds, in words. */
function describeEdit(
  accepted: StoredChecks | undefined,
  edited: StoredChecks | undefined,
): Pick<OldVerdict, 'before' | 'after'> {
  const words = (checks: StoredChecks | undefined, others: StoredChecks | undefined) => {
    const known = new Set((others?.checks ?? []).map((source) => JSON.stringify(source)));
    const differing = (checks?.checks ?? []).filter((source) => !known.has(JSON.stringify(source)));
    const threshold = checks?.threshold === others?.threshold ? [] : [`threshold ${checks?.threshold ?? 'none'}`];
    return [
      ...differing.map((source: JsonObject) => (isJsonObject(source) ? describeStoredCheck(source) : '')),
      ...threshold,
    ];
  };
  const [before, after] = [words(accepted, edited), words(edited, accepted)];
  return { before: before.length === 0 ? ['nothing'] : before, after: after.length === 0 ? ['nothing'] : after };
}
