/** The place of an offset in words: line and column, both from 1. */
export function describePlace(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return `line ${before.split('\n').length}, column ${offset - start + 1}`;
}
