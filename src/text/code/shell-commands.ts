import { splitCommand } from './command-line.ts';

/** The commands of a shell script, in its order. Patterns alone do not read a shell, so some are only pieces of one. */
export function readShell(text: string): readonly { readonly words: readonly string[]; readonly line: number }[] {
  const joined = text.replaceAll(/\\\r?\n/g, '  ');
  return joined.split('\n').flatMap((line, index) =>
    line
      .replace(/(?:^|\s)#.*$/, '')
      .split(/&&|\|\||[;|]/)
      .map((piece) => splitCommand(piece) ?? piece.replaceAll(/["']/g, ' ').trim().split(/\s+/))
      .filter((words) => words.length > 0)
      .map((words) => ({ words, line: index + 1 })),
  );
}

/** Parts that the shell fills in: `$NAME`, `${NAME}`, `$(command)`. */
const expansion = /\$\{[^}]*\}|\$\([^)]*\)|\$[\w@*#?]+|`[^`]*`/g;

export function hasExpansion(word: string): boolean {
  return word.search(expansion) !== -1;
}

/** A word without what the shell puts before its first slash, which most often is the folder of the script. */
export function withoutExpansion(word: string): string {
  return word.replaceAll(expansion, '').replace(/^\/+/, '');
}
