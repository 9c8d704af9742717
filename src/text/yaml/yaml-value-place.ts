import { CST, Lexer } from 'yaml';

/** A value as written, with its surroundings. */
export interface WrittenValue {
  readonly start: number;
  readonly end: number;
  /** True inside brackets, in which a comma ends the value. */
  readonly isFlow: boolean;
}

/** A bracket that is open at some place, or the line outside of all brackets. */
interface Level {
  readonly bracket: string;
  readonly offset: number;
  start: number;
  /** The start of the current item, including its key. */
  itemStart: number;
  hasKey: boolean;
  isListItem: boolean;
}

interface Token {
  readonly type: string | null;
  readonly source: string;
  readonly offset: number;
}

export function listTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  for (const source of new Lexer().lex(text)) {
    tokens.push({ type: CST.tokenType(source), source, offset });
    if (!isMark(source)) offset += source.length;
  }
  return tokens;
}

/** The lexer adds marks that are not in the text. */
function isMark(source: string): boolean {
  return ['\u0002', '\u0018', '\u001f'].includes(source);
}

/** Finds the start and end of the value around an offset, as if it were quoted as a whole. */
export function findValueAt(text: string, at: number): WrittenValue {
  const levels = openLevels(text, at);
  const level = levels.at(-1) ?? newLevel('', 0);
  const start = level.start + leadingBlanks(text.slice(level.start));
  const isFlow = level.bracket !== '';
  return { start, end: isFlow ? endInBrackets(text, start, level.bracket) : endOfBlock(text, start, level), isFlow };
}

/** The bracket that is still open when the lexer stops, if there is one. */
export function findOpenBracket(text: string): { readonly bracket: string; readonly offset: number } | undefined {
  const end = listTokens(text).find(({ type }) => type === 'flow-error-end')?.offset ?? text.length;
  const level = openLevels(text, end).at(-1);
  return level === undefined || level.bracket === '' ? undefined : level;
}

const closing: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

function newLevel(bracket: string, offset: number): Level {
  const start = offset + bracket.length;
  return { bracket, offset, start, itemStart: start, hasKey: false, isListItem: bracket === '[' };
}

/** The brackets that are open at an offset, outermost first; before them the line. */
function openLevels(text: string, at: number): readonly Level[] {
  const levels = [newLevel('', 0)];
  for (const { type, offset, source } of listTokens(text)) {
    const level = levels.at(-1);
    if (offset >= at || level === undefined) break;
    const next = offset + source.length;
    if (type === 'flow-map-start' || type === 'flow-seq-start') levels.push(newLevel(source, offset));
    else if (type === 'flow-map-end' || type === 'flow-seq-end') {
      // After a bracket that closes another one, nothing can be told.
      if (closing[level.bracket] !== source) break;
      levels.pop();
    } else if (type === 'comma')
      Object.assign(level, newLevel('', next), { bracket: level.bracket, offset: level.offset });
    else if (type === 'newline' && level.bracket === '') levels[0] = newLevel('', next);
    else if (type === 'seq-item-ind') Object.assign(level, { start: next, itemStart: next, isListItem: true });
    else if (type === 'map-value-ind' && !level.hasKey) {
      const key = text.slice(level.itemStart, offset).trim();
      // A sentence with a colon in a list is not a key.
      const isSentence = level.isListItem && /\s/.test(key) && !/^["']/.test(key);
      Object.assign(level, { hasKey: true, start: isSentence ? level.itemStart : next });
    }
  }
  return levels;
}

/** The end of the line and of the deeper lines after it, without a comment. */
function endOfBlock(text: string, start: number, level: Level): number {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const keyStart = level.itemStart + leadingBlanks(text.slice(level.itemStart));
  const column = level.hasKey || level.isListItem ? Math.min(keyStart, start) - lineStart : start - lineStart - 1;
  let end = endOfLine(text, start);
  const first = text
    .slice(start, end)
    .replace(/\s#.*$/, '')
    .trimEnd();
  let last = start + first.length;
  while (end < text.length) {
    const next = endOfLine(text, end + 1);
    const line = text.slice(end + 1, next);
    if (line.trim() !== '' && leadingBlanks(line) <= column) break;
    if (line.trim() !== '') last = end + 1 + line.trimEnd().length;
    end = next;
  }
  return last;
}

/** A tag of a template is part of the value; so is a comma that no key follows in a map. */
function endInBrackets(text: string, start: number, bracket: string): number {
  let at = start;
  while (at < text.length && !'\n]}'.includes(text.charAt(at))) {
    const rest = text.slice(at);
    const tag = /^(?:\{\{.*?\}\}|\{%.*?%\}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')/.exec(rest)?.[0];
    if (tag === undefined && rest.startsWith(',')) {
      if (bracket === '[' || /^,\s*(?:["']?[\w.-]+["']?\s*:|[}\n]|$)/.test(rest)) break;
    }
    at += tag?.length ?? 1;
  }
  return start + text.slice(start, at).trimEnd().length;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function leadingBlanks(text: string): number {
  return /^[ \t]*/.exec(text)?.[0].length ?? 0;
}
