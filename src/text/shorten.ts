/** Shortens a text to at most `maxUnits` UTF-16 code units, and never splits a surrogate pair. */
export function clipText(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  const last = text.charCodeAt(maxUnits - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxUnits - 1 : maxUnits);
}

/** Shortens a text and adds an ellipsis, by which the masking of secrets finds secrets that were cut. */
export function shortenText(text: string, maxUnits: number): string {
  return text.length <= maxUnits ? text : `${clipText(text, maxUnits)}…`;
}

/** The end of a text, from the start of a word: a mask could not recognise a secret without its start. */
export function lastWords(text: string, maxUnits: number): string {
  if (text.length <= maxUnits) return text;
  const end = text.slice(-maxUnits);
  const word = /\s/.test(text.charAt(text.length - maxUnits - 1)) ? 0 : end.search(/\s/);
  const whole = end.slice(Math.max(0, word)).trimStart();
  return whole === '' ? end : whole;
}

/** A text in double quotes on one line, cut if it is long. The cut never splits a character. */
export function quote(text: string, maxUnits = 200): string {
  if (text.length <= maxUnits) return JSON.stringify(text);
  return `${JSON.stringify(clipText(text, maxUnits))}… (${text.length} characters)`;
}
