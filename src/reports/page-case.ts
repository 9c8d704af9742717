import { defined } from '../json/defined.ts';
import type { KeptAnswer } from '../model/comparison.ts';
import type { ToolCall } from '../model/completion.ts';
import type { PageAnswer, PageCase, PageCheck, PageText, PageToolCall, PageTrial } from '../model/page.ts';
import type { AskedMessage, CellRow, RecordedCheck } from '../model/record.ts';
import type { CaseReport } from '../model/report.ts';
import { clipText } from '../text/shorten.ts';
import { describeSkip } from './explain-case.ts';
import type { Standing } from './find-standing.ts';

/** Characters that a page keeps of each text. */
export interface PageLimits {
  readonly answerChars: number;
  /** Of prompts, reasons, and whatever else. */
  readonly textChars: number;
}

/** All that is known of a case on a variant. */
export function buildPageCase(suite: string, entry: CaseReport, standing: Standing, limits: PageLimits): PageCase {
  const { caseId, prompt, provider, status, observe, change, at, trials, baseline } = entry;
  const asked = trials.find((row) => row.asked !== undefined)?.asked;
  const { tags = [], description, turns = [] } = asked ?? {};
  return {
    suite,
    caseId,
    prompt,
    provider,
    status,
    ...(observe ? { observe } : {}),
    ...(trials.some((row) => row.mustPass === true) ? { mustPass: true } : {}),
    ...defined({ change }),
    ...(standing.kind === 'tolerated' ? { tolerated: standing.reason } : {}),
    at: { file: at.file, line: at.line, column: at.column },
    ...(tags.length === 0 ? {} : { tags }),
    ...(description === undefined ? {} : { description: clipText(description, limits.textChars) }),
    ...(asked === undefined
      ? {}
      : {
          messages: asked.messages.map((message) => ({
            role: message.role,
            content: askedText(message, limits),
            ...defined({ attach: message.attach }),
          })),
        }),
    ...(turns.length === 0
      ? {}
      : {
          turns: turns.map((turn) => ({
            role: turn.role,
            ...defined({ name: turn.name }),
            content: askedText(turn, limits),
          })),
        }),
    trials: trials.map((row) => buildTrial(row, limits)),
    ...(baseline === undefined ? {} : { baseline: buildAnswer(baseline, limits) }),
  };
}

function cut(text: string, maxChars: number, ofChars = text.length): PageText {
  return ofChars <= maxChars ? text : { text: clipText(text, maxChars), ofChars };
}

/** A record may have cut it already. */
function askedText({ content, ofChars }: Omit<AskedMessage, 'role'>, { textChars }: PageLimits): PageText {
  return ofChars === undefined ? cut(content, textChars) : { text: clipText(content, textChars), ofChars };
}

function buildTrial(row: CellRow, limits: PageLimits): PageTrial {
  const { answerChars, textChars } = limits;
  const { output, reasoning, refusal, toolCalls, finishReason, model, error, skip } = row;
  const earlier = row.calls.slice(0, -1).flatMap(({ text }) => (text === undefined ? [] : [cut(text, textChars)]));
  return {
    index: row.trial,
    status: row.status,
    ...(row.confirmation === true ? { confirmation: true } : {}),
    ...defined({ score: row.score }),
    ...(output === undefined ? {} : { output: cut(output, answerChars) }),
    ...(reasoning === undefined ? {} : { reasoning: cut(reasoning, answerChars) }),
    ...(refusal === undefined ? {} : { refusal: cut(refusal, textChars) }),
    ...(toolCalls === undefined ? {} : { toolCalls: toolCalls.map((call) => buildToolCall(call, limits)) }),
    ...defined({ finishReason, model }),
    checks: row.checks.map((check) => buildCheck(check, textChars)),
    ...defined({ latencyMs: row.latencyMs, costUsd: row.costUsd, usage: row.usage }),
    cached: row.cached,
    attempts: row.attempts,
    ...(earlier.length === 0 ? {} : { earlier }),
    ...(error === undefined
      ? {}
      : {
          error: {
            kind: error.kind,
            message: cut(error.message, textChars),
            ...defined({ status: error.status }),
            attempts: error.attempts,
          },
        }),
    ...(skip === undefined ? {} : { skip: clipText(describeSkip(skip), textChars) }),
  };
}

function buildCheck(check: RecordedCheck, maxChars: number): PageCheck {
  const { assertion, name, pass, score, reason, weight, required, turn, error, diff, judgement } = check;
  return {
    assertion,
    ...defined({ name }),
    pass,
    score,
    reason: cut(reason, maxChars),
    ...defined({ weight, required, turn }),
    ...(error === undefined ? {} : { error: cut(error, maxChars) }),
    ...(diff === undefined
      ? {}
      : { diff: { expected: cut(diff.expected, maxChars), found: cut(diff.found, maxChars) } }),
    ...(judgement === undefined
      ? {}
      : {
          judge: {
            id: judgement.judge,
            ...defined({ model: judgement.model }),
            votes: judgement.votes,
            agreement: judgement.agreement,
          },
        }),
  };
}

function buildAnswer({ status, output, toolCalls, reason }: KeptAnswer, limits: PageLimits): PageAnswer {
  return {
    status,
    ...(output === undefined ? {} : { output: cut(output, limits.answerChars) }),
    ...(toolCalls === undefined ? {} : { toolCalls: toolCalls.map((call) => buildToolCall(call, limits)) }),
    ...(reason === undefined ? {} : { reason: cut(reason, limits.textChars) }),
  };
}

function buildToolCall({ name, id, rawArguments }: ToolCall, { textChars }: PageLimits): PageToolCall {
  return { name, ...defined({ id }), arguments: cut(rawArguments, textChars) };
}
