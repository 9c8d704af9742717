import { isJsonObject, type JsonObject } from '../json/json.ts';
import { withoutInherited } from '../json/without-inherited.ts';
import type { Endpoint, ProviderEnv } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { findAdapter } from '../providers/index.ts';
import { readNeutralParams } from '../providers/neutral-params.ts';
import { mediaTypeOf } from '../providers/outgoing-request.ts';
import { findAttached } from './attachments.ts';
import { buildParams } from './render-cells.ts';

/** Names of parameters in another API; null if it has no such parameter. */
export type ParamNames = Readonly<Record<string, string | null>>;

/** Native names of parameters that every adapter knows by the name of Chat Completions. */
const commonNames: Readonly<Record<string, string>> = {
  maxOutputTokens: 'max_tokens',
  max_output_tokens: 'max_tokens',
  maxTokens: 'max_tokens',
  topP: 'top_p',
  topK: 'top_k',
  stopSequences: 'stop',
  stop_sequences: 'stop',
};

/**
 * Parameters of other APIs that an API does not have, or has in another form. A warning names the omitted ones before a
 * call.
 */
const missingInOpenai = 'top_k thinking safetySettings generationConfig inferenceConfig output_config';
const missingInGemini =
  'logit_bias logprobs top_logprobs reasoning_effort verbosity parallel_tool_calls store user prediction thinking inferenceConfig output_config';
const missing: Readonly<Record<string, string>> = {
  openai: missingInOpenai,
  azure: missingInOpenai,
  anthropic:
    'seed n frequency_penalty presence_penalty logit_bias logprobs top_logprobs reasoning_effort verbosity parallel_tool_calls store user prediction safetySettings generationConfig inferenceConfig',
  gemini: missingInGemini,
  vertex: missingInGemini,
  bedrock:
    'seed n top_k frequency_penalty presence_penalty logit_bias logprobs top_logprobs reasoning_effort verbosity parallel_tool_calls store user prediction thinking safetySettings generationConfig output_config',
  cohere:
    'n logit_bias top_logprobs reasoning_effort verbosity parallel_tool_calls store user prediction safetySettings generationConfig inferenceConfig output_config',
};

/** Reasoning models of OpenAI refuse these (https://developers.openai.com/api/docs/guides/reasoning). */
const missingInReasoning =
  'temperature top_p frequency_penalty presence_penalty logit_bias logprobs top_logprobs'.split(' ');
const isReasoningModel = /^(?:o\d|gpt-5)(?!.*chat)/;

/** Adapters that pass a request to a program, a template or a file, which take whatever they are given. */
const takesAll: ReadonlySet<string> = new Set(['http', 'exec', 'module', 'echo', 'replay']);

/** Parameter names of one API in a candidate's API. Empty if all names are the same. */
export function fitParams(
  { adapter, model, plugin }: Pick<ProviderConfig, 'adapter' | 'model' | 'plugin'>,
  params: readonly JsonObject[],
): ParamNames {
  if (plugin !== undefined || takesAll.has(adapter)) return {};
  const isReasoning = (adapter === 'openai' || adapter === 'azure') && isReasoningModel.test(model);
  const lacks = new Set([...(missing[adapter] ?? '').split(' '), ...(isReasoning ? missingInReasoning : [])]);
  const names: Record<string, string | null> = withoutInherited({});
  for (const name of new Set(params.flatMap((own) => Object.keys(own)))) {
    const common = Object.hasOwn(commonNames, name) ? (commonNames[name] ?? name) : name;
    const fitting = isReasoning && common === 'max_tokens' ? 'max_completion_tokens' : common;
    if (lacks.has(fitting)) names[name] = null;
    else if (fitting !== name) names[name] = fitting;
  }
  return names;
}

/** A candidate, and the provider that it could take the place of. */
export interface SwapPair {
  readonly provider: ProviderConfig;
  readonly candidate: ProviderConfig;
}

/** Describes the suite's needs that a swap candidate can't meet. Also names the settings that do not carry over. */
export function describeGaps(suite: Suite, { provider, candidate }: SwapPair, env: ProviderEnv): readonly string[] {
  const endpoint = findAdapter(candidate)?.resolve(candidate, env);
  const dropped = Object.entries(candidate.paramNames ?? {}).flatMap(([name, own]) => (own === null ? [name] : []));
  const isInherited = candidate.at === provider.at && candidate.adapter !== provider.adapter;
  const settings = !isInherited
    ? []
    : [
        ...(provider.baseUrl === undefined ? [] : ['baseURL']),
        ...(provider.apiKeyEnv === undefined ? [] : ['apiKeyEnv']),
        ...(Object.keys(provider.headers).length === 0 ? [] : ['headers']),
        ...Object.keys(provider.options),
      ];
  const lacks = endpoint === undefined ? [] : findLacks(suite, { provider, candidate }, endpoint, env.projectRoot);
  return [
    ...(dropped.length === 0 ? [] : [`${candidate.id} is asked without ${dropped.join(', ')}, which its API lacks`]),
    ...(settings.length === 0
      ? []
      : [`${settings.join(', ')} of ${provider.id} do not carry over to ${candidate.id}, which has another API`]),
    ...lacks.map((what) => `${candidate.id} lacks what suite ${suite.id} asks for: ${what}`),
  ];
}

function findLacks(
  suite: Suite,
  { provider, candidate }: SwapPair,
  { refusesSchema, takes }: Endpoint,
  root: string,
): readonly string[] {
  const { adapter } = candidate;
  const asked = suite.prompts.map((prompt) => readNeutralParams(buildParams(suite, prompt, candidate)));
  const isSchema = asked.some(({ format }) => isJsonObject(format));
  const isJson = asked.some(({ format }) => format === 'json');
  const isTool = asked.some(({ tools }) => tools.length > 0);
  const isNative = adapter !== provider.adapter && asked.some(({ nativeTools }) => nativeTools.length > 0);
  const types = new Set([...findAttached(suite, root)].flatMap((file) => mediaTypeOf(file) ?? []));
  const refused = takes === undefined ? [] : [...types].filter((type) => !takes.test(type));
  return [
    ...(isSchema && refusesSchema === true
      ? ['structured output by a JSON Schema, which some or all of its models refuse']
      : []),
    ...(isJson && (adapter === 'anthropic' || adapter === 'bedrock')
      ? ['a JSON mode (response_format json_object)']
      : []),
    ...(isTool && (adapter === 'perplexity' || adapter === 'echo') ? ['tools'] : []),
    ...(isNative ? [`tools in the form of ${provider.adapter}`] : []),
    ...refused.map((type) => `files of type ${type}`),
  ];
}

/** Vendors by the names of their models, wherever they are hosted. */
const families: readonly (readonly [RegExp, string])[] = [
  [/claude/, 'Claude'],
  [/gemini|gemma|palm/, 'Gemini'],
  [/mistral|mixtral|codestral|ministral|magistral|devstral|pixtral/, 'Mistral'],
  [/qwen|qwq/, 'Qwen'],
  [/deepseek/, 'DeepSeek'],
  [/llama/, 'Llama'],
  [/grok/, 'Grok'],
  [/\bcommand\b|cohere|\baya\b/, 'Command'],
  [/\bnova\b|titan/, 'Nova'],
  [/kimi|moonshot/, 'Kimi'],
  [/\bglm\b/, 'GLM'],
  [/\bphi\b/, 'Phi'],
  [/\bgpt\b|chatgpt|davinci|\bo[134]\b/, 'GPT'],
];

/** The family of a model by its name; undefined if it is not known. */
function familyOf({ model }: Pick<ProviderConfig, 'model'>): string | undefined {
  const name = model.toLowerCase().replaceAll(/[^a-z0-9]+/g, ' ');
  return families.find(([pattern]) => pattern.test(name))?.[1];
}

/** Names each judge of a suite that belongs to the family of a candidate: judges favour answers of their own family. */
export function describeFamilies(suite: Suite, candidates: readonly string[]): readonly string[] {
  return suite.providers
    .filter(({ id }) => candidates.includes(id))
    .flatMap((candidate) => {
      const family = familyOf(candidate);
      const judges = suite.askedModels.filter((judge) => family !== undefined && familyOf(judge) === family);
      return judges.map(
        ({ id }) =>
          `judge ${id} of suite ${suite.id} is of the family of ${candidate.id} (${family ?? ''}), and may favour it`,
      );
    });
}
