import type { AcceptedAnswer, AssertionPorts, CompletionView, JudgedInput } from '../assertions/define.ts';
import { decideCell, judgeChecks } from '../assertions/judge-checks.ts';
import { defined } from '../json/defined.ts';
import type { Cell, CellDecision, JudgedAnswer, JudgedChecks } from '../model/cell.ts';
import type { RecordedCheck } from '../model/record.ts';
import type { CheckSpec, Verdict } from '../model/verdict.ts';
import type { FindAccepted } from '../plan/identify.ts';
import { comparesAccepted, comparesOther } from '../plan/identify.ts';
import { runWithDeadline } from '../text/deadline.ts';
import type { OpenAsker } from './ask-models.ts';

/** Finds the answer that a cell's own is compared with: that of the side which the gate compares its version with. */
export type FindOther = (cell: ComparedCell) => Promise<JudgedInput['other']>;

export type ComparedCell = Pick<Cell, 'key' | 'confirmation'>;

/** What checks may need of the world; where something is missing, the checks that need it can't be made. */
export interface JudgePorts extends Omit<AssertionPorts, 'deadline'> {
  /** Gives `snapshot` the answer that was accepted for the same cell. */
  readonly findAccepted?: FindAccepted;
  /** Gives checks that compare two answers the other one. */
  readonly findOther?: FindOther;
  /** Lets checks ask models; without it they can't be made. */
  readonly openAsker?: OpenAsker;
}

export interface AnswerToJudge extends Omit<JudgedAnswer, 'cell' | 'calls' | 'conversation'> {
  readonly conversation?: JudgedAnswer['conversation'];
  readonly cell: Pick<Cell, 'key' | 'checks' | 'vars' | 'confirmation'>;
  /** Verdicts that are stored with the answer. */
  readonly stored?: readonly RecordedCheck[];
}

/** Applies a cell's checks to its answer. */
export async function judgeAnswer(
  checks: readonly CheckSpec[],
  answer: AnswerToJudge,
  judgePorts: JudgePorts = noPorts,
): Promise<JudgedChecks> {
  const { cell, completion, latencyMs, costUsd } = answer;
  // Of a conversation the last answer alone is kept, and turns have checks of their own.
  const isLast = checks === cell.checks;
  const accepted = isLast && checks.some(comparesAccepted) ? judgePorts.findAccepted?.(cell.key) : undefined;
  const view = { costUsd, ...completion, latencyMs };
  const given = lendPorts(judgePorts);
  if (checks.some(asksModel)) return askModels(checks, answer, judgePorts, { view, given, accepted });
  return { verdicts: await judgeChecks(checks, view, given, accepted), judgeCostUsd: 0 };
}

interface Lent {
  readonly view: CompletionView;
  readonly given: AssertionPorts;
  readonly accepted: AcceptedAnswer | undefined;
}

async function askModels(
  checks: readonly CheckSpec[],
  answer: AnswerToJudge,
  { findOther, openAsker }: JudgePorts,
  { view, given, accepted }: Lent,
): Promise<JudgedChecks> {
  const { cell } = answer;
  const asker = openAsker?.(cell.key);
  const other = checks === cell.checks && checks.some(comparesOther) ? await findOther?.(cell) : undefined;
  const verdicts = await judgeChecks(checks, view, { ...given, ...defined({ ask: asker?.ask }) }, accepted, {
    vars: cell.vars,
    conversation: answer.conversation ?? [],
    ...defined({ other, stored: answer.stored }),
  });
  const failure = asker?.failure();
  return {
    verdicts,
    judgeCostUsd: asker === undefined ? 0 : asker.costUsd(),
    ...defined({ failure }),
  };
}

const noPorts: JudgePorts = {};
// One object for all answers of a run.
const lent = new WeakMap<JudgePorts, AssertionPorts>();

function lendPorts(judgePorts: JudgePorts): AssertionPorts {
  let given = lent.get(judgePorts);
  if (given === undefined) {
    const { findAccepted: _accepted, findOther: _other, openAsker: _asker, ...ports } = judgePorts;
    given = { deadline: runWithDeadline, ...ports };
    lent.set(judgePorts, given);
  }
  return given;
}

/** True for a check that asks a model, itself or below a combinator. */
export function asksModel({ asks, children = [] }: CheckSpec): boolean {
  return asks !== undefined || children.some(asksModel);
}

export function decideAnswer(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const decision = decideCell(verdicts, threshold);
  return 'errored' in decision ? { status: 'errored', reason: decision.errored } : { status: 'decided', ...decision };
}
