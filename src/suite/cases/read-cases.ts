import { resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { compileAssertions } from '../assertions/compile-assertions.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { checkShape } from '../documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { isGlob } from '../files/project-place.ts';
import { isPromptFile, type ParsePrompt, readPromptFile } from '../prompts/prompt-file.ts';
import { caseFileSchema } from '../schema/suite-schema.ts';
import { type CaseGroup, withPlainSettings } from './case-row.ts';
import { isRowFile, openRows, type ReadRows, readRows, rowSuffixes } from './read-rows.ts';

/** Rows in the suite itself, or in one file of cases. */
export interface RowSource {
  readonly read: ReadRows;
  readonly group: CaseGroup;
  readonly file?: CaseFile;
}

/** The file that rows come from. */
export interface CaseFile {
  /** As problems name it. */
  readonly shown: string;
  /** Where the suite names it. */
  readonly namedBy: Located;
  /** False where a pattern found it. */
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
  const namedBy = childOf(item, 'file');
  const sources: RowSource[] = [];
  for (const path of await findCaseFiles({ ...namedBy, value: file }, context)) {
    const read = await openFile(path, namedBy, context);
    if (read === undefined) continue;
    const isNamed = path === resolve(namedBy.source.folder, file);
    sources.push({ read, group: { settings, assertions }, file: { shown: files.display(path), namedBy, isNamed } });
  }
  return sources;
}

/** A mistake beside the name of the file must not hide those in its rows. */
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
    problems.report({
      code: 'invalid-value',
      message: `${files.display(path)} is no file of cases`,
      hint: `cases are read from ${rowSuffixes.join(', ')}`,
      at: locate(named),
    });
    return false;
  });
}

/** Undefined where the file can't be read, which is reported where the suite names it. */
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
  context.problems.report({
    code: 'invalid-value',
    message: `${source.file} holds no test data`,
    hint: /\.ya?ml$/i.test(path) ? 'add testData and evaluators to it' : 'write a suite that names it as a prompt',
    at: locate(namedBy),
  });
  return [];
}
