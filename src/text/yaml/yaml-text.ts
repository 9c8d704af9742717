import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  Parser,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { defined } from '../../json/defined.ts';
import { quote } from '../shorten.ts';
import { SpelledNumber } from './exact-numbers.ts';
import { explainYaml, type FoundError, type YamlError } from './explain-yaml.ts';

/** A YAML document as values, with the way back from a path to its place in the text. */
export interface YamlText {
  /** Numbers keep a spelling that differs from their own; undefined if there are errors. */
  readonly value: unknown;
  readonly errors: readonly YamlError[];
  readonly warnings: readonly YamlError[];
  /** The offset of the key or value at a path, or of the nearest thing above it that exists. */
  find(path: readonly PropertyKey[], part: 'key' | 'value'): number;
  /** The offset of a position inside the string at a path; the string's start if the position can't be mapped. */
  findWithin(path: readonly PropertyKey[], line: number, column: number): number;
}

// Recursive code would overflow the stack, and in some V8 builds abort the process, long before memory ends.
const maxDepth = 100;
// Aliases share their target. The limit counts the nodes that a reader of the whole would visit.
const maxAliasedNodes = 1_000_000;
const maxErrors = 20;

/** Parses one YAML 1.2 document of the core schema: no timestamps, no custom tags, string keys, unique keys, merge keys. */
export function parseYaml(text: string): YamlText {
  const tokens = [...new Parser().parse(text)];
  const tooDeep = findTooDeep(tokens);
  if (tooDeep !== undefined) {
    return failed([{ message: `nested deeper than ${maxDepth} levels`, offset: tooDeep }]);
  }
  const { document, second, found } = compose(tokens, text.length);
  if (document === undefined) return failed([]);
  const parse = (changed: string) => compose([...new Parser().parse(changed)], changed.length).found;
  const errors: YamlError[] = found.length === 0 ? [] : [...explainYaml(text, parse, maxErrors)];
  if (second !== undefined) {
    errors.push({
      message: 'the file holds several documents',
      offset: second.range[0],
      hint: 'split it at the "---" line',
    });
  }
  if (errors.length > 0) return failed(errors.slice(0, maxErrors));
  const root = document.contents;
  const reading: Reading = { text, errors, warnings: [], anchors: new Map(), nodes: 0, aliased: 0, exhausted: false };
  const value = readNode(root, reading);
  if (errors.length > 0) return failed(errors.slice(0, maxErrors));
  return {
    value,
    errors,
    warnings: reading.warnings,
    find: (path, part) => findNode(root, path, part).offset,
    findWithin: (path, line, column) => findWithin(text, findNode(root, path, 'value'), line, column),
  };
}

function compose(tokens: readonly CST.Token[], length: number) {
  // The library's own key check is quadratic; `readNode` makes it.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    uniqueKeys: false,
    strict: true,
    logLevel: 'silent',
  });
  const [document, second] = [...composer.compose(tokens, true, length)];
  const found: readonly FoundError[] = [...(document?.errors ?? []), ...(document?.warnings ?? [])].map(
    ({ code, message, pos }) => ({ code, message, offset: pos[0] }),
  );
  return { document, second, found };
}

function failed(errors: readonly YamlError[]): YamlText {
  const offset = errors[0]?.offset ?? 0;
  return { value: undefined, errors, warnings: [], find: () => offset, findWithin: () => offset };
}

function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const stack: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth) return token.offset;
    if (token.type === 'document') {
      if (token.value !== undefined) stack.push({ token: token.value, depth });
    } else if ('items' in token) {
      for (const item of token.items) {
        if (item.key !== undefined && item.key !== null) stack.push({ token: item.key, depth: depth + 1 });
        if (item.value !== undefined) stack.push({ token: item.value, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

interface Reading {
  readonly text: string;
  readonly errors: YamlError[];
  readonly warnings: YamlError[];
  readonly anchors: Map<string, { value: unknown; nodes: number; open: boolean }>;
  nodes: number;
  aliased: number;
  /** True after the first report, because the count only grows. */
  exhausted: boolean;
}

function readNode(node: unknown, reading: Reading): unknown {
  reading.nodes += 1;
  if (isAlias(node)) return readAlias(node.source, offsetOf(node), reading);
  refuseTag(node, reading);
  if (isScalar(node)) {
    const value = readScalar(node, reading);
    if (node.anchor !== undefined) reading.anchors.set(node.anchor, { value, nodes: 1, open: false });
    return value;
  }
  if (!isMap(node) && !isSeq(node)) return null;
  const anchor = { value: undefined as unknown, nodes: 0, open: true };
  if (node.anchor !== undefined) reading.anchors.set(node.anchor, anchor);
  const before = reading.nodes + reading.aliased;
  anchor.value = isMap(node)
    ? readMap(node, reading)
    : node.items.map((item) => readNode(isPair(item) ? item.value : item, reading));
  anchor.nodes = reading.nodes + reading.aliased - before;
  anchor.open = false;
  return anchor.value;
}

/** The library knows these tags of YAML 1.1, whose values are no JSON. */
const strangeTag = /^tag:yaml\.org,2002:(?:binary|omap|pairs|timestamp)$/;

function refuseTag(node: unknown, { errors }: Reading): void {
  const tag = isScalar(node) || isMap(node) || isSeq(node) ? node.tag : undefined;
  if (tag === undefined || !strangeTag.test(tag)) return;
  const name = `!!${tag.replace(/^.*:/, '')}`;
  errors.push({
    message: `the tag ${name} makes a value that JSON can't say`,
    offset: offsetOf(node),
    hint: `remove ${name}`,
  });
}

function readAlias(name: string, offset: number, reading: Reading): unknown {
  const anchor = reading.anchors.get(name);
  const refuse = (message: string, hint?: string) => {
    reading.errors.push({ message, offset, ...defined({ hint }) });
    return null;
  };
  if (anchor === undefined) {
    const hint = `write &${name} before the value that it repeats; quote a text that begins with "*"`;
    return refuse(`the alias *${name} names no anchor before it`, hint);
  }
  if (anchor.open) return refuse(`the alias *${name} is inside its own anchor`);
  reading.aliased += anchor.nodes;
  if (reading.aliased <= maxAliasedNodes) return anchor.value;
  if (reading.exhausted) return null;
  reading.exhausted = true;
  return refuse(`aliases make the file larger than ${maxAliasedNodes} values`);
}

function readScalar(node: Scalar, reading: Reading): unknown {
  const { value, source } = node;
  if (value === null || typeof value === 'string') warnOfComment(node, reading);
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) {
    reading.errors.push({
      message: `${source ?? String(value)} is not a number that JSON can say`,
      offset: offsetOf(node),
    });
    return null;
  }
  return source === undefined || source === String(value) ? value : new SpelledNumber(value, source);
}

/** `channel: #billing` has no value, and `contains: order #12` ends before the number. */
function warnOfComment({ type, value, range }: Scalar, { text, warnings }: Reading): void {
  if (type !== Scalar.PLAIN || range == null) return;
  const comment = /^[ \t]*(#[^\s#][^\r\n]*)/.exec(text.slice(range[1], range[2]))?.[1];
  if (comment === undefined) return;
  const [written, found] = typeof value === 'string' ? [`${value} ${comment}`, quote(value)] : [comment, 'empty'];
  warnings.push({
    message: `${quote(comment)} is a comment in YAML, and the value is ${found}`,
    offset: range[0],
    hint: `write ${quote(written)} in quotes; a comment begins with "# "`,
  });
}

function readMap(map: YAMLMap, reading: Reading): unknown {
  const entries = new Map<string, unknown>();
  const merged: unknown[] = [];
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    if (isScalar(key) && key.anchor !== undefined)
      reading.anchors.set(key.anchor, { value: name, nodes: 1, open: false });
    if (isScalar(key) && name === '<<' && (key.type === undefined || key.type === Scalar.PLAIN)) {
      merged.push(...[readNode(value, reading)].flat());
      continue;
    }
    if (entries.has(name)) {
      const hint = name === 'id' ? { hint: 'if another item of the list begins here, write - id: …' } : {};
      reading.errors.push({ message: `the key "${name}" is written twice in one map`, offset: offsetOf(key), ...hint });
    }
    entries.set(name, readNode(value, reading));
  }
  // Earlier sources win, and the map's own keys win over all of them.
  for (const source of merged) {
    if (typeof source !== 'object' || source === null || Array.isArray(source) || source instanceof SpelledNumber) {
      reading.errors.push({ message: 'the merge key "<<" takes a map or a list of maps', offset: offsetOf(map) });
      continue;
    }
    for (const [name, value] of Object.entries(source)) if (!entries.has(name)) entries.set(name, value);
  }
  // Object.fromEntries defines its keys, so a `__proto__` key stays data.
  return Object.fromEntries(entries);
}

interface Found {
  readonly node: unknown;
  readonly offset: number;
}

function findNode(root: unknown, path: readonly PropertyKey[], part: 'key' | 'value'): Found {
  let node: unknown = root;
  let offset = offsetOf(root);
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return { node, offset };
      const key = offsetOf(pair.key);
      if (last && part === 'key') return { node: pair.value, offset: key };
      node = pair.value;
      // An empty value has no text of its own to point at.
      offset = isScalar(node) && node.value === null && (node.source ?? '') === '' ? key : offsetOf(node);
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (item === undefined) return { node, offset };
      node = item;
      offset = offsetOf(item);
    } else {
      return { node, offset };
    }
  }
  return { node, offset };
}

function findWithin(text: string, { node, offset }: Found, line: number, column: number): number {
  if (!isScalar(node)) return offset;
  if (node.type === Scalar.BLOCK_LITERAL) {
    let start = offset;
    for (let passed = 0; passed < line; passed += 1) {
      const next = text.indexOf('\n', start);
      if (next === -1) return offset;
      start = next + 1;
    }
    const firstLine = text.slice(text.indexOf('\n', offset) + 1);
    const indent = /^(?: *\r?\n)*( *)/.exec(firstLine)?.[1]?.length ?? 0;
    return start + indent + column - 1;
  }
  const quoted = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE;
  const written = text.slice(offset, node.range?.[1] ?? offset);
  // With escapes or folds the two texts run apart.
  const same = written === (quoted ? written.charAt(0) + String(node.value) + written.charAt(0) : String(node.value));
  return same && line === 1 ? offset + (quoted ? 1 : 0) + column - 1 : offset;
}

function offsetOf(node: unknown): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? (node as Node).range : undefined;
  return range?.[0] ?? 0;
}
