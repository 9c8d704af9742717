import { isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import { parseJsonText } from '../json/parse-json.ts';
import type { ParsedPromptFile, PromptFilePorts, PromptSchema, PromptTests } from '../model/suite/prompt-file.ts';
import { positionIn } from '../templates/template-error.ts';
import { toJsonObject } from '../text/yaml/exact-numbers.ts';
import { parseYaml } from '../text/yaml/yaml-text.ts';
import { compileBody, openFrontMatter, type PromptBody } from './front-matter.ts';
import { type PromptDocument, readMap, readText } from './prompt-document.ts';
import { promptyReference, readModel, readProperties, readTools, schemaOf } from './prompty-schemas.ts';

const format = { lead: /^\s*/, mark: /^(?:---|\+\+\+)\s*$/, trimsWithoutData: true };

/** Reads a Prompty file of either generation: front matter and a Jinja template whose lines name the roles. */
export async function parsePrompty(path: string, text: string, ports: PromptFilePorts): Promise<ParsedPromptFile> {
  const file = openFrontMatter(path, text, format);
  if ('problems' in file) return file;
  const { document, body } = file;
  const value = await resolveReferences(document, file.value, ports);
  refuseReferences(document, body);
  refuseTemplate(document, value['template']);
  const name = readText(document, ['name'], value['name']);
  const description = readText(document, ['description'], value['description']);
  const inputs = readInputs(document, value);
  const output = readOutputs(document, value['outputs']);
  const model = readModel(document, value['model']);
  const tools = readTools(document, value['tools']);
  const whole = compileBody(file, { name: 'jinja', defaults: inputs.defaults, optional: inputs.optional });
  if (whole === undefined) return { problems: document.problems };
  const tests = buildTests(document, inputs, output);
  return {
    messages: [],
    whole,
    params: { ...model.params, ...tools },
    ...(output === undefined ? {} : { output, structured: true }),
    ...defined({ input: inputs.schema, model: model.model, name, description, tests }),
    warnings: document.warnings,
  };
}

/** Keys that are ignored: account settings are not part of a prompt. */
const ignoredKeys = new Set(['connection', 'configuration', 'metadata', 'authors', 'tags', 'version']);

/** Replaces `${file:…}` by the file's content. Never reads `${env:…}`: a prompt must be the same on every machine. */
async function resolveReferences(
  document: PromptDocument,
  root: Readonly<Record<string, unknown>>,
  { read }: PromptFilePorts,
): Promise<Readonly<Record<string, unknown>>> {
  async function resolve(value: unknown, path: readonly PropertyKey[]): Promise<unknown> {
    if (typeof value === 'string') return resolveText(value, path);
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const [index, item] of value.entries()) items.push(await resolve(item, [...path, index]));
      return items;
    }
    if (!isRecord(value)) return value;
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      const isUnread = ignoredKeys.has(key) && path.length < 2;
      entries.push([key, isUnread ? item : await resolve(item, [...path, key])]);
    }
    return Object.fromEntries(entries);
  }

  async function resolveText(text: string, path: readonly PropertyKey[]): Promise<unknown> {
    const [, scheme = '', content = ''] = promptyReference.exec(text) ?? [];
    switch (scheme.toLowerCase()) {
      case 'env': {
        const colon = content.indexOf(':');
        const fallback = colon === -1 ? '' : content.slice(colon + 1);
        if (fallback !== '') return fallback;
        document.report(
          'environment',
          `${text} asks for an environment variable, which a prompt is not given`,
          document.at(path),
          'write the value here, or ${env:NAME:default}, or make it an input',
        );
        return undefined;
      }
      case 'file':
        return readReferenced(document, content, path, read);
      default:
        return text;
    }
  }
  const resolved = await resolve(root, []);
  const { sample } = root;
  const isNamed = typeof sample === 'string' && !promptyReference.test(sample);
  const own = isRecord(resolved) ? resolved : {};
  return isNamed ? { ...own, sample: await readReferenced(document, sample, ['sample'], read) } : own;
}

async function readReferenced(
  document: PromptDocument,
  name: string,
  path: readonly PropertyKey[],
  read: PromptFilePorts['read'],
): Promise<unknown> {
  const at = document.at(path);
  if (/^(?:[/\\~]|[A-Za-z]:)/.test(name) || name.split(/[\\/]/).includes('..')) {
    document.report(
      'file-outside-project',
      `a prompt reads files beside and below it, not ${name}`,
      at,
      'move the file below the prompt',
    );
    return undefined;
  }
  const found = await read(name);
  if ('fault' in found) {
    document.report(found.fault.code, found.fault.message, at, found.fault.hint);
    return undefined;
  }
  const { text } = found;
  if (/\.json$/i.test(name)) {
    const parsed = parseJsonText(text);
    if (!('error' in parsed)) return parsed.value;
    document.report('syntax', `${name} is not JSON: ${parsed.error.message}`, at);
    return undefined;
  }
  if (!/\.ya?ml$/i.test(name)) return text;
  const yaml = parseYaml(text);
  const [error] = yaml.errors;
  if (error === undefined) return yaml.value;
  document.report('syntax', `${name} is not YAML: ${error.message}`, at);
  return undefined;
}

/** Reports references in the text, which nothing resolves. */
function refuseReferences(document: PromptDocument, { source, locate }: PromptBody): void {
  for (const match of source.matchAll(/\$\{(?:env|file):[^}\n]*\}?/gi)) {
    const { line, column } = positionIn(source, match.index);
    const place = locate(line, column);
    document.report(
      'invalid-template',
      `${match[0]} is no part of a prompt's text`,
      document.locationOf(place),
      'make it an input of the prompt, and give cases its value',
    );
  }
}

function refuseTemplate(document: PromptDocument, written: unknown): void {
  const kindOf = (value: unknown): unknown => (isRecord(value) ? (value['kind'] ?? value['type']) : value);
  const format = isRecord(written) ? kindOf(written['format'] ?? written['type']) : written;
  const parser = isRecord(written) ? kindOf(written['parser']) : undefined;
  if (format !== undefined && format !== null && format !== 'jinja2' && format !== 'nunjucks') {
    const at = document.at(isRecord(written) ? ['template', 'format'] : ['template']);
    document.report(
      'invalid-value',
      `templates of the kind ${JSON.stringify(format)} can't be read`,
      at,
      'write the template in jinja2',
    );
  }
  if (parser !== undefined && parser !== null && parser !== 'prompty') {
    document.report(
      'invalid-value',
      `the parser ${JSON.stringify(parser)} is not known`,
      document.at(['template', 'parser']),
    );
  }
}

interface Inputs {
  readonly defaults: JsonObject;
  readonly optional: readonly string[];
  /** Sample values for the variables; undefined if the file has none. */
  readonly sample?: JsonObject;
  readonly schema?: PromptSchema;
}

function readInputs(document: PromptDocument, value: Readonly<Record<string, unknown>>): Inputs {
  const written = value['inputs'] ?? value['inputSchema'];
  const key = value['inputs'] === undefined ? 'inputSchema' : 'inputs';
  const inner = isRecord(written) && Array.isArray(written['properties']) ? written['properties'] : written;
  const path = inner === written ? [key] : [key, 'properties'];
  const properties = readProperties(document, inner, path, true);
  const defaults: [string, JsonValue][] = [];
  const samples: [string, JsonValue][] = [];
  for (const { name, fallback, example } of properties) {
    if (fallback !== undefined) defaults.push([name, fallback]);
    if (example !== undefined) samples.push([name, example]);
  }
  const whole = toJsonObject(readMap(document, ['sample'], value['sample']));
  const sample = { ...Object.fromEntries(samples), ...whole };
  const schema = schemaOf(
    properties.map((one) => ({ ...one, isRequired: one.isRequired && one.fallback === undefined })),
  );
  return {
    defaults: Object.fromEntries(defaults),
    optional: properties.filter(({ isRequired }) => !isRequired).map(({ name }) => name),
    ...defined({
      sample: Object.keys(sample).length === 0 ? undefined : sample,
      schema: properties.length === 0 ? undefined : { schema, at: document.at([key], 'key') },
    }),
  };
}

function readOutputs(document: PromptDocument, written: unknown): PromptSchema | undefined {
  if (written === undefined || written === null) return undefined;
  const at = document.at(['outputs'], 'key');
  // The file may contain a JSON Schema itself.
  if (
    isRecord(written) &&
    (written['$schema'] !== undefined || (typeof written['type'] === 'string' && isRecord(written['properties'])))
  )
    return { schema: toJsonObject(written), at };
  const properties = readProperties(document, written, ['outputs'], false);
  if (properties.length === 0) return undefined;
  return { schema: { ...schemaOf(properties), additionalProperties: false }, at };
}

/** Builds a case from the sample. The output schema judges it; without one it is only observed. */
function buildTests(
  document: PromptDocument,
  { sample }: Inputs,
  output: PromptSchema | undefined,
): PromptTests | undefined {
  if (sample === undefined) return undefined;
  const judged =
    output === undefined ? { observe: true } : { assert: [{ jsonSchema: output.schema, name: 'outputs' }] };
  return {
    rows: [
      {
        value: { id: 'sample', vars: sample, ...judged },
        at: ([part, ...rest], kind) => {
          if (part !== 'vars') return document.at(part === 'assert' ? ['outputs'] : ['sample'], kind);
          const own = document.value?.['sample'];
          return document.at(own === undefined ? ['inputs'] : ['sample', ...rest], kind);
        },
      },
    ],
    judges: [],
  };
}
