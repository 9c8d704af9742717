/** True for a Handlebars template that may attach files with `{{media url=photo}}`. */
export function hasMedia(source: string): boolean {
  return /\{\{~?\s*media\b/.test(source);
}

/** Files that a template names literally, as in `{{media url="logo.png"}}`. */
export function listWrittenMedia(source: string): readonly string[] {
  return [...source.matchAll(/\{\{~?\s*media\b[^}]*?\surl\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
    ([, one, other = '']) => one ?? other,
  );
}
