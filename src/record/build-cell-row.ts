import { defined } from '../json/defined.ts';
import type { CallRecord, Cell, CellResult, CellStatus } from '../model/run/cell.ts';
import type { AgentStep, ToolCall, Usage } from '../model/run/completion.ts';
import type { AskedCase, AskedTurn, CellRow, RecordedCall } from '../model/run/record.ts';
import type { RecordedCheck, Verdict } from '../model/run/verdict.ts';
import type { RowClass } from '../model/suite/classes.ts';
import { type Mask, maskJson } from '../secrets/mask-secrets.ts';
import { addKnown, sumKnown } from '../stats/descriptive.ts';
import { clipText } from '../text/shorten.ts';
import { hashAnswer, identifyAnswer } from './case-summaries.ts';

type AskedOf = Pick<Cell, 'request' | 'turns' | 'tags' | 'description'>;

/**
 * A result in its stored form. Secrets are masked in every text from outside; ids and numbers are unchanged. A case's
 * first trial includes the cell's input. `position` is the number of cells of its provider that began earlier.
 */
export function buildCellRow(result: CellResult, mask: Mask, cell?: AskedOf, position?: number): CellRow {
  const { key, cellHash, caseHash, at, calls } = result;
  const { suite, prompt, provider, caseId, trial } = key;
  const isSkipped = result.status === 'skipped';
  const costs = sumCosts(result);
  const answer = isSkipped ? undefined : recordAnswer(result, mask);
  return {
    type: 'cell',
    suite,
    prompt,
    provider,
    caseId,
    trial,
    caseHash,
    status: statusOf(result),
    observe: result.observe || undefined,
    mustPass: result.mustPass || undefined,
    group: result.group,
    slices: result.slices,
    classified: maskClass(result.classified, mask),
    confirmation: result.confirmation || undefined,
    side: result.side,
    cached: calls.length > 0 && calls.every(({ cached }) => cached),
    score: result.status === 'judged' ? result.score : undefined,
    costUsd: costs.costUsd,
    steps: isSkipped ? undefined : result.steps?.length,
    spentUsd: costs.spentUsd,
    judgeCostUsd: costs.judgeCostUsd,
    latencyMs: answer?.latencyMs,
    firstTokenMs: answer?.firstTokenMs,
    position: answer?.latencyMs === undefined ? undefined : position,
    answerHash: answer?.answerHash,
    answerId: answer?.answerId,
    usage: answer?.usage,
    model: answer?.model,
    output: answer?.output,
    reasoning: answer?.reasoning,
    refusal: answer?.refusal,
    toolCalls: answer?.toolCalls,
    trajectory: isSkipped ? undefined : result.steps?.map((step) => recordStep(step, mask)),
    state: result.state === undefined ? undefined : maskJson(result.state, mask),
    finishReason: answer?.finishReason,
    systemFingerprint: answer?.systemFingerprint,
    cellHash,
    at,
    calls: calls.map((call) => recordCall(call, calls.length > 1, mask)),
    asked: cell === undefined || trial > 0 ? undefined : recordAsked(cell, mask),
    checks: isSkipped ? [] : result.verdicts.map((verdict) => recordCheck(verdict, mask)),
    attempts: isSkipped ? calls.reduce((sum, call) => sum + call.attempts, 0) : result.attempts,
    error: isSkipped ? undefined : recordError(result, mask),
    skip: isSkipped
      ? { reason: result.reason, ...defined({ message: maskOptional(result.message, mask) }) }
      : undefined,
  };
}

function maskClass(classified: RowClass | undefined, mask: Mask): RowClass | undefined {
  if (classified === undefined) return undefined;
  const { truth, found, by } = classified;
  const masked = typeof found === 'string' ? mask(found) : found;
  return { truth: mask(truth), ...defined({ found: masked }), by };
}

function statusOf(result: CellResult): CellStatus {
  if (result.status !== 'judged') return result.status;
  return result.passed ? 'passed' : 'failed';
}

/** A cell's cost as if nothing were cached, the cost that this run paid, and its judges' cost. */
function sumCosts(result: CellResult): Pick<CellRow, 'costUsd' | 'spentUsd' | 'judgeCostUsd'> {
  const { calls, unusable } = result;
  const judge = judgeCost(result);
  // A filter that withholds the usage too may have billed it, so the cost of the cell is unknown.
  const isFiltered = result.status === 'judged' && result.failure?.kind === 'contentFilter' && result.attempts > 0;
  if (isFiltered && unusable === undefined) {
    return { costUsd: null, spentUsd: null, ...judge };
  }
  if (calls.length === 0 && unusable === undefined) return judge;
  const costUsd = addKnown(
    sumKnown(calls, (call) => call.costUsd),
    unusable === undefined ? 0 : unusable.costUsd,
  );
  const spentUsd = addKnown(sumKnown(calls, spentOn), unusable === undefined ? 0 : unusable.billedUsd);
  return { costUsd: costUsd ?? null, spentUsd: spentUsd ?? null, ...judge };
}

function spentOn({ cached, costUsd, billed }: CallRecord): number | undefined {
  if (cached) return 0;
  return billed === undefined ? costUsd : billed.costUsd;
}

function judgeCost(result: CellResult): Pick<CellRow, 'judgeCostUsd'> {
  if (!('judgeCostUsd' in result) || result.judgeCostUsd === 0) return {};
  return { judgeCostUsd: result.judgeCostUsd ?? null };
}

/** The last answer, with the latency and usage of all calls. */
function recordAnswer({ calls, steps }: CellResult, mask: Mask) {
  const completion = calls.at(-1)?.completion;
  if (completion === undefined) return undefined;
  const { text, reasoning, refusal, finishReason, model, systemFingerprint, firstTokenMs } = completion;
  const output = mask(text);
  const madeCalls = steps === undefined ? completion.toolCalls : steps.flatMap((step) => step.calls);
  const masked = madeCalls.map((call) => maskToolCall(call, mask));
  const toolCalls = masked.length === 0 ? undefined : masked;
  const latencyMs = sumKnown(calls, (call) => call.completion.latencyMs);
  return {
    latencyMs: latencyMs === undefined ? undefined : roundMs(latencyMs),
    firstTokenMs: firstTokenMs === undefined ? undefined : roundMs(firstTokenMs),
    answerHash: hashAnswer({ output, toolCalls }),
    answerId: identifyAnswer(calls),
    usage: sumUsage(calls),
    model: maskOptional(model, mask),
    output,
    reasoning: maskOptional(reasoning, mask),
    refusal: maskOptional(refusal, mask),
    toolCalls,
    finishReason,
    systemFingerprint: maskOptional(systemFingerprint, mask),
  };
}

function maskOptional(text: string | undefined, mask: Mask): string | undefined {
  return text === undefined ? undefined : mask(text);
}

/** A result of megabytes is cut: its whole was sent, and no check reads it. */
function recordStep({ text, calls, latencyMs, usage }: AgentStep, mask: Mask): AgentStep {
  return {
    text: mask(text),
    calls: calls.map(({ result, ...call }) => {
      const masked = maskToolCall(call, mask);
      if (result === undefined) return masked;
      return { ...masked, result: { ...result, content: clipText(mask(result.content), maxAskedChars) } };
    }),
    ...defined({ latencyMs: latencyMs === undefined ? undefined : roundMs(latencyMs), usage }),
  };
}

function maskToolCall({ id, name, arguments: parsed, rawArguments }: ToolCall, mask: Mask): ToolCall {
  return {
    ...defined({ id: maskOptional(id, mask) }),
    name: mask(name),
    arguments: parsed === undefined ? undefined : maskJson(parsed, mask),
    rawArguments: mask(rawArguments),
  };
}

export function recordCheck(verdict: Verdict, mask: Mask): RecordedCheck {
  const { assertion, name, pass, score, reason, weight, required, diff, turn, error, judgement } = verdict;
  return defined({
    assertion,
    pass,
    score,
    reason: mask(reason),
    name,
    weight: weight === 1 ? undefined : weight,
    required: required || undefined,
    diff: diff === undefined ? undefined : { expected: mask(diff.expected), found: mask(diff.found) },
    turn,
    error: maskOptional(error, mask),
    judgement,
  });
}

function recordError(result: Exclude<CellResult, { status: 'skipped' }>, mask: Mask): CellRow['error'] {
  if (result.failure === undefined) return undefined;
  const { kind, message, status } = result.failure;
  return { kind, message: mask(message), ...defined({ status }), attempts: result.attempts };
}

function recordCall(call: CallRecord, isConversation: boolean, mask: Mask): RecordedCall {
  const { requestHash, cached, attempts, costUsd, completion } = call;
  const { latencyMs, usage, text } = completion;
  return defined({
    requestHash,
    cached,
    attempts,
    costUsd: costUsd ?? null,
    latencyMs: latencyMs === undefined ? undefined : roundMs(latencyMs),
    usage,
    text: isConversation ? mask(text) : undefined,
  });
}

/** The sum of the calls' usage; undefined unless every call reported it. */
export function sumUsage(calls: readonly CallRecord[]): Usage | undefined {
  const [only] = calls;
  if (only !== undefined && calls.length === 1) return only.completion.usage;
  const sum: Record<string, number> = {};
  for (const { completion } of calls) {
    if (completion.usage === undefined) return undefined;
    for (const [field, count] of Object.entries(completion.usage)) {
      if (typeof count === 'number') sum[field] = (sum[field] ?? 0) + count;
    }
  }
  const { inputTokens, outputTokens, costUsd, ...parts } = sum;
  // Without the cost of one call, the sum would look like the total.
  const isPriced = costUsd !== undefined && calls.every(({ completion }) => completion.usage?.costUsd !== undefined);
  return {
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    ...parts,
    ...defined({ costUsd: isPriced ? costUsd : undefined }),
  };
}

/** Rounds to microseconds, because times over a network are not more exact. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The input of a cell, for reports. */
function recordAsked({ request, turns, tags, description }: AskedOf, mask: Mask): AskedCase {
  const askedTurns = turns.flatMap((turn): readonly AskedTurn[] => {
    if (turn.kind === 'first') return [];
    const content = clipAsked(mask(turn.content));
    return [turn.kind === 'user' ? { role: 'user', ...content } : { role: 'tool', name: mask(turn.name), ...content }];
  });
  return defined({
    messages: request.messages.map(({ role, content, attachments }) => ({
      role,
      ...clipAsked(mask(content)),
      ...defined({ attach: attachments?.map(({ path }) => mask(path)) }),
    })),
    turns: askedTurns.length === 0 ? undefined : askedTurns,
    tags: tags?.map(mask),
    description: maskOptional(description, mask),
  });
}

/** Documents of megabytes in a prompt would make a record of gigabytes. */
const maxAskedChars = 16_384;

function clipAsked(text: string): { readonly content: string; readonly ofChars?: number } {
  if (text.length <= maxAskedChars) return { content: text };
  return { content: clipText(text, maxAskedChars), ofChars: text.length };
}
