import { LeftOut, quote, type Written } from '../draft.ts';
import type { CodeContext } from './javascript.ts';
import { buildProgramCheck } from './program-check.ts';
import { indent } from './python-check.ts';
import { findRuby, findRubyEnv, readRubyFiles } from './ruby.ts';

/** A `ruby` assertion: a method in a Ruby file beside the suite, which `exec` runs. */
export async function convertRuby(
  written: Written,
  context: CodeContext,
): Promise<Readonly<Record<string, unknown>> | LeftOut> {
  const { draft, ruby } = context;
  const part = written.child('value');
  const { value } = part;
  if (typeof value !== 'string' || value.trim() === '') return draft.refuse(part, 'the value of ruby must be code');
  if (value.startsWith('file://')) {
    const found = findRuby(value);
    if (found === undefined) return draft.refuse(part, `${quote(value)} is no Ruby file`);
    const { file, name = 'get_assert' } = found;
    const read = await readRubyFiles(file, part, context);
    if (read instanceof LeftOut) return read;
    const parts = { files: read.files, env: readEnv(read.text, file, part, context), names: undefined };
    return buildProgramCheck(ruby, { file, name }, parts, written, context);
  }
  if (/\{\{|\{%|\{#/.test(value))
    return draft.refuse(part, 'the code is a template, which code never is here: read context["vars"]');
  // promptfoo puts a `return` before a single line, and Ruby takes no two.
  if (/^\s*return\b(?!.*\n)/.test(value))
    return draft.refuse(part, 'promptfoo fails a single line with a return', 'remove the return');
  const parts = { files: [], env: readEnv(value, 'the check', part, context), names: findReadVars(value) };
  return buildProgramCheck(ruby, { code: indent(value, '  ') }, parts, written, context);
}

function readEnv(text: string, shown: string, part: Written, { draft }: CodeContext): readonly string[] {
  const { needed, optional } = findRubyEnv(text);
  if (optional.length > 0)
    draft.note(
      part,
      `the code of ${shown} sees only the variables under env; add ${optional.join(', ')} where they are set`,
    );
  return needed;
}

/** The names of variables that code reads; undefined where it uses the context in any other way. */
function findReadVars(code: string): readonly string[] | undefined {
  const uses = code.match(/\bcontext\b/g)?.length ?? 0;
  const named = [
    ...code.matchAll(/\bcontext\[\s*["']vars["']\s*\](?:\[\s*["']([^"']+)["']\s*\]|\.fetch\(\s*["']([^"']+)["'])/g),
  ].map(([, item, fetched]) => item ?? fetched ?? '');
  return uses === named.length ? [...new Set(named)] : undefined;
}
