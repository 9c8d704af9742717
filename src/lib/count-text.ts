const wordCharacter = /[\p{L}\p{N}]/u;
const lowerCase = /\p{Ll}/u;
const closingMark = /["'”’»)\]」』）*_]/;
const spaceCharacter = /\s/;

/** Characters as Unicode counts them: a pair of surrogates is one. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let index = 1; index < text.length; index += 1) {
    if (isLowSurrogate(text.charCodeAt(index)) && isHighSurrogate(text.charCodeAt(index - 1))) count -= 1;
  }
  return count;
}

/** Runs without white space that hold a letter or digit: a lone dash is no word. */
export function countWords(text: string): number {
  let count = 0;
  for (const [run] of text.matchAll(/\S+/g)) if (wordCharacter.test(run)) count += 1;
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
 * Sentences by their closing marks: one counts before white space unless a lower-case letter follows ("e.g. this"),
 * a CJK mark anywhere, an empty line always. What holds no letter or digit is no sentence.
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
    } else if ('.!?…。！？'.includes(character)) {
      while (closingMark.test(text.charAt(at))) at += 1;
      if (hasWord && endsSentence(text, at, '。！？'.includes(character))) {
        count += 1;
        hasWord = false;
      }
    } else if (!hasWord) {
      hasWord = wordCharacter.test(character);
    }
  }
  return hasWord ? count + 1 : count;
}

function endsSentence(text: string, at: number, isCjk: boolean): boolean {
  if (isCjk || at >= text.length) return true;
  if (!spaceCharacter.test(text.charAt(at))) return false;
  return !lowerCase.test(text.charAt(skipSpace(text, at)));
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && spaceCharacter.test(text.charAt(at))) at += 1;
  return at;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd8_00 && code <= 0xdb_ff;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc_00 && code <= 0xdf_ff;
}
