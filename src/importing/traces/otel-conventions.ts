import { defined } from '../../json/defined.ts';
import { readConversation, readTurn } from '../data-sets/chat-messages.ts';
import { isMap } from '../draft.ts';
import {
  answerOf,
  noAnswer,
  type RecordedAnswer,
  type RefusedRow,
  readAnswer,
  readJson,
  readRecordedCall,
  type TraceRow,
  unreadable,
} from './recorded-call.ts';

export type Attributes = ReadonlyMap<string, unknown>;

/** A span or log record, or a span's event. */
export interface OtelEvent {
  readonly name: string;
  readonly attributes: Attributes;
}

type Found = Omit<TraceRow, 'origin'> | RefusedRow;

/** True for a message event, as in versions 1.28 to 1.36. */
export function isMessageEvent(event: OtelEvent | undefined): boolean {
  return event !== undefined && /^gen_ai\.(?:\w+\.message|choice)$/.test(event.name);
}

const chatOperations = new Set(['chat', 'text_completion', 'generate_content']);

/** True for a model call, not a call of a tool, agent or embedding model. */
export function isModelCall(attributes: Attributes): boolean {
  const operation = attributes.get('gen_ai.operation.name');
  if (typeof operation === 'string') return chatOperations.has(operation);
  const kind = attributes.get('openinference.span.kind') ?? attributes.get('langfuse.observation.type');
  if (typeof kind === 'string') return ['llm', 'generation'].includes(kind.toLowerCase());
  const names = ['llm.request.type', 'gen_ai.request.model', 'ai.model.id', 'llm.model_name'];
  return names.some((name) => attributes.has(name)) || /LLM|CHAT_MODEL/.test(String(attributes.get('mlflow.spanType')));
}

/** Reads a call's messages. The first matching convention wins. */
export function readConventions(events: readonly OtelEvent[]): Found | undefined {
  const content = readContentEvents(events);
  if (content !== undefined) return content;
  for (const { attributes } of events) {
    const found = readAttributesOf(attributes);
    if (found === undefined) continue;
    const vars = readVars(attributes);
    return 'refused' in found || vars === undefined ? found : { ...found, vars };
  }
  return readMessageEvents(events.flatMap(openEvents));
}

function readAttributesOf(attributes: Attributes): Found | undefined {
  return (
    readLists(attributes) ??
    readNested(attributes, 'gen_ai.prompt', 'gen_ai.completion') ??
    readNested(attributes, 'llm.input_messages', 'llm.output_messages') ??
    readAiSdk(attributes) ??
    readPairs(attributes)
  );
}

/** Reads the current convention: lists of messages, structured or as JSON text. */
function readLists(attributes: Attributes): Found | undefined {
  if (!attributes.has('gen_ai.input.messages')) return undefined;
  const input = readJson(attributes.get('gen_ai.input.messages'));
  const messages = readConversation(typeof input === 'string' ? [{ role: 'user', content: input }] : input);
  const instructions = readJson(
    attributes.get('gen_ai.system_instructions') ?? attributes.get('gen_ai.system.instructions'),
  );
  const system = instructions === undefined ? [] : readConversation([{ role: 'system', content: instructions }]);
  if (messages === undefined || system === undefined) return unreadable;
  const output = readJson(attributes.get('gen_ai.output.messages'));
  const answer = typeof output === 'string' ? readAnswer(output) : answerOf(lastAnswer(readConversation(output)));
  return { messages: [...system, ...messages], answer };
}

function lastAnswer(messages: TraceRow['messages'] | undefined): TraceRow['messages'][number] | undefined {
  return messages?.findLast(({ role }) => role === 'assistant');
}

/**
 * Reads numbered attributes: `gen_ai.prompt.0.content` (OpenLLMetry), `llm.input_messages.0.message.content`
 * (OpenInference).
 */
function readNested(attributes: Attributes, input: string, output: string): Found | undefined {
  const list = nestAttributes(attributes, input);
  if (!Array.isArray(list)) return undefined;
  const messages = readConversation(list.map(openMessage));
  if (messages === undefined) return unreadable;
  const answers = nestAttributes(attributes, output);
  const answer = Array.isArray(answers) ? readConversation(answers.map(asAssistant)) : undefined;
  return { messages, answer: answerOf(lastAnswer(answer)) };
}

/** Reads an attribute's value. Attributes with this prefix become an object, or a list if their keys count up. */
function nestAttributes(attributes: Attributes, prefix: string): unknown {
  if (attributes.has(prefix)) return readJson(attributes.get(prefix));
  const root: Record<string, unknown> = {};
  for (const [name, value] of attributes) {
    if (!name.startsWith(`${prefix}.`)) continue;
    const steps = name.slice(prefix.length + 1).split('.');
    const last = steps.pop() ?? '';
    let map = root;
    for (const step of steps) {
      const inner = Object.hasOwn(map, step) ? map[step] : undefined;
      const next: Record<string, unknown> = isMap(inner) ? inner : {};
      if (inner !== next) Object.defineProperty(map, step, { value: next, enumerable: true, writable: true });
      map = next;
    }
    Object.defineProperty(map, last, { value, enumerable: true, writable: true });
  }
  return Object.keys(root).length === 0 ? undefined : toLists(root);
}

function toLists(value: unknown): unknown {
  if (!isMap(value)) return value;
  const keys = Object.keys(value);
  // Objects list integer keys in order.
  const isList = keys.length > 0 && keys.every((key, index) => key === String(index));
  const items = Object.entries(value).map(([key, item]): [string, unknown] => [key, toLists(item)]);
  return isList ? items.map(([, item]) => item) : Object.fromEntries(items);
}

/** Removes the prefixes that OpenInference repeats at each level. */
function openMessage(item: unknown): unknown {
  if (!isMap(item)) return item;
  const message = isMap(item['message']) ? item['message'] : item;
  const { contents, content, tool_calls: calls } = message;
  const parts = Array.isArray(contents) ? contents.map((part) => openInner(part, 'message_content')) : undefined;
  return {
    ...message,
    content: parts ?? readParts(content),
    ...defined({ tool_calls: Array.isArray(calls) ? calls.map((call) => openInner(call, 'tool_call')) : undefined }),
  };
}

function openInner(value: unknown, key: string): unknown {
  return isMap(value) && isMap(value[key]) ? value[key] : value;
}

/** Parses a list of parts, which OpenLLMetry writes as JSON. */
function readParts(content: unknown): unknown {
  const parsed = typeof content === 'string' && content.startsWith('[{"') ? readJson(content) : content;
  return Array.isArray(parsed) && parsed.every((part) => isMap(part) && 'type' in part) ? parsed : content;
}

function asAssistant(item: unknown): unknown {
  const message = openMessage(item);
  return isMap(message) ? { ...message, role: message['role'] ?? 'assistant' } : message;
}

/** Reads Vercel's AI SDK: `ai.prompt.messages` of a call, or `ai.prompt` of the function around it. */
function readAiSdk(attributes: Attributes): Found | undefined {
  const written = attributes.get('ai.prompt.messages') ?? attributes.get('ai.prompt');
  if (written === undefined) return undefined;
  const text =
    attributes.get('ai.response.text') ?? attributes.get('ai.response.object') ?? attributes.get('ai.result.text');
  const calls = readAnswer(attributes.get('ai.response.toolCalls')).calls;
  const input = readJson(written);
  const { prompt, messages, system }: Readonly<Record<string, unknown>> = isMap(input) ? input : {};
  const isText = typeof prompt === 'string' && messages === undefined && system === undefined;
  const found = readRecordedCall(isText ? prompt : input, undefined);
  if ('refused' in found || found.messages.length === 0) return unreadable;
  return { ...found, answer: { text: typeof text === 'string' && text !== '' ? text : undefined, calls } };
}

const attributePairs = [
  ['gen_ai.prompt', 'gen_ai.completion'],
  ['langfuse.observation.input', 'langfuse.observation.output'],
  ['mlflow.spanInputs', 'mlflow.spanOutputs'],
  ['request_data', 'response_data'],
  ['input.value', 'output.value'],
] as const;

/** Reads request and answer as JSON. */
function readPairs(attributes: Attributes): Found | undefined {
  if (!isModelCall(attributes)) return undefined;
  for (const [input, output] of attributePairs) {
    const written = nestAttributes(attributes, input);
    if (written !== undefined) return readRecordedCall(written, nestAttributes(attributes, output));
  }
  return undefined;
}

/** Reads the template's variables, if the instrumentation records them. */
function readVars(attributes: Attributes): Readonly<Record<string, unknown>> | undefined {
  const vars =
    nestAttributes(attributes, 'llm.prompt_template.variables') ??
    nestAttributes(attributes, 'traceloop.prompt.template_variables');
  return isMap(vars) ? vars : undefined;
}

/** Reads `gen_ai.content.prompt` and `gen_ai.content.completion`, as in versions before 1.28. */
function readContentEvents(events: readonly OtelEvent[]): Found | undefined {
  const find = (name: string) => events.find((event) => event.name === name)?.attributes;
  const prompt = find('gen_ai.content.prompt')?.get('gen_ai.prompt');
  if (prompt === undefined) return undefined;
  return readRecordedCall(prompt, find('gen_ai.content.completion')?.get('gen_ai.completion'));
}

/** Reads one event per message, such as `gen_ai.user.message` and `gen_ai.choice`, as in versions 1.28 to 1.36. */
function readMessageEvents(events: readonly OtelEvent[]): Found | undefined {
  const messages = events.flatMap(({ name, attributes }) => {
    const [, named] = /^gen_ai\.(\w+)\.message$/.exec(name) ?? [];
    if (named === undefined) return [];
    const message = { ...Object.fromEntries(attributes), content: readJson(attributes.get('content')) };
    // The program's own role, such as `customer`, may be unknown.
    return [readTurn(message) ?? readTurn({ ...message, role: named })];
  });
  if (messages.length === 0) return undefined;
  if (!messages.every((message) => message !== undefined)) return unreadable;
  return { messages, answer: readChoice(events.find(({ name }) => name === 'gen_ai.choice')?.attributes) };
}

function readChoice(choice: Attributes | undefined): RecordedAnswer {
  if (choice === undefined) return noAnswer;
  const written = readJson(choice.get('message'));
  const message = isMap(written) ? written : { content: written ?? readJson(choice.get('content')) };
  const calls = message['tool_calls'] ?? readJson(choice.get('tool_calls'));
  return answerOf(readTurn({ ...message, role: 'assistant', ...defined({ tool_calls: calls }) }));
}

/** Unpacks events. Pydantic AI writes a call's events as one attribute, Azure an event's content. */
function openEvents({ name, attributes }: OtelEvent): readonly OtelEvent[] {
  const list = readJson(attributes.get('events'));
  const content = readJson(attributes.get('gen_ai.event.content'));
  if (isMap(content)) return [{ name, attributes: new Map([...attributes, ...Object.entries(content)]) }];
  if (!Array.isArray(list)) return [{ name, attributes }];
  return list.filter(isMap).map((event) => ({
    name: typeof event['event.name'] === 'string' ? event['event.name'] : '',
    attributes: new Map(Object.entries(event)),
  }));
}

/** Reads attributes from a list of keys and typed values, or from a map. Nested maps may replace dots in names. */
export function readAttributes(written: unknown): Attributes {
  if (isMap(written)) return new Map(flatten(written, ''));
  const attributes = new Map<string, unknown>();
  for (const item of Array.isArray(written) ? written : []) {
    if (isMap(item) && typeof item['key'] === 'string') attributes.set(item['key'], readValue(item['value']));
  }
  return attributes;
}

function flatten(map: Readonly<Record<string, unknown>>, prefix: string): readonly (readonly [string, unknown])[] {
  return Object.entries(map).flatMap(([key, value]) =>
    isMap(value) ? flatten(value, `${prefix}${key}.`) : [[`${prefix}${key}`, value] as const],
  );
}

/** Reads a log record's body: the content as text, or a map of attributes, possibly as JSON. */
export function readBody(body: unknown): Attributes {
  const value = readJson(readValue(body));
  if (typeof value === 'string') return new Map([['content', value]]);
  return new Map(isMap(value) ? Object.entries(value) : []);
}

const typedValuePattern = /^(?:string|int|double|bool|array|kvlist|bytes)Value$/;

function readValue(value: unknown): unknown {
  if (!isMap(value)) return value;
  const [[type, inner] = ['', undefined], ...others] = Object.entries(value);
  if (others.length > 0 || !typedValuePattern.test(type)) return value;
  if (type === 'arrayValue')
    return isMap(inner) && Array.isArray(inner['values']) ? inner['values'].map(readValue) : [];
  return type === 'kvlistValue' ? Object.fromEntries(readAttributes(isMap(inner) ? inner['values'] : [])) : inner;
}
