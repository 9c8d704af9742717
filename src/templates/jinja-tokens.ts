import { TemplateError } from './template-error.ts';
import { positionIn } from './tree-values.ts';

/** What a template in Jinja is made of. */
export type JinjaToken =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | { readonly kind: 'role'; readonly role: string; readonly offset: number }
  | { readonly kind: 'output' | 'tag'; readonly code: string; readonly offset: number };

const OPENING = /\{[{%#]/g;
const CLOSING: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}', '{#': '#}' };
const RAW = /^-?\s*raw\s*-?%\}/;

/** Text, outputs and tags in order; comments are gone, and `-` beside a brace has eaten its blanks. */
export function tokenizeJinja(source: string, roles: boolean): readonly JinjaToken[] {
  const tokens: JinjaToken[] = [];
  const chosen = roles ? CHOSEN_ROLE.exec(source) : null;
  if (chosen !== null) {
    const message = 'a role must stand in the template: a variable may not choose one';
    throw syntaxError(source, chosen.index, message, 'write the conversation as turns of a case');
  }
  let from = 0;
  let trimsNext = false;
  const addText = (start: number, end: number, trimsEnd: boolean) => {
    let text = source.slice(start, end);
    let offset = start;
    if (trimsNext) {
      const kept = text.trimStart();
      offset += text.length - kept.length;
      text = kept;
    }
    if (trimsEnd) text = text.trimEnd();
    if (roles) addLines(source, text, offset, tokens);
    else if (text !== '') tokens.push({ kind: 'text', text, offset });
  };
  for (;;) {
    OPENING.lastIndex = from;
    const found = OPENING.exec(source);
    if (found === null) break;
    const open = found.index;
    const closing = CLOSING[found[0]] ?? '';
    addText(from, open, source[open + 2] === '-');
    const raw = found[0] === '{%' ? RAW.exec(source.slice(open + 2, open + 40)) : null;
    if (raw !== null) {
      const start = open + 2 + raw[0].length;
      const end = /\{%-?\s*endraw\s*-?%\}/.exec(source.slice(start));
      if (end === null) throw syntaxError(source, open, 'raw is never closed: {% endraw %} is missing');
      tokens.push({ kind: 'text', text: source.slice(start, start + end.index), offset: start });
      from = start + end.index + end[0].length;
      trimsNext = false;
      continue;
    }
    const close = findClosing(source, open + 2, closing);
    if (close === -1) throw syntaxError(source, open, `"${found[0]}" is never closed: "${closing}" is missing`);
    const code = source
      .slice(open + 2, close)
      .replace(/^-/, ' ')
      .replace(/-$/, ' ');
    if (found[0] !== '{#') tokens.push({ kind: found[0] === '{{' ? 'output' : 'tag', code, offset: open + 2 });
    trimsNext = source[close - 1] === '-' && close - 1 > open + 1;
    from = close + 2;
  }
  addText(from, source.length, false);
  return tokens;
}

/** Braces within a quoted text close nothing. */
function findClosing(source: string, from: number, closing: string): number {
  if (closing === '#}') return source.indexOf(closing, from);
  let quote = '';
  for (let index = from; index < source.length; index += 1) {
    const char = source[index] ?? '';
    if (quote !== '') {
      if (char === '\\') index += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (source.startsWith(closing, index)) return index;
  }
  return -1;
}

const ROLE_LINE = /^[^\S\n]*#?[^\S\n]*(system|user|assistant|developer)(?:\[[^\]\n]*\])?[^\S\n]*:[^\S\n]*$/i;

/** True where nothing else stands on the line but tags, which leave no text. */
function isAlone(source: string, start: number, stop: number): boolean {
  const end = source.indexOf('\n', stop);
  const before = source.slice(source.lastIndexOf('\n', start - 1) + 1, start);
  return TAGS_ALONE.test(before) && TAGS_ALONE.test(source.slice(stop, end === -1 ? source.length : end));
}

const TAGS_ALONE = /^(?:[^\S\n]|\{%(?:[^%\n]|%(?!\}))*%\}|\{#(?:[^#\n]|#(?!\}))*#\})*$/;
const CHOSEN_ROLE = /^[^\S\n]*#?[^\S\n]*\{\{[^}\n]*\}\}[^\S\n]*:[^\S\n]*$/m;

/** Lines that name a role, where the whole line is the template's own. */
function addLines(source: string, text: string, offset: number, tokens: JinjaToken[]): void {
  let kept = '';
  let keptAt = offset;
  for (let start = 0; start < text.length || start === 0; ) {
    const end = text.indexOf('\n', start);
    const stop = end === -1 ? text.length : end;
    const line = text.slice(start, stop);
    const spoken = ROLE_LINE.exec(line)?.[1];
    const role = spoken !== undefined && isAlone(source, offset + start, offset + stop) ? spoken : undefined;
    const next = end === -1 ? text.length : end + 1;
    if (role === undefined) kept += text.slice(start, next);
    else {
      if (kept !== '') tokens.push({ kind: 'text', text: kept, offset: keptAt });
      tokens.push({ kind: 'role', role: role.toLowerCase(), offset: offset + start });
      kept = '';
      keptAt = offset + next;
    }
    if (next === start) break;
    start = next;
  }
  if (kept !== '') tokens.push({ kind: 'text', text: kept, offset: keptAt });
}

/** An error of a template's text, at an offset in it. */
export function syntaxError(source: string, offset: number, message: string, hint?: string): TemplateError {
  const details = { kind: 'syntax', ...positionIn(source, offset) } as const;
  return new TemplateError(message, hint === undefined ? details : { ...details, hint });
}
