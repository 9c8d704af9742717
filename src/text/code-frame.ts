export interface FramedLocation {
  readonly line: number;
  readonly column: number;
  readonly excerpt?: { readonly startLine: number; readonly lines: readonly string[] };
}

const MAX_WIDTH = 100;
// oxlint-disable-next-line no-control-regex -- control characters and direction marks are what is taken out
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The lines around a place, numbered, with a caret under the column; none where the location has no excerpt. */
export function renderCodeFrame(location: FramedLocation): readonly string[] {
  const { excerpt, line, column } = location;
  if (excerpt === undefined || excerpt.lines.length === 0) return [];
  const lastNumber = String(excerpt.startLine + excerpt.lines.length - 1);
  // A long line is shown from a point where the caret can be seen.
  const cut = column > MAX_WIDTH - 20 ? column - Math.floor(MAX_WIDTH / 2) : 0;
  return excerpt.lines.flatMap((text, index) => {
    const number = excerpt.startLine + index;
    const shown = printable(text.slice(cut, cut + MAX_WIDTH));
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(lastNumber.length)} | ${shown}`.trimEnd();
    if (number !== line) return [row];
    const offset = Math.min(Math.max(column - 1 - cut, 0), shown.length);
    return [row, `  ${' '.repeat(lastNumber.length)} | ${' '.repeat(offset)}^`];
  });
}

/** One column a character, so that the caret stands right, and no control character reaches a terminal. */
function printable(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(UNPRINTABLE, '\ufffd');
}
