import type { ParsedPromptFile } from '../model/suite/prompt-file.ts';
import type { TemplateLanguage } from '../model/suite/recorded-settings.ts';
import { createLineIndex, type Position } from '../text/line-index.ts';
import { openDocument, type PromptDocument } from './prompt-document.ts';
import { compileWhole, type WholeTemplate } from './prompt-template.ts';

interface FrontMatterFormat {
  /** Text allowed before the first mark. */
  readonly lead: RegExp;
  /** Line before and after the data. */
  readonly mark: RegExp;
  /** True if surrounding white space is trimmed even without data. */
  readonly trimsWithoutData: boolean;
}

/** A prompt file split into data between marks and the prompt's text. */
export interface FrontMatterFile {
  readonly document: PromptDocument;
  readonly value: Readonly<Record<string, unknown>>;
  readonly body: PromptBody;
}

export interface PromptBody {
  readonly source: string;
  /** Maps a position in the source to one in the file. */
  readonly locate: (line: number, column: number) => Position;
}

/** Splits a prompt file and reads its data. Returns the problems if one of these fails. */
export function openFrontMatter(
  path: string,
  text: string,
  format: FrontMatterFormat,
): FrontMatterFile | Extract<ParsedPromptFile, { problems: unknown }> {
  const start = format.lead.exec(text)?.[0].length ?? 0;
  const parts = split(text, start, format.mark);
  if (parts === undefined) {
    const lines = createLineIndex(text);
    const position = lines.positionAt(start);
    const at = { file: path, ...position, excerpt: lines.excerptAround(position) };
    const message = 'the front matter is never closed';
    return { problems: [{ code: 'syntax', severity: 'error', message, hint: 'end it with a line ---', at }] };
  }
  const { data, bodyStart } = parts;
  const document = openDocument(path, text, data?.text ?? '', data?.start);
  const { value } = document;
  if (value === undefined) return { problems: document.problems };
  const isTrimmed = data !== undefined || format.trimsWithoutData;
  return { document, value, body: readBody(text, bodyStart, isTrimmed) };
}

/** Splits a text at its marks; undefined if the first mark has no second. */
function split(text: string, start: number, mark: RegExp) {
  const opening = lineAt(text, start);
  if (!mark.test(opening.line)) return { bodyStart: 0 };
  const dataStart = opening.next;
  for (let from = dataStart; from < text.length; ) {
    const { line, next } = lineAt(text, from);
    if (mark.test(line)) return { data: { text: text.slice(dataStart, from), start: dataStart }, bodyStart: next };
    from = next;
  }
  return undefined;
}

function lineAt(text: string, from: number): { readonly line: string; readonly next: number } {
  const end = text.indexOf('\n', from);
  const stop = end === -1 ? text.length : end;
  return { line: text.slice(from, stop).replace(/\r$/, ''), next: end === -1 ? text.length : end + 1 };
}

function readBody(file: string, bodyStart: number, isTrimmed: boolean): PromptBody {
  const text = file.slice(bodyStart);
  const start = isTrimmed ? file.length - text.trimStart().length : bodyStart;
  const first = createLineIndex(file).positionAt(start);
  return {
    // Line ends depend on the checkout, not on the prompt.
    source: (isTrimmed ? text.trim() : text).replaceAll('\r\n', '\n'),
    locate: (line, column) => ({
      line: first.line + line - 1,
      column: line === 1 ? first.column + column - 1 : column,
    }),
  };
}

/** Compiles a prompt's text, if its data are valid. Undefined after a reported problem. */
export function compileBody(
  { document, body }: FrontMatterFile,
  language: TemplateLanguage,
): (WholeTemplate & PromptBody) | undefined {
  const { source, locate } = body;
  if (source.trim() === '') {
    const at = document.locationOf(locate(1, 1));
    document.report('invalid-value', 'the prompt is empty', at, 'write the text to send to the model');
  }
  if (document.problems.length > 0) return undefined;
  const whole = document.attempt(() => compileWhole(source, language), locate);
  return whole && { ...whole, source, locate };
}
