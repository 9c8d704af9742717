import { findInJson, type JsonNode, parseJsonNodes } from '../../json/json-text.ts';
import type { SourceLocation } from '../../model/problem.ts';
import { createLineIndex, cutLine } from '../../text/line-index.ts';
import type { YamlText } from '../../text/yaml-text.ts';
import { withoutExcerpt } from './problems.ts';

export type Path = readonly PropertyKey[];

/** Of a whole file or row: one for all of them. */
export const noPath: Path = [];

/** A file, or a row of one, that knows where its values were written. */
export interface SourceFile {
  /** As problems name it. */
  readonly file: string;
  /** Absolute: where relative paths in it start from. */
  readonly folder: string;
  /** The place of a value, or of its key; of the nearest thing above it where there is none. */
  at(path: Path, part?: 'key' | 'value'): SourceLocation;
  /** A place within the text of the string at a path. */
  within(path: Path, line: number, column: number): SourceLocation;
  /** The place of the whole, without an excerpt, where that is cheaper to say than `at`. */
  start?(): SourceLocation;
}

/** A value and where it was written. */
export interface Located<T = unknown> {
  readonly value: T;
  readonly source: SourceFile;
  readonly path: Path;
}

export function locate(located: Located, part: 'key' | 'value' = 'value'): SourceLocation {
  return located.source.at(located.path, part);
}

/** The same without an excerpt, for data that outlives loading. */
export function placeOf({ source, path }: Located): SourceLocation {
  return path.length === 0 && source.start !== undefined ? source.start() : withoutExcerpt(source.at(path));
}

/** The value under a key, whether it exists or not. */
export function childOf(located: Located, key: PropertyKey): Located {
  return { value: readOwn(located.value, key), source: located.source, path: [...located.path, key] };
}

/** The same without its place. */
export function valueAt({ value }: Located, key: PropertyKey): unknown {
  return readOwn(value, key);
}

/** The items of a list with their places; empty for anything else. */
export function itemsOf(located: Located): readonly Located[] {
  return Array.isArray(located.value) ? located.value.map((_, index) => childOf(located, index)) : [];
}

function readOwn(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<PropertyKey, unknown>>)[key];
}

interface FileNames {
  readonly file: string;
  readonly folder: string;
}

export function yamlSource(names: FileNames, text: string, yaml: Pick<YamlText, 'find' | 'findWithin'>): SourceFile {
  const lines = createLineIndex(text);
  const toLocation = (offset: number): SourceLocation => {
    const position = lines.positionAt(offset);
    return { file: names.file, ...position, excerpt: lines.excerptAround(position) };
  };
  return {
    ...names,
    at: (path, part = 'value') => toLocation(yaml.find(path, part)),
    within: (path, line, column) => toLocation(yaml.findWithin(path, line, column)),
  };
}

/** A JSON text; it is looked at again only when a place is asked for. */
export function jsonSource(names: FileNames, text: string): SourceFile {
  let root: JsonNode | undefined;
  const find = (path: Path, part: 'key' | 'value'): number => {
    if (root === undefined) {
      const parsed = parseJsonNodes(text);
      root = 'error' in parsed ? { value: undefined, start: parsed.error.offset } : parsed;
    }
    return findInJson(root, path, part);
  };
  return yamlSource(names, text, { find, findWithin: (path) => find(path, 'value') });
}

/**
 * One row of a file of JSON lines. Rows come by the ten thousand, so it is one small object; only a problem within one is
 * worth a second parse.
 */
export class JsonRowSource implements SourceFile {
  readonly #names: FileNames;
  readonly #text: string;
  readonly #line: number;

  constructor(names: FileNames, text: string, line: number) {
    this.#names = names;
    this.#text = text;
    this.#line = line;
  }

  get file(): string {
    return this.#names.file;
  }

  get folder(): string {
    return this.#names.folder;
  }

  at(path: Path, part?: 'key' | 'value'): SourceLocation {
    if (path.length > 0) return this.#toFile(jsonSource(this.#names, this.#text).at(path, part));
    const excerpt = { startLine: this.#line, lines: [cutLine(this.#text, 1)] };
    return { file: this.file, line: this.#line, column: this.#column(), excerpt };
  }

  within(path: Path): SourceLocation {
    return this.#toFile(jsonSource(this.#names, this.#text).at(path));
  }

  start(): SourceLocation {
    return { file: this.file, line: this.#line, column: this.#column() };
  }

  #column(): number {
    return this.#text.startsWith('{') ? 1 : 1 + this.#text.length - this.#text.trimStart().length;
  }

  #toFile(at: SourceLocation): SourceLocation {
    return {
      file: this.file,
      line: this.#line,
      column: at.column,
      ...(at.excerpt === undefined ? {} : { excerpt: { startLine: this.#line, lines: at.excerpt.lines.slice(0, 1) } }),
    };
  }
}

/** One row of a CSV file, whose fields have no places of their own. */
export class CsvRowSource implements SourceFile {
  readonly #names: FileNames;
  readonly #text: string;
  readonly #textLine: number;
  readonly #line: number;

  /** The text holds the row and begins on `textLine`. */
  constructor(names: FileNames, text: string, textLine: number, line: number) {
    this.#names = names;
    this.#text = text;
    this.#textLine = textLine;
    this.#line = line;
  }

  get file(): string {
    return this.#names.file;
  }

  get folder(): string {
    return this.#names.folder;
  }

  at(): SourceLocation {
    const { startLine, lines } = createLineIndex(this.#text).excerptAround({
      line: this.#line - this.#textLine + 1,
      column: 1,
    });
    return { ...this.start(), excerpt: { startLine: startLine + this.#textLine - 1, lines } };
  }

  within(): SourceLocation {
    return this.at();
  }

  start(): SourceLocation {
    return { file: this.file, line: this.#line, column: 1 };
  }
}

/** A place that stands for all of a row or a plain text file. */
export function fixedSource(names: FileNames, at: SourceLocation): SourceFile {
  return { ...names, at: () => at, within: () => at };
}

/** A file that is one text, such as a prompt in Markdown. */
export function textSource(names: FileNames, text: string): SourceFile {
  const lines = createLineIndex(text);
  const toLocation = (line: number, column: number): SourceLocation => ({
    file: names.file,
    line,
    column,
    excerpt: lines.excerptAround({ line, column }),
  });
  return { ...names, at: () => toLocation(1, 1), within: (_, line, column) => toLocation(line, column) };
}
