import { defined } from '../../../json/defined.ts';
import { LeftOut, quote, type Written } from '../../draft.ts';
import type { EnvNames, ProgramFile, ProgramSource } from '../code/code-files.ts';
import { plainNamePattern, readCodeCall } from '../code/javascript.ts';
import { findPython, findPythonEnv, readPythonFiles, readPythonImports, toPython } from '../code/python.ts';
import { findRuby, findRubyEnv, readRubyFiles } from '../code/ruby.ts';
import type { TypeContext } from './check-context.ts';

type Check = Readonly<Record<string, unknown>>;

/** A language of promptfoo's code checks. */
interface Language {
  readonly name: string;
  readonly findFile: (reference: string) => { readonly file: string; readonly name?: string } | undefined;
  readonly readFiles: typeof readPythonFiles;
  readonly findEnv: (text: string) => EnvNames;
}

const pythonLanguage: Language = {
  name: 'Python',
  findFile: findPython,
  readFiles: readPythonFiles,
  findEnv: findPythonEnv,
};
const rubyLanguage: Language = { name: 'Ruby', findFile: findRuby, readFiles: readRubyFiles, findEnv: findRubyEnv };

/** Converts a `python` assertion to a function in a Python file, which `exec` runs. */
export async function convertPython(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { draft, python } = context;
  const part = written.child('value');
  const { value } = part;
  if (typeof value !== 'string' || value.trim() === '') return draft.refuse(part, 'the value of python must be code');
  if (value.startsWith('file://')) return convertFile(pythonLanguage, python, value, written, context);
  const isTemplate = /\{\{/.test(value);
  if (/\{\{|\{%|\{#/.test(value.replaceAll(plainNamePattern, '')))
    return draft.refuse(part, 'the code is a template of more than names of variables: read context["vars"]');
  const read = await readPythonImports(value, part, context);
  if (read instanceof LeftOut) return read;
  const env = noteOptional(findPythonEnv(read.text), 'the check', part, context);
  const parts = { files: read.files, env, names: isTemplate ? undefined : findReadVars(value, 'get') };
  const code = isTemplate ? `    return fill(${toPython(value)}, output, context)` : indent(value);
  return buildProgramCheck(python, { code }, parts, written, context);
}

/** Converts a `ruby` assertion to a method in a Ruby file, which `exec` runs. */
export async function convertRuby(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { draft, ruby } = context;
  const part = written.child('value');
  const { value } = part;
  if (typeof value !== 'string' || value.trim() === '') return draft.refuse(part, 'the value of ruby must be code');
  if (value.startsWith('file://')) return convertFile(rubyLanguage, ruby, value, written, context);
  if (/\{\{|\{%|\{#/.test(value))
    return draft.refuse(part, 'the code is a template, which code never is here: read context["vars"]');
  // promptfoo adds a `return` to a single line, and Ruby refuses a second one.
  if (/^\s*return\b(?!.*\n)/.test(value))
    return draft.refuse(part, 'promptfoo fails a single line with a return', 'remove the return');
  const env = noteOptional(findRubyEnv(value), 'the check', part, context);
  const parts = { files: [], env, names: findReadVars(value, 'fetch') };
  return buildProgramCheck(ruby, { code: indent(value, '  ') }, parts, written, context);
}

async function convertFile(
  language: Language,
  program: ProgramFile,
  value: string,
  written: Written,
  context: TypeContext,
): Promise<Check | LeftOut> {
  const part = written.child('value');
  const found = language.findFile(value);
  if (found === undefined) return context.draft.refuse(part, `${quote(value)} is no ${language.name} file`);
  const { file, name = 'get_assert' } = found;
  const read = await language.readFiles(file, part, context);
  if (read instanceof LeftOut) return read;
  const env = noteOptional(language.findEnv(read.text), file, part, context);
  return buildProgramCheck(program, { file, name }, { files: read.files, env, names: undefined }, written, context);
}

/** Variables that code reads by name; undefined if it uses the context in any other way. */
function findReadVars(code: string, method: 'get' | 'fetch'): readonly string[] | undefined {
  const uses = code.match(/\bcontext\b/g)?.length ?? 0;
  const item = String.raw`\[\s*["']([^"']+)["']\s*\]`;
  const call = String.raw`\.${method}\(\s*["']([^"']+)["']`;
  const reads = new RegExp(String.raw`\bcontext\[\s*["']vars["']\s*\](?:${item}|${call})`, 'g');
  const named = Array.from(code.matchAll(reads), ([, indexed, got]) => indexed ?? got ?? '');
  return uses === named.length ? [...new Set(named)] : undefined;
}

/** Indents code as a function body. promptfoo returns the value of a single line. */
function indent(code: string, fallback = '    '): string {
  if (!code.includes('\n')) return `${fallback}return ${code}`;
  const [style = fallback] = /^(?!\s*$)\s+/m.exec(code) ?? [];
  return code
    .split('\n')
    .map((line) => `${style}${line}`)
    .join('\n')
    .trimEnd();
}

/** Environment variables that code requires. Optional ones are noted. */
function noteOptional(
  { needed, optional }: EnvNames,
  shown: string,
  part: Written,
  { draft }: TypeContext,
): readonly string[] {
  if (optional.length > 0)
    draft.note(
      part,
      `the code of ${shown} sees only the variables under env; add ${optional.join(', ')} where they are set`,
    );
  return needed;
}

/** Builds a check that runs a program written beside the suite. */
function buildProgramCheck(
  program: ProgramFile,
  source: ProgramSource,
  {
    files,
    env,
    names,
  }: {
    readonly files: readonly string[];
    readonly env: readonly string[];
    /** Variables that the code reads; undefined if unknown. */
    readonly names: readonly string[] | undefined;
  },
  written: Written,
  context: TypeContext,
): Check | LeftOut {
  const call = readCodeCall(written, names, context);
  if (call instanceof LeftOut) return call;
  const { part, args, isState, options } = call;
  return {
    exec: {
      value: program.add('check', source, options, part.at().line),
      ...args,
      ...(files.length === 0 ? {} : { files: files.map((file) => program.fromSuite(file)), timeout: '5m' }),
      ...defined({ env: env.length === 0 ? undefined : env }),
    },
    ...defined({ select: isState ? 'state' : undefined }),
  };
}
