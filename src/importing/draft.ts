import { defined } from '../json/defined.ts';
import type { Problem, SourceLocation } from '../model/problem.ts';
import { readOwn } from '../suite/documents/locate.ts';
import { createLineIndex } from '../text/line-index.ts';
import { describeLongNumber, findLongNumbers, longNumberHint, plainNumbers } from '../text/yaml/exact-numbers.ts';
import type { YamlError } from '../text/yaml/explain-yaml.ts';
import { parseYaml } from '../text/yaml/yaml-text.ts';

/** Why a file can't be imported. */
export interface Unreadable {
  readonly problems: readonly Problem[];
}

/** A part that can't be imported. It is written as a comment at its place in the suite. */
export class LeftOut {
  readonly reason: string;
  readonly at: SourceLocation;
  /** The value as written, without possible secrets. */
  readonly value: unknown;

  constructor(reason: string, at: SourceLocation, value: unknown) {
    this.reason = reason;
    this.at = at;
    this.value = value;
  }
}

/** A suite as data. Omitted parts keep their places. */
export interface ImportedSuite {
  readonly suite: Readonly<Record<string, unknown>>;
  /** Omitted parts without a place in the suite. They are written as comments at its start. */
  readonly leftOut?: readonly LeftOut[];
  readonly refused: readonly Problem[];
  readonly notes: readonly Problem[];
  /** Modules beside the suite, relative to its folder. */
  readonly code?: readonly { readonly path: string; readonly text: string }[];
}

/** Access to the project's files. */
export interface ImportPorts {
  /** Reads a text file, relative to the imported one. */
  readonly read: (path: string) => Promise<{ readonly text: string } | { readonly message: string }>;
  /** Lists the files of a pattern in order, relative to the imported one. */
  readonly glob: (pattern: string) => Promise<readonly string[]>;
  /** Reads the first bytes of a binary file. */
  readonly readBytes: (
    path: string,
    count: number,
  ) => Promise<{ readonly bytes: Uint8Array } | { readonly message: string }>;
}

/** Shared by the parts of an importer: the draft and the project's files. */
export interface ImportContext {
  readonly draft: Draft;
  /** Reads a text, relative to the imported file. An unreadable file is left out at `written`. */
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  /** Lists the files of a pattern in order, relative to the imported one. */
  readonly glob: (pattern: string) => Promise<readonly string[]>;
  /** Variables that some prompt sends as pictures beside a message. */
  readonly pictures?: ReadonlySet<string>;
  /** Reads the value of a picture variable, or the text of a picture in another variable. */
  readonly readPicture?: (written: Written, name: string) => Promise<string | LeftOut>;
}

/** Collects the parts that an import omits or changes, with their places. */
export interface Draft {
  readonly refused: readonly Problem[];
  readonly notes: readonly Problem[];
  /** Omits a part; the import then needs --partial. */
  refuse(written: Written, reason: string, hint?: string): LeftOut;
  /** Notes an omitted or changed part that affects no verdict. */
  note(written: Written, message: string): void;
}

const secretLinePattern = /(?:key|token|secret|password|authorization|cookie|credential)\w*["']?\s*:\s*\S/i;
const secretPattern = /\bsk-[\w-]{8,}/;
const secretKeyPattern = /key|token|secret|password|authorization|cookie|credential/i;

/** Masks secrets: comments are committed with the suite. */
function hideSecrets(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return secretKeyPattern.test(name) || secretPattern.test(value) ? '…' : value;
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideSecrets(item, key)]));
}

export function createDraft(): Draft {
  const refused: Problem[] = [];
  const notes: Problem[] = [];
  const seen = new Set<string>();
  // Omit the excerpt if its lines may contain a key.
  const withoutSecrets = (place: SourceLocation): SourceLocation =>
    place.excerpt?.lines.every((line) => !secretLinePattern.test(line) && !secretPattern.test(line)) === false
      ? { file: place.file, line: place.line, column: place.column }
      : place;
  return {
    refused,
    notes,
    refuse(written, reason, hint) {
      const at = withoutSecrets(written.at());
      // Report once: defaults are read again for every test.
      const key = `${at.file}:${at.line}:${at.column}:${reason}`;
      if (!seen.has(key))
        refused.push({ code: 'not-carried-over', severity: 'error', message: reason, at, ...defined({ hint }) });
      seen.add(key);
      return new LeftOut(reason, at, hideSecrets(written.value));
    },
    note(written, message) {
      const at = withoutSecrets(written.at('key'));
      const key = `${at.file}:${at.line}:${at.column}:${message}`;
      if (!seen.has(key)) notes.push({ code: 'not-carried-over', severity: 'warning', message, at });
      seen.add(key);
    },
  };
}

/** Shortens a text of another tool's file, for a message. */
export function quote(text: string): string {
  const [line = ''] = text.trim().split('\n');
  const short = Array.from(line).slice(0, 60).join('').trimEnd();
  return short === text ? text : `${short}…`;
}

/** Makes a unique name from a label. */
export function nameOf(label: string, taken: Set<string>, otherwise: string): string {
  const short = label
    .replace(/^file:\/\//, '')
    .normalize('NFKD')
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  const base = short === '' ? otherwise : short;
  return takeName(base, taken);
}

/** Returns the name, with a number if it is taken, and marks it as taken. */
export function takeName(base: string, taken: Set<string>): string {
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  taken.add(name);
  return name;
}

/** A value of another tool's file, with its place. */
export interface Written<T = unknown> {
  readonly value: T;
  readonly at: (part?: 'key' | 'value') => SourceLocation;
  child(key: PropertyKey): Written;
  items(): readonly Written[];
}

/** Reads a YAML or JSON text: JSON is YAML. */
export function readWritten(file: string, text: string): Written | Unreadable {
  const yaml = parseYaml(text);
  const lines = createLineIndex(text);
  const locate = (offset: number): SourceLocation => {
    const position = lines.positionAt(offset);
    return { file, ...position, excerpt: lines.excerptAround(position) };
  };
  if (yaml.errors.length > 0) {
    const toProblem = ({ message, offset, hint }: YamlError): Problem => {
      return { code: 'syntax', severity: 'error', message, at: locate(offset), ...defined({ hint }) };
    };
    return { problems: yaml.errors.map(toProblem) };
  }
  const long = findLongNumbers(yaml.value);
  if (long.length > 0) {
    const problems = long.map(({ path, number }): Problem => {
      const [message, at] = [describeLongNumber(number), locate(yaml.find(path, 'value'))];
      return { code: 'invalid-value', severity: 'error', message, hint: longNumberHint, at };
    });
    return { problems };
  }
  // The other tool reads plain numbers: its 1.0 is 1.
  return place(plainNumbers(yaml.value), [], (path, part) => locate(yaml.find(path, part)));
}

type Find = (path: readonly PropertyKey[], part: 'key' | 'value') => SourceLocation;

function place(value: unknown, path: readonly PropertyKey[], find: Find): Written {
  return {
    value,
    at: (part = 'value') => find(path, part),
    child: (key) => place(readOwn(value, key), [...path, key], find),
    items: () => (Array.isArray(value) ? value.map((item: unknown, index) => place(item, [...path, index], find)) : []),
  };
}

/** Gives a value a single place, such as that of a CSV row. */
export function placeAt(value: unknown, at: SourceLocation): Written {
  return place(value, [], () => at);
}

/** Replaces the value and keeps the places. */
export function withValue(written: Written, value: unknown): Written {
  return place(value, [], (path, part) => path.reduce<Written>((at, key) => at.child(key), written).at(part));
}

/** Maps every text in a value. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]));
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
