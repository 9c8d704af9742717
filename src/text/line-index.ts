/** 1-based; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds lines in a text whose offsets are asked for often. */
export interface LineIndex {
  positionAt(offset: number): Position;
  /** Up to one line before and after, without line breaks; long ones are cut behind the column. */
  excerptAround(position: Position): { readonly startLine: number; readonly lines: readonly string[] };
}

const maxLineChars = 400;
/** The most characters that a code frame shows after the column. */
const maxCharsBehind = 100;

/** Cuts a line for display: keeps its start, or as much as needed to show the column. */
export function cutLine(text: string, column: number): string {
  return text.slice(0, maxChars(column)).trimEnd();
}

function maxChars(column: number): number {
  return Math.max(maxLineChars, column + maxCharsBehind);
}

export function createLineIndex(text: string): LineIndex {
  let starts: number[] | undefined;
  return {
    positionAt(offset) {
      starts ??= findLineStarts(text);
      const bounded = Math.max(0, Math.min(offset, text.length));
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= bounded) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: bounded - (starts[low] ?? 0) + 1 };
    },
    excerptAround({ line, column }) {
      starts ??= findLineStarts(text);
      const startLine = Math.max(1, line - 1);
      const lines: string[] = [];
      for (let number = startLine; number <= Math.min(line + 1, starts.length); number += 1) {
        const start = starts[number - 1] ?? 0;
        const raw = text.slice(start, Math.min(starts[number] ?? text.length, start + maxChars(column)));
        lines.push(raw.replace(/\r?\n$/, ''));
      }
      if (lines.length > 1 && lines.at(-1) === '' && line < startLine + lines.length - 1) lines.pop();
      return { startLine, lines };
    },
  };
}

function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

export interface FramedLocation {
  readonly line: number;
  readonly column: number;
  readonly excerpt?: { readonly startLine: number; readonly lines: readonly string[] };
}

const maxWidth = 100;
// oxlint-disable-next-line no-control-regex -- control characters and direction marks are what is taken out
const unprintablePattern = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The lines around a place, numbered, with a caret under the column; none if the location has no excerpt. */
export function renderCodeFrame(location: FramedLocation): readonly string[] {
  const { excerpt, line, column } = location;
  if (excerpt === undefined || excerpt.lines.length === 0) return [];
  const lastNumber = String(excerpt.startLine + excerpt.lines.length - 1);
  // A long line is cut at the start, so that the caret is visible.
  const cut = column > maxWidth - 20 ? column - Math.floor(maxWidth / 2) : 0;
  return excerpt.lines.flatMap((text, index) => {
    const number = excerpt.startLine + index;
    const shown = printable(text.slice(cut, cut + maxWidth));
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(lastNumber.length)} | ${shown}`.trimEnd();
    if (number !== line) return [row];
    const offset = Math.min(Math.max(column - 1 - cut, 0), shown.length);
    return [row, `  ${' '.repeat(lastNumber.length)} | ${' '.repeat(offset)}^`];
  });
}

/** Makes a line printable: one column for each character, so that the caret is right, and no control characters. */
function printable(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(unprintablePattern, '\ufffd');
}
