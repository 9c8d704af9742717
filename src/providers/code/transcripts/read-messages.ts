/*
 * Reads lists of messages from agent frameworks. Sources, read on 2026-11-27: as in read-parts.ts. LangChain's forms
 * are model_dump(), messages_to_dict() and dumpd() in Python and JSON.stringify() in JavaScript.
 */
import { defined } from '../../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../json/json.ts';
import type { AnsweredCall, FinishReason, Usage } from '../../../model/run/completion.ts';
import { list, objectOf, readAnthropicUsage, readTotals, text } from '../../answer.ts';
import { describeText } from '../../failures/read-api-error.ts';
import {
  addUsages,
  buildResult,
  describeType,
  type FoundResult,
  joinResults,
  type Parts,
  readCall,
  readParts,
  type Transcript,
  TranscriptFault,
  textOf,
} from './read-parts.ts';

interface ReadMessage extends Parts {
  readonly role: Role;
  readonly usage: Usage | undefined;
}

type Role = 'system' | 'user' | 'assistant' | 'tool' | 'removed';

/** Roles by the names of the APIs and the types of LangChain. */
const roles: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
  human: 'user',
  ai: 'assistant',
  remove: 'removed',
};

const acceptedRoles = 'system, developer, user, assistant, tool, and of LangChain human, ai';

/**
 * Reads the steps in messages of OpenAI's chat completions, Anthropic, LangChain or the Vercel AI SDK. Each assistant
 * message is a step. A list may start with the conversation so far, so only messages after the last question count.
 */
export function readMessages(messages: readonly JsonObject[]): Transcript {
  const all = messages.map((message, at) => readMessage(message, `messages.${at}`));
  const reply = all.slice(all.findLastIndex((message, at) => isQuestion(message, all[at - 1])) + 1);
  const answers = reply.filter(({ role }) => role === 'assistant');
  if (answers.length === 0) {
    throw new TranscriptFault(
      'wrote no answer object: messages hold no message of the assistant after the last one of the user',
    );
  }
  const steps = joinResults(
    answers.map(({ text, calls, usage }) => ({ text, calls, ...defined({ usage }) })),
    reply.flatMap(({ results }) => results),
    'messages',
  );
  return { steps, ...defined({ usage: addUsages(answers.map(({ usage }) => usage)) }) };
}

/** True for a user message that answers no call. A user message directly after a result is the agent's own reminder. */
function isQuestion({ role, results }: ReadMessage, before: ReadMessage | undefined): boolean {
  const isReminder = before !== undefined && (before.role === 'tool' || before.results.length > 0);
  return role === 'user' && results.length === 0 && !isReminder;
}

function readMessage(written: JsonObject, where: string): ReadMessage {
  const { name, body } = unwrap(written);
  const role = typeof name === 'string' && Object.hasOwn(roles, name) ? roles[name] : undefined;
  if (role === undefined) {
    const found = describeText(describeType(name));
    throw new TranscriptFault(`wrote ${where} with the role ${found}; known: ${acceptedRoles}`);
  }
  const nothing = { role, text: '', calls: [], results: [], usage: undefined };
  if (role === 'system' || role === 'removed') return nothing;
  if (role === 'user') return { ...nothing, results: readParts(resultsIn(body['content']), where).results };
  if (role === 'tool') return { ...nothing, results: readToolMessage(body, where) };
  refuseUnread(body, where);
  const parts = readParts(body['content'], where);
  return { role, ...parts, calls: joinCalls(readCalls(body, where), parts.calls), usage: readUsage(body) };
}

/** Finds a message's role and members, in any form that LangChain writes. */
function unwrap(message: JsonObject): { readonly name: JsonValue | undefined; readonly body: JsonObject } {
  const { role, type, data, lc, id, kwargs } = message;
  if (lc !== undefined && isJsonObject(kwargs)) {
    // For example ["langchain", "schema", "messages", "AIMessage"].
    const name = /^(\w+?)Message(?:Chunk)?$/.exec(text(list(id).at(-1)) ?? '')?.[1]?.toLowerCase();
    return { name: name === 'chat' ? kwargs['role'] : name, body: kwargs };
  }
  if (role !== undefined) return { name: role, body: message };
  const body = isJsonObject(data) ? data : message;
  const name = typeof type === 'string' ? type.replace(/^(\w+?)MessageChunk$/, '$1').toLowerCase() : type;
  return { name: name === 'chat' ? body['role'] : name, body };
}

/** Finds the results in a user message's content. */
export function resultsIn(content: JsonValue | undefined): JsonValue | undefined {
  return list(content).filter((part) => isJsonObject(part) && part['type'] === 'tool_result');
}

function readToolMessage(body: JsonObject, where: string): readonly FoundResult[] {
  const { content, tool_call_id: id, status } = body;
  if (id !== undefined) return [{ id, result: buildResult(textOf(content), status === 'error') }];
  const { results } = readParts(content, where);
  if (results.length > 0) return results;
  // A `function` message, OpenAI's old form, has no id.
  if (body['role'] === 'function') return [];
  throw new TranscriptFault(`wrote ${where}, a tool's message without the id of its call`);
}

/** Refuses a message whose calls are in unknown members, since no check would see them. */
function refuseUnread(body: JsonObject, where: string): void {
  const unread = ['toolCalls', 'toolInvocations', 'parts', 'tool_uses'].find((key) => list(body[key]).length > 0);
  if (unread !== undefined) throw new TranscriptFault(`wrote ${where} with "${unread}", which llmcheck can't read`);
  const { content, tool_calls: calls, function_call: called } = body;
  if ([content, calls, called].every((member) => member === undefined)) {
    throw new TranscriptFault(`wrote ${where}, a message of the assistant without content`);
  }
}

/** Reads `tool_calls` of OpenAI and LangChain, and their older forms. */
function readCalls(body: JsonObject, where: string): readonly AnsweredCall[] {
  const { tool_calls: current = null, invalid_tool_calls: invalid = null, function_call: called = null } = body;
  const kept = isJsonObject(body['additional_kwargs']) ? body['additional_kwargs']['tool_calls'] : undefined;
  const written = [current, invalid].flatMap((value) => {
    if (value !== null && !Array.isArray(value)) {
      throw new TranscriptFault(`wrote ${where} with tool_calls that are ${describeType(value)}`);
    }
    return list(value);
  });
  const all = written.length === 0 ? list(kept) : written;
  const made: readonly JsonValue[] = called === null || all.length > 0 ? all : [{ function: called }];
  return made.map((call, at) => {
    const place = `${where}.tool_calls.${at}`;
    if (!isJsonObject(call)) throw new TranscriptFault(`wrote ${place} that is ${describeType(call)}`);
    const { id, function: fn, custom } = call;
    if (isJsonObject(fn)) return readCall(id, fn['name'], fn['arguments'], place);
    if (isJsonObject(custom)) return readCall(id, custom['name'], custom['input'], place);
    return readCall(id, call['name'], call['args'], place);
  });
}

/** Joins listed calls and calls in content without duplicates: for some providers, LangChain writes both. */
function joinCalls(listed: readonly AnsweredCall[], inContent: readonly AnsweredCall[]): readonly AnsweredCall[] {
  const ids = new Set(listed.flatMap(({ id }) => id ?? []));
  return [...listed, ...inContent.filter(({ id }) => id === undefined || !ids.has(id))];
}

/** Reads a message's tokens: `usage` of Anthropic, `usage_metadata` of LangChain. */
function readUsage(body: JsonObject): Usage | undefined {
  const { usage_metadata: ofLangChain, usage } = body;
  if (isJsonObject(ofLangChain)) {
    const input = objectOf(ofLangChain['input_token_details']);
    return readTotals({
      inputTokens: ofLangChain['input_tokens'],
      outputTokens: ofLangChain['output_tokens'],
      cachedInputTokens: input['cache_read'],
      cacheWriteTokens: input['cache_creation'],
      reasoningTokens: objectOf(ofLangChain['output_token_details'])['reasoning'],
    });
  }
  return isJsonObject(usage) ? readAnthropicUsage(usage) : undefined;
}

/*
 * Reads `result.steps` of generateText, Vercel AI SDK. Source: vercel/ai, packages/ai/src/generate-text/step-result.ts
 * of versions 4 to 6, read on 2026-11-27. From version 5 on, `text`, `toolCalls` and `toolResults` are getters, which
 * JSON omits: a step written as JSON has them only in `content`.
 */

/** True for steps of the SDK. Their members are not allowed in the documented form. */
export function areAiSdkSteps(steps: readonly JsonValue[]): boolean {
  return steps.some(
    (step) =>
      isJsonObject(step) &&
      (Array.isArray(step['content']) ||
        Array.isArray(step['toolResults']) ||
        list(step['toolCalls']).some((call) => isJsonObject(call) && 'toolName' in call)),
  );
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'toolCalls',
  'content-filter': 'contentFilter',
};

export function readAiSdkSteps(written: readonly JsonValue[]): Transcript {
  const read = written.map((step, at) => readStep(objectOf(step), `steps.${at}`));
  const steps = joinResults(
    read.map(({ text, calls, usage }) => ({ text, calls, ...defined({ usage }) })),
    read.flatMap(({ results }) => results),
    'steps',
  );
  const last = objectOf(written.at(-1));
  const usage = addUsages(read.map((step) => step.usage));
  const reason = last['finishReason'];
  if (reason === 'error') throw new TranscriptFault('reported that its last step ended with an error', 'server', usage);
  const model = objectOf(last['response'])['modelId'];
  return {
    steps,
    ...defined({
      usage,
      model: typeof model === 'string' ? model : undefined,
      finishReason:
        typeof reason === 'string'
          ? Object.hasOwn(finishReasons, reason)
            ? finishReasons[reason]
            : 'other'
          : undefined,
    }),
  };
}

function readStep(step: JsonObject, where: string): Parts & { readonly usage: Usage | undefined } {
  const { content, text, toolCalls, toolResults } = step;
  const usage = readSdkUsage(objectOf(step['usage']));
  if (Array.isArray(content)) return { ...readParts(content, where), usage };
  if (typeof text !== 'string' && !Array.isArray(toolCalls)) {
    throw new TranscriptFault(`wrote ${where} with neither content nor text nor toolCalls`);
  }
  const parts = [
    ...typed(list(toolCalls), 'tool-call'),
    ...typed(list(toolResults), 'tool-result'),
    { type: 'text', text: typeof text === 'string' ? text : '' },
  ];
  return { ...readParts(parts, where), usage };
}

/** Adds the type to parts that lack one, as in version 3. */
function typed(parts: readonly JsonValue[], type: string): readonly JsonValue[] {
  return parts.map((part) => (isJsonObject(part) ? { type, ...part } : part));
}

/** Reads the usage: `promptTokens` up to version 4, details from version 6 on. */
function readSdkUsage(usage: JsonObject): Usage | undefined {
  const [input, output] = [objectOf(usage['inputTokenDetails']), objectOf(usage['outputTokenDetails'])];
  return readTotals({
    inputTokens: usage['inputTokens'] ?? usage['promptTokens'],
    outputTokens: usage['outputTokens'] ?? usage['completionTokens'],
    cachedInputTokens: input['cacheReadTokens'] ?? usage['cachedInputTokens'],
    cacheWriteTokens: input['cacheWriteTokens'],
    reasoningTokens: output['reasoningTokens'] ?? usage['reasoningTokens'],
  });
}
