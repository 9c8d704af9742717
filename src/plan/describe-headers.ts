import type { JsonObject } from '../json/json.ts';
import type { ProviderEnv } from '../model/provider.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { isCredentialName } from '../providers/code/hash-code.ts';
import { isSecretName } from '../suite/providers/check-params.ts';
import { sha256Hex } from '../text/sha256.ts';

/** A value may be private, so its hash is kept. A key says who asks, so its value does not count, only its variable. */
export function describeHeaders(headers: ProviderConfig['headers'], env: ProviderEnv['env']): JsonObject {
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
