import { posix } from 'node:path';
import { defined } from '../../json/defined.ts';
import { isMap, type Written } from '../draft.ts';
import type { CodePlace } from './code-module.ts';
import { type ProgramCall, ProgramFile, type ProgramFilePorts, readProgramFiles } from './program-file.ts';
import { pythonBridge } from './python-bridge.ts';

/** The Python code of one suite. */
export class PythonFile extends ProgramFile {
  constructor(place: CodePlace) {
    super(place, { program: 'python3', folder: 'python', ending: 'py' });
  }

  protected override render(calls: readonly ProgramCall[], shown: string): string {
    const functions = calls.flatMap(({ name, line, source }) =>
      'code' in source ? [`# Line ${line}.\ndef ${name}(output, context):\n${source.code}\n\n\n`] : [],
    );
    const table = calls.map(({ name, line, source, options }) => {
      const own =
        'code' in source ? '' : `"file": ${toPython(this.fromHere(source.file))}, "name": ${toPython(source.name)}, `;
      const code = 'code' in source ? `"code": ${name}, ` : '';
      return `    # Line ${line}.\n    "${name}": {${code}${own}${toPython(options).slice(1)},\n`;
    });
    const imports = ['asyncio', 'contextlib', 'importlib.util', 'inspect', 'json', 'os', 're', 'sys'];
    return [
      `# Imported from ${shown} (promptfoo).\n`,
      ...imports.map((name) => `import ${name}\n`),
      '\n\n',
      ...functions,
      `CALLS = {\n${table.join('')}}\n`,
      `# Code starts in the folder of the config.\nSTART = ${toPython(this.fromHere('.'))}\n`,
      pythonBridge,
    ].join('');
  }
}

/** `checks.py` or `checks.py:fn`, with `file://` or `python:` before it or not. */
export function findPython(reference: string): { readonly file: string; readonly name?: string } | undefined {
  const [, file, name] = /^(?:file:\/\/|python:)?(?:file:\/\/)?(.+?\.py)(?::([\w.]+))?$/.exec(reference) ?? [];
  return file === undefined ? undefined : { file: file.replaceAll('\\', '/'), ...defined({ name }) };
}

/** The Python files that a file of the project imports from its own folder, itself first; and their text. */
export function readPythonFiles(file: string, written: Written, ports: ProgramFilePorts) {
  const folder = posix.dirname(file);
  const findImports = (text: string): readonly string[] =>
    [...text.matchAll(/^\s*(?:from\s+([\w.]+)\s+)?import\s+([\w., ]+)/gm)]
      .flatMap(([, from, names = '']) =>
        from === undefined ? names.split(',').map((name) => name.trim().split(' ')[0] ?? '') : [from],
      )
      .map((name) => posix.join(folder, ...name.split('.').filter((part) => part !== '')))
      .flatMap((module) => [`${module}.py`, `${module}/__init__.py`]);
  return readProgramFiles(file, written, ports, { ending: 'py', findImports });
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
