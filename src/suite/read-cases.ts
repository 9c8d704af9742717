import { resolve } from 'node:path';
import type * as z from 'zod';
import { type AssertionContext, compileAssertions } from './assertion-forms.ts';
import { type CaseGroup, NONE } from './case-checks.ts';
import type { CaseRow } from './case-rows.ts';
import type { GroupedRow } from './cases.ts';
import { checkShape } from './describe-issues.ts';
import { isGlob, type ProjectFiles } from './files.ts';
import { childOf, itemsOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import { reportFault } from './read-document.ts';
import { isPromptFile, type ParsePrompt, readPromptFile } from './read-prompt-file.ts';
import { readRows, rowSuffixes } from './read-rows.ts';
import { caseFileSchema } from './schema.ts';

interface ReadContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly assertionContext: AssertionContext;
  readonly parsePrompt: ParsePrompt;
}

/** Inline cases as they stand, and the rows of every file of cases. */
export async function readCases(located: Located, context: ReadContext): Promise<readonly GroupedRow[]> {
  const rows: GroupedRow[] = [];
  for (const item of itemsOf(located)) {
    if (typeof item.value !== 'object' || item.value === null || !Object.hasOwn(item.value, 'file')) {
      rows.push({ row: item });
      continue;
    }
    const checked = checkShape(caseFileSchema, item, { label: 'a file of cases', problems: context.problems });
    const settings = checked ?? keepFile(item);
    if (settings === undefined) continue;
    const { file, ...shared } = settings;
    const group: CaseGroup = {
      settings: Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined)) as CaseRow,
      assertions:
        settings.assert === undefined
          ? NONE
          : await compileAssertions(childOf(item, 'assert'), context.assertionContext),
    };
    for (const path of await findCaseFiles({ ...childOf(item, 'file'), value: file }, context)) {
      if (isPromptFile(path)) {
        for (const row of await readPromptRows(path, childOf(item, 'file'), context)) rows.push({ row, group });
        continue;
      }
      const found = await context.files.read(path);
      if ('fault' in found) reportFault(found.fault, context.problems, childOf(item, 'file'));
      else
        for (const row of readRows({ path, text: found.text }, context.files, context.problems))
          rows.push({ row, group });
    }
  }
  return rows;
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
  const paths = isGlob(named.value) ? await files.glob([named.value], folder) : [resolve(folder, named.value)];
  if (paths.length === 0) {
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
