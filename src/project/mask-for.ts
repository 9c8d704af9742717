import type { SharedCacheConfig } from '../model/run/shared-cache.ts';
import { findReferences, type McpServer } from '../model/suite/agent.ts';
import type { Project } from '../model/suite/suite.ts';
import { findAdapter } from '../providers/index.ts';
import { findQuerySecrets } from '../secrets/find-secrets.ts';
import { createMask, type Mask } from '../secrets/mask-secrets.ts';
import { decodePercent } from '../text/decode-text.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Sent beside the key, whatever the provider. */
const commonNames = ['OPENAI_ORG_ID', 'OPENAI_PROJECT_ID'];

const proxyNames = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

/** Masks the values of proxy variables, and of variables that a provider or judge sends as a key or header. */
export function maskFor(project: Project, env: Env, further: readonly string[] = []): Mask {
  const names = new Set<string>(commonNames);
  const values = new Set<string>([...further, ...proxyNames.flatMap((name) => credentialsOf(env[name]))]);
  for (const { providers, judges, askedModels, snapshots = [] } of project.suites) {
    for (const { snapshot } of snapshots) for (const name of namesOf(snapshot.server)) names.add(name);
    for (const provider of [...providers, ...judges, ...askedModels]) {
      const endpoint = findAdapter(provider)?.resolve(provider, { env, projectRoot: project.root });
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
  for (const secret of findCacheSecrets(project.cache, env)) values.add(secret);
  return createMask([...values, ...[...names].flatMap((name) => env[name] ?? [])]);
}

/** The variables that a server of tools gets. */
function namesOf({ source, headers = {}, env = [] }: McpServer): readonly string[] {
  return [...[source, ...Object.values(headers)].flatMap(findReferences), ...env];
}

/** User and password of a proxy's address, which may leave out its scheme. */
function credentialsOf(text: string | undefined): readonly string[] {
  const address = text === undefined || text.includes('://') ? (text ?? '') : `http://${text}`;
  if (!URL.canParse(address)) return [];
  const { username, password } = new URL(address);
  return password === '' ? [] : [username, password].map(decodePercent);
}

/** Values of variables that hold a secret, and the password in the address of a cache. */
export function findCacheSecrets(config: SharedCacheConfig | undefined, env: Env): readonly string[] {
  if (config === undefined) return [];
  const { urlEnv, passwordEnv } = config;
  const values = [passwordEnv, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'].flatMap((name) =>
    name === undefined ? [] : (env[name] ?? []),
  );
  const text = urlEnv === undefined ? undefined : env[urlEnv];
  if (text === undefined || !URL.canParse(text)) return values;
  const { password } = new URL(text);
  return password === '' ? values : [...values, password, decodePercent(password)];
}
