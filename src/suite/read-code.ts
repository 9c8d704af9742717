import { dirname, isAbsolute, resolve } from 'node:path';
import { findRelativeImports, importSuffixes } from '../lib/relative-imports.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { splitCommand } from '../lib/split-command.ts';
import type { CodeSource } from '../model/own-code.ts';
import type { ProjectFiles } from './files.ts';
import { itemsOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import { reportFault } from './read-document.ts';

export interface CodeContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
}

/** Finds the user's own code of an assertion: what it names must be there, and its content is hashed. */
export type ReadCode = (kind: 'module' | 'command', written: CodeParams) => Promise<CodeSource | undefined>;

interface CodeParams {
  readonly value: Located;
  /** The list of further files, where there is one. */
  readonly files?: Located;
}

/** Reads each file once, however many cases name it. */
export function createReadCode(context: CodeContext): ReadCode {
  const closures = new Map<string, Promise<readonly string[]>>();
  return async (kind, { value, files }) => {
    const { folder } = value.source;
    const errorsBefore = context.problems.errorCount();
    const named = [...(kind === 'module' ? [value] : []), ...(files === undefined ? [] : itemsOf(files))].filter(
      isText,
    );
    const hashes: string[] = [];
    for (const item of named) {
      if (item.value.includes('{{')) {
        reportTemplate(item, context.problems);
        continue;
      }
      hashes.push(...(await hashNamed(resolve(folder, item.value), item, context, closures)));
    }
    if (kind === 'command') hashes.push(...(await hashCommand(value, context, closures)));
    if (context.problems.errorCount() > errorsBefore) return undefined;
    const hash = sha256Hex(hashes.join('\n')).slice(0, 16);
    return { folder, hash, ...(kind === 'module' && isText(value) ? { file: resolve(folder, value.value) } : {}) };
  };
}

function isText(located: Located): located is Located<string> {
  return typeof located.value === 'string';
}

function reportTemplate(at: Located, problems: Problems): void {
  problems.report({
    code: 'invalid-value',
    message: 'what names code must be no template: its content is part of the stamp',
    hint: 'hand the data over in args: {…}, where templates are rendered',
    at: locate(at),
  });
}

/** A file that must be there, and the files that it imports by relative paths. */
async function hashNamed(
  path: string,
  namedBy: Located,
  context: CodeContext,
  closures: Map<string, Promise<readonly string[]>>,
): Promise<readonly string[]> {
  const found = await context.files.read(path);
  if ('fault' in found && found.fault.code !== 'file-unreadable') reportFault(found.fault, context.problems, namedBy);
  else if ('fault' in found && (await context.files.hash(path)) === undefined)
    reportFault(found.fault, context.problems, namedBy);
  return closureOf(path, context, closures);
}

/** Words of a command that are files of the project; others may mean anything. A program that is written as a path must exist. */
async function hashCommand(
  value: Located,
  context: CodeContext,
  closures: Map<string, Promise<readonly string[]>>,
): Promise<readonly string[]> {
  const words = wordsOf(value);
  if (words.some((word) => word.includes('{{'))) reportTemplate(value, context.problems);
  const { folder } = value.source;
  const hashes: string[] = [words.join('\u0000')];
  for (const [index, word] of words.entries()) {
    const path = resolve(folder, word);
    const isProgramPath = index === 0 && /[/\\]/.test(word) && !isAbsolute(word);
    if (isProgramPath) hashes.push(...(await hashNamed(path, value, context, closures)));
    else if ((await context.files.hash(path)) !== undefined) hashes.push(...(await closureOf(path, context, closures)));
  }
  return hashes;
}

function wordsOf({ value }: Located): readonly string[] {
  if (typeof value === 'string') return splitCommand(value) ?? [];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

function closureOf(
  path: string,
  context: CodeContext,
  closures: Map<string, Promise<readonly string[]>>,
): Promise<readonly string[]> {
  const known = closures.get(path);
  if (known !== undefined) return known;
  const made = hashClosure(path, context.files);
  closures.set(path, made);
  return made;
}

/** Hashes of a file and of all that it imports relatively, in the order in which they are found. */
export async function hashClosure(start: string, files: ProjectFiles): Promise<readonly string[]> {
  const hashes: string[] = [];
  const seen = new Set([start]);
  for (const path of seen) {
    const hash = await files.hash(path);
    if (hash === undefined) continue;
    hashes.push(`${files.relative(path)} ${hash}`);
    if (!/\.[cm]?[jt]sx?$/.test(path)) continue;
    const found = await files.read(path);
    if (!('text' in found)) continue;
    for (const specifier of findRelativeImports(found.text)) {
      const target = await resolveImport(resolve(dirname(path), specifier), files);
      if (target !== undefined) seen.add(target);
    }
  }
  return hashes;
}

async function resolveImport(path: string, files: ProjectFiles): Promise<string | undefined> {
  for (const suffix of importSuffixes) if ((await files.hash(path + suffix)) !== undefined) return path + suffix;
  return undefined;
}
