import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { draft2020Uri } from '../../json/json-schema.ts';
import type { AssertionDeclaration } from '../../model/suite/assertion.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { parseYaml } from '../../text/yaml/yaml-text.ts';
import { selectSchema } from '../assertions/select.ts';
import { configShape } from '../config.ts';
import { keysAt } from '../documents/check-shape.ts';
import { addKeyHelp } from './examples.ts';
import { promptSchema } from './prompt-schema.ts';
import { anyJudge, anyProvider, judgeSchema, params, providerSchema } from './provider-schema.ts';
import { anyAssertion, anyCase, anySelect, caseFileSchema, caseSchema, suiteShape } from './suite-schema.ts';
import { anyTools, mcpToolsSchema, toolsSchema } from './tool-schema.ts';

interface Declarations {
  readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
}

/** The JSON Schema of suite files, for editors; from the same schemas that check them. */
export function buildSuiteJsonSchema(declarations: Declarations): JsonObject {
  const schema = toJsonSchema(
    z.strictObject({ ...suiteShape, prompts: z.array(promptSchema).min(1).describe('Prompt versions.') }),
  );
  return addKeyHelp({
    $schema: draft2020Uri,
    title: 'llmcheck suite',
    ...schema,
    patternProperties: extensions,
    $defs: buildDefinitions(declarations),
  });
}

/** The JSON Schema of llmcheck.config.yaml. */
export function buildConfigJsonSchema(declarations: Declarations): JsonObject {
  return addKeyHelp({
    $schema: draft2020Uri,
    title: 'llmcheck config',
    ...toJsonSchema(z.strictObject(configShape)),
    patternProperties: extensions,
    $defs: buildDefinitions(declarations),
  });
}

const extensions: JsonObject = { '^x-': { description: 'Ignored: a place for YAML anchors.' } };

function buildDefinitions({ assertions, adapters }: Declarations): JsonObject {
  return {
    assertion: buildAssertion(assertions),
    provider: {
      description: describe(anyProvider),
      anyOf: [{ type: 'string' }, buildProvider(adapters, providerSchema)],
    },
    judge: { description: describe(anyJudge), anyOf: [{ type: 'string' }, buildProvider(adapters, judgeSchema)] },
    select: { description: describe(anySelect), ...toJsonSchema(selectSchema) },
    tools: { description: describe(anyTools), ...toJsonSchema(toolsSchema) },
    params: buildParams(),
    case: { description: describe(anyCase), anyOf: [toJsonSchema(caseSchema), toJsonSchema(caseFileSchema)] },
  };
}

/** The schema of parameters: anything that the API accepts. Its tools may include a server's tools. */
function buildParams(): JsonObject {
  const ofServer = { description: 'Tools of an MCP server.', ...toJsonSchema(mcpToolsSchema) };
  const own: JsonObject = {
    description: "A tool, in the API's form or as {name, description, parameters}.",
    type: 'object',
  };
  const tools: JsonObject = {
    description: 'What the model may call.',
    type: 'array',
    items: { anyOf: [ofServer, own] },
    examples: [[{ mcp: 'tools/orders.mcp.json', only: ['find_order'] }]],
  };
  return { description: describe(params), type: 'object', properties: { tools }, additionalProperties: true };
}

/** The schema of an assertion: a map with one assertion name and the keys of every assertion. */
function buildAssertion(assertions: Declarations['assertions']): JsonObject {
  const names = Object.keys(assertions);
  const properties = Object.fromEntries(
    Object.entries(assertions).map(([name, declaration]) => [name, buildValue(name, declaration)]),
  );
  return {
    description: describe(anyAssertion),
    type: 'object',
    properties: {
      ...properties,
      select: { description: 'The part of the answer that is checked.', ...toJsonSchema(selectSchema) },
      name: { description: 'Your own name for the check.', type: 'string', minLength: 1 },
      weight: { description: 'Its weight in the score; default 1.', type: 'number', minimum: 0 },
      required: { description: 'With a threshold: the case fails if this check fails.', type: 'boolean' },
    },
    additionalProperties: false,
    oneOf: names.map((name) => ({ required: [name] })),
  };
}

/** With the example that the pages show. */
function buildValue(name: string, declaration: AssertionDeclaration): JsonObject {
  const { value } = parseYaml(declaration.example);
  const example = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const own = example.flatMap(([key, shown]) => (key === name ? [toPlainValue(plainNumbers(shown))] : []));
  return { ...buildForms(declaration), ...defined({ examples: own.length === 0 ? undefined : own }) };
}

function toPlainValue(value: unknown): JsonValue {
  const plain: JsonValue = JSON.parse(JSON.stringify(value));
  return plain;
}

/** The short form, the map of parameters, or children. */
function buildForms(declaration: AssertionDeclaration): JsonObject {
  const { summary, main, children } = declaration;
  const child: JsonObject = { $ref: '#/$defs/assertion' };
  if (children === 'one') return { description: summary, ...child };
  if (children === 'many') return { description: summary, type: 'array', minItems: 1, items: child };
  const map = allowTemplates(toJsonSchema(declaration.params));
  const mainSchema = main === undefined ? undefined : readProperty(map, main);
  const short = mainSchema === undefined ? undefined : allowFile(declaration, mainSchema);
  if (short === undefined) return { description: summary, ...map };
  return { description: summary, anyOf: declaration.wholeValue === true ? [short] : [short, map] };
}

function allowFile({ files, main }: AssertionDeclaration, schema: JsonValue): JsonValue {
  if (main === undefined || files?.includes(main) !== true) return schema;
  return { anyOf: [schema, { type: 'string', description: 'The path of a JSON or YAML file.' }] };
}

/** Every parameter may be a template in place of its own type. */
function allowTemplates(map: JsonObject): JsonObject {
  const properties = map['properties'];
  if (!isJsonObject(properties)) return map;
  const template: JsonObject = { type: 'string', pattern: '\\{\\{' };
  const open = Object.entries(properties).map(([key, schema]): [string, JsonValue] => [
    key,
    isOpen(schema) ? schema : { anyOf: [schema, template] },
  ]);
  return { ...map, properties: Object.fromEntries(open) };
}

/** True if a text passes anyway. */
function isOpen(schema: JsonValue): boolean {
  if (!isJsonObject(schema)) return true;
  const { type } = schema;
  const isText = type === 'string' || (Array.isArray(type) && type.includes('string'));
  return (
    (isText && !('enum' in schema) && !('pattern' in schema)) ||
    Object.keys(schema).every((key) => key === 'description')
  );
}

function readProperty(map: JsonObject, name: string): JsonValue | undefined {
  const properties = map['properties'];
  if (!isJsonObject(properties)) return undefined;
  return Object.entries(properties).find(([key]) => key === name)?.[1];
}

/** Every adapter has keys of its own; the strict check knows which adapter a provider uses. */
function buildProvider(adapters: Declarations['adapters'], schema: z.ZodType): JsonObject {
  const base = toJsonSchema(schema);
  const baseProperties = base['properties'];
  const options: Record<string, JsonValue> = {};
  for (const [name, { options: own }] of Object.entries(adapters)) {
    const map = toJsonSchema(own);
    for (const key of keysAt(own, [])) {
      const known = options[key];
      const property = readProperty(map, key) ?? {};
      options[key] =
        known === undefined
          ? {
              description: `Of the adapter ${name}.`,
              ...(isJsonObject(property) ? property : {}),
            }
          : known;
    }
  }
  return {
    ...base,
    properties: {
      ...options,
      ...(isJsonObject(baseProperties) ? baseProperties : {}),
    },
  };
}

function describe(schema: z.ZodType): string {
  return schema.description ?? '';
}

/** The schema of the input, before transforms; stand-ins become references. */
function toJsonSchema(schema: z.ZodType): JsonObject {
  const { $schema: _dialect, ...made } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const name = standIns.find(([standIn]) => standIn === zodSchema)?.[1];
      if (name === undefined) return;
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      jsonSchema.$ref = `#/$defs/${name}`;
    },
  });
  return toPlain(made);
}

const standIns: readonly (readonly [unknown, string])[] = [
  [anyAssertion, 'assertion'],
  [anyProvider, 'provider'],
  [anyJudge, 'judge'],
  [anyCase, 'case'],
  [anySelect, 'select'],
  [anyTools, 'tools'],
  [params, 'params'],
];

function toPlain(value: object): JsonObject {
  const plain: JsonObject = JSON.parse(JSON.stringify(value));
  return plain;
}
