const maxCharacters = 400;

/** A text of a server or a program as part of a sentence: on one line, without control characters, shortened. */
export function describeText(text: string): string {
  // Cut first, so that a body of megabytes is not searched.
  const line = text
    .slice(0, maxCharacters * 4)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const characters = Array.from(line);
  return characters.length <= maxCharacters ? line : `${characters.slice(0, maxCharacters).join('')}…`;
}
