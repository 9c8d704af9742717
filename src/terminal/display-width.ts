import stringWidth from 'fast-string-width';
import { clipText } from '../text/shorten.ts';

/** Columns that a text takes on a terminal. Colours take none; other control characters are not expected. */
export function displayWidth(text: string): number {
  if (isAscii(text)) return text.length;
  let width = 0;
  for (const grapheme of splitGraphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** The text, or its start with an ellipsis, in at most `width` columns. */
export function shortenToWidth(text: string, width: number): string {
  if (width <= 0) return '';
  let used = 0;
  let fitting = '';
  // A prefix is enough: reading on in a line of megabytes would only cost time.
  for (const grapheme of splitGraphemes(clipText(text, width * maxUnitsPerColumn))) {
    const columns = graphemeWidth(grapheme);
    if (used + columns > width) return `${cutToWidth(fitting, width - 1)}…`;
    used += columns;
    fitting += grapheme;
  }
  return text.length > width * maxUnitsPerColumn ? `${cutToWidth(fitting, width - 1)}…` : fitting;
}

/** Lines of at most `width` columns, broken at spaces where there are any; line feeds are kept as breaks. */
export function wrapToWidth(text: string, width: number): string[] {
  const columns = Math.max(1, width);
  return text.split('\n').flatMap((line) => (displayWidth(line) <= columns ? [line] : wrapLine(line, columns)));
}

/** The lines of a text, each wrapped under its own indent; as they are where no terminal shows them. */
export function wrapLines(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  const lines = text.split('\n').flatMap((line) => {
    const indent = /^ */.exec(line)?.[0] ?? '';
    const [first = '', ...rest] = wrapToWidth(line.slice(indent.length), Math.max(20, width - indent.length - 2));
    return [indent + first, ...rest.map((more) => `${indent}  ${more}`)];
  });
  return lines.join('\n');
}

let segmenter: Intl.Segmenter | undefined;

/** To make one takes 5 ms, and hardly any report needs it. */
function graphemesOf(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/** Longer clusters are stacked marks made to deface a screen; a family emoji has 11 units. */
const maxGraphemeUnits = 32;
const maxUnitsPerColumn = 40;

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  let used = 0;
  for (const word of line.split(wordStart)) {
    const columns = displayWidth(word.trimEnd());
    if (columns <= width && used + columns > width) {
      lines.push(current.trimEnd());
      current = '';
      used = 0;
    }
    if (columns <= width) {
      current += word;
      used += displayWidth(word);
      continue;
    }
    for (const grapheme of splitGraphemes(word)) {
      const graphemeColumns = graphemeWidth(grapheme);
      if (used > 0 && used + graphemeColumns > width) {
        lines.push(current.trimEnd());
        current = '';
        used = 0;
      }
      current += grapheme;
      used += graphemeColumns;
    }
  }
  return [...lines, current.trimEnd()];
}

/** A number stays with its unit. */
const wordStart = /(?<= )(?<!\d (?=(?:%|pts|ms|s)(?:\W|$)))(?=[^ ])/;

function cutToWidth(text: string, width: number): string {
  let used = 0;
  let fitting = '';
  for (const grapheme of splitGraphemes(text)) {
    used += graphemeWidth(grapheme);
    if (used > width) return fitting;
    fitting += grapheme;
  }
  return fitting;
}

/** What a reader sees as one character, or one colour code, which must not be broken. */
function* splitGraphemes(text: string): Iterable<string> {
  for (const [index, part] of text.split(colorCode).entries()) {
    if (index % 2 === 1) yield part;
    else if (isSimple(part)) yield* part;
    else for (const { segment } of graphemesOf(part)) yield clipText(segment, maxGraphemeUnits);
  }
}

/** True for characters that never combine: Latin letters, dashes and quotes, arrows, mathematical signs, box drawing. */
function isSimple(text: string): boolean {
  return /^[\u0020-\u007e\u00a0-\u02ff\u2010-\u2027\u2190-\u25ff]*$/.test(text);
}

function isAscii(text: string): boolean {
  return /^[\u0020-\u007e]*$/.test(text);
}

// oxlint-disable-next-line no-control-regex -- A colour starts with ESC.
const colorCode = /(\u001b\[\d+m)/;

/** Terminals give no cluster more than two columns. */
function graphemeWidth(grapheme: string): number {
  return Math.min(stringWidth(grapheme), 2);
}
