import type { Project } from '../model/suite.ts';
import { lookupAdapter } from '../providers/index.ts';

/** The variables of keys that providers and judges of the project would send, and that are not set. */
export function findMissingKeys(
  { suites, root }: Project,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const names = suites.flatMap(({ providers, judges, askedModels }) =>
    [...providers, ...judges, ...askedModels].flatMap((provider) => {
      const endpoint = lookupAdapter(provider.adapter)?.resolve(provider, { env, projectRoot: root });
      return endpoint?.sends === true ? (endpoint.apiKeyEnv ?? []) : [];
    }),
  );
  return [...new Set(names)].filter((name) => (env[name] ?? '') === '');
}
