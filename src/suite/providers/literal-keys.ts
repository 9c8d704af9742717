import { findQuerySecrets } from '../../secrets/find-secrets.ts';
import { childOf, type Located, locate, type Problems, withoutExcerpt } from '../documents/locate.ts';

/** A key in a file is a key in the repository. Neither message nor excerpt repeats it. */
export function reportLiteralKeys(located: Located, problems: Problems): boolean {
  const before = problems.errorCount();
  const refuse = (part: Located, message: string, hint: string) =>
    problems.report({ code: 'literal-key', message, hint, at: withoutExcerpt(locate(part)) });
  const named = childOf(located, 'apiKeyEnv');
  if (typeof named.value === 'string' && !isVariableName(named.value)) {
    refuse(
      named,
      'apiKeyEnv must be the name of an environment variable, not the key itself',
      'write apiKeyEnv: OPENAI_API_KEY and set that variable',
    );
  }
  for (const key of Object.keys(located.value ?? {})) {
    if (key !== 'apiKeyEnv' && isSecretName(key))
      refuse(
        childOf(located, key),
        `a key must not be written in the file ("${key}")`,
        'write apiKeyEnv: NAME_OF_A_VARIABLE',
      );
  }
  const url = childOf(located, 'baseURL');
  if (typeof url.value === 'string' && /^[a-z]+:\/\/[^/]*@/i.test(url.value)) {
    refuse(url, 'baseURL must not hold a user name or password', 'name a variable with apiKeyEnv or in headers');
  }
  if (typeof url.value === 'string') {
    for (const { name } of findQuerySecrets(url.value))
      refuse(
        url,
        `baseURL must not hold a key ("${name}" in its query)`,
        'name a variable with apiKeyEnv or in headers',
      );
  }
  for (const group of ['headers', 'params']) {
    const part = childOf(located, group);
    for (const name of Object.keys(part.value ?? {})) {
      const entry = childOf(part, name);
      if (
        typeof entry.value === 'string' &&
        ((group === 'headers' ? isSecretName(name) : isKeyName(name)) || looksLikeKey(entry.value))
      ) {
        refuse(
          entry,
          `${group}: "${name}" must not hold a literal key`,
          group === 'headers' ? `write ${name}: {env: NAME}` : 'name its variable with apiKeyEnv',
        );
      }
    }
  }
  return problems.errorCount() > before;
}

// Prefixes of well-known keys; a name in the upper case of a variable matches none of them.
const KEY_SHAPE =
  /\b(?:sk-|gsk_|xai-|hf_|ghp_|github_pat_|glpat-|xox[abp]-|AIza|AKIA|nvapi-|pplx-|r8_|eyJ)[A-Za-z0-9_.-]{6,}/;

const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|x-auth.*|.*api[-_]?key.*|.*(?:^|[-_])(?:token|secret|password)$)$/i;

const KEY_NAME = /^(?:authorization|(?:x-)?api[-_]?key)$/i;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True for a text that is, or holds, what looks like a key. */
function looksLikeKey(text: string): boolean {
  return KEY_SHAPE.test(text);
}

/** True for a name that can only hold a key. */
function isKeyName(name: string): boolean {
  return KEY_NAME.test(name);
}

/** True for the name of a header whose value is secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** True for a text that can name an environment variable. */
export function isVariableName(text: string): boolean {
  return VARIABLE_NAME.test(text) && !looksLikeKey(text);
}
