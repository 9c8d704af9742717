import type { ProviderConfig } from '../model/suite.ts';
import { findPriceProvider } from './presets.ts';

/** What an API does with a keyword: `unknown` where its documentation does not say. */
type KeywordSupport = 'taken' | 'ignored' | 'refused' | 'unknown';

/** The keywords of JSON Schema 2020-12 that say something of a value, and the usual annotations. */
export const schemaKeywords: readonly string[] = [
  'type enum const $ref $defs definitions title description default examples',
  'properties required additionalProperties patternProperties propertyNames minProperties maxProperties',
  'dependentRequired dependentSchemas unevaluatedProperties',
  'items prefixItems contains minContains maxContains minItems maxItems uniqueItems unevaluatedItems',
  'minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf',
  'allOf anyOf oneOf not if then else',
].flatMap((line) => line.split(' '));

interface SupportGroup {
  readonly support: KeywordSupport;
  /** Separated by spaces. */
  readonly keywords: string;
  readonly source: string;
  /** The last day on which the source is known to have said so, ISO 8601. */
  readonly asOf: string;
}

/** What must hold of a schema beside its keywords. */
interface SchemaRules {
  /** The outermost schema has `type: object`. */
  readonly isObjectAtRoot?: true;
  /** Every object has `additionalProperties: false`. */
  readonly isClosed?: true;
  readonly requiresAllProperties?: true;
  /** Every object requires at least one property. */
  readonly requiresSomeProperty?: true;
  readonly isRecursionRefused?: true;
  readonly formats?: readonly string[];
  /** The largest `minItems`. */
  readonly maxMinItems?: number;
  /** An `enum` holds texts, numbers, booleans and null. */
  readonly hasPlainEnums?: true;
  /** Parts of a regular expression that are refused. */
  readonly refusedPattern?: RegExp;
  /** Beside a `$ref`, only keywords that begin with `$` are taken. */
  readonly isRefAlone?: true;
  /** `allOf` holds no `$ref`. */
  readonly isAllOfWithoutRef?: true;
  /** `true` and `false` are no schemas of properties, and `items` is no list. */
  readonly hasPlainParts?: true;
  readonly limits?: SchemaLimits;
}

export interface SchemaLimits {
  readonly properties?: number;
  /** Objects within objects, the outermost not counted. */
  readonly depth?: number;
  readonly enumValues?: number;
  /** The limit on characters in all names of properties and definitions, and in all values of `enum` and `const`. */
  readonly characters?: number;
  readonly optionalProperties?: number;
  /** Properties that are an `anyOf` or have several types. */
  readonly unions?: number;
}

/** How one API reads a JSON Schema that the whole answer, or the arguments of a strict tool, must follow. */
export interface SchemaMode {
  readonly title: string;
  /** True where a request can leave strictness out, and any schema is then taken. */
  readonly hasFlag: boolean;
  /** True where a tool needs no `strict: true`. */
  readonly hasStrictTools: boolean;
  readonly groups: readonly SupportGroup[];
  /** The support of keywords that no group has. */
  readonly unlisted: KeywordSupport;
  readonly rules: SchemaRules;
}

const openaiGuide = {
  source: 'https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas',
  asOf: '2026-08-23',
};

const openaiShape = 'type enum const $ref $defs definitions title description properties required additionalProperties';

const openaiRefused =
  'allOf oneOf not if then else dependentRequired dependentSchemas patternProperties propertyNames minProperties maxProperties unevaluatedProperties unevaluatedItems prefixItems contains minContains maxContains uniqueItems';

const openaiRules: SchemaRules = { isObjectAtRoot: true, isClosed: true, requiresAllProperties: true };

const openaiLimits: SchemaLimits = { properties: 5000, depth: 10, enumValues: 1000, characters: 120_000 };

const commonFormats = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'] as const;

const openai: SchemaMode = {
  title: "OpenAI's strict mode",
  hasFlag: true,
  hasStrictTools: false,
  groups: [
    { support: 'taken', keywords: `${openaiShape} items anyOf pattern format minLength maxLength`, ...openaiGuide },
    {
      support: 'taken',
      keywords: 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems',
      ...openaiGuide,
    },
    { support: 'refused', keywords: openaiRefused, ...openaiGuide },
  ],
  unlisted: 'unknown',
  rules: { ...openaiRules, formats: commonFormats, limits: openaiLimits },
};

const olderConstraints =
  'minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems';

const openaiFineTuned: SchemaMode = {
  ...openai,
  title: "OpenAI's strict mode for fine-tuned models",
  groups: [
    { support: 'taken', keywords: `${openaiShape} items anyOf`, ...openaiGuide },
    { support: 'refused', keywords: `${olderConstraints} ${openaiRefused}`, ...openaiGuide },
  ],
  rules: { ...openaiRules, limits: openaiLimits },
};

const azureGuide = {
  source: 'https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs',
  asOf: '2026-09-30',
};

const azure: SchemaMode = {
  ...openai,
  title: "Azure's strict mode",
  groups: [
    { support: 'taken', keywords: `${openaiShape} items anyOf`, ...azureGuide },
    { support: 'refused', keywords: `${olderConstraints} ${openaiRefused}`, ...azureGuide },
  ],
  rules: { ...openaiRules, limits: { properties: 100, depth: 5 } },
};

const groq: SchemaMode = {
  title: "Groq's strict mode",
  hasFlag: true,
  hasStrictTools: false,
  groups: [
    {
      support: 'taken',
      keywords: 'type properties required additionalProperties',
      source: 'https://console.groq.com/docs/structured-outputs',
      asOf: '2026-06-30',
    },
  ],
  unlisted: 'unknown',
  rules: openaiRules,
};

/** Servers that speak the OpenAI protocol and document no list: what all strict modes demand. */
const compatible: SchemaMode = { ...groq, title: 'the strict mode of the API', groups: [] };

const anthropicGuide = {
  source: 'https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations',
  asOf: '2026-10-04',
};

const claudeTaken = `${openaiShape} default items minItems anyOf allOf format pattern`;

/** Neither listed as taken nor by name as refused; Anthropic's own SDK moves them into the description. */
const claudeUnlisted = {
  support: 'refused',
  keywords:
    'oneOf not if then else dependentRequired dependentSchemas patternProperties propertyNames minProperties maxProperties unevaluatedProperties unevaluatedItems prefixItems contains minContains maxContains',
  source: 'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/lib/transform-json-schema.ts',
  asOf: '2026-10-04',
} as const;

const claudeRefused =
  'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems uniqueItems';

const bedrockRules: SchemaRules = {
  isClosed: true,
  isRecursionRefused: true,
  formats: [...commonFormats, 'uri'],
  maxMinItems: 1,
  hasPlainEnums: true,
};

const claudeRules: SchemaRules = {
  ...bedrockRules,
  isAllOfWithoutRef: true,
  refusedPattern: /\\[1-9kbB]|\(\?[=!<]/,
};

const anthropic: SchemaMode = {
  title: "Anthropic's structured output",
  hasFlag: false,
  hasStrictTools: false,
  groups: [
    { support: 'taken', keywords: claudeTaken, ...anthropicGuide },
    { support: 'refused', keywords: claudeRefused, ...anthropicGuide },
    claudeUnlisted,
  ],
  unlisted: 'unknown',
  rules: { ...claudeRules, limits: { optionalProperties: 24, unions: 16 } },
};

const bedrockGuide = {
  source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html',
  asOf: '2026-10-04',
};

const bedrock: SchemaMode = {
  title: "Bedrock's structured output",
  hasFlag: false,
  hasStrictTools: false,
  groups: [
    {
      support: 'taken',
      keywords: `${openaiShape} items minItems anyOf allOf format`,
      ...bedrockGuide,
    },
    {
      support: 'refused',
      keywords: 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength',
      ...bedrockGuide,
    },
  ],
  unlisted: 'unknown',
  rules: bedrockRules,
};

const geminiReference = { source: 'https://ai.google.dev/api/generate-content#generationconfig', asOf: '2026-10-13' };
const geminiGuide = { source: 'https://ai.google.dev/gemini-api/docs/structured-output', asOf: '2026-10-13' };

const geminiTaken =
  '$ref $defs type format title description enum items prefixItems minItems maxItems minimum maximum anyOf oneOf properties additionalProperties required';

/** The model ignores what it does not know. */
const gemini: SchemaMode = {
  title: "Gemini's schema mode",
  hasFlag: false,
  hasStrictTools: true,
  groups: [
    { support: 'taken', keywords: geminiTaken, ...geminiReference },
    {
      support: 'ignored',
      keywords: schemaKeywords.filter((keyword) => !geminiTaken.split(' ').includes(keyword)).join(' '),
      ...geminiGuide,
    },
  ],
  unlisted: 'ignored',
  rules: { isRefAlone: true },
};

const cohereGuide = { source: 'https://docs.cohere.com/docs/structured-outputs', asOf: '2026-05-31' };

const cohere: SchemaMode = {
  title: "Cohere's structured output",
  hasFlag: false,
  hasStrictTools: false,
  groups: [
    { support: 'taken', keywords: 'type properties required items enum const pattern format', ...cohereGuide },
    {
      support: 'refused',
      keywords: 'allOf oneOf not minimum maximum minItems maxItems minLength maxLength uniqueItems',
      ...cohereGuide,
    },
  ],
  unlisted: 'unknown',
  rules: {
    isObjectAtRoot: true,
    requiresSomeProperty: true,
    formats: ['date-time', 'uuid', 'date', 'time'],
    refusedPattern: /[\^$]|\(\?[=!]/,
  },
};

const xaiGuide = {
  source: 'https://docs.x.ai/developers/model-capabilities/text/structured-outputs#json-schema-support',
  asOf: '2026-10-31',
};

const xai: SchemaMode = {
  title: "xAI's structured output",
  hasFlag: false,
  hasStrictTools: true,
  groups: [
    {
      support: 'taken',
      keywords: 'type enum const $ref $defs properties required additionalProperties items prefixItems anyOf oneOf',
      ...xaiGuide,
    },
    { support: 'taken', keywords: 'allOf pattern format', ...xaiGuide },
    { support: 'ignored', keywords: 'not if then else', ...xaiGuide },
    { support: 'refused', keywords: 'minContains maxContains', ...xaiGuide },
  ],
  unlisted: 'unknown',
  rules: { isRecursionRefused: true, hasPlainParts: true },
};

export const schemaModes = {
  openai,
  openaiFineTuned,
  azure,
  groq,
  anthropic,
  bedrock,
  gemini,
  cohere,
  xai,
  compatible,
} satisfies Readonly<Record<string, SchemaMode>>;

/** Adapters whose mode has another name than they. */
const otherNames: Readonly<Record<string, SchemaMode>> = { vertex: gemini, google: gemini, 'x-ai': xai, aws: bedrock };

/** How the API of a provider reads schemas; undefined for programs and endpoints of the user's own. */
export function findSchemaMode({
  adapter,
  baseUrl,
  model,
  plugin,
}: Pick<ProviderConfig, 'adapter' | 'baseUrl' | 'model' | 'plugin'>): SchemaMode | undefined {
  if (plugin !== undefined || ['http', 'exec', 'module', 'echo', 'replay'].includes(adapter)) return undefined;
  // The OpenAI protocol leads to many services, and the address says to which.
  const served = adapter === 'openai' && baseUrl !== undefined ? findPriceProvider(new URL(baseUrl).host) : undefined;
  const name = served ?? adapter;
  // The compatible endpoints of Anthropic and Google have rules of their own.
  if (adapter === 'openai' && (name === 'anthropic' || name === 'google')) return compatible;
  if (name === 'openai' && model.startsWith('ft:')) return openaiFineTuned;
  const modes: Readonly<Record<string, SchemaMode>> = { ...schemaModes, ...otherNames };
  return Object.hasOwn(modes, name) ? modes[name] : compatible;
}

/** What a mode does with a keyword, and who says so. */
export function findSupport(
  { groups, unlisted }: SchemaMode,
  keyword: string,
): Pick<SupportGroup, 'support'> & Partial<Pick<SupportGroup, 'source' | 'asOf'>> {
  const group = groups.find(({ keywords }) => keywords.split(' ').includes(keyword));
  if (group === undefined) return { support: unlisted };
  const { support, source, asOf } = group;
  return { support, source, asOf };
}
