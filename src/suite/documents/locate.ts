import { defined } from '../../json/defined.ts';
import { findInJson, type JsonNode, parseJsonNodes } from '../../json/parse-json.ts';
import type { Problem, ProblemDetails, SourceLocation } from '../../model/problem.ts';
import { compareText } from '../../text/compare-text.ts';
import { createLineIndex, cutLine } from '../../text/line-index.ts';
import type { YamlText } from '../../text/yaml/yaml-text.ts';

export type Path = readonly PropertyKey[];

/** A file, or a row of it, that locates its values. */
export interface SourceFile {
  /** The file's name in problems. */
  readonly file: string;
  /** Absolute: the folder that relative paths in it start from. */
  readonly folder: string;
  /** The place of a value or of its key. If it does not exist, the place of the nearest value above it. */
  at(path: Path, part?: 'key' | 'value'): SourceLocation;
  /** A place within the text of the string at a path. */
  within(path: Path, line: number, column: number): SourceLocation;
}

/** A value and its place. */
export interface Located<T = unknown> {
  readonly value: T;
  readonly source: SourceFile;
  readonly path: Path;
}

export function locate(located: Located, part: 'key' | 'value' = 'value'): SourceLocation {
  return located.source.at(located.path, part);
}

/** The value under a key, whether it exists or not. */
export function childOf(located: Located, key: PropertyKey): Located {
  return { value: readOwn(located.value, key), source: located.source, path: [...located.path, key] };
}

/** The items of a list with their places; empty for anything else. */
export function itemsOf(located: Located): readonly Located[] {
  return Array.isArray(located.value) ? located.value.map((_, index) => childOf(located, index)) : [];
}

export function isText(located: Located): located is Located<string> {
  return typeof located.value === 'string';
}

/** The ids that the maps of a list have. */
export function idsOf(list: Located): readonly string[] {
  return textsOf(itemsOf(list).map((item) => childOf(item, 'id')));
}

/** The values that are texts. */
export function textsOf(list: readonly Located[]): readonly string[] {
  return list.filter(isText).map(({ value }) => value);
}

export function readOwn(value: unknown, key: PropertyKey): unknown {
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

/** A JSON text. It is parsed again only when a place is needed. */
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

/** A row of a JSON Lines file. It is parsed again only if a place inside it is needed. */
export function jsonRowSource({ file, folder }: FileNames, text: string, line: number): SourceFile {
  const within = (path: Path, part?: 'key' | 'value'): SourceLocation => {
    const { column, excerpt } = jsonSource({ file, folder }, text).at(path, part);
    return {
      file,
      line,
      column,
      ...defined({ excerpt: excerpt && { startLine: line, lines: excerpt.lines.slice(0, 1) } }),
    };
  };
  const start = () => ({
    file,
    line,
    column: 1 + text.length - text.trimStart().length,
    excerpt: { startLine: line, lines: [cutLine(text, 1)] },
  });
  return {
    file,
    folder,
    at: (path, part) => (path.length === 0 ? start() : within(path, part)),
    within: (path) => within(path),
  };
}

/** A row of a CSV file, whose fields have no places of their own. `text` holds the row and begins on `startLine`. */
export function csvRowSource(
  { file, folder }: FileNames,
  { text, startLine }: { readonly text: string; readonly startLine: number },
  line: number,
): SourceFile {
  const at = (): SourceLocation => {
    const shown = createLineIndex(text).excerptAround({ line: line - startLine + 1, column: 1 });
    return { file, line, column: 1, excerpt: { startLine: shown.startLine + startLine - 1, lines: shown.lines } };
  };
  return { file, folder, at, within: at };
}

/** A source with one place for all values, such as a file made from another. */
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

/** Collects problems, so that a user sees all of them at once. */
export interface Problems {
  readonly report: (problem: ProblemDetails) => void;
  /** Reports a value that can't be used. */
  readonly refuse: (located: Located, message: string, hint?: string) => undefined;
  readonly warn: (problem: ProblemDetails) => void;
  /** Sorted by place, each once, with a count in place of the hundredth of a kind. */
  readonly list: () => readonly Problem[];
  readonly errorCount: () => number;
}

const maxOfAKind = 50;

export function createProblems(): Problems {
  const kept = new Map<string, Problem>();
  const counts = new Map<string, { count: number; last: Problem }>();
  let errors = 0;

  function add(problem: Problem): void {
    const { code, severity, message, at } = problem;
    const key = `${at?.file}:${at?.line}:${at?.column}:${code}:${message}`;
    if (kept.has(key)) return;
    if (severity === 'error') errors += 1;
    const kind = `${severity}:${code}:${at?.file}`;
    const count = (counts.get(kind)?.count ?? 0) + 1;
    counts.set(kind, { count, last: problem });
    if (count <= maxOfAKind) kept.set(key, problem);
  }

  return {
    report: (problem) => add({ ...problem, severity: 'error' }),
    refuse(located, message, hint) {
      add({ code: 'invalid-value', severity: 'error', message, ...defined({ hint }), at: locate(located) });
    },
    warn: (problem) => add({ ...problem, severity: 'warning' }),
    errorCount: () => errors,
    list() {
      const more: Problem[] = [];
      for (const { count, last } of counts.values()) {
        if (count <= maxOfAKind) continue;
        more.push({
          code: last.code,
          severity: last.severity,
          message: `and ${count - maxOfAKind} more of this kind in ${last.at?.file ?? 'this project'}`,
        });
      }
      return [...hideKeys([...kept.values()].sort(comparePlaces)), ...more];
    },
  };
}

/** The excerpt of a problem nearby must not show a key that is written in the file. */
function hideKeys(problems: readonly Problem[]): readonly Problem[] {
  const keys = problems.filter(({ code }) => code === 'literal-key').flatMap(({ at }) => at ?? []);
  return problems.map((problem) => {
    const { at } = problem;
    if (at?.excerpt === undefined) return problem;
    const { startLine, lines } = at.excerpt;
    const showsKey = keys.some(
      ({ file, line }) => file === at.file && line >= startLine && line < startLine + lines.length,
    );
    return showsKey ? { ...problem, at: withoutExcerpt(at) } : problem;
  });
}

function comparePlaces({ at: a }: Problem, { at: b }: Problem): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column;
}

/** A location without its excerpt, for data that outlives loading. */
export function withoutExcerpt({ file, line, column }: SourceLocation): SourceLocation {
  return { file, line, column };
}
