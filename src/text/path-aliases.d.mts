/**
 * The absolute paths that an import by an alias of a `tsconfig.json` may mean, without the endings that it leaves out.
 * `readText` gives the text of a file, undefined where there is none.
 */
export function findAliased(
  specifier: string,
  file: string,
  readText: (path: string) => string | undefined,
): readonly string[];
