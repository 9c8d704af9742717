import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { FinishReason, ToolCall, Usage } from '../model/run/completion.ts';
import type { ProviderEnv } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import {
  type Answer,
  buildToolCall,
  count,
  filtered,
  findIndexFault,
  findUnreadable,
  firstByIndex,
  joinReasoning,
  list,
  malformed,
  objectOf,
  readBody,
  text,
} from './answer.ts';
import { defineHttpAdapter, type HttpFormat, type ReadReply } from './http-adapter.ts';
import { type NeutralParams, readNeutralParams, rename, type ToolChoice, toList } from './neutral-params.ts';
import {
  argumentsOf,
  groupTurns,
  isOfToolLoop,
  joinSystem,
  type OutgoingMessage,
  type OutgoingRequest,
  readKeptParts,
  writeContinuation,
} from './outgoing-request.ts';
import type { Preset } from './presets.ts';
import { geminiStream } from './streams/fold-gemini.ts';

const version = 'generate-content-1';

const formatOf = () => geminiContent;

const studio: Preset = {
  title: 'Google Gemini, by its generateContent API',
  exampleModel: 'gemini-2.5-flash',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  baseUrlEnv: { name: 'GOOGLE_GEMINI_BASE_URL', path: '/v1beta' },
  apiKeyEnv: 'GEMINI_API_KEY',
  keyHeader: 'x-goog-api-key',
  priceProvider: 'google',
};

export const gemini = defineHttpAdapter({
  summary: studio.title,
  example: `gemini:${studio.exampleModel}`,
  version,
  writes: ['model', 'messages', 'contents'],
  systemMember: 'systemInstruction',
  presetOf: geminiPresetOf,
  formatOf,
});

/** Chooses the key's variable. Google's own clients read both names. */
export function geminiPresetOf(_config: ProviderConfig, { env }: ProviderEnv): Preset {
  const isOther = !isSet(env['GEMINI_API_KEY']) && isSet(env['GOOGLE_API_KEY']);
  return isOther ? { ...studio, apiKeyEnv: 'GOOGLE_API_KEY' } : studio;
}

const options = z.strictObject({
  /** Default GOOGLE_CLOUD_PROJECT. */
  project: z.string().min(1).exactOptional(),
  /** Default GOOGLE_CLOUD_LOCATION, else `global`. */
  location: z.string().min(1).exactOptional(),
});

export const vertex = defineHttpAdapter({
  summary: 'Google Gemini on Vertex AI, with an access token',
  example: 'vertex:gemini-2.5-flash',
  version,
  writes: ['model', 'messages', 'contents'],
  systemMember: 'systemInstruction',
  options,
  presetOf: buildVertexPreset,
  formatOf,
});

function buildVertexPreset(config: ProviderConfig, { env }: ProviderEnv): Preset {
  const own = options.parse(config.options);
  const project = own.project ?? env['GOOGLE_CLOUD_PROJECT']?.trim();
  const location = own.location ?? (env['GOOGLE_CLOUD_LOCATION']?.trim() || 'global');
  const host = location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
  return {
    title: 'Vertex AI',
    exampleModel: 'gemini-2.5-flash',
    // Without a project there is no address; the error names the missing variable.
    ...(isSet(project)
      ? { baseUrl: `https://${host}/v1/projects/${project}/locations/${location}/publishers/google` }
      : {}),
    baseUrlEnv: { name: 'GOOGLE_VERTEX_BASE_URL', path: '' },
    addressHint: 'set GOOGLE_CLOUD_PROJECT, or add project to the provider',
    apiKeyEnv: 'GOOGLE_ACCESS_TOKEN',
    priceProvider: 'google',
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

function pathOf(model: string): string {
  return `/${/^(models|tunedModels|publishers)\//.test(model) ? model : `models/${model}`}:generateContent`;
}

/** generateContent of the Gemini API and of Vertex AI (https://ai.google.dev/api/generate-content). */
export const geminiContent: HttpFormat = {
  takes: /./,
  hasSystemOfText: true,
  pathOf,
  stream: geminiStream(pathOf),
  buildBody,
  readAnswer: (body, reply) => readBody(body, (object) => readAnswer(object, reply), readUsage),
};

/** Members of the body itself. Every other parameter goes into `generationConfig`. */
const bodyMembers = new Set(['safetySettings', 'toolConfig', 'cachedContent', 'labels', 'serviceTier']);

const configNames = {
  max_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  max_output_tokens: 'maxOutputTokens',
  top_p: 'topP',
  top_k: 'topK',
  n: 'candidateCount',
  stop: 'stopSequences',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
} as const;

function buildBody({ model, messages, params }: OutgoingRequest): JsonObject {
  const neutral = readNeutralParams(params);
  const { generationConfig, systemInstruction, ...rest } = neutral.rest;
  const members = Object.entries(rest);
  const { stopSequences, ...config } = rename(
    Object.fromEntries(members.filter(([key]) => !bodyMembers.has(key))),
    configNames,
  );
  const wholeConfig = {
    ...config,
    ...defined({ stopSequences: toList(stopSequences) }),
    ...buildFormat(neutral),
    ...objectOf(generationConfig),
  };
  const system = joinSystem(messages);
  return {
    ...Object.fromEntries(members.filter(([key]) => bodyMembers.has(key))),
    ...buildTools(neutral, rest['toolConfig']),
    ...defined({
      generationConfig: Object.keys(wholeConfig).length === 0 ? undefined : wholeConfig,
      systemInstruction: system === undefined ? systemInstruction : { parts: [{ text: system }] },
    }),
    contents: groupTurns(messages).map(({ isAssistant, parts }) => ({
      role: isAssistant ? 'model' : 'user',
      parts: parts.flatMap((message) => buildParts(message, messages, model)),
    })),
  };
}

function buildParts(
  message: OutgoingMessage,
  messages: readonly OutgoingMessage[],
  model: string,
): readonly JsonObject[] {
  const { role, content, toolCalls = [], isError = false, files = [] } = message;
  if (role === 'tool') {
    const name = message.name ?? findCallName(messages, message.toolCallId);
    const response = isError ? { error: content } : { result: content };
    return [{ functionResponse: { ...defined({ id: text(message.toolCallId) }), name, response } }];
  }
  const kept = readKeptParts(message, (part, id) => {
    const { functionCall: call } = part;
    return isJsonObject(call) ? { ...part, functionCall: { ...call, ...defined({ id }) } } : undefined;
  });
  if (kept !== undefined) return kept;
  return [
    ...files.map(({ mediaType, base64 }) => ({ inlineData: { mimeType: mediaType, data: base64 } })),
    ...(content === '' && toolCalls.length > 0 ? [] : [{ text: content }]),
    ...toolCalls.map((call) => ({
      functionCall: { ...defined({ id: text(call.id) }), name: call.name, args: argumentsOf(call) },
      ...defined({ thoughtSignature: asksForSignatures.test(model) ? noSignature : undefined }),
    })),
  ];
}

/** Models that refuse calls without a thought signature. Google documents this placeholder for calls that have none. */
const asksForSignatures = /gemini-[3-9]/;
const noSignature = 'skip_thought_signature_validator';

function findCallName(messages: readonly OutgoingMessage[], callId: string | undefined): string {
  const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls);
  return calls.find(({ id }) => id === callId)?.name ?? '';
}

function buildFormat({ format }: NeutralParams): JsonObject {
  if (format === undefined) return {};
  const responseMimeType = 'application/json';
  return format === 'json' ? { responseMimeType } : { responseMimeType, responseJsonSchema: format.schema };
}

function buildTools({ tools, nativeTools, toolChoice }: NeutralParams, own: JsonValue | undefined): JsonObject {
  const declarations = tools.map(({ name, description = '', parameters }) => ({
    name,
    description,
    ...defined({ parametersJsonSchema: parameters }),
  }));
  const all: JsonValue[] = [
    ...(declarations.length === 0 ? [] : [{ functionDeclarations: declarations }]),
    ...nativeTools,
  ];
  return defined({
    tools: all.length === 0 ? undefined : all,
    toolConfig: toolChoice && { ...objectOf(own), functionCallingConfig: buildToolChoice(toolChoice) },
  });
}

function buildToolChoice(choice: ToolChoice): JsonObject {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() };
}

function readAnswer(body: JsonObject, { latencyMs, asked }: ReadReply): Answer {
  const blocked = text(objectOf(body['promptFeedback'])['blockReason']);
  const indexFault = findIndexFault(body['candidates']);
  if (indexFault !== undefined) return malformed(indexFault);
  const candidate = firstByIndex(body['candidates']);
  if (!isJsonObject(candidate)) {
    if (blocked !== undefined) return filtered(`the prompt, by ${blocked}`);
    return malformed(Array.isArray(body['candidates']) ? '"candidates" is empty' : 'no "candidates"');
  }
  const rawFinishReason = text(candidate['finishReason']);
  if (rawFinishReason !== undefined && filterReasons.has(rawFinishReason)) return filtered(rawFinishReason);
  if (rawFinishReason === 'MISSING_THOUGHT_SIGNATURE') return unsigned;

  const { content = null } = candidate;
  // A candidate that stopped before its first word has no content, or content without parts.
  if (content === null && rawFinishReason === undefined) return malformed('its first candidate is empty');
  const unreadable = findUnreadableContent(content);
  if (unreadable !== undefined) return malformed(unreadable);
  const parts = list(objectOf(content)['parts']).filter(isJsonObject);
  const calls = parts.map(({ functionCall }) => functionCall).filter(isJsonObject);
  const toolCalls = calls.map(({ id, name, args }) => buildToolCall(id, name, args));
  const isThought = ({ thought }: JsonObject) => thought === true;
  return {
    completion: defined({
      text: parts.map((piece) => (isThought(piece) ? '' : (text(piece['text']) ?? ''))).join(''),
      toolCalls,
      finishReason: mapFinishReason(rawFinishReason, toolCalls),
      latencyMs,
      reasoning: joinReasoning(parts.filter(isThought).map((piece) => text(piece['text']))),
      rawFinishReason,
      usage: readUsage(body),
      responseId: text(body['responseId']),
      model: text(body['modelVersion']),
      continuation: isOfToolLoop(toolCalls, asked) ? keepParts(parts) : undefined,
    }),
  };
}

/**
 * Signatures must be sent back in the parts that contained them
 * (https://ai.google.dev/gemini-api/docs/thought-signatures).
 */
function keepParts(parts: readonly JsonObject[]): string | undefined {
  return parts.some(({ thoughtSignature }) => thoughtSignature !== undefined) ? writeContinuation(parts) : undefined;
}

function findUnreadableContent(content: JsonValue): string | undefined {
  if (content === null) return undefined;
  if (!isJsonObject(content)) return 'its "content" is not an object';
  const { parts = null } = content;
  return parts === null ? undefined : findUnreadable(parts, 'its "parts"');
}

/** Finish reasons for an answer that a content filter withheld or cut off. */
const filterReasons: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MODEL_ARMOR',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** The model has not answered: an earlier answer in the request, perhaps of another model, lacks its signature. */
const unsigned: Answer = {
  failure: {
    kind: 'badRequest',
    message: 'the request lacks a thought signature of an earlier answer (MISSING_THOUGHT_SIGNATURE)',
  },
};

/**
 * Maps a finish reason. Answers with function calls end with STOP, too. Those of `findBrokenReason` fail their case, and
 * OTHER says nothing more.
 */
function mapFinishReason(raw: string | undefined, toolCalls: readonly ToolCall[]): FinishReason | undefined {
  if (raw === 'MAX_TOKENS') return 'length';
  if (raw === 'STOP' || raw === undefined)
    return toolCalls.length > 0 ? 'toolCalls' : raw === 'STOP' ? 'stop' : undefined;
  return 'other';
}

/** Sums the usage. Google counts thoughts separately from candidates, and tool prompts separately from the prompt. */
function readUsage({ usageMetadata: raw }: JsonObject): Usage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const promptTokens = count(raw['promptTokenCount']);
  if (promptTokens === undefined) return undefined;
  const inputTokens = promptTokens + (count(raw['toolUsePromptTokenCount']) ?? 0);
  const reasoningTokens = count(raw['thoughtsTokenCount']);
  // The API omits a count of 0.
  const outputTokens = (count(raw['candidatesTokenCount']) ?? 0) + (reasoningTokens ?? 0);
  return {
    inputTokens,
    outputTokens,
    ...defined({
      cachedInputTokens: count(raw['cachedContentTokenCount']),
      reasoningTokens,
      inputAudioTokens: countAudio(raw['promptTokensDetails']),
      outputAudioTokens: countAudio(raw['candidatesTokensDetails']),
    }),
  };
}

function countAudio(details: JsonValue | undefined): number | undefined {
  const counts = list(details)
    .filter(isJsonObject)
    .map(({ modality, tokenCount }) => (modality === 'AUDIO' ? (count(tokenCount) ?? 0) : 0));
  const sum = counts.reduce((total, tokens) => total + tokens, 0);
  return sum === 0 ? undefined : sum;
}
