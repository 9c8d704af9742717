/** The offset where a template in a text first reads a variable; undefined where none does. */
export function findTemplateVariable(text: string, name: string): number | undefined {
  // No brace inside, so that a text of many opening braces is walked once.
  const pattern = new RegExp(
    String.raw`\{[{%][^{}%]*?(?<![\p{L}\p{N}_.-])(?=${escapeRegex(name)}(?![\p{L}\p{N}_-]))`,
    'u',
  );
  const match = pattern.exec(text);
  return match === null ? undefined : match.index + match[0].length;
}

/** 1-based, as places in templates are counted. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
