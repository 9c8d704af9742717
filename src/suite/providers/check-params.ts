import { defined } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import { findQuerySecrets } from '../../secrets/find-secrets.ts';
import { nameSet } from '../../text/name-set.ts';
import { isTypo } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { checkSchema, warnOfKeywords } from '../contracts/parse-contract.ts';
import { childOf, itemsOf, type Located, locate, type Problems, withoutExcerpt } from '../documents/locate.ts';

/** Reports params that would make an answer useless here. */
export function checkParams(params: Located, problems: Problems): void {
  checkToolSchemas(params, problems);
  warnOfSeveralAnswers(params, problems);
  const stream = childOf(params, 'stream');
  if (stream.value !== true) return;
  problems.report({
    code: 'invalid-value',
    message: 'params: stream is true, but answers are read whole',
    hint: 'leave stream out',
    at: locate(stream, 'key'),
  });
}

/**
 * Reports params of a provider that its adapter sets, because the request would have another value than the file. Warns
 * of misspelt params, because most APIs ignore unknown ones.
 */
export function checkWritten(params: Located, adapter: AdapterDeclaration | undefined, problems: Problems): void {
  // Others take whatever their program or endpoint takes.
  if (adapter?.writes !== undefined) warnOfMisspelt(params, problems);
  for (const member of adapter?.writes ?? []) {
    const part = childOf(params, member);
    if (part.value !== undefined) reportWritten(member, problems, locate(part, 'key'));
  }
}

export function reportWritten(member: string, problems: Problems, at: SourceLocation | undefined): void {
  problems.report({
    code: 'invalid-value',
    message: `params: ${member} is written by llmcheck, so it can't be set`,
    hint: member.startsWith('model')
      ? 'leave it out: use: adapter:model names the model'
      : 'leave it out: the messages are those of the prompt',
    ...defined({ at }),
  });
}

function warnOfMisspelt(params: Located, problems: Problems): void {
  for (const name of Object.keys(Object(params.value))) {
    // A name that differs only in capitals and "_" is the same parameter of another API.
    const meant = longParamNames.find((known) => isTypo(name, known) && inLetters(name) !== inLetters(known));
    if (meant === undefined || paramNames.has(name)) continue;
    problems.warn({
      code: 'unknown-key',
      message: `params: no API is known to take "${name}"`,
      hint: `did you mean "${meant}"?`,
      at: locate(childOf(params, name), 'key'),
    });
  }
}

function inLetters(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** Every answer is billed, but only the first one is judged. */
function warnOfSeveralAnswers(params: Located, problems: Problems): void {
  for (const name of ['n', 'candidateCount']) {
    const asked = childOf(params, name);
    const count = plainNumbers(asked.value);
    if (typeof count !== 'number' || count <= 1) continue;
    problems.warn({
      code: 'invalid-value',
      message: `params: ${name} asks for ${count} answers at once, and only the first one is judged`,
      hint: `leave ${name} out and write trials: ${count}`,
      at: locate(asked, 'key'),
    });
  }
}

/** Reports parameters of tools that are not JSON Schema, in any format of a tool. */
function checkToolSchemas(params: Located, problems: Problems): void {
  const tools = childOf(params, 'tools');
  if (!Array.isArray(tools.value)) return;
  for (const tool of itemsOf(tools)) {
    for (const schema of [
      childOf(childOf(tool, 'function'), 'parameters'),
      childOf(tool, 'parameters'),
      childOf(tool, 'input_schema'),
    ]) {
      if (typeof schema.value !== 'object' || schema.value === null) continue;
      if (checkSchema(schema, 'the parameters of a tool: ', problems)) warnOfKeywords(schema, problems);
    }
  }
}

/** Keys of other tools for the part of `use:` before the colon, and for the part after it. */
const adapterKeys = ['adapter', 'provider', 'type', 'vendor'];
export const modelKeys = ['model', 'modelName', 'model_name'];

export interface OtherUse {
  /** The value that belongs under `use:`. */
  readonly use: string;
  /** The keys that it replaces. */
  readonly keys: readonly string[];
}

/** Finds the model of a provider that is not named under `use:`, as in other tools; undefined if it is unclear. */
export function findOtherUse(item: Located, adapters: Readonly<Record<string, unknown>>): OtherUse | undefined {
  const textAt = (key: string) => {
    const { value } = childOf(item, key);
    return typeof value === 'string' ? value : undefined;
  };
  const isUse = (text = '') => Object.hasOwn(adapters, text.replace(/:.*/s, '')) && /:./.test(text);
  const written = textAt('use');
  if (isUse(written)) return undefined;
  const keys = [...modelKeys, ...adapterKeys].filter((key) => textAt(key) !== undefined);
  const named = modelKeys.map(textAt).find((text) => text !== undefined);
  const whole = [named, ...adapterKeys.map(textAt), textAt('id')].find(isUse);
  if (whole !== undefined && written === undefined) return { use: whole, keys };
  const adapter = [written, ...adapterKeys.map(textAt)].find((text = '') => Object.hasOwn(adapters, text));
  return adapter === undefined || named === undefined ? undefined : { use: `${adapter}:${named}`, keys };
}

/** Names of parameters in the APIs. */
const paramNames = nameSet(`
  temperature top_p topP top_k topK max_tokens maxTokens max_completion_tokens max_output_tokens maxOutputTokens seed stop
  stop_sequences frequency_penalty presence_penalty response_format tools tool_choice reasoning reasoning_effort logprobs
  top_logprobs n verbosity thinking generationConfig`);

/** A short name is near to many others. */
const longParamNames = [...paramNames].filter((name) => name.length >= 8);

/** Names of the parameters' map in other tools. The map may hold other keys there too. */
const mapsOfParams: ReadonlySet<string> = new Set(['config', 'parameters', 'options', 'settings']);
const notParams: Readonly<Record<string, string>> = {
  apiBaseUrl: 'baseURL',
  apiHost: 'baseURL',
  baseUrl: 'baseURL',
  base_url: 'baseURL',
  apiKeyEnvar: 'apiKeyEnv',
};

/** The next step for a key of a provider or prompt that belongs under `params:`; undefined for any other. */
export function hintOfParams(item: Located, key: string, unknown: readonly string[]): string | undefined {
  const hasParams = childOf(item, 'params').value !== undefined;
  if (mapsOfParams.has(key)) {
    const moved = Object.keys(Object(childOf(item, key).value)).filter((name) => Object.hasOwn(notParams, name));
    const beside = moved.map((name) => `, and its ${name} as ${notParams[name] ?? ''} beside it`).join('');
    return hasParams ? `move what is in it into params${beside}` : `write params in place of ${key}${beside}`;
  }
  if (!paramNames.has(key)) return undefined;
  if (hasParams) return `move it into params: parameters of the model are written there`;
  const written = unknown
    .filter((name) => paramNames.has(name))
    .map((name) => `${name}: ${describe(childOf(item, name).value)}`);
  return `parameters of the model are written under params: { ${written.join(', ')} }`;
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? '…' : JSON.stringify(plainNumbers(value));
}

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
const keyPattern =
  /\b(?:sk-|gsk_|xai-|hf_|ghp_|github_pat_|glpat-|xox[abp]-|AIza|AKIA|nvapi-|pplx-|r8_|eyJ)[A-Za-z0-9_.-]{6,}/;

const secretNamePattern =
  /^(?:authorization|proxy-authorization|cookie|x-auth.*|.*api[-_]?key.*|.*(?:^|[-_])(?:token|secret|password)$)$/i;

const keyNamePattern = /^(?:authorization|(?:x-)?api[-_]?key)$/i;

const variableNamePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True for a text that contains something like an API key. */
function looksLikeKey(text: string): boolean {
  return keyPattern.test(text);
}

/** True for a name that can only hold a key. */
function isKeyName(name: string): boolean {
  return keyNamePattern.test(name);
}

/** True for the name of a header whose value is secret. */
export function isSecretName(name: string): boolean {
  return secretNamePattern.test(name);
}

/** True for a text that can name an environment variable. */
export function isVariableName(text: string): boolean {
  return variableNamePattern.test(text) && !looksLikeKey(text);
}
