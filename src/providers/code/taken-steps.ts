import * as z from 'zod';
import { writeJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { AgentStep, AnsweredCall, ToolResult } from '../../model/completion.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { buildToolCall, list } from '../answer.ts';

/** A step as an agent of the user's own reports it: what it said, and the calls it made with their results. */
export const takenStep = z.strictObject({
  text: z.string().default(''),
  toolCalls: z
    .array(
      z.strictObject({
        id: z.string().exactOptional(),
        name: z.string().min(1),
        arguments: z.unknown(),
        result: z.unknown(),
        isError: z.boolean().exactOptional(),
      }),
    )
    .default([]),
});

/** The messages of a conversation, as an API takes them. */
export const takenMessages = z.array(z.looseObject({ role: z.string() }));

export function buildSteps(steps: readonly z.output<typeof takenStep>[]): readonly AgentStep[] {
  return steps.map(({ text, toolCalls }) => ({
    text,
    calls: toolCalls.map(({ id, name, arguments: args, result, isError }): AnsweredCall => {
      const call = buildToolCall(id, name, args);
      return result === undefined ? call : { ...call, result: buildResult(result, isError === true) };
    }),
  }));
}

/**
 * The steps in a list of messages of OpenAI's chat completions or of Anthropic: a message of the assistant is a step. Those
 * after the last question are taken, since a list may begin with the conversation so far.
 */
export function readSteps(messages: z.output<typeof takenMessages>): readonly AgentStep[] {
  const all = messages.map((message) => plainNumbers(message) as JsonObject);
  const own = all.slice(all.findLastIndex(isQuestion) + 1);
  const results = new Map(own.flatMap(readResults));
  return own.filter(({ role }) => role === 'assistant').map((message) => readStep(message, results));
}

/** A user's message that answers no tool call. */
function isQuestion(message: JsonObject): boolean {
  return message['role'] === 'user' && readResults(message).length === 0;
}

function readStep(message: JsonObject, results: ReadonlyMap<JsonValue | undefined, ToolResult>): AgentStep {
  const { content, tool_calls: toolCalls } = message;
  const ofOpenAi = objectsIn(toolCalls).map((call) => {
    const made = isJsonObject(call['function']) ? call['function'] : {};
    return { id: call['id'], name: made['name'], args: made['arguments'] };
  });
  const ofAnthropic = objectsIn(content)
    .filter(({ type }) => type === 'tool_use')
    .map((part) => ({ id: part['id'], name: part['name'], args: part['input'] }));
  const calls = [...ofOpenAi, ...ofAnthropic].map(({ id, name, args }): AnsweredCall => {
    const result = id === undefined ? undefined : results.get(id);
    return { ...buildToolCall(id, typeof name === 'string' ? name : '', args), ...defined({ result }) };
  });
  return { text: textIn(content), calls };
}

/** The results that a message holds, by the ids of their calls. */
function readResults({ role, content, tool_call_id: id }: JsonObject): readonly (readonly [JsonValue, ToolResult])[] {
  if (role === 'tool') return id === undefined ? [] : [[id, buildResult(textIn(content), false)]];
  return objectsIn(content).flatMap((part) => {
    if (part['type'] !== 'tool_result' || part['tool_use_id'] === undefined) return [];
    return [[part['tool_use_id'], buildResult(textIn(part['content']), part['is_error'] === true)] as const];
  });
}

function buildResult(result: unknown, isError: boolean): ToolResult {
  const content = typeof result === 'string' ? result : (writeJson(plainNumbers(result)) ?? '');
  return { content, ...(isError ? { isError: true } : {}) };
}

function textIn(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  const texts = objectsIn(content).map(({ text }) => (typeof text === 'string' ? text : ''));
  return texts.join('');
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return list(value).filter(isJsonObject);
}
