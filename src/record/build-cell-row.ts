import { maskJson } from '../lib/mask-json.ts';
import type { Mask } from '../lib/mask-secrets.ts';
import type { CallRecord, Cell, CellResult } from '../model/cell.ts';
import type { Completion, ToolCall, Usage } from '../model/completion.ts';
import type { CellRow, RecordedCall, RecordedCheck } from '../model/record.ts';
import type { Verdict } from '../model/verdict.ts';
import { describeAsked } from './describe-asked.ts';
import { hashAnswer } from './hash-answer.ts';

/**
 * A result as it is stored: secrets masked in everything that came from outside, ids and numbers as they are. The cell
 * is for what was asked, which goes along with a case's first trial.
 */
export function buildCellRow(
  result: CellResult,
  mask: Mask,
  cell?: Pick<Cell, 'request' | 'turns' | 'tags' | 'description'>,
): CellRow {
  const { key, identity, stamp, at, calls } = result;
  // Literals here start with a plain member: one that starts with a spread and adds to it costs V8 (Node 20) a new hidden
  // class each time, which came to 4 KB that only a full collection frees and 15 µs a row.
  const base = {
    identity,
    ...key,
    stamp,
    at,
    ...(result.observe ? { observe: true as const } : {}),
    ...(result.mustPass ? { mustPass: true as const } : {}),
    ...(result.confirmation === true ? { confirmation: true as const } : {}),
    ...paid(calls),
    cached: calls.length > 0 && calls.every(({ cached }) => cached),
    calls: calls.map((call) => recordCall(call, calls.length > 1, mask)),
    ...(cell === undefined || key.trial > 0 ? {} : { asked: describeAsked(cell, mask) }),
  };
  switch (result.status) {
    case 'skipped': {
      const { reason, message } = result;
      const skip = { reason, ...(message === undefined ? {} : { message: mask(message) }) };
      const attempts = calls.reduce((sum, call) => sum + call.attempts, 0);
      const judgeCost = 'judgeCostUsd' in result ? judged(result.judgeCostUsd) : {};
      return { type: 'cell', ...base, status: 'skipped', ...judgeCost, checks: [], attempts, skip };
    }
    case 'errored':
      return {
        type: 'cell',
        ...base,
        ...answered(calls, mask),
        status: 'errored',
        checks: result.verdicts.map((verdict) => recordCheck(verdict, mask)),
        attempts: result.attempts,
        ...judged(result.judgeCostUsd),
        error: recordError(result, mask),
      };
    case 'judged':
      return {
        type: 'cell',
        ...base,
        ...answered(calls, mask),
        status: result.passed ? 'passed' : 'failed',
        score: result.score,
        checks: result.verdicts.map((verdict) => recordCheck(verdict, mask)),
        attempts: result.attempts,
        ...judged(result.judgeCostUsd),
        // A filter withholds the answer with its usage and may have billed both, so what the cell cost is not known.
        ...(result.failure?.kind === 'contentFilter' && result.attempts > 0 ? { costUsd: null, spentUsd: null } : {}),
        ...(result.failure === undefined ? {} : { error: recordError({ ...result, failure: result.failure }, mask) }),
      };
  }
}

function paid(calls: readonly CallRecord[]) {
  if (calls.length === 0) return {};
  return {
    costUsd: sumCosts(calls.map(({ costUsd }) => costUsd)),
    spentUsd: sumCosts(
      calls.flatMap(({ cached, costUsd, billed }) => (cached ? [] : [billed ? billed.costUsd : costUsd])),
    ),
  };
}

function sumCosts(costs: readonly (number | undefined)[]): number | null {
  let sum = 0;
  for (const costUsd of costs) {
    if (costUsd === undefined) return null;
    sum += costUsd;
  }
  return sum;
}

function judged(judgeCostUsd: number | undefined) {
  return judgeCostUsd === 0 ? {} : { judgeCostUsd: judgeCostUsd ?? null };
}

function answered(calls: readonly CallRecord[], mask: Mask) {
  const last = calls.at(-1)?.completion;
  if (last === undefined) return {};
  return recordAnswer(last, mask, { latencyMs: sumLatencies(calls), usage: sumUsage(calls) });
}

function recordAnswer(
  completion: Completion,
  mask: Mask,
  { latencyMs, usage }: { readonly latencyMs: number | undefined; readonly usage: Usage | undefined },
) {
  const { text, reasoning, refusal, finishReason, model, systemFingerprint } = completion;
  const output = mask(text);
  const toolCalls =
    completion.toolCalls.length === 0 ? undefined : completion.toolCalls.map((call) => maskToolCall(call, mask));
  return {
    answerHash: hashAnswer({ output, ...(toolCalls === undefined ? {} : { toolCalls }) }),
    output,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(reasoning === undefined ? {} : { reasoning: mask(reasoning) }),
    ...(refusal === undefined ? {} : { refusal: mask(refusal) }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    finishReason,
    ...(model === undefined ? {} : { model: mask(model) }),
    ...(systemFingerprint === undefined ? {} : { systemFingerprint: mask(systemFingerprint) }),
    ...(usage === undefined ? {} : { usage }),
  };
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

function recordCheck(verdict: Verdict, mask: Mask): RecordedCheck {
  const { assertion, name, pass, score, reason, weight, required, diff, turn, error, judgement } = verdict;
  return {
    assertion,
    ...(name === undefined ? {} : { name }),
    pass,
    score,
    reason: mask(reason),
    ...(weight === 1 ? {} : { weight }),
    ...(required ? { required } : {}),
    ...(diff === undefined ? {} : { diff: { expected: mask(diff.expected), found: mask(diff.found) } }),
    ...(turn === undefined ? {} : { turn }),
    ...(error === undefined ? {} : { error: mask(error) }),
    ...(judgement === undefined ? {} : { judgement }),
  };
}

function recordError(result: Pick<Extract<CellResult, { status: 'errored' }>, 'failure' | 'attempts'>, mask: Mask) {
  const { kind, message, status } = result.failure;
  return { kind, message: mask(message), ...(status === undefined ? {} : { status }), attempts: result.attempts };
}

function recordCall(call: CallRecord, isConversation: boolean, mask: Mask): RecordedCall {
  const { requestHash, cached, attempts, costUsd, completion } = call;
  return {
    requestHash,
    cached,
    attempts,
    ...(completion.latencyMs === undefined ? {} : { latencyMs: roundMs(completion.latencyMs) }),
    costUsd: costUsd ?? null,
    ...(completion.usage === undefined ? {} : { usage: completion.usage }),
    ...(isConversation ? { text: mask(completion.text) } : {}),
  };
}

/** Usage is known only where every call reported it. */
function sumUsage(calls: readonly CallRecord[]): Usage | undefined {
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
