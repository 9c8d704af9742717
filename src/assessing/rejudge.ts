import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import type { AnswerToJudge, JudgePorts } from '../judges/judge-answer.ts';
import type { Baseline, BaselineTrial } from '../model/comparison/baseline.ts';
import type { ComparedCase, ComparedSide, ComparedVariant } from '../model/comparison/comparison.ts';
import { type Cell, isJudged } from '../model/run/cell.ts';
import type { CellRow, RecordedCheck } from '../model/run/record.ts';
import type { CaseSummary, RowSummary } from '../model/run/summary.ts';
import type { ClassPolicy } from '../model/suite/classes.ts';
import { hasSameFiles, isSameCase } from '../model/suite/same-case.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import { selectionId, truthOf } from '../record/count-classes.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import type { PairOptions } from '../verdict/pair-cases.ts';

/** The cases of a variant as they were accepted. */
export interface AcceptedVariant {
  readonly cases: ReadonlyMap<string, CaseSummary>;
  /** The output contract that their answers were checked against. */
  readonly outputContract: JsonValue | undefined;
}

/**
 * Finds cases that were accepted under other checks than those that both sides were judged by: none of them is a known
 * failure. A changed output contract, which belongs to the variant, does not make all cases incomparable: only a case that
 * breaks the new contract is redefined. As a regression it would look drifted: the accepted prompt breaks that contract too.
 */
export function findRedefined(
  { baseline: side, candidate, cases }: ComparedVariant,
  accepted: AcceptedVariant,
  readRow: StoredRecord['readRow'],
): Pick<PairOptions, 'redefined' | 'breaking'> {
  const hasOtherContract = canonicalJson(accepted.outputContract) !== canonicalJson(candidate.recorded.contract.output);
  const isAcceptedSide = side.cases === accepted.cases;
  const redefined = new Set<string>();
  const breaking = new Set<string>();
  // Nothing can be found then, so the rows of a large suite are not read.
  if (isAcceptedSide && !hasOtherContract) return { redefined, breaking };
  const breaksContract = ({ trials }: CaseSummary) =>
    trials.some(
      ({ status, rowIndex }) =>
        status === 'failed' &&
        readRow(rowIndex).checks.some(({ assertion, pass }) => assertion === 'contract' && !pass),
    );
  for (const { caseId, baseline, candidate: found, change } of cases.values()) {
    const held = accepted.cases.get(caseId);
    if (held === undefined || baseline === undefined || found === undefined) continue;
    const isBreaking = hasOtherContract && breaksContract(found);
    if (isBreaking) breaking.add(caseId);
    if (change !== 'redefined' && (isBreaking || !isSameCase(held.caseHash, found.caseHash))) redefined.add(caseId);
  }
  return { redefined, breaking };
}

interface Rejudged {
  readonly side: ComparedSide;
  /** Cases whose stored answers were judged by the new checks. */
  readonly cases: ReadonlySet<string>;
}

/**
 * Judges a baseline's stored answers again where only the checks of a case changed. So the pair stays comparable. No
 * call is made. A case whose answers were not kept stays redefined.
 */
export async function rejudge(
  side: ComparedSide,
  baseline: Baseline,
  redefined: Iterable<ComparedCase>,
  cellOf: (caseId: string) => Cell | undefined | Promise<Cell | undefined>,
  ports: JudgePorts = {},
): Promise<Rejudged> {
  const { costOf = bookedCost } = side;
  const again = new Map<string, CaseSummary>();
  for (const { caseId, baseline: before, candidate } of redefined) {
    if (before === undefined || candidate === undefined) continue;
    const { caseHash } = candidate;
    if (inputsOf(before.caseHash) !== inputsOf(caseHash) || !hasSameFiles(before.caseHash, caseHash)) continue;
    const cell = await cellOf(caseId);
    // The suite may have changed since the candidate ran.
    if (cell === undefined || !isSameCase(cell.caseHash, caseHash)) continue;
    const answers = baseline.readCase(side.recorded, caseId);
    if (answers === undefined) continue;
    const found = await rejudgeCase(before, answers.trials, cell, { ports, costOf });
    if (found !== undefined) again.set(caseId, found);
  }
  return {
    side: { ...side, cases: new Map([...baseline.casesOf(side.recorded), ...again]) },
    cases: new Set(again.keys()),
  };
}

function bookedCost({ costUsd }: RowSummary): number | null | undefined {
  return costUsd;
}

/** The part of a case hash that does not depend on checks. */
function inputsOf(caseHash: string): string {
  return caseHash.split('.')[0] ?? caseHash;
}

async function rejudgeCase(
  before: CaseSummary,
  answers: readonly BaselineTrial[],
  cell: Cell,
  options: RejudgeOptions,
): Promise<CaseSummary | undefined> {
  const { caseHash } = cell;
  const trials: RowSummary[] = [];
  for (const row of before.trials) {
    if (row.status !== 'passed' && row.status !== 'failed') {
      trials.push({ ...row, caseHash });
      continue;
    }
    const answer = answers.find(({ trial }) => trial === row.trial);
    if (answer?.output === undefined) return undefined;
    const verdict = await judgeStored(answer, row, cell, options);
    if (verdict === undefined) return undefined;
    trials.push({ ...row, caseHash, ...verdict });
  }
  const { caseId, observe, mustPass, group } = before;
  // No `pooled`: it counts verdicts of the old checks. No `slices`: a baseline stores none, the candidate's count.
  return {
    caseId,
    status: caseStatusOf(trials),
    observe,
    mustPass,
    group,
    caseHash,
    trials,
    confirmations: [],
    accepted: [],
  };
}

interface RejudgeOptions {
  readonly ports: JudgePorts;
  readonly costOf: NonNullable<ComparedSide['costOf']>;
}

async function judgeStored(
  trial: BaselineTrial,
  row: RowSummary,
  cell: Cell,
  { ports, costOf }: RejudgeOptions,
): Promise<{ status: 'passed' | 'failed'; score: number } | undefined> {
  const { output = '', toolCalls = [], trajectory: steps, state, checks: stored } = trial;
  // What ended the cell early is no check that could be made again.
  if (stored.some(endsCell)) return { status: 'failed', score: 0 };
  const { finishReason, usage, reasoning, refusal } = trial;
  const { latencyMs, firstTokenMs } = row;
  const completion = {
    text: output,
    toolCalls,
    ...defined({ finishReason, latencyMs, firstTokenMs, usage, reasoning, refusal, steps, state }),
  };
  // No model is asked: its stored verdict is used where its question is the same, else the case is redefined.
  const judged: AnswerToJudge = { cell, completion, latencyMs, costUsd: costOf(row) ?? undefined, stored };
  // Loaded late: nearly every comparison works without the assertions.
  const { decideAnswer, judgeAnswer } = await import('../judges/judge-answer.ts');
  const { verdicts } = await judgeAnswer(cell.checks, judged, ports);
  const decision = decideAnswer(verdicts, cell.threshold);
  return decision.status === 'errored'
    ? undefined
    : { status: decision.passed ? 'passed' : 'failed', score: decision.score };
}

/** True for the verdict that a conversation could not go on: a call without a stub, or a turn that did not fit. */
function endsCell({ assertion, pass }: RecordedCheck): boolean {
  return !pass && (assertion === 'tools' || assertion === 'turns');
}

type KeptAnswer = Pick<BaselineTrial | CellRow, 'output' | 'toolCalls' | 'reasoning' | 'trajectory' | 'state'>;

interface ClassifyOptions {
  readonly classes: ClassPolicy | undefined;
  /** The cases as they are now, for the class of one that had none when it was accepted. */
  readonly candidate: ReadonlyMap<string, CaseSummary>;
  readonly readAnswer: (row: RowSummary) => KeptAnswer | undefined;
}

/** Classifies the stored answers of a side that were classified in another way, or not at all. */
export async function classifyStored(
  side: ComparedSide,
  { classes, candidate, readAnswer }: ClassifyOptions,
): Promise<ComparedSide> {
  if (classes === undefined) return side;
  const by = selectionId(classes.found);
  const isOther = (row: RowSummary) => isJudged(row) && row.classified?.by !== by;
  const changed = new Map<string, CaseSummary>();
  for (const found of side.cases.values()) {
    if (!found.trials.some(isOther)) continue;
    const now = candidate.get(found.caseId);
    const truth = truthOf(found) ?? (now && truthOf(now));
    if (truth === undefined) continue;
    // Loaded late: nearly every comparison works without the assertions.
    const { classifyAnswer } = await import('../judges/judge-answer.ts');
    const classify = (row: RowSummary): RowSummary => {
      const answer = isOther(row) ? readAnswer(row) : undefined;
      if (answer?.output === undefined) return row;
      const { output: text, toolCalls = [], reasoning, trajectory: steps, state } = answer;
      const name = classifyAnswer(classes.found, { text, toolCalls, ...defined({ reasoning, steps, state }) });
      return { ...row, classified: { truth, found: name, by } };
    };
    changed.set(found.caseId, { ...found, trials: found.trials.map(classify) });
  }
  return changed.size === 0 ? side : { ...side, cases: new Map([...side.cases, ...changed]) };
}
