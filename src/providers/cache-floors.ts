/** The shortest prefix of a request that a vendor caches. */
export interface CacheFloor {
  readonly vendor: string;
  readonly tokens: number;
  readonly source: string;
  /** Last day on which the source was seen to say so, ISO 8601. */
  readonly asOf: string;
}

interface FloorTable extends Omit<CacheFloor, 'tokens'> {
  /** Model patterns; the first match decides. */
  readonly models: readonly (readonly [RegExp, number])[];
}

const claude = 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching#cache-limitations';
const openai: FloorTable = {
  vendor: 'OpenAI',
  source: 'https://developers.openai.com/api/docs/guides/prompt-caching#requirements',
  asOf: '2026-08-27',
  models: [[/./, 1024]],
};
const gemini: FloorTable = {
  vendor: 'Gemini',
  source: 'https://ai.google.dev/gemini-api/docs/caching#implicit-caching',
  asOf: '2026-10-13',
  models: [
    [/gemini-2\.5/, 2048],
    [/gemini-[3-9]/, 4096],
  ],
};

/** Floors by adapter. A model or vendor is missing if its documentation names no floor. */
const floors: Readonly<Record<string, FloorTable>> = {
  openai,
  azure: {
    ...openai,
    vendor: 'Azure',
    source: 'https://learn.microsoft.com/azure/ai-foundry/openai/how-to/prompt-caching',
  },
  anthropic: {
    vendor: 'Anthropic',
    source: claude,
    asOf: '2026-10-04',
    models: [
      [/claude-(opus-5|sonnet-5-5|fable|mythos-[5-9])/, 512],
      [/claude-(mythos-preview|opus-4-7|3-5-haiku|3-haiku|haiku-3)/, 2048],
      [/claude-(opus-4-[56]|haiku-4-5)/, 4096],
      [/claude-(opus-4|sonnet|3-7-sonnet|3-5-sonnet|3-opus)/, 1024],
    ],
  },
  bedrock: {
    vendor: 'Bedrock',
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html#prompt-caching-models',
    asOf: '2026-10-04',
    models: [
      [/claude-(opus-5|sonnet-5-5|fable|mythos-[5-9])/, 512],
      [/claude-(mythos-preview|opus-4-[56]|sonnet-4-5|haiku-4-5)/, 4096],
      [/claude-3-5-haiku/, 2048],
      [/claude-(opus-4|sonnet-[45]|sonnet-4-6|3-7-sonnet)/, 1024],
    ],
  },
  gemini,
  vertex: gemini,
};

/** Finds the cache floor of a model; undefined if unknown. */
export function findCacheFloor({
  adapter,
  model,
}: {
  readonly adapter: string;
  readonly model: string;
}): CacheFloor | undefined {
  if (!Object.hasOwn(floors, adapter)) return undefined;
  const { models, ...vendor } = floors[adapter] ?? openai;
  const tokens = models.find(([pattern]) => pattern.test(model))?.[1];
  return tokens === undefined ? undefined : { ...vendor, tokens };
}
