import { spell } from '../json/canonical-json.ts';
import { SpelledNumber } from '../text/exact-numbers.ts';
import type { TemplateTree, TreeLanguage, TreeNode } from './template-tree.ts';

const MAX_LENGTH = 1_000_000;

/** `{{name}}` and nothing else: any other brace is text. Lists and maps print as Go's `%v` does, as the format's own runner has it. */
export const bracesLanguage: TreeLanguage = {
  functions: {},
  emptyMapIsFalse: true,
  print: printGo,
  textHint: () => 'give it a value',
};

/** One pass: what a value holds is never looked at again. */
export function parseBraces(source: string): TemplateTree {
  const nodes: TreeNode[] = [];
  let from = 0;
  for (const match of source.matchAll(/\{\{\s*([\w.-]+)\s*\}\}/g)) {
    const [written, name = ''] = match;
    if (match.index > from) nodes.push({ kind: 'text', text: source.slice(from, match.index) });
    const offset = match.index;
    // A key is flat: `a.b` is the key with that name.
    nodes.push({
      kind: 'output',
      value: { kind: 'path', from: 'names', up: 0, steps: [name], text: name, offset },
      offset,
    });
    from = offset + written.length;
  }
  if (from < source.length) nodes.push({ kind: 'text', text: source.slice(from) });
  return { source, nodes };
}

function printGo(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const parts: string[] = [];
  let length = 0;
  const print = (item: unknown, depth: number): void => {
    if (depth > 100 || length > MAX_LENGTH) return;
    const add = (text: string) => {
      length += text.length;
      parts.push(text);
    };
    if (item === null) add('<nil>');
    else if (typeof item !== 'object' || item instanceof SpelledNumber) add(spell(item));
    else if (Array.isArray(item)) {
      add('[');
      for (const [index, element] of item.entries()) {
        if (index > 0) add(' ');
        print(element, depth + 1);
      }
      add(']');
    } else {
      add('map[');
      const entries = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [index, [key, element]] of entries.entries()) {
        add(`${index > 0 ? ' ' : ''}${key}:`);
        print(element, depth + 1);
      }
      add(']');
    }
  };
  print(value, 0);
  return parts.join('');
}
