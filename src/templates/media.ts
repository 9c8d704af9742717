/** True for a template in Handlebars that may attach files, by `{{media url=photo}}`. */
export function hasMedia(source: string): boolean {
  return /\{\{~?\s*media\b/.test(source);
}

/** The files that such a template names itself, as in `{{media url="logo.png"}}`. */
export function listWrittenMedia(source: string): readonly string[] {
  return [...source.matchAll(/\{\{~?\s*media\b[^}]*?\surl\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
    ([, one, other = '']) => one ?? other,
  );
}
