import type { SourceLocation } from '../model/problem.ts';
import { createLineIndex } from '../text/line-index.ts';
import type { Path, SourceFile } from './locate.ts';

/**
 * A suite that code made: where a value was written can't be known, only guessed. A key or an id that stands in the text
 * once is taken for its place, else what is above it; the path of the value goes along, since the guess may be coarse.
 */
export function codeSource(names: Pick<SourceFile, 'file' | 'folder'>, text: string, root: unknown): SourceFile {
  const lines = createLineIndex(text);
  const start = Math.max(0, text.search(/\bdefineSuite\s*\(|\bexport\s+default\b/));
  const at = (path: Path): SourceLocation => {
    const position = lines.positionAt(findOffset(text, root, path) ?? start);
    return {
      file: names.file,
      ...position,
      excerpt: lines.excerptAround(position),
      ...(path.length === 0 ? {} : { dataPath: describePath(path) }),
    };
  };
  return { ...names, at, within: at };
}

function findOffset(text: string, root: unknown, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const above = path.slice(0, length);
    const found = findKey(text, above.at(-1)) ?? findId(text, readAt(root, above));
    if (found !== undefined) return found;
  }
  return undefined;
}

function findKey(text: string, key: PropertyKey | undefined): number | undefined {
  if (typeof key !== 'string') return undefined;
  return findOnce(text, new RegExp(`(?<![\\w$.])["']?${escape(key)}["']?\\s*:`, 'g'));
}

function findId(text: string, value: unknown): number | undefined {
  const id = readAt(value, ['id']);
  if (typeof id !== 'string') return undefined;
  return findOnce(text, new RegExp(`(["'\`])${escape(id)}\\1`, 'g'));
}

function findOnce(text: string, pattern: RegExp): number | undefined {
  const [first, second] = text.matchAll(pattern);
  return second === undefined ? first?.index : undefined;
}

function readAt(value: unknown, path: Path): unknown {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function describePath(path: Path): string {
  return `$${path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')}`;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
