import { defined } from '../../json/defined.ts';
import { LeftOut, type Written } from '../draft.ts';
import { buildArgs, type CodeContext } from './javascript.ts';
import { findPython, findPythonEnv, type PythonSource, readPythonFiles } from './python.ts';

type Check = Readonly<Record<string, unknown>>;

/** A `python` assertion: a function in a Python file beside the suite, which `exec` runs. */
export async function convertPython(written: Written, context: CodeContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const part = written.child('value');
  const { value } = part;
  if (typeof value !== 'string' || value.trim() === '') return draft.refuse(part, 'the value of python must be code');
  if (value.startsWith('file://')) return convertFile(value, written, context);
  if (/\{\{|\{%|\{#/.test(value))
    return draft.refuse(part, 'the code is a template, which code never is here: read context["vars"]');
  const env = findPythonEnv(value);
  return buildCheck({ code: indent(value) }, { files: [], text: value, env: env.needed }, written, context);
}

async function convertFile(value: string, written: Written, context: CodeContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const part = written.child('value');
  const found = findPython(value);
  if (found === undefined) return draft.refuse(part, `${value} is no Python file`);
  const { file, name = 'get_assert' } = found;
  const read = await readPythonFiles(file, part, context.readText, context.glob);
  if (read instanceof LeftOut) return read;
  const { needed, optional } = findPythonEnv(read.text);
  if (optional.length > 0)
    draft.note(
      part,
      `the code of ${file} sees only the variables under env; add ${optional.join(', ')} where they are set`,
    );
  return buildCheck({ file, name }, { ...read, env: needed }, written, context);
}

function buildCheck(
  source: PythonSource,
  { files, text, env }: { readonly files: readonly string[]; readonly text: string; readonly env: readonly string[] },
  written: Written,
  context: CodeContext,
): Check | LeftOut {
  const { code, python, draft, inverse, threshold, isSelected } = context;
  const part = written.child('value');
  if (code.answers === 'mixed') return draft.refuse(part, 'only some providers give their answer as JSON to code');
  const args = buildArgs(written, 'file' in source ? undefined : findReadVars(text), context);
  if (args instanceof LeftOut) return args;
  const isState = code.answers === 'state' && !isSelected;
  const options = defined({
    threshold: typeof threshold === 'number' ? threshold : undefined,
    inverse: inverse ? true : undefined,
    json: code.answers === 'json' ? true : undefined,
    state: isState ? true : undefined,
  });
  const command = python.add('check', source, options, part.at().line);
  return {
    exec: {
      value: command,
      ...args,
      ...(files.length === 0 ? {} : { files: files.map((file) => python.fromSuite(file)), timeout: '5m' }),
      ...(env.length === 0 ? {} : { env }),
    },
    ...(isState ? { select: 'state' } : {}),
  };
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
function indent(code: string): string {
  if (!code.includes('\n')) return `    return ${code}`;
  const [style = '    '] = /^(?!\s*$)\s+/m.exec(code) ?? [];
  return code
    .split('\n')
    .map((line) => `${style}${line}`)
    .join('\n')
    .trimEnd();
}
