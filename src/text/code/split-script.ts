/** A script without comments, and with a mark in place of each text in it: patterns then see code alone. */
export interface SplitScript {
  /** Has the lines of the script. The code in templates follows after the last one. */
  readonly code: string;
  /** The texts, by the number in their mark. A part that is only known while the script runs is a `hole`. */
  readonly texts: readonly string[];
}

/** Stands for a part of a text that is computed. */
export const hole = '\uE002';

/** A pattern for the mark of a text, with its number as the group. */
export const markPattern = String.raw`\uE000(\d+)\uE001`;

/** How deeply templates may be nested. */
const maxDepth = 50;

/** Reads the comment or text that begins here; false where none does. */
type ReadPiece = (splitter: Splitter) => boolean;

/** Walks through a script once. */
class Splitter {
  code = '';
  later = '';
  index = 0;
  /** The last word or sign, which tells a regular expression from a division. */
  last = '';
  readonly texts: string[] = [];
  readonly source: string;
  readonly #readPiece: ReadPiece;
  #depth = 0;

  constructor(source: string, readPiece: ReadPiece) {
    // Marks of the script itself would be taken for those of texts.
    this.source = source.replaceAll(/[\uE000-\uE002]/g, ' ');
    this.#readPiece = readPiece;
  }

  /** Reads to the end, or to the brace that closes a part of a template. */
  read(endsAtBrace = false): void {
    let depth = 0;
    while (this.index < this.source.length) {
      if (this.#readPiece(this)) continue;
      const word = this.match(/[\w$]+|\s+|[^]/y);
      if (endsAtBrace && word === '}' && depth === 0) return;
      if (word === '{') depth += 1;
      if (word === '}') depth -= 1;
      this.code += word;
      if (word.trim() !== '') this.last = word;
    }
  }

  /** Takes what a sticky pattern matches here; empty if it does not match. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.index;
    const [text = ''] = pattern.exec(this.source) ?? [];
    this.index += text.length;
    return text;
  }

  startsWith(text: string): boolean {
    return this.source.startsWith(text, this.index);
  }

  /** Leaves out everything to the end of a comment, but for its line breaks. */
  skipTo(end: string): void {
    const at = this.source.indexOf(end, this.index);
    const stop = at === -1 ? this.source.length : at;
    this.code += this.source.slice(this.index, stop).replaceAll(/[^\n]+/g, ' ');
    this.index = stop;
  }

  add(text: string, written: string): void {
    const breaks = written.replaceAll(/[^\n]+/g, '');
    this.code += `\uE000${this.texts.length}\uE001${breaks}`;
    this.texts.push(text);
    this.last = 'text';
  }

  /** Reads the code of a hole, whose own texts and imports count too. */
  readHole(): void {
    // No template is nested as deeply as that: the rest is read as code.
    if (this.#depth === maxDepth) return;
    const { code } = this;
    this.#depth += 1;
    this.code = '';
    this.read(true);
    this.later += `\n${this.code}`;
    this.code = code;
    this.#depth -= 1;
  }

  split(): SplitScript {
    this.read();
    return { code: this.code + this.later, texts: this.texts };
  }
}

export function splitJavaScript(source: string): SplitScript {
  return new Splitter(source.replace(/^#!.*/, ''), readJavaScriptPiece).split();
}

function readJavaScriptPiece(splitter: Splitter): boolean {
  if (splitter.startsWith('//')) splitter.skipTo('\n');
  else if (splitter.startsWith('/*')) {
    splitter.skipTo('*/');
    splitter.index += 2;
  } else if (splitter.startsWith('`')) readTemplate(splitter);
  else if (splitter.startsWith('/')) return skipRegex(splitter);
  else {
    const text = splitter.match(/"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y);
    if (text === '') return false;
    splitter.add(unescape(text.slice(1, -1)), text);
  }
  return true;
}

function readTemplate(splitter: Splitter): void {
  const start = splitter.index;
  splitter.index += 1;
  let text = '';
  while (splitter.index < splitter.source.length && !splitter.startsWith('`')) {
    text += splitter.match(/(?:[^`\\$]|\\[^]|\$(?!\{))+/y);
    if (splitter.startsWith('${')) {
      splitter.index += 2;
      splitter.readHole();
      text += hole;
    } else if (!splitter.startsWith('`')) splitter.index += 1;
  }
  splitter.index += 1;
  splitter.add(unescape(text), splitter.source.slice(start, splitter.index));
}

/** Words after which a slash starts a regular expression. */
const beforeRegex = /^(?:return|typeof|case|in|of|delete|void|throw|new|do|else|yield|await|)$|^[^\w$)\]]$/;

/** The longest regular expression that is looked for, so that a line of slashes is read in linear time. */
const maxRegex = 2000;

function skipRegex(splitter: Splitter): boolean {
  if (splitter.last === 'text' || !beforeRegex.test(splitter.last)) return false;
  const { source, index } = splitter;
  let isInClass = false;
  for (let at = index + 1; at < source.length && at < index + maxRegex; at += 1) {
    const sign = source[at];
    if (sign === '\n') return false;
    if (sign === '\\') at += 1;
    else if (sign === '[') isInClass = true;
    else if (sign === ']') isInClass = false;
    else if (sign === '/' && !isInClass) {
      splitter.index = at + 1;
      splitter.add('', '');
      return true;
    }
  }
  return false;
}

export function splitPython(source: string): SplitScript {
  return new Splitter(source.replaceAll(/\\\r?\n/g, ' '), readPythonPiece).split();
}

function readPythonPiece(splitter: Splitter): boolean {
  if (splitter.startsWith('#')) {
    splitter.skipTo('\n');
    return true;
  }
  const start = splitter.index;
  const opening = splitter.match(/[rbfuRBFU]{0,2}(?:"""|'''|"|')/y);
  if (opening === '') return false;
  const quote = opening.replace(/^[a-z]*/i, '');
  const body = quote.length === 3 ? takeLong(splitter, quote) : splitter.match(shortPython(quote));
  if (!splitter.startsWith(quote)) {
    splitter.index = start;
    return false;
  }
  splitter.index += quote.length;
  const text = /f/i.test(opening) ? body.replaceAll(/\{\{|\{[^{}]*\}/g, (part) => (part === '{{' ? '{' : hole)) : body;
  splitter.add(text, body);
  return true;
}

function shortPython(quote: string): RegExp {
  return quote === '"' ? /(?:[^"\\\n]|\\[^])*/y : /(?:[^'\\\n]|\\[^])*/y;
}

function takeLong(splitter: Splitter, quote: string): string {
  const { source, index } = splitter;
  const end = source.indexOf(quote, index);
  splitter.index = end === -1 ? source.length : end;
  return source.slice(index, splitter.index);
}

/** A name may be written with escapes: `./\u0061.mjs`. */
function unescape(text: string): string {
  const escape = /\\(?:u\{([\da-f]{1,6})\}|u([\da-f]{4})|x([\da-f]{2})|([^]))/gi;
  return text.replaceAll(escape, (_, long?: string, short?: string, byte?: string, other = '') => {
    const digits = long ?? short ?? byte;
    if (digits === undefined) return other;
    const code = Number.parseInt(digits, 16);
    return code <= 0x10_ffff ? String.fromCodePoint(code) : hole;
  });
}
