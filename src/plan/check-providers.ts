import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import type { Endpoint } from '../model/provider.ts';
import type { Project, ProviderConfig, Suite } from '../model/suite.ts';
import { findAdapter, lookupAdapter } from '../providers/index.ts';
import { isKnownKey, isOwnAddress, type KeyContext, listMisdirectedKeys } from '../providers/misdirected-keys.ts';
import { findRetirement, type Retirement } from '../providers/retirements.ts';
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

export interface RetirementOptions {
  readonly planned: Pick<PlannedRun, 'plan' | 'endpointOf'>;
  /** True where a suite's answers are recorded, so that the end of a model does not affect it. */
  readonly isHermetic: (suite: Suite) => boolean;
  readonly now: Date;
}

/** Names each model of a plan that its vendor shuts down within 60 days, or has shut down. */
export function findRetirements({ planned, isHermetic, now }: RetirementOptions): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const { suite, variants } of planned.plan.suites) {
    if (isHermetic(suite)) continue;
    const used = variants.filter((variant) => variant.planned + variant.observed > 0).map(({ provider }) => provider);
    for (const provider of [...used, ...suite.askedModels]) {
      const { sends, priceProvider } = planned.endpointOf(provider);
      const retirement = sends ? findRetirement({ ...provider, ...defined({ priceProvider }) }) : undefined;
      const message = retirement === undefined ? undefined : describeRetirement(provider, retirement, now);
      if (retirement === undefined || message === undefined) continue;
      problems.set(`${provider.id} ${provider.model}`, {
        code: 'retired-model',
        severity: 'warning',
        message,
        hint: `choose another model: ${retirement.source} (as known on ${retirement.asOf})`,
        ...defined({ at: provider.at }),
      });
    }
  }
  return [...problems.values()];
}

/** Undefined where the end is further away than the notice. */
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
  return `${subject} was to be shut down by its vendor on ${date}: where that came about, calls to it fail`;
}
