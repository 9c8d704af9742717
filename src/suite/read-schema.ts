import { dirname, resolve } from 'node:path';
import { UserError } from '../model/errors.ts';
import type { SourceLocation } from '../model/problem.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { locateInSchema } from './contract-places.ts';
import { displayPath, readTextFile } from './files.ts';
import { createProblems } from './problems.ts';
import { parseText } from './read-document.ts';

/** A schema file on its own, with the way from its parts to their lines. */
export interface SchemaFile {
  /** As problems name it. */
  readonly file: string;
  readonly schema: unknown;
  readonly locate: (pointer: string) => SourceLocation;
}

/** Reads a JSON or YAML file that the user named; throws a `UserError` where it can't be read. */
export function readSchemaFile(path: string, cwd: string): SchemaFile {
  const absolute = resolve(cwd, path);
  const file = displayPath(absolute, cwd);
  const found = readTextFile(absolute, file);
  if ('fault' in found) throw new UserError([{ severity: 'error', ...found.fault }]);
  const problems = createProblems();
  const document = parseText({ file, folder: dirname(absolute) }, found.text, problems);
  if (document === undefined) throw new UserError(problems.list());
  return { file, schema: plainNumbers(document.value), locate: (pointer) => locateInSchema(document, pointer) };
}
