import { basename, dirname, join, resolve } from 'node:path';
import { splitPointer } from '../../json/json-pointer.ts';
import { type SourceLocation, UserError } from '../../model/problem.ts';
import { positionIn } from '../../templates/template-error.ts';
import { escapeRegex } from '../../text/patterns/regex.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import {
  childOf,
  createProblems,
  itemsOf,
  type Located,
  locate,
  type Path,
  textSource,
  withoutExcerpt,
} from '../documents/locate.ts';
import { parseDocument, parseText } from '../documents/read-document.ts';
import { type ProjectFiles, readTextFile } from '../files/project-files.ts';
import { displayPath } from '../files/project-place.ts';

/** The place of a value. The parsed file is not kept, because a suite with its cases is large. */
export interface ContractPlace {
  /** Absolute. */
  readonly file: string;
  readonly path: Path;
  readonly at: SourceLocation;
  /** True if `at` is exact enough, so that the file need not be parsed again. */
  readonly isFixed?: boolean;
}

/** The places of the parts of a prompt's contract. */
export interface PromptPlaces {
  /** The prompt's entry in the suite. */
  readonly item: ContractPlace;
  /** Absolute path of the file with its texts, if they are in a separate file. */
  readonly textFile?: string;
  readonly input?: ContractPlace;
  readonly output?: ContractPlace;
}

export function placeOf(located: Located): ContractPlace {
  const { source, path } = located;
  return { file: join(source.folder, basename(source.file)), path, at: withoutExcerpt(locate(located)) };
}

type LocateContract = (prompt: string, pointer: string) => Promise<SourceLocation | undefined>;

/** Finds the lines of findings by reading the files again; falls back to the prompt's own line. */
export function createContractLocator(
  files: ProjectFiles,
  prompts: ReadonlyMap<string, PromptPlaces>,
  list: ContractPlace,
  snapshots: readonly string[],
): LocateContract {
  const documents = new Map<string, Promise<Located | undefined>>();
  const open = (file: string): Promise<Located | undefined> => {
    const known = documents.get(file) ?? readAgain(file, files);
    documents.set(file, known);
    return known;
  };
  return async (id, pointer) => {
    const places = prompts.get(id);
    const [part = '', ...rest] = splitPointer(pointer) ?? [];
    if (places === undefined) return list.at;
    const { item, input, output } = places;
    const [name = ''] = rest;
    const inParams = (...path: Path) => find({ ...item, path: [...item.path, 'params', ...path] }, open);
    switch (part) {
      case 'inputSchema':
        return input === undefined ? item.at : findInSchema(input, rest, open);
      case 'outputSchema':
        return output === undefined
          ? inParams('response_format', 'json_schema', 'schema', ...rest)
          : findInSchema(output, rest, open);
      case 'params':
        return inParams(...rest);
      case 'tools':
        return (
          (await findInSnapshots(snapshots, name, pointer, open)) ??
          inParams('tools', ...findTool(await valueAt(item, open), name, rest.slice(1)))
        );
      case 'providers':
        return findInProvider(list.file, rest, open);
      case 'variables':
        return (await findVariable(places, name, files)) ?? item.at;
      default:
        return item.at;
    }
  };
}

type Open = (file: string) => Promise<Located | undefined>;

async function readAgain(file: string, files: ProjectFiles): Promise<Located | undefined> {
  const found = await files.read(file);
  return 'fault' in found ? undefined : parseDocument(file, found.text, files, createProblems());
}

/** The place of a path, or of the nearest value above it. */
async function find({ file, path, at }: ContractPlace, open: Open): Promise<SourceLocation> {
  const document = await open(file);
  return document === undefined ? at : withoutExcerpt(locate({ ...document, path }, 'key'));
}

async function findInSchema(place: ContractPlace, tokens: Path, open: Open): Promise<SourceLocation> {
  if (tokens.length === 0 || place.isFixed === true) return place.at;
  const document = await open(place.file);
  if (document === undefined) return place.at;
  return withoutExcerpt(locateTokens(descend(document, place.path), tokens));
}

/** Locates a part of a schema, or the place where it would be. */
export function locateInSchema(root: Located, pointer: string): SourceLocation {
  return locateTokens(root, splitPointer(pointer) ?? []);
}

function locateTokens(root: Located, tokens: Path): SourceLocation {
  return locate({ ...root, path: followReferences(root, tokens) }, tokens.length === 0 ? 'value' : 'key');
}

function descend(document: Located, path: Path): Located {
  return path.reduce<Located>(childOf, document);
}

/** Findings name places by the value's path. In the file, this path may lead through `$ref`. */
function followReferences(root: Located, tokens: Path): Path {
  let current = root;
  let jumps = 0;
  for (const token of tokens) {
    for (let target = referenceOf(current); target !== undefined && jumps < 50; target = referenceOf(current)) {
      if (childOf(current, token).value !== undefined) break;
      jumps += 1;
      current = descend(root, target);
    }
    const next = childOf(current, token);
    if (next.value === undefined) return next.path;
    current = next;
  }
  return current.path;
}

function referenceOf(located: Located): Path | undefined {
  const ref = childOf(located, '$ref').value;
  return typeof ref === 'string' && ref.startsWith('#') ? splitPointer(ref.slice(1)) : undefined;
}

async function valueAt(place: ContractPlace, open: Open): Promise<Located | undefined> {
  const document = await open(place.file);
  return document === undefined ? undefined : descend(document, place.path);
}

/** The path of a tool in the list of tools, by its name. Some APIs wrap a tool in `function`. */
function findTool(item: Located | undefined, name: string, rest: Path): Path {
  if (item === undefined) return [];
  const tools = itemsOf(childOf(childOf(item, 'params'), 'tools'));
  for (const [index, tool] of tools.entries()) {
    const wrapped = childOf(tool, 'function');
    if (childOf(wrapped, 'name').value === name) return [index, 'function', ...(rest.length > 0 ? rest : ['name'])];
    if (childOf(tool, 'name').value === name) return [index, ...(rest.length > 0 ? rest : ['name'])];
  }
  return [];
}

/** The place of a provider's parameter, if the suite's own file configures the provider. */
async function findInProvider(file: string, [id, ...path]: Path, open: Open): Promise<SourceLocation | undefined> {
  const document = await open(file);
  const items = document === undefined ? [] : itemsOf(childOf(document, 'providers'));
  const item = items.find((one) => childOf(one, 'id').value === id);
  if (item === undefined) return undefined;
  const [params = '', part, name, ...rest] = path;
  const within = part === 'tools' ? [params, part, ...findTool(item, String(name), rest)] : path;
  return withoutExcerpt(locate({ ...item, path: [...item.path, ...within] }, 'key'));
}

/** The place in the first file of tools that has the tool. */
async function findInSnapshots(files: readonly string[], name: string, pointer: string, open: Open) {
  for (const file of files) {
    const document = await open(file);
    const names =
      document === undefined ? [] : itemsOf(childOf(document, 'tools')).map((tool) => childOf(tool, 'name'));
    if (document !== undefined && names.some(({ value }) => value === name)) return locateInSnapshot(document, pointer);
  }
  return undefined;
}

/** Finds the first place at which a template reads the variable. */
async function findVariable(
  { item, textFile }: PromptPlaces,
  name: string,
  files: ProjectFiles,
): Promise<SourceLocation | undefined> {
  const file = textFile ?? item.file;
  const found = await files.read(file);
  if ('fault' in found) return undefined;
  const { text } = found;
  const from = textFile === undefined ? offsetOfLine(text, item.at.line) : 0;
  const offset = findTemplateVariable(text.slice(from), name);
  if (offset === undefined) return undefined;
  const { line, column } = positionIn(text, from + offset);
  return withoutExcerpt(textSource({ file: files.display(file), folder: '' }, text).within([], line, column));
}

function offsetOfLine(text: string, line: number): number {
  let offset = 0;
  for (let passed = 1; passed < line; passed += 1) {
    const next = text.indexOf('\n', offset);
    if (next === -1) return offset;
    offset = next + 1;
  }
  return offset;
}

/** The offset of the first template in a text that reads a variable; undefined if none does. */
export function findTemplateVariable(text: string, name: string): number | undefined {
  // Excludes braces inside, so that a text of many opening braces is searched once.
  const pattern = new RegExp(
    String.raw`\{[{%][^{}%]*?(?<![\p{L}\p{N}_.-])(?=${escapeRegex(name)}(?![\p{L}\p{N}_-]))`,
    'u',
  );
  const match = pattern.exec(text);
  return match === null ? undefined : match.index + match[0].length;
}

/** A schema file outside of suites. `locate` finds the line of a part of the schema. */
export interface SchemaFile {
  /** The file's name in problems. */
  readonly file: string;
  readonly schema: unknown;
  readonly locate: (pointer: string) => SourceLocation;
}

/** Reads a JSON or YAML file that the user named; throws a `UserError` if it can't be read. */
export function readSchemaFile(path: string, cwd: string): SchemaFile {
  const absolute = resolve(cwd, path);
  const file = displayPath(absolute, cwd);
  const found = readTextFile(absolute, file);
  if ('fault' in found) throw new UserError({ ...found.fault });
  const problems = createProblems();
  const document = parseText({ file, folder: dirname(absolute) }, found.text, problems);
  if (document === undefined) throw new UserError(problems.list());
  return { file, schema: plainNumbers(document.value), locate: (pointer) => locateInSchema(document, pointer) };
}

/**
 * Locates the part that a finding names in a file of tools, such as `/tools/find_order/parameters/properties/id`. Falls
 * back to the file's start.
 */
export function locateInSnapshot(document: Located, pointer: string): SourceLocation {
  const [, name = '', ...rest] = splitPointer(pointer) ?? [];
  const path = findToolPath(document, name, rest);
  return withoutExcerpt(locate({ ...document, path: path ?? [] }, path === undefined ? 'value' : 'key'));
}

/** The path of a part of a tool; undefined if the file has no such tool. */
function findToolPath(document: Located, name: string, [part, ...rest]: Path): Path | undefined {
  const index = itemsOf(childOf(document, 'tools')).findIndex((tool) => childOf(tool, 'name').value === name);
  if (index === -1) return undefined;
  const tool: Path = ['tools', index];
  if (part === undefined) return [...tool, 'name'];
  return [...tool, part === 'parameters' ? 'inputSchema' : part, ...rest];
}
