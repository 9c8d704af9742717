import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import type { Endpoint } from '../model/provider.ts';
import type { Project, ProviderConfig } from '../model/suite.ts';
import { findForeignKeys as findKeys, isKnownKey, type KeyContext } from '../providers/find-foreign-keys.ts';
import { findAdapter } from '../providers/index.ts';

/** A warning for each well-known key that a project sends to an address which is not that service's own. */
export function findForeignKeys({ suites, cache, root }: Project, context: KeyContext): readonly Problem[] {
  const found = new Map<string, Problem>();
  for (const { providers, judges, askedModels } of suites) {
    for (const provider of [...providers, ...judges, ...askedModels]) {
      const endpoint = findAdapter(provider)?.resolve(provider, { env: context.env, projectRoot: root });
      if (endpoint === undefined) continue;
      for (const problem of describeKeys(provider, endpoint, context)) found.set(problem.message, problem);
    }
  }
  const password = cache?.passwordEnv;
  if (password !== undefined && isKnownKey(password)) {
    const message = `the shared cache is sent ${password} as its password, which is the key of another service`;
    found.set(message, { code: 'foreign-key', severity: 'warning', message, hint });
  }
  return [...found.values()];
}

const hint = 'give that address a key of its own, in a variable of another name';

function describeKeys(provider: ProviderConfig, endpoint: Endpoint, context: KeyContext): readonly Problem[] {
  return findKeys(provider, endpoint, context).map(({ variable, owner, host, movedBy }) => {
    const move = movedBy === undefined ? '' : `, where ${movedBy} of the env file leads`;
    return {
      code: 'foreign-key',
      severity: 'warning',
      message: `provider ${provider.id} sends ${variable}, a key of ${owner}, to ${host}${move}`,
      hint,
      ...defined({ at: provider.at }),
    };
  });
}
