// What a stored exchange itself says it holds, read from its raw body without any of the adapters' code.

/** One stored exchange with an API. */
export interface Exchange {
  readonly id: string;
  readonly kind: string;
  readonly uri: string;
  readonly status: number;
  readonly request: unknown;
  readonly response: unknown;
}

export interface ToldCall {
  readonly name: unknown;
  readonly arguments: unknown;
}

/** Figures that the body gives; a part that it leaves out is undefined. */
export interface ToldUsage {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly cachedInputTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
}

export type Truth =
  | {
      readonly kind: 'completion';
      readonly text: string;
      readonly toolCalls: readonly ToldCall[];
      readonly usage: ToldUsage;
      readonly model?: unknown;
      readonly responseId?: unknown;
    }
  /** The failure kinds that fit, the first being the most telling. */
  | { readonly kind: 'failure'; readonly kinds: readonly string[] };

// oxlint-disable-next-line typescript/no-explicit-any -- a raw body is looked into freely here, so that nothing is shared with the adapters.
type Raw = any;

/** The APIs whose exchanges can be told apart. */
export type Api = 'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini' | 'bedrock' | 'cohere';

/** By the exchange's own word for it, else by where it was asked. */
export function apiOf({ kind, uri }: Exchange): Api {
  const apis: readonly Api[] = ['openai-chat', 'openai-responses', 'anthropic', 'gemini', 'bedrock', 'cohere'];
  const known = apis.find((api) => api === kind);
  if (known !== undefined) return known;
  if (/\/responses\b/.test(uri)) return 'openai-responses';
  if (/\/messages\b/.test(uri)) return 'anthropic';
  if (/generateContent/i.test(uri)) return 'gemini';
  if (/\/converse/.test(uri)) return 'bedrock';
  return /cohere\.(com|ai)/.test(uri) ? 'cohere' : 'openai-chat';
}

export function readTruth(exchange: Exchange): Truth {
  const { status, response } = exchange;
  if (status < 200 || status >= 300) return { kind: 'failure', kinds: kindsOf(status, JSON.stringify(response ?? '')) };
  const body: Raw = response;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return noCompletion;
  if (body.error)
    return {
      kind: 'failure',
      kinds: [
        'server',
        'rateLimit',
        'quota',
        'overloaded',
        'badRequest',
        'malformed',
        'contentFilter',
        'contextLength',
        'auth',
        'notFound',
      ],
    };
  return readers[apiOf(exchange)](body) ?? noCompletion;
}

const noCompletion: Truth = { kind: 'failure', kinds: ['malformed'] };
const filtered: Truth = { kind: 'failure', kinds: ['contentFilter'] };

const readers: Readonly<Record<Api, (body: Raw) => Truth | undefined>> = {
  'openai-chat': readChat,
  'openai-responses': readResponses,
  anthropic: readAnthropic,
  gemini: readGemini,
  bedrock: readBedrock,
  cohere: readCohere,
};

function readChat(body: Raw): Truth | undefined {
  const choice = body.choices?.[0];
  if (!choice) return undefined;
  if (choice.finish_reason === 'content_filter') return filtered;
  const { message } = choice;
  if (!message) return undefined;
  const parts: Raw[] = Array.isArray(message.content) ? message.content : [];
  const spoken = message.audio?.transcript ?? '';
  const written = typeof message.content === 'string' ? message.content : joined(parts.map((part) => part.text));
  const calls: Raw[] = message.tool_calls?.length
    ? message.tool_calls
    : message.function_call?.name
      ? [{ function: message.function_call }]
      : [];
  const usage = body.usage ?? {};
  const input = usage.prompt_tokens;
  const visible = usage.completion_tokens;
  return {
    kind: 'completion',
    text: written === '' ? spoken : written,
    toolCalls: calls.map((call) => ({
      name: (call.function ?? call.custom).name,
      arguments: parsed(call.function?.arguments ?? call.custom?.input),
    })),
    usage: {
      inputTokens: input,
      // A total above the two is output that is not among the visible.
      outputTokens: visible === undefined ? undefined : Math.max(visible, (usage.total_tokens ?? 0) - input),
      cachedInputTokens: usage.prompt_tokens_details?.cached_tokens,
      reasoningTokens: usage.completion_tokens_details?.reasoning_tokens,
    },
    model: body.model,
    responseId: body.id,
  };
}

function readResponses(body: Raw): Truth | undefined {
  if (!Array.isArray(body.output) || ![undefined, 'response'].includes(body.object)) return undefined;
  if (body.incomplete_details?.reason === 'content_filter') return filtered;
  if (!['completed', 'complete', 'incomplete', undefined].includes(body.status)) return undefined;
  const items: Raw[] = body.output;
  if (items.length === 0 && body.status !== 'incomplete') return undefined;
  const texts = items
    .filter((item) => item.type === 'message')
    .flatMap((item: Raw) => item.content.map((part: Raw) => part.text));
  const calls = items.filter((item) => item.type === 'function_call' || item.type === 'custom_tool_call');
  return {
    kind: 'completion',
    text: joined(texts),
    toolCalls: calls.map((item) => ({ name: item.name, arguments: parsed(item.arguments ?? item.input) })),
    usage: {
      inputTokens: body.usage?.input_tokens,
      outputTokens: body.usage?.output_tokens,
      cachedInputTokens: body.usage?.input_tokens_details?.cached_tokens,
      reasoningTokens: body.usage?.output_tokens_details?.reasoning_tokens,
    },
    model: body.model,
    responseId: body.id,
  };
}

function readAnthropic(body: Raw): Truth | undefined {
  if (!Array.isArray(body.content)) return undefined;
  const blocks: Raw[] = body.content;
  const usage = body.usage ?? {};
  return {
    kind: 'completion',
    text: joined(blocks.filter((block) => block.type === 'text').map((block) => block.text)),
    toolCalls: blocks
      .filter((block) => block.type === 'tool_use')
      .map((block) => ({ name: block.name, arguments: block.input })),
    usage: {
      inputTokens: sum(usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens),
      outputTokens: usage.output_tokens,
      cachedInputTokens: usage.cache_read_input_tokens,
      cacheWriteTokens: usage.cache_creation_input_tokens,
      reasoningTokens: usage.output_tokens_details?.thinking_tokens,
    },
    model: body.model,
    responseId: body.id,
  };
}

function readGemini(body: Raw): Truth | undefined {
  if (body.promptFeedback?.blockReason && !body.candidates?.length) return filtered;
  const candidate = body.candidates?.[0];
  if (!candidate) return undefined;
  const refused = ['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR'];
  if (
    refused.includes(candidate.finishReason) ||
    /^IMAGE_(SAFETY|PROHIBITED|RECITATION)/.test(candidate.finishReason ?? '')
  )
    return filtered;
  const parts: Raw[] = candidate.content?.parts ?? [];
  const usage = body.usageMetadata ?? {};
  return {
    kind: 'completion',
    text: joined(parts.filter((part) => !part.thought).map((part) => part.text)),
    toolCalls: parts
      .filter((part) => part.functionCall)
      .map(({ functionCall }) => ({ name: functionCall.name, arguments: functionCall.args ?? {} })),
    usage: {
      // Written so that the total of the body proves it: total = input + output.
      inputTokens: sum(usage.promptTokenCount, usage.toolUsePromptTokenCount),
      outputTokens:
        usage.totalTokenCount === undefined
          ? undefined
          : usage.totalTokenCount - (sum(usage.promptTokenCount, usage.toolUsePromptTokenCount) ?? 0),
      cachedInputTokens: usage.cachedContentTokenCount,
      reasoningTokens: usage.thoughtsTokenCount,
    },
    model: body.modelVersion,
    responseId: body.responseId,
  };
}

function readBedrock(body: Raw): Truth | undefined {
  if (body.stopReason === 'guardrail_intervened' || body.stopReason === 'content_filtered') return filtered;
  const blocks: Raw[] | undefined = body.output?.message?.content;
  if (!Array.isArray(blocks)) return undefined;
  const usage = body.usage ?? {};
  return {
    kind: 'completion',
    text: joined(
      blocks.flatMap((block) => block.text ?? block.citationsContent?.content?.map((part: Raw) => part.text)),
    ),
    toolCalls: blocks
      .filter((block) => block.toolUse && block.toolUse.type !== 'server_tool_use')
      .map(({ toolUse }) => ({ name: toolUse.name, arguments: toolUse.input })),
    usage: {
      inputTokens: usage.totalTokens === undefined ? undefined : usage.totalTokens - usage.outputTokens,
      outputTokens: usage.outputTokens,
      cachedInputTokens: usage.cacheReadInputTokens,
      cacheWriteTokens: usage.cacheWriteInputTokens,
    },
  };
}

function readCohere(body: Raw): Truth | undefined {
  if (['ERROR', 'TIMEOUT'].includes(body.finish_reason)) return { kind: 'failure', kinds: ['server'] };
  if (!body.message) return undefined;
  const parts: Raw[] = Array.isArray(body.message.content) ? body.message.content : [];
  return {
    kind: 'completion',
    text: joined(parts.filter((part) => part.type === 'text').map((part) => part.text)),
    toolCalls: (body.message.tool_calls ?? []).map((call: Raw) => ({
      name: call.function.name,
      arguments: parsed(call.function.arguments),
    })),
    usage: {
      inputTokens: body.usage?.tokens?.input_tokens,
      outputTokens: body.usage?.tokens?.output_tokens,
      cachedInputTokens: body.usage?.cached_tokens,
    },
    responseId: body.id,
  };
}

/** What a status and the words of an error may mean; the words decide where one status has several meanings. */
function kindsOf(status: number, body: string): readonly string[] {
  const says = (words: RegExp): boolean => words.test(body);
  if (says(/content_filter|content_policy|ResponsibleAIPolicyViolation/)) return ['contentFilter'];
  if (status < 500 && says(/context_length_exceeded|maximum context length|prompt is too long|input is too long/i))
    return ['contextLength'];
  if (status < 500 && says(/insufficient_quota|credit balance is too low|insufficient balance/i)) return ['quota'];
  if (status === 401 || status === 403) return ['auth'];
  if (status === 402) return ['quota'];
  if (status === 404) return ['notFound'];
  if (status === 408) return ['server', 'timeout'];
  if (status === 413) return ['contextLength', 'badRequest'];
  if (status === 429) return ['rateLimit', 'quota', 'overloaded'];
  if (status === 424) return ['server'];
  if (status >= 500) return ['server', 'overloaded'];
  return says(/api[ _]key not valid|API_KEY_INVALID|invalid api key/i)
    ? ['auth']
    : says(/model_not_found|does not exist|model identifier is invalid/)
      ? ['notFound', 'badRequest']
      : ['badRequest'];
}

function joined(texts: readonly unknown[]): string {
  return texts.filter((text) => typeof text === 'string').join('');
}

function sum(...counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined && count !== null);
  return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0);
}

/** Arguments stand as JSON text or as they are; what is no JSON stays text. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? {};
  if (value.trim() === '') return {};
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
