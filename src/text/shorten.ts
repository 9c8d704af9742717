/** A text in double quotes on one line, cut where it is long; the cut never splits a character. */
export function quote(text: string, maxChars = 200): string {
  if (text.length <= maxChars) return JSON.stringify(text);
  const last = text.charCodeAt(maxChars - 1);
  const end = last >= 0xd8_00 && last <= 0xdb_ff ? maxChars - 1 : maxChars;
  return `${JSON.stringify(text.slice(0, end))}… (${text.length} characters)`;
}
