import { isAbsolute, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import type { AssertionDeclaration } from '../../model/assertion.ts';
import { findPackageFault, type VersionOf } from '../../model/optional-packages.ts';
import type { CodeSource } from '../../model/own-code.ts';
import type { CheckSpec } from '../../model/verdict.ts';
import { splitCommand } from '../../text/command-line.ts';
import { findImports, importedPaths, importSuffixes } from '../../text/relative-imports.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';

/** What compiling an assertion needs beside its parameters. */
export interface Needs {
  readonly readCode: ReadCode;
  readonly packageVersion: VersionOf;
  readonly problems: Problems;
}

/** The user's own code of an assertion, if it runs any; a package that it lacks is reported. */
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
  const further = { ...defined({ files, env }) };
  return readCode(code, { value, ...further });
}

/** The check with the code it runs, whose hash is part of the case's hash. */
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

/** Finds the user's own code of an assertion: what it names must be there, and its content is hashed. */
export type ReadCode = (kind: 'module' | 'tools' | 'command', written: CodeParams) => CodeSource | undefined;

interface CodeParams {
  readonly value: Located;
  /** The list of further files, where there is one. */
  readonly files?: Located;
  /** The list of variables that it may see, where there is one. */
  readonly env?: Located;
}

/** Reads each file once, however many cases name it. */
export function createReadCode(context: CodeContext): ReadCode {
  const closures = new Map<string, readonly string[]>();
  return (kind, { value, files, env }) => {
    const { folder } = value.source;
    const errorsBefore = context.problems.errorCount();
    const named = [...(kind === 'command' ? [] : [value]), ...(files === undefined ? [] : itemsOf(files))].filter(
      isText,
    );
    const hashes: string[] = [];
    for (const item of named) {
      if (item.value.includes('{{')) {
        reportTemplate(item, context.problems);
        continue;
      }
      hashes.push(...hashNamed(resolve(folder, item.value), item, context, closures));
    }
    if (kind === 'tools' && isText(value)) checkToolExports(value, context);
    if (kind === 'command') hashes.push(...hashCommand(value, context, closures));
    if (context.problems.errorCount() > errorsBefore) return undefined;
    const hash = sha256Hex(hashes.join('\n')).slice(0, 16);
    const envNames = (env === undefined ? [] : itemsOf(env)).filter(isText).map((item) => item.value);
    return {
      folder,
      hash,
      ...(kind !== 'command' && isText(value) ? { file: resolve(folder, value.value) } : {}),
      ...(envNames.length === 0 ? {} : { envNames }),
    };
  };
}

function isText(located: Located): located is Located<string> {
  return typeof located.value === 'string';
}

function reportTemplate(at: Located, problems: Problems): void {
  problems.report({
    code: 'invalid-value',
    message: 'the path of code must not be a template: the content of the file is part of the hash',
    hint: 'pass the data in args: {…}, where templates are rendered',
    at: locate(at),
  });
}

/** Reads the text alone: code runs in no process but the child of a cell. */
function checkToolExports(value: Located<string>, { files, problems }: CodeContext): void {
  const found = files.readText(resolve(value.source.folder, value.value));
  if (
    !('text' in found) ||
    /\bexports?\b[^;]*?\b(?:tools|default)\b|\bexport\s*\*|\bmodule\.exports\b/.test(found.text)
  ) {
    return;
  }
  problems.report({
    code: 'invalid-value',
    message: `${value.value} exports no tools`,
    hint: 'write export const tools = { find_order({ order_id }) { return { state: "shipped" }; } }',
    at: locate(value),
  });
}

/** A file that must be there, and the files that it imports by relative paths. */
function hashNamed(
  path: string,
  namedBy: Located,
  context: CodeContext,
  closures: Map<string, readonly string[]>,
): readonly string[] {
  // A file is read once: cases may be built again later in the run, when it has changed.
  const known = closures.get(path);
  if (known !== undefined && known.length > 0) return known;
  const found = context.files.readText(path);
  if ('fault' in found && found.fault.code !== 'file-unreadable') reportFault(found.fault, context.problems, namedBy);
  else if ('fault' in found && context.files.hash(path) === undefined)
    reportFault(found.fault, context.problems, namedBy);
  return closureOf(path, context, closures);
}

/** Words of a command that are files of the project; others may mean anything. A program that is written as a path must exist. */
function hashCommand(
  value: Located,
  context: CodeContext,
  closures: Map<string, readonly string[]>,
): readonly string[] {
  const words = wordsOf(value);
  if (words.some((word) => word.includes('{{'))) reportTemplate(value, context.problems);
  const { folder } = value.source;
  const hashes: string[] = [words.join('\u0000')];
  for (const [index, word] of words.entries()) {
    const path = resolve(folder, word);
    const isProgramPath = index === 0 && /[/\\]/.test(word) && !isAbsolute(word);
    if (isProgramPath) hashes.push(...hashNamed(path, value, context, closures));
    else if (closures.has(path) || context.files.hash(path) !== undefined)
      hashes.push(...closureOf(path, context, closures));
  }
  return hashes;
}

function wordsOf({ value }: Located): readonly string[] {
  if (typeof value === 'string') return splitCommand(value) ?? [];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

function closureOf(path: string, context: CodeContext, closures: Map<string, readonly string[]>): readonly string[] {
  const known = closures.get(path);
  if (known !== undefined) return known;
  const made = hashClosure(path, context.files);
  closures.set(path, made);
  return made;
}

/** Hashes of a file and of all that it imports relatively, in the order in which they are found. */
export function hashClosure(start: string, files: ProjectFiles): readonly string[] {
  return listClosure(start, files).map((path) => `${files.relative(path)} ${files.hash(path) ?? ''}`);
}

/** A file and all of the project that it imports. `onConfig` is told of each tsconfig.json that has aliases. */
export function listClosure(
  start: string,
  files: ProjectFiles,
  onConfig: (path: string) => void = () => undefined,
): readonly string[] {
  const readConfig = (path: string): string | undefined => {
    const found = files.hash(path) === undefined ? undefined : files.readText(path);
    if (found === undefined || !('text' in found)) return undefined;
    onConfig(path);
    return found.text;
  };
  const paths: string[] = [];
  const seen = new Set([start]);
  for (const path of seen) {
    if (files.hash(path) === undefined) continue;
    paths.push(path);
    if (!/\.[cm]?[jt]sx?$/.test(path)) continue;
    const found = files.readText(path);
    if (!('text' in found)) continue;
    for (const target of findImports(found.text).flatMap((specifier) => importedPaths(specifier, path, readConfig))) {
      const file = resolveImport(target, files);
      if (file !== undefined) seen.add(file);
    }
  }
  return paths;
}

function resolveImport(path: string, files: ProjectFiles): string | undefined {
  for (const suffix of importSuffixes) if (files.hash(path + suffix) !== undefined) return path + suffix;
  // TypeScript may name the file that a compiler would write.
  const source = path.replace(/\.([cm]?)js$/, '.$1ts');
  return source !== path && files.hash(source) !== undefined ? source : undefined;
}
