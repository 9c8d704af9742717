import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { FinishReason, ProviderFailure, Usage } from '../model/run/completion.ts';
import type { ProviderEnv } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import {
  type Answer,
  buildToolCall,
  filtered,
  findUnreadable,
  joinReasoning,
  list,
  malformed,
  mapFinishReason,
  objectOf,
  readBody,
  readCacheApart,
  text,
} from './answer.ts';
import { defineHttpAdapter, type HttpFormat, type ReadReply, type Sign } from './http-adapter.ts';
import {
  type NeutralParams,
  noParameters,
  readNeutralParams,
  rename,
  type ToolChoice,
  toList,
} from './neutral-params.ts';
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
import { bedrockStream } from './streams/fold-blocks.ts';

const options = z.strictObject({
  /** Default AWS_REGION. */
  region: z.string().min(1).exactOptional(),
});

const bearer = 'AWS_BEARER_TOKEN_BEDROCK';

export const bedrock = defineHttpAdapter({
  summary: 'AWS Bedrock, by its Converse API, with a Bedrock API key or signed with AWS credentials',
  example: 'bedrock:us.amazon.nova-lite-v1:0',
  version: 'converse-1',
  writes: ['model', 'modelId', 'messages'],
  systemMember: 'system',
  options,
  presetOf: buildPreset,
  secretEnv: ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', bearer],
  formatOf: () => bedrockConverse,
  async openSigner(config, env) {
    const region = findRegion(config, env) ?? '';
    const preset = buildPreset(config, env);
    // An address from the suite gets only credentials that the suite names. A key is sent in its own header.
    if (config.apiKeyEnv !== undefined || preset.apiKeyEnv !== undefined || !isAmazonHost(config.baseUrl))
      return undefined;
    return openAwsSigner(env, region);
  },
});

function buildPreset(config: ProviderConfig, providerEnv: ProviderEnv): Preset {
  const region = findRegion(config, providerEnv);
  const hasKey = (providerEnv.env[bearer] ?? '').trim() !== '';
  return {
    title: 'AWS Bedrock',
    exampleModel: 'us.amazon.nova-lite-v1:0',
    ...defined({ baseUrl: region && `https://bedrock-runtime.${region}.amazonaws.com` }),
    baseUrlEnv: { name: 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME', path: '' },
    addressHint: 'set AWS_REGION, or add region to the provider',
    ...defined({ apiKeyEnv: hasKey ? bearer : undefined }),
    priceProvider: 'aws',
  };
}

function findRegion(config: ProviderConfig, { env }: ProviderEnv): string | undefined {
  const own = options.parse(config.options).region;
  return [own, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find((region) => (region ?? '').trim() !== '')?.trim();
}

function isAmazonHost(baseUrl: string | undefined): boolean {
  return baseUrl === undefined || /\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(new URL(baseUrl).hostname);
}

/** Signs with AWS Signature Version 4. Keys come from the standard AWS variables. */
async function openAwsSigner({ env }: ProviderEnv, region: string): Promise<Sign | ProviderFailure> {
  const accessKeyId = env['AWS_ACCESS_KEY_ID']?.trim() ?? '';
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']?.trim() ?? '';
  const sessionToken = env['AWS_SESSION_TOKEN']?.trim() ?? '';
  const missing = [
    ...(accessKeyId === '' ? ['AWS_ACCESS_KEY_ID'] : []),
    ...(secretAccessKey === '' ? ['AWS_SECRET_ACCESS_KEY'] : []),
    ...(region === '' ? ['AWS_REGION'] : []),
  ];
  if (missing.length > 0) {
    const what = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set`;
    return {
      kind: 'auth',
      message: `${what}: set AWS_BEARER_TOKEN_BEDROCK, or AWS credentials (aws configure export-credentials --format env prints them)`,
    };
  }
  const { AwsV4Signer } = await import('aws4fetch');
  return async (url, body) => {
    const signer = new AwsV4Signer({
      method: 'POST',
      url,
      body,
      headers: { 'content-type': 'application/json' },
      accessKeyId,
      secretAccessKey,
      region,
      service: 'bedrock',
      ...defined({ sessionToken: sessionToken === '' ? undefined : sessionToken }),
    });
    const { headers } = await signer.sign();
    return Object.fromEntries([...headers].filter(([name]) => name !== 'host'));
  };
}

/** Converse of Bedrock's runtime (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
const bedrockConverse: HttpFormat = {
  takes: /^image\/|pdf$/,
  hasSystemOfText: true,
  pathOf: (model) => `/model/${encodeURIComponent(model)}/converse`,
  stream: bedrockStream,
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

function buildBody({ model, messages, params }: OutgoingRequest): JsonObject {
  const neutral = readNeutralParams(params);
  const { inferenceConfig, toolConfig, outputConfig, system, ...rest } = rename(neutral.rest, configNames);
  const members = Object.entries(rest);
  const { stopSequences, ...config } = Object.fromEntries(members.filter(([key]) => configMembers.has(key)));
  const wholeConfig = {
    ...config,
    ...defined({ stopSequences: toList(stopSequences) }),
    ...objectOf(inferenceConfig),
  };
  const ownSystem = joinSystem(messages);
  return {
    ...Object.fromEntries(members.filter(([key]) => !configMembers.has(key))),
    ...defined({ inferenceConfig: Object.keys(wholeConfig).length === 0 ? undefined : wholeConfig }),
    ...buildTools(neutral, toolConfig),
    ...buildOutputConfig(neutral, outputConfig),
    ...defined({ system: ownSystem === undefined ? system : [{ text: ownSystem }] }),
    messages: groupTurns(messages).map(({ isAssistant, parts }) => ({
      role: isAssistant ? 'assistant' : 'user',
      content: parts.flatMap((message) => buildBlocks(message, model)),
    })),
  };
}

function buildBlocks(message: OutgoingMessage, model: string): readonly JsonObject[] {
  const { role, content, toolCalls = [], toolCallId = '', isError = false, files = [] } = message;
  if (role === 'tool') {
    const status = isError && takesStatus.test(model) ? { status: 'error' } : {};
    return [{ toolResult: { toolUseId: toolCallId, content: [{ text: content }], ...status } }];
  }
  const kept = readKeptParts(message, ({ toolUse }, toolUseId) =>
    isCall(toolUse) ? { toolUse: { ...toolUse, ...defined({ toolUseId }) } } : undefined,
  );
  if (kept !== undefined) return kept;
  return [
    ...files.map(buildFile),
    ...(content === '' && (toolCalls.length > 0 || files.length > 0) ? [] : [{ text: content }]),
    ...toolCalls.map((call) => ({
      toolUse: { toolUseId: call.id ?? call.name, name: call.name, input: argumentsOf(call) },
    })),
  ];
}

/**
 * Other models refuse `status`
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultBlock.html).
 */
const takesStatus = /anthropic|claude|nova/;

function buildFile({ path, mediaType, base64 }: OutgoingFile, index: number): JsonObject {
  const format = mediaType.slice(mediaType.indexOf('/') + 1);
  const source = { bytes: base64 };
  if (mediaType.startsWith('image/')) return { image: { format, source } };
  // A document's name may contain letters, digits, single blanks, hyphens and brackets. It must be unique in a request.
  const name = `${index + 1} ${path.replaceAll(/[^\p{L}\p{N}]+/gu, ' ')}`.trim();
  return { document: { format, name, source } };
}

function buildTools({ tools, nativeTools, toolChoice }: NeutralParams, own: JsonValue | undefined): JsonObject {
  const built = tools.map(({ name, description, parameters, strict }) => ({
    toolSpec: {
      name,
      // The API refuses an empty description.
      ...defined({ description: text(description) }),
      inputSchema: { json: parameters ?? noParameters },
      ...defined({ strict }),
    },
  }));
  const all: JsonValue[] = [...built, ...nativeTools];
  const isNone = toolChoice === 'none';
  const config = {
    ...defined({
      tools: all.length === 0 || isNone ? undefined : all,
      toolChoice: toolChoice === undefined || isNone ? undefined : buildToolChoice(toolChoice),
    }),
    ...objectOf(own),
  };
  return Object.keys(config).length === 0 ? {} : { toolConfig: config };
}

/** Maps the tool choice. The API has no "none"; then no tools are sent. */
function buildToolChoice(choice: Exclude<ToolChoice, 'none'>): JsonObject {
  if (typeof choice === 'object') return { tool: { name: choice.name } };
  return choice === 'required' ? { any: {} } : { auto: {} };
}

function buildOutputConfig({ format }: NeutralParams, own: JsonValue | undefined): JsonObject {
  if (format === undefined || format === 'json') return own === undefined ? {} : { outputConfig: own };
  const jsonSchema = { name: format.name, schema: JSON.stringify(format.schema) };
  return {
    outputConfig: {
      ...objectOf(own),
      textFormat: { type: 'json_schema', structure: { jsonSchema } },
    },
  };
}

function readAnswer(body: JsonObject, reply: ReadReply): Answer {
  const { message } = objectOf(body['output']);
  const rawFinishReason = text(body['stopReason']);
  if (rawFinishReason === 'guardrail_intervened' || rawFinishReason === 'content_filtered') {
    return filtered(rawFinishReason);
  }
  if (!isJsonObject(message)) return malformed('no "output.message"');
  const unreadable = findUnreadable(message['content'], 'its "content"');
  if (unreadable !== undefined) return malformed(unreadable);
  const blocks = list(message['content']).filter(isJsonObject);
  const calls = blocks.map(({ toolUse }) => toolUse).filter(isCall);
  const toolCalls = calls.map(({ toolUseId, name, input }) => buildToolCall(toolUseId, name, input));
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
      continuation: isOfToolLoop(toolCalls, reply.asked) ? keepBlocks(blocks) : undefined,
    }),
  };
}

/**
 * Signed and encrypted reasoning must be sent back unchanged, in its place among the blocks
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningTextBlock.html). Models without
 * signatures refuse reasoning.
 */
function keepBlocks(blocks: readonly JsonObject[]): string | undefined {
  const kept = blocks.filter(
    ({ reasoningContent, text: blockText }) =>
      blockText !== '' && (reasoningContent === undefined || isSigned(reasoningContent)),
  );
  return kept.some(({ reasoningContent }) => reasoningContent !== undefined) ? writeContinuation(kept) : undefined;
}

function isSigned(content: JsonValue): boolean {
  const { reasoningText, redactedContent } = objectOf(content);
  return redactedContent !== undefined || text(objectOf(reasoningText)['signature']) !== undefined;
}

/** False for calls that the provider answers itself. */
function isCall(toolUse: JsonValue | undefined): toolUse is JsonObject {
  return isJsonObject(toolUse) && toolUse['type'] !== 'server_tool_use';
}

function readCited(cited: JsonValue | undefined): string {
  const parts = list(objectOf(cited)['content']);
  return parts.map((piece) => text(objectOf(piece)['text']) ?? '').join('');
}

function readReasoning(content: JsonValue | undefined): string | undefined {
  return text(objectOf(objectOf(content)['reasoningText'])['text']);
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'toolCalls',
};

function readUsage({ usage }: JsonObject): Usage | undefined {
  const { inputTokens, outputTokens, cacheReadInputTokens, cacheWriteInputTokens } = objectOf(usage);
  return readCacheApart({
    fresh: inputTokens,
    output: outputTokens,
    cached: cacheReadInputTokens,
    written: cacheWriteInputTokens,
  });
}
