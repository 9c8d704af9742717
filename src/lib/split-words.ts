/** Scripts written without spaces between words: each of their characters counts as one. */
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const wordPattern = new RegExp(String.raw`[${unspaced}]\p{M}*|(?:(?![${unspaced}])[\p{L}\p{M}\p{N}])+`, 'gu');
const tokenPattern = new RegExp(String.raw`${wordPattern.source}|[^\s\p{L}\p{M}\p{N}]`, 'gu');

/** The words of a text: runs of letters and digits, composed as Unicode's NFC has them; punctuation parts words. */
export function splitWords(text: string): readonly string[] {
  return text.normalize('NFC').match(wordPattern) ?? [];
}

/** The words of a text, and each of its punctuation marks as a token of its own. */
export function splitTokens(text: string): readonly string[] {
  return text.normalize('NFC').match(tokenPattern) ?? [];
}
