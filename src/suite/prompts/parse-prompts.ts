import { resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { isJsonObject } from '../../json/json.ts';
import type { PromptModel } from '../../model/suite/prompt-file.ts';
import type { PromptVersion } from '../../model/suite/suite.ts';
import { listWrittenMedia } from '../../templates/media.ts';
import { isTemplate } from '../../templates/template.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { type PromptPlaces, placeOf } from '../contracts/contract-places.ts';
import { joinContracts, type ParsedContract, parseContract } from '../contracts/parse-contract.ts';
import { checkReplaces, checkShape } from '../documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate, withoutExcerpt } from '../documents/locate.ts';
import { readPlacedFiles } from '../documents/read-document.ts';
import { checkParams, hintOfParams } from '../providers/check-params.ts';
import { expandParams } from '../providers/expand-tools.ts';
import { promptSchema } from '../schema/prompt-schema.ts';
import {
  type PlacedTemplate,
  type PromptCode,
  type PromptContent,
  type PromptContext,
  readContent,
} from './prompt-content.ts';
import type { FoundPrompt } from './prompt-file.ts';

/** A prompt version with the places of its templates. */
export interface CompiledPrompt {
  readonly version: PromptVersion;
  readonly templates: readonly PlacedTemplate[];
  readonly places: PromptPlaces;
  /** The model that its file names. */
  readonly model?: PromptModel;
  /** Code that makes its messages. */
  readonly code?: PromptCode;
  /** Set if it can't be known which variables are read. */
  readonly readsAll?: true;
}

/** Parses the prompt versions of a suite. A version with a mistake is reported and left out. */
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
    checkReplaces(item, located, { noun: 'prompt', known: [...ids.keys()], problems: context.problems });
  return compiled;
}

async function parsePromptItem(item: Located, context: PromptContext): Promise<CompiledPrompt | undefined> {
  const hintOfUnknown = (unknown: readonly string[], key: string) => hintOfParams(item, key, unknown);
  const prompt = checkShape(promptSchema, item, { label: 'the prompt', problems: context.problems, hintOfUnknown });
  if (prompt === undefined) return undefined;
  checkParams(childOf(item, 'params'), context.problems);
  const { params, snapshots } = expandParams(childOf(item, 'params'), context);
  const workspace = prompt.workspace && readPlacedFiles(childOf(item, 'workspace'), context);
  const content = await readContent(item, prompt, context);
  const attached = readAttached(item, content, context);
  const found = content?.found;
  const contract = await readContract(item, found, context);
  const output = contract?.contract.output ?? context.suiteContract.contract.output;
  const input = contract?.contract.input ?? context.suiteContract.contract.input;
  const structured = prompt.structured ?? found?.content.structured;
  if (prompt.structured === true && !isJsonObject(output)) {
    context.problems.refuse(
      childOf(item, 'structured'),
      `the prompt "${prompt.id}" is structured, but no contract has a schema of its output`,
      'add contract: { output: … } with a JSON Schema, to the prompt or the suite',
    );
  }
  if (content?.messages === undefined) return undefined;
  const textFile = prompt.file === undefined ? undefined : resolve(item.source.folder, prompt.file);
  const file =
    content.code?.source.file !== undefined
      ? context.files.relative(content.code.source.file)
      : textFile === undefined
        ? undefined
        : context.files.relative(textFile);
  return {
    version: {
      id: prompt.id,
      messages: content.messages,
      ...defined({
        replaces: prompt.replaces,
        expand: content.expand,
        providers: prompt.providers,
        workspace,
        attached: attached.length === 0 ? undefined : attached,
      }),
      params: { ...found?.content.params, ...params },
      ...defined({
        snapshots: snapshots.length === 0 ? undefined : snapshots,
        structured,
        contract: contract?.contract,
        file,
        locateLine: content.locateLine,
      }),
      at: withoutExcerpt(locate(item)),
    },
    templates: content.templates,
    ...defined({ model: found?.content.model, code: content.code && { ...content.code, ...defined({ input }) } }),
    places: { item: placeOf(item), ...defined({ textFile }), ...context.suiteContract.places, ...contract?.places },
  };
}

/** Reads attached files. A file that can't be read is reported when its case is planned. */
function readAttached(
  item: Located,
  content: Pick<PromptContent, 'messages' | 'expand'> | undefined,
  { files }: PromptContext,
): NonNullable<PromptVersion['attached']> {
  const written = itemsOf(childOf(item, 'messages')).flatMap((message) => itemsOf(childOf(message, 'attach')));
  const inFile = content?.expand === undefined ? [] : (content.messages ?? []);
  const paths = [
    ...written.map(({ value }) => String(value)).filter((path) => !isTemplate(path)),
    ...inFile.flatMap(({ template }) => listWrittenMedia(template.source)),
  ];
  return paths.flatMap((path) => {
    const sha256 = files.hash(resolve(item.source.folder, path));
    return sha256 === undefined ? [] : [{ path, sha256 }];
  });
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
