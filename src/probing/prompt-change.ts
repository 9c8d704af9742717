import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { WrittenMessage } from '../model/suite/recorded-settings.ts';
import type { PromptVersion } from '../model/suite/suite.ts';
import { countNgrams, countSharedNgrams } from '../text/words/similarity.ts';
import { splitWords } from '../text/words/words.ts';
import type { AskedPrompt } from './asked-prompt.ts';
import { align, type PartKind, splitSentences, type TextPart } from './text-parts.ts';

/** Smallest piece of a change that can be applied or left out. */
export interface Hunk {
  readonly kind: PartKind | 'space' | 'message' | 'attachment' | 'defaults' | 'tool' | 'param' | 'model';
  /** Undefined if the change adds it. */
  readonly before?: string;
  /** Undefined if the change removes it. */
  readonly after?: string;
  /** Path of a tool or parameter, such as `tools.route.description`. */
  readonly name?: string;
  /** Place of the text in the prompt; undefined if its file is unknown. */
  readonly place?: HunkPlace;
}

/** Lines of a prompt's text, counted from 1. */
export interface HunkPlace {
  /** Side that the lines belong to. Removed text is only in the earlier prompt. */
  readonly side: 'before' | 'after';
  readonly text: { readonly message: number } | { readonly partial: string };
  readonly line: number;
  readonly endLine: number;
}

/** Lines of a file, counted from 1. */
export interface FileLines {
  readonly path: string;
  readonly line: number;
  readonly endLine: number;
}

/** Finds the file lines of a prompt's text; undefined if the text is in no file. */
export function fileLines(
  prompt: PromptVersion,
  { text, line, endLine }: Omit<HunkPlace, 'side'>,
): FileLines | undefined {
  if ('partial' in text) {
    const folder = prompt.file?.replace(/[^/]*$/, '') ?? '';
    const name = text.partial.replace(/[^/]*$/, '_$&.prompt');
    return { path: `${folder}${name}`, line, endLine };
  }
  const [first, last] = [prompt.locateLine?.(text.message, line), prompt.locateLine?.(text.message, endLine)];
  if (first === undefined || last === undefined) return undefined;
  return { path: first.file, line: first.line, endLine: Math.max(first.line, last.line) };
}

/** The difference of two prompts. Hunks are in the order of the text. */
export interface PromptChange {
  readonly hunks: readonly Hunk[];
  /** The earlier prompt with these hunks applied. With all hunks it equals the later prompt. */
  make(hunks: ReadonlySet<number>): AskedPrompt;
}

type Has = (hunk: number) => boolean;
type Choose<T> = (has: Has) => T;

/** Splits the change from one prompt to another into hunks. Both must use one template language. */
export function splitChange(before: AskedPrompt, after: AskedPrompt): PromptChange {
  const hunks: Hunk[] = [];
  const add = (hunk: Hunk): number => hunks.push(hunk) - 1;
  const messages = diffMessages(before.messages, after.messages, add);
  const params = diffMaps(before.params, after.params, [], add);
  const model = before.model === after.model ? undefined : add(leafHunk('model', 'model', before.model, after.model));
  return {
    hunks,
    make(chosen) {
      const has: Has = (hunk) => chosen.has(hunk);
      return {
        messages: messages(has),
        params: params(has),
        model: model === undefined || has(model) ? after.model : before.model,
        ...defined({ isLiteral: after.isLiteral === true || undefined }),
      };
    },
  };
}

type Add = (hunk: Hunk) => number;

function diffMessages(
  before: readonly WrittenMessage[],
  after: readonly WrittenMessage[],
  add: Add,
): Choose<readonly WrittenMessage[]> {
  const textOf = ({ role, content }: WrittenMessage) => `${role}\n${content}`;
  const pairs = align({
    before: before.map(textOf),
    after: after.map(textOf),
    // Messages of one role always pair, even if all text changed.
    alike: (a, b) => (a.slice(0, a.indexOf('\n')) === b.slice(0, b.indexOf('\n')) ? 0.5 + likeness(a, b) / 2 : 0),
  });
  const chosen = pairs.map(([i, j]): Choose<readonly WrittenMessage[]> => {
    const [old, own] = [before[i ?? -1], after[j ?? -1]];
    if (old !== undefined && own !== undefined) return diffMessage(old, own, [i ?? 0, j ?? 0], add);
    const message = own ?? old;
    if (message === undefined) return () => [];
    const isAdded = own !== undefined;
    const hunk = add({
      kind: 'message',
      ...(isAdded ? { after: message.content } : { before: message.content }),
      place: placeOf(isAdded ? 'after' : 'before', { message: j ?? i ?? 0 }, message.content),
    });
    return (has) => (has(hunk) === isAdded ? [message] : []);
  });
  return (has) => chosen.flatMap((choose) => choose(has));
}

function diffMessage(
  before: WrittenMessage,
  after: WrittenMessage,
  [old, own]: readonly [number, number],
  add: Add,
): Choose<readonly WrittenMessage[]> {
  const content = diffText(before.content, after.content, { before: { message: old }, after: { message: own } }, add);
  const [oldFiles, files] = [before.attach ?? [], after.attach ?? []];
  const attach = diffLeaf('attachment', 'attach', oldFiles, files, add);
  const language = diffLanguage(before.language, after.language, add);
  return (has) => {
    const chosen = attach(has);
    return [
      {
        role: after.role,
        content: content(has),
        ...defined({
          attach: Array.isArray(chosen) && chosen.length > 0 ? chosen.map(String) : undefined,
          language: language(has),
        }),
      },
    ];
  };
}

type Language = WrittenMessage['language'];

/** Makes each partial a text of its own. Everything else that a template file declares is one hunk. */
function diffLanguage(before: Language, after: Language, add: Add): Choose<Language> {
  if (before === undefined || after === undefined) return () => after;
  const { partials: oldPartials = {}, ...oldRest } = before;
  const { partials = {}, ...rest } = after;
  const names = [...new Set([...Object.keys(partials), ...Object.keys(oldPartials)])];
  const texts = names.map((name): [string, Choose<string>] => {
    const [old, own] = [oldPartials[name], partials[name]];
    if (old === undefined || own === undefined) return [name, () => own ?? old ?? ''];
    return [name, diffText(old, own, { before: { partial: name }, after: { partial: name } }, add)];
  });
  const isSame = JSON.stringify(oldRest) === JSON.stringify(rest);
  const hunk = isSame ? undefined : add(leafHunk('defaults', 'input', { ...oldRest.defaults }, { ...rest.defaults }));
  return (has) => ({
    ...(hunk === undefined || has(hunk) ? rest : oldRest),
    ...defined({
      partials: names.length === 0 ? undefined : Object.fromEntries(texts.map(([name, text]) => [name, text(has)])),
    }),
  });
}

interface TextSides {
  readonly before: HunkPlace['text'];
  readonly after: HunkPlace['text'];
}

/** A piece of text that is equal on both sides or belongs to a hunk. */
interface Atom {
  readonly before: string;
  readonly after: string;
  readonly is: 'same' | 'space' | 'changed';
  readonly old: TextPart | undefined;
  readonly own: TextPart | undefined;
}

function diffText(before: string, after: string, sides: TextSides, add: Add): Choose<string> {
  if (before === after) return () => after;
  const [olds, owns] = [splitSentences(before), splitSentences(after)];
  const texts = (parts: readonly TextPart[]) => parts.map(({ text }) => text);
  const atoms = align({ before: texts(olds), after: texts(owns), alike: likeness }).map(([i, j]): Atom => {
    const [old, own] = [olds[i ?? -1], owns[j ?? -1]];
    const [from, to] = [rawOf(old), rawOf(own)];
    const isSpace = (old?.text ?? '') === (own?.text ?? '');
    return { before: from, after: to, is: from === to ? 'same' : isSpace ? 'space' : 'changed', old, own };
  });
  const hunkOf = atoms.map(({ is, old, own }) => {
    if (is !== 'changed') return undefined;
    const kind = own?.kind ?? old?.kind ?? 'sentence';
    const side = own === undefined ? 'before' : 'after';
    const part = own ?? old;
    const place = placeOf(
      side,
      sides[side],
      part?.text ?? '',
      countLines(side === 'after' ? after : before, part?.start),
    );
    return add({ kind, ...defined({ before: old?.text, after: own?.text }), place });
  });
  const ids = atoms.map(({ is }, index) => {
    if (is !== 'space') return hunkOf[index];
    // White space belongs to the change beside it.
    return hunkOf[index + 1] ?? hunkOf[index - 1] ?? add({ kind: 'space', before: ' ', after: ' ' });
  });
  return (has) =>
    atoms
      .map(({ before: from, after: to }, index) => {
        const id = ids[index];
        return id === undefined || has(id) ? to : from;
      })
      .join('');
}

function rawOf(part: TextPart | undefined): string {
  return part === undefined ? '' : part.lead + part.text;
}

function countLines(text: string, end: number | undefined): number {
  return text.slice(0, end ?? 0).split('\n').length;
}

function placeOf(side: HunkPlace['side'], text: HunkPlace['text'], content: string, line = 1): HunkPlace {
  return { side, text, line, endLine: line + content.trimEnd().split('\n').length - 1 };
}

/** Share of words common to two texts, from 0 to 1. */
function likeness(a: string, b: string): number {
  const [first, second] = [splitWords(a.toLowerCase()), splitWords(b.toLowerCase())];
  if (first.length + second.length === 0) return 0;
  return (2 * countSharedNgrams(countNgrams(first, 1), countNgrams(second, 1))) / (first.length + second.length);
}

function diffMaps(before: JsonObject, after: JsonObject, path: readonly string[], add: Add): Choose<JsonObject> {
  const keys = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  const values = keys.map((key) => [key, diffValue(before[key], after[key], [...path, key], add)] as const);
  return (has) => {
    const entries = values.flatMap(([key, choose]) => {
      const value = choose(has);
      return value === undefined ? [] : [[key, value] as const];
    });
    return Object.fromEntries(entries);
  };
}

function diffValue(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path: readonly string[],
  add: Add,
): Choose<JsonValue | undefined> {
  if (isSame(before, after)) return () => after;
  if (isJsonObject(before) && isJsonObject(after)) return diffMaps(before, after, path, add);
  const [olds, owns] = [namedItems(before), namedItems(after)];
  if (olds !== undefined && owns !== undefined) {
    const items = diffMaps(olds, owns, path, add);
    return (has) => Object.values(items(has));
  }
  const kind = path[0] === 'tools' || path[0] === 'functions' ? 'tool' : 'param';
  return diffLeaf(kind, path.join('.'), before, after, add);
}

/** Tools by name, if the value is a list of named tools. */
function namedItems(value: JsonValue | undefined): JsonObject | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: readonly JsonValue[] = value;
  const named = items.flatMap((item) => {
    const name = isJsonObject(item) ? toolName(item) : undefined;
    return name === undefined ? [] : [[name, item] as const];
  });
  return named.length === items.length && new Set(named.map(([name]) => name)).size === items.length
    ? Object.fromEntries(named)
    : undefined;
}

/** Name of a tool, in the format of any API. */
export function toolName(tool: JsonObject): string | undefined {
  const own = isJsonObject(tool['function']) ? tool['function']['name'] : tool['name'];
  return typeof own === 'string' ? own : undefined;
}

function diffLeaf(
  kind: Hunk['kind'],
  name: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  add: Add,
): Choose<JsonValue | undefined> {
  if (isSame(before, after)) return () => after;
  const hunk = add(leafHunk(kind, name, before, after));
  return (has) => (has(hunk) ? after : before);
}

function leafHunk(kind: Hunk['kind'], name: string, before: JsonValue | undefined, after: JsonValue | undefined): Hunk {
  const write = (value: JsonValue | undefined) => (typeof value === 'string' ? value : JSON.stringify(value));
  return { kind, name, ...defined({ before: write(before), after: write(after) }) };
}

function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalJson(a) === canonicalJson(b);
}
