import { isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { parseJsonText } from '../json/parse-json.ts';
import type { Role } from '../model/run/completion.ts';
import type { ParsedPromptFile, PromptFileMessage, PromptSchema } from '../model/suite/prompt-file.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { readTests } from './github-evaluators.ts';
import { findModel, openDocument, type PromptDocument, readMap, readText, renameParams } from './prompt-document.ts';
import { compileBraces } from './prompt-template.ts';

const knownKeys = [
  'name',
  'description',
  'model',
  'modelParameters',
  'responseFormat',
  'jsonSchema',
  'messages',
  'testData',
  'evaluators',
];

const parameterNames = [
  'maxTokens',
  'maxCompletionTokens',
  'temperature',
  'topP',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
];

/** Names of Chat Completions, which many files use. GitHub's own runner silently drops them. */
const sentNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    max_tokens: 'maxTokens',
    max_completion_tokens: 'maxCompletionTokens',
    top_p: 'topP',
    frequency_penalty: 'frequencyPenalty',
    presence_penalty: 'presencePenalty',
  }),
);

const responseFormats = ['text', 'json_object', 'json_schema'];

const knownRoles: readonly Role[] = ['system', 'user', 'assistant'];

/** Reads a GitHub Models prompt, `.prompt.yml`, with its test data and evaluators. */
export function parseGithubPrompt(path: string, text: string): ParsedPromptFile {
  const document = openDocument(path, text);
  const { value } = document;
  if (value === undefined) return { problems: document.problems };
  checkKeys(document, value);
  const name = readText(document, ['name'], value['name']);
  const description = readText(document, ['description'], value['description']);
  const written = readText(document, ['model'], value['model']);
  const model = written === undefined ? undefined : findModel(written, document.at(['model']));
  const params = readParameters(document, value['modelParameters']);
  const format = readFormat(document, value);
  const messages = readMessages(document, value['messages']);
  const tests = readTests(document, value);
  if (document.problems.length > 0) return { problems: document.problems };
  return {
    messages,
    params: { ...params, ...format.params },
    warnings: document.warnings,
    ...defined({ output: format.output }),
    ...defined({ model, name, description, tests }),
  };
}

/** Reports unknown keys. The format allows them, but one similar to a known key is a typo whose value would be lost. */
function checkKeys(document: PromptDocument, value: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(value).filter((known) => !knownKeys.includes(known))) {
    const hint = didYouMean(key, knownKeys);
    const say = hint === undefined ? document.warn : document.report;
    say('unknown-key', `unknown key "${key}" in a .prompt.yml`, document.at([key], 'key'), hint ?? 'nothing reads it');
  }
}

function readParameters(document: PromptDocument, written: unknown): JsonObject {
  const params = plainNumbers(readMap(document, ['modelParameters'], written) ?? {}) as JsonObject;
  for (const key of Object.keys(params)) checkParameter(document, key, params);
  return renameParams(params);
}

function checkParameter(document: PromptDocument, written: string, params: JsonObject): void {
  const at = document.at(['modelParameters', written], 'key');
  const key = sentNames.get(written) ?? written;
  if (key !== written && Object.hasOwn(params, key)) {
    document.report('invalid-value', `${written} and ${key} are the same parameter`, at, `remove ${written}`);
  } else if (!parameterNames.includes(key)) {
    const hint = didYouMean(written, parameterNames) ?? `known: ${parameterNames.join(', ')}`;
    document.report('unknown-key', `unknown parameter "${written}" in modelParameters`, at, hint);
  } else if (key !== 'stop') {
    const isWhole = ['maxTokens', 'maxCompletionTokens', 'seed'].includes(key);
    const value = params[written];
    if (isWhole ? Number.isSafeInteger(value) : typeof value === 'number') return;
    const message = `${written} must be a ${isWhole ? 'whole number' : 'number'}`;
    document.report('invalid-value', message, document.at(['modelParameters', written]));
  }
}

function readFormat(
  document: PromptDocument,
  { responseFormat, jsonSchema }: Readonly<Record<string, unknown>>,
): { readonly params: JsonObject; readonly output?: PromptSchema } {
  const schema = jsonSchema === undefined ? undefined : readSchema(document, jsonSchema);
  if (responseFormat === undefined || responseFormat === null) {
    if (schema !== undefined) {
      const at = document.at(['jsonSchema'], 'key');
      document.warn('invalid-value', 'jsonSchema is not sent without responseFormat: json_schema', at);
    }
    return { params: {} };
  }
  if (typeof responseFormat !== 'string' || !responseFormats.includes(responseFormat)) {
    const hint = typeof responseFormat === 'string' ? didYouMean(responseFormat, responseFormats) : undefined;
    const message = 'responseFormat must be text, json_object or json_schema';
    document.report('invalid-value', message, document.at(['responseFormat']), hint);
    return { params: {} };
  }
  if (responseFormat === 'text') return { params: {} };
  if (responseFormat === 'json_object') return { params: { response_format: { type: 'json_object' } } };
  if (jsonSchema === undefined) {
    const at = document.at(['responseFormat']);
    document.report('invalid-value', 'responseFormat: json_schema needs a jsonSchema', at, 'add jsonSchema: |- {…}');
  }
  if (schema === undefined) return { params: {} };
  return {
    params: { response_format: { type: 'json_schema', json_schema: schema.wrapper } },
    output: { schema: schema.schema, at: document.at(['jsonSchema']) },
  };
}

/** Reads the schema. The format's own runner accepts only JSON in a text. */
function readSchema(
  document: PromptDocument,
  written: unknown,
): { readonly wrapper: JsonObject; readonly schema: JsonObject | boolean } | undefined {
  const at = document.at(['jsonSchema']);
  if (typeof written !== 'string') {
    document.report(
      'invalid-value',
      'jsonSchema must be a text that holds JSON',
      at,
      'write jsonSchema: |- and the JSON below it',
    );
    return undefined;
  }
  const parsed = parseJsonText(written);
  if ('error' in parsed) {
    const before = written.slice(0, parsed.error.offset).split('\n');
    const place = document.within(['jsonSchema'], before.length, (before.at(-1) ?? '').length + 1);
    document.report('syntax', `jsonSchema is not JSON: ${parsed.error.message}`, document.locationOf(place));
    return undefined;
  }
  const wrapper = plainNumbers(parsed.value);
  const missing = ['name', 'schema'].filter((key) => !isRecord(wrapper) || wrapper[key] === undefined);
  if (!isJsonObject(wrapper) || missing.length > 0) {
    document.report(
      'invalid-value',
      `jsonSchema has no ${missing.join(' and no ')}`,
      at,
      'write {"name": …, "schema": {…}}',
    );
    return undefined;
  }
  const { schema } = wrapper;
  if (typeof schema === 'boolean' || (schema !== undefined && isJsonObject(schema))) return { wrapper, schema };
  document.report('invalid-schema', 'the schema in jsonSchema must be a JSON Schema', at);
  return undefined;
}

function readMessages(document: PromptDocument, written: unknown): readonly PromptFileMessage[] {
  if (!Array.isArray(written) || written.length === 0) {
    const hint = 'write messages: with a role and content for each';
    const message =
      written === undefined ? 'the key "messages" is missing' : 'messages must be a list that is not empty';
    document.report('invalid-value', message, document.at(['messages']), hint);
    return [];
  }
  return written.flatMap((item: unknown, index) => {
    const path = ['messages', index];
    if (!isRecord(item)) {
      document.report('invalid-value', 'a message is a map of role and content', document.at(path));
      return [];
    }
    const { role: spoken, content } = item;
    const lower = typeof spoken === 'string' ? spoken.toLowerCase() : undefined;
    const role = knownRoles.find((known) => known === lower);
    if (role === undefined) {
      const hint = lower === undefined ? undefined : didYouMean(lower, knownRoles);
      const message = 'the role of a message must be system, user or assistant';
      document.report('invalid-value', message, document.at([...path, 'role']), hint);
    }
    if (typeof content !== 'string') {
      document.report('invalid-value', 'the content of a message must be a text', document.at([...path, 'content']));
    }
    if (role === undefined || typeof content !== 'string') return [];
    const locate = (line: number, column: number) => document.within([...path, 'content'], line, column);
    const template = document.attempt(() => compileBraces(content, { name: 'braces' }), locate);
    return template === undefined ? [] : [{ role, content: { template }, locate }];
  });
}
