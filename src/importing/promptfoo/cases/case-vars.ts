import { defined } from '../../../json/defined.ts';
import { compileTemplate, loadTemplateEngine } from '../../../templates/template.ts';
import { TemplateError } from '../../../templates/template-error.ts';
import { attemptOr } from '../../../text/attempt.ts';
import { type Draft, type ImportContext, LeftOut, placeAt, quote, type Written } from '../../draft.ts';
import { type CodeModule, findModuleFile } from '../code/code-files.ts';
import { formatBody, isBody } from '../code/javascript.ts';
import { isPartialTemplate, translateNunjucks } from '../code/nunjucks.ts';
import type { ConvertedPrompt } from '../prompts.ts';
import { expandVars, mergeVars } from './tests.ts';

export type Vars = Readonly<Record<string, unknown>>;

/** True for a value that promptfoo renders again before it fills it into a text prompt. */
function isRendered(value: unknown, vars: Vars): value is string {
  if (typeof value !== 'string' || !/\{[{%#]/.test(value) || isPartialTemplate(value)) return false;
  return listNames(value).every((name) => Object.hasOwn(vars, name));
}

/** Names that promptfoo finds in a template. A value with an unknown name is left unchanged. */
function listNames(template: string): readonly string[] {
  const text = template.replaceAll(/\{#[\s\S]*?#\}/g, '');
  const found = [...text.matchAll(/\{\{\s*([^{}\s|]+)\s*(?:\|[^}]+)?\}\}|\{%\s*(?:if|for)\s+([^{}\s]+)\s*.*?%\}/g)].map(
    ([, output, tag]) => output ?? tag ?? '',
  );
  const loops = [...text.matchAll(/\{%\s*for\s+(\w+)\s+in\s+(\w+)\s*%\}/g)];
  const items = new Set(loops.map(([, item]) => item));
  return [...found.filter((name) => !items.has(name)), ...loops.map(([, , list = '']) => list)].flatMap((name) => {
    const root = /^[A-Za-z_]\w*/.exec(name)?.[0];
    return root === undefined || root === 'env' ? [] : [root];
  });
}

/** Renders a value like promptfoo; undefined if a suite's templates can't express it. */
async function renderValue(value: string, vars: Vars): Promise<string | undefined> {
  const translated = translateNunjucks(value);
  if ('fault' in translated) return undefined;
  await loadTemplateEngine();
  return attemptOr(() => compileTemplate(translated.text).render(vars), TemplateError, undefined);
}

export interface RenderContext extends ImportContext {
  readonly prompts: readonly (LeftOut | ConvertedPrompt)[];
  /** Checks and providers in the suite's notation: promptfoo gives them unrendered values. */
  readonly readers: string;
  /** Names under which tests store answers. */
  readonly stored: ReadonlySet<string>;
  /** Code of the defaults' `transformVars`, if prompts run it. */
  readonly change: string | undefined;
}

/** Reads the variables of a test's cases. */
export async function readCaseVars(
  layers: readonly Written[],
  context: RenderContext,
): Promise<readonly Vars[] | LeftOut> {
  const parts = layers.map((layer) => layer.child('vars'));
  const places = await mergeVars(parts, context);
  if (places instanceof LeftOut) return places;
  // promptfoo's code sees the file's name; here it would see the content.
  const file = [...places].find(
    ([name, { value }]) => /^(?:file|package):/.test(String(value)) && seesVariable(context.change, name),
  );
  if (file !== undefined)
    return context.draft.refuse(
      file[1],
      'a variable that names a file and that "transformVars" reads has no equivalent here',
    );
  const added = readTransform(layers, context);
  if (added instanceof LeftOut) return added;
  const expanded = await expandVars(new Map([...places, ...added]), context);
  return expanded instanceof LeftOut ? expanded : renderVars(expanded, places, context);
}

/** Reads the variables that `transformVars` adds: `{ ...vars, name: 'value' }`. */
function readTransform(
  layers: readonly Written[],
  { draft, change }: RenderContext,
): readonly (readonly [string, Written])[] | LeftOut {
  const parts = layers.map((layer) => layer.child('options').child('transformVars'));
  const part = parts.findLast(({ value }) => value !== undefined);
  if (part === undefined) return [];
  // Code of the defaults changes the prompts' variables; no check reads them.
  if (change !== undefined && part === parts[0]) return [];
  const added = readAddedVars(part.value);
  if (added === undefined)
    return draft.refuse(
      part,
      '"transformVars" is code, which has no equivalent here',
      'write the variables into tests',
    );
  return added.map(([name, value]) => [name, placeAt(value, part.at())]);
}

/** Renders the values that prompts get. promptfoo renders a value only for text prompts. */
async function renderVars(
  cases: readonly Vars[],
  places: ReadonlyMap<string, Written>,
  { draft, prompts, readers, stored }: RenderContext,
): Promise<readonly Vars[] | LeftOut> {
  const rendered: Vars[] = [];
  for (const vars of cases) {
    const values: Record<string, unknown> = { ...vars };
    for (const [name, value] of Object.entries(vars)) {
      const place = places.get(name);
      if (place === undefined || typeof value !== 'string') continue;
      if ([...stored].some((one) => reads(value, one)))
        return draft.refuse(
          place,
          `the variable "${name}" reads the answer of another test, which a case can't do here`,
        );
      const known = prompts.flatMap((one) => (one instanceof LeftOut ? [] : [one]));
      if (value.includes('\n') && known.some(({ form, variables }) => form === 'yaml' && variables.includes(name)))
        return draft.refuse(place, `"${name}" has several lines, which break the YAML of a prompt in promptfoo`);
      if (!isRendered(value, vars) || prompts.every((one) => !(one instanceof LeftOut) && one.form === 'json'))
        continue;
      const text = await renderValue(value, vars);
      if (text === value) continue;
      const isSameForAll = known.every(({ form }) => form === 'text' || form === 'yaml') && !reads(readers, name);
      if (text === undefined || !isSameForAll || readers.includes('"vars":[')) {
        const reason = `the variable "${name}" is a template of its own, which a value never is here`;
        return draft.refuse(place, reason, 'write out its value');
      }
      values[name] = text;
    }
    rendered.push(values);
  }
  return rendered;
}

/** True if a template reads this name. */
export function reads(template: string, name: string): boolean {
  return new RegExp(String.raw`\{[{%][^}]*\b${name.replaceAll(/\W/g, String.raw`\$&`)}\b`).test(template);
}

/** Empty values for variables that some test does not set: promptfoo renders them empty. */
export function findMissingVars(
  checked: ReadonlySet<string>,
  prompts: readonly (LeftOut | { readonly variables: readonly string[] })[],
  cases: readonly unknown[],
): Readonly<Record<string, string>> {
  const read = new Set([
    ...checked,
    ...prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : prompt.variables)),
  ]);
  const given = listVars(cases);
  const isMissing = (name: string) => given.some((vars) => !Object.hasOwn(vars, name));
  return Object.fromEntries([...read].filter(isMissing).map((name) => [name, '']));
}

/** Variables of each imported case. */
function listVars(cases: readonly unknown[]): readonly Vars[] {
  return cases.flatMap((one) => (one instanceof LeftOut ? [] : [Object(Object(one)['vars']) as Vars]));
}

/** Lets a prompt read members that some test lacks: promptfoo renders them empty. */
export function allowMissing(
  prompt: Readonly<Record<string, unknown>>,
  variables: readonly string[],
  cases: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const given = listVars(cases);
  const isMissing = (path: string) => {
    const [root = '', ...members] = Array.from(
      path.matchAll(/"([^"]*)"|'([^']*)'|[^.[\]"']+/g),
      ([part, double, single]) => double ?? single ?? part,
    );
    const read = (vars: unknown, name: string) =>
      Object.hasOwn(Object(vars), name) ? (vars as Vars)[name] : undefined;
    return (
      variables.includes(root) && given.some((vars) => [root, ...members].reduce<unknown>(read, vars) === undefined)
    );
  };
  const allow = (text: string) =>
    text.replaceAll(
      /(\{\{-? )([A-Za-z_][\w-]*(?:\.\w+|\[(?:\d+|"[^"\]]*"|'[^'\]]*')\])+)(?= )/g,
      (whole, _open, path: string) => (isMissing(path) ? `${whole} | default: "", allow_false: true` : whole),
    );
  const { text, messages } = prompt as { readonly text?: string; readonly messages?: readonly { content: string }[] };
  return {
    ...prompt,
    ...defined({ text: text && allow(text) }),
    ...defined({ messages: messages?.map((one) => ({ ...one, content: allow(one.content) })) }),
  };
}

/** Notes defaults of variables that are empty in some test. promptfoo applies a default only to undefined ones. */
export function noteEmptyDefaults(
  prompts: readonly (LeftOut | { readonly prompt: Readonly<Record<string, unknown>> })[],
  cases: readonly unknown[],
  note: (message: string) => void,
): void {
  const given = listVars(cases);
  const empty = new Set<unknown>(['', false, null]);
  const read = prompts.flatMap((one) => {
    if (one instanceof LeftOut) return [];
    const written = `${String(one.prompt['text'])}\n${JSON.stringify(one.prompt['messages'])}`;
    const defaults = written.matchAll(/\{\{-? ([\w-]+) \| default: (?!\\?["']\\?["']|[^}]*, true)/g);
    return Array.from(defaults, ([, name = '']) => name);
  });
  for (const name of new Set(read)) {
    if (given.some((vars) => Object.hasOwn(vars, name) && empty.has(vars[name])))
      note(`the default of ${quote(name)} is for empty values too here, not only for missing ones`);
  }
}

/** Builds a contract with the optional variables of prompts in code, which some test lacks. */
export function findOptionalVars(
  prompts: readonly (LeftOut | { readonly prompt: Readonly<Record<string, unknown>> })[],
  cases: readonly unknown[],
): object | undefined {
  const isCode = prompts.some(
    (prompt) => !(prompt instanceof LeftOut) && (prompt.prompt['module'] ?? prompt.prompt['exec']) !== undefined,
  );
  const given = listVars(cases);
  const names = [...new Set(given.flatMap((vars) => Object.keys(vars)))];
  if (!isCode || names.every((name) => given.every((vars) => Object.hasOwn(vars, name)))) return undefined;
  return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])) };
}

/** Variables added by `{ ...vars, name: 'value' }`; undefined for any other code. */
function readAddedVars(code: unknown): readonly (readonly [name: string, value: unknown])[] | undefined {
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

/** True if code reads this variable by name, or may read any. */
function seesVariable(code: string | undefined, name: string): boolean {
  if (code === undefined) return false;
  return code.split(/\W+/).includes(name) || /\b(?:Object\.\w+\(|in|of)\s*vars\b|\bvars\s*\[/.test(code);
}

/** Reads the defaults' `transformVars` as code that prompts can call; undefined if they can't. */
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
  const file = findModuleFile(value);
  const text = file === undefined ? value : await readText(file.path, part);
  // Prompts in code get only variables, and must return the same prompt each time.
  if (text instanceof LeftOut || /\bprocess\s*\??\.|\buuid\b|\bimport\s*\(/.test(text)) return undefined;
  if (file !== undefined) return { call: code.importFunction(file), text };
  const body = value.includes('\n') ? value.trimEnd() : `return ${value.trim()}`;
  if (value.startsWith('file://') || !isBody(body, 'vars, context')) return undefined;
  return { call: `(vars, context) => ${formatBody(body)}`, text };
}

export interface VarsChange {
  /** Call in the module of prompts. */
  readonly call: string;
  readonly text: string;
}

/** Wraps a prompt, so that this code computes its variables. */
export function changeVars(
  prompt: ConvertedPrompt,
  { call: change }: VarsChange,
  { written, code, draft }: { readonly written: Written; readonly code: CodeModule; readonly draft: Draft },
): ConvertedPrompt | LeftOut {
  const { text, messages, module, export: name } = prompt.prompt;
  const source = module === undefined ? JSON.stringify(text ?? messages, null, 2) : String(name);
  if (source === undefined || (prompt.pictures ?? []).length > 0 || prompt.question !== undefined)
    return draft.refuse(written, '"transformVars" of such a prompt has no equivalent here');
  const call = code.add(`promptfooVars(${change}, ${source})`, written.at().line);
  return { ...prompt, prompt: { module: code.path, export: call }, variables: [], form: 'code' };
}
