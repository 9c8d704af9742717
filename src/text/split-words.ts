/** Scripts written without spaces between words: each of their characters counts as one. */
export const unspacedScripts = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
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
 * The tokens of NIST's script mteval-v13a, with which BLEU is reported (sacreBLEU's "13a"): ASCII punctuation parts words,
 * but for apostrophes, hyphens behind a letter, and the dot or comma of a number. Characters of scripts without spaces are
 * tokens of their own (its "zh").
 */
export function splitTokens(text: string): readonly string[] {
  let line = text.trimEnd().replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  for (const [escape, character] of escapes) line = line.replaceAll(escape, character);
  // Each step goes through the whole text, as in the script: what one step parted is a border for the next.
  const parted = ` ${line} `
    .replaceAll(unspacedMark, ' $& ')
    .replaceAll(/[!-&(-+/:-@[-`{-~]/g, ' $& ')
    .replaceAll(/([^0-9])([.,])/g, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/g, ' $1 $2')
    .replaceAll(/([0-9])-/g, '$1 - ');
  return parted.split(/\s+/).filter((token) => token !== '');
}
