import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { FinishReason, Usage } from '../model/run/completion.ts';
import {
  type Answer,
  buildToolCall,
  count,
  findUnreadable,
  joinReasoning,
  list,
  malformed,
  mapFinishReason,
  objectOf,
  readAnthropicUsage,
  readBody,
  text,
} from './answer.ts';
import { defineHttpAdapter, type HttpFormat, type ReadReply } from './http-adapter.ts';
import { type NeutralParams, noParameters, readNeutralParams, rename, type ToolChoice } from './neutral-params.ts';
import {
  argumentsOf,
  groupTurns,
  isOfToolLoop,
  joinSystem,
  type OutgoingFile,
  type OutgoingMessage,
  type OutgoingRequest,
  readKeptParts,
  writeContinuation,
} from './outgoing-request.ts';
import type { Preset } from './presets.ts';
import { anthropicStream } from './streams/fold-blocks.ts';

export const anthropicPreset: Preset = {
  title: 'Anthropic, by its Messages API',
  exampleModel: 'claude-sonnet-4-5',
  baseUrl: 'https://api.anthropic.com/v1',
  baseUrlEnv: { name: 'ANTHROPIC_BASE_URL', path: '/v1' },
  apiKeyEnv: 'ANTHROPIC_API_KEY',
  keyHeader: 'x-api-key',
  headers: { 'anthropic-version': '2023-06-01' },
  priceProvider: 'anthropic',
};

export const anthropic = defineHttpAdapter({
  summary: anthropicPreset.title,
  example: `anthropic:${anthropicPreset.exampleModel}`,
  version: 'messages-1',
  writes: ['model', 'messages'],
  systemMember: 'system',
  presetOf: () => anthropicPreset,
  formatOf: () => anthropicMessages,
});

/** The Messages API (https://docs.claude.com/en/api/messages), version 2023-06-01. */
export const anthropicMessages: HttpFormat = {
  takes: /^image\/|pdf$/,
  hasSystemOfText: true,
  pathOf: () => '/messages',
  stream: anthropicStream,
  buildBody,
  readAnswer: (body, reply) => readBody(body, (object) => readAnswer(object, reply), readUsage),
};

/** The API requires `max_tokens`. All its models can write this many. */
const defaultMaxTokens = 4096;

function buildBody({ model, messages, params }: OutgoingRequest): JsonObject {
  const neutral = readNeutralParams(params);
  const { system, stop, ...rest } = rename(neutral.rest, { max_completion_tokens: 'max_tokens' });
  const ownSystem = joinSystem(messages);
  return {
    max_tokens: defaultMaxTokens,
    ...defined({ stop_sequences: typeof stop === 'string' ? [stop] : stop }),
    ...rest,
    ...buildOutputConfig(neutral, rest['output_config']),
    ...buildTools(neutral),
    ...defined({ system: ownSystem ?? system }),
    model,
    messages: groupTurns(messages).map(({ isAssistant, parts }) => ({
      role: isAssistant ? 'assistant' : 'user',
      content: buildContent(parts),
    })),
  };
}

/** A single text stays a string. */
function buildContent(parts: readonly OutgoingMessage[]): JsonValue {
  const [only, second] = parts;
  const isPlain = only !== undefined && second === undefined && only.role !== 'tool' && only.continuation === undefined;
  if (isPlain && (only.toolCalls ?? []).length === 0 && (only.files ?? []).length === 0) return only.content;
  return parts.flatMap(buildBlocks);
}

function buildBlocks(message: OutgoingMessage): readonly JsonObject[] {
  const { role, content, toolCalls = [], toolCallId = '', isError, files = [] } = message;
  if (role === 'tool') {
    return [{ type: 'tool_result', tool_use_id: toolCallId, content, ...defined({ is_error: isError }) }];
  }
  const kept = readKeptParts(message, (block, id) => (isToolUse(block) ? { ...block, ...defined({ id }) } : undefined));
  if (kept !== undefined) return kept;
  return [
    ...files.map(buildFile),
    ...(content === '' ? [] : [{ type: 'text', text: content }]),
    ...toolCalls.map((call) => ({
      type: 'tool_use',
      id: call.id ?? call.name,
      name: call.name,
      input: argumentsOf(call),
    })),
  ];
}

function buildFile({ mediaType, base64 }: OutgoingFile): JsonObject {
  return {
    type: mediaType.startsWith('image/') ? 'image' : 'document',
    source: { type: 'base64', media_type: mediaType, data: base64 },
  };
}

function buildOutputConfig({ format }: NeutralParams, own: JsonValue | undefined): JsonObject {
  if (format === undefined || format === 'json') return {};
  return {
    output_config: { ...objectOf(own), format: { type: 'json_schema', schema: format.schema } },
  };
}

function buildTools({ tools, nativeTools, toolChoice }: NeutralParams): JsonObject {
  const built = tools.map(({ name, description, parameters, strict }) => ({
    name,
    ...defined({ description }),
    input_schema: parameters ?? noParameters,
    ...defined({ strict }),
  }));
  const all: JsonValue[] = [...built, ...nativeTools];
  return defined({ tools: all.length === 0 ? undefined : all, tool_choice: toolChoice && buildToolChoice(toolChoice) });
}

function buildToolChoice(choice: ToolChoice): JsonObject {
  if (typeof choice === 'object') return { type: 'tool', name: choice.name };
  return { type: choice === 'required' ? 'any' : choice };
}

function readAnswer(body: JsonObject, { latencyMs, asked }: ReadReply): Answer {
  const { content } = body;
  const unreadable = findUnreadable(content, '"content"');
  if (unreadable !== undefined) return malformed(unreadable);
  const blocks = list(content).filter(isJsonObject);
  const rawFinishReason = text(body['stop_reason']);
  const toolCalls = blocks.filter(isToolUse).map(({ id, name, input }) => buildToolCall(id, name, input));
  return {
    completion: defined({
      // Text before and after a call of the provider's own tools is one answer.
      text: blocks.map((block) => (block['type'] === 'text' ? (text(block['text']) ?? '') : '')).join(''),
      toolCalls,
      finishReason: mapFinishReason(finishReasons, rawFinishReason, toolCalls),
      latencyMs,
      reasoning: joinReasoning(
        blocks.filter(({ type }) => type === 'thinking').map((block) => text(block['thinking'])),
      ),
      refusal: readRefusal(rawFinishReason, body['stop_details']),
      rawFinishReason,
      usage: readUsage(body),
      responseId: text(body['id']),
      model: text(body['model']),
      continuation: isOfToolLoop(toolCalls, asked) ? keepBlocks(blocks) : undefined,
    }),
  };
}

/**
 * Thinking blocks and results of the provider's own tools must be sent back unchanged, in the order of all blocks:
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks.
 */
function keepBlocks(blocks: readonly JsonObject[]): string | undefined {
  if (blocks.every((block) => block['type'] === 'text' || isToolUse(block))) return undefined;
  // The API refuses an empty text.
  return writeContinuation(blocks.filter((block) => block['type'] !== 'text' || text(block['text']) !== undefined));
}

function isToolUse({ type }: JsonObject): boolean {
  return type === 'tool_use';
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'toolCalls',
  refusal: 'refusal',
};

/** The API's own reason. The model's words are in the text. */
function readRefusal(reason: string | undefined, details: JsonValue | undefined): string | undefined {
  if (reason !== 'refusal') return undefined;
  const { explanation, category } = objectOf(details);
  return text(explanation) ?? text(category) ?? 'the model refused';
}

function readUsage({ usage }: JsonObject): Usage | undefined {
  const raw = objectOf(usage);
  const counts = readAnthropicUsage(raw);
  const reasoningTokens = count(objectOf(raw['output_tokens_details'])['thinking_tokens']);
  return counts && { ...counts, ...defined({ reasoningTokens }) };
}
