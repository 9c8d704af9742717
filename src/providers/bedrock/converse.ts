import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { FinishReason, ToolCall, Usage } from '../../model/completion.ts';
import {
  type Answer,
  buildToolCall,
  count,
  filtered,
  findUnreadable,
  joinReasoning,
  list,
  malformed,
  mapFinishReason,
  readBody,
  text,
} from '../answer.ts';
import { argumentsOf, groupTurns, joinSystem } from '../group-turns.ts';
import type { HttpFormat } from '../http-adapter.ts';
import {
  type NeutralParams,
  noParameters,
  readNeutralParams,
  rename,
  type ToolChoice,
  toList,
} from '../neutral-params.ts';
import type { OutgoingFile, OutgoingMessage, OutgoingRequest } from '../outgoing-request.ts';

/** Converse of Bedrock's runtime (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
export const bedrockConverse: HttpFormat = {
  takes: /^image\/|pdf$/,
  pathOf: (model) => `/model/${encodeURIComponent(model)}/converse`,
  buildBody,
  readAnswer: (body, reply) => readBody(body, (object) => readAnswer(object, reply), readUsage),
};

const configNames = {
  max_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
  top_p: 'topP',
  stop: 'stopSequences',
} as const;

const configMembers = new Set(['maxTokens', 'temperature', 'topP', 'stopSequences']);

function buildBody({ messages, params }: OutgoingRequest): JsonObject {
  const neutral = readNeutralParams(params);
  const { inferenceConfig, toolConfig, outputConfig, system, ...rest } = rename(neutral.rest, configNames);
  const members = Object.entries(rest);
  const { stopSequences, ...config } = Object.fromEntries(members.filter(([key]) => configMembers.has(key)));
  const wholeConfig = {
    ...config,
    ...defined({ stopSequences: toList(stopSequences) }),
    ...(isJsonObject(inferenceConfig) ? inferenceConfig : {}),
  };
  const ownSystem = joinSystem(messages);
  return {
    ...Object.fromEntries(members.filter(([key]) => !configMembers.has(key))),
    ...(Object.keys(wholeConfig).length === 0 ? {} : { inferenceConfig: wholeConfig }),
    ...buildTools(neutral, toolConfig),
    ...buildOutputConfig(neutral, outputConfig),
    ...defined({ system: ownSystem === undefined ? system : [{ text: ownSystem }] }),
    messages: groupTurns(messages).map(({ isAssistant, parts }) => ({
      role: isAssistant ? 'assistant' : 'user',
      content: parts.flatMap(buildBlocks),
    })),
  };
}

function buildBlocks({ role, content, toolCalls = [], toolCallId = '', files = [] }: OutgoingMessage): JsonObject[] {
  if (role === 'tool') return [{ toolResult: { toolUseId: toolCallId, content: [{ text: content }] } }];
  return [
    ...files.map(buildFile),
    ...(content === '' && (toolCalls.length > 0 || files.length > 0) ? [] : [{ text: content }]),
    ...toolCalls.map((call) => ({
      toolUse: { toolUseId: call.id ?? call.name, name: call.name, input: argumentsOf(call) },
    })),
  ];
}

function buildFile({ path, mediaType, base64 }: OutgoingFile, index: number): JsonObject {
  const format = mediaType.slice(mediaType.indexOf('/') + 1);
  const source = { bytes: base64 };
  if (mediaType.startsWith('image/')) return { image: { format, source } };
  // A document's name may hold letters, digits, single blanks, hyphens and brackets, and must be its own in a request.
  const name = `${index + 1} ${path.replaceAll(/[^\p{L}\p{N}]+/gu, ' ')}`.trim();
  return { document: { format, name, source } };
}

function buildTools({ tools, nativeTools, toolChoice }: NeutralParams, own: JsonValue | undefined): JsonObject {
  const built = tools.map(({ name, description, parameters, strict }) => ({
    toolSpec: {
      name,
      // An empty description is refused.
      ...defined({ description: text(description) }),
      inputSchema: { json: parameters ?? noParameters },
      ...defined({ strict }),
    },
  }));
  const all: JsonValue[] = [...built, ...nativeTools];
  const isNone = toolChoice === 'none';
  const config = {
    ...(all.length === 0 || isNone ? {} : { tools: all }),
    ...(toolChoice === undefined || isNone ? {} : { toolChoice: buildToolChoice(toolChoice) }),
    ...(isJsonObject(own) ? own : {}),
  };
  return Object.keys(config).length === 0 ? {} : { toolConfig: config };
}

/** The API has no "none", for which no tool is sent. */
function buildToolChoice(choice: Exclude<ToolChoice, 'none'>): JsonObject {
  if (typeof choice === 'object') return { tool: { name: choice.name } };
  return choice === 'required' ? { any: {} } : { auto: {} };
}

function buildOutputConfig({ format }: NeutralParams, own: JsonValue | undefined): JsonObject {
  if (format === undefined || format === 'json') return own === undefined ? {} : { outputConfig: own };
  const jsonSchema = { name: format.name, schema: JSON.stringify(format.schema) };
  return {
    outputConfig: {
      ...(isJsonObject(own) ? own : {}),
      textFormat: { type: 'json_schema', structure: { jsonSchema } },
    },
  };
}

function readAnswer(body: JsonObject, reply: Parameters<HttpFormat['readAnswer']>[1]): Answer {
  const { output } = body;
  const message = isJsonObject(output) ? output['message'] : undefined;
  const rawFinishReason = text(body['stopReason']);
  if (rawFinishReason === 'guardrail_intervened' || rawFinishReason === 'content_filtered') {
    return filtered(rawFinishReason);
  }
  if (!isJsonObject(message)) return malformed('no "output.message"');
  const unreadable = findUnreadable(message['content'], 'its "content"');
  if (unreadable !== undefined) return malformed(unreadable);
  const blocks = list(message['content']).filter(isJsonObject);
  const toolCalls = blocks.flatMap(({ toolUse }) => (isJsonObject(toolUse) ? readToolCall(toolUse) : []));
  return {
    completion: defined({
      text: blocks.map((block) => text(block['text']) ?? readCited(block['citationsContent'])).join(''),
      toolCalls,
      finishReason: mapFinishReason(finishReasons, rawFinishReason, toolCalls),
      latencyMs: reply.latencyMs,
      reasoning: joinReasoning(blocks.map(({ reasoningContent }) => readReasoning(reasoningContent))),
      rawFinishReason,
      usage: readUsage(body),
      responseId: text(String(reply.headers['x-amzn-requestid'] ?? '')),
    }),
  };
}

/** A call that the provider answers itself is no call of the caller's. */
function readToolCall({ toolUseId, name, input, type }: JsonObject): readonly ToolCall[] {
  return type === 'server_tool_use' ? [] : [buildToolCall(toolUseId, text(name) ?? '', input)];
}

function readCited(cited: JsonValue | undefined): string {
  const parts = isJsonObject(cited) ? list(cited['content']).filter(isJsonObject) : [];
  return parts.map((piece) => text(piece['text']) ?? '').join('');
}

function readReasoning(content: JsonValue | undefined): string | undefined {
  const reasoning = isJsonObject(content) ? content['reasoningText'] : undefined;
  return isJsonObject(reasoning) ? text(reasoning['text']) : undefined;
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'toolCalls',
};

/** `inputTokens` leaves out what was read from the cache or written to it; both are input. */
function readUsage({ usage: raw }: JsonObject): Usage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const freshTokens = count(raw['inputTokens']);
  const outputTokens = count(raw['outputTokens']);
  if (freshTokens === undefined || outputTokens === undefined) return undefined;
  const cachedInputTokens = count(raw['cacheReadInputTokens']);
  const cacheWriteTokens = count(raw['cacheWriteInputTokens']);
  return {
    inputTokens: freshTokens + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens,
    ...defined({ cachedInputTokens, cacheWriteTokens }),
  };
}
