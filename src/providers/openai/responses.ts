import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { Completion, FinishReason, ToolCall } from '../../model/run/completion.ts';
import {
  type Answer,
  buildToolCall,
  filtered,
  findUnreadable,
  list,
  malformed,
  objectOf,
  readBody,
  text,
} from '../answer.ts';
import type { ReadReply } from '../http-adapter.ts';
import { type NeutralParams, readNeutralParams, rename } from '../neutral-params.ts';
import type { OutgoingFile, OutgoingMessage } from '../outgoing-request.ts';
import { type AskedRequest, isOfToolLoop, readKeptParts, writeContinuation } from '../outgoing-request.ts';
import { responsesStream } from '../streams/fold-openai.ts';
import { type Dialect, mapFinishReason, readOpenaiUsage } from './dialect.ts';

/** The Responses API, chosen with `api: responses`. */
export const openaiResponses: Dialect = {
  takes: /./,
  pathOf: () => '/responses',
  version: 'responses-1',
  stream: responsesStream,
  buildBody: ({ params, model, messages }) => ({ ...buildParams(params), model, input: buildInput(messages) }),
  readAnswer: (body, reply) => readBody(body, (object) => readAnswer(object, reply), readOpenaiUsage),
};

/** Builds the parameters. Suites use the names of Chat Completions; this API renames some. */
function buildParams(params: JsonObject): JsonObject {
  const { tools, nativeTools, toolChoice, format, rest } = readNeutralParams(params);
  const built: JsonValue[] = [...tools.map((tool) => ({ type: 'function', ...tool })), ...nativeTools];
  const { text: own, ...others } = rename(rest, {
    max_tokens: 'max_output_tokens',
    max_completion_tokens: 'max_output_tokens',
  });
  const wholeText = { ...objectOf(own), ...buildFormat(format) };
  return {
    ...others,
    ...defined({
      tools: built.length === 0 ? undefined : built,
      tool_choice: typeof toolChoice === 'object' ? { type: 'function', ...toolChoice } : toolChoice,
      text: Object.keys(wholeText).length === 0 ? undefined : wholeText,
    }),
    ...(built.length === 0 ? {} : askForReasoning(params)),
  };
}

const encryptedReasoning = 'reasoning.encrypted_content';

/**
 * Asks for encrypted reasoning if the server does not store it
 * (https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items). Models without reasoning refuse this,
 * so it is asked only if `reasoning` is among the parameters.
 */
function askForReasoning({ store, reasoning, include = [] }: JsonObject): JsonObject {
  const isAsked = list(include).includes(encryptedReasoning);
  if (store !== false || !isJsonObject(reasoning) || !Array.isArray(include) || isAsked) return {};
  return { include: [...list(include), encryptedReasoning] };
}

function buildFormat(format: NeutralParams['format']): JsonObject {
  if (format === undefined) return {};
  return { format: format === 'json' ? { type: 'json_object' } : { type: 'json_schema', ...format } };
}

function buildInput(messages: readonly OutgoingMessage[]): readonly JsonObject[] {
  const items = messages.flatMap(buildItems);
  const ownForm = new Set(items.filter(({ type }) => type === 'custom_tool_call').map((item) => item['call_id']));
  return items.map((item) =>
    item['type'] === 'function_call_output' && ownForm.has(item['call_id'])
      ? { ...item, type: 'custom_tool_call_output' }
      : item,
  );
}

function buildItems(message: OutgoingMessage): readonly JsonObject[] {
  const { role, content, files = [], toolCalls = [], toolCallId } = message;
  const kept = readKeptParts(message, (item, id) =>
    isCall(item) ? { ...item, ...defined({ call_id: id }) } : undefined,
  );
  if (kept !== undefined) return kept;
  if (role === 'tool') return [{ type: 'function_call_output', call_id: toolCallId ?? '', output: content }];
  const calls = toolCalls.map(({ id, name, rawArguments }) => ({
    type: 'function_call',
    call_id: id ?? '',
    name,
    arguments: rawArguments,
  }));
  return content === '' && calls.length > 0
    ? calls
    : [{ role, content: files.length === 0 ? content : buildParts(content, files) }, ...calls];
}

function buildParts(content: string, files: readonly OutgoingFile[]): JsonObject[] {
  return [...files.map(buildFile), ...(content === '' ? [] : [{ type: 'input_text', text: content }])];
}

function buildFile({ path, mediaType, base64 }: OutgoingFile): JsonObject {
  const url = `data:${mediaType};base64,${base64}`;
  if (mediaType.startsWith('image/')) return { type: 'input_image', image_url: url };
  return { type: 'input_file', filename: path.slice(path.lastIndexOf('/') + 1), file_data: url };
}

function readAnswer(body: JsonObject, { latencyMs, asked }: ReadReply): Answer {
  const output = body['output'];
  if (!Array.isArray(output)) return malformed('no "output"');
  // A compacted conversation also has an output.
  const { object = 'response' } = body;
  if (object !== 'response') return malformed(`it is a ${JSON.stringify(object)}`);
  const given = text(body['status']) ?? 'completed';
  // Some compatible servers write `complete`.
  const status = given === 'complete' ? 'completed' : given;
  const reason = text(objectOf(body['incomplete_details'])['reason']);
  if (reason === 'content_filter') return filtered();
  if (status !== 'completed' && status !== 'incomplete') return malformed(`its status is "${status}"`);

  const unreadable = findUnreadableItem(output);
  if (unreadable !== undefined) return malformed(unreadable);
  const found = readOutput(output);
  if (status === 'completed' && output.length === 0) return malformed('"output" is empty');
  const completion: Completion = defined({
    text: found.text,
    toolCalls: found.toolCalls,
    finishReason: finishReasonOf(status, reason, found),
    rawFinishReason: reason ?? status,
    latencyMs,
    reasoning: text(found.reasoning),
    refusal: text(found.refusal),
    usage: readOpenaiUsage(body),
    responseId: text(body['id']),
    model: text(body['model']),
    continuation: isOfToolLoop(found.toolCalls, asked)
      ? keepItems(output.filter(isJsonObject), isStored(body, asked))
      : undefined,
  });
  return { completion };
}

/** False if the server does not store the answer, by request or by the account's rules. */
function isStored({ store }: JsonObject, asked: AskedRequest | undefined): boolean {
  return (store ?? asked?.params['store']) !== false;
}

/**
 * Keeps the items to send back, unchanged and in order. The API refuses a call without the reasoning before it, and
 * reasoning without the item after it
 * (https://platform.openai.com/docs/guides/reasoning#keeping-reasoning-items-in-context).
 * Drops reasoning if the server did not store it and it is not encrypted, or if it is the last item. Ids are then
 * dropped too: the API would refuse them.
 */
function keepItems(output: readonly JsonObject[], isStored: boolean): string | undefined {
  const isUnknown =
    !isStored && output.some((item) => isReasoning(item) && text(item['encrypted_content']) === undefined);
  const items =
    isUnknown || isReasoning(output.at(-1) ?? {})
      ? output.filter((item) => !isReasoning(item)).map((item) => defined({ ...item, id: undefined }))
      : output;
  return items.some(mustComeBack) ? writeContinuation(items) : undefined;
}

function mustComeBack(item: JsonObject): boolean {
  const { type, phase } = item;
  return isReasoning(item) || type === 'custom_tool_call' || type === 'compaction' || typeof phase === 'string';
}

function isReasoning({ type }: JsonObject): boolean {
  return type === 'reasoning';
}

function isCall({ type }: JsonObject): boolean {
  return type === 'function_call' || type === 'custom_tool_call';
}

interface Output {
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
}

function findUnreadableItem(output: readonly JsonValue[]): string | undefined {
  for (const item of output) {
    if (!isJsonObject(item)) return findUnreadable(output, '"output"');
    const unreadable = item['type'] === 'message' ? findUnreadable(item['content'], 'the "content"') : undefined;
    if (unreadable !== undefined) return `${unreadable} of a message`;
  }
  return undefined;
}

/** Reads the items of the answer. Other types (web searches, compactions) are not part of its text. */
function readOutput(output: readonly unknown[]): Output {
  const found = { text: '', refusal: '', toolCalls: [] as ToolCall[] };
  const thoughts: string[] = [];
  for (const item of output) {
    if (!isJsonObject(item)) continue;
    const parts = list(item['content']).filter(isJsonObject);
    const { type } = item;
    if (type === 'message') {
      for (const part of parts) {
        found.text += text(part['text']) ?? '';
        found.refusal += text(part['refusal']) ?? '';
      }
    } else if (type === 'reasoning') {
      const summary = list(item['summary']).filter(isJsonObject);
      for (const part of [...summary, ...parts]) thoughts.push(text(part['text']) ?? '');
    } else if (isCall(item)) {
      const raw = type === 'function_call' ? item['arguments'] : item['input'];
      found.toolCalls.push(buildToolCall(item['call_id'], item['name'], raw));
    } else if (isLeftToCaller(item, output)) {
      const name = (text(type) ?? '').replace(/_call$/, '');
      found.toolCalls.push(buildToolCall(item['call_id'], name, item['action'] ?? item['operation']));
    }
  }
  return { ...found, reasoning: thoughts.filter((thought) => thought !== '').join('\n\n') };
}

const callerRuns: ReadonlySet<unknown> = new Set([
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
  'computer_call',
]);

/**
 * True for a call of the API's own tools that the caller must run. If the provider runs the shell, its output follows.
 */
function isLeftToCaller({ type, call_id: id }: JsonObject, output: readonly unknown[]): boolean {
  const isAnswered = output.some(
    (other) => isJsonObject(other) && other['type'] === 'shell_call_output' && other['call_id'] === id,
  );
  return callerRuns.has(type) && !isAnswered;
}

function finishReasonOf(status: string, reason: string | undefined, found: Output): FinishReason | undefined {
  if (status === 'incomplete') return mapFinishReason(reason);
  if (found.refusal !== '' && found.text === '') return 'refusal';
  return found.toolCalls.length > 0 ? 'toolCalls' : 'stop';
}
