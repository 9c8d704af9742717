import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { parseJsonText } from '../json/parse-json.ts';
import type { ParsedPromptFile, PromptFilePorts, PromptSchema } from '../model/suite/prompt-file.ts';
import { positionIn, TemplateError } from '../templates/template-error.ts';
import type { Position } from '../text/line-index.ts';
import { toJson, toJsonObject } from '../text/yaml/exact-numbers.ts';
import { compileBody, type FrontMatterFile, openFrontMatter, type PromptBody } from './front-matter.ts';
import { PicoschemaError, readPicoschema } from './picoschema.ts';
import { findModel, type PromptDocument, readMap, readText, renameParams } from './prompt-document.ts';
import { findPartials } from './prompt-template.ts';

// The format's reader trims the text only if the file has front matter.
const format = { lead: /^(?:(?:#[^\n]*|[ \t]*)\r?\n)*/, mark: /^---\s*$/, trimsWithoutData: false };

const maxPartials = 100;

/** Reads a dotprompt file: front matter and a Handlebars template, with partials in the same folder. */
export async function parseDotprompt(path: string, text: string, ports: PromptFilePorts): Promise<ParsedPromptFile> {
  const file = openFrontMatter(path, text, format);
  if ('problems' in file) return file;
  const { document, value } = file;
  const name = readText(document, ['name'], value['name']) ?? nameOf(path);
  const description = readText(document, ['description'], value['description']);
  const inputs = await readInput(document, value['input'], ports);
  const output = await readOutput(document, value['output'], ports);
  const config = readMap(document, ['config'], value['config']) ?? {};
  const model = readText(document, ['model'], value['model']);
  const tools = await readTools(document, value, ports);
  const { defaults, optional } = inputs;
  const partials = await readPartials(file, ports);
  const whole = compileBody(file, { name: 'handlebars', partials, defaults, optional });
  if (whole === undefined) return { problems: document.problems };
  const { version, ...settings } = config;
  const pinned = typeof version === 'string' && model !== undefined ? pinModel(model, version) : model;
  return {
    messages: [],
    whole,
    params: { ...renameParams(settings), ...tools, ...output.params },
    ...defined({
      structured: output.structured || undefined,
      output: output.schema,
      input: inputs.schema,
      model: pinned === undefined ? undefined : findModel(pinned, document.at(['model'])),
    }),
    name,
    ...defined({ description }),
    warnings: document.warnings,
  };
}

/** Builds a model id. `config.version` is the exact model behind `vendor/model`. */
function pinModel(model: string, version: string): string {
  const slash = model.lastIndexOf('/');
  return slash === -1 ? version : `${model.slice(0, slash)}/${version}`;
}

/** Name from a path: `a.b.prompt` is variant b of a. With more dots, the last part is the variant. */
function nameOf(path: string): string {
  const base = (path.split(/[\\/]/).at(-1) ?? path).replace(/\.prompt$/i, '');
  const dot = base.lastIndexOf('.');
  return dot <= 0 ? base : base.slice(0, dot);
}

interface Input {
  readonly defaults: JsonObject;
  readonly optional: readonly string[];
  readonly schema?: PromptSchema;
}

async function readInput(document: PromptDocument, written: unknown, ports: PromptFilePorts): Promise<Input> {
  const input = readMap(document, ['input'], written) ?? {};
  const defaults = toJsonObject(readMap(document, ['input', 'default'], input['default']));
  const found = await readSchema(document, ['input', 'schema'], input['schema'], ports);
  if (found === undefined) return { defaults, optional: [] };
  const schema: JsonObject = found.schema;
  const isMap = schema['type'] === 'object' || schema['properties'] !== undefined;
  if (!isMap) {
    document.report(
      'invalid-schema',
      'the input of a prompt is a map of variables',
      found.at,
      'write schema: with a line for each variable',
    );
    return { defaults, optional: [] };
  }
  const properties = Object.keys(toJsonObject(schema['properties']));
  const { required } = schema;
  const wanted = Array.isArray(required) ? required.map(String) : [];
  // Properties with a default are not required.
  const left = wanted.filter((name) => !Object.hasOwn(defaults, name));
  const { required: _, ...rest } = schema;
  return {
    defaults,
    optional: properties.filter((name) => !wanted.includes(name)),
    schema: { ...found, schema: left.length === 0 ? rest : { ...rest, required: left } },
  };
}

interface Output {
  readonly params: JsonObject;
  readonly structured: boolean;
  readonly schema?: PromptSchema;
}

async function readOutput(document: PromptDocument, written: unknown, ports: PromptFilePorts): Promise<Output> {
  const output = readMap(document, ['output'], written) ?? {};
  const { format } = output;
  if (format !== undefined && format !== 'json' && format !== 'text') {
    document.report('invalid-value', 'output.format must be json or text', document.at(['output', 'format']));
  }
  const schema = await readSchema(document, ['output', 'schema'], output['schema'], ports);
  // A schema without a format means JSON.
  const isJson = format === 'json' || (format === undefined && schema !== undefined);
  if (!isJson) return { params: {}, structured: false, ...defined({ schema }) };
  if (schema === undefined) return { params: { response_format: { type: 'json_object' } }, structured: false };
  return { params: {}, structured: true, schema };
}

/** Reads a schema and the schemas that it names, each from `NAME.schema.json` beside the prompt. */
async function readSchema(
  document: PromptDocument,
  path: readonly PropertyKey[],
  written: unknown,
  { read }: PromptFilePorts,
): Promise<(PromptSchema & { readonly schema: JsonObject }) | undefined> {
  if (written === undefined || written === null) return undefined;
  const named = new Map<string, JsonObject>();
  for (;;) {
    try {
      return { schema: readPicoschema(toJson(written), named), at: document.at(path) };
    } catch (error) {
      if (!(error instanceof PicoschemaError)) throw error;
      const { unknown: name } = error;
      const at = document.at([...path, ...error.path]);
      const found = name !== undefined && /^\w{1,100}$/.test(name) ? await read(`${name}.schema.json`) : undefined;
      const schema = found !== undefined && 'text' in found ? parseJsonText(found.text) : undefined;
      const value = schema !== undefined && 'value' in schema ? toJson(schema.value) : undefined;
      if (name !== undefined && isJsonObject(value)) {
        named.set(name, value);
        continue;
      }
      const message = schema === undefined ? error.message : `${name}.schema.json holds no JSON Schema`;
      document.report('invalid-schema', message, at, error.hint);
      return undefined;
    }
  }
}

async function readTools(
  document: PromptDocument,
  { tools, toolDefs }: Readonly<Record<string, unknown>>,
  ports: PromptFilePorts,
): Promise<JsonObject> {
  const definitions: readonly unknown[] = Array.isArray(toolDefs) ? toolDefs : [];
  if (toolDefs !== undefined && toolDefs !== null && !Array.isArray(toolDefs)) {
    document.report('invalid-value', 'toolDefs must be a list', document.at(['toolDefs']));
  }
  const read = await Promise.all(definitions.map((item, index) => readTool(document, item, index, ports)));
  const sent = read.flatMap((tool) => tool ?? []);
  const names = new Set(sent.map((tool) => tool.function.name));
  for (const [index, name] of (Array.isArray(tools) ? tools : []).entries()) {
    if (names.has(String(name))) continue;
    const hint = 'define it under toolDefs, or add it to params.tools of the suite';
    document.warn(
      'unknown-id',
      `the tool "${String(name)}" is not sent: a program registers it`,
      document.at(['tools', index]),
      hint,
    );
  }
  return sent.length === 0 ? {} : { tools: sent };
}

async function readTool(document: PromptDocument, item: unknown, index: number, ports: PromptFilePorts) {
  const path = ['toolDefs', index];
  const { name, description, inputSchema } = readMap(document, path, item) ?? {};
  if (typeof name !== 'string') {
    document.report('invalid-value', 'a tool needs a name', document.at(path));
    return undefined;
  }
  const parameters = await readSchema(document, [...path, 'inputSchema'], inputSchema, ports);
  const tool = {
    name,
    ...defined({
      description: typeof description === 'string' ? description : undefined,
      parameters: parameters?.schema,
    }),
  };
  return { type: 'function', function: tool };
}

/** Reads the partials of a text and their own partials, each from `_name.prompt` beside the prompt. */
async function readPartials(
  { document, body }: FrontMatterFile,
  { read }: PromptFilePorts,
): Promise<Readonly<Record<string, string>>> {
  const partials = new Map<string, string>();
  const pending = [...(document.attempt(() => findPartials(body.source), body.locate) ?? [])];
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (partials.has(name)) continue;
    const at = document.locationOf(findPartialPlace(body, name));
    const parts = name.split('/');
    if (partials.size >= maxPartials) {
      document.report('invalid-value', `there are more than ${maxPartials} partials`, at);
      break;
    }
    if (/[\\:]/.test(name) || parts.includes('..')) {
      document.report('file-outside-project', `a partial lies beside its prompt, not at "${name}"`, at);
      continue;
    }
    const found = await read([...parts.slice(0, -1), `_${parts.at(-1) ?? ''}.prompt`].join('/'));
    if ('fault' in found) {
      const { code, message } = found.fault;
      document.report(code, `there is no partial "${name}": ${message}`, at, found.fault.hint);
      continue;
    }
    const text = found.text.replaceAll('\r\n', '\n');
    partials.set(name, text);
    try {
      pending.push(...findPartials(text));
    } catch (error) {
      // Compiling the whole template reports this with its place.
      if (!(error instanceof TemplateError)) throw error;
    }
  }
  return Object.fromEntries(partials);
}

function findPartialPlace({ source, locate }: PromptBody, name: string): Position {
  const reference = [...source.matchAll(/\{\{~?>\s*([^\s}~]+)/g)].find((match) => match[1] === name);
  const { line, column } = positionIn(source, reference?.index ?? 0);
  return locate(line, column);
}
