/*
 * Reads the output of Claude Code's `claude -p --output-format stream-json --verbose`: one event per line. With
 * `--output-format json --verbose`, the events are a list. Sources, read on 2026-11-27: code.claude.com/docs (headless,
 * agent SDK reference: SDKMessage), and recorded runs in public repositories. An answer is split into one event per
 * block, all with one message id.
 */
import { writeJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../json/json.ts';
import type { AgentStep, AnsweredCall, Usage } from '../../../model/run/completion.ts';
import { list, objectOf, readAnthropicUsage, readCacheApart, text } from '../../answer.ts';
import { describeText } from '../../failures/read-api-error.ts';
import { resultsIn } from './read-messages.ts';
import { addUsages, type FoundResult, joinResults, readParts, type Transcript, TranscriptFault } from './read-parts.ts';

export function isClaudeCode(events: readonly JsonObject[]): boolean {
  return events.some(
    ({ type, subtype }) =>
      (type === 'system' && subtype === 'init') || (type === 'result' && typeof subtype === 'string'),
  );
}

export function readClaudeCode(events: readonly JsonObject[]): Transcript {
  const result = readEnd(events);
  const usage = readUsage(result);
  refuseFailure(result, usage);
  const assistantEvents = events.filter(({ type }) => type === 'assistant');
  const answer = readAnswer(result);
  const ended = { text: answer, finishReason: 'stop', ...defined({ usage }) } as const;
  if (assistantEvents.length === 0) return { steps: stepOfResult(result, answer), ...ended };
  if (!events.some(({ type, subtype }) => type === 'system' && subtype === 'init')) {
    throw new TranscriptFault('wrote a transcript of Claude Code without its beginning (the line "init")');
  }
  const model = assistantEvents
    .map(({ message }) => objectOf(message)['model'])
    .findLast((name) => typeof name === 'string');
  return { steps: readSteps(events), ...ended, ...defined({ model: text(model) }) };
}

/** Finds the result event. Without one, the transcript was cut off. */
function readEnd(events: readonly JsonObject[]): JsonObject {
  const end = events.findLastIndex(({ type }) => type === 'result');
  const result = events[end];
  if (result === undefined || events.slice(end).some(({ type }) => type === 'assistant')) {
    throw new TranscriptFault('wrote a transcript of Claude Code that ends without a result: it was cut off');
  }
  return result;
}

function refuseFailure(result: JsonObject, usage: Usage | undefined): void {
  const { subtype, is_error: isError, num_turns: turns, errors } = result;
  if (subtype === 'success' && isError !== true) return;
  const what = describeText(text(subtype) ?? 'no reason given');
  if (what.startsWith('error_max_')) {
    const taken = typeof turns === 'number' ? ` after ${turns} turns` : '';
    throw new TranscriptFault(`stopped before its answer${taken} (${what})`, 'stepLimit', usage);
  }
  const errorTexts = [result['result'] ?? '', ...list(errors)].flatMap((line) => text(line) ?? []);
  const why = errorTexts.length === 0 ? what : errorTexts.join('; ');
  throw new TranscriptFault(`reported that it failed: ${describeText(why)}`, 'server', usage);
}

/** Reads the answer's text. With a JSON Schema, the answer is a separate object. */
function readAnswer({ result, structured_output: structured }: JsonObject): string {
  if (structured !== undefined && structured !== null) return writeJson(structured) ?? '';
  return typeof result === 'string' ? result : '';
}

/** Builds the only step of a bare result. With one turn, there was no tool call. */
function stepOfResult({ num_turns: turns }: JsonObject, text: string): readonly AgentStep[] {
  if (typeof turns === 'number' && turns <= 1) return [{ text, calls: [] }];
  throw new TranscriptFault(
    `wrote only Claude Code's result, without the steps of its ${typeof turns === 'number' ? `${turns} turns` : 'turns'}; add --verbose`,
  );
}

interface OpenStep {
  readonly texts: string[];
  readonly calls: AnsweredCall[];
}

function readSteps(events: readonly JsonObject[]): readonly AgentStep[] {
  const steps: OpenStep[] = [];
  const byId = new Map<string, OpenStep>();
  const results: FoundResult[] = [];
  for (const [at, event] of events.entries()) {
    const { type } = event;
    const message = objectOf(event['message']);
    const where = `line ${at + 1}`;
    if (type === 'assistant') {
      const step = findStep(message['id'], steps, byId);
      const parts = readParts(message['content'], where);
      step.texts.push(parts.text);
      step.calls.push(...parts.calls);
      results.push(...parts.results);
    } else if (type === 'user') {
      results.push(...readParts(resultsIn(message['content']), where).results);
    } else {
      refuseUnknown(type, event, where);
    }
  }
  const read = steps.map(({ texts, calls }) => ({ text: texts.join(''), calls }));
  return joinResults(read, results, 'a transcript of Claude Code');
}

function findStep(id: JsonValue | undefined, steps: OpenStep[], byId: Map<string, OpenStep>): OpenStep {
  const isId = typeof id === 'string';
  const known = isId ? byId.get(id) : undefined;
  if (known !== undefined) return known;
  const step: OpenStep = { texts: [], calls: [] };
  steps.push(step);
  if (isId) byId.set(id, step);
  return step;
}

/** Tool events that repeat the content of messages. */
const repeated = new Set(['tool_progress', 'tool_use_summary', 'streamlined_tool_use_summary']);

/** Refuses an unknown event that might contain a tool call. Other events come and go with versions. */
function refuseUnknown(type: JsonValue | undefined, event: JsonObject, where: string): void {
  const isHarmless =
    typeof type === 'string' && (repeated.has(type) || !type.includes('tool')) && !isJsonObject(event['message']);
  if (isHarmless) return;
  const found = describeText(writeJson(type ?? null) ?? '');
  throw new TranscriptFault(`wrote a transcript like Claude Code's, but ${where} is an event of the type ${found}`);
}

/** Sums the tokens of all models, including subagents. The cost is the program's own estimate. */
function readUsage(result: JsonObject): Usage | undefined {
  const costUsd = readCost(result['total_cost_usd']);
  const models = Object.values(objectOf(result['modelUsage'])).map((used) => readModelUsage(objectOf(used)));
  const usage = models.length === 0 ? readAnthropicUsage(objectOf(result['usage'])) : addUsages(models);
  return usage === undefined ? undefined : { ...usage, ...defined({ costUsd }) };
}

function readModelUsage(used: JsonObject): Usage | undefined {
  const { inputTokens, outputTokens, cacheReadInputTokens, cacheCreationInputTokens } = used;
  return readCacheApart({
    fresh: inputTokens,
    output: outputTokens,
    cached: cacheReadInputTokens,
    written: cacheCreationInputTokens,
  });
}

function readCost(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
