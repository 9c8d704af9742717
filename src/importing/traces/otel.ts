import { parseJson } from '../../json/parse-json.ts';
import { type ChatMessage, readMessages } from '../data-sets/chat-messages.ts';
import type { IsPart } from '../data-sets/split-json.ts';
import { isMap } from '../draft.ts';
import { describeOrigin, type ReadTracePart, type RefusedRow, type TraceRow } from './trace-row.ts';

type Attributes = ReadonlyMap<string, unknown>;

const PLACES = new Set([
  'resourceSpans.*.scopeSpans.*.spans.*',
  'resourceSpans.*.instrumentationLibrarySpans.*.spans.*',
  'resourceLogs.*.scopeLogs.*.logRecords.*',
]);

/** Spans and log records, in OTLP JSON documents or lists of them. */
export const isOtelPart: IsPart = (path) =>
  path.length >= 6 && path.length <= 7 && PLACES.has((path[0] === '*' ? path.slice(1) : path).join('.'));

/** Reads the messages of a span or a log record, by the conventions that instrumentations write. */
export const readOtelPart: ReadTracePart = (value) => {
  if (!isMap(value)) return [];
  const attributes = readAttributes(value['attributes']);
  const events = Array.isArray(value['events']) ? value['events'].filter(isMap) : [];
  const own = [{ name: nameOfLog(value, attributes), attributes: withBody(value, attributes) }];
  const all = [
    ...own,
    ...events.map((event) => ({ name: textOf(event['name']), attributes: readAttributes(event['attributes']) })),
  ];
  const found = readConventions(all);
  if (found === undefined) return isModelCall(attributes) ? [{ refused: 'no messages were recorded' }] : [];
  if ('refused' in found) return [found];
  const model =
    attributes.get('gen_ai.response.model') ??
    attributes.get('gen_ai.request.model') ??
    attributes.get('llm.model_name');
  const origin = describeOrigin({
    trace: value['traceId'],
    span: value['spanId'],
    at: readTime(value['startTimeUnixNano'] ?? value['timeUnixNano'] ?? value['observedTimeUnixNano']),
    model,
  });
  return [{ ...found, origin }];
};

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function nameOfLog(value: Readonly<Record<string, unknown>>, attributes: Attributes): string {
  return textOf(value['eventName'] ?? attributes.get('event.name'));
}

/** The body of an event is a map of what its attributes are elsewhere. */
function withBody(value: Readonly<Record<string, unknown>>, attributes: Attributes): Attributes {
  const body = isMap(value['body']) ? readValue(value['body']) : undefined;
  return isMap(body) ? new Map([...Object.entries(body), ...attributes]) : attributes;
}

function isModelCall(attributes: Attributes): boolean {
  const operation = attributes.get('gen_ai.operation.name');
  const isCall = operation === 'chat' || operation === 'text_completion' || operation === 'generate_content';
  return isCall || attributes.get('openinference.span.kind') === 'LLM' || attributes.has('llm.request.type');
}

interface Event {
  readonly name: string;
  readonly attributes: Attributes;
}

type Found = Pick<TraceRow, 'messages' | 'answer'> | RefusedRow;

const unreadable: RefusedRow = { refused: 'a message is not only text' };

function readConventions(events: readonly Event[]): Found | undefined {
  for (const { attributes } of events) {
    const found =
      readLists(attributes, 'gen_ai.input.messages', 'gen_ai.output.messages') ??
      readNumbered(attributes, { input: 'gen_ai.prompt', output: 'gen_ai.completion', inner: '' }) ??
      readNumbered(attributes, { input: 'llm.input_messages', output: 'llm.output_messages', inner: 'message.' }) ??
      readLists(attributes, 'ai.prompt.messages', 'ai.response.text');
    if (found !== undefined) return found;
  }
  return readContentEvents(events) ?? readMessageEvents(events);
}

/** Lists of messages, as JSON in a text or structured. Instructions are a message of their own here. */
function readLists(attributes: Attributes, input: string, output: string): Found | undefined {
  if (!attributes.has(input)) return undefined;
  const messages = readMessages(readJson(attributes.get(input)));
  const instructions = readJson(attributes.get('gen_ai.system_instructions'));
  const system = instructions === undefined ? [] : readMessages([{ role: 'system', content: instructions }]);
  if (messages === undefined || system === undefined) return unreadable;
  return { messages: [...system, ...messages], answer: readAnswer(attributes.get(output)) };
}

/** `gen_ai.prompt.0.role` (OpenLLMetry), `llm.input_messages.0.message.role` (OpenInference). */
function readNumbered(
  attributes: Attributes,
  { input, output, inner }: { readonly input: string; readonly output: string; readonly inner: string },
): Found | undefined {
  const read = (prefix: string): readonly unknown[] => {
    const list: unknown[] = [];
    for (let index = 0; ; index += 1) {
      const start = `${prefix}.${index}.${inner}`;
      const names = [...attributes.keys()].filter((name) => name.startsWith(start));
      if (names.length === 0) return list;
      const isText = names.every((name) => ['role', 'content', 'finish_reason'].includes(name.slice(start.length)));
      const content = attributes.get(`${start}content`);
      list.push(isText ? { role: attributes.get(`${start}role`), content: readParts(content) } : {});
    }
  };
  const list = read(input);
  if (list.length === 0) return undefined;
  const messages = readMessages(list);
  return messages === undefined ? unreadable : { messages, answer: answerOf(readMessages(read(output))) };
}

/** OpenLLMetry writes a list of parts as JSON. */
function readParts(content: unknown): unknown {
  const parsed = typeof content === 'string' && content.startsWith('[{"') ? readJson(content) : content;
  return Array.isArray(parsed) && parsed.every((part) => isMap(part) && 'type' in part) ? parsed : content;
}

/** `gen_ai.content.prompt` and `gen_ai.content.completion`: of versions before 1.28. */
function readContentEvents(events: readonly Event[]): Found | undefined {
  const prompt = events.find(({ name }) => name === 'gen_ai.content.prompt')?.attributes.get('gen_ai.prompt');
  if (prompt === undefined) return undefined;
  const messages =
    readMessages(readJson(prompt)) ??
    (typeof prompt === 'string' && !/^\s*\[/.test(prompt) ? [{ role: 'user' as const, content: prompt }] : undefined);
  const completion = events
    .find(({ name }) => name === 'gen_ai.content.completion')
    ?.attributes.get('gen_ai.completion');
  return messages === undefined ? unreadable : { messages, answer: readAnswer(completion) };
}

/** An event for each message, as `gen_ai.user.message` and `gen_ai.choice`: of versions 1.28 to 1.36. */
function readMessageEvents(events: readonly Event[]): Found | undefined {
  const [log] = events;
  if (events.length === 1 && log !== undefined && /^gen_ai\.(?:\w+\.message|choice)$/.test(log.name))
    return { refused: 'its messages are in log records of their own' };
  const list = events.flatMap(({ name, attributes }) => {
    const [, role] = /^gen_ai\.(\w+)\.message$/.exec(name) ?? [];
    return role === undefined
      ? []
      : [{ role: attributes.get('role') ?? role, content: readJson(attributes.get('content')) }];
  });
  if (list.length === 0) return undefined;
  const messages = readMessages(list);
  const choice = events.find(({ name }) => name === 'gen_ai.choice')?.attributes;
  const message = readJson(choice?.get('message'));
  const answer = isMap(message) ? message['content'] : (message ?? choice?.get('content'));
  return messages === undefined ? unreadable : { messages, answer: typeof answer === 'string' ? answer : undefined };
}

function readAnswer(value: unknown): string | undefined {
  const parsed = readJson(value);
  return typeof parsed === 'string' ? parsed : answerOf(readMessages(parsed));
}

function answerOf(messages: readonly ChatMessage[] | undefined): string | undefined {
  return messages?.findLast(({ role }) => role === 'assistant')?.content;
}

/** The value of a text that is a JSON list or map; any other value as it is. */
function readJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  const parsed = parseJson(value);
  return parsed.ok ? parsed.value : value;
}

/** Attributes are a list of keys and values with their types. */
function readAttributes(list: unknown): Attributes {
  const attributes = new Map<string, unknown>();
  for (const item of Array.isArray(list) ? list : []) {
    if (isMap(item) && typeof item['key'] === 'string') attributes.set(item['key'], readValue(item['value']));
  }
  return attributes;
}

function readValue(value: unknown): unknown {
  if (!isMap(value)) return value;
  const { arrayValue, kvlistValue } = value;
  if (isMap(arrayValue)) return Array.isArray(arrayValue['values']) ? arrayValue['values'].map(readValue) : [];
  if (isMap(kvlistValue)) return Object.fromEntries(readAttributes(kvlistValue['values']));
  return value['stringValue'] ?? value['intValue'] ?? value['doubleValue'] ?? value['boolValue'];
}

/** Nanoseconds since 1970, as OTLP writes them: in a text. */
function readTime(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : textOf(value);
  if (!/^\d{13,19}$/.test(text)) return undefined;
  const date = new Date(Number(BigInt(text) / 1_000_000n));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
