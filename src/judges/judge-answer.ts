import { type AssertionPorts, type FindAccepted, type JudgedInput } from '../assertions/define.ts';
import { comparesAccepted, comparesOther } from '../assertions/index.ts';
import { decideCell, judgeChecks } from '../assertions/judge-checks.ts';
import { selectTarget } from '../assertions/select-target.ts';
import { defined } from '../json/defined.ts';
import type { Cell, CellDecision, JudgedAnswer, JudgedChecks } from '../model/run/cell.ts';
import type { Completion } from '../model/run/completion.ts';
import type { CellRow } from '../model/run/record.ts';
import type { CheckSpec, RecordedCheck, SelectSpec, Verdict } from '../model/run/verdict.ts';
import { maxClassLength, nameClass } from '../model/suite/classes.ts';
import { openPackages } from '../programs/import-module.ts';
import { openOwnCode } from '../programs/open-own-code.ts';
import { openWorkspaces } from '../programs/open-workspaces.ts';
import { attempt } from '../text/attempt.ts';
import { DeadlineError, runWithDeadline } from '../text/deadline.ts';
import type { OpenAsker } from './ask-models.ts';

/** Finds the answer to compare a cell's answer with. Its version is the one that the gate compares with. */
export type FindOther = (cell: ComparedCell) => Promise<JudgedInput['other']>;

export type ComparedCell = Pick<Cell, 'key' | 'confirmation'>;

/** Effects that checks may need. A check whose effect is missing can't be made. */
export interface JudgePorts extends Omit<AssertionPorts, 'deadline'> {
  /** Finds the accepted answer of the same cell, for `snapshot`. */
  readonly findAccepted?: FindAccepted;
  /** Finds the other answer, for checks that compare two. */
  readonly findOther?: FindOther;
  /** Lets checks ask models. */
  readonly openAsker?: OpenAsker;
}

export interface AnswerToJudge extends Omit<JudgedAnswer, 'cell' | 'conversation' | 'steps'> {
  readonly steps?: JudgedAnswer['steps'];
  readonly conversation?: JudgedAnswer['conversation'];
  readonly cell: Pick<Cell, 'key' | 'checks' | 'vars' | 'confirmation'>;
  /** Verdicts that are stored with the answer. */
  readonly stored?: readonly RecordedCheck[];
}

/** Applies a cell's checks to its answer. */
export async function judgeAnswer(
  checks: readonly CheckSpec[],
  answer: AnswerToJudge,
  ports: JudgePorts = {},
): Promise<JudgedChecks> {
  const { findAccepted, findOther, openAsker } = ports;
  const { cell, completion, latencyMs, costUsd, conversation = [], stored, steps, isPathUnknown, state } = answer;
  // Only the last answer of a conversation is stored, and turns have checks of their own.
  const isLast = checks === cell.checks;
  const accepted = isLast && checks.some(comparesAccepted) ? findAccepted?.(cell.key) : undefined;
  const other = isLast && checks.some(comparesOther) ? await findOther?.(cell) : undefined;
  const asker = checks.some(asksModel) ? openAsker?.(cell.key) : undefined;
  const verdicts = await judgeChecks(
    checks,
    { costUsd, ...completion, latencyMs, ...defined({ steps, isPathUnknown, state }) },
    { deadline: runWithDeadline, ...ports, ...defined({ ask: asker?.ask }) },
    accepted,
    { vars: cell.vars, conversation, ...defined({ other, stored }) },
  );
  const failure = asker?.failure();
  return { verdicts, judgeCostUsd: asker === undefined ? 0 : asker.costUsd(), ...defined({ failure }) };
}

/** True for a check that asks a model, itself or below a combinator. */
export function asksModel({ asks, children = [] }: CheckSpec): boolean {
  return asks !== undefined || children.some(asksModel);
}

export function decideAnswer(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const decision = decideCell(verdicts, threshold);
  return 'errored' in decision ? { status: 'errored', reason: decision.errored } : { status: 'decided', ...decision };
}

/** The answer of a stored row in the form that checks read. */
export function answerViewOf(row: CellRow) {
  const { output: text = '', toolCalls = [], trajectory: steps, state, finishReason, latencyMs, costUsd } = row;
  const { reasoning, usage, firstTokenMs } = row;
  return {
    text,
    toolCalls,
    ...defined({ finishReason, latencyMs }),
    costUsd: costUsd ?? undefined,
    ...defined({ reasoning, usage, steps, state, firstTokenMs }),
  };
}

/** The class that an answer names; null if it names none, or the selection takes too long. */
export function classifyAnswer(
  found: SelectSpec,
  answer: Pick<Completion, 'text' | 'toolCalls' | 'reasoning' | 'steps' | 'state'>,
): string | null {
  const ports = { deadline: runWithDeadline };
  const selected = attempt(
    () => selectTarget({ costUsd: undefined, latencyMs: undefined, ...answer }, found, ports),
    DeadlineError,
  );
  if (selected instanceof DeadlineError || 'missing' in selected) return null;
  // One character more than a class may have, so that a longer text never matches a class.
  const name = nameClass(selected.kind === 'text' ? selected.text : selected.value);
  return name?.slice(0, maxClassLength + 1) ?? null;
}

export interface OpenJudgePorts {
  readonly ports: JudgePorts;
  /** Ends every child process of a check. */
  close(): void;
}

/** Opens the effects that checks may use. Nothing is started or imported before a check needs it. */
export function openJudgePorts(options: {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}): OpenJudgePorts {
  const ownCode = openOwnCode(options);
  const workspace = openWorkspaces(options);
  return {
    ports: { ownCode, workspace, importPackage: openPackages(options.root).load },
    close() {
      ownCode.close();
      workspace.close();
    },
  };
}
