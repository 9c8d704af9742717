import type { Path } from './locate.ts';

/** What to write where a list is wanted, and something else is written. */
export function hintOfList(key: string, isInner: boolean, input: unknown, shown: string): string {
  if (typeof input !== 'object' || input === null) {
    if (input === null) return 'begin each item with "- "';
    const item = typeof input === 'string' ? itemOf(isInner ? `inner ${key}` : key, input, 0) : undefined;
    return `write [${item ?? shown}]`;
  }
  const [first = 'key'] = Object.keys(input);
  return `begin each item of the list with "- ", as in "- ${first}: …", or write [{ ${first}: … }]`;
}

/** What to write where an item of a list must be a map, and is a text. */
export function hintOfItem(label: string, path: Path, root: Path, input: unknown): string | undefined {
  if (typeof input !== 'string') return undefined;
  const index = [...root, ...path].findLast((step) => typeof step === 'number') ?? 0;
  const list =
    path.length === 0
      ? (lists[label] ?? '')
      : `inner ${String(typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1))}`;
  const item = itemOf(list, input, index);
  return item === undefined ? undefined : `write ${item}`;
}

/** The list that an item is in, by what messages call the item. */
const lists: Readonly<Record<string, string>> = { 'the case': 'cases', 'the prompt': 'prompts' };

function itemOf(list: string, text: string, index: number): string | undefined {
  const isFile = /^[^\s:{}]+\.\w+$|\*/.test(text);
  switch (list) {
    case 'cases':
      return isFile ? `{ file: ${text} }` : '{ id: …, vars: { … }, assert: [ … ] }';
    case 'prompts':
      // The name of the file, since two prompts can't have one id.
      return isFile
        ? `{ id: ${(text.split('/').at(-1) ?? text).replace(/\..*$/, '')}, file: ${text} }`
        : `{ id: v${index + 1}, text: ${JSON.stringify(text)} }`;
    case 'inner assert':
      return '{ contains: … }';
    case 'inner messages':
      return `{ role: user, content: ${JSON.stringify(text)} }`;
    case 'inner turns':
      return `{ user: ${JSON.stringify(text)} }`;
    case 'inner toolResult':
      return `{ name: TOOL, content: ${JSON.stringify(text)} }`;
    default:
      return undefined;
  }
}
