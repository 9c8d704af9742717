import { isBody } from './javascript.ts';

/** A part of an answer, as a suite writes `select`: none for the whole answer, several for steps in turn. */
export type Steps = readonly unknown[];

type Step = Readonly<Record<string, unknown>> | 'trim';

/** The steps that a transform takes; undefined where it does anything else. */
export function convertTransform(transform: unknown, isJson = false): Steps | undefined {
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

/** `const m = output.match(/…/); return m ? m[1].trim() : output.trim();` is a replacement of the whole text by a group. */
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
    ...(flags === '' ? {} : { flags }),
  };
  return [whole, ...(inTrim === undefined ? [] : ['trim'])];
}

/** `let text = output.trim(); if (text.startsWith('```')) text = text.slice(3); …; return text.trim();` */
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

/** `(text.startsWith('a')) text = text.slice(1); else (…)`: the first text of them that is there goes. */
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

const REPLACE =
  /^\.replace(?:All)?\(\s*\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[\n])+)\/([a-z]*)\s*,\s*(["'])((?:(?!\3)[^\\])*)\3\s*\)/;
const SPLIT = /^\.split\(\s*(["'])([^\\"'])\1\s*\)\[0\]/;
const MEMBER = /^(?:\??\.[A-Za-z_$][\w$]*(?!\s*\()|\[\d+\]|\["[\w -]+"\]|\['[\w -]+'\])/;

/** A chain of calls on the answer's text. */
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
  const replaced = REPLACE.exec(rest);
  if (replaced !== null) {
    const [whole, pattern = '', flags = '', , text = ''] = replaced;
    const others = flags.replace('g', '');
    const step = {
      replace: pattern,
      with: text,
      ...(others === '' ? {} : { flags: others }),
      ...(flags.includes('g') ? {} : { match: 'first' }),
    };
    return others.includes('y') ? undefined : { step, length: white + whole.length };
  }
  const split = SPLIT.exec(rest);
  if (split === null) return undefined;
  const mark = (split[2] ?? '').replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
  return { step: { regex: `^[^${mark}]*` }, length: white + split[0].length };
}

/** Members of a value as the end of a JSONPath. */
function readMembers(code: string): string | undefined {
  let path = '';
  let rest = code;
  while (rest !== '') {
    const member = MEMBER.exec(rest)?.[0];
    if (member === undefined || /^\.(?:length|constructor)$/.test(member)) return undefined;
    path += member.replace('?.', '.');
    rest = rest.slice(member.length);
  }
  return path;
}
