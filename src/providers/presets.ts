/** A service's address and the way it takes the key. */
export interface Preset {
  readonly title: string;
  readonly exampleModel: string;
  /** Undefined if every account has its own address. */
  readonly baseUrl?: string;
  /** Variable that replaces `baseUrl`, and the path appended to its value. */
  readonly baseUrlEnv?: { readonly name: string; readonly path: string };
  /** Next step if there is no address. Default: add one. */
  readonly addressHint?: string;
  /** Variable that holds the key; undefined for servers without keys. */
  readonly apiKeyEnv?: string;
  /** Default `Authorization: Bearer`. */
  readonly keyHeader?: 'api-key' | 'x-api-key' | 'x-goog-api-key';
  /** Headers of every request. The provider's own headers win. */
  readonly headers?: Readonly<Record<string, string>>;
  /** True if the service accepts JSON as a format, but no schema for it. */
  readonly knowsNoSchema?: true;
  /** Provider id in the price table. If the table lacks it, prices are unknown unless the user gives one. */
  readonly priceProvider: string;
  /** True if some or all models refuse a JSON Schema as response format. */
  readonly refusesSchema?: true;
  /** True if the service refuses `stream_options`. It reports usage anyway. */
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

/** Adapters that differ only in their preset, by name. */
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

/** Hosts of services with another adapter that also speak this protocol. */
const otherHosts: Readonly<Record<string, string>> = {
  'api.anthropic.com': 'anthropic',
  'generativelanguage.googleapis.com': 'google',
};

/** Finds the provider that a host is priced as: `openai` with DeepSeek's baseURL is priced as DeepSeek. */
export function findPriceProvider(host: string): string | undefined {
  const preset = Object.values(presets).find(({ baseUrl }) => baseUrl !== undefined && new URL(baseUrl).host === host);
  return preset?.priceProvider ?? (Object.hasOwn(otherHosts, host) ? otherHosts[host] : undefined);
}
