// Prefixes of well-known keys; a name in the upper case of a variable matches none of them.
const KEY_SHAPE =
  /\b(?:sk-|gsk_|xai-|hf_|ghp_|github_pat_|glpat-|xox[abp]-|AIza|AKIA|nvapi-|pplx-|r8_|eyJ)[A-Za-z0-9_.-]{6,}/;
const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|x-auth.*|.*api[-_]?key.*|.*(?:^|[-_])(?:token|secret|password)$)$/i;
const KEY_NAME = /^(?:authorization|(?:x-)?api[-_]?key)$/i;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True for a text that is, or holds, what looks like a key. */
export function looksLikeKey(text: string): boolean {
  return KEY_SHAPE.test(text);
}

/** True for a name that can only hold a key. */
export function isKeyName(name: string): boolean {
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
