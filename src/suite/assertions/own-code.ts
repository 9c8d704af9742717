import { isAbsolute, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { findPackageFault, type VersionOf } from '../../model/optional-packages.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { AssertionDeclaration } from '../../model/suite/assertion.ts';
import type { CodeSource } from '../../model/suite/own-code.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { type FollowedImports, followImports } from '../../text/code/relative-imports.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { isText, itemsOf, type Located, locate, type Problems, textsOf } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';

/** The context for compiling an assertion. */
export interface Needs {
  readonly readCode: ReadCode;
  readonly packageVersion: VersionOf;
  readonly problems: Problems;
}

/** The user's own code of an assertion, if it runs any. Reports a missing package. */
export function readNeeds(
  name: string,
  { code, main = 'value', needsPackage }: AssertionDeclaration,
  { written, places }: { readonly written: Located; readonly places: ReadonlyMap<string, Located> },
  { readCode, packageVersion, problems }: Needs,
): CodeSource | undefined {
  const fault = needsPackage === undefined ? undefined : findPackageFault([needsPackage], packageVersion);
  if (fault !== undefined) {
    const message = `${name} needs ${fault.needed}`;
    problems.report({ code: 'environment', message, hint: fault.install, at: locate(written) });
  }
  const value = places.get(main);
  if (code === undefined || value === undefined) return undefined;
  const files = places.get('files');
  const env = places.get('env');
  return readCode(code, { value, ...defined({ files, env }) });
}

/** The check with its code, whose hash is part of the case hash. */
export function withCode(
  check: CheckSpec | undefined,
  code: CodeSource | undefined,
  plugin?: AssertionDeclaration['plugin'],
): CheckSpec | undefined {
  if (check === undefined) return check;
  if (plugin !== undefined) return { ...check, plugin, source: { check: check.source, code: plugin.hash } };
  if (code === undefined) return check;
  return { ...check, code, source: { check: check.source, code: code.hash } };
}

interface CodeContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
}

/** Finds the user's own code of an assertion. The named file must exist, and its content is hashed. */
export type ReadCode = (kind: 'module' | 'tools' | 'command', written: CodeParams) => CodeSource | undefined;

interface CodeParams {
  readonly value: Located;
  /** The list of further files, if there is one. */
  readonly files?: Located;
  /** The list of variables that it may see, if there is one. */
  readonly env?: Located;
}

/** Reads each file once, because cases may be built again later in the run, after the file has changed. */
export function createReadCode(context: CodeContext): ReadCode {
  const { files: project, problems } = context;
  const closures = new Map<string, readonly string[]>();
  const closureOf = (path: string): readonly string[] => {
    const hashes = closures.get(path) ?? hashClosure(path, project);
    closures.set(path, hashes);
    return hashes;
  };
  /** Hashes a file that must exist, and the files that it imports by relative paths. */
  const hashNamed = (path: string, namedBy: Located): readonly string[] => {
    if (closures.get(path)?.length) return closureOf(path);
    const found = project.readText(path);
    const isUnusable = 'fault' in found && (found.fault.code !== 'file-unreadable' || project.hash(path) === undefined);
    if (isUnusable) reportFault(found.fault, problems, namedBy);
    return closureOf(path);
  };
  /**
   * Hashes the words of a command that are files of the project. Other words may mean anything. A program written as a
   * path must exist.
   */
  const hashCommand = (value: Located): readonly string[] => {
    const words = wordsOf(value);
    if (words.some((word) => word.includes('{{'))) reportTemplate(value, problems);
    const hashes = words.flatMap((word, index) => {
      const path = resolve(value.source.folder, word);
      if (index === 0 && /[/\\]/.test(word) && !isAbsolute(word)) return hashNamed(path, value);
      return closures.has(path) || project.hash(path) !== undefined ? closureOf(path) : [];
    });
    return [words.join('\u0000'), ...hashes];
  };
  return (kind, { value, files, env }) => {
    const { folder } = value.source;
    const errorsBefore = problems.errorCount();
    const hashes: string[] = [];
    for (const item of [...(kind === 'command' ? [] : [value]), ...(files === undefined ? [] : itemsOf(files))]) {
      if (!isText(item)) continue;
      if (item.value.includes('{{')) reportTemplate(item, problems);
      else hashes.push(...hashNamed(resolve(folder, item.value), item));
    }
    if (kind === 'tools' && isText(value)) checkToolExports(value, context);
    if (kind === 'command') hashes.push(...hashCommand(value));
    if (problems.errorCount() > errorsBefore) return undefined;
    const envNames = env === undefined ? [] : textsOf(itemsOf(env));
    return {
      folder,
      hash: sha256Hex(hashes.join('\n')).slice(0, 16),
      ...defined({
        file: kind !== 'command' && isText(value) ? resolve(folder, value.value) : undefined,
        envNames: envNames.length === 0 ? undefined : envNames,
      }),
    };
  };
}

function reportTemplate(at: Located, problems: Problems): void {
  problems.refuse(
    at,
    'the path of code must not be a template: the content of the file is part of the hash',
    'pass the data in args: {…}, where templates are rendered',
  );
}

/** Checks the exports by reading the text, because code only runs in the child process of a cell. */
function checkToolExports(value: Located<string>, { files, problems }: CodeContext): void {
  const found = files.readText(resolve(value.source.folder, value.value));
  if (
    !('text' in found) ||
    /\bexports?\b[^;]*?\b(?:tools|default)\b|\bexport\s*\*|\bmodule\.exports\b/.test(found.text)
  ) {
    return;
  }
  problems.refuse(
    value,
    `${value.value} exports no tools`,
    'write export const tools = { find_order({ order_id }) { return { state: "shipped" }; } }',
  );
}

function wordsOf({ value }: Located): readonly string[] {
  if (typeof value === 'string') return splitCommand(value) ?? [];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

/** Hashes of a file and of its relative imports, in the order in which they are found. */
export function hashClosure(start: string, files: ProjectFiles): readonly string[] {
  return listClosure(start, files).files.map((path) => `${files.relative(path)} ${files.hash(path) ?? ''}`);
}

/** A file and all files of the project that it imports. */
export function listClosure(start: string, files: ProjectFiles): FollowedImports {
  const isFile = (path: string) => files.hash(path) !== undefined;
  return followImports(start, isFile, (path) => {
    const found = files.readText(path);
    return 'text' in found ? found.text : undefined;
  });
}
