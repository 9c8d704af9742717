import { writeJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import type { KeptAnswer } from '../../model/comparison/comparison.ts';
import type {
  PageAnswer,
  PageCallPlace,
  PageCase,
  PageCheck,
  PagePath,
  PageStep,
  PageText,
  PageToolCall,
  PageTrial,
} from '../../model/report/page.ts';
import type { CaseReport } from '../../model/report/report.ts';
import type { AgentStep, AnsweredCall, ToolCall } from '../../model/run/completion.ts';
import type { AskedMessage, CellRow } from '../../model/run/record.ts';
import type { RecordedCheck } from '../../model/run/verdict.ts';
import { clipText } from '../../text/shorten.ts';
import { compareTrajectories } from '../cases/compare-trajectories.ts';
import { describeSkip } from '../cases/explain-case.ts';
import type { GateEffect } from '../cases/gate-effect.ts';

/** Characters that a page keeps of each text. */
export interface PageLimits {
  readonly answerChars: number;
  /** The most characters of prompts, reasons and all other texts. */
  readonly textChars: number;
}

export function buildPageCase(suite: string, entry: CaseReport, effect: GateEffect, limits: PageLimits): PageCase {
  const { caseId, prompt, provider, status, observe, change, at, trials, baseline } = entry;
  const asked = trials.find((row) => row.asked !== undefined)?.asked;
  const { tags = [], description, turns = [] } = asked ?? {};
  return defined({
    suite,
    caseId,
    prompt,
    provider,
    status,
    observe: observe || undefined,
    mustPass: trials.some((row) => row.mustPass === true) || undefined,
    change,
    tolerated: effect.kind === 'tolerated' ? effect.reason : undefined,
    at: { file: at.file, line: at.line, column: at.column },
    tags: orUndefined(tags),
    description: description === undefined ? undefined : clipText(description, limits.textChars),
    messages: asked?.messages.map((message) => ({
      role: message.role,
      content: askedText(message, limits),
      ...defined({ attach: message.attach }),
    })),
    turns: orUndefined(
      turns.map((turn) => ({
        role: turn.role,
        ...defined({ name: turn.name }),
        content: askedText(turn, limits),
      })),
    ),
    trials: trials.map((row) => buildTrial(row, baseline, limits)),
    baseline: baseline && buildAnswer(baseline, limits),
  });
}

function orUndefined<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}

function cut(text: string, maxChars: number): PageText {
  return text.length <= maxChars ? text : { text: clipText(text, maxChars), ofChars: text.length };
}

function cutOptional(text: string | undefined, maxChars: number): PageText | undefined {
  return text === undefined ? undefined : cut(text, maxChars);
}

/** Keeps the full length of a text that the record has shortened. */
function askedText({ content, ofChars }: Omit<AskedMessage, 'role'>, { textChars }: PageLimits): PageText {
  return ofChars === undefined ? cut(content, textChars) : { text: clipText(content, textChars), ofChars };
}

function buildTrial(row: CellRow, baseline: KeptAnswer | undefined, limits: PageLimits): PageTrial {
  const { answerChars, textChars } = limits;
  const { trajectory } = row;
  const {
    status,
    confirmation,
    score,
    finishReason,
    model,
    latencyMs,
    firstTokenMs,
    costUsd,
    usage,
    cached,
    attempts,
  } = row;
  const { error, skip } = row;
  return defined({
    index: row.trial,
    status,
    confirmation,
    score,
    output: cutOptional(row.output, answerChars),
    reasoning: cutOptional(row.reasoning, answerChars),
    refusal: cutOptional(row.refusal, textChars),
    toolCalls: trajectory === undefined ? row.toolCalls?.map((call) => buildToolCall(call, limits)) : undefined,
    steps: trajectory?.map((step) => buildStep(step, limits)),
    path: buildPath(baseline, row, limits),
    state: buildState(row.state, limits),
    finishReason,
    model,
    checks: row.checks.map((check) => buildCheck(check, textChars)),
    latencyMs,
    firstTokenMs,
    costUsd,
    usage,
    cached,
    attempts,
    earlier: orUndefined(row.calls.slice(0, -1).flatMap(({ text }) => cutOptional(text, textChars) ?? [])),
    error: error && {
      kind: error.kind,
      message: cut(error.message, textChars),
      ...defined({ status: error.status }),
      attempts: error.attempts,
    },
    skip: skip && clipText(describeSkip(skip), textChars),
  });
}

function buildCheck(check: RecordedCheck, maxChars: number): PageCheck {
  const { assertion, name, pass, score, reason, weight, required, turn, error, diff, judgement } = check;
  return defined({
    assertion,
    name,
    pass,
    score,
    reason: cut(reason, maxChars),
    weight,
    required,
    turn,
    error: cutOptional(error, maxChars),
    diff: diff && { expected: cut(diff.expected, maxChars), found: cut(diff.found, maxChars) },
    judge: judgement && {
      id: judgement.judge,
      ...defined({ model: judgement.model }),
      votes: judgement.votes,
      agreement: judgement.agreement,
    },
  });
}

function buildAnswer(answer: KeptAnswer, limits: PageLimits): PageAnswer {
  const { status, output, toolCalls, trajectory, state, reason } = answer;
  return defined({
    status,
    output: cutOptional(output, limits.answerChars),
    toolCalls: trajectory === undefined ? toolCalls?.map((call) => buildToolCall(call, limits)) : undefined,
    steps: trajectory?.map((step) => buildStep(step, limits)),
    state: buildState(state, limits),
    reason: cutOptional(reason, limits.textChars),
  });
}

function buildToolCall({ name, id, rawArguments }: ToolCall, { textChars }: PageLimits): PageToolCall {
  return { name, ...defined({ id }), arguments: cut(rawArguments, textChars) };
}

function buildStep({ text, calls, latencyMs, usage }: AgentStep, limits: PageLimits): PageStep {
  return defined({
    text: text === '' ? undefined : cut(text, limits.textChars),
    calls: calls.map(({ result, ...call }) => ({
      ...buildToolCall(call, limits),
      ...defined({ result: result && { ...result, content: cut(result.content, limits.textChars) } }),
    })),
    latencyMs,
    usage,
  });
}

/** Undefined if a side has no steps. */
function buildPath(
  before: Pick<KeptAnswer, 'trajectory' | 'state'> | undefined,
  now: Pick<CellRow, 'trajectory' | 'state'>,
  { textChars }: PageLimits,
): PagePath | undefined {
  const [was, is] = [before?.trajectory, now.trajectory];
  if (was === undefined || is === undefined) return undefined;
  const { differences, changedBefore, changedNow } = compareTrajectories(
    { trajectory: was, state: before?.state },
    { trajectory: is, state: now.state },
  );
  return {
    differences: differences.slice(0, maxDifferences).map((text) => clipText(text, textChars)),
    before: placesOf(was, changedBefore),
    now: placesOf(is, changedNow),
  };
}

const maxDifferences = 20;

function placesOf(steps: readonly AgentStep[], changed: ReadonlySet<AnsweredCall>): readonly PageCallPlace[] {
  return steps.flatMap(({ calls }, step) =>
    calls.flatMap((call, at): readonly PageCallPlace[] => (changed.has(call) ? [[step, at]] : [])),
  );
}

function buildState(state: JsonValue | undefined, { textChars }: PageLimits): PageText | undefined {
  return state === undefined ? undefined : cut(writeJson(state, 2) ?? '', textChars);
}
