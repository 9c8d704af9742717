import { resolve } from 'node:path';
import type * as z from 'zod';
import { canonicalJson, spell } from '../../json/canonical-json.ts';
import { isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { compileAssertions } from '../assertions/compile-assertions.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import type { CompiledAssertion } from '../assertions/compiled-assertion.ts';
import { checkShape } from '../documents/check-shape.ts';
import { findMeant } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { isGlob } from '../files/project-place.ts';
import { isPromptFile, type ParsePrompt, readPromptFile } from '../prompts/prompt-file.ts';
import { caseFileSchema, caseSchema } from '../schema/suite-schema.ts';
import { isRowFile, openRows, type ReadRows, readRows, rowSuffixes } from './read-rows.ts';
import { type CompiledTools, compileTools } from './tool-stubs.ts';

/** Rows in the suite itself, or in one file of cases. */
export interface RowSource {
  readonly read: ReadRows;
  readonly group: CaseGroup;
  readonly file?: CaseFile;
}

/** The file that rows come from. */
export interface CaseFile {
  /** The file's name in problems. */
  readonly shown: string;
  /** The place in the suite that names it. */
  readonly namedBy: Located;
  /** False if a pattern found it. */
  readonly isNamed: boolean;
}

interface ReadContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly assertionContext: AssertionContext;
  readonly parsePrompt: ParsePrompt;
}

/** Opens every file that a list of cases names; cases in the suite itself keep their place in the order. */
export async function readCases(list: Located, context: ReadContext): Promise<readonly RowSource[]> {
  const sources: RowSource[] = [];
  for (const item of itemsOf(list)) {
    const isFile = typeof item.value === 'object' && item.value !== null && Object.hasOwn(item.value, 'file');
    if (isFile) sources.push(...(await openCaseFiles(item, context)));
    else sources.push({ read: () => [{ row: item }], group: { settings: {}, assertions: [] } });
  }
  return sources;
}

async function openCaseFiles(item: Located, context: ReadContext): Promise<readonly RowSource[]> {
  const { files, problems, assertionContext } = context;
  const shape = checkShape(caseFileSchema, withPlainSettings(item), { label: 'a file of cases', problems });
  const parts = shape ?? readValidParts(item);
  if (parts === undefined) return [];
  const { file, ...settings } = parts;
  const assertions = settings.assert === undefined ? [] : compileAssertions(childOf(item, 'assert'), assertionContext);
  const tools =
    childOf(item, 'tools').value === undefined ? undefined : compileTools(childOf(item, 'tools'), assertionContext);
  const namedBy = childOf(item, 'file');
  const sources: RowSource[] = [];
  for (const path of await findCaseFiles({ ...namedBy, value: file }, context)) {
    const read = await openFile(path, namedBy, context);
    if (read === undefined) continue;
    const isNamed = path === resolve(namedBy.source.folder, file);
    sources.push({
      read,
      group: { settings, assertions, ...defined({ tools }) },
      file: { shown: files.display(path), namedBy, isNamed },
    });
  }
  return sources;
}

/** Reads the valid parts. A mistake beside the file's name must not hide mistakes in its rows. */
function readValidParts(item: Located) {
  const { file, assert } = caseFileSchema.shape;
  const named = file.safeParse(childOf(item, 'file').value);
  const asserted = assert.safeParse(childOf(item, 'assert').value);
  return named.success ? { file: named.data, ...defined({ assert: asserted.data }) } : undefined;
}

async function findCaseFiles(named: Located<string>, { files, problems }: ReadContext): Promise<readonly string[]> {
  const { folder } = named.source;
  const { paths, faults } = isGlob(named.value)
    ? await files.glob([named.value], folder)
    : { paths: [resolve(folder, named.value)], faults: [] };
  for (const fault of faults) reportFault(fault, problems, named);
  if (paths.length === 0 && faults.length === 0) {
    problems.report({
      code: 'file-unreadable',
      message: `no file matches "${named.value}"`,
      hint: `paths start from ${files.display(folder)}`,
      at: locate(named),
    });
  }
  return paths.filter((path) => {
    if (isPromptFile(path) || rowSuffixes.some((suffix) => path.toLowerCase().endsWith(suffix))) return true;
    problems.refuse(
      named,
      `${files.display(path)} is not a file of cases`,
      `cases are read from ${rowSuffixes.join(', ')}`,
    );
    return false;
  });
}

/** Opens the file. Returns undefined if it can't be read, and reports this at its name in the suite. */
async function openFile(path: string, namedBy: Located, context: ReadContext): Promise<ReadRows | undefined> {
  const { files, problems } = context;
  if (isRowFile(path)) {
    const found = await files.readBytes(path);
    if ('bytes' in found) return openRows(path, found.bytes, files, namedBy);
    reportFault(found.fault, problems, namedBy);
    return undefined;
  }
  const rows = isPromptFile(path)
    ? await readPromptRows(path, namedBy, context)
    : await readDocumentRows(path, namedBy, context);
  return rows && (() => rows.map((row) => ({ row })));
}

async function readDocumentRows(path: string, namedBy: Located, { files, problems }: ReadContext) {
  const found = await files.read(path);
  if ('text' in found) return readRows({ path, text: found.text }, files, problems);
  reportFault(found.fault, problems, namedBy);
  return undefined;
}

/** The test data of a prompt file, with its evaluators. */
async function readPromptRows(path: string, namedBy: Located, context: ReadContext): Promise<readonly Located[]> {
  const found = await readPromptFile(path, context, namedBy);
  if (found === undefined) return [];
  const { content, source } = found;
  if (content.tests !== undefined) {
    return content.tests.rows.map(({ value, at }) => ({
      value,
      source: { ...source, at, within: (keys) => at(keys) },
      path: [],
    }));
  }
  context.problems.refuse(
    namedBy,
    `${source.file} holds no test data`,
    /\.ya?ml$/i.test(path) ? 'add testData and evaluators to it' : 'write a suite that names it as a prompt',
  );
  return [];
}

/** A case as written, once its shape is known to be right. */
export type CaseRow = z.output<typeof caseSchema>;

/** Settings and assertions that several cases share, from a case file or the suite's defaults. */
export interface CaseGroup {
  readonly settings: CaseRow;
  readonly assertions: readonly CompiledAssertion[];
  readonly tools?: CompiledTools;
}

/** Checks the shape of a row; undefined if it is wrong, which is reported. */
export function readRow(row: Located, problems: Problems): CaseRow | undefined {
  const hintOfUnknown = (unknown: readonly string[], key: string) => hintOfVars(row, unknown, key);
  return checkShape(caseSchema, withPlainSettings(row), { label: 'the case', problems, hintOfUnknown });
}

/** The next step if a case has no `vars` and its unknown keys are probably variables. */
function hintOfVars({ value, source }: Located, unknown: readonly string[], key: string): string | undefined {
  const known = Object.keys(caseSchema.shape);
  if (Object.hasOwn(Object(value), 'vars')) return undefined;
  const names = unknown.filter((name) => !isMeant(name, Reflect.get(Object(value), name), known));
  if (!names.includes(key)) return undefined;
  const written = /\.(?:json|jsonl|ndjson)$/i.test(source.file)
    ? `"vars": {${names.map((name) => `${JSON.stringify(name)}: …`).join(', ')}}`
    : `vars: { ${names.map((name) => `${name}: …`).join(', ')} }`;
  return `a variable of the prompt is written under vars: ${written}`;
}

/** True for a key that most likely means a known key, whose form its value has. */
function isMeant(key: string, value: unknown, known: readonly string[]): boolean {
  // A known key that lacks its colon.
  if (/^[\w-]+[:\s]/.test(key) && known.includes(key.replace(/[:\s].*/s, ''))) return true;
  const meant = findMeant(key, known);
  const field = Object.entries(caseSchema.shape).find(([name]) => name === meant)?.[1];
  return field?.safeParse(plainNumbers(value)).success === true;
}

/** A case or a file of cases with its settings as plain numbers; vars, expected and assertions keep every spelling. */
function withPlainSettings(row: Located): Located {
  const { value } = row;
  if (!isRecord(value)) return { ...row, value: plainNumbers(value) };
  if (Object.keys(value).every((key) => spelledKeys.has(key))) return row;
  const settings = Object.entries(value).map(([key, item]) => [key, spelledKeys.has(key) ? item : plainNumbers(item)]);
  return { ...row, value: Object.fromEntries(settings) };
}

const spelledKeys: ReadonlySet<string> = new Set(['id', 'vars', 'expected', 'assert', 'turns', 'tools']);

/** The written id, or else a hash of the case's input. Moving a case does not change the id. */
export function idOf({ id, vars = {}, turns, tools }: Pick<CaseRow, 'id' | 'vars' | 'turns' | 'tools'>): string {
  if (id !== undefined) return spell(id);
  const sent = turns?.map((turn) => ({ ...turn, assert: undefined }));
  return sha256Hex(canonicalJson({ vars, turns: sent, tools })).slice(0, 8);
}

/** How a case runs and counts. */
export type Settings = ReturnType<typeof mergeSettings>;

/** The settings of a case, else the settings of its file, else the defaults. */
export function mergeSettings(own: CaseRow, group: CaseRow, defaults: CaseRow) {
  return {
    maxSteps: own.maxSteps ?? group.maxSteps ?? defaults.maxSteps,
    trials: own.trials ?? group.trials ?? defaults.trials ?? 1,
    threshold: own.threshold ?? group.threshold,
    group: own.group ?? group.group,
    mustPass: own.mustPass ?? group.mustPass ?? false,
    observe: own.observe ?? group.observe ?? false,
    skip: own.skip ?? group.skip,
    prompts: own.prompts ?? group.prompts,
    providers: own.providers ?? group.providers,
  };
}

interface SettingsContext {
  readonly problems: Problems;
  readonly promptIds: readonly string[];
  readonly providerIds: readonly string[];
  readonly prompts: readonly { readonly version: Replacing }[];
  readonly providers: readonly Replacing[];
}

interface Replacing {
  readonly id: string;
  readonly replaces?: string;
}

/** Reports settings that contradict each other, or that name something the suite does not have. */
export function checkSettings(id: string, row: Located, settings: Settings, context: SettingsContext): void {
  const { problems, promptIds, providerIds } = context;
  const { prompts = [], providers = [], mustPass, observe, skip } = settings;
  const checkIds = (key: 'prompts' | 'providers', ids: readonly string[], known: readonly string[]) => {
    for (const [index, name] of ids.entries()) {
      if (known.includes(name)) continue;
      problems.report({
        code: 'unknown-id',
        message: `"${name}" is not a ${key.slice(0, -1)} of this suite`,
        hint: didYouMean(name, known) ?? `known: ${known.join(', ')}`,
        at: locate(childOf(childOf(row, key), index)),
      });
    }
  };
  checkIds('prompts', prompts, promptIds);
  checkIds('providers', providers, providerIds);
  if (!mustPass) return;
  // A case that must pass is run and judged; a setting that prevents either would switch it off.
  const refuse = (key: 'observe' | 'skip', why: string) => {
    const own = [childOf(row, key), childOf(row, 'mustPass')].find(({ value }) => value !== undefined);
    problems.report({
      code: 'invalid-value',
      message: `case "${id}" has mustPass and ${key}: a case that must pass ${why}`,
      hint: `leave ${key} out, or write mustPass: false`,
      at: own === undefined ? locate(row) : locate(own, 'key'),
    });
  };
  if (observe) refuse('observe', 'has to be judged');
  if (skip !== undefined) refuse('skip', 'has to be run');
  const warnOfReplaced = (key: 'prompts' | 'providers', ids: readonly string[], all: readonly Replacing[]) => {
    const successors = ids.map((id) => all.find(({ replaces }) => replaces === id)?.id);
    if (successors.length === 0 || successors.includes(undefined)) return;
    const own = childOf(row, key);
    problems.warn({
      code: 'invalid-value',
      message: `case "${id}" has mustPass, and its ${key} are replaced (${ids.join(', ')}): no failure of it fails the gate`,
      hint: `add ${successors.join(', ')} to its ${key}, or leave ${key} out`,
      at: own.value === undefined ? locate(row) : locate(own, 'key'),
    });
  };
  const versions = context.prompts.map(({ version }) => version);
  warnOfReplaced('prompts', prompts, versions);
  warnOfReplaced('providers', providers, context.providers);
}
