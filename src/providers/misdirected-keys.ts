import type { Endpoint } from '../model/provider.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { presets } from './presets.ts';

/** A key that would go to an address that does not belong to the key's service. */
export interface MisdirectedKey {
  readonly variable: string;
  /** Of the service that the key belongs to. */
  readonly owner: string;
  /** Where it is sent. */
  readonly host: string;
  /** The variable of an env file that names the address; undefined where the suite or the config does. */
  readonly movedBy?: string;
}

export interface KeyContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables whose values come from an env file. */
  readonly fileVariables: ReadonlySet<string>;
}

/** Variables that are widely used for the key of one service, with the domains of that service. */
const otherOwners: Readonly<Record<string, readonly string[]>> = {
  OPENAI_ADMIN_KEY: ['openai.com'],
  OPENAI_API_KEY: ['openai.com'],
  ANTHROPIC_API_KEY: ['anthropic.com'],
  ANTHROPIC_AUTH_TOKEN: ['anthropic.com'],
  GEMINI_API_KEY: ['googleapis.com'],
  GOOGLE_API_KEY: ['googleapis.com'],
  GOOGLE_ACCESS_TOKEN: ['googleapis.com'],
  AZURE_OPENAI_API_KEY: ['openai.azure.com', 'cognitiveservices.azure.com', 'services.ai.azure.com'],
  CO_API_KEY: ['cohere.com', 'cohere.ai'],
  COHERE_API_KEY: ['cohere.com', 'cohere.ai'],
  GITHUB_TOKEN: ['github.com', 'github.ai', 'githubcopilot.com', 'models.inference.ai.azure.com'],
  GH_TOKEN: ['github.com', 'github.ai', 'githubcopilot.com', 'models.inference.ai.azure.com'],
  HF_TOKEN: ['huggingface.co', 'hf.co', 'huggingface.cloud'],
  HUGGINGFACE_API_KEY: ['huggingface.co', 'hf.co', 'huggingface.cloud'],
  NPM_TOKEN: ['npmjs.org', 'npmjs.com'],
  VOYAGE_API_KEY: ['voyageai.com'],
};

const owners: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.values(presets).flatMap(({ apiKeyEnv, baseUrl }) =>
    apiKeyEnv === undefined || baseUrl === undefined ? [] : [[apiKeyEnv, [new URL(baseUrl).hostname]] as const],
  ),
  ...Object.entries(otherOwners),
]);

/** Any AWS customer can have a host below amazonaws.com, so only those of Bedrock count. */
const bedrockHost = /(?:^|\.)bedrock(?:-[a-z]+)*\.[a-z0-9-]+(?:\.vpce)?\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;

/** Undefined for a variable that is not known as the key of one service. */
function ownerOf(variable: string): { readonly owner: string; owns(host: string): boolean } | undefined {
  if (/^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|BEARER_TOKEN_BEDROCK)$/.test(variable)) {
    return { owner: 'Amazon Bedrock', owns: (host) => bedrockHost.test(host) };
  }
  const domains = owners.get(variable);
  if (domains === undefined) return undefined;
  const owns = (host: string) => domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  return { owner: domains[0] ?? '', owns };
}

/** True for an address of the service that a key belongs to. */
export function isOwnAddress(variable: string, baseUrl: string): boolean {
  return ownerOf(variable)?.owns(new URL(baseUrl).hostname) === true;
}

/** True for a variable that is known as the key of one service. */
export function isKnownKey(variable: string): boolean {
  return ownerOf(variable) !== undefined;
}

/**
 * The well-known keys that a provider would send to the address of another service. An address that the user's own
 * environment moves (`OPENAI_BASE_URL`) is intended; one that a file moves may be a surprise.
 */
export function listMisdirectedKeys(
  config: ProviderConfig,
  { apiKeyEnv, baseUrl, movedBy, secretEnv = [] }: Endpoint,
  { env, fileVariables }: KeyContext,
): readonly MisdirectedKey[] {
  if (baseUrl === undefined) return [];
  const isMovedByFile = movedBy !== undefined && fileVariables.has(movedBy.variable);
  const address = movedBy === undefined || isMovedByFile ? baseUrl : movedBy.from;
  if (address === undefined) return [];
  const { hostname } = new URL(address);
  const host = new URL(baseUrl).hostname;
  const headers = Object.values(config.headers).flatMap((value) => (typeof value === 'string' ? [] : [value.env]));
  // A base URL in the suite gets no signed requests.
  const signing = config.baseUrl === undefined ? secretEnv.filter((name) => (env[name] ?? '') !== '') : [];
  return [...new Set([apiKeyEnv ?? [], headers, signing].flat())].flatMap((variable) => {
    const known = ownerOf(variable);
    if (known === undefined || known.owns(hostname)) return [];
    // A file that holds both the address and the key gives away only its own key.
    if (isMovedByFile && fileVariables.has(variable)) return [];
    return [{ variable, owner: known.owner, host, ...(isMovedByFile ? { movedBy: movedBy.variable } : {}) }];
  });
}
