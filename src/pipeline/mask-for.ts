import { createMask, type Mask } from '../lib/mask-secrets.ts';
import { findQuerySecrets } from '../lib/query-secrets.ts';
import type { Project } from '../model/suite.ts';
import { lookupAdapter } from '../providers/index.ts';

/** Masks the values of every variable that a provider or judge of the project sends as a key or header. */
export function maskFor(project: Project, env: Readonly<Record<string, string | undefined>>): Mask {
  const names = new Set<string>();
  const values = new Set<string>();
  for (const { providers, judges, askedModels } of project.suites) {
    for (const provider of [...providers, ...judges, ...askedModels]) {
      const endpoint = lookupAdapter(provider.adapter)?.resolve(provider, { env, projectRoot: project.root });
      for (const name of [provider.apiKeyEnv, endpoint?.apiKeyEnv, ...(endpoint?.secretEnv ?? [])]) {
        if (name !== undefined) names.add(name);
      }
      for (const { value } of findQuerySecrets(endpoint?.baseUrl ?? '')) values.add(value);
      // Variables that an exec provider hands to its program are as secret as a key.
      const { env: handed } = provider.options;
      if (Array.isArray(handed)) for (const name of handed) if (typeof name === 'string') names.add(name);
      for (const header of Object.values(provider.headers)) if (typeof header !== 'string') names.add(header.env);
    }
  }
  return createMask([...values, ...[...names].flatMap((name) => env[name] ?? [])]);
}
