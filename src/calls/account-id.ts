import type { Endpoint } from '../model/provider.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { providerKey } from '../plan/build-plan.ts';

/** Calls to one address with one key share its limits. A program or a module has its own. */
export function accountId(config: ProviderConfig, { baseUrl, apiKeyEnv }: Endpoint): string {
  if (baseUrl === undefined) return providerKey(config);
  const variables = Object.values(config.headers).map((value) => (typeof value === 'string' ? '' : value.env));
  return [baseUrl, apiKeyEnv, ...variables.toSorted()].join('\n');
}
