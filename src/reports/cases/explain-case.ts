import { defined } from '../../json/defined.ts';
import type { CaseReport } from '../../model/report/report.ts';
import type { SkipReason } from '../../model/run/cell.ts';
import type { AgentStep, ToolCall } from '../../model/run/completion.ts';
import type { CellRow } from '../../model/run/record.ts';
import type { RecordedCheck } from '../../model/run/verdict.ts';
import { clipText, quote } from '../../text/shorten.ts';
import { describeTrajectoryChange } from './compare-trajectories.ts';

/** Why a case did not pass, for every report. A reason that several trials gave is listed once. */
export interface CaseExplanation {
  /** `2 of 3 trials failed`, `5 of 5 fresh trials failed, accepted prompt 0 of 5`; empty for a single trial. */
  readonly trials: string;
  /** The input: the first and the last question of a conversation. Undefined if the record does not contain it. */
  readonly input?: string;
  readonly reasons: readonly CaseReason[];
  /** The first answer that failed; undefined if none came. */
  readonly answer?: string;
  /** True if the answer is an agent's steps, whose beginning rarely shows the failure. */
  readonly isAgent: boolean;
  /** The baseline's answer to the same case, if there is one and it was kept. */
  readonly before?: string;
}

export interface CaseReason {
  /** The check, or the kind of failure. */
  readonly label: string;
  readonly reason: string;
  readonly diff?: { readonly expected: string; readonly found: string };
  /** Trials that gave this reason. */
  readonly count: number;
}

export function explainCase(entry: CaseReport): CaseExplanation {
  const reasons = new Map<string, CaseReason>();
  if (entry.blame !== undefined) reasons.set('blame', { label: 'bisect', reason: entry.blame.sentence, count: 1 });
  const change = describePathChange(entry);
  if (change !== undefined) reasons.set('', { label: 'agent', reason: change, count: 1 });
  let answer: string | undefined;
  for (const row of entry.trials) {
    if (row.status !== 'failed' && row.status !== 'errored') continue;
    answer ??= answerText(row);
    for (const found of rowReasons(row)) {
      // A plain-text key: JSON would escape reasons of megabytes slowly.
      const key = `${found.label}\n${found.reason}`;
      const known = reasons.get(key);
      reasons.set(key, known === undefined ? found : { ...known, count: known.count + 1 });
    }
  }
  const before = entry.baseline === undefined ? undefined : answerText(entry.baseline);
  return {
    trials: describeTrials(entry),
    reasons: [...reasons.values()],
    isAgent: entry.trials.some(({ trajectory = [] }) => trajectory.some(({ calls }) => calls.length > 0)),
    ...defined({ answer, before, input: findInput(entry.trials) }),
  };
}

/**
 * The differences between an agent and the baseline in its first failed trial; undefined if both take the same path.
 */
function describePathChange({ trials, baseline }: CaseReport): string | undefined {
  const failed = trials.find(({ status }) => status === 'failed');
  const [is, was] = [failed?.trajectory, baseline?.trajectory];
  if (is === undefined || was === undefined) return undefined;
  return describeTrajectoryChange(
    { trajectory: was, state: baseline?.state },
    { trajectory: is, state: failed?.state },
  );
}

/** `equals: expected "account"`: omits the found value if the report shows the answer beside it. */
export function reasonText({ label, reason, diff }: CaseReason, { answer }: CaseExplanation): string {
  return `${label}: ${diff !== undefined && diff.found === answer ? `expected ${quote(diff.expected)}` : reason}`;
}

/** True if the check's difference is the difference between the two shown answers. */
export function isAnswerDiff({ diff }: CaseReason, { answer, before }: CaseExplanation): boolean {
  return diff !== undefined && diff.found === answer && diff.expected === before;
}

/** Why a trial could not be judged; errored cases are grouped by this text. */
export function describeError(row: CellRow): string {
  if (row.error !== undefined) return `${row.error.kind}: ${row.error.message}`;
  const check = row.checks.find(({ error }) => error !== undefined);
  return check === undefined ? 'no reason was recorded' : `${checkLabel(check)}: ${check.error ?? check.reason}`;
}

/** Why a skipped case was not run. */
export function skipReasonOf({ trials }: CaseReport): string {
  const skip = trials.find((row) => row.skip !== undefined)?.skip;
  return skip === undefined ? 'skipped' : describeSkip(skip);
}

export function describeSkip({ reason, message }: NonNullable<CellRow['skip']>): string {
  return message ?? skipSentences[reason];
}

const skipSentences: Readonly<Record<SkipReason, string>> = {
  case: 'the suite skips it',
  decided: 'not asked (decided early)',
  budget: 'the budget was used up',
  deadline: 'the time limit had passed',
  bail: 'the run was stopped at its failures',
  interrupted: 'the run was interrupted',
  storage: 'the record could not be written',
  queue: 'the queue or its workers did not answer',
};

function rowReasons(row: CellRow): CaseReason[] {
  const reasons: CaseReason[] = [];
  if (row.error !== undefined) reasons.push({ label: row.error.kind, reason: row.error.message, count: 1 });
  for (const check of row.checks) {
    if (check.error !== undefined) {
      reasons.push({ label: checkLabel(check), reason: check.error, count: 1 });
    } else if (!check.pass && row.status === 'failed' && decides(check)) {
      reasons.push({ label: checkLabel(check), reason: check.reason, ...defined({ diff: check.diff }), count: 1 });
    }
  }
  if (reasons.length > 0) return reasons;
  const score = row.score === undefined ? 'no reason was recorded' : `${row.score.toFixed(2)} is too low`;
  return [{ label: 'score', reason: score, count: 1 }];
}

/** A check of weight 0 does not decide, unless it is required. */
function decides(check: RecordedCheck): boolean {
  return (check.weight ?? 1) > 0 || check.required === true;
}

function checkLabel(check: RecordedCheck): string {
  const name = check.name === undefined ? check.assertion : `${check.name} (${check.assertion})`;
  return check.turn === undefined ? name : `${name}, turn ${check.turn + 1}`;
}

/** The last paragraph of a question: the text before it is usually the prompt's own. Of a conversation the first and the last. */
function findInput(rows: readonly CellRow[]): string | undefined {
  const asked = rows.find((row) => row.asked !== undefined)?.asked;
  const isUser = ({ role }: { readonly role: string }) => role === 'user';
  const questions = [asked?.messages?.findLast(isUser), asked?.turns?.findLast(isUser)].map((question) =>
    clipText(question?.content ?? '', maxInputUnits)
      .trim()
      .split(/\n\s*\n/)
      .at(-1),
  );
  const found = questions.filter((question) => question !== undefined && question !== '');
  return found.length === 0 ? undefined : found.join('\n→ ');
}

const maxInputUnits = 4000;

function describeTrials({ trials, acceptedTrials = [] }: CaseReport): string {
  const planned = trials.filter((row) => row.confirmation !== true);
  const fresh = trials.filter((row) => row.confirmation === true);
  const accepted = acceptedTrials.filter(({ status }) => status === 'passed' || status === 'failed');
  const passed = accepted.filter(({ status }) => status === 'passed').length;
  const parts = [
    ...(planned.length > 1 ? countStatuses(planned, 'trials') : []),
    ...(fresh.length > 0 ? countStatuses(fresh, 'fresh trials') : []),
  ];
  if (accepted.length > 0) {
    parts.push(`accepted prompt passed ${passed} of ${accepted.length}`);
  }
  return parts.join(', ');
}

function countStatuses(rows: readonly CellRow[], noun: string): string[] {
  const count = (status: CellRow['status']): number => rows.filter((row) => row.status === status).length;
  const parts = [`${count('failed')} of ${rows.length} ${rows.length === 1 ? noun.slice(0, -1) : noun} failed`];
  if (count('errored') > 0) parts.push(`${count('errored')} errored`);
  if (count('skipped') > 0) parts.push(`${count('skipped')} skipped`);
  return parts;
}

/**
 * Renders an answer for people: its text, then a line for each tool call, or the steps of an agent. Undefined if there
 * is none.
 */
function answerText(answer: {
  readonly output?: string | undefined;
  readonly toolCalls?: readonly ToolCall[] | undefined;
  readonly trajectory?: readonly AgentStep[] | undefined;
}): string | undefined {
  const { output, toolCalls = [], trajectory = [] } = answer;
  if (trajectory.some(({ calls: made }) => made.length > 0)) return trajectory.map(stepText).join('\n→ ');
  const calls = toolCalls.map(({ name, rawArguments }) => `${name}(${rawArguments})`);
  if (output === undefined && calls.length === 0) return undefined;
  return [...(output === undefined || (output === '' && calls.length > 0) ? [] : [output]), ...calls].join('\n');
}

/** `1 find_order({"id":7})`: the calls of a step, or its text if it makes none. */
function stepText({ text, calls }: AgentStep, at: number): string {
  const shownCalls = calls.map(({ name, rawArguments }) => `${name}(${rawArguments})`);
  return `${at + 1} ${shownCalls.length === 0 ? text : shownCalls.join(' + ')}`;
}
