/** Encodes a part of an address. Half of a surrogate pair can't be encoded, so it is replaced by its number. */
export function encodeAddressPart(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, (unit) => `\u{f0000}${unit.charCodeAt(0).toString(16)}`));
}
