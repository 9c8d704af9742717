import { posix } from 'node:path';

export interface CodePlace {
  /** The suite's file, absolute, with forward slashes. */
  readonly suite: string;
  /** The folder of the imported config. */
  readonly folder: string;
  /** The imported config, as it is shown. */
  readonly shown: string;
}

/**
 * What promptfoo gives to code: the text of an answer, the JSON that it parses, all that a provider of one's own returned,
 * or one or another.
 */
export type AnswerForm = 'text' | 'json' | 'state' | 'mixed';

/** The code of one suite, in a module of its own beside it: what checks, what answers, or what makes prompts. */
export class CodeModule {
  readonly #place: CodePlace;
  readonly #kind: 'check' | 'provider' | 'prompt';
  readonly #exports = new Map<string, { readonly name: string; readonly line: number }>();
  readonly #files: string[] = [];
  /** What checks that are code are given. */
  answers: AnswerForm = 'text';

  constructor(place: CodePlace, kind: 'check' | 'provider' | 'prompt') {
    this.#place = place;
    this.#kind = kind;
  }

  /** From the suite's folder. */
  get path(): string {
    return `${this.#kind}s/${posix.basename(this.#place.suite).replace(/(?:\.eval)?\.ya?ml$/, '')}.mjs`;
  }

  /** The name of the export that this call makes; the same call has one. */
  add(call: string, line: number, kind: string = this.#kind): string {
    const known = this.#exports.get(call);
    if (known !== undefined) return known.name;
    const name = `${kind}${this.#exports.size + 1}`;
    this.#exports.set(call, { name, line });
    return name;
  }

  /** A path of the config's folder, from the suite's folder. */
  fromSuite(path: string): string {
    return posix.relative(posix.dirname(this.#place.suite), posix.resolve(this.#place.folder, path));
  }

  /** The URL of a folder of the project, by its path from the config's. */
  folderUrl(path = '.'): string {
    const from = posix.join(posix.dirname(this.#place.suite), `${this.#kind}s`);
    const relative = posix.relative(from, posix.resolve(this.#place.folder, path)) || '.';
    return `new URL(${JSON.stringify(`${relative}/`)}, import.meta.url)`;
  }

  /** The name under which the module imports a file of the project. */
  importFile(path: string): string {
    const from = posix.join(posix.dirname(this.#place.suite), `${this.#kind}s`);
    const specifier = posix.relative(from, posix.resolve(this.#place.folder, path));
    if (!this.#files.includes(specifier)) this.#files.push(specifier);
    return `file${this.#files.indexOf(specifier) + 1}`;
  }

  /** The module; nothing where there is no code. */
  write(): readonly { readonly path: string; readonly text: string }[] {
    if (this.#exports.size === 0) return [];
    const calls = [...this.#exports.keys()];
    const heads = calls.map((call) => call.slice(0, call.indexOf('(')));
    const inner = ['promptfooFunction', 'promptfooPython', 'promptfooTemplate'].filter((name) =>
      calls.some((call) => call.includes(`${name}(`)),
    );
    const names = [...new Set([...heads, ...inner])].toSorted();
    const checks = [...this.#exports].map(
      ([call, { name, line }]) => `// Line ${line}.\nexport const ${name} = ${call};\n`,
    );
    const text = [
      `// Imported from ${this.#place.shown} (promptfoo).\nimport { ${names.join(', ')} } from 'llmcheck/promptfoo';\n`,
      ...this.#files.map(
        (file, index) =>
          `import * as file${index + 1} from ${JSON.stringify(file.startsWith('.') ? file : `./${file}`)};\n`,
      ),
      ...checks.map((check) => `\n${check}`),
    ].join('');
    return [{ path: this.path, text }];
  }
}
