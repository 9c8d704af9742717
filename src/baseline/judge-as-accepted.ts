import { lookupAssertion } from '../assertions/index.ts';
import { defined } from '../json/defined.ts';
import { answerViewOf, decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import type { Cell } from '../model/cell.ts';
import type { CellRow, RecordedCheck } from '../model/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary, VariantSummary } from '../model/summary.ts';
import type { CheckSpec, Verdict } from '../model/verdict.ts';
import type { FindCell } from '../plan/find-cells.ts';
import { comparesAccepted, comparesOther } from '../plan/render-cells.ts';
import { recordCheck } from '../record/build-cell-row.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import type { StoredRecord } from '../record/read-run-record.ts';

export interface JudgeAsAcceptedOptions {
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

/** A case hash without its judges: none is asked here, and the run's environment may have named another address of theirs. */
function withoutJudges(caseHash: string): string {
  return caseHash.split('.').slice(0, 2).join('.');
}

/** Adds the rows that pass once they are accepted. Undefined where none does. */
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
  if (cell === undefined || withoutJudges(cell.caseHash) !== withoutJudges(caseHash) || !cell.checks.some(compares)) {
    return undefined;
  }
  // A confirmation trial is compared with the first answer.
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

/** True where a check that compares may be the reason why it did not pass. Only then is the suite loaded. */
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

/** The row with its new verdicts where these let it pass. */
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
  const again = new Map(verdicts.map((verdict, index) => [comparing[index], recordCheck(verdict, (said) => said)]));
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
