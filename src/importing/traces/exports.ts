import { parseJson } from '../../json/parse-json.ts';
import { readMessage, readMessages } from '../data-sets/chat-messages.ts';
import type { IsPart } from '../data-sets/split-json.ts';
import { isMap } from '../draft.ts';
import { describeOrigin, type ReadTracePart, type RefusedRow, type TraceRow } from './trace-row.ts';

const LISTS = new Set(['data', 'runs', 'observations', 'traces', 'items']);

/** Rows in a list, or in a list in a wrapper. Rows of JSON lines are at the top. */
export function exportParts(isLines: boolean): IsPart {
  if (isLines) return (path) => path.length === 0;
  return ([first, second, ...others]) =>
    others.length === 0 && (second === undefined ? first === '*' : second === '*' && LISTS.has(first ?? ''));
}

/** An observation or a trace of Langfuse: as the API and the UI export it, or in the names of the blob export. */
export const readLangfusePart: ReadTracePart = (value) => {
  if (!isMap(value)) return [];
  const { type, input, output } = value;
  if (typeof type === 'string' && type.toUpperCase() !== 'GENERATION') return [];
  const origin = describeOrigin({
    trace: value['traceId'] ?? value['trace_id'] ?? (type === undefined ? value['id'] : undefined),
    observation: type === undefined ? undefined : value['id'],
    at: value['startTime'] ?? value['start_time'] ?? value['timestamp'],
    model: value['model'] ?? value['providedModelName'] ?? value['provided_model_name'],
  });
  return [readCall(input, output, origin)];
};

/** A run of LangSmith. Tools, retrievers and parsers are no calls of a model. */
export const readLangsmithPart: ReadTracePart = (value) => {
  if (!isMap(value)) return [];
  const { run_type: type, inputs, outputs } = value;
  if (typeof type === 'string' && !['llm', 'chain', 'prompt'].includes(type)) return [];
  const origin = describeOrigin({
    trace: value['trace_id'],
    run: value['id'] ?? value['run_id'],
    at: typeof value['start_time'] === 'number' ? new Date(value['start_time']).toISOString() : value['start_time'],
  });
  return [readCall(inputs, outputs, origin)];
};

function readCall(written: unknown, output: unknown, origin: readonly string[]): TraceRow | RefusedRow {
  const input = readJson(written);
  const answer = readAnswer(readJson(output));
  if (typeof input === 'string') return { origin, messages: [{ role: 'user', content: input }], answer };
  const list = isMap(input) ? (input['messages'] ?? input['input']) : input;
  const messages = readMessages(list);
  if (messages !== undefined) return { origin, messages, answer };
  if (Array.isArray(list)) return { refused: 'a message is not only text' };
  if (isMap(input)) {
    const { prompts } = input;
    const [prompt] = Array.isArray(prompts) && prompts.length === 1 ? prompts : [];
    if (typeof prompt === 'string') return { origin, messages: [{ role: 'user', content: prompt }], answer };
    return { origin, messages: [], vars: input, answer };
  }
  return { refused: 'no messages were recorded' };
}

/** The text in an output: a text, a message, the last of a list, a choice, a generation, or the only field of a map. */
function readAnswer(output: unknown, depth = 0): string | undefined {
  if (typeof output === 'string') return output;
  if (depth > 6) return undefined;
  const messages = readMessages(output);
  if (messages !== undefined) return messages.findLast(({ role }) => role === 'assistant')?.content;
  if (Array.isArray(output)) return output.length === 1 ? readAnswer(output[0], depth + 1) : undefined;
  if (!isMap(output)) return undefined;
  const message = readMessage(output);
  if (message !== undefined) return message.content;
  for (const key of ['choices', 'generations', 'message', 'messages', 'text', 'content', 'output', 'answer']) {
    const inner = output[key];
    if (inner !== undefined && inner !== null) return readAnswer(inner, depth + 1);
  }
  const values = Object.values(output);
  return values.length === 1 ? readAnswer(values[0], depth + 1) : undefined;
}

function readJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return value;
  const parsed = parseJson(value);
  return parsed.ok ? parsed.value : value;
}
