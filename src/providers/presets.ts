/** The address of a service and the way it gets the key. */
export interface Preset {
  readonly title: string;
  readonly exampleModel: string;
  /** Undefined where every account has its own address. */
  readonly baseUrl?: string;
  /** A variable that takes the place of `baseUrl`, and the path that follows its value. */
  readonly baseUrlEnv?: { readonly name: string; readonly path: string };
  /** The next step where there is no address, if another than to add one. */
  readonly addressHint?: string;
  /** The variable that holds the key; undefined for servers that need none. */
  readonly apiKeyEnv?: string;
  /** Default `Authorization: Bearer`. */
  readonly keyHeader?: 'api-key' | 'x-api-key' | 'x-goog-api-key';
  /** Sent with every request; the provider's own headers win. */
  readonly headers?: Readonly<Record<string, string>>;
  /** True where the service knows JSON as a format and no schema for it. */
  readonly knowsNoSchema?: true;
  /** The provider's id in the price table. An id the table does not have means: unknown unless the user gives a price. */
  readonly priceProvider: string;
  /** True where a request with a JSON Schema as its response format is refused by some or all models. */
  readonly refusesSchema?: true;
  /** True where `stream_options` is refused; usage comes unasked. */
  readonly refusesOptions?: true;
}

export const openaiPreset: Preset = {
  title: 'OpenAI, and with a baseURL any server that speaks its protocol',
  exampleModel: 'gpt-4o-mini',
  baseUrl: 'https://api.openai.com/v1',
  baseUrlEnv: { name: 'OPENAI_BASE_URL', path: '' },
  apiKeyEnv: 'OPENAI_API_KEY',
  priceProvider: 'openai',
};

/** The adapter names whose only difference is this row. */
export const presets: Readonly<Record<string, Preset>> = {
  openai: openaiPreset,
  azure: {
    title: 'Azure OpenAI (v1 API); the model is the deployment',
    exampleModel: 'gpt-4o',
    baseUrlEnv: { name: 'AZURE_OPENAI_ENDPOINT', path: '/openai/v1' },
    apiKeyEnv: 'AZURE_OPENAI_API_KEY',
    keyHeader: 'api-key',
    priceProvider: 'azure',
  },
  cerebras: {
    title: 'Cerebras',
    exampleModel: 'llama3.1-8b',
    baseUrl: 'https://api.cerebras.ai/v1',
    apiKeyEnv: 'CEREBRAS_API_KEY',
    priceProvider: 'cerebras',
  },
  deepseek: {
    title: 'DeepSeek',
    exampleModel: 'deepseek-chat',
    baseUrl: 'https://api.deepseek.com/v1',
    apiKeyEnv: 'DEEPSEEK_API_KEY',
    knowsNoSchema: true,
    priceProvider: 'deepseek',
    refusesSchema: true,
  },
  fireworks: {
    title: 'Fireworks',
    exampleModel: 'accounts/fireworks/models/llama-v3p3-70b-instruct',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    apiKeyEnv: 'FIREWORKS_API_KEY',
    priceProvider: 'fireworks',
  },
  groq: {
    title: 'Groq',
    exampleModel: 'llama-3.3-70b-versatile',
    baseUrl: 'https://api.groq.com/openai/v1',
    apiKeyEnv: 'GROQ_API_KEY',
    priceProvider: 'groq',
    refusesSchema: true,
  },
  mistral: {
    title: 'Mistral',
    exampleModel: 'mistral-small-latest',
    baseUrl: 'https://api.mistral.ai/v1',
    apiKeyEnv: 'MISTRAL_API_KEY',
    refusesOptions: true,
    priceProvider: 'mistral',
  },
  moonshot: {
    title: 'Moonshot',
    exampleModel: 'kimi-k2-0905-preview',
    baseUrl: 'https://api.moonshot.ai/v1',
    apiKeyEnv: 'MOONSHOT_API_KEY',
    priceProvider: 'moonshotai',
  },
  nvidia: {
    title: 'NVIDIA NIM',
    exampleModel: 'meta/llama-3.1-8b-instruct',
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    apiKeyEnv: 'NVIDIA_API_KEY',
    priceProvider: 'nvidia',
  },
  openrouter: {
    title: 'OpenRouter',
    exampleModel: 'openai/gpt-4o-mini',
    baseUrl: 'https://openrouter.ai/api/v1',
    apiKeyEnv: 'OPENROUTER_API_KEY',
    priceProvider: 'openrouter',
  },
  perplexity: {
    title: 'Perplexity',
    exampleModel: 'sonar',
    baseUrl: 'https://api.perplexity.ai',
    apiKeyEnv: 'PERPLEXITY_API_KEY',
    priceProvider: 'perplexity',
  },
  together: {
    title: 'Together',
    exampleModel: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    baseUrl: 'https://api.together.xyz/v1',
    apiKeyEnv: 'TOGETHER_API_KEY',
    priceProvider: 'together',
  },
  xai: {
    title: 'xAI',
    exampleModel: 'grok-3-mini',
    baseUrl: 'https://api.x.ai/v1',
    apiKeyEnv: 'XAI_API_KEY',
    priceProvider: 'x-ai',
  },
  llamacpp: {
    title: 'A local llama.cpp server',
    exampleModel: 'default',
    baseUrl: 'http://127.0.0.1:8080/v1',
    priceProvider: 'llamacpp',
  },
  lmstudio: {
    title: 'A local LM Studio server',
    exampleModel: 'qwen2.5-7b-instruct',
    baseUrl: 'http://127.0.0.1:1234/v1',
    priceProvider: 'lmstudio',
  },
  ollama: {
    title: 'A local Ollama server',
    exampleModel: 'qwen2.5:7b',
    baseUrl: 'http://127.0.0.1:11434/v1',
    priceProvider: 'ollama',
  },
  vllm: {
    title: 'A local vLLM server',
    exampleModel: 'Qwen/Qwen2.5-7B-Instruct',
    baseUrl: 'http://127.0.0.1:8000/v1',
    priceProvider: 'vllm',
  },
};

/** Services with an API of their own that also speak this protocol at the same host. */
const otherHosts: Readonly<Record<string, string>> = {
  'api.anthropic.com': 'anthropic',
  'generativelanguage.googleapis.com': 'google',
};

/** The provider whose prices a host has: `openai` with DeepSeek's baseURL is priced as DeepSeek. */
export function findPriceProvider(host: string): string | undefined {
  const preset = Object.values(presets).find(({ baseUrl }) => baseUrl !== undefined && new URL(baseUrl).host === host);
  return preset?.priceProvider ?? (Object.hasOwn(otherHosts, host) ? otherHosts[host] : undefined);
}
