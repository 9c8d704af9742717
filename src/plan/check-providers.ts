import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { Project, ProviderConfig, Suite } from '../model/suite/suite.ts';
import { findAdapter, lookupAdapter } from '../providers/index.ts';
import { presets } from '../providers/presets.ts';
import { findRetirement, type Retirement } from '../providers/retirements.ts';
import { shellWord } from '../text/code/command-line.ts';
import { formatCount } from '../text/format-amount.ts';
import type { PlannedRun } from './plan-run.ts';

/** The variables of keys that providers and judges of the project would send, and that are not set. */
export function findMissingKeys(
  { suites, root }: Project,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const names = suites.flatMap((suite) =>
    providersAndJudges(suite).flatMap((provider) => {
      const endpoint = lookupAdapter(provider.adapter)?.resolve(provider, { env, projectRoot: root });
      return endpoint?.sends === true ? (endpoint.apiKeyEnv ?? []) : [];
    }),
  );
  return [...new Set(names)].filter((name) => (env[name] ?? '') === '');
}

/** A warning for each well-known key that a project sends to another service, or keeps from its own. */
export function findMisdirectedKeys({ suites, cache, root }: Project, context: KeyContext): readonly Problem[] {
  const found = new Map<string, Problem>();
  for (const provider of suites.flatMap(providersAndJudges)) {
    const endpoint = findAdapter(provider)?.resolve(provider, { env: context.env, projectRoot: root });
    if (endpoint === undefined) continue;
    const problems = [...describeKeys(provider, endpoint, context), ...describeWithheld(provider, endpoint, context)];
    for (const problem of problems) found.set(problem.message, problem);
  }
  const password = cache?.passwordEnv;
  if (password !== undefined && isKnownKey(password)) {
    const message = `the shared cache is sent ${password} as its password, which is the key of another service`;
    found.set(message, { code: 'foreign-key', severity: 'warning', message, hint: keyHint });
  }
  return [...found.values()];
}

function providersAndJudges({ providers, judges, askedModels }: Suite): readonly ProviderConfig[] {
  return [...providers, ...judges, ...askedModels];
}

const keyHint = 'give that address a key of its own, in a variable of another name';

function describeKeys(provider: ProviderConfig, endpoint: Endpoint, context: KeyContext): readonly Problem[] {
  return listMisdirectedKeys(provider, endpoint, context).map(({ variable, owner, host, movedBy }) => {
    const move = movedBy === undefined ? '' : `, where ${movedBy} of the env file leads`;
    return {
      code: 'foreign-key',
      severity: 'warning',
      message: `provider ${provider.id} sends ${variable}, a key of ${owner}, to ${host}${move}`,
      hint: keyHint,
      ...defined({ at: provider.at }),
    };
  });
}

/** A service that is named by its own address refuses requests without its key. */
function describeWithheld(
  { id, at }: ProviderConfig,
  { withheldKeyEnv, baseUrl }: Endpoint,
  { env }: KeyContext,
): readonly Problem[] {
  if (withheldKeyEnv === undefined || baseUrl === undefined || (env[withheldKeyEnv] ?? '') === '') return [];
  if (!isOwnAddress(withheldKeyEnv, baseUrl)) return [];
  const message = `provider ${id} sends no key to ${new URL(baseUrl).hostname}: it has baseURL and no apiKeyEnv`;
  const hint = `add apiKeyEnv: ${withheldKeyEnv}, or leave baseURL out`;
  return [{ code: 'missing-key', severity: 'warning', message, hint, ...defined({ at }) }];
}

const dayMs = 86_400_000;
const noticeDays = 60;

interface RetirementOptions {
  readonly planned: Pick<PlannedRun, 'plan' | 'endpointOf'>;
  /** True if a suite's answers are recorded, so that the end of a model does not affect it. */
  readonly answersFromStoreOnly: (suite: Suite) => boolean;
  readonly now: Date;
  /** The candidates of `--swap`. */
  readonly candidates?: readonly string[];
}

/** Names each model of a plan that its vendor shuts down within 60 days, or has shut down. */
export function findRetirements({
  planned,
  answersFromStoreOnly,
  now,
  candidates = [],
}: RetirementOptions): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const { suite, variants } of planned.plan.suites) {
    if (answersFromStoreOnly(suite)) continue;
    const used = variants.filter((variant) => variant.planned + variant.observed > 0).map(({ provider }) => provider);
    for (const provider of new Set([...used, ...suite.askedModels])) {
      const { sends, priceProvider } = planned.endpointOf(provider);
      const retirement = sends ? findRetirement({ ...provider, ...defined({ priceProvider }) }) : undefined;
      const message = retirement === undefined ? undefined : describeRetirement(provider, retirement, now);
      if (retirement === undefined || message === undefined) continue;
      problems.set(`${provider.id} ${provider.model}`, {
        code: 'retired-model',
        severity: 'warning',
        message,
        hint: [
          `choose another model: ${retirement.source} (as known on ${retirement.asOf})`,
          ...(candidates.includes(provider.id) ? [] : [nameCommand(provider, used)]),
        ].join('; '),
        ...defined({ at: provider.at }),
      });
    }
  }
  return [...problems.values()];
}

/** The command that finds a replacement for a model. */
function nameCommand(provider: ProviderConfig, used: readonly ProviderConfig[]): string {
  const { id, adapter } = provider;
  return used.includes(provider)
    ? `\`llmcheck swap ${shellWord(`${id}=${adapter}:MODEL`)}\` compares candidates`
    : '`llmcheck judge check` measures the new judge';
}

/** Undefined if the end is further away than the notice. */
function describeRetirement(
  { id, model }: ProviderConfig,
  { date, isEarliest }: Retirement,
  now: Date,
): string | undefined {
  const daysLeft = Math.ceil((Date.parse(date) - now.getTime()) / dayMs);
  if (daysLeft > noticeDays) return undefined;
  const subject = `provider ${id}: the model ${model}`;
  if (isEarliest) return `${subject} may be shut down by its vendor at any time from ${date} on`;
  if (daysLeft > 0) return `${subject} is shut down by its vendor on ${date}, in ${formatCount(daysLeft, 'day')}`;
  return `${subject} was to be shut down by its vendor on ${date}: if that happened, calls to it fail`;
}

/** A key that would go to an address that does not belong to the key's service. */
interface MisdirectedKey {
  readonly variable: string;
  /** The service that the key belongs to. */
  readonly owner: string;
  /** The host that it is sent to. */
  readonly host: string;
  /** The variable of an env file that names the address; undefined if the suite or the config does. */
  readonly movedBy?: string;
}

interface KeyContext {
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

/** Any AWS customer can have a host below amazonaws.com, so only Bedrock's hosts count. */
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
function isOwnAddress(variable: string, baseUrl: string): boolean {
  return ownerOf(variable)?.owns(new URL(baseUrl).hostname) === true;
}

/** True for a variable that is known as the key of one service. */
function isKnownKey(variable: string): boolean {
  return ownerOf(variable) !== undefined;
}

/**
 * Finds well-known keys that a provider would send to another service's address. An address from the user's own
 * environment (`OPENAI_BASE_URL`) is intended; one from a file may be a surprise.
 */
function listMisdirectedKeys(
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
    return [
      { variable, owner: known.owner, host, ...defined({ movedBy: isMovedByFile ? movedBy.variable : undefined }) },
    ];
  });
}
