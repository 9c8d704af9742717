import { Document, type Node, stringify, type YAMLMap, type YAMLSeq } from 'yaml';
import { LeftOut } from './draft.ts';

/** The text of an imported suite; what was left out stands as a comment where it belongs. */
export function writeSuite(suite: Readonly<Record<string, unknown>>, head: string): string {
  const document = new Document({}, { version: '1.2' });
  const root = document.contents as unknown as YAMLMap;
  const { '': left = [], ...keys } = suite;
  for (const [key, value] of Object.entries(keys)) root.set(document.createNode(key), build(value, document));
  const comments = [head, ...(left as readonly LeftOut[]).map(describe)];
  document.commentBefore = comments.join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function build(value: unknown, document: Document): Node {
  if (Array.isArray(value)) return buildList(value, document);
  if (typeof value !== 'object' || value === null) return document.createNode(value) as Node;
  const map = document.createNode({}) as YAMLMap;
  const left: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    // A list of which nothing is left must not stand there empty.
    if (isNothingLeft(item)) left.push(...item.map(describe));
    else map.set(document.createNode(key), build(item, document));
  }
  if (left.length > 0) map.comment = left.join('\n');
  return map;
}

function isNothingLeft(value: unknown): value is readonly LeftOut[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof LeftOut);
}

/** A comment goes before the next item that is there, or after the last. */
function buildList(items: readonly unknown[], document: Document): Node {
  const list = document.createNode([]) as YAMLSeq;
  let waiting: string[] = [];
  for (const item of items) {
    if (item instanceof LeftOut) waiting.push(describe(item));
    else {
      const node = build(item, document);
      if (waiting.length > 0) node.commentBefore = waiting.join('\n');
      waiting = [];
      list.add(node);
    }
  }
  if (waiting.length > 0) list.comment = waiting.join('\n');
  return list;
}

function describe({ reason, at, value }: LeftOut): string {
  const written = value === undefined ? '' : stringify(value, { lineWidth: 0 }).trimEnd();
  const shown = written.length > 2000 ? `${written.slice(0, 2000)}…` : written;
  return [
    ` not carried over (${at.file}:${at.line}): ${reason}`,
    ...shown.split('\n').map((line) => `   ${line}`),
  ].join('\n');
}
