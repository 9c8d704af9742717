import { defined } from '../../../json/defined.ts';
import { nameSet } from '../../../text/name-set.ts';
/** A model of another tool, in a suite's notation. */
export interface ConvertedModel {
  readonly use: string;
  readonly adapter: string;
  readonly model: string;
  readonly api?: 'responses';
  /** Address, for a service without an adapter that speaks the OpenAI protocol. */
  readonly baseURL?: string;
  readonly apiKeyEnv?: string;
  /** True if promptfoo uses another API for this model than llmcheck. */
  readonly isOtherApi?: true;
  /** Default parameters, if they differ from those of other models. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** The only settings that promptfoo sends. */
  readonly sent?: ReadonlySet<string>;
}

interface Service extends Pick<ConvertedModel, 'defaults' | 'sent'> {
  readonly adapter: string;
  /** Words before the model's name that mean a chat with a text answer. */
  readonly chat?: readonly string[];
  readonly responses?: true;
  readonly baseURL?: string;
  readonly apiKeyEnv?: string;
  /** True if a model must have one of these words before it. */
  readonly needsKind?: true;
}

const huggingFace: Service = {
  adapter: 'openai',
  chat: ['chat'],
  needsKind: true,
  baseURL: 'https://router.huggingface.co/v1',
  apiKeyEnv: 'HF_TOKEN',
};

const servicesByPrefix: Readonly<Record<string, Service>> = {
  openai: { adapter: 'openai', chat: ['chat'], responses: true },
  azure: { adapter: 'azure', chat: ['chat'], responses: true, needsKind: true },
  azureopenai: { adapter: 'azure', chat: ['chat'], responses: true, needsKind: true },
  anthropic: { adapter: 'anthropic', chat: ['messages'] },
  google: { adapter: 'gemini' },
  vertex: { adapter: 'vertex' },
  mistral: { adapter: 'mistral', defaults: { max_tokens: 1024 } },
  groq: { adapter: 'groq', responses: true },
  deepseek: { adapter: 'deepseek' },
  openrouter: { adapter: 'openrouter' },
  together: { adapter: 'together' },
  togetherai: { adapter: 'together', chat: ['chat'] },
  perplexity: { adapter: 'perplexity' },
  cerebras: { adapter: 'cerebras' },
  cohere: { adapter: 'cohere', defaults: { temperature: 0, max_tokens: 1024 } },
  fireworks: { adapter: 'fireworks' },
  nvidia: { adapter: 'nvidia' },
  moonshot: { adapter: 'moonshot' },
  hyperbolic: { adapter: 'openai', baseURL: 'https://api.hyperbolic.xyz/v1', apiKeyEnv: 'HYPERBOLIC_API_KEY' },
  llamaapi: {
    adapter: 'openai',
    chat: ['chat'],
    baseURL: 'https://api.llama.com/compat/v1',
    apiKeyEnv: 'LLAMA_API_KEY',
  },
  localai: {
    adapter: 'openai',
    chat: ['chat'],
    baseURL: 'http://localhost:8080/v1',
    defaults: { temperature: 0.7 },
    sent: new Set(['temperature']),
  },
  litellm: {
    adapter: 'openai',
    chat: ['chat'],
    baseURL: 'http://0.0.0.0:4000',
    apiKeyEnv: 'LITELLM_API_KEY',
    defaults: {},
  },
  xai: { adapter: 'xai', responses: true },
  ollama: { adapter: 'ollama', chat: ['chat', 'completion'] },
  bedrock: { adapter: 'bedrock', chat: ['converse'] },
  huggingface: huggingFace,
  hf: huggingFace,
  github: { adapter: 'openai', baseURL: 'https://models.github.ai/inference', apiKeyEnv: 'GITHUB_TOKEN' },
};

/** Words before a model's name that mean another kind of request or answer than a chat. */
const otherKindPattern =
  /^(?:embeddings?|moderation|image|video|audio|realtime|live|transcription|assistant|tts|speech|voice|agents?|foundry-agent|chatkit|codex(?:-.*)?|completion|knowledge-base|kb|nova-sonic|rerank|claude-agent-sdk.*|claude-code.*|feature-extraction|sentence-similarity|text-classification|text-generation|token-classification)$/;

/** Models without chat, or with a question or answer that is no text. */
const otherModelPattern =
  /whisper|transcribe|(?:^|[-/])tts|realtime|(?:^|[-/])sora|dall-e|gpt-image|(?:^|[-/])live(?:-|$)|imagen|veo-|-image(?:-|$)|embed|moderation|nova-sonic|nova-reel|luma\.ray|davinci|babbage|-instruct-\d{4}$|gpt-3\.5-turbo-instruct/;

/** Models that promptfoo calls through the Responses API by default. */
const responsesModelPattern =
  /^(?:gpt-5\.6-(?:sol|terra|luna)|gpt-5(?:\.\d)?-(?:pro|codex)(?:-[\w-]+)?|o[13]-pro(?:-[\d-]+)?|o[34](?:-mini)?-deep-research(?:-[\d-]+)?|computer-use-preview(?:-[\d-]+)?|gpt-4o-2024-07-18)$/;

/**
 * Converts `openai:chat:gpt-4o` to `openai:gpt-4o`; undefined for code, unknown services and other kinds than chats.
 */
export function convertModel(id: string): ConvertedModel | undefined {
  const colon = id.indexOf(':');
  if (colon === -1) return undefined;
  const name = id.slice(0, colon);
  const service = Object.hasOwn(servicesByPrefix, name) ? servicesByPrefix[name] : undefined;
  if (service === undefined) return undefined;
  const { adapter, chat = [], responses, needsKind, ...more } = service;
  const rest = id.slice(colon + 1);
  const [first = ''] = rest.split(':', 1);
  const isChat = chat.includes(first);
  const hasKind = isChat || (responses === true && first === 'responses');
  const isResponses = hasKind ? !isChat : name === 'openai' && responsesModelPattern.test(rest);
  if (!hasKind && (needsKind === true || otherKindPattern.test(first))) return undefined;
  const model = hasKind ? rest.slice(first.length + 1) : rest;
  if (model === '' || otherModelPattern.test(model)) return undefined;
  // The adapter supports only Google's own models.
  if (adapter === 'vertex' && !model.startsWith('gemini')) return undefined;
  return {
    use: `${adapter}:${model}`,
    adapter,
    model,
    ...defined({ api: isResponses ? ('responses' as const) : undefined }),
    ...more,
    ...defined({
      isOtherApi: adapter === 'ollama' || (adapter === 'bedrock' && !isChat) ? (true as const) : undefined,
    }),
  };
}

/** True for Claude models that reject temperature, top_p and top_k. promptfoo sends none of them. */
export function hasFixedSampling(model: string): boolean {
  return /(?:^|[^a-z0-9])claude-(?:opus-4-[78]|(?:opus|sonnet|fable|mythos)-5)(?!\d)/i.test(model);
}

/** True for models that get no temperature and no max_tokens from promptfoo. */
export function isReasoningModel(model: string): boolean {
  return /(?:^|\/)(?:ft:)?(?:o1|o3|o4|gpt-5|gpt-6|codex-mini-latest)/.test(model);
}

/** True for reasoning models that get a temperature from promptfoo anyway. */
export function reasonsWarm(adapter: string, model: string): boolean {
  if (adapter === 'groq') return /gpt-oss|qwen/.test(model);
  return adapter === 'xai' && /^grok-(?:4|3-mini|build|code|latest$)/.test(model) && !model.includes('non-reasoning');
}

const knownProviders = nameSet(
  'a2a browser echo http https llama mcp n8n openclaw opencode openinterpreter sequence slack websocket ws wss',
);
const knownServices = nameSet(
  'a2a abliteration agentic ai21 aimlapi alibaba alicloud aliyun anthropic atlascloud azure azureopenai bam bedrock bedrock-agent cerebras cloudera cloudflare-ai cloudflare-gateway cohere cometapi dashscope databricks deepseek docker elevenlabs envoy exec f5 fal file fireworks github golang google groq helicone hf http https huggingface hyperbolic jfrog litellm llama llamaapi localai mcp meta minimax mistral mlflow-gateway modelslab moonshot n8n novita nscale nvidia ollama openai openclaw opencode openinterpreter openrouter orcarouter package palm perplexity portkey promptfoo python quiverai qwak replicate ruby sagemaker slack snowflake together togetherai transformers transformers.js truefoundry vercel vertex voyage watsonx webhook ws wss xai',
);

/** False for a provider that makes promptfoo stop. */
export function isKnownProvider(id: string): boolean {
  const [service = '', ...rest] = id.split(':');
  return rest.length === 0 ? knownProviders.has(id) || /\.\w+$/.test(id) : knownServices.has(service);
}
