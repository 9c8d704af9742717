import { defined } from '../../../json/defined.ts';
import { nameSet } from '../../../text/name-set.ts';
import { type Draft, isMap, LeftOut, quote, type Written } from '../../draft.ts';
import { readAddress, readAllHeaders } from './address.ts';
import { type ConvertedModel, hasFixedSampling, isReasoningModel, reasonsWarm } from './model-ids.ts';

type Params = Record<string, unknown>;

/** Provider keys set by its `config`. */
type Settings = Readonly<Record<string, unknown>>;

interface SettingsContext {
  readonly draft: Draft;
  /** Reads a JSON or YAML file that a value names. */
  readonly readData: (reference: string, written: Written) => Promise<unknown>;
}

/** Parameters that promptfoo sends to Chat Completions. It ignores other keys of `config`. */
const chatParams = nameSet(
  'seed max_tokens max_completion_tokens reasoning_effort temperature top_p presence_penalty frequency_penalty functions function_call tools tool_choice tool_resources response_format stop prompt_cache_key prompt_cache_options prompt_cache_retention modalities audio verbosity reasoning service_tier user metadata store',
);
const responsesParams = nameSet(
  'max_output_tokens temperature top_p reasoning reasoning_effort instructions tools tool_choice response_format verbosity include store metadata parallel_tool_calls service_tier truncation user background previous_response_id max_tool_calls prompt_cache_key prompt_cache_options prompt_cache_retention',
);
const geminiParams = nameSet(
  'generationConfig temperature maxOutputTokens max_output_tokens topP topK top_p top_k stopSequences safetySettings toolConfig cachedContent labels responseMimeType responseSchema response_schema seed frequencyPenalty presencePenalty tools',
);
const paramsOfAdapter: Readonly<Record<string, ReadonlySet<string>>> = {
  anthropic: nameSet(
    'max_tokens temperature top_p top_k tools tool_choice thinking effort output_format metadata service_tier stop_sequences cache_control',
  ),
  gemini: geminiParams,
  vertex: geminiParams,
  mistral: nameSet(
    'temperature top_p max_tokens safe_prompt random_seed response_format tools tool_choice frequency_penalty presence_penalty parallel_tool_calls prediction prompt_mode prompt_cache_key reasoning_effort stop metadata',
  ),
  openrouter: new Set([...chatParams, 'transforms', 'models', 'route', 'provider']),
  groq: new Set([...chatParams, 'reasoning_format', 'include_reasoning', 'compound_custom', 'search_settings']),
  xai: new Set([...chatParams, 'search_parameters']),
  perplexity: new Set([
    ...chatParams,
    ...nameSet(
      'search_domain_filter search_recency_filter return_related_questions return_images search_after_date_filter search_before_date_filter web_search_options',
    ),
  ]),
  cohere: nameSet('temperature max_tokens k p seed stop_sequences frequency_penalty presence_penalty'),
  ollama: nameSet('temperature top_p seed stop presence_penalty frequency_penalty tools'),
  bedrock: nameSet('temperature maxTokens max_tokens topP top_p stopSequences stop additionalModelRequestFields'),
};

/** Settings of the program, which affect neither requests nor verdicts. */
const idleSettings = nameSet(
  'showThinking cost inputCost outputCost timeout timeoutMs maxRetries max_retries omitDefaults passthrough extra_body headers apiBaseUrl apiHost apiKey apiKeyEnvar apiKeyRequired organization apiVersion region projectId beta',
);
/** Code and programs that contribute to the answer. */
const codeSettings = new Set(['functionToolCallbacks', 'mcp', 'callbacks']);

/** Converts the `config` of a provider or judge. Every key is converted, noted or refused. */
export async function convertSettings(
  config: Written,
  model: ConvertedModel,
  context: SettingsContext,
): Promise<Settings> {
  const { draft } = context;
  const settings = isMap(config.value) ? config.value : {};
  const known = knownParams(model);
  const given: Params = {};
  for (const [key, value] of Object.entries(settings)) {
    const part = config.child(key);
    if (idleSettings.has(key) || value === undefined || value === null) continue;
    const hint =
      key === 'mcp' ? 'write the tools with llmcheck mcp snapshot, and name them in params.tools' : undefined;
    if (codeSettings.has(key))
      draft.refuse(part, `"${key}" of a provider runs code, which has no equivalent here`, hint);
    else if (model.adapter === 'ollama' && key === 'num_predict') given['max_tokens'] = value;
    else if (known.has(key) || servicesWithAllSettings.has(model.adapter)) {
      const read = await readParam(part, context);
      if (!(read instanceof LeftOut)) given[key] = read;
    } else if (isIgnoredThere(key, model) || /^transformRe(?:quest|sponse)$/.test(key))
      draft.note(part, `"${key}" is left out: promptfoo does not send it`);
    else draft.refuse(part, `"${key}" of a provider has no equivalent here`);
  }
  if (model.api === 'responses') nameForResponses(given, model);
  const params = { ...withDefaults(given, settings, model, config, draft), ...readPassthrough(config, model, draft) };
  return defined({
    ...readAddress(config, settings, model, draft),
    headers: readAllHeaders(config, settings, draft),
    ...readPlace(config, settings, model, draft),
    price: readPrice(config, settings, draft),
    limits: readLimits(config, settings, draft),
    params: Object.keys(params).length === 0 ? undefined : params,
  });
}

function knownParams({ adapter, api, sent }: ConvertedModel): ReadonlySet<string> {
  if (api === 'responses') return responsesParams;
  return sent ?? (Object.hasOwn(paramsOfAdapter, adapter) ? paramsOfAdapter[adapter] : undefined) ?? chatParams;
}

/** Options that promptfoo sends to Ollama, but its OpenAI-compatible API does not accept. */
const ollamaOptions = nameSet(
  'top_k tfs_z useNUMA num_ctx num_keep num_batch num_gqa num_gpu main_gpu low_vram f16_kv logits_all vocab_only use_mmap use_mlock embedding_only rope_frequency_base rope_frequency_scale typical_p repeat_last_n repeat_penalty mirostat mirostat_tau mirostat_eta penalize_newline num_thread think',
);

const otherGoogleSettings = nameSet('systemInstruction useAssistantRole service_tier context examples modelArmor');

/** Settings that promptfoo sends and that have no equivalent here. */
const otherSettings: Readonly<Record<string, ReadonlySet<string>>> = {
  ollama: ollamaOptions,
  gemini: otherGoogleSettings,
  vertex: otherGoogleSettings,
  mistral: new Set(['n', 'guardrails']),
  responses: new Set(['stream', 'webhook_url']),
};

/** True if promptfoo ignores a setting: it selects by name. For Bedrock the model decides, and Cohere gets all. */
function isIgnoredThere(key: string, { adapter, api }: ConvertedModel): boolean {
  if (adapter === 'bedrock') return key === 'inferenceModelType';
  return adapter !== 'cohere' && otherSettings[api ?? adapter]?.has(key) !== true;
}

/** Services that get every setting that is not promptfoo's own. */
const servicesWithAllSettings = new Set(['together', 'cerebras']);

async function readParam(written: Written, { draft, readData }: SettingsContext): Promise<unknown> {
  const { value } = written;
  if (typeof value === 'string' && value.startsWith('file://') && /\.(?:json|ya?ml)$/i.test(value)) {
    const data = await readData(value, written);
    return data ?? draft.refuse(written, `${quote(value)} can't be read`);
  }
  return mentionsFile(value)
    ? draft.refuse(written, 'a setting of a provider that names a file or a variable has no equivalent here')
    : value;
}

function mentionsFile(value: unknown): boolean {
  if (typeof value === 'string') return value.startsWith('file://') || /\{\{/.test(value);
  if (Array.isArray(value)) return value.some(mentionsFile);
  return isMap(value) && Object.values(value).some(mentionsFile);
}

/** Adds promptfoo's default parameters, and drops parameters that it does not send to this model. */
function withDefaults(
  given: Params,
  { omitDefaults }: Settings,
  { adapter, model, api, isOtherApi, defaults }: ConvertedModel,
  config: Written,
  draft: Draft,
): Params {
  const drop = (key: string, why: string): void => {
    if (given[key] === undefined) return;
    draft.note(config.child(key), `"${key}" is left out: promptfoo does not send it ${why}`);
    delete given[key];
  };
  // Other services, such as OpenRouter, treat Claude models like any other.
  if (['anthropic', 'bedrock'].includes(adapter) && hasFixedSampling(model))
    for (const key of ['temperature', 'top_p', 'topP', 'top_k']) drop(key, 'to a model that rejects it');
  if (defaults !== undefined && adapter !== 'openai') return { ...defaults, ...given };
  if (adapter === 'moonshot' && /^kimi-/i.test(model)) {
    const { max_tokens: most, ...rest } = given;
    return defined({ max_completion_tokens: most, ...rest });
  }
  if (adapter === 'anthropic') return withAnthropicDefaults(given, model, drop);
  if (adapter === 'bedrock' && isOtherApi === true)
    draft.note(config, 'the model is asked over Converse; defaults of promptfoo for its own API are not written');
  if (['gemini', 'vertex', 'ollama', 'bedrock'].includes(adapter)) return given;
  if (servicesWithAllSettings.has(adapter)) {
    // Cerebras accepts only one of the two limits.
    const limits = adapter === 'cerebras' && given['max_completion_tokens'] !== undefined ? {} : { max_tokens: 1024 };
    if (adapter === 'cerebras' && limits.max_tokens === undefined) drop('max_tokens', 'beside max_completion_tokens');
    return omitDefaults === true ? given : { temperature: 0, ...limits, ...given };
  }
  if (api !== 'responses' && !/(?:^|\/)(?:ft:)?gpt-[56]/.test(model)) drop('verbosity', 'to a model that is no GPT-5');
  if (adapter === 'xai' && !/^grok-(?:3-mini|4\.[356]|(?:build-)?latest$)/.test(model))
    drop('reasoning_effort', 'to this model');
  if (adapter === 'xai' && api !== 'responses' && /^grok-(?:4|(?:build-)?latest$)/.test(model))
    for (const key of ['stop', 'presence_penalty', 'frequency_penalty']) drop(key, 'to Grok 4');
  if (isReasoningModel(model)) {
    drop('temperature', 'to a model that reasons');
    drop('max_tokens', 'to a model that reasons');
    if (api === 'responses') drop('top_p', 'to a model that reasons');
    return given;
  }
  if (api !== 'responses' && reasonsWarm(adapter, model)) {
    drop('max_tokens', 'to a model that reasons');
    return omitDefaults === true ? given : { temperature: 0, ...given };
  }
  if (api !== 'responses') {
    drop('max_completion_tokens', 'to a model that does not reason');
    if (!model.includes('gpt-oss')) drop('reasoning_effort', 'to a model that does not reason');
  }
  if (omitDefaults === true) return given;
  if (defaults !== undefined) return { ...defaults, ...given };
  return { temperature: 0, [api === 'responses' ? 'max_output_tokens' : 'max_tokens']: 1024, ...given };
}

/** Renames Chat Completions settings for the Responses API, like promptfoo. */
function nameForResponses(given: Params, { model }: ConvertedModel): void {
  const { response_format: format, verbosity, reasoning_effort: effort, reasoning } = given;
  for (const key of ['response_format', 'verbosity', 'reasoning_effort', 'reasoning']) delete given[key];
  const { type, schema, name, json_schema: inner } = Object(format) as Params;
  const { schema: innerSchema, name: innerName } = Object(inner) as Params;
  const named = { name: innerName ?? name ?? 'response_schema', schema: schema ?? innerSchema, strict: true };
  const text = defined({
    format: type === 'json_schema' ? { type, ...named } : type === 'json_object' ? { type } : undefined,
    verbosity: model.includes('gpt-5') ? verbosity : undefined,
  });
  if (Object.keys(text).length > 0) given['text'] = text;
  const reasons = { ...defined({ effort }), ...Object(reasoning) } as Params;
  if (isReasoningModel(model) && Object.keys(reasons).length > 0) given['reasoning'] = reasons;
}

function withAnthropicDefaults(given: Params, model: string, drop: (key: string, why: string) => void): Params {
  const { thinking } = given;
  const alwaysThinks = /claude-(?:fable|mythos)-5(?!\d)/i.test(model);
  const isThinking = isMap(thinking) && thinking['type'] !== 'disabled';
  if (!isThinking && alwaysThinks) drop('thinking', 'to a model that always thinks');
  if (isThinking && hasFixedSampling(model) && thinking['type'] === 'enabled') {
    drop('thinking', 'with a budget to a model that sets its own: it becomes adaptive');
    given['thinking'] = { type: 'adaptive', ...defined({ display: thinking['display'] }) };
  }
  if (isThinking) {
    drop('temperature', 'with thinking');
    drop('top_k', 'with thinking');
  } else if (given['top_p'] !== undefined) drop('temperature', 'beside top_p');
  const isWarm = isThinking || given['top_p'] !== undefined || hasFixedSampling(model);
  const thinksUnasked = alwaysThinks || (thinking === undefined && /claude-opus-5(?!\d)/i.test(model));
  const { effort, output_format: format, ...rest } = given;
  const output = defined({ format, effort });
  return {
    max_tokens: isThinking || thinksUnasked ? 2048 : 1024,
    ...defined({ temperature: isWarm ? undefined : 0 }),
    ...rest,
    ...defined({ output_config: Object.keys(output).length === 0 ? undefined : output }),
  };
}

/** Reads members that are sent unchanged. */
function readPassthrough(config: Written, { adapter }: ConvertedModel, draft: Draft): Params {
  const params: Params = {};
  const own = adapter === 'anthropic' ? 'extra_body' : 'passthrough';
  for (const key of ['passthrough', 'extra_body']) {
    const part = config.child(key);
    if (key !== own && part.value !== undefined) {
      draft.note(part, `"${key}" is left out: promptfoo does not send it`);
      continue;
    }
    for (const [name, value] of Object.entries(Object(part.value) as Params)) {
      if (name === 'model' || mentionsFile(value))
        draft.refuse(part.child(name), `"${name}" of ${key} has no equivalent here`);
      else params[name] = value;
    }
  }
  return params;
}

/** Services whose replies may contain reasoning besides the text. */
const reasoningServices = nameSet('openrouter deepseek groq cerebras together fireworks nvidia moonshot xai');

/** Notes that promptfoo puts reasoning before the text, unless `showThinking` is false. */
export function noteThinking(
  config: Written,
  { adapter, api }: ConvertedModel,
  settings: Settings,
  draft: Draft,
): void {
  const { showThinking } = Object(config.value) as Settings;
  const { baseURL, params } = settings;
  const { thinking, reasoning } = Object(params) as Params;
  const isServer = reasoningServices.has(adapter) || (adapter === 'openai' && baseURL !== undefined);
  const mayReason =
    api === 'responses'
      ? isMap(reasoning) && reasoning['summary'] !== undefined
      : isServer || (isMap(thinking) && thinking['type'] !== 'disabled');
  if (showThinking === true || (mayReason && showThinking !== false))
    draft.note(config, 'reasoning, which promptfoo writes before the text of an answer, is no part of the text here');
}

/** Reads the place where a cloud serves the model. */
function readPlace(
  config: Written,
  { apiVersion, region, projectId }: Settings,
  { adapter }: ConvertedModel,
  draft: Draft,
): Settings {
  const place: Record<string, string> = {};
  const take = (key: string, value: unknown, name: string | undefined): void => {
    if (value === undefined || value === null) return;
    if (name === undefined) draft.note(config.child(key), `"${key}" is left out: it is no setting of ${adapter} here`);
    else if (typeof value !== 'string' || /\{\{/.test(value))
      draft.refuse(config.child(key), `"${key}" must be written out`);
    else place[name] = value;
  };
  take('apiVersion', apiVersion, adapter === 'azure' ? 'apiVersion' : undefined);
  take('region', region, adapter === 'bedrock' ? 'region' : adapter === 'vertex' ? 'location' : undefined);
  take('projectId', projectId, adapter === 'vertex' ? 'project' : undefined);
  if (adapter === 'bedrock' && (region === undefined || region === null)) {
    draft.note(config, 'promptfoo asks us-east-1 unless AWS_BEDROCK_REGION is set, and so the region is us-east-1');
    place['region'] = 'us-east-1';
  }
  return place;
}

/** Converts the price: promptfoo uses USD per token, llmcheck USD per million tokens. */
function readPrice(config: Written, { cost, inputCost, outputCost }: Settings, draft: Draft): Settings | undefined {
  const [input = cost, output = cost] = [inputCost, outputCost];
  if (typeof input === 'number' && typeof output === 'number')
    return { input: perMillion(input), output: perMillion(output) };
  for (const key of ['cost', 'inputCost', 'outputCost']) {
    if (config.child(key).value !== undefined)
      draft.note(config.child(key), `"${key}" is left out: a price has both input and output`);
  }
  return undefined;
}

function perMillion(usd: number): number {
  return Number((usd * 1e6).toPrecision(12));
}

function readLimits(config: Written, settings: Settings, draft: Draft): Settings | undefined {
  const limits: Record<string, unknown> = {};
  for (const key of ['timeout', 'timeoutMs', 'maxRetries', 'max_retries']) {
    const value = settings[key];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
      draft.note(config.child(key), `"${key}" is left out: it must be a whole number`);
    else if (!key.startsWith('timeout')) limits['retries'] = value;
    else if (value > 0) limits['timeout'] = `${value}ms`;
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}
