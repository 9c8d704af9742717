/** Text of one value in a larger JSON document; undefined for a broken line or a value that is too large. */
export interface JsonPart {
  readonly text: string | undefined;
  /** First line, from 1. */
  readonly line: number;
}

/** Tells whether a value at this path is a part. `*` is any list item; the root's path is empty. */
export type IsPart = (path: readonly string[]) => boolean;

/** Thrown if a JSON text ends inside a value. */
export class CutJsonError extends Error {
  readonly line: number;

  constructor(line: number) {
    super('the JSON ends in the middle of a value');
    this.name = 'CutJsonError';
    this.line = line;
  }
}

interface Level {
  readonly isList: boolean;
  /** True from `{` or a comma to the end of the key. */
  expectsKey: boolean;
}

/**
 * Yields the objects and lists at the wanted paths of JSON documents, such as JSON lines. Only one part is in memory.
 * Parts are not validated here: their reader parses them.
 */
export function* splitJson(chunks: Iterable<string>, isPart: IsPart): Generator<JsonPart> {
  const splitter = new JsonSplitter(isPart);
  for (const chunk of chunks) yield* splitter.read(chunk);
  splitter.end();
}

/** Splits JSON lines. Each line is a document, so a broken one does not affect the others. */
export function* splitJsonLines(chunks: Iterable<string>, isPart: IsPart): Generator<JsonPart> {
  let line = 1;
  let splitter = new JsonSplitter(isPart, line);
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf('\n', from);
      yield* splitter.read(chunk.slice(from, end === -1 ? chunk.length : end));
      if (end === -1) break;
      if (!splitter.isWhole) yield { text: undefined, line };
      line += 1;
      splitter = new JsonSplitter(isPart, line);
      from = end + 1;
    }
  }
  if (!splitter.isWhole) yield { text: undefined, line };
}

/** Longest value to read. A span is thousands of times shorter. */
const maxPartUnits = 1 << 26;

class JsonSplitter {
  private readonly isPart: IsPart;
  private readonly levels: Level[] = [];
  private readonly path: string[] = [];
  private line: number;
  private isInString = false;
  /** True after text outside the documents, such as a log line. */
  private hasOther = false;
  /** The key being read. */
  private key: string | undefined;
  /** The part being read: its text up to this chunk, its depth and first line. */
  private part: { text: string | undefined; readonly depth: number; readonly line: number } | undefined;
  /** True if the chunk ended with a backslash. */
  private isEscaped = false;

  constructor(isPart: IsPart, line = 1) {
    this.isPart = isPart;
    this.line = line;
  }

  /** True at the end of a document and between documents. */
  get isWhole(): boolean {
    return this.levels.length === 0 && !this.isInString && !this.hasOther;
  }

  *read(chunk: string): Generator<JsonPart> {
    let from = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      if (this.isInString) {
        index = this.readString(chunk, index);
        continue;
      }
      const sign = chunk.charAt(index);
      if (sign === '\n') this.line += 1;
      else if (sign === '"') this.beginString();
      else if (sign === '{' || sign === '[') {
        if (this.part === undefined && this.isPart(this.path)) {
          this.part = { text: '', depth: this.levels.length, line: this.line };
          from = index;
        }
        this.open(sign === '[');
      } else if (sign === '}' || sign === ']') {
        this.close();
        if (this.part !== undefined && this.levels.length <= this.part.depth) {
          this.extendPart(chunk.slice(from, index + 1));
          yield { text: this.part.text, line: this.part.line };
          this.part = undefined;
        }
      } else if (sign === ',') this.nextItem();
      else if (this.levels.length === 0 && sign.trim() !== '' && sign !== '\ufeff') this.hasOther = true;
    }
    if (this.part !== undefined) this.extendPart(chunk.slice(from));
  }

  end(): void {
    if (this.levels.length > 0 || this.isInString) throw new CutJsonError(this.line);
  }

  private extendPart(text: string): void {
    const { part } = this;
    if (part?.text === undefined) return;
    part.text = part.text.length + text.length > maxPartUnits ? undefined : part.text + text;
  }

  private beginString(): void {
    this.isInString = true;
    if (this.part === undefined && this.levels.at(-1)?.expectsKey === true) this.key = '';
  }

  /** Reads to the end of the string or chunk. Returns the index of the last character read. */
  private readString(chunk: string, start: number): number {
    let index = start;
    while (index < chunk.length) {
      if (this.isEscaped) {
        this.isEscaped = false;
        index += 1;
        continue;
      }
      const sign = chunk.charCodeAt(index);
      if (sign === 0x5c) this.isEscaped = true;
      else if (sign === 0x22) break;
      // JSON escapes line breaks in strings, so the value was cut off and another text begins.
      else if (sign === 0x0a) throw new CutJsonError(this.line);
      index += 1;
    }
    if (this.key !== undefined) this.key += chunk.slice(start, index);
    if (index < chunk.length) {
      this.isInString = false;
      this.endKey();
    }
    return index;
  }

  private endKey(): void {
    const level = this.levels.at(-1);
    if (this.key === undefined || level === undefined) return;
    this.path[this.path.length - 1] = this.key;
    level.expectsKey = false;
    this.key = undefined;
  }

  private open(isList: boolean): void {
    this.levels.push({ isList, expectsKey: !isList });
    this.path.push(isList ? '*' : '');
  }

  private close(): void {
    this.levels.pop();
    this.path.pop();
  }

  private nextItem(): void {
    const level = this.levels.at(-1);
    if (level !== undefined && !level.isList) level.expectsKey = true;
  }
}
