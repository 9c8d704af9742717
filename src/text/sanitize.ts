import { clipText } from './shorten.ts';

/** The characters that a text keeps. Other characters that can act on a terminal become visible. */
export interface SanitizeOptions {
  /** Line feeds stay; `\r\n` becomes one. */
  readonly keepNewlines?: boolean;
  readonly keepTabs?: boolean;
}

/** A stretch of harmless text, or an unsafe character by its name and count. */
export type TextPart = { readonly text: string } | { readonly mark: string; readonly count: number };

/**
 * Cuts a text at characters that act on a terminal or are invisible; line feeds and tabs are harmless here. Joiners
 * count only next to plain letters, because no script needs them there. After `maxMarks` the rest is one stretch that
 * names each of them.
 */
export function splitUnsafe(text: string, maxMarks = 2000): readonly TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const found of text.matchAll(unsafeRuns)) {
    if (parts.length >= maxMarks) {
      parts.push({
        text: text
          .slice(end)
          .replace(unsafeRuns, (run) => run.replace(/[^]/gu, (character) => `<${nameCharacter(character)}>`)),
      });
      return parts;
    }
    if (found.index > end) parts.push({ text: text.slice(end, found.index) });
    const [run] = found;
    const [first = ''] = run;
    parts.push({ mark: nameCharacter(first), count: run.length / first.length });
    end = found.index + run.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Makes hostile text safe to print: nothing in it moves a cursor, hides text, or acts on a CI log. */
export function sanitizeTerminal(text: string, options: SanitizeOptions = {}): string {
  const { keepNewlines = false, keepTabs = false } = options;
  // Almost every text is harmless, and a test is far cheaper than a replacement.
  if (!hasUnsafeCharacter(text)) return breakWorkflowCommands(text);
  const lines = keepNewlines ? text.replaceAll('\r\n', '\n') : text;
  const visible = lines.replace(unsafeCharacters, (character) => {
    if (keepNewlines && character === '\n') return character;
    if (keepTabs && character === '\t') return character;
    return showCharacter(character);
  });
  return breakWorkflowCommands(visible);
}

/** A name or a message on one line, safe to print. A text longer than any screen is cut. */
export function toSafeLine(text: string): string {
  const clipped = clipText(text, maxLineUnits);
  return sanitizeTerminal(clipped) + (clipped.length < text.length ? '…' : '');
}

const maxLineUnits = 2000;

/** Text for an XML element or attribute: well-formed whatever it was, with the unprintable made visible. */
export function escapeXml(text: string, options: { readonly attribute?: boolean } = {}): string {
  const keep = options.attribute !== true;
  const lines = keep ? text.replaceAll('\r\n', '\n') : text;
  return lines
    .replace(unsafeCharacters, (character) =>
      keep && (character === '\n' || character === '\t') ? character : showCharacter(character),
    )
    .replace(/[&<>"']/g, (character) => xmlEntities[character] ?? character)
    .replace(logCommands, '&#35;#$1')
    .replace(lineCommands, '$1&#58;:');
}

/** Breaks texts in a log that GitHub, Azure and TeamCity would run as commands. GitHub trims the line first. */
export function breakWorkflowCommands(text: string): string {
  if (!text.includes('::') && !text.includes('##')) return text;
  return text.replace(logCommands, '# #$1').replace(lineCommands, '$1: :');
}

/** Escapes characters in JSON text that a terminal or a CI log would act on. A parser reads the same value. */
export function escapeJsonText(json: string): string {
  const safe = hasUnsafeCharacter(json)
    ? json.replace(unsafeCharacters, (character) =>
        character === '\n' || character === '\t'
          ? character
          : character.replace(/[\s\S]/g, (unit) => String.raw`\u${hex(unit.charCodeAt(0))}`),
      )
    : json;
  return safe.replace(logCommands, String.raw`#\u0023$1`);
}

/** Without line breaks among the blanks, else a text of many empty lines would take quadratic time. */
const lineCommands = /^([^\S\r\n\u2028\u2029]*)::/gm;

/** The runners of GitHub (`##[`), Azure (`##vso[`) and TeamCity look for these anywhere in a line. */
const logCommands = /##(\[|vso\[|teamcity\[)/gi;

/**
 * Controls (C0, DEL, C1), bidirectional controls, line and paragraph separators, and lone surrogates. Also the soft
 * hyphen, invisible spaces and operators, tags and non-characters. The joiners U+200C and U+200D stay: scripts and
 * emoji need them.
 */
const unsafeCharacters =
  // oxlint-disable-next-line no-control-regex -- Control characters are what this looks for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

/** The same without line feeds and tabs, as runs of one character, and joiners next to plain letters. */
const unsafeRuns =
  // oxlint-disable-next-line no-control-regex -- Control characters are what this looks for.
  /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}\p{Surrogate}]|(?<=[ -~])[\u200c\u200d]|[\u200c\u200d](?=[ -~]))\1*/gu;

function nameCharacter(character: string): string {
  return `U+${hex(character.codePointAt(0) ?? 0).toUpperCase()}`;
}

function hasUnsafeCharacter(text: string): boolean {
  return text.search(unsafeCharacters) !== -1;
}

function showCharacter(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  // Unicode has pictures of the C0 controls and of DEL.
  if (codePoint < 0x20) return String.fromCodePoint(0x2400 + codePoint);
  if (codePoint === 0x7f) return '\u2421';
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return '\ufffd';
  return `<U+${hex(codePoint).toUpperCase()}>`;
}

function hex(codePoint: number): string {
  return codePoint.toString(16).padStart(4, '0');
}

const xmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
