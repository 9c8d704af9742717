import { Script } from 'node:vm';
import { defined } from '../../../json/defined.ts';
import { escapeTemplate } from '../../../templates/template.ts';
import { attempt } from '../../../text/attempt.ts';
import { buildFunctionBody } from '../../../text/code/function-body.ts';
import { isMap, LeftOut, quote, type Written } from '../../draft.ts';
import { type Check, escapeData, type TypeContext } from '../checks/check-context.ts';
import { findNodeEnv } from '../providers/own-provider.ts';
import { isPartOfTest } from '../test-options.ts';
import { type CodeModule, findModuleFile, type ModuleFile } from './code-files.ts';

/** Converts a `javascript` assertion to an equivalent built-in check, else to a function in a file. */
export async function convertJavascript(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const part = written.child('value');
  const { value } = part;
  if (typeof value !== 'string') return draft.refuse(part, 'the value of javascript must be code');
  if (value.startsWith('file://')) return convertFile(value, written, context);
  if (value.startsWith('package:'))
    return draft.refuse(part, `${quote(value)} is not read`, 'name a file of the project');
  // Check templates first: a built-in check would read their braces as text.
  const fault = findTemplate(value) ?? findFault(value, context);
  if (fault !== undefined) return draft.refuse(part, fault);
  if (/\{\{/.test(value)) return buildCheck(`promptfooTemplate(${JSON.stringify(value)})`, written, undefined, context);
  const isPlain = !context.isSelected && context.code.answers === 'text';
  const plain = isPlain ? convertPlain(value) : undefined;
  if (plain !== undefined) return context.inverse ? { not: plain } : plain;
  const body = buildFunctionBody(value.trimEnd());
  if (!isBody(body)) return draft.refuse(part, 'the code is no body of a JavaScript function, so promptfoo fails it');
  const names = findReadVars(value);
  if (needsLooseMode(value)) return buildCheck(`promptfooTemplate(${JSON.stringify(value)})`, written, names, context);
  return buildCheck(`(output, context) => ${formatBody(body)}`, written, names, context);
}

async function convertFile(value: string, written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const part = written.child('value');
  const file = findModuleFile(value);
  if (file === undefined) return context.draft.refuse(part, `${quote(value)} is no JavaScript file`);
  const text = await context.readText(file.path, part);
  if (typeof text !== 'string') return text;
  const fault = findFault(text, context);
  if (fault !== undefined) return context.draft.refuse(part, `${file.path}: ${fault}`);
  return buildCheck({ ...file, text }, written, undefined, context);
}

/** Builds the arguments that a code check gets, in any language. */
export function readCodeCall(written: Written, names: readonly string[] | undefined, context: TypeContext) {
  const { code, draft, inverse, threshold, isSelected } = context;
  const part = written.child('value');
  if (code.answers === 'mixed') return draft.refuse(part, 'only some providers give their answer as JSON to code');
  const args = buildArgs(written, names, context);
  if (args instanceof LeftOut) return args;
  const isState = code.answers === 'state' && !isSelected;
  const options = defined({
    threshold: typeof threshold === 'number' ? threshold : undefined,
    inverse: inverse ? true : undefined,
    json: code.answers === 'json' && !context.isMade ? true : undefined,
    state: isState ? true : undefined,
  });
  return { part, args, isState, options };
}

export function buildCheck(
  source: CodeSource,
  written: Written,
  names: readonly string[] | undefined,
  context: TypeContext,
): Check | LeftOut {
  const { code } = context;
  const call = readCodeCall(written, names, context);
  if (call instanceof LeftOut) return call;
  const { part, args, isState, options } = call;
  const text = typeof source === 'string' ? source : source.text;
  const isReadingTest = /\bcontext\s*\??\.\s*test\b|[{,]\s*test\s*[,}:]/.test(text);
  const given = isReadingTest ? { args: { ...args.args, test: escapeData(context.test) } } : args;
  const { needed, optional } = findNodeEnv(text);
  if (optional.length > 0)
    context.draft.note(
      part,
      `the code sees only the variables under env; add ${optional.join(', ')} where they are set`,
    );
  const env = needed.length === 0 ? {} : { env: needed };
  const name = code.add(describeCall(source, options, code), part.at().line);
  return {
    module: { value: code.path, export: name, ...given, ...env },
    ...defined({ select: isState ? 'state' : undefined }),
  };
}

/** Builds the arguments: variables that code reads (all if `names` is unknown), and the assertion's config. */
function buildArgs(
  written: Written,
  names: readonly string[] | undefined,
  { draft, varNames }: TypeContext,
): { readonly args?: Check } | LeftOut {
  const read = [...new Set(varNames)].filter((name) => names === undefined || names.includes(name));
  const odd = read.find((name) => !/^[A-Za-z_][\w-]*$/.test(name));
  if (odd !== undefined)
    return draft.refuse(written.child('value'), `the variable "${odd}" can't be given to code: rename it`);
  const vars = Object.fromEntries(read.map((name) => [name, `{{ ${name} }}`]));
  const { config } = Object(written.value) as { readonly config?: unknown };
  const args = defined({
    vars: read.length === 0 ? undefined : vars,
    config: isMap(config) ? escapeData(config) : undefined,
  });
  return Object.keys(args).length === 0 ? {} : { args };
}

/** Source of a function: inline code, or a project file and its export. */
type CodeSource = string | (ModuleFile & { readonly text: string });

function describeCall(source: CodeSource, options: object, code: CodeModule): string {
  const more = Object.keys(options).length === 0 ? '' : `, ${JSON.stringify(options)}`;
  if (typeof source === 'string') return `promptfooCheck(${source}${more})`;
  return `promptfooFile(${code.importFile(source.path)}, ${JSON.stringify(source.name) ?? 'undefined'}${more})`;
}

/** Why code can't give the same verdict here; undefined if it can. */
export function findFault(
  code: string,
  { code: { answers }, isSelected }: Pick<TypeContext, 'code' | 'isSelected'>,
): string | undefined {
  if (/\bprocess\s*\??\.\s*mainModule\b/.test(code)) return 'the code loads a module by process.mainModule: use a file';
  const isState = answers === 'state' && !isSelected;
  const known = new Set(['vars', 'config', 'test', ...(isState ? ['metadata', 'providerResponse'] : [])]);
  const members = [...code.matchAll(/\bcontext\s*\??\.\s*([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
  const member = members.find((name) => !known.has(name));
  if (member !== undefined) return `the code reads context.${member}, which a check is not given`;
  const ofTest = [...code.matchAll(/\bcontext\s*\??\.\s*test\s*\??\.\s*([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
  const part = ofTest.find((name) => name !== 'vars' && isPartOfTest(name));
  if (part !== undefined) return `the code reads context.test.${part}, which a check is not given`;
  return undefined;
}

/** A variable in inline code, which the run fills in like promptfoo. */
export const plainNamePattern = /\{\{\s*(?!env\b)[A-Za-z_]\w*\s*\}\}/g;

function findTemplate(code: string): string | undefined {
  if (/\{\{|\{%|\{#/.test(code.replaceAll(plainNamePattern, '')))
    return 'the code is a template of more than names of variables: read context.vars';
  return /\bimport\s*\(/.test(code) ? 'the code imports a module, which has another folder here' : undefined;
}

/** Variables that code reads by name; undefined if it uses the context in any other way. */
function findReadVars(code: string): readonly string[] | undefined {
  const uses = code.match(/\bcontext\b/g)?.length ?? 0;
  const named = [...code.matchAll(/\bcontext\s*\??\.\s*vars\s*\??\.\s*([A-Za-z_$][\w$]*)/g)].map(
    ([, name = '']) => name,
  );
  return uses === named.length ? [...new Set(named)] : undefined;
}

/** True if code needs non-strict mode, as in promptfoo: it uses the global `this` or assigns undeclared names. */
export function needsLooseMode(code: string): boolean {
  if (/\bthis\s*(?:\??\.\s*[A-Za-z_$]|[;,)[\]])/.test(code)) return true;
  const declared = code.matchAll(/\b(?:let|const|var)\s+(\{[^}]*\}|\[[^\]]*\]|[\w$]+)/g);
  const known = new Set([...declared].flatMap(([, names = '']) => names.split(/[^\w$]+/)));
  const assigned = code.matchAll(/(?:^|[;{}(\n])\s*([A-Za-z_$][\w$]*)\s*(?:=(?![=>])|\s(?:of|in)\s)/g);
  return [...assigned].some(([, name = '']) => !known.has(name));
}

/** True if code compiles as a function body and can't end the function around it. Never runs it. */
export function isBody(body: string, params = 'output, context'): boolean {
  const sources = [
    `"use strict"; (function (${params}) {\n${body}\n})`,
    `"use strict"; (function (${params}) { if (true) {\n${body}\n} })`,
  ];
  return sources.every((source) => attempt(() => new Script(source), SyntaxError) instanceof Script);
}

export function formatBody(body: string): string {
  // A comma or brace needs the function's own braces.
  const expression = /^return ([^;,{\n]+)$/.exec(body)?.[1];
  if (expression !== undefined && !/\/[/*]/.test(expression)) return expression.trim();
  // White space inside a multi-line text matters.
  if (body.includes('`')) return `{\n${body}\n}`;
  const lines = body.split('\n').map((line) => (line === '' ? '' : `  ${line}`));
  return `{\n${lines.join('\n')}\n}`;
}

/** Converts one-liners that equal a built-in check. */
function convertPlain(code: string): Readonly<Record<string, unknown>> | undefined {
  const line = code.trim().replace(/;+\s*$/, '');
  const [, negation, lower, method = '', quoted = ''] =
    /^(!?)output(\.toLowerCase\(\))?\.(includes|startsWith|endsWith)\(("[^"\\]+"|'[^'\\]+')\)$/.exec(line) ?? [];
  if (method !== '') {
    const text = quoted.slice(1, -1);
    // A lower-case text never contains capitals.
    if (lower !== undefined && !/^[\x20-\x40[-\x7e]*$/.test(text)) return undefined;
    const name = method === 'includes' ? 'contains' : method;
    const check = {
      [name]: { value: escapeTemplate(text), ...defined({ ignoreCase: lower === undefined ? undefined : true }) },
    };
    return negation === '!' ? { not: check } : check;
  }
  const [, trim, equal = ''] = /^output(\.trim\(\))? === ("[^"\\]*"|'[^'\\]*')$/.exec(line) ?? [];
  if (equal !== '') {
    const text = equal.slice(1, -1);
    if (trim === undefined) return { equals: { value: escapeTemplate(text) } };
    return text === text.trim() ? { equals: { value: escapeTemplate(text), trim: true } } : undefined;
  }
  const [, path = '', literal = ''] =
    /^JSON\.parse\(output\)((?:\.[A-Za-z_]\w*|\[\d+\])+) === ("[^"\\]*"|'[^'\\]*'|true|false|-?\d{1,15}(?:\.\d{1,9})?)$/.exec(
      line,
    ) ?? [];
  if (literal === '' || /\.(?:length|constructor|toString|__proto__)\b/.test(path)) return undefined;
  const value: unknown = /^["']/.test(literal)
    ? escapeTemplate(literal.slice(1, -1))
    : (JSON.parse(literal) as unknown);
  return { equals: { value }, select: { jsonPath: `$${path}` } };
}
