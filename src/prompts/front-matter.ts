/** A prompt file in two parts: data between marks, then the text of the prompt. */
export interface FrontMatter {
  /** Undefined where the file has none. */
  readonly data?: { readonly text: string; readonly start: number };
  readonly body: { readonly text: string; readonly start: number };
}

export interface FrontMatterMarks {
  /** What may stand before the first mark. */
  readonly lead: RegExp;
  readonly mark: RegExp;
}

/** Splits at two lines that are marks; `fault` is the offset of a first mark that has no second. */
export function splitFrontMatter(
  text: string,
  { lead, mark }: FrontMatterMarks,
): FrontMatter | { readonly fault: number } {
  const before = lead.exec(text)?.[0].length ?? 0;
  const opening = lineAt(text, before);
  if (!mark.test(opening.line)) return { body: { text, start: 0 } };
  const start = opening.next;
  for (let from = start; from < text.length; ) {
    const { line, next } = lineAt(text, from);
    if (mark.test(line)) {
      return { data: { text: text.slice(start, from), start }, body: { text: text.slice(next), start: next } };
    }
    from = next;
  }
  return { fault: before };
}

function lineAt(text: string, from: number): { readonly line: string; readonly next: number } {
  const end = text.indexOf('\n', from);
  const stop = end === -1 ? text.length : end;
  return { line: text.slice(from, stop).replace(/\r$/, ''), next: end === -1 ? text.length : end + 1 };
}

/** The text without blanks at its ends, where `trims`, and how its places are found in the file. */
export function readBody(
  file: string,
  { text, start }: FrontMatter['body'],
  trims: boolean,
): { readonly source: string; readonly locate: (line: number, column: number) => { line: number; column: number } } {
  const skipped = trims ? text.length - text.trimStart().length : 0;
  const before = file.slice(0, start + skipped);
  const firstLine = before.split('\n').length;
  const firstColumn = before.length - before.lastIndexOf('\n');
  const kept = trims ? text.trim() : text;
  return {
    // How a checkout ends its lines is no part of the prompt.
    source: kept.replaceAll('\r\n', '\n'),
    locate: (line, column) => ({
      line: firstLine + line - 1,
      column: line === 1 ? firstColumn + column - 1 : column,
    }),
  };
}
