import { writeJson } from '../../json/canonical-json.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { PromptVersion } from '../../model/suite.ts';
import { splitPaths } from '../../templates/template.ts';
import type { PromptPart, PromptSlot } from './align-prompt.ts';
import type { RefusedRow } from './trace-row.ts';

/** The messages of a prompt as literal texts and slots, or why what was sent can't be turned around. */
export function readPromptParts(
  prompt: PromptVersion,
): { readonly messages: readonly (readonly PromptPart[])[] } | RefusedRow {
  const messages: (readonly PromptPart[])[] = [];
  for (const { template, attach = [] } of prompt.messages) {
    if (attach.length > 0) return { refused: 'the prompt sends files, which traces do not hold' };
    // A template of a whole file is cut where its roles begin, and what comes out is trimmed.
    const parts = splitSlots(prompt.expand === undefined ? template.source : template.source.trim());
    if (typeof parts === 'string') return { refused: `the prompt has ${parts}, which can not be turned around` };
    messages.push(parts);
  }
  const paths = new Set(messages.flat().flatMap((part) => (typeof part === 'string' ? [] : [part.path])));
  const isList = [...paths].some((path) => /(?:^|\.)\d+(?:\.|$)/.test(path));
  const isBoth = [...paths].some((path) => [...paths].some((other) => other.startsWith(`${path}.`)));
  if (isList || isBoth) return { refused: 'the prompt reads items of a list, which can not be turned around' };
  return { messages };
}

const literal = String.raw`"[^"\\{}]*"|'[^'\\{}]*'`;
const filterPattern = new RegExp(String.raw`\|\s*(\w+)(?:\s*:\s*(${literal}))?\s*`, 'g');
const slotPattern = new RegExp(String.raw`^\s*([^|{}]+?)\s*((?:\|\s*\w+(?:\s*:\s*(?:${literal}))?\s*)*)$`);

/** Texts and slots; what stands in the way, in words, for a template that holds more. */
function splitSlots(source: string): readonly PromptPart[] | string {
  const tag = /\{%-?\s*(\w+)/.exec(source)?.[1];
  if (tag !== undefined) return `logic ({% ${tag} %})`;
  if (/\{[%#]/.test(source)) return 'comments';
  const parts: PromptPart[] = [];
  let from = 0;
  for (let open = source.indexOf('{{'); open !== -1; open = source.indexOf('{{', from)) {
    const close = source.indexOf('}}', open);
    const slot = close === -1 ? 'an expression' : readSlot(source.slice(open + 2, close));
    if (typeof slot === 'string') return slot;
    if (open > from) parts.push(source.slice(from, open));
    parts.push(slot);
    from = close + 2;
  }
  if (from < source.length) parts.push(source.slice(from));
  return parts;
}

function readSlot(text: string): PromptSlot | string {
  const [, path = '', filters = ''] = slotPattern.exec(text) ?? [];
  const [only, second] = splitPaths(`{{ ${path} }}`) ?? [];
  const named = /\|\s*(\w+)/.exec(text)?.[1];
  const refused = named === undefined ? 'an expression' : `the filter "${named}"`;
  if (typeof only !== 'object' || second !== undefined) return refused;
  const id = `${only.segments.join('.')}${filters}`;
  let slot: PromptSlot = { path: only.segments.join('.'), id, read: (value) => ({ value }) };
  for (const [, name = '', written] of filters.matchAll(filterPattern)) {
    const next = withFilter(slot, name, written?.slice(1, -1));
    if (next === undefined) return `the filter "${name}"`;
    slot = next;
  }
  return slot;
}

type Read = PromptSlot['read'];

/** The slot with one more filter that has one value for each text; undefined where several values come to the same text. */
function withFilter(slot: PromptSlot, name: string, argument: string | undefined): PromptSlot | undefined {
  const before = (read: Read): PromptSlot => ({ ...slot, read });
  const inner = slot.read;
  if (['json', 'dump', 'tojson'].includes(name) && argument === undefined)
    return slot.isJson === true ? undefined : { ...before((text) => readBack(inner, text)), isJson: true };
  if (argument === undefined || slot.isJson === true) return undefined;
  if (name === 'append')
    return before((text) => (text.endsWith(argument) ? inner(text.slice(0, text.length - argument.length)) : 'none'));
  if (name === 'prepend')
    return before((text) => (text.startsWith(argument) ? inner(text.slice(argument.length)) : 'none'));
  // The text of the default may be the value, or there was none.
  if (name === 'default') return before((text) => (text === argument ? 'several' : text === '' ? 'none' : inner(text)));
  return undefined;
}

function readBack(inner: Read, text: string): ReturnType<Read> {
  const parsed = parseJson(text);
  if (!parsed.ok || writeJson(parsed.value) !== text) return 'none';
  return typeof parsed.value === 'string' ? inner(parsed.value) : { value: parsed.value };
}
