/*
 * Reads the output of Gemini CLI's `gemini -p … --output-format stream-json`, one event per line, and of
 * `--output-format json`. Source: google-gemini/gemini-cli, packages/core/src/output/types.ts and
 * stream-json-formatter.ts, commit 04fbf50, read on 2026-11-27.
 */
import { writeJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../json/json.ts';
import type { AnsweredCall, Usage } from '../../../model/run/completion.ts';
import { count, objectOf, readTotals, text } from '../../answer.ts';
import { describeText } from '../../failures/read-api-error.ts';
import {
  addUsages,
  buildResult,
  type FoundResult,
  joinResults,
  readCall,
  type Transcript,
  TranscriptFault,
} from './read-parts.ts';

export function isGeminiCli(events: readonly JsonObject[]): boolean {
  return events.some(
    ({ type, subtype, status, model, stats, tool_name: tool, response, error }) =>
      (type === 'init' && typeof model === 'string') ||
      (type === 'tool_use' && typeof tool === 'string') ||
      (type === 'result' && typeof status === 'string' && subtype === undefined) ||
      (type === undefined &&
        (typeof response === 'string' || isJsonObject(error)) &&
        isJsonObject(objectOf(stats)['models'])),
  );
}

export function readGeminiCli(events: readonly JsonObject[]): Transcript {
  const [only] = events;
  if (only !== undefined && events.length === 1 && only['type'] === undefined) return readJson(only);
  const end = events.findLastIndex(({ type }) => type === 'result');
  const result = events[end];
  if (result === undefined || end !== events.length - 1) {
    throw new TranscriptFault('wrote a transcript of Gemini CLI that ends without a result: it was cut off');
  }
  const usage = readUsage(objectOf(result['stats']));
  if (result['status'] !== 'success') throw failed(objectOf(result['error']), usage);
  const init = events.find(({ type }) => type === 'init');
  if (init === undefined) throw new TranscriptFault('wrote a transcript of Gemini CLI without its beginning (init)');
  const steps = readSteps(events);
  const model = init['model'];
  return { steps, finishReason: 'stop', ...defined({ usage, model: typeof model === 'string' ? model : undefined }) };
}

/** Reads the steps. A step is a text and the calls after it; a result ends it. */
function readSteps(events: readonly JsonObject[]) {
  const steps: { text: string; readonly calls: AnsweredCall[] }[] = [];
  const results: FoundResult[] = [];
  let isOpen = false;
  const current = () => {
    const last = steps.at(-1);
    if (isOpen && last !== undefined) return last;
    isOpen = true;
    const step = { text: '', calls: [] };
    steps.push(step);
    return step;
  };
  for (const [at, event] of events.entries()) {
    const { type, role, content } = event;
    if (type === 'message' && role === 'assistant') current().text += typeof content === 'string' ? content : '';
    else if (type === 'tool_use') {
      current().calls.push(readCall(event['tool_id'], event['tool_name'], event['parameters'], `line ${at + 1}`));
    } else if (type === 'tool_result') {
      isOpen = false;
      results.push(readResult(event));
    } else refuseUnknown(type, at + 1);
  }
  if (steps.length === 0) throw new TranscriptFault('wrote a transcript of Gemini CLI without an answer');
  return joinResults(steps, results, 'a transcript of Gemini CLI');
}

function readResult({ tool_id: id, status, output, error }: JsonObject): FoundResult {
  const isError = status === 'error';
  return { id, result: buildResult(output ?? (isError ? objectOf(error)['message'] : undefined) ?? '', isError) };
}

/** Refuses an unknown event that might contain a tool call. */
function refuseUnknown(type: JsonValue | undefined, line: number): void {
  if (typeof type === 'string' && !type.includes('tool')) return;
  const found = describeText(writeJson(type ?? null) ?? '');
  throw new TranscriptFault(`wrote a transcript like Gemini CLI's, but line ${line} is an event of the type ${found}`);
}

function failed({ type, message }: JsonObject, usage: Usage | undefined): TranscriptFault {
  const givenReason = describeText(text(message) ?? text(type) ?? 'no reason given');
  if (typeof type === 'string' && /TurnLimit/i.test(type)) {
    return new TranscriptFault(`stopped before its answer (${givenReason})`, 'stepLimit', usage);
  }
  return new TranscriptFault(`reported that it failed: ${givenReason}`, 'server', usage);
}

/** Reads the usage. Thoughts are only in the total. */
function readUsage(stats: JsonObject): Usage | undefined {
  const [inputTokens, candidates] = [count(stats['input_tokens']), count(stats['output_tokens'])];
  if (inputTokens === undefined || candidates === undefined) return undefined;
  const outputTokens = Math.max(candidates, (count(stats['total_tokens']) ?? 0) - inputTokens);
  return readTotals({ inputTokens, outputTokens, cachedInputTokens: stats['cached'] });
}

/** Reads the JSON output: the answer and each model's tokens, but no steps. */
function readJson({ response, stats, error }: JsonObject): Transcript {
  const { models, tools } = objectOf(stats);
  const used = Object.values(objectOf(models)).map((model) => {
    const { prompt = null, candidates = null, total = null, cached = null } = objectOf(objectOf(model)['tokens']);
    return readUsage({ input_tokens: prompt, output_tokens: candidates, total_tokens: total, cached });
  });
  const usage = addUsages(used);
  if (isJsonObject(error)) throw failed(error, usage);
  const calls = objectOf(tools)['totalCalls'];
  if (calls !== 0) {
    const lostCalls = typeof calls === 'number' ? `of its ${calls} tool calls` : 'of its tool calls';
    throw new TranscriptFault(`wrote only Gemini CLI's response, without the steps ${lostCalls}; use stream-json`);
  }
  const answer = text(response) ?? '';
  return { steps: [{ text: answer, calls: [] }], text: answer, finishReason: 'stop', ...defined({ usage }) };
}
