import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { Endpoint, ProviderEnv } from '../model/provider.ts';
import type { RecordedVariant } from '../model/record.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { isCredentialName } from '../providers/code/hash-code.ts';
import { isSecretName } from '../suite/providers/literal-keys.ts';
import { sha256Hex } from '../text/sha256.ts';
import { withoutUserinfo } from '../text/store-urls.ts';

/**
 * Everything of a provider beside model and params that can change an answer: its code, its address after the environment
 * and defaults, its options and headers. Limits and prices change none.
 */
export function describeSettings(
  provider: ProviderConfig,
  { adapterVersion, baseUrl }: Pick<Endpoint, 'adapterVersion' | 'baseUrl'>,
  env: ProviderEnv['env'],
): Pick<RecordedVariant, 'adapterVersion' | 'baseUrl' | 'options'> {
  const { headers, apiKeyEnv } = provider;
  const hasHeaders = Object.keys(headers).length > 0;
  const described = defined({ headers: hasHeaders ? describeHeaders(headers, env) : undefined, apiKeyEnv });
  const options: JsonObject = { ...provider.options, ...described };
  return {
    adapterVersion,
    ...defined({ baseUrl: baseUrl === undefined ? undefined : withoutUserinfo(baseUrl) }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
}

/** A value may be private, so its hash is kept. A key says who asks, so its value does not count, only its variable. */
function describeHeaders(headers: ProviderConfig['headers'], env: ProviderEnv['env']): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]): [string, string] => {
      const key = name.toLowerCase();
      if (typeof value === 'string') return [key, hashText(value)];
      const isKey = isSecretName(name) || isCredentialName(value.env);
      return [key, isKey ? `env:${value.env}` : hashText(env[value.env]?.trim() ?? '')];
    }),
  );
}

function hashText(text: string): string {
  return sha256Hex(text).slice(0, 16);
}
