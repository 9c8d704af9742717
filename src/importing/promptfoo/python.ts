import { posix } from 'node:path';
import { defined } from '../../json/defined.ts';
import { isMap, LeftOut, type Written } from '../draft.ts';
import type { CodePlace } from './code-module.ts';
import { pythonBridge } from './python-bridge.ts';

type ReadText = (reference: string, written: Written) => Promise<string | LeftOut>;

/** Code of a check in the config itself, or a function of a Python file of the project. */
export type PythonSource = { readonly code: string } | { readonly file: string; readonly name: string };

interface Call {
  readonly name: string;
  readonly line: number;
  readonly source: PythonSource;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The Python code of one suite, in a file of its own beside it. `python3 FILE NAME` runs one call. */
export class PythonFile {
  readonly #place: CodePlace;
  readonly #calls = new Map<string, Call>();
  readonly #counts = new Map<string, number>();

  constructor(place: CodePlace) {
    this.#place = place;
  }

  /** From the suite's folder. */
  get path(): string {
    return `python/${posix.basename(this.#place.suite).replace(/(?:\.eval)?\.ya?ml$/, '')}.py`;
  }

  /** The command line that runs this call; the same call has one. */
  add(
    kind: 'check' | 'provider' | 'prompt',
    source: PythonSource,
    options: Readonly<Record<string, unknown>>,
    line: number,
  ): string {
    const key = JSON.stringify([kind, source, options]);
    const count = (this.#counts.get(kind) ?? 0) + (this.#calls.has(key) ? 0 : 1);
    const call = this.#calls.get(key) ?? { name: `${kind}${count}`, line, source, options: { kind, ...options } };
    this.#counts.set(kind, count);
    this.#calls.set(key, call);
    return `python3 ${this.path} ${call.name}`;
  }

  /** A path of the config's folder, from the suite's folder. */
  fromSuite(path: string): string {
    return this.#relate(path, posix.dirname(this.#place.suite));
  }

  write(): readonly { readonly path: string; readonly text: string }[] {
    if (this.#calls.size === 0) return [];
    const calls = [...this.#calls.values()];
    const functions = calls.flatMap(({ name, line, source }) =>
      'code' in source ? [`# Line ${line}.\ndef ${name}(output, context):\n${source.code}\n\n\n`] : [],
    );
    const table = calls.map(({ name, line, source, options }) => {
      const own =
        'code' in source ? '' : `"file": ${toPython(this.#fromHere(source.file))}, "name": ${toPython(source.name)}, `;
      const code = 'code' in source ? `"code": ${name}, ` : '';
      return `    # Line ${line}.\n    "${name}": {${code}${own}${toPython(options).slice(1)},\n`;
    });
    const imports = ['asyncio', 'contextlib', 'importlib.util', 'inspect', 'json', 'os', 're', 'sys'];
    const text = [
      `# Imported from ${this.#place.shown} (promptfoo).\n`,
      ...imports.map((name) => `import ${name}\n`),
      '\n\n',
      ...functions,
      `CALLS = {\n${table.join('')}}\n`,
      `# Code starts in the folder of the config.\nSTART = ${toPython(this.#fromHere('.'))}\n`,
      pythonBridge,
    ].join('');
    return [{ path: this.path, text }];
  }

  #fromHere(path: string): string {
    return this.#relate(path, posix.join(posix.dirname(this.#place.suite), 'python'));
  }

  #relate(path: string, from: string): string {
    return posix.relative(from, posix.resolve(this.#place.folder, path)) || '.';
  }
}

/** `checks.py` or `checks.py:fn`, with `file://` or `python:` before it or not. */
export function findPython(reference: string): { readonly file: string; readonly name?: string } | undefined {
  const [, file, name] = /^(?:file:\/\/|python:)?(?:file:\/\/)?(.+?\.py)(?::([\w.]+))?$/.exec(reference) ?? [];
  return file === undefined ? undefined : { file, ...defined({ name }) };
}

/** The Python files that a file of the project imports from its own folder, itself first; and their text. */
export async function readPythonFiles(
  file: string,
  written: Written,
  readText: ReadText,
  glob: (pattern: string) => Promise<readonly string[]>,
): Promise<{ readonly files: readonly string[]; readonly text: string } | LeftOut> {
  const folder = posix.dirname(file);
  const beside = new Set((await glob(posix.join(folder, '**/*.py'))).map((path) => posix.normalize(path)));
  const files = [posix.normalize(file)];
  const texts: string[] = [];
  for (const path of files) {
    const text = await readText(path, written);
    if (text instanceof LeftOut) return text;
    texts.push(text);
    for (const [, from, names] of text.matchAll(/^\s*(?:from\s+([\w.]+)\s+)?import\s+([\w., ]+)/gm)) {
      const modules =
        from === undefined ? (names ?? '').split(',').map((name) => name.trim().split(' ')[0] ?? '') : [from];
      for (const name of modules) {
        const module = posix.join(folder, ...name.split('.').filter((part) => part !== ''));
        for (const found of [`${module}.py`, `${module}/__init__.py`])
          if (beside.has(found) && !files.includes(found)) files.push(found);
      }
    }
  }
  return { files, text: texts.join('\n') };
}

/** Variables of the environment that the code needs, and those it can do without. */
export function findPythonEnv(text: string): {
  readonly needed: readonly string[];
  readonly optional: readonly string[];
} {
  const needed = [...text.matchAll(/\bos\.environ\[\s*["'](\w+)["']\s*\](?!\s*=[^=])/g)].map(([, name = '']) => name);
  const read = [...text.matchAll(/\bos\.(?:getenv|environ\.get)\(\s*["'](\w+)["']/g)].map(([, name = '']) => name);
  const optional = read.filter((name) => !needed.includes(name));
  return { needed: [...new Set(needed)], optional: [...new Set(optional)] };
}

/** JSON as a literal of Python. */
export function toPython(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return `[${value.map(toPython).join(', ')}]`;
  if (!isMap(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${toPython(item)}`)
    .join(', ')}}`;
}
