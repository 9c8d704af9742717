import { defined } from '../../json/defined.ts';
import { shortenText } from '../shorten.ts';
import { findOpenBracket, findValueAt, listTokens, type WrittenValue } from './yaml-value-place.ts';

export interface FoundError {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
}

export interface YamlError {
  readonly message: string;
  readonly offset: number;
  readonly hint?: string;
}

/** A mistake, and the text without its part, in which the rest is found; undefined if no part can be left out. */
interface Mistake extends YamlError {
  readonly without: string | undefined;
}

/**
 * Explains each mistake and its fix. After each mistake the text is parsed again without it, because one mistake causes
 * several parser errors.
 */
export function explainYaml(
  text: string,
  parse: (text: string) => readonly FoundError[],
  maxErrors: number,
): readonly YamlError[] {
  const explained: YamlError[] = [];
  let rest = text;
  // A mistake in text that took the place of an earlier mistake is not the author's.
  const isWritten = ({ offset }: Pick<YamlError, 'offset'>) => rest.charAt(offset) === text.charAt(offset);
  for (let found = parse(rest); found.length > 0; found = parse(rest)) {
    const mistake = findTemplate(rest) ?? findMistake(rest, found);
    if (mistake === undefined) {
      return [...explained, ...found.filter(isFirstOfKind).filter(isWritten).map(inPlainWords)];
    }
    if (!isWritten(mistake)) break;
    const { without, ...error } = mistake;
    explained.push(error);
    if (without === undefined || explained.length >= maxErrors) break;
    rest = without;
  }
  return explained;
}

/** True for the first error of its kind. After a missing or extra bracket or quote, every later token is unexpected. */
function isFirstOfKind({ code }: FoundError, index: number, all: readonly FoundError[]): boolean {
  if (all[0]?.code === 'TAB_AS_INDENT') return code === 'TAB_AS_INDENT';
  return index === 0 || (code !== 'UNEXPECTED_TOKEN' && code !== 'BAD_INDENT' && all[0]?.code !== 'BAD_INDENT');
}

/** `{{` and `{%` are never right outside quotes and blocks of text: a map can't be a key. */
function findTemplate(text: string): Mistake | undefined {
  const tokens = listTokens(text);
  const tag = tokens.find(({ type, offset }) => type === 'flow-map-start' && /^\{[{%]/.test(text.slice(offset)));
  if (tag === undefined) return undefined;
  const opener = text.slice(tag.offset, tag.offset + 2);
  const mistake = quoteValue(text, tag.offset, mustQuote(opener));
  // The text of the line before continues here.
  if (!/(?:^|\n) *(?:- +)*[\w.-]+: +[^\s|>[{#].*\n\s*$/.test(text.slice(0, tag.offset))) return mistake;
  const hint = 'write "|" behind the colon of the line before, and the whole text on indented lines below it';
  return { ...mistake, message: 'a text of several lines needs "|"', hint };
}

function mustQuote(opener: string): string {
  return `"${opener}" must be in quotes: without them, "{" begins a map in YAML`;
}

function findMistake(text: string, found: readonly FoundError[]): Mistake | undefined {
  const [first] = found;
  if (first === undefined) return undefined;
  const { code, message, offset } = first;
  const unseen = findNoBreakSpace(text, offset) ?? findBareDash(text, offset);
  if (unseen !== undefined) return unseen;
  const marked = findMark(text, offset);
  if (marked !== undefined) return marked;
  switch (code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return findColon(text, offset);
    case 'BAD_SCALAR_START':
      return quoteValue(text, offset, `a value can't begin with "${text.charAt(offset)}" in YAML`);
    case 'MULTILINE_IMPLICIT_KEY':
      return findMissingColon(text, offset);
    case 'BAD_DQ_ESCAPE':
      return findEscape(text, offset);
    case 'UNEXPECTED_TOKEN':
      return message.startsWith('Unexpected block-seq-ind')
        ? findDash(text, offset)
        : (findOpenQuote(text) ?? findTextAfter(text, offset));
    case 'BAD_INDENT':
      return message.startsWith('Flow') ? findUnclosed(text) : findLine(text, offset);
    case 'MISSING_CHAR':
      if (message.startsWith('Missing closing')) return findOpenQuote(text);
      if (message.startsWith('Missing ,')) return findTextAfter(text, offset);
      if (message.startsWith('Implicit map keys')) return findMissingColon(text, offset);
      if (message.startsWith('Sequence item')) return findLine(text, offset);
      return message.startsWith('Flow') ? findUnclosed(text) : undefined;
    case 'NON_STRING_KEY':
      return found.some((error) => error.code === 'UNEXPECTED_TOKEN') ? findTextAfter(text, offset) : undefined;
    case 'MULTIPLE_TAGS':
    case 'TAG_RESOLVE_FAILED':
      return findColon(text, offset);
    default:
      return undefined;
  }
}

/** An editor shows it as a space. */
function findNoBreakSpace(text: string, offset: number): Mistake | undefined {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
  const [before] = /^(?: *|[^"'#]*?[:-] *)(?=\u00a0)/.exec(line) ?? [];
  if (before === undefined) return undefined;
  const at = lineStart + before.length;
  return {
    message: 'this is a no-break space (U+00A0), which YAML does not take for a space',
    offset: at,
    hint: 'replace it with a space',
    without: `${text.slice(0, at)} ${text.slice(at + 1)}`,
  };
}

/** `-id: a` is a key: the line that goes on with the item is not indented like it. */
function findBareDash(text: string, offset: number): Mistake | undefined {
  const before = text.slice(0, offset).trimEnd();
  const lineStart = before.lastIndexOf('\n') + 1;
  const [, blanks = '', key] = /^( *)-(\w[\w.-]*):(?: |$)/.exec(before.slice(lineStart)) ?? [];
  if (key === undefined) return undefined;
  return {
    message: 'a space must follow the "-" of an item',
    offset: lineStart + blanks.length,
    hint: `write - ${key}: …`,
    without: undefined,
  };
}

const marks: ReadonlyMap<string, string> = new Map([
  ['!', 'a value that begins with "!" is a tag in YAML, and no tag is known here'],
  ['&', 'a value that begins with "&" is an anchor in YAML'],
  ['*', 'a value that begins with "*" is an alias in YAML'],
]);

/** A text that begins with a mark of YAML, whatever is wrong with it then. */
function findMark(text: string, offset: number): Mistake | undefined {
  const { start, end } = findValueAt(text, offset + 1);
  const message = marks.get(text.charAt(start));
  const isThere = start <= offset && offset <= end;
  return message === undefined || !isThere ? undefined : quoteValue(text, start + 1, message);
}

function quoteValue(text: string, at: number, message: string): Mistake {
  const value = findValueAt(text, at);
  const written = text.slice(value.start, value.end);
  const hint = written.includes('\n')
    ? 'write "|" there, and the text on indented lines below it'
    : `put the whole value in quotes: ${shortenText(quoted(written), 100)}`;
  return { message, offset: value.start, hint, without: leaveOut(text, value) };
}

/** A text in the quotes that leave its characters as they are. */
function quoted(written: string): string {
  const inner = /^(["'])(.*)\1$/.exec(written)?.[2] ?? written;
  return /["\\]/.test(inner) ? `'${inner.replaceAll("'", "''")}'` : `"${inner}"`;
}

/** Blanks and line breaks stay, so that every other place does. */
function leaveOut(text: string, { start, end }: Pick<WrittenValue, 'start' | 'end'>): string {
  return text.slice(0, start) + text.slice(start, end).replaceAll(/\S/g, '_') + text.slice(end);
}

function findColon(text: string, offset: number): Mistake | undefined {
  const { start, end } = findValueAt(text, offset + 1);
  const item = findItem(text, start);
  if (item !== undefined) return item;
  const [firstLine = ''] = text.slice(start, end).split('\n');
  if (/:(?:\s|$)/.test(firstLine)) {
    return quoteValue(text, offset + 1, 'the value holds ": ", which begins a map in YAML');
  }
  const next = start + firstLine.length + 1;
  return next < end ? findLine(text, next) : undefined;
}

function findMissingColon(text: string, offset: number): Mistake | undefined {
  const line = (text.slice(offset).split('\n', 1)[0] ?? '').trimEnd();
  const [, key = '', gap = '', value = ''] = /^([\w.-]+)(:|\s+|$)(.*)$/.exec(line) ?? [];
  if (key === '') return undefined;
  if (key === '-') return findUnclosed(text) ?? findItem(text, offset);
  const hint = `write ${shortenText(value === '' ? `${key}:` : `${key}: ${value}`, 100)}`;
  const message = gap === ':' ? `a blank must follow the colon after "${key}"` : `"${key}" has no colon after it`;
  // The key loses a letter, so that every other place stays.
  const repaired = `${key.slice(0, -1)}:${value === '' ? '' : ` ${value}`}`.padEnd(line.length);
  const without = key.length < 2 ? undefined : text.slice(0, offset) + repaired + text.slice(offset + line.length);
  return { message, offset, hint, without };
}

function findEscape(text: string, offset: number): Mistake | undefined {
  const token = listTokens(text).find(
    ({ type, offset: start, source }) =>
      type === 'double-quoted-scalar' && start <= offset && offset < start + source.length,
  );
  if (token === undefined) return undefined;
  const { source, offset: start } = token;
  const escape = text.slice(offset, offset + 2);
  const hint = /\\[nrt"\\u]|\n/.test(source)
    ? `write \\${escape}`
    : `write it in single quotes: ${shortenText(`'${source.slice(1, -1).replaceAll("'", "''")}'`, 100)}`;
  const message = `"${escape}" is not an escape of a text in double quotes`;
  return { message, offset, hint, without: leaveOut(text, { start, end: start + source.length }) };
}

/** Finds a quote that closes nowhere, or on a later line that was probably not intended. */
function findOpenQuote(text: string): Mistake | undefined {
  const token = listTokens(text).find(
    ({ type, source }) =>
      (type === 'double-quoted-scalar' || type === 'single-quoted-scalar') &&
      (source.includes('\n') || source.length < 2 || source.at(-1) !== source.at(0)),
  );
  if (token === undefined) return undefined;
  const { offset, source } = token;
  const line = source.split('\n', 1)[0] ?? '';
  const hint = `close it on this line with ${source.charAt(0)}`;
  // Inside brackets, the rest of the line may contain the closing bracket.
  const { isFlow } = findValueAt(text, offset + 1);
  const without = isFlow ? undefined : leaveOut(text, { start: offset, end: offset + line.length });
  return { message: 'the quote that opens here is not closed', offset, hint, without };
}

function findTextAfter(text: string, offset: number): Mistake | undefined {
  const { start } = findValueAt(text, offset);
  const first = text.charAt(start);
  if (/["']/.test(first)) return quoteValue(text, offset, 'text follows the closing quote of a value');
  if (/[[{]/.test(first)) return quoteValue(text, offset, 'text follows the closing bracket of a value');
  if (/[|>]/.test(first)) return quoteValue(text, offset, `"${first}" begins a block, whose text is on the next lines`);
  const [opener] = /\{[{%]/.exec(text.slice(start, offset)) ?? [];
  return opener === undefined ? findColon(text, offset) : quoteValue(text, offset, mustQuote(opener));
}

function findDash(text: string, offset: number): Mistake {
  const hint = 'begin the list on the next line; quote a text that begins with "-"';
  const without = leaveOut(text, findValueAt(text, offset));
  return { message: "a list can't begin on the line of its key", offset, hint, without };
}

/** Finds a list item on a line at which no list can continue. */
function findItem(text: string, offset: number): Mistake | undefined {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
  const column = columnOfDash(line);
  if (!/^ *- /.test(line) || offset > lineStart + column) return undefined;
  const enclosing = findEnclosing(text.slice(0, lineStart).split('\n'), column);
  if (enclosing === undefined || columnOfDash(enclosing) < column || /^ *- /.test(enclosing)) {
    return findIndent(text, lineStart);
  }
  return {
    message: 'an item of a list follows the keys of a map',
    offset: lineStart + column,
    hint: 'begin each of them with "- ", or none',
    without: undefined,
  };
}

/** The last line that is not indented deeper than a column. */
function findEnclosing(lines: readonly string[], column: number): string | undefined {
  return lines.findLast((line) => /^ *[^ #]/.test(line) && columnOfDash(line) <= column);
}

function findUnclosed(text: string): Mistake | undefined {
  const open = findOpenBracket(text);
  if (open === undefined) return undefined;
  const { bracket, offset } = open;
  const hint = `close it with "${bracket === '{' ? '}' : ']'}"`;
  return { message: `the "${bracket}" that opens here is not closed`, offset, hint, without: undefined };
}

/** The mistake in the line at an offset, or in the next line if that one is empty. */
function findLine(text: string, offset: number): Mistake {
  const empty = /^(?:[ \t]*\n)*/.exec(text.slice(offset))?.[0] ?? '';
  const next = offset + empty.length;
  return findItem(text, next) ?? findIndent(text, next);
}

/** Finds a line that starts in another column than its map or list. */
function findIndent(text: string, offset: number): Mistake {
  const before = text.slice(0, offset).split('\n');
  const lineStart = offset - (before.at(-1)?.length ?? 0);
  const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
  const isItem = /^ *- /.test(line);
  const columnOf = isItem ? columnOfDash : columnOfKey;
  const column = columnOf(line);
  const columns = before
    .slice(0, -1)
    .filter((one) => /^ *[^ #]/.test(one) && (!isItem || /^ *- /.test(one)))
    .map(columnOf);
  // Only a map or list around the previous line can be meant.
  const enclosing = columns.filter((one, index) => columns.slice(index + 1).every((later) => later >= one));
  const nearest = enclosing.toSorted((a, b) => Math.abs(a - column) - Math.abs(b - column) || b - a)[0];
  const beside = findEnclosing(before.slice(0, -1), column) ?? '';
  const isBesideItem = !isItem && /^ *- /.test(beside) && columnOfDash(beside) === column;
  const more = isBesideItem ? '; an item begins with "- "' : '';
  return {
    message: 'the line is not indented like the other lines of its map or list',
    offset: lineStart + column,
    ...defined({ hint: nearest === undefined ? undefined : `put ${nearest} blanks before it, not ${column}${more}` }),
    without: undefined,
  };
}

function columnOfDash(line: string): number {
  return /^ */.exec(line)?.[0].length ?? 0;
}

function columnOfKey(line: string): number {
  return /^ *(?:- +)*/.exec(line)?.[0].length ?? 0;
}

function inPlainWords({ code, message, offset }: FoundError): YamlError {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: "a tab can't indent YAML: use spaces", offset };
    case 'NON_STRING_KEY':
      return { message: 'a key must be a plain word or a quoted string', offset };
    case 'UNEXPECTED_TOKEN':
      return { ...describeUnexpected(message), offset };
    default:
      return { message: message.charAt(0).toLowerCase() + message.slice(1), offset };
  }
}

/** Plain words for a token that is named as the library names it. */
function describeUnexpected(message: string): Pick<YamlError, 'message' | 'hint'> {
  const closer = /^Unexpected flow-(map|seq)-end/.exec(message)?.[1];
  if (closer === undefined) return { message: message.charAt(0).toLowerCase() + message.slice(1) };
  return { message: `"${closer === 'map' ? '}' : ']'}" closes nothing`, hint: 'leave it out' };
}
