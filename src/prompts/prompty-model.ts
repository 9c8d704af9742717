import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { PromptModel, PromptSchema } from '../model/prompt-file.ts';
import { findModel, findVendorModel } from './find-model.ts';
import { isRecord, type PromptDocument, readMap, renameParams, toJsonObject } from './prompt-document.ts';
import { readProperties } from './prompty-properties.ts';

/** Text that stands for another value, such as `${env:NAME}`. */
export const promptyReference = /^\$\{(\w+):([^}]*)\}$/;

/** The model and its parameters, of either generation. */
export function readModel(
  document: PromptDocument,
  written: unknown,
): { readonly model?: PromptModel; readonly params: JsonObject } {
  if (typeof written === 'string') return { model: findModel(written, document.at(['model'])), params: {} };
  const value = readMap(document, ['model'], written) ?? {};
  const { id, provider, configuration, options, parameters, api, apiType } = value;
  const kind = apiType ?? api;
  if (typeof kind === 'string' && !['chat', 'completion', 'responses', 'agent'].includes(kind)) {
    const at = document.at(['model', apiType === undefined ? 'api' : 'apiType']);
    document.report('invalid-value', `a prompt of the kind ${kind} has no answer in text`, at);
  }
  const settings = {
    ...readMap(document, ['model', 'parameters'], parameters),
    ...readMap(document, ['model', 'options'], options),
  };
  const { additionalProperties, ...known } = settings;
  const extra = isRecord(additionalProperties) ? toJsonObject(additionalProperties) : {};
  const params = { ...renameParams(known), ...extra };
  const at = document.at(['model']);
  const model =
    typeof id === 'string'
      ? typeof provider === 'string'
        ? findVendorModel(provider, id, document.at(['model', 'id']))
        : findModel(id, document.at(['model', 'id']))
      : readConfiguration(isRecord(configuration) ? configuration : undefined, at);
  return { params, ...defined({ model }) };
}

/** The first generation: where the model runs says what it is called. */
function readConfiguration(
  configuration: Readonly<Record<string, unknown>> | undefined,
  at: PromptSchema['at'],
): PromptModel | undefined {
  if (configuration === undefined) return undefined;
  const { type, azure_deployment: deployment, model, name } = configuration;
  const written = [deployment, model, name].find((value) => typeof value === 'string');
  if (typeof written !== 'string') return undefined;
  if (promptyReference.test(written)) {
    return { written, hint: 'the file names its model by an environment variable: name a provider in the suite', at };
  }
  return findVendorModel(typeof type === 'string' ? type : 'openai', written, at);
}

/** Functions, as Chat Completions takes them. */
export function readTools(document: PromptDocument, written: unknown): JsonObject {
  if (written === undefined || written === null) return {};
  if (!Array.isArray(written)) {
    document.report('invalid-value', 'tools must be a list', document.at(['tools']));
    return {};
  }
  const tools = written.flatMap((item: unknown, index): readonly JsonObject[] => {
    const path = ['tools', index];
    const { name, kind, description, parameters, strict, function: own } = readMap(document, path, item) ?? {};
    // As Chat Completions has it, which the first generation writes under parameters.
    if (isRecord(own)) return [toJsonObject(item)];
    if (typeof name !== 'string' || (kind !== undefined && kind !== 'function')) {
      const message =
        typeof name === 'string' ? `the tool "${name}" is not sent: only functions are` : 'a tool needs a name';
      document.warn('invalid-value', message, document.at(path));
      return [];
    }
    const inner =
      isRecord(parameters) && Array.isArray(parameters['properties']) ? parameters['properties'] : parameters;
    const properties = readProperties(document, inner ?? [], [...path, 'parameters'], false);
    const required = properties.filter(({ isRequired }) => isRequired).map((property) => property.name);
    const schema = {
      type: 'object',
      properties: Object.fromEntries(properties.map((property) => [property.name, property.schema])),
      ...(required.length === 0 ? {} : { required }),
    };
    const described = typeof description === 'string' ? { description } : {};
    const isStrict = typeof strict === 'boolean' ? { strict } : {};
    return [{ type: 'function', function: { name, ...described, parameters: schema, ...isStrict } }];
  });
  return tools.length === 0 ? {} : { tools };
}
