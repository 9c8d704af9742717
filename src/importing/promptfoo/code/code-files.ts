import { posix } from 'node:path';
import { defined } from '../../../json/defined.ts';
import { LeftOut, type Written } from '../../draft.ts';

export interface CodePlace {
  /** Absolute path of the suite's file, with forward slashes. */
  readonly suite: string;
  /** Folder of the imported config. */
  readonly folder: string;
  /** Path of the imported config in messages. */
  readonly shown: string;
}

/** What promptfoo passes to code: the answer's text, its parsed JSON, a custom provider's whole result, or a mix. */
export type AnswerForm = 'text' | 'json' | 'state' | 'mixed';

/** A code file written beside the suite, in its own folder. */
abstract class CodeFile {
  readonly #place: CodePlace;
  readonly #folder: string;
  readonly #ending: string;

  constructor(place: CodePlace, folder: string, ending: string) {
    this.#place = place;
    this.#folder = folder;
    this.#ending = ending;
  }

  /** Renders the file; undefined without code. `shown` is the imported config. */
  protected abstract render(shown: string): string | undefined;

  /** Path relative to the suite's folder. */
  get path(): string {
    return `${this.#folder}/${posix.basename(this.#place.suite).replace(/(?:\.eval)?\.ya?ml$/, '')}.${this.#ending}`;
  }

  /** Converts a path from the config's folder to the suite's folder. */
  fromSuite(path: string): string {
    return this.#relate(path, posix.dirname(this.#place.suite));
  }

  write(): readonly { readonly path: string; readonly text: string }[] {
    const text = this.render(this.#place.shown);
    return text === undefined ? [] : [{ path: this.path, text }];
  }

  /** Converts a path from the config's folder to this file's folder. */
  protected fromHere(path: string): string {
    return this.#relate(path, posix.join(posix.dirname(this.#place.suite), this.#folder));
  }

  #relate(path: string, from: string): string {
    return posix.relative(from, posix.resolve(this.#place.folder, path)) || '.';
  }
}

/** A suite's code in a module beside it: its checks, providers or prompts. */
export class CodeModule extends CodeFile {
  readonly #kind: 'check' | 'provider' | 'prompt';
  readonly #exports = new Map<string, { readonly name: string; readonly line: number }>();
  readonly #files: string[] = [];
  /** Form of the answer that code checks get. */
  answers: AnswerForm = 'text';

  constructor(place: CodePlace, kind: 'check' | 'provider' | 'prompt') {
    super(place, `${kind}s`, 'mjs');
    this.#kind = kind;
  }

  /** Adds a call and returns its export's name. Equal calls share one. */
  add(call: string, line: number, kind: string = this.#kind): string {
    const known = this.#exports.get(call);
    if (known !== undefined) return known.name;
    const name = `${kind}${this.#exports.size + 1}`;
    this.#exports.set(call, { name, line });
    return name;
  }

  /** URL of a project folder, by its path from the config. */
  folderUrl(path = '.'): string {
    return `new URL(${JSON.stringify(`${this.fromHere(path)}/`)}, import.meta.url)`;
  }

  /** Imports a project file and returns its name in the module. */
  importFile(path: string): string {
    const specifier = this.fromHere(path);
    if (!this.#files.includes(specifier)) this.#files.push(specifier);
    return `file${this.#files.indexOf(specifier) + 1}`;
  }

  /** Writes the call of a project file's function. */
  importFunction({ path, name }: ModuleFile): string {
    const args = [this.importFile(path), ...(name === undefined ? [] : [JSON.stringify(name)])];
    return `promptfooFunction(${args.join(', ')})`;
  }

  protected override render(shown: string): string | undefined {
    if (this.#exports.size === 0) return undefined;
    const calls = [...this.#exports.keys()];
    const heads = calls.map((call) => call.slice(0, call.indexOf('(')));
    const inner = ['promptfooFunction', 'promptfooPython', 'promptfooTemplate'].filter((name) =>
      calls.some((call) => call.includes(`${name}(`)),
    );
    const names = [...new Set([...heads, ...inner])].toSorted();
    const checks = [...this.#exports].map(
      ([call, { name, line }]) => `// Line ${line}.\nexport const ${name} = ${call};\n`,
    );
    return [
      `// Imported from ${shown} (promptfoo).\nimport { ${names.join(', ')} } from 'llmcheck/promptfoo';\n`,
      ...this.#files.map(
        (file, index) =>
          `import * as file${index + 1} from ${JSON.stringify(file.startsWith('.') ? file : `./${file}`)};\n`,
      ),
      ...checks.map((check) => `\n${check}`),
    ].join('');
  }
}

/** A JavaScript file, and the name of its export if not the default. */
export interface ModuleFile {
  readonly path: string;
  readonly name?: string;
}

/** Parses `file://checks.js` or `file://checks.js:fn`; undefined for other texts. */
export function findModuleFile(reference: string): ModuleFile | undefined {
  const [, path, name] = /^file:\/\/(.+?\.[cm]?[jt]s)(?::(\w+))?$/.exec(reference) ?? [];
  return path === undefined ? undefined : { path, ...defined({ name }) };
}

/** Environment variables that code requires, and optional ones. */
export interface EnvNames {
  readonly needed: readonly string[];
  readonly optional: readonly string[];
}

/** Finds the variables that code reads, by patterns for required and optional reads. */
export function findEnv(text: string, { needed, read }: Readonly<Record<'needed' | 'read', RegExp>>): EnvNames {
  const namesOf = (pattern: RegExp) => Array.from(text.matchAll(pattern), ([, name = '']) => name);
  return sortEnv(namesOf(needed), namesOf(read));
}

/** Sorts names. A name with both kinds of reads is required. */
export function sortEnv(needed: readonly string[], read: readonly string[]): EnvNames {
  return { needed: [...new Set(needed)], optional: [...new Set(read)].filter((name) => !needed.includes(name)) };
}

/** Inline code of a check, or a function of a project file. */
export type ProgramSource = { readonly code: string } | { readonly file: string; readonly name: string };

export interface ProgramCall {
  readonly name: string;
  readonly line: number;
  readonly source: ProgramSource;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A suite's code in another language, in a file beside it. `PROGRAM FILE NAME` runs one call. */
export abstract class ProgramFile extends CodeFile {
  readonly #program: string;
  readonly #calls = new Map<string, ProgramCall>();
  readonly #counts = new Map<string, number>();

  constructor(place: CodePlace, language: { program: string; folder: string; ending: string }) {
    super(place, language.folder, language.ending);
    this.#program = language.program;
  }

  protected abstract renderCalls(calls: readonly ProgramCall[], shown: string): string;

  /** Adds a call and returns its command line. Equal calls share one. */
  add(
    kind: 'check' | 'provider' | 'prompt' | 'transform',
    source: ProgramSource,
    options: Readonly<Record<string, unknown>>,
    line: number,
  ): string {
    const key = JSON.stringify([kind, source, options]);
    const count = (this.#counts.get(kind) ?? 0) + (this.#calls.has(key) ? 0 : 1);
    const call = this.#calls.get(key) ?? { name: `${kind}${count}`, line, source, options: { kind, ...options } };
    this.#counts.set(kind, count);
    this.#calls.set(key, call);
    return `${this.#program} ${this.path} ${call.name}`;
  }

  protected override render(shown: string): string | undefined {
    return this.#calls.size === 0 ? undefined : this.renderCalls([...this.#calls.values()], shown);
  }
}

/** Functions that read and find project files. */
export interface ProgramFilePorts {
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  readonly glob: (pattern: string) => Promise<readonly string[]>;
}

/** Reads a project file and its imports from the same folder. Returns their paths, the file first, and their text. */
export async function readProgramFiles(
  file: string,
  written: Written,
  { readText, glob }: ProgramFilePorts,
  language: { readonly ending: string; readonly findImports: (text: string, path: string) => readonly string[] },
): Promise<{ readonly files: readonly string[]; readonly text: string } | LeftOut> {
  const found = await glob(posix.join(posix.dirname(file), `**/*.${language.ending}`));
  const beside = new Set(found.map((path) => posix.normalize(path)));
  const files = [posix.normalize(file)];
  const texts: string[] = [];
  for (const path of files) {
    const text = await readText(path, written);
    if (text instanceof LeftOut) return text;
    texts.push(text);
    for (const imported of language.findImports(text, path))
      if (beside.has(imported) && !files.includes(imported)) files.push(imported);
  }
  return { files, text: texts.join('\n') };
}
