import { sha256Hex } from '../lib/sha256.ts';

const credentialName = /(?:^|_)(?:(?:API)?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

/**
 * Names what a program sees in the variables that it is handed, as a member of an adapter's version: a hash of their
 * values. Credentials say who asks and not what is answered, so of them the name alone counts.
 */
export function hashEnv(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): readonly string[] {
  if (names.length === 0) return [];
  const values = [...new Set(names)]
    .toSorted()
    .map((name) => [name, credentialName.test(name) ? null : (env[name] ?? null)]);
  return [`env-${sha256Hex(JSON.stringify(values)).slice(0, 12)}`];
}
