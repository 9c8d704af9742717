import { LeftOut, quote, type Written } from '../draft.ts';
import type { CodeContext } from './javascript.ts';
import { PLAIN_NAME } from './javascript.ts';
import { buildProgramCheck } from './program-check.ts';
import { findPython, findPythonEnv, readPythonFiles, toPython } from './python.ts';

type Check = Readonly<Record<string, unknown>>;

/** A `python` assertion: a function in a Python file beside the suite, which `exec` runs. */
export async function convertPython(written: Written, context: CodeContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const part = written.child('value');
  const { value } = part;
  if (typeof value !== 'string' || value.trim() === '') return draft.refuse(part, 'the value of python must be code');
  if (value.startsWith('file://')) return convertFile(value, written, context);
  const isTemplate = /\{\{/.test(value);
  if (/\{\{|\{%|\{#/.test(value.replaceAll(PLAIN_NAME, '')))
    return draft.refuse(part, 'the code is a template of more than names of variables: read context["vars"]');
  const env = findPythonEnv(value);
  const parts = { files: [], env: env.needed, names: isTemplate ? undefined : findReadVars(value) };
  const code = isTemplate ? `    return fill(${toPython(value)}, output, context)` : indent(value);
  return buildProgramCheck(context.python, { code }, parts, written, context);
}

async function convertFile(value: string, written: Written, context: CodeContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const part = written.child('value');
  const found = findPython(value);
  if (found === undefined) return draft.refuse(part, `${quote(value)} is no Python file`);
  const { file, name = 'get_assert' } = found;
  const read = await readPythonFiles(file, part, context);
  if (read instanceof LeftOut) return read;
  const { needed, optional } = findPythonEnv(read.text);
  if (optional.length > 0)
    draft.note(
      part,
      `the code of ${file} sees only the variables under env; add ${optional.join(', ')} where they are set`,
    );
  const parts = { files: read.files, env: needed, names: undefined };
  return buildProgramCheck(context.python, { file, name }, parts, written, context);
}

/** The names of variables that code reads; undefined where it uses the context in any other way. */
function findReadVars(code: string): readonly string[] | undefined {
  const uses = code.match(/\bcontext\b/g)?.length ?? 0;
  const named = [
    ...code.matchAll(/\bcontext\[\s*["']vars["']\s*\](?:\[\s*["']([^"']+)["']\s*\]|\.get\(\s*["']([^"']+)["'])/g),
  ].map(([, item, got]) => item ?? got ?? '');
  return uses === named.length ? [...new Set(named)] : undefined;
}

/** promptfoo returns the value of a single line, and takes several as the body of a function. */
export function indent(code: string, fallback = '    '): string {
  if (!code.includes('\n')) return `${fallback}return ${code}`;
  const [style = fallback] = /^(?!\s*$)\s+/m.exec(code) ?? [];
  return code
    .split('\n')
    .map((line) => `${style}${line}`)
    .join('\n')
    .trimEnd();
}
