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

/** At most `maxUnits` UTF-16 code units, never half a surrogate pair. */
export function clipText(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  const last = text.charCodeAt(maxUnits - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxUnits - 1 : maxUnits);
}

/** Cut with a mark, by which a mask knows that a secret may have been cut with it. */
export function shortenText(text: string, maxUnits: number): string {
  return text.length <= maxUnits ? text : `${clipText(text, maxUnits)}…`;
}

/** The end of a text. A word at whose middle it would begin is left out: a part of a secret could not be told as one. */
export function lastWords(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  const end = text.slice(-maxUnits);
  const word = /\s/.test(text.charAt(text.length - maxUnits - 1)) ? 0 : end.search(/\s/);
  const whole = end.slice(Math.max(0, word)).trimStart();
  return whole === '' ? end : whole;
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
  for (const word of line.split(/(?<= )(?=[^ ])/)) {
    const columns = displayWidth(word.trimEnd());
    if (used > 0 && columns <= width && used + columns > width) {
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
  if (current !== '') lines.push(current.trimEnd());
  return lines;
}

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

/** Characters of which each stands for itself: Latin letters, dashes and quotes, arrows, mathematical signs, box drawing. */
function isSimple(text: string): boolean {
  return /^[\u0020-\u007e\u00a0-\u02ff\u2010-\u2027\u2190-\u25ff]*$/.test(text);
}

function isAscii(text: string): boolean {
  return /^[\u0020-\u007e]*$/.test(text);
}

// oxlint-disable-next-line no-control-regex -- A colour starts with ESC.
const colorCode = /(\u001b\[\d+m)/;

function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1) return characterWidth(grapheme);
  if (grapheme.startsWith('\u001b[')) return 0;
  if (emojiCluster.test(grapheme)) return 2;
  let width = 0;
  for (const character of grapheme) width += characterWidth(character);
  // Terminals that know clusters give none more than two columns.
  return Math.min(width, 2);
}

function characterWidth(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x300) return 1;
  if (zeroWidth.test(character)) return 0;
  return isWide(codePoint) || emojiPresentation.test(character) ? 2 : 1;
}

/** Emoji by nature, by U+FE0F, by a joiner or a skin tone; flags; keycaps. */
const emojiCluster =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}(?:\ufe0f|\u200d|\p{Emoji_Modifier})|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)/u;
const emojiPresentation = /^\p{Emoji_Presentation}$/u;

/** Combining marks, format characters, and the vowels and finals that join a Hangul syllable. */
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7ff]$/u;

/** East Asian Wide and Fullwidth (Unicode 15, EastAsianWidth.txt), in blocks. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

function isWide(codePoint: number): boolean {
  return codePoint >= 0x1100 && wideRanges.some(([low, high]) => codePoint >= low && codePoint <= high);
}
