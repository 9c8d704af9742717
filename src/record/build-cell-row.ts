import type { Writable } from '../json/defined.ts';
import { defined } from '../json/defined.ts';
import type { CallRecord, Cell, CellResult } from '../model/cell.ts';
import type { ToolCall, Usage } from '../model/completion.ts';
import type { CellRow, RecordedCall, RecordedCheck } from '../model/record.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { maskJson } from '../secrets/mask-secrets.ts';
import { describeAsked } from './describe-asked.ts';
import { hashAnswer, identifyAnswer } from './hash-answer.ts';

/**
 * A result as it is stored: secrets masked in everything that came from outside, ids and numbers as they are. The cell
 * is for what was asked, which goes along with a case's first trial.
 */
export function buildCellRow(
  result: CellResult,
  mask: Mask,
  cell?: Pick<Cell, 'request' | 'turns' | 'tags' | 'description'>,
): CellRow {
  const { calls } = result;
  const row = describeCell(result, mask);
  if (cell !== undefined && result.key.trial === 0) row.asked = describeAsked(cell, mask);
  switch (result.status) {
    case 'skipped': {
      const { reason, message } = result;
      if ('judgeCostUsd' in result) recordJudgeCost(row, result.judgeCostUsd);
      row.attempts = calls.reduce((sum, call) => sum + call.attempts, 0);
      row.skip = { reason, ...(message === undefined ? {} : { message: mask(message) }) };
      return row;
    }
    case 'errored':
      recordAnswer(row, calls, mask);
      row.checks = result.verdicts.map((verdict) => recordCheck(verdict, mask));
      row.attempts = result.attempts;
      recordJudgeCost(row, result.judgeCostUsd);
      row.error = recordError(result, mask);
      return row;
    case 'judged':
      recordAnswer(row, calls, mask);
      row.status = result.passed ? 'passed' : 'failed';
      row.score = result.score;
      row.checks = result.verdicts.map((verdict) => recordCheck(verdict, mask));
      row.attempts = result.attempts;
      recordJudgeCost(row, result.judgeCostUsd);
      if (result.failure === undefined) return row;
      // A filter withholds the answer with its usage and may have billed both, so what the cell cost is not known.
      if (result.failure.kind === 'contentFilter' && result.attempts > 0) {
        row.costUsd = null;
        row.spentUsd = null;
      }
      row.error = recordError({ ...result, failure: result.failure }, mask);
      return row;
  }
}

/** What rows of every status say. */
function describeCell(result: CellResult, mask: Mask): Writable<CellRow> {
  const { key, identity, stamp, at, calls } = result;
  const { suite, prompt, provider, caseId, trial } = key;
  const row: Writable<CellRow> = {
    type: 'cell',
    suite,
    prompt,
    provider,
    caseId,
    trial,
    stamp,
    status: result.status === 'judged' ? 'failed' : result.status,
    cached: calls.length > 0 && calls.every(({ cached }) => cached),
    identity,
    at,
    calls: calls.map((call) => recordCall(call, calls.length > 1, mask)),
    checks: [],
    attempts: 0,
  };
  if (result.observe) row.observe = true;
  if (result.mustPass) row.mustPass = true;
  if (result.confirmation === true) row.confirmation = true;
  const { unusable } = result;
  if (calls.length === 0 && unusable === undefined) return row;
  row.costUsd = sumCosts(calls, ({ costUsd }) => costUsd);
  row.spentUsd = sumCosts(calls, ({ cached, costUsd, billed }) => (cached ? 0 : billed ? billed.costUsd : costUsd));
  if (unusable === undefined) return row;
  row.costUsd = addKnown(row.costUsd, unusable.costUsd);
  row.spentUsd = addKnown(row.spentUsd, unusable.billedUsd);
  return row;
}

function sumCosts(calls: readonly CallRecord[], costOf: (call: CallRecord) => number | undefined): number | null {
  let sum = 0;
  for (const call of calls) {
    const costUsd = costOf(call);
    if (costUsd === undefined) return null;
    sum += costUsd;
  }
  return sum;
}

function addKnown(sum: number | null, more: number | undefined): number | null {
  return sum === null || more === undefined ? null : sum + more;
}

function recordJudgeCost(row: Writable<CellRow>, judgeCostUsd: number | undefined): void {
  if (judgeCostUsd !== 0) row.judgeCostUsd = judgeCostUsd ?? null;
}

/** The last answer, with the latency and usage of all. */
function recordAnswer(row: Writable<CellRow>, calls: readonly CallRecord[], mask: Mask): void {
  const completion = calls.at(-1)?.completion;
  if (completion === undefined) return;
  const { text, reasoning, refusal, finishReason, model, systemFingerprint } = completion;
  const output = mask(text);
  const toolCalls =
    completion.toolCalls.length === 0 ? undefined : completion.toolCalls.map((call) => maskToolCall(call, mask));
  const latencyMs = sumLatencies(calls);
  const usage = sumUsage(calls);
  row.answerHash = hashAnswer(toolCalls === undefined ? { output } : { output, toolCalls });
  row.answerId = identifyAnswer(calls);
  row.output = output;
  if (latencyMs !== undefined) row.latencyMs = latencyMs;
  if (reasoning !== undefined) row.reasoning = mask(reasoning);
  if (refusal !== undefined) row.refusal = mask(refusal);
  if (toolCalls !== undefined) row.toolCalls = toolCalls;
  if (finishReason !== undefined) row.finishReason = finishReason;
  if (model !== undefined) row.model = mask(model);
  if (systemFingerprint !== undefined) row.systemFingerprint = mask(systemFingerprint);
  if (usage !== undefined) row.usage = usage;
}

/** Known only where every call was timed. */
function sumLatencies(calls: readonly CallRecord[]): number | undefined {
  let sum = 0;
  for (const { completion } of calls) {
    if (completion.latencyMs === undefined) return undefined;
    sum += completion.latencyMs;
  }
  return roundMs(sum);
}

function maskToolCall(call: ToolCall, mask: Mask): ToolCall {
  return {
    ...(call.id === undefined ? {} : { id: mask(call.id) }),
    name: mask(call.name),
    arguments: call.arguments === undefined ? undefined : maskJson(call.arguments, mask),
    rawArguments: mask(call.rawArguments),
  };
}

export function recordCheck(verdict: Verdict, mask: Mask): RecordedCheck {
  const { assertion, name, pass, score, reason, weight, required, diff, turn, error, judgement } = verdict;
  const check: Writable<RecordedCheck> = { assertion, pass, score, reason: mask(reason) };
  if (name !== undefined) check.name = name;
  if (weight !== 1) check.weight = weight;
  if (required) check.required = true;
  if (diff !== undefined) check.diff = { expected: mask(diff.expected), found: mask(diff.found) };
  if (turn !== undefined) check.turn = turn;
  if (error !== undefined) check.error = mask(error);
  if (judgement !== undefined) check.judgement = judgement;
  return check;
}

function recordError(result: Pick<Extract<CellResult, { status: 'errored' }>, 'failure' | 'attempts'>, mask: Mask) {
  const { kind, message, status } = result.failure;
  return { kind, message: mask(message), ...defined({ status }), attempts: result.attempts };
}

function recordCall(call: CallRecord, isConversation: boolean, mask: Mask): RecordedCall {
  const { requestHash, cached, attempts, costUsd, completion } = call;
  const { latencyMs, usage } = completion;
  const recorded: Writable<RecordedCall> = { requestHash, cached, attempts, costUsd: costUsd ?? null };
  if (latencyMs !== undefined) recorded.latencyMs = roundMs(latencyMs);
  if (usage !== undefined) recorded.usage = usage;
  if (isConversation) recorded.text = mask(completion.text);
  return recorded;
}

/** Usage is known only where every call reported it. */
function sumUsage(calls: readonly CallRecord[]): Usage | undefined {
  const [only] = calls;
  if (only !== undefined && calls.length === 1) return only.completion.usage;
  const sum: Record<string, number> = {};
  for (const { completion } of calls) {
    if (completion.usage === undefined) return undefined;
    for (const [field, count] of Object.entries(completion.usage)) {
      if (typeof count === 'number') sum[field] = (sum[field] ?? 0) + count;
    }
  }
  const { inputTokens, outputTokens, ...parts } = sum;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, ...parts };
}

/** Microseconds are below what a clock over a network can say. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
