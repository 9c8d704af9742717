/** Eight hex digits of a text as a number; undefined where another text would come back of it. */
export function parseHexWord(text: string, start: number): number | undefined {
  let word = 0;
  for (let index = start; index < start + 8; index += 1) {
    const code = text.charCodeAt(index);
    // Lower case alone, so that the same text comes back.
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : undefined;
    if (digit === undefined) return undefined;
    word = word * 16 + digit;
  }
  return word;
}

export function renderHexWord(word: number): string {
  // Above 2^32 the zeros in front are written, too.
  return (word + 0x1_0000_0000).toString(16).slice(1);
}
