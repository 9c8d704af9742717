import { dirname } from 'node:path';
import { defined } from '../../json/defined.ts';
import { parseJsonText } from '../../json/parse-json.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { CodeOutcome } from '../../model/suite/own-code.ts';
import { createLineIndex } from '../../text/line-index.ts';
import { escapeRegex } from '../../text/patterns/regex.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { fixedSource, type Located, type Path, type Problems, readOwn, type SourceFile, textSource } from './locate.ts';
import { reportFault } from './read-document.ts';

/** Evaluates a suite that is code, in a child process. */
export type EvaluateSuite = (path: string) => Promise<CodeOutcome>;

const codePattern = /\.[cm]?[jt]s$/i;

export function isCodeSuite(path: string): boolean {
  return codePattern.test(path);
}

/** Reads a suite that a module exports by default; it is data from then on, like one in YAML. */
export async function readCodeSuite(
  path: string,
  {
    files,
    problems,
    evaluate,
  }: { readonly files: ProjectFiles; readonly problems: Problems; readonly evaluate: EvaluateSuite | undefined },
): Promise<Located | undefined> {
  const found = await files.read(path);
  const names = { file: files.display(path), folder: dirname(path) };
  if ('fault' in found) {
    reportFault(found.fault, problems, {
      value: undefined,
      path: [],
      source: fixedSource(names, { file: names.file, line: 1, column: 1 }),
    });
    return undefined;
  }
  const report = (message: string, hint: string) =>
    problems.report({ code: 'invalid-value', message, hint, at: textSource(names, found.text).at([]) });
  if (evaluate === undefined) {
    report(
      'a suite that is code can only be evaluated in the working tree',
      'write it in YAML to read it at a git ref',
    );
    return undefined;
  }
  // Its imports are part of it and are noted as they are read.
  files.readsOf({ folder: dirname(path), file: path });
  const outcome = await evaluate(path);
  if ('fault' in outcome) {
    report(`the suite ${outcome.fault}`, 'export default defineSuite({ … })');
    return undefined;
  }
  const parsed = parseJsonText(JSON.stringify(outcome.returned));
  if ('error' in parsed) {
    report(`the suite can't be read: ${parsed.error.message}`, 'export default defineSuite({ … })');
    return undefined;
  }
  return { value: parsed.value, path: [], source: codeSource(names, found.text, parsed.value) };
}

/**
 * Guesses places in a suite that code made. Searches the text for a unique key or id of the value, or of a value above
 * it. The location also has the value's path, because the guess may be coarse.
 */
function codeSource(names: Pick<SourceFile, 'file' | 'folder'>, text: string, root: unknown): SourceFile {
  const lines = createLineIndex(text);
  const start = Math.max(0, text.search(/\bdefineSuite\s*\(|\bexport\s+default\b/));
  const at = (path: Path): SourceLocation => {
    const position = lines.positionAt(findOffset(text, root, path) ?? start);
    return {
      file: names.file,
      ...position,
      excerpt: lines.excerptAround(position),
      ...defined({ dataPath: path.length === 0 ? undefined : describePath(path) }),
    };
  };
  return { ...names, at, within: at };
}

function findOffset(text: string, root: unknown, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const above = path.slice(0, length);
    const found = findKey(text, above.at(-1)) ?? findId(text, above.reduce(readOwn, root));
    if (found !== undefined) return found;
  }
  return undefined;
}

function findKey(text: string, key: PropertyKey | undefined): number | undefined {
  if (typeof key !== 'string') return undefined;
  return findOnce(text, new RegExp(`(?<![\\w$.])["']?${escapeRegex(key)}["']?\\s*:`, 'g'));
}

function findId(text: string, value: unknown): number | undefined {
  const id = readOwn(value, 'id');
  if (typeof id !== 'string') return undefined;
  return findOnce(text, new RegExp(`(["'\`])${escapeRegex(id)}\\1`, 'g'));
}

function findOnce(text: string, pattern: RegExp): number | undefined {
  const [first, second] = text.matchAll(pattern);
  return second === undefined ? first?.index : undefined;
}

function describePath(path: Path): string {
  return `$${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')}`;
}
