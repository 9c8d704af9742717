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
import { writeJson } from '../json/canonical-json.ts';
import { parseCsv } from './csv.ts';

/** The new text, or why the value can't be replaced. */
export type Replaced = { readonly text: string } | { readonly fault: string };

/**
 * Puts a JSON value in the place of one that a map has under a key; the map is named by the offset where it starts.
 * Every other byte stays, comments and spacing with them. JSON is YAML, so this edits both.
 */
export function replaceYamlValue(text: string, mapOffset: number, key: string, value: unknown): Replaced {
  const document = parseDocument(text, { keepSourceTokens: false, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) return { fault: `can't be read: ${error.message.split('\n')[0] ?? ''}` };
  let found: Node | undefined;
  visit(document, {
    Map(_, map) {
      if (map.range?.[0] !== mapOffset) return undefined;
      const pair = map.items.find(({ key: name }) => isScalar(name) && name.value === key);
      found = isNode(pair?.value) ? pair.value : undefined;
      return visit.BREAK;
    },
  });
  if (found === undefined) return { fault: `has no "${key}" of its own` };
  const { range } = found;
  if (isAlias(found) || range === undefined || range === null) {
    return { fault: `takes "${key}" from elsewhere in the file` };
  }
  const anchor = isMap(found) || isSeq(found) || isScalar(found) ? found.anchor : undefined;
  if (anchor !== undefined) return { fault: `shares "${key}" with other places in the file (&${anchor})` };
  return { text: splice(text, range, writeValue(found, value)) };
}

/** What ends the old value, such as the break after a block, ends the new one. */
function splice(text: string, [start, end]: Range, written: string): string {
  const old = text.slice(start, end);
  const tail = /\s*$/.exec(old)?.[0] ?? '';
  return text.slice(0, start) + written + tail + text.slice(end);
}

/** A plain text stays plain where it can; all else is JSON, which YAML reads the same everywhere. */
function writeValue(old: Node, value: unknown): string {
  const isPlain = isScalar(old) && old.type === Scalar.PLAIN;
  const canBePlain =
    typeof value === 'string' && /^[A-Za-z][\w.-]*(?: [\w.-]+)*$/.test(value) && parse(value) === value;
  return isPlain && canBePlain ? value : (writeJson(value) ?? 'null');
}

/**
 * Puts a text into one column of the record that starts on a line. Every other byte stays. A quoted field stays quoted; any
 * other is quoted where its new text needs it.
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
