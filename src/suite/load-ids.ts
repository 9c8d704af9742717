import { basename, resolve } from 'node:path';
import { isGlob, type ProjectFiles } from './files.ts';
import { findSuiteFiles } from './load.ts';
import { childOf, itemsOf, type Located } from './locate.ts';
import { createProblems } from './problems.ts';
import { isCodeSuite } from './read-code-suite.ts';
import { readDocument } from './read-document.ts';
import { readRows, rowSuffixes } from './read-rows.ts';

/** What a suite's parts are called, as far as its files can be read: for suggestions, never for a run. */
export interface SuiteIds {
  readonly suite: string;
  readonly prompts: readonly string[];
  readonly providers: readonly string[];
  readonly tags: readonly string[];
  /** Cases without an id of their own are left out. */
  readonly cases: readonly string[];
}

/** Reads ids and nothing else, and runs no code to find some; what is wrong in a file hides its own ids and no others. */
export async function loadIds(
  options: Parameters<typeof findSuiteFiles>[0],
  { withCases }: { readonly withCases: boolean },
): Promise<readonly SuiteIds[]> {
  const { paths, files, configProviders } = await findSuiteFiles(options);
  const found: SuiteIds[] = [];
  for (const path of paths) {
    if (isCodeSuite(path)) continue;
    const document = await readDocument(path, files, createProblems());
    if (document === undefined) continue;
    const rows = withCases ? await readCaseRows(childOf(document, 'cases'), files) : [];
    const own = namesOf(childOf(document, 'providers'));
    const suite = childOf(document, 'suite').value;
    found.push({
      suite: typeof suite === 'string' ? suite : basename(path).replace(/(?:\.eval)?\.ya?ml$/, ''),
      prompts: namesOf(childOf(document, 'prompts')),
      providers: own.length > 0 ? own : configProviders,
      tags: rows.flatMap((row) => itemsOf(childOf(row, 'tags')).flatMap(({ value }) => (isText(value) ? [value] : []))),
      cases: rows.flatMap((row) => {
        const id = childOf(row, 'id').value;
        return isText(id) ? [id] : typeof id === 'number' ? [String(id)] : [];
      }),
    });
  }
  return found;
}

/** Of a list of maps with an id, or of texts. */
function namesOf(list: Located): readonly string[] {
  return itemsOf(list).flatMap((item) => {
    const id = isText(item.value) ? item.value : (childOf(item, 'id').value ?? childOf(item, 'use').value);
    return isText(id) ? [id] : [];
  });
}

async function readCaseRows(list: Located, files: ProjectFiles): Promise<readonly Located[]> {
  const rows: Located[] = [];
  for (const item of itemsOf(list)) {
    const file = childOf(item, 'file').value;
    rows.push(item);
    if (!isText(file)) continue;
    const { folder } = item.source;
    for (const path of isGlob(file) ? (await files.glob([file], folder)).paths : [resolve(folder, file)]) {
      if (!rowSuffixes.some((suffix) => path.toLowerCase().endsWith(suffix))) continue;
      const read = await files.read(path);
      if ('text' in read) rows.push(...readRows({ path, text: read.text }, files, createProblems()));
    }
  }
  return rows;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
