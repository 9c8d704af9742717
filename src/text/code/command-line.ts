/** Splits a command line into words: blanks separate, quotes and backslashes protect, nothing is expanded. Undefined if a quote stays open. */
export function splitCommand(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    const next = line.charAt(index + 1);
    // Before any other character a backslash is itself, so that C:\tools\run.exe needs no escapes.
    if (character === '\\' && quote !== "'" && /["'\\\s]/.test(next)) {
      word = (word ?? '') + next;
      index += 1;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * Finds a shell operator outside of quotes. The program would get it as an argument, and the text after it would never
 * run.
 */
export function findShellSign(line: string): string | undefined {
  const plain = line.replaceAll(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs, 'x');
  return /(?:^|\s)(&&|\|\|?|;|&|\d?>>?(?:&\d)?|<)(?=\s|$)/.exec(plain)?.[1] ?? /\S(;)(?=\s)/.exec(plain)?.[1];
}

/** A text as one word of a command that is printed for a shell; most need no quotes. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
