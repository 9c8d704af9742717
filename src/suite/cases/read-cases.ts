import { resolve } from 'node:path';
import type * as z from 'zod';
import type { LineStart } from '../../files/split-lines.ts';
import { compileAssertions } from '../assertions/compile-assertions.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { checkShape } from '../documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { type FileFault, isGlob } from '../files/project-place.ts';
import { isPromptFile, type ParsePrompt, readPromptFile } from '../prompts/prompt-file.ts';
import { caseFileSchema } from '../schema/suite-schema.ts';
import { NONE } from './case-checks.ts';
import { type CaseGroup, type CaseRow, withPlainSettings } from './case-row.ts';
import { isRowFile, openRows, type ReadRows, readRows, rowSuffixes } from './read-rows.ts';

interface ReadContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly assertionContext: AssertionContext;
  readonly parsePrompt: ParsePrompt;
}

/** Inline cases as they stand, and every file of cases. */
export async function readCases(located: Located, context: ReadContext): Promise<readonly RowSource[]> {
  const sources: RowSource[] = [];
  let inline: Located[] = [];
  for (const item of itemsOf(located)) {
    if (typeof item.value !== 'object' || item.value === null || !Object.hasOwn(item.value, 'file')) {
      if (inline.length === 0) sources.push({ rows: inline });
      inline.push(item);
      continue;
    }
    // Those behind it come after its rows.
    inline = [];
    const checked = checkShape(caseFileSchema, withPlainSettings(item), {
      label: 'a file of cases',
      problems: context.problems,
    });
    const settings = checked ?? keepFile(item);
    if (settings === undefined) continue;
    const { file, ...shared } = settings;
    const group: CaseGroup = {
      settings: Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined)) as CaseRow,
      assertions:
        settings.assert === undefined ? NONE : compileAssertions(childOf(item, 'assert'), context.assertionContext),
    };
    for (const path of await findCaseFiles({ ...childOf(item, 'file'), value: file }, context)) {
      const source = await openSource(path, childOf(item, 'file'), context);
      if (source === undefined) continue;
      const namedBy = childOf(item, 'file');
      const isNamed = path === resolve(namedBy.source.folder, file);
      sources.push({ ...source, group, file: { shown: context.files.display(path), namedBy, isNamed } });
    }
  }
  return sources;
}

async function openSource(path: string, namedBy: Located, context: ReadContext): Promise<RowSource | undefined> {
  const { files, problems } = context;
  if (isPromptFile(path)) return { rows: await readPromptRows(path, namedBy, context) };
  if (isRowFile(path)) {
    const found = await files.readBytes(path);
    if ('bytes' in found) {
      const refuse = (fault: FileFault) => reportFault(fault, problems, namedBy);
      return { read: openRows(path, found.bytes, files), refuse, shown: files.display(path) };
    }
    reportFault(found.fault, problems, namedBy);
    return undefined;
  }
  const found = await files.read(path);
  if ('text' in found) return { rows: readRows({ path, text: found.text }, files, problems) };
  reportFault(found.fault, problems, namedBy);
  return undefined;
}

/** The test data of a prompt file, with its evaluators. */
async function readPromptRows(path: string, namedBy: Located, context: ReadContext): Promise<readonly Located[]> {
  const found = await readPromptFile(path, context, namedBy);
  if (found === undefined) return [];
  const { content, source } = found;
  if (content.tests === undefined) {
    context.problems.report({
      code: 'invalid-value',
      message: `${source.file} holds no test data`,
      hint: isGithubPrompt(path) ? 'add testData and evaluators to it' : 'write a suite that names it as a prompt',
      at: locate(namedBy),
    });
    return [];
  }
  return content.tests.rows.map(({ value, at }) => ({
    value,
    source: { ...source, at, within: (keys) => at(keys) },
    path: [],
  }));
}

function isGithubPrompt(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/** A mistake beside the file's name must not hide those in its rows. */
function keepFile(item: Located): z.output<typeof caseFileSchema> | undefined {
  const file = caseFileSchema.shape.file.safeParse(childOf(item, 'file').value);
  const assert = caseFileSchema.shape.assert.safeParse(childOf(item, 'assert').value);
  return file.success ? { file: file.data, ...(assert.success ? { assert: assert.data } : {}) } : undefined;
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
  const wrong = paths.filter(
    (path) => !isPromptFile(path) && !rowSuffixes.some((suffix) => path.toLowerCase().endsWith(suffix)),
  );
  for (const path of wrong) {
    problems.report({
      code: 'invalid-value',
      message: `${files.display(path)} is no file of cases`,
      hint: `cases are read from ${rowSuffixes.join(', ')}`,
      at: locate(named),
    });
  }
  return paths.filter((path) => !wrong.includes(path));
}

/**
 * Rows that share what a file of cases says for them all: in memory, as those that stand in a suite, or in a file that is
 * read as often as they are asked for.
 */
export type RowSource = { readonly group?: CaseGroup; readonly file?: CaseFile } & (
  | { readonly rows: readonly Located[] }
  | {
      readonly read: ReadRows;
      /** Told of a fault of the whole file. */
      readonly refuse: (fault: FileFault) => void;
      /** The file, as problems name it. */
      readonly shown: string;
    }
);

/** The file that rows come from. */
export interface CaseFile {
  /** As problems name it. */
  readonly shown: string;
  /** Where the suite names it. */
  readonly namedBy: Located;
  /** False where a pattern brought it. */
  readonly isNamed: boolean;
}

/** A row with the source it is of. */
export interface PlacedRow {
  readonly row: Located;
  readonly source: RowSource;
  /** Of a row of a file, where it begins and what is written there. */
  readonly start?: LineStart;
  readonly text?: string;
}

/** Reports what can't be read as it comes to it. */
export function* rowsOf(source: RowSource, { report }: Problems): Generator<PlacedRow> {
  if ('rows' in source) for (const row of source.rows) yield { row, source };
  else
    for (const { row, start, text } of source.read(report, { refuse: source.refuse }))
      yield { row, source, start, text };
}
