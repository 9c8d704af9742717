import { posix } from 'node:path';
import { LeftOut, type Written } from '../draft.ts';
import type { CodePlace } from './code-module.ts';

/** Code of a check in the config itself, or a function of a file of the project. */
export type ProgramSource = { readonly code: string } | { readonly file: string; readonly name: string };

export interface ProgramCall {
  readonly name: string;
  readonly line: number;
  readonly source: ProgramSource;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The code of one suite in another language, in a file of its own beside it. `PROGRAM FILE NAME` runs one call. */
export abstract class ProgramFile {
  readonly #place: CodePlace;
  readonly #language: { readonly program: string; readonly folder: string; readonly ending: string };
  readonly #calls = new Map<string, ProgramCall>();
  readonly #counts = new Map<string, number>();

  constructor(place: CodePlace, language: { program: string; folder: string; ending: string }) {
    this.#place = place;
    this.#language = language;
  }

  /** The text of the file. `shown` is the imported config. */
  protected abstract render(calls: readonly ProgramCall[], shown: string): string;

  /** From the suite's folder. */
  get path(): string {
    const { folder, ending } = this.#language;
    return `${folder}/${posix.basename(this.#place.suite).replace(/(?:\.eval)?\.ya?ml$/, '')}.${ending}`;
  }

  /** The command line that runs this call; the same call has one. */
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
    return `${this.#language.program} ${this.path} ${call.name}`;
  }

  /** A path of the config's folder, from the suite's folder. */
  fromSuite(path: string): string {
    return this.#relate(path, posix.dirname(this.#place.suite));
  }

  write(): readonly { readonly path: string; readonly text: string }[] {
    if (this.#calls.size === 0) return [];
    return [{ path: this.path, text: this.render([...this.#calls.values()], this.#place.shown) }];
  }

  /** A path of the config's folder, from the folder of this file. */
  protected fromHere(path: string): string {
    return this.#relate(path, posix.join(posix.dirname(this.#place.suite), this.#language.folder));
  }

  #relate(path: string, from: string): string {
    return posix.relative(from, posix.resolve(this.#place.folder, path)) || '.';
  }
}

/** How files of the project are read and found. */
export interface ProgramFilePorts {
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  readonly glob: (pattern: string) => Promise<readonly string[]>;
}

/** The files that a file of the project imports from its own folder, itself first; and their text. */
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
