import { posix } from 'node:path';
import { defined } from '../../json/defined.ts';
import type { Written } from '../draft.ts';
import type { CodePlace } from './code-module.ts';
import { type ProgramCall, ProgramFile, type ProgramFilePorts, readProgramFiles } from './program-file.ts';
import { rubyBridge } from './ruby-bridge.ts';

/** The Ruby code of one suite. */
export class RubyFile extends ProgramFile {
  constructor(place: CodePlace) {
    super(place, { program: 'ruby', folder: 'ruby', ending: 'rb' });
  }

  protected override render(calls: readonly ProgramCall[], shown: string): string {
    const methods = calls.flatMap(({ name, line, source }) =>
      'code' in source ? [`# Line ${line}.\ndef ${name}(output, context)\n${source.code}\nend\n\n`] : [],
    );
    const table = calls.map(({ name, line, source, options }) => {
      const own = 'code' in source ? {} : { file: this.fromHere(source.file) };
      const call = { ...own, name: 'code' in source ? name : source.name, ...options };
      const pairs = Object.entries(call).map(([key, value]) => `${key}: ${toRuby(value)}`);
      return `    # Line ${line}.\n    "${name}" => { ${pairs.join(', ')} },\n`;
    });
    return [
      `# Imported from ${shown} (promptfoo).\nrequire "json"\n\n`,
      ...methods,
      `module PromptfooBridge\n  CALLS = {\n${table.join('')}  }.freeze\n`,
      `  # Code starts in the folder of the config.\n  START = ${toRuby(this.fromHere('.'))}\n`,
      rubyBridge,
    ].join('');
  }
}

/** `file://checks.rb`, `file://checks.rb:method` or `file://checks.rb:Module::Class.method`. */
export function findRuby(reference: string): { readonly file: string; readonly name?: string } | undefined {
  const [, file, name] = /^file:\/\/(.+?\.rb)(?::((?:\w+(?:::\w+)*\.)?\w+[?!]?))?$/.exec(reference) ?? [];
  return file === undefined ? undefined : { file, ...defined({ name }) };
}

/** The Ruby files that a file of the project requires from its own folder, itself first; and their text. */
export function readRubyFiles(file: string, written: Written, ports: ProgramFilePorts) {
  const folder = posix.dirname(file);
  const findImports = (text: string, path: string): readonly string[] =>
    Array.from(text.matchAll(/\b(require|require_relative|load)\b[\s(]*["']([^"'#]+)["']/g), ([, kind, name = '']) => {
      const from = kind === 'require_relative' ? posix.dirname(path) : folder;
      return posix.join(from, name.endsWith('.rb') ? name : `${name}.rb`);
    });
  return readProgramFiles(file, written, ports, { ending: 'rb', findImports });
}

/** Variables of the environment that the code needs, and those it can do without. */
export function findRubyEnv(text: string): {
  readonly needed: readonly string[];
  readonly optional: readonly string[];
} {
  const needed = [...text.matchAll(/\bENV\.fetch\(\s*["'](\w+)["']\s*\)(?!\s*(?:\{|do\b))/g)].map(
    ([, name = '']) => name,
  );
  const read = [...text.matchAll(/\bENV(?:\[|\.(?:fetch|dig)\()\s*["'](\w+)["']/g)].map(([, name = '']) => name);
  const optional = read.filter((name) => !needed.includes(name));
  return { needed: [...new Set(needed)], optional: [...new Set(optional)] };
}

/** A text, a number or a boolean as a literal of Ruby, whose texts take code after a `#`. */
function toRuby(value: unknown): string {
  return JSON.stringify(value).replaceAll('#', '\\#');
}
