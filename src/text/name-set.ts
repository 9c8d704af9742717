/** Splits a text of names at blanks and line breaks. */
export function nameSet(names: string): ReadonlySet<string> {
  return new Set(names.split(/\s+/).filter((name) => name !== ''));
}
