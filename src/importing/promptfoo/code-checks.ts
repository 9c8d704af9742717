import { posix } from 'node:path';

/** A function's own text, or a file of the project and the name of its export. */
export type CodeSource = string | { readonly path: string; readonly name?: string };

export interface CodePlace {
  /** The suite's file, absolute, with forward slashes. */
  readonly suite: string;
  /** The folder of the imported config. */
  readonly folder: string;
  /** The imported config, as it is shown. */
  readonly shown: string;
}

/** The checks of one suite that are code, in a module of their own beside it. */
export class CodeChecks {
  readonly #place: CodePlace;
  readonly #exports = new Map<string, { readonly name: string; readonly line: number }>();
  readonly #files: string[] = [];
  /** Which providers are asked for a schema: promptfoo parses their answers before code checks them. */
  json: 'all' | 'some' | 'none' = 'none';

  constructor(place: CodePlace) {
    this.#place = place;
  }

  /** From the suite's folder. */
  get path(): string {
    return `checks/${posix.basename(this.#place.suite).replace(/(?:\.eval)?\.ya?ml$/, '')}.mjs`;
  }

  /** The name of the export that makes this check; the same code has one. */
  add(source: CodeSource, options: object, line: number): string {
    const more = Object.keys(options).length === 0 ? '' : `, ${JSON.stringify(options)}`;
    const call =
      typeof source === 'string'
        ? `promptfooCheck(${source}${more})`
        : `promptfooFile(${this.#importFile(source.path)}, ${JSON.stringify(source.name) ?? 'undefined'}${more})`;
    const known = this.#exports.get(call);
    if (known !== undefined) return known.name;
    const name = `check${this.#exports.size + 1}`;
    this.#exports.set(call, { name, line });
    return name;
  }

  #importFile(path: string): string {
    const from = posix.join(posix.dirname(this.#place.suite), 'checks');
    const specifier = posix.relative(from, posix.resolve(this.#place.folder, path));
    if (!this.#files.includes(specifier)) this.#files.push(specifier);
    return `file${this.#files.indexOf(specifier) + 1}`;
  }

  /** The module; nothing where no check is code. */
  write(): { readonly code?: { readonly path: string; readonly text: string } } {
    if (this.#exports.size === 0) return {};
    const calls = [...this.#exports.keys()];
    const names = ['promptfooCheck', 'promptfooFile'].filter((name) => calls.some((call) => call.startsWith(name)));
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
    return { code: { path: this.path, text } };
  }
}
