import { defined } from '../json/defined.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import type { CompletionOutcome, CompletionRequest, Message, ToolCall } from '../model/run/completion.ts';
import type { TracedOutcome } from '../model/run/progress.ts';
import type { Verdict } from '../model/run/verdict.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { Attributes, AttributeValue } from './otlp-exporter.ts';

// This file has all names of the GenAI semantic conventions, which are in development and still change.

/** Providers that have another name in the conventions than in the price table. */
const providerNames: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  aws: 'aws.bedrock',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  google: 'gcp.gemini',
  mistral: 'mistral_ai',
  xai: 'x_ai',
  'x-ai': 'x_ai',
};

export function requestAttributes(request: CompletionRequest, { priceProvider, baseUrl }: Endpoint): Attributes {
  const { params, origin } = request;
  const provider = priceProvider ?? request.adapter;
  const maxTokens = integerAt(params, 'max_tokens') ?? integerAt(params, 'max_completion_tokens');
  return {
    'gen_ai.operation.name': operationOf(request),
    'gen_ai.provider.name': Object.hasOwn(providerNames, provider) ? providerNames[provider] : provider,
    'gen_ai.request.model': request.model,
    'gen_ai.request.temperature': numberAt(params, 'temperature'),
    'gen_ai.request.top_p': numberAt(params, 'top_p'),
    'gen_ai.request.top_k': numberAt(params, 'top_k'),
    'gen_ai.request.frequency_penalty': numberAt(params, 'frequency_penalty'),
    'gen_ai.request.presence_penalty': numberAt(params, 'presence_penalty'),
    'gen_ai.request.max_tokens': maxTokens,
    'gen_ai.request.seed': integerAt(params, 'seed'),
    'gen_ai.request.stop_sequences': textsAt(params, 'stop'),
    'gen_ai.output.type': params['response_format'] === undefined ? undefined : 'json',
    'gen_ai.prompt.name': origin.suite,
    'gen_ai.prompt.version': origin.prompt,
    ...serverAttributes(baseUrl),
  };
}

export function operationOf({ adapter, params }: CompletionRequest): string {
  return params['input'] !== undefined && adapter === 'openai' ? 'embeddings' : 'chat';
}

export function outcomeAttributes(outcome: CompletionOutcome): Attributes {
  if (outcome.status === 'failed') {
    const { kind, status } = outcome.failure;
    return {
      'error.type': status === undefined ? kind : String(status),
      'http.response.status_code': status === undefined ? undefined : { integer: status },
    };
  }
  const { usage, finishReason, rawFinishReason, model, responseId } = outcome.completion;
  const reason = rawFinishReason ?? finishReason;
  const count = (value: number | undefined): AttributeValue | undefined =>
    value === undefined ? undefined : { integer: value };
  return {
    'gen_ai.response.id': responseId,
    'gen_ai.response.model': model,
    'gen_ai.response.finish_reasons': reason === undefined ? undefined : [reason],
    'gen_ai.usage.input_tokens': count(usage?.inputTokens),
    'gen_ai.usage.output_tokens': count(usage?.outputTokens),
    'gen_ai.usage.cache_read.input_tokens': count(usage?.cachedInputTokens),
    'gen_ai.usage.cache_creation.input_tokens': count(usage?.cacheWriteTokens),
    'gen_ai.usage.reasoning.output_tokens': count(usage?.reasoningTokens),
  };
}

/** Attributes of a tool call. Arguments and results are included only if the user asked for content. */
export function toolAttributes(
  { id, name, rawArguments }: ToolCall,
  outcome: TracedOutcome | undefined,
  capturesContent: boolean,
): Attributes {
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
    'gen_ai.tool.call.id': id,
    'gen_ai.tool.type': 'function',
    'gen_ai.tool.call.arguments': capturesContent ? rawArguments : undefined,
    'gen_ai.tool.call.result': capturesContent ? outcome?.result?.content : undefined,
    'error.type': toolError(outcome),
  };
}

/** Undefined for a call that the tool answered. */
export function toolError(outcome: TracedOutcome | undefined): string | undefined {
  switch (outcome?.kind) {
    case undefined:
      return 'bug';
    case 'result':
      return outcome.result?.isError === true ? 'tool_error' : undefined;
    case 'fails':
      return 'refused';
    case 'errored':
      return 'tool_failed';
  }
}

/** Prompts and answers, only if the user asked for content. */
export function contentAttributes(request: CompletionRequest, outcome: CompletionOutcome): Attributes {
  const output =
    outcome.status === 'failed'
      ? undefined
      : [
          {
            role: 'assistant',
            parts: writeParts(outcome.completion.text, outcome.completion.toolCalls),
            finish_reason: outcome.completion.finishReason,
          },
        ];
  return {
    'gen_ai.input.messages': JSON.stringify(request.messages.map(writeMessage)),
    'gen_ai.output.messages': output && JSON.stringify(output),
  };
}

export function verdictAttributes(verdict: Verdict, capturesContent: boolean): Attributes {
  const { assertion, name, pass, score, reason, error } = verdict;
  return {
    'gen_ai.evaluation.name': name ?? assertion,
    'gen_ai.evaluation.score.value': error === undefined ? score : undefined,
    'gen_ai.evaluation.score.label': error === undefined ? (pass ? 'pass' : 'fail') : undefined,
    // A reason quotes the answer.
    'gen_ai.evaluation.explanation': capturesContent ? (error ?? reason) : undefined,
    'llmcheck.assertion': assertion,
    'error.type': error === undefined ? undefined : 'check',
  };
}

function writeMessage({ role, content, toolCalls = [], toolCallId }: Message): JsonValue {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  if (role !== 'tool') return { role, parts: writeParts(text, toolCalls) };
  return { role, parts: [{ type: 'tool_call_response', ...defined({ id: toolCallId }), response: text }] };
}

function writeParts(text: string, toolCalls: readonly ToolCall[]): JsonValue[] {
  const calls = toolCalls.map(({ id, name, rawArguments }) => {
    return { type: 'tool_call', ...defined({ id }), name, arguments: rawArguments };
  });
  return text === '' && calls.length > 0 ? calls : [{ type: 'text', content: text }, ...calls];
}

function serverAttributes(baseUrl: string | undefined): Attributes {
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return {};
  const { hostname, port, protocol } = new URL(baseUrl);
  const known = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  return { 'server.address': hostname, 'server.port': { integer: known } };
}

function numberAt(params: JsonObject, key: string): number | undefined {
  const value = params[key];
  return typeof value === 'number' ? value : undefined;
}

function integerAt(params: JsonObject, key: string): AttributeValue | undefined {
  const value = numberAt(params, key);
  return value === undefined ? undefined : { integer: Math.trunc(value) };
}

function textsAt(params: JsonObject, key: string): readonly string[] | undefined {
  const value = params[key];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined;
}
