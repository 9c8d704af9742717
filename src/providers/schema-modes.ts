import type { ProviderConfig } from '../model/suite/suite.ts';
import { findPriceProvider } from './presets.ts';

/** What an API does with a keyword. `unknown`: its documentation does not say. */
type KeywordSupport = 'taken' | 'ignored' | 'refused' | 'unknown';

/** The keywords of JSON Schema 2020-12 that constrain a value, and the usual annotations. */
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
  /** Last day on which the source was seen to say so, ISO 8601. */
  readonly asOf: string;
}

/** Requirements on a schema besides its keywords. */
interface SchemaRules {
  /** The root schema must have `type: object`. */
  readonly isObjectAtRoot?: true;
  /** Every object must have `additionalProperties: false`. */
  readonly isClosed?: true;
  readonly requiresAllProperties?: true;
  /** Every object must require at least one property. */
  readonly requiresSomeProperty?: true;
  readonly isRecursionRefused?: true;
  readonly formats?: readonly string[];
  /** Largest accepted `minItems`. */
  readonly maxMinItems?: number;
  /** An `enum` may contain only texts, numbers, booleans and null. */
  readonly hasPlainEnums?: true;
  /** Refused parts of regular expressions. */
  readonly refusedPattern?: RegExp;
  /** Beside a `$ref`, only keywords with a leading `$` are accepted. */
  readonly isRefAlone?: true;
  /** `allOf` must not contain a `$ref`. */
  readonly isAllOfWithoutRef?: true;
  /** A property's schema can't be `true` or `false`, and `items` can't be a list. */
  readonly hasPlainParts?: true;
  readonly limits?: SchemaLimits;
}

export interface SchemaLimits {
  readonly properties?: number;
  /** Nesting of objects, without the root. */
  readonly depth?: number;
  readonly enumValues?: number;
  /** Limit on the characters in all names of properties and definitions, and all values of `enum` and `const`. */
  readonly characters?: number;
  readonly optionalProperties?: number;
  /** Number of properties with an `anyOf` or several types. */
  readonly unions?: number;
}

/** How one API treats the JSON Schema of an answer or of a strict tool's arguments. */
export interface SchemaMode {
  readonly title: string;
  /** True if strictness is optional. Without it, the API accepts any schema. */
  readonly hasFlag: boolean;
  /** True if tools are strict without `strict: true`. */
  readonly hasStrictTools: boolean;
  readonly groups: readonly SupportGroup[];
  /** Support of keywords that are in no group. */
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

/** Servers that speak the OpenAI protocol without documented keywords: the requirements that all strict modes share. */
const compatible: SchemaMode = { ...groq, title: 'the strict mode of the API', groups: [] };

const anthropicGuide = {
  source: 'https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations',
  asOf: '2026-10-04',
};

const claudeTaken = `${openaiShape} default items minItems anyOf allOf format pattern`;

/**
 * Keywords that the documentation names neither as supported nor as refused. Anthropic's SDK moves them into the
 * description.
 */
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

/** The model ignores unknown keywords. */
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

/** Adapters whose mode has another name. */
const otherNames: Readonly<Record<string, SchemaMode>> = { vertex: gemini, google: gemini, 'x-ai': xai, aws: bedrock };

/** Finds how a provider's API treats schemas; undefined for the user's own programs and endpoints. */
export function findSchemaMode({
  adapter,
  baseUrl,
  model,
  plugin,
}: Pick<ProviderConfig, 'adapter' | 'baseUrl' | 'model' | 'plugin'>): SchemaMode | undefined {
  if (plugin !== undefined || ['http', 'exec', 'module', 'echo', 'replay'].includes(adapter)) return undefined;
  // With the OpenAI protocol, the address shows which service it is.
  const served = adapter === 'openai' && baseUrl !== undefined ? findPriceProvider(new URL(baseUrl).host) : undefined;
  const name = served ?? adapter;
  // The compatible endpoints of Anthropic and Google follow other rules.
  if (adapter === 'openai' && (name === 'anthropic' || name === 'google')) return compatible;
  if (name === 'openai' && model.startsWith('ft:')) return openaiFineTuned;
  const modes: Readonly<Record<string, SchemaMode>> = { ...schemaModes, ...otherNames };
  return Object.hasOwn(modes, name) ? modes[name] : compatible;
}

/** Finds a mode's support of a keyword, with its source. */
export function findSupport(
  { groups, unlisted }: SchemaMode,
  keyword: string,
): Pick<SupportGroup, 'support'> & Partial<Pick<SupportGroup, 'source' | 'asOf'>> {
  const group = groups.find(({ keywords }) => keywords.split(' ').includes(keyword));
  if (group === undefined) return { support: unlisted };
  const { support, source, asOf } = group;
  return { support, source, asOf };
}
