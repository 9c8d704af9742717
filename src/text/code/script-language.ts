import { extname } from 'node:path';

/** `other`: code whose imports are not known. */
export type Language = 'javascript' | 'python' | 'ruby' | 'shell' | 'other';

const byEnding: Readonly<Record<string, Language>> = {
  ...listAs('javascript', '.js .mjs .cjs .jsx .ts .mts .cts .tsx'),
  ...listAs('python', '.py .pyw'),
  ...listAs('ruby', '.rb'),
  ...listAs('shell', '.sh .bash .zsh .ksh'),
  ...listAs(
    'other',
    '.pl .pm .php .lua .r .jl .go .rs .java .kt .kts .scala .cs .fs .swift .ex .exs .clj .hs .ml .dart',
  ),
  ...listAs('other', '.groovy .tcl .fish .ps1 .bat .cmd'),
};

function listAs(language: Language, endings: string): Readonly<Record<string, Language>> {
  return Object.fromEntries(endings.split(' ').map((ending) => [ending, language]));
}

/** The language of a file by its ending, else by its first line; undefined for data. */
export function languageOf(path: string, readText: () => string | undefined): Language | undefined {
  const ending = extname(path).toLowerCase();
  if (ending !== '') return Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined;
  const [, program, argument] = /^#!\s*(\S+)(?:\s+(?:-S\s+)?(\S+))?/.exec(readText()?.slice(0, 200) ?? '') ?? [];
  if (program === undefined) return undefined;
  const name = (program.endsWith('/env') ? argument : program) ?? program;
  return languageOfProgram(name.replace(/^.*\//, '')) ?? 'other';
}

/** The language of what a program runs; undefined for any other program. */
export function languageOfProgram(name: string): Language | undefined {
  if (/^(?:node|nodejs|bun|deno|tsx|ts-node|nodemon)$/.test(name)) return 'javascript';
  if (/^(?:python|pypy)[\d.]*$|^(?:uv|poetry|pipenv|pdm)$/.test(name)) return 'python';
  if (name === 'ruby') return 'ruby';
  return /^(?:sh|bash|zsh|dash|ash|ksh)$/.test(name) ? 'shell' : undefined;
}
