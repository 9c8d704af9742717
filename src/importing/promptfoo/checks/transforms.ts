import { defined } from '../../../json/defined.ts';
import { escapeRegex } from '../../../text/patterns/regex.ts';
import { isMap, LeftOut, placeAt, type Written } from '../../draft.ts';
import { findModuleFile } from '../code/code-files.ts';
import { findFault, formatBody, isBody, needsLooseMode } from '../code/javascript.ts';
import { findPython, findPythonEnv, readPythonFiles } from '../code/python.ts';
import type { Check, CheckContext } from './check-context.ts';

/** A part of an answer in `select` notation: no steps for the whole answer, several to run in turn. */
export type Steps = readonly unknown[];

type Step = Readonly<Record<string, unknown>> | 'trim';

/** Converts a transform to steps; undefined if it does anything else. */
function convertTransform(transform: unknown, isJson = false): Steps | undefined {
  if (typeof transform !== 'string') return undefined;
  const code = transform
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .trim()
    .replace(/^\(?\s*output\s*(?:,\s*\w+\s*)?\)?\s*=>\s*(?!\{)/, '')
    .replace(/;$/, '');
  if (!isBody(code.startsWith('return') || /[\n;]/.test(code) ? code : `return (${code}\n)`)) return undefined;
  return (
    convertMatch(code) ?? convertStatements(code) ?? convertExpression(code.replace(/^return\s+/, ''), 'output', isJson)
  );
}

/** Converts `const m = output.match(/…/); return m ? m[1].trim() : output.trim();` to a replacement by the group. */
function convertMatch(code: string): Steps | undefined {
  const found =
    /^(?:const|let|var)\s+(\w+)\s*=\s*output\.match\(\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[\n])+)\/([a-z]*)\);?\s*return\s+\1\s*\?\s*\1\[(\d)\](\.trim\(\))?\s*:\s*output(\.trim\(\))?$/.exec(
      code,
    );
  if (found === null) return undefined;
  const [, , pattern = '', flags = '', group = '', inTrim, outTrim] = found;
  if (/[gmy]/.test(flags) || inTrim !== outTrim) return undefined;
  // Groups of the pattern keep their numbers.
  const whole = {
    replace: `^[\\s\\S]*?(?:${pattern})[\\s\\S]*$`,
    with: `$${group}`,
    ...defined({ flags: flags === '' ? undefined : flags }),
  };
  return [whole, ...(inTrim === undefined ? [] : ['trim'])];
}

/** Converts `let text = output.trim(); if (text.startsWith('```')) text = text.slice(3); …; return text.trim();`. */
function convertStatements(code: string): Steps | undefined {
  const [, name = '', first = '', body = '', last = ''] =
    /^(?:let|var)\s+(\w+)\s*=\s*(output[^;\n]*);?\s*\n([\s\S]*?)\s*return\s+([^;\n]+)$/.exec(code) ?? [];
  const steps = name === '' ? undefined : convertExpression(first, 'output', false);
  if (steps === undefined) return undefined;
  const found: unknown[] = [...steps];
  const chains = body
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/\s*else if\s*/g, ' else ')
    .split(/;\s*(?:if\s*(?=\()|(?=\w+\s*=))|^\s*if\s*(?=\()/);
  for (const chain of chains.map((part) => part.trim().replace(/;$/, '')).filter((part) => part !== '')) {
    const step = convertChain(chain, name) ?? convertAssignment(chain, name);
    if (step === undefined) return undefined;
    found.push(...step);
  }
  const end = convertExpression(last.trim(), name, false);
  return end && [...found, ...end];
}

function convertAssignment(code: string, name: string): Steps | undefined {
  const [, variable, expression = ''] = /^(\w+)\s*=\s*([\s\S]+)$/.exec(code) ?? [];
  return variable === name ? convertExpression(expression, name, false) : undefined;
}

/** Converts `(text.startsWith('a')) text = text.slice(1); else (…)`: the first text found is removed. */
function convertChain(code: string, name: string): Steps | undefined {
  const texts: string[] = [];
  let isStart: boolean | undefined;
  for (const part of code.split(/;?\s*else\s*/)) {
    const [, one, kind, , text = '', two, three, amount = ''] =
      /^\((\w+)\.(startsWith|endsWith)\((["'])((?:(?!\3)[^\\])+)\3\)\)\s*\{?\s*(\w+)\s*=\s*(\w+)\.slice\((\d+|0,\s*-\d+)\);?\s*\}?$/.exec(
        part.trim(),
      ) ?? [];
    const wanted = kind === 'startsWith' ? String(text.length) : `0,-${text.length}`;
    if (one !== name || two !== name || three !== name || amount.replaceAll(/\s/g, '') !== wanted) return undefined;
    if (isStart !== undefined && isStart !== (kind === 'startsWith')) return undefined;
    isStart = kind === 'startsWith';
    texts.push(text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`));
  }
  const pattern = `(?:${texts.join('|')})`;
  return [{ replace: isStart === true ? `^${pattern}` : `${pattern}$`, with: '', match: 'first' }];
}

const replacePattern =
  /^\.replace(?:All)?\(\s*\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[\n])+)\/([a-z]*)\s*,\s*(["'])((?:(?!\3)[^\\])*)\3\s*\)/;
const splitPattern = /^\.split\(\s*(["'])([^\\"'])\1\s*\)\[0\]/;
const memberPattern = /^(?:\??\.[A-Za-z_$][\w$]*(?!\s*\()|\[\d+\]|\["[\w -]+"\]|\['[\w -]+'\])/;

/** Converts a chain of calls on the answer's text. */
function convertExpression(code: string, name: string, isJson: boolean): Steps | undefined {
  const text = String.raw`(?:String\(${name}\)|${name})`;
  const [head, inner] = new RegExp(String.raw`^JSON\.parse\(${text}((?:\.trim\(\))?)\)`).exec(code) ?? [];
  if (head !== undefined) {
    const members = readMembers(code.slice(head.length));
    if (members === undefined) return undefined;
    return [...(inner === '' ? [] : ['trim']), members === '' ? { json: true } : { jsonPath: `$${members}` }];
  }
  const start = new RegExp(`^${text}`).exec(code)?.[0];
  if (start === undefined) return undefined;
  let rest = code.slice(start.length);
  if (isJson && rest !== '' && readMembers(rest) !== undefined) return [{ jsonPath: `$${readMembers(rest)}` }];
  const steps: Step[] = [];
  while (rest !== '') {
    const read = readCall(rest);
    if (read === undefined) return undefined;
    steps.push(read.step);
    rest = rest.slice(read.length);
  }
  return steps;
}

function readCall(code: string): { readonly step: Step; readonly length: number } | undefined {
  const trimmed = /^\s*\.trim\(\)/.exec(code)?.[0];
  if (trimmed !== undefined) return { step: 'trim', length: trimmed.length };
  const white = /^\s*/.exec(code)?.[0].length ?? 0;
  const rest = code.slice(white);
  const replaced = replacePattern.exec(rest);
  if (replaced !== null) {
    const [whole, pattern = '', flags = '', , text = ''] = replaced;
    const others = flags.replace('g', '');
    const step = {
      replace: pattern,
      with: text,
      ...defined({ flags: others === '' ? undefined : others, match: flags.includes('g') ? undefined : 'first' }),
    };
    return others.includes('y') ? undefined : { step, length: white + whole.length };
  }
  const split = splitPattern.exec(rest);
  if (split === null) return undefined;
  const mark = escapeRegex(split[2] ?? '');
  return { step: { regex: `^[^${mark}]*` }, length: white + split[0].length };
}

/** Converts member access to the end of a JSONPath. */
function readMembers(code: string): string | undefined {
  let path = '';
  let rest = code;
  while (rest !== '') {
    const member = memberPattern.exec(rest)?.[0];
    if (member === undefined || /^\.(?:length|constructor)$/.test(member)) return undefined;
    path += member.replace('?.', '.');
    rest = rest.slice(member.length);
  }
  return path;
}

/** The input of a check. */
interface Transformed {
  readonly steps: Steps;
  /** True if the check must handle a last lower-case transform. */
  readonly lowered?: boolean;
  /** True if code makes the value, as in promptfoo. */
  readonly isMade?: boolean;
}

/** Possible conversions of consecutive transforms, simplest first. */
export function listTransforms(parts: readonly Written[], base: string, context: CheckContext) {
  const isJson = context.code.answers !== 'text';
  const read = (all: readonly Written[]): Steps | undefined => {
    const plain = all.map(({ value }) => convertTransform(value, isJson));
    return plain.every((steps) => steps !== undefined) ? plain.flat() : undefined;
  };
  const last = parts.at(-1);
  const [, whole] =
    /^(?:return\s+)?([\s\S]+)\.toLowerCase\(\);?$/.exec(typeof last?.value === 'string' ? last.value.trim() : '') ?? [];
  const lowered = last && whole !== undefined ? read([...parts.slice(0, -1), placeAt(whole, last.at())]) : undefined;
  const plain = read(parts);
  const ways: (() => Promise<Transformed | LeftOut>)[] = [];
  if (plain !== undefined) ways.push(() => Promise.resolve({ steps: plain }));
  if (lowered !== undefined) ways.push(() => Promise.resolve({ steps: lowered, lowered: true }));
  if (parts.length > 0) ways.push(() => writeTransforms(parts, base, context));
  return ways;
}

/** Writes a function that makes the check's input. */
async function writeTransforms(
  parts: readonly Written[],
  base: string,
  context: CheckContext,
): Promise<Transformed | LeftOut> {
  const [first] = parts;
  if (first === undefined) return { steps: [] };
  const files: string[] = [];
  const calls = await writeAll(parts, context, files);
  if (calls instanceof LeftOut) return calls;
  // Text checks get any other value as JSON.
  const text = ['javascript', 'python', 'ruby'].includes(base) ? {} : { text: true };
  return addExport(`promptfooTransform([${calls}]${writeOptions(text, context)})`, first, files, context);
}

/** Writes a function that makes the text of a context and its answer, for a judge. */
export async function writeContext(
  parts: readonly Written[],
  found: Written,
  context: CheckContext,
): Promise<Transformed | LeftOut> {
  const files: string[] = [];
  // It gets the result of the providers' transform, not of the test's.
  const finding = await writeAll([...context.ofProviders, found], context, files);
  if (finding instanceof LeftOut) return finding;
  const calls = await writeAll(parts, context, files);
  if (calls instanceof LeftOut) return calls;
  return addExport(`promptfooContext([${finding}], [${calls}]${writeOptions({}, context)})`, found, files, context);
}

function writeOptions(more: object, { code: { answers } }: CheckContext): string {
  const options = { ...more, ...(answers === 'json' || answers === 'state' ? { [answers]: true } : {}) };
  return Object.keys(options).length === 0 ? '' : `, ${JSON.stringify(options)}`;
}

function addExport(call: string, part: Written, files: readonly string[], { code }: CheckContext): Transformed {
  const name = code.add(call, part.at().line, 'transform');
  const made = {
    module: code.path,
    export: name,
    ...defined({ files: files.length === 0 ? undefined : [...new Set(files)] }),
  };
  return { steps: [made], isMade: true };
}

async function writeAll(parts: readonly Written[], context: CheckContext, files: string[]): Promise<string | LeftOut> {
  const calls: string[] = [];
  for (const part of parts) {
    if (context.code.answers === 'mixed')
      return context.draft.refuse(part, 'only some providers give their answer as JSON to code');
    const call = await writeTransform(part, context, files);
    if (typeof call !== 'string') return call;
    calls.push(call);
  }
  return calls.join(', ');
}

async function writeTransform(part: Written, context: CheckContext, files: string[]): Promise<string | LeftOut> {
  const { draft, code, python, readText, glob } = context;
  const { value } = part;
  if (typeof value !== 'string') return draft.refuse(part, 'a transform must be code');
  const file = findModuleFile(value);
  if (file !== undefined) {
    const text = await readText(file.path, part);
    if (typeof text !== 'string') return text;
    const fault = findTransformFault(text, context);
    if (fault !== undefined) return draft.refuse(part, `${file.path}: ${fault}`);
    return code.importFunction(file);
  }
  const found = value.startsWith('file://') ? findPython(value) : undefined;
  if (found !== undefined) {
    const read = await readPythonFiles(found.file, part, { readText, glob });
    if (read instanceof LeftOut) return read;
    if (findPythonEnv(read.text).needed.length > 0)
      return draft.refuse(part, `${found.file}: the code reads the environment, which a transform is not given`);
    const source = { file: found.file, name: found.name ?? 'get_transform' };
    const call = python.add('transform', source, {}, part.at().line).split(' ').at(-1);
    files.push(python.path, ...read.files.map((file) => python.fromSuite(file)));
    return `promptfooPython(new URL(${JSON.stringify(`../${python.path}`)}, import.meta.url), "${call}")`;
  }
  if (value.startsWith('file://')) return draft.refuse(part, `${value} is no JavaScript or Python file`);
  return writeInline(part, value, context);
}

function findTransformFault(text: string, context: CheckContext): string | undefined {
  if (/\bprocess\s*\??\.\s*env\b/.test(text)) return 'the code reads the environment, which a transform is not given';
  return findFault(text, { ...context, isSelected: false });
}

/** Writes inline code. promptfoo reads several lines as a function body, and returns the value of a single one. */
function writeInline(part: Written, value: string, context: CheckContext): string | LeftOut {
  const { draft } = context;
  const isFunction = /^\s*(?:async\s+)?(?:\([^()]*\)\s*=>|\w+\s*=>|function\b)/.test(value);
  if (!value.includes('\n') && isFunction)
    return draft.refuse(part, 'promptfoo does not call this function', 'write what it returns of output');
  const fault = findTransformFault(value, context);
  if (fault !== undefined) return draft.refuse(part, fault);
  const body = value.includes('\n') ? value.trimEnd() : `return ${value.trim()}`;
  if (/\bimport\s*\(/.test(value) || !isBody(body))
    return draft.refuse(part, 'the code is no body of a JavaScript function, so promptfoo fails on it');
  if (needsLooseMode(value)) return `promptfooTemplate(${JSON.stringify(value)})`;
  return `(output, context) => ${formatBody(body.replace(/;+$/, ''))}`;
}

/** Builds a check of a value made by code; undefined if it selects something that is no part of a text. */
export function selectMade(check: Check, steps: Steps): Check | undefined {
  if (['latency', 'cost', 'finishReason'].some((name) => check[name] !== undefined)) return check;
  const { select } = check;
  if (select === undefined) return { ...check, select: steps[0] };
  const own: readonly unknown[] = Array.isArray(select) ? select : [select];
  const areParts = own.every((step) => step === 'trim' || (isMap(step) && step['file'] === undefined));
  return areParts ? { ...check, select: [...steps, ...own] } : undefined;
}
