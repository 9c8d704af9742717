import { type Draft, LeftOut, type Written } from '../draft.ts';
import type { CodeModule } from './code-module.ts';
import { formatBody, isBody } from './javascript.ts';
import type { ConvertedPrompt } from './prompts.ts';

/** The variables that `{ ...vars, name: 'value' }` adds; undefined for any other code. */
export function readAddedVars(code: unknown): readonly (readonly [name: string, value: unknown])[] | undefined {
  const [, more] = /^\s*\(?\{\s*\.\.\.vars\s*(?:,([\s\S]*?))?,?\s*\}\)?;?\s*$/.exec(String(code)) ?? [];
  const entries = [
    ...`${more ?? ''},`.matchAll(
      /\s*(["']?)([A-Za-z_$][\w$]*)\1\s*:\s*(?:(["'])((?:(?!\3)[^\\\n])*)\3|(-?\d+(?:\.\d+)?|true|false))\s*,/gy,
    ),
  ];
  const isWhole = entries.map(([whole]) => whole).join('') === `${more},`;
  if (more === undefined || !isWhole) return undefined;
  return entries.map(([, , name = '', , text, literal = '']) => [name, text ?? (JSON.parse(literal) as unknown)]);
}

/** True where code reads this variable by its name, or may read any. */
export function seesVariable(code: string | undefined, name: string): boolean {
  if (code === undefined) return false;
  return code.split(/\W+/).includes(name) || /\b(?:Object\.\w+\(|in|of)\s*vars\b|\bvars\s*\[/.test(code);
}

/** `transformVars` of the defaults as prompts in code call it; undefined where it is none that they can. */
export async function readVarsChange(
  defaults: Written,
  {
    code,
    readText,
  }: {
    readonly code: CodeModule;
    readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  },
): Promise<VarsChange | undefined> {
  const part = defaults.child('options').child('transformVars');
  const { value } = part;
  if (typeof value !== 'string' || readAddedVars(value) !== undefined) return undefined;
  const [, path, name] = /^file:\/\/(.+?\.[cm]?[jt]s)(?::(\w+))?$/.exec(value) ?? [];
  const text = path === undefined ? value : await readText(path, part);
  // Prompts in code are given nothing but variables, and give the same prompt each time.
  if (text instanceof LeftOut || /\bprocess\s*\??\.|\buuid\b|\bimport\s*\(/.test(text)) return undefined;
  if (path !== undefined)
    return {
      call: `promptfooFunction(${[code.importFile(path), ...(name === undefined ? [] : [JSON.stringify(name)])].join(', ')})`,
      text,
    };
  const body = value.includes('\n') ? value.trimEnd() : `return ${value.trim()}`;
  if (value.startsWith('file://') || !isBody(body, 'vars, context')) return undefined;
  return { call: `(vars, context) => ${formatBody(body)}`, text };
}

export interface VarsChange {
  /** As the module of prompts calls it. */
  readonly call: string;
  readonly text: string;
}

/** A prompt of the variables that this code makes. */
export function changeVars(
  prompt: ConvertedPrompt,
  { call: change }: VarsChange,
  { written, code, draft }: { readonly written: Written; readonly code: CodeModule; readonly draft: Draft },
): ConvertedPrompt | LeftOut {
  const { text, messages, module, export: name } = prompt.prompt;
  const made = module === undefined ? JSON.stringify(text ?? messages, null, 2) : String(name);
  if (made === undefined || (prompt.pictures ?? []).length > 0 || prompt.question !== undefined)
    return draft.refuse(written, '"transformVars" of such a prompt has no equivalent here');
  const call = code.add(`promptfooVars(${change}, ${made})`, written.at().line);
  return { ...prompt, prompt: { module: code.path, export: call }, variables: [], form: 'code' };
}
