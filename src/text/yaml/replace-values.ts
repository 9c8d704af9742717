import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parse,
  parseDocument,
  type Range,
  Scalar,
  visit,
} from 'yaml';
import { writeJson } from '../../json/canonical-json.ts';
import { parseCsv } from '../csv.ts';

/** The new text, or why the value can't be replaced. */
export type Replaced = { readonly text: string } | { readonly fault: string };

/**
 * Replaces the value of a map's key by a JSON value. The map is identified by the offset of its start. All other bytes
 * stay, including comments and spacing. JSON is YAML, so this edits both.
 */
export function replaceYamlValue(text: string, mapOffset: number, key: string, value: unknown): Replaced {
  const map = findMap(text, mapOffset);
  if ('fault' in map) return map;
  const pair = readPair(map.pairs, key);
  if ('fault' in pair) return pair;
  return { text: splice(text, pair.range, writeValue(pair.node, value)) };
}

/** Keys of a map with their new values; undefined takes a key out. A new key comes in the place of one that goes, or first. */
export type MapChanges = Readonly<Record<string, unknown>>;

/** Changes several keys, some of which the map may not have yet. Comments beside a removed key are removed too. */
export function editYamlMap(text: string, mapOffset: number, changes: MapChanges): Replaced {
  const map = findMap(text, mapOffset);
  if ('fault' in map) return map;
  const edits: Edit[] = [];
  const added: string[] = [];
  const cut = new Set<number>();
  for (const [key, value] of Object.entries(changes)) {
    const index = map.pairs.findIndex(({ name }) => name === key);
    if (index === -1 && value !== undefined)
      added.push(`${map.isJson ? JSON.stringify(key) : key}: ${writeJson(value) ?? 'null'}`);
    if (index === -1) continue;
    const pair = readPair(map.pairs, key);
    if ('fault' in pair) return pair;
    const end = endOf(text, map, index);
    const [start] = pair.range;
    if (value === undefined) {
      const inPlace = added.shift();
      if (inPlace === undefined) cut.add(index);
      else edits.push({ start: map.pairs[index]?.start ?? start, end, text: inPlace });
    } else if (!isScalar(pair.node) && /(?:^|\s)#/.test(text.slice(start, end)))
      return { fault: `has comments in "${key}": write it by hand` };
    else edits.push({ start, end, text: writeValue(pair.node, value) });
  }
  const [first] = map.pairs;
  if (first !== undefined && added.length > 0)
    edits.push({ start: first.start, end: first.start, text: added.map((one) => one + map.separator).join('') });
  let edited = text;
  for (const { start, end, text: written } of [...edits, ...cutPairs(text, map, cut)].sort((x, y) => y.start - x.start))
    edited = edited.slice(0, start) + written + edited.slice(end);
  return { text: edited };
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A removed pair ends at the start of the next pair. The last pairs start at the end of the pair before them. */
function cutPairs(text: string, map: FoundMap, cut: ReadonlySet<number>): readonly Edit[] {
  return [...cut].flatMap((index) => {
    if (cut.has(index - 1)) return [];
    let last = index;
    while (cut.has(last + 1)) last += 1;
    const start = map.pairs[index]?.start ?? 0;
    const next = map.pairs[last + 1]?.start;
    if (next !== undefined) return [{ start, end: next, text: '' }];
    // In a block, a comment may follow the pair before on its line.
    const lineEnd = /\r?\n[^\n]*$/.exec(text.slice(0, start))?.index;
    const from = map.separator === ', ' || lineEnd === undefined ? endOf(text, map, Math.max(0, index - 1)) : lineEnd;
    return [{ start: index === 0 ? start : from, end: endOf(text, map, last), text: '' }];
  });
}

export function readYamlMap(
  text: string,
  mapOffset: number,
): { readonly value: Readonly<Record<string, unknown>> } | { readonly fault: string } {
  const map = findMap(text, mapOffset);
  return 'fault' in map ? map : { value: map.value };
}

interface FoundMap {
  readonly value: Readonly<Record<string, unknown>>;
  readonly pairs: readonly { readonly name: unknown; readonly start: number; readonly node: Node | undefined }[];
  readonly isJson: boolean;
  /** Between two pairs. */
  readonly separator: string;
}

function findMap(text: string, mapOffset: number): FoundMap | { readonly fault: string } {
  const document = parseDocument(text, { keepSourceTokens: false, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) return { fault: `can't be read: ${error.message.split('\n')[0] ?? ''}` };
  let found: FoundMap | undefined;
  visit(document, {
    Map(_, map) {
      if (map.range?.[0] !== mapOffset) return undefined;
      const column = mapOffset - (text.lastIndexOf('\n', mapOffset - 1) + 1);
      const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
      const value: unknown = map.toJS(document);
      found = {
        value: value as Readonly<Record<string, unknown>>,
        pairs: map.items.flatMap(({ key, value }) =>
          isScalar(key) && key.range !== undefined && key.range !== null
            ? [{ name: key.value, start: key.range[0], node: isNode(value) ? value : undefined }]
            : [],
        ),
        isJson: map.flow === true && map.items.every(({ key }) => isScalar(key) && key.type === Scalar.QUOTE_DOUBLE),
        separator: map.flow === true ? ', ' : `${lineEnd}${' '.repeat(column)}`,
      };
      return visit.BREAK;
    },
  });
  return found ?? { fault: 'is not there any more' };
}

function readPair(
  pairs: FoundMap['pairs'],
  key: string,
): { readonly node: Node; readonly range: Range } | { readonly fault: string } {
  const node = pairs.find(({ name }) => name === key)?.node;
  if (node === undefined) return { fault: `has no "${key}" of its own` };
  const { range } = node;
  if (isAlias(node) || range === undefined || range === null)
    return { fault: `takes "${key}" from elsewhere in the file` };
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
  if (anchor !== undefined) return { fault: `shares "${key}" with other places in the file (&${anchor})` };
  return { node, range };
}

/** The end of a pair's value, without the line break that may end it. */
function endOf(text: string, { pairs }: FoundMap, index: number): number {
  const { start = 0, node } = pairs[index] ?? {};
  const end = node?.range?.[1] ?? start;
  return end - (/\s*$/.exec(text.slice(start, end))?.[0].length ?? 0);
}

/** Keeps the end of the old value, such as the line break after a block. */
function splice(text: string, [start, end]: Range, written: string): string {
  const old = text.slice(start, end);
  const tail = /\s*$/.exec(old)?.[0] ?? '';
  return text.slice(0, start) + written + tail + text.slice(end);
}

/**
 * Writes a value. A plain text stays plain if possible. All else becomes JSON, which YAML reads the same everywhere.
 */
function writeValue(old: Node, value: unknown): string {
  const isPlain = isScalar(old) && old.type === Scalar.PLAIN;
  const canBePlain =
    typeof value === 'string' && /^[A-Za-z][\w.-]*(?: [\w.-]+)*$/.test(value) && parse(value) === value;
  return isPlain && canBePlain ? value : (writeJson(value) ?? 'null');
}

/**
 * Replaces one field of the record that starts on a line. All other bytes stay. A quoted field stays quoted. Another
 * field is quoted if its new text needs it.
 */
export function replaceCsvField(text: string, line: number, column: string, value: string): Replaced {
  const csv = parseCsv(text);
  if ('error' in csv) return { fault: `can't be read: ${csv.error.message}` };
  const [header] = csv.records;
  const place = header?.fields.findIndex((name) => name.trim() === column) ?? -1;
  const bounds = csv.records.find((record) => record.line === line)?.bounds ?? [];
  const [start, end] = [bounds[2 * place], bounds[2 * place + 1]];
  if (start === undefined || end === undefined) return { fault: `has no column "${column}"` };
  const isQuoted = text[start] === '"' || /[",\r\n]/.test(value);
  const field = isQuoted ? `"${value.replaceAll('"', '""')}"` : value;
  return { text: text.slice(0, start) + field + text.slice(end) };
}
