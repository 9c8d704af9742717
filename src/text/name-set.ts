/** The names of a text, which blanks or line breaks part. */
export function nameSet(names: string): ReadonlySet<string> {
  return new Set(names.split(/\s+/).filter((name) => name !== ''));
}
