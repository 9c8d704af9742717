/** Appends tokens to a JSON Pointer (RFC 6901). */
export function appendPointer(pointer: string, ...tokens: readonly (string | number)[]): string {
  let text = pointer;
  for (const token of tokens) text += `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return text;
}

/** Splits a JSON Pointer into its tokens; undefined if it is none. */
export function splitPointer(pointer: string): readonly string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
