/** Scripts written without spaces between words: each of their characters counts as one. */
const unspacedScripts = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const wordPattern = new RegExp(
  String.raw`[${unspacedScripts}]\p{M}*|(?:(?![${unspacedScripts}])[\p{L}\p{M}\p{N}])+`,
  'gu',
);
/** The words of a text: runs of letters and digits, composed as Unicode's NFC has them; punctuation parts words. */
export function splitWords(text: string): readonly string[] {
  return text.normalize('NFC').match(wordPattern) ?? [];
}

/** Marks that the same scripts use, each a token too. */
const unspacedMark = new RegExp(String.raw`[${unspacedScripts}\u3000-\u303f\uff00-\uffef]\p{M}*`, 'gu');
const escapes: readonly (readonly [string, string])[] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/**
 * Splits a text into the tokens of NIST's script mteval-v13a, with which BLEU is reported (sacreBLEU's "13a"). ASCII
 * punctuation separates words, except apostrophes, hyphens after a letter, and the dot or comma of a number. Characters
 * of scripts without spaces are tokens of their own (its "zh").
 */
export function splitTokens(text: string): readonly string[] {
  let line = text.trimEnd().replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  for (const [escape, character] of escapes) line = line.replaceAll(escape, character);
  // Each step processes the whole text, as in the script. The next step sees the spaces that it added.
  const parted = ` ${line} `
    .replaceAll(unspacedMark, ' $& ')
    .replaceAll(/[!-&(-+/:-@[-`{-~]/g, ' $& ')
    .replaceAll(/([^0-9])([.,])/g, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/g, ' $1 $2')
    .replaceAll(/([0-9])-/g, '$1 - ');
  return parted.split(/\s+/).filter((token) => token !== '');
}

const wordCharacter = /[\p{L}\p{N}]/u;
/** Unicode's closing marks of all scripts, and the dots that trail off. */
const closing = /[\p{Sentence_Terminal}…]/u;
const titleBefore = /(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Prof|St|Hr|Fr|Mme)\.$/;
const lowerCase = /\p{Ll}/u;
const closingMark = /["'”’»)\]」』）*_]/;
const spaceCharacter = /\s/;

/** Characters as Unicode counts them: a pair of surrogates is one. */
export function countCharacters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

/** A number of things, or its lower bound if counting all would take too long. */
export interface Count {
  readonly count: number;
  readonly exact: boolean;
}

/**
 * Counts runs without white space that contain a letter or digit: a lone dash is not a word. In scripts without spaces,
 * words come from Unicode's dictionaries.
 */
export function countWords(text: string): Count {
  let count = 0;
  let looked = 0;
  for (const [run] of text.matchAll(/\S+/g)) {
    if (unspacedCharacter.test(run)) {
      // Mixed runs are taken apart: "GPT模型" is two words.
      for (const [part] of run.matchAll(partOfRun)) {
        if (looked >= maxLookedUp) return { count, exact: false };
        if (part.length > 1 && unspacedCharacter.test(part)) {
          looked += part.length;
          count += countByDictionary(part);
        } else if (wordCharacter.test(part)) count += 1;
      }
    } else if (wordCharacter.test(run)) count += 1;
  }
  return { count, exact: true };
}

const unspacedCharacter = new RegExp(`[${unspacedScripts}]`, 'u');
// Works on pieces, because the segmenter is slow on long texts.
const partOfRun = new RegExp(
  `[${unspacedScripts}\\p{M}ー]{1,1000}|(?:(?![${unspacedScripts}])[\\p{L}\\p{M}\\p{N}]){1,1000}`,
  'gu',
);
/** Characters that take less than half a second. */
const maxLookedUp = 50_000;
let segmenter: Intl.Segmenter | undefined;

function countByDictionary(part: string): number {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  let count = 0;
  for (const { isWordLike } of segmenter.segment(part)) if (isWordLike === true) count += 1;
  return count;
}

/** Lines; a line feed at the end starts no further one. */
export function countLines(text: string): number {
  if (text === '') return 0;
  let count = text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/**
 * Splits a text into sentences at closing marks. A mark counts before white space unless a lower-case letter follows
 * ("e.g. this"). A CJK mark counts anywhere, an empty line always. A sentence has at least one letter or digit.
 */
export function countSentences(text: string): number {
  let count = 0;
  let hasWord = false;
  let at = 0;
  while (at < text.length) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (character === '\n') {
      const next = skipSpace(text, at);
      if (hasWord && text.slice(at, next).includes('\n')) {
        count += 1;
        hasWord = false;
      }
      at = next;
    } else if (isClosing(character)) {
      if (character === '.' && titleBefore.test(text.slice(Math.max(0, at - 6), at))) continue;
      while (closingMark.test(text.charAt(at))) at += 1;
      if (hasWord && endsSentence(text, at, '。！？｡︒'.includes(character))) {
        count += 1;
        hasWord = false;
      }
    } else if (!hasWord) {
      hasWord = wordCharacter.test(character);
    }
  }
  return hasWord ? count + 1 : count;
}

function isClosing(character: string): boolean {
  // Most characters are of ASCII, which needs no table of Unicode.
  return character < '\u0080' ? character === '.' || character === '!' || character === '?' : closing.test(character);
}

function endsSentence(text: string, at: number, isCjk: boolean): boolean {
  if (isCjk) return true;
  if (!spaceCharacter.test(text.charAt(at))) return false;
  return !lowerCase.test(text.charAt(skipSpace(text, at)));
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && spaceCharacter.test(text.charAt(at))) at += 1;
  return at;
}
