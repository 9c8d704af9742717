import { isAlias, isMap, isNode, isScalar, type Node, parse, parseDocument, type Range, Scalar, visit } from 'yaml';
import { writeJson } from '../json/canonical-json.ts';

export type ReplacedYaml = { readonly text: string } | { readonly fault: string };

/**
 * Puts a JSON value in the place of one that a map has under a key; the map is named by the offset where it starts.
 * Every other byte stays, comments and spacing with them. JSON is YAML, so this edits both.
 */
export function replaceYamlValue(text: string, mapOffset: number, key: string, value: unknown): ReplacedYaml {
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
  if (isAlias(found) || range === undefined || range === null)
    return { fault: `takes "${key}" from elsewhere in the file` };
  const anchor = isMap(found) || isScalar(found) ? found.anchor : undefined;
  if (anchor !== undefined) return { fault: `shares "${key}" with other places in the file (&${anchor})` };
  return { text: splice(text, range, write(found, value)) };
}

/** What ends the old value, such as the break after a block, ends the new one. */
function splice(text: string, [start, end]: Range, written: string): string {
  const old = text.slice(start, end);
  const tail = /\s*$/.exec(old)?.[0] ?? '';
  return text.slice(0, start) + written + tail + text.slice(end);
}

/** A plain text stays plain where it can; all else is JSON, which YAML reads the same everywhere. */
function write(old: Node, value: unknown): string {
  const isPlain = isScalar(old) && old.type === Scalar.PLAIN;
  const canBePlain =
    typeof value === 'string' && /^[A-Za-z][\w.-]*(?: [\w.-]+)*$/.test(value) && parse(value) === value;
  return isPlain && canBePlain ? value : (writeJson(value) ?? 'null');
}
