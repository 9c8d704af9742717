/** The relative paths that a JavaScript or TypeScript text imports. Also those in comments: one too many does no harm. */
export function findRelativeImports(text: string): readonly string[] {
  const matches = text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]{1,500})\1/g);
  return [...matches].map(([, , specifier = '']) => specifier);
}

/** What may follow an imported path to make it a file's. */
export const importSuffixes = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.json', '/index.js', '/index.ts'] as const;
