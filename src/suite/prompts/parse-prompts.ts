import { resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { isJsonObject } from '../../json/json.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { PromptModel, PromptWhole } from '../../model/prompt-file.ts';
import type { PromptVersion, Template } from '../../model/suite.ts';
import { compileTemplate } from '../../templates/template.ts';
import { TemplateError } from '../../templates/template-error.ts';
import { didYouMean } from '../../text/did-you-mean.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { describeTemplateError } from '../assertions/value-template.ts';
import { type PromptPlaces, placeOf } from '../contracts/contract-places.ts';
import { joinContracts, type ParsedContract, parseContract } from '../contracts/parse-contract.ts';
import { checkShape } from '../documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import { type Problems, withoutExcerpt } from '../documents/problems.ts';
import { checkParams } from '../providers/check-params.ts';
import { toJsonObject } from '../providers/parse-providers.ts';
import { promptSchema } from '../schema/suite-schema.ts';
import { type PlacedText, type PromptContext, placeIn, readContent } from './prompt-content.ts';
import type { FoundPrompt } from './prompt-file.ts';

/** A prompt version with the places of its templates. */
export interface CompiledPrompt {
  readonly version: PromptVersion;
  readonly templates: readonly PlacedTemplate[];
  readonly places: PromptPlaces;
  /** The model that its file names. */
  readonly model?: PromptModel;
}

export interface PlacedTemplate {
  readonly template: Template;
  readonly at: (line: number, column: number) => SourceLocation;
}

/** Parses the prompt versions of a suite; what is wrong is reported, and left out. */
export async function parsePrompts(located: Located, context: PromptContext): Promise<readonly CompiledPrompt[]> {
  const compiled: CompiledPrompt[] = [];
  const ids = new Map<string, Located>();
  for (const item of itemsOf(located)) {
    const prompt = await parsePromptItem({ ...item, value: plainNumbers(item.value) }, context);
    const id = childOf(item, 'id');
    if (typeof id.value === 'string') {
      if (ids.has(id.value))
        context.problems.report({
          code: 'duplicate-id',
          message: `two prompts have the id "${id.value}"`,
          hint: 'every version needs an id of its own',
          at: locate(id),
        });
      else ids.set(id.value, id);
    }
    if (prompt !== undefined) compiled.push(prompt);
  }
  for (const item of itemsOf(located))
    checkReplaces(childOf(item, 'replaces'), childOf(item, 'id').value, [...ids.keys()], located, context.problems);
  return compiled;
}

async function parsePromptItem(item: Located, context: PromptContext): Promise<CompiledPrompt | undefined> {
  const prompt = checkShape(promptSchema, item, { label: 'the prompt', problems: context.problems });
  if (prompt === undefined) return undefined;
  checkParams(childOf(item, 'params'), context.problems);
  const content = await readContent(item, prompt, context);
  const { texts, found } = content ?? {};
  reportEmpty(prompt.id, texts ?? [], context.problems);
  const messages = texts?.flatMap(({ role, text, at, attach, compiled: read }) => {
    const template = read ?? compilePlaced(text, at, context.problems);
    const files = attach.flatMap((path) => {
      const compiled = compilePlaced(path.text, path.at, context.problems);
      return compiled === undefined ? [] : [{ template: compiled, at: path.at }];
    });
    if (template === undefined || files.length < attach.length) return [];
    return [{ role, placed: { template, at }, files }];
  });
  const contract = await readContract(item, found, context);
  const output = contract?.contract.output ?? context.suiteContract.contract.output;
  const structured = prompt.structured ?? found?.content.structured;
  if (prompt.structured === true && !isJsonObject(output)) {
    context.problems.report({
      code: 'invalid-value',
      message: `the prompt "${prompt.id}" is structured, and no contract says how its output is`,
      hint: 'add contract: { output: … } with a JSON Schema, to the prompt or the suite',
      at: locate(childOf(item, 'structured')),
    });
  }
  if (texts === undefined || messages === undefined || messages.length < texts.length) return undefined;
  const textFile = prompt.file === undefined ? undefined : resolve(item.source.folder, prompt.file);
  const file = textFile === undefined ? undefined : context.files.relative(textFile);
  const { whole, model } = found?.content ?? {};
  const written: readonly PlacedTemplate[] =
    whole === undefined || found === undefined
      ? messages.flatMap(({ placed, files }) => [placed, ...files])
      : [{ template: templateOf(whole), at: placeIn(found, whole.locate) }];
  return {
    version: {
      id: prompt.id,
      messages:
        whole?.messages ??
        messages.map(({ role, placed, files }) => ({
          role,
          template: placed.template,
          ...(files.length === 0 ? {} : { attach: files.map(({ template }) => template) }),
        })),
      ...defined({ replaces: prompt.replaces, expand: whole?.expand }),
      params: { ...found?.content.params, ...toJsonObject(prompt.params) },
      ...defined({ structured, contract: contract?.contract, file }),
      at: withoutExcerpt(locate(item)),
    },
    templates: written,
    ...defined({ model }),
    places: {
      item: placeOf(item),
      ...defined({ textFile }),
      ...context.suiteContract.places,
      ...contract?.places,
    },
  };
}

/** Neither text nor file to send: a prompt that was never written. */
function reportEmpty(id: string, texts: readonly PlacedText[], problems: Problems): void {
  const [first] = texts;
  if (first === undefined || texts.some(({ text, attach }) => text.trim() !== '' || attach.length > 0)) return;
  problems.report({
    code: 'invalid-value',
    message: `the prompt "${id}" is empty`,
    hint: 'write what the model is to be sent',
    at: first.at(1, 1),
  });
}

/** A template of all messages as one of a text, to check whether it can be rendered. */
function templateOf({ source, variables, expand }: PromptWhole): Template {
  return {
    source,
    variables,
    render: (vars) =>
      expand(vars)
        .map(({ content }) => content)
        .join('\n'),
  };
}

/** The contract in the prompt file, overridden by the one in the suite. */
async function readContract(
  item: Located,
  found: FoundPrompt | undefined,
  context: PromptContext,
): Promise<ParsedContract | undefined> {
  const part = childOf(item, 'contract');
  const own = part.value === undefined ? undefined : await parseContract(part, context);
  const { input, output } = found?.content ?? {};
  if (found === undefined || (input === undefined && output === undefined)) return own;
  const value = {
    ...defined({ input: input?.schema, output: output?.schema }),
  };
  const at = ([key]: readonly PropertyKey[]) => (key === 'output' ? output : input)?.at ?? locate(item);
  const located = { value, source: { ...found.source, at, within: at }, path: [] };
  const { contract, places } = await parseContract(located, context);
  const fixed = Object.fromEntries(Object.entries(places).map(([key, place]) => [key, { ...place, isFixed: true }]));
  return joinContracts({ contract, places: fixed }, own);
}

function compilePlaced(text: string, at: PlacedText['at'], problems: Problems): Template | undefined {
  try {
    return compileTemplate(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    for (const one of [error, ...error.also])
      problems.report(describeTemplateError(one, at(one.line ?? 1, one.column ?? 1)));
    // What can be read of it may miss variables too.
    return error.rest;
  }
}

function checkReplaces(
  replaces: Located,
  id: unknown,
  ids: readonly string[],
  prompts: Located,
  problems: Problems,
): void {
  const { value } = replaces;
  if (typeof value !== 'string') return;
  if (!ids.includes(value)) {
    problems.report({
      code: 'unknown-id',
      message: `the prompt replaces "${value}", which is no prompt of this suite`,
      hint: didYouMean(value, ids) ?? `known: ${ids.join(', ')}`,
      at: locate(replaces),
    });
    return;
  }
  const next = new Map(itemsOf(prompts).map((item) => [childOf(item, 'id').value, childOf(item, 'replaces').value]));
  const seen = new Set<unknown>();
  for (let current: unknown = value; current !== undefined && !seen.has(current); current = next.get(current)) {
    seen.add(current);
    if (current !== id) continue;
    problems.report({
      code: 'invalid-value',
      message: `the prompt "${String(id)}" replaces itself${value === id ? '' : ', by way of others'}`,
      at: locate(replaces),
    });
    return;
  }
}
