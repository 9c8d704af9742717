import { didYouMean } from '../text/words/did-you-mean.ts';
import { JinjaExpressionParser } from './jinja-expression.ts';
import { positionIn, refuseLongTemplate, syntaxError, TemplateError } from './template-error.ts';
import type { Branch, Expression, TemplateTree, TreeNode } from './template-tree.ts';

const maxNested = 50;

/**
 * Parses the supported part of Jinja. Throws a `TemplateError` with the place of anything else. A line such as `user:`
 * starts a message, but only in the template's own text.
 */
export function parseJinja(source: string): TemplateTree {
  refuseLongTemplate(source);
  return { source, nodes: new BlockParser(source).parse() };
}

const tagNames = ['if', 'elif', 'else', 'endif', 'for', 'endfor', 'raw', 'endraw'];

class BlockParser {
  readonly #source: string;
  readonly #tokens: readonly JinjaToken[];
  #next = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenizeJinja(source);
  }

  parse(): readonly TreeNode[] {
    const { nodes, end } = this.#nodes([]);
    if (end !== undefined) throw syntaxError(this.#source, end.offset, `{% ${end.word} %} closes nothing`);
    return nodes;
  }

  /** Reads nodes up to one of the end tags. */
  #nodes(ends: readonly string[]): {
    nodes: readonly TreeNode[];
    end?: { word: string; code: string; offset: number };
  } {
    const nodes: TreeNode[] = [];
    this.#depth += 1;
    for (; this.#next < this.#tokens.length; ) {
      const token = this.#tokens[this.#next];
      this.#next += 1;
      if (token === undefined) break;
      if (this.#depth > maxNested) {
        const at = positionIn(this.#source, token.offset);
        throw new TemplateError(`tags are nested deeper than ${maxNested} levels`, { kind: 'limit', ...at });
      }
      switch (token.kind) {
        case 'text':
          nodes.push({ kind: 'text', text: token.text });
          break;
        case 'role':
          nodes.push({
            kind: 'mark',
            mark: 'role',
            value: { kind: 'literal', value: token.role },
            offset: token.offset,
          });
          break;
        case 'givenRole': {
          const value = this.#expression(token.code, token.offset);
          nodes.push({ kind: 'mark', mark: 'role', value, isGiven: true, offset: token.offset });
          break;
        }
        case 'output':
          nodes.push({ kind: 'output', value: this.#expression(token.code, token.offset), offset: token.offset });
          break;
        case 'tag': {
          const word = /^\s*([A-Za-z_]*)/.exec(token.code)?.[1] ?? '';
          const skipped = token.code.indexOf(word) + word.length;
          const code = token.code.slice(skipped);
          const offset = token.offset + skipped;
          if (ends.includes(word) || ['elif', 'else', 'endif', 'endfor'].includes(word)) {
            this.#depth -= 1;
            return { nodes, end: { word, code, offset } };
          }
          nodes.push(this.#tag(word, code, offset));
        }
      }
    }
    this.#depth -= 1;
    return { nodes };
  }

  #tag(word: string, code: string, offset: number): TreeNode {
    if (word === 'if') return this.#if(code, offset);
    if (word === 'for') return this.#for(code, offset);
    throw syntaxError(
      this.#source,
      offset - word.length,
      `the tag "${word}" is not known here`,
      didYouMean(word, tagNames) ?? 'known: if, elif, else, for, raw',
    );
  }

  #if(code: string, offset: number): TreeNode {
    const branches: Branch[] = [];
    let test = this.#expression(code, offset);
    for (;;) {
      const { nodes, end } = this.#nodes(['elif', 'else', 'endif']);
      branches.push({ test, body: nodes });
      if (end?.word === 'elif') {
        test = this.#expression(end.code, end.offset);
        continue;
      }
      if (end?.word === 'endif') return { kind: 'if', branches, otherwise: [] };
      if (end?.word !== 'else') throw this.#unclosed('if', 'endif', offset, end);
      const otherwise = this.#nodes(['endif']);
      if (otherwise.end?.word !== 'endif') throw this.#unclosed('if', 'endif', offset, otherwise.end);
      return { kind: 'if', branches, otherwise: otherwise.nodes };
    }
  }

  #for(code: string, offset: number): TreeNode {
    const head = /^\s*([A-Za-z_]\w*)\s+in\s+/.exec(code);
    if (head === null) {
      throw syntaxError(this.#source, offset, 'a loop goes through one list', 'write {% for item in items %}');
    }
    const list = this.#expression(code.slice(head[0].length), offset + head[0].length);
    const { nodes, end } = this.#nodes(['else', 'endfor']);
    const otherwise = end?.word === 'else' ? this.#nodes(['endfor']) : { nodes: [], end };
    if (otherwise.end?.word !== 'endfor') throw this.#unclosed('for', 'endfor', offset, otherwise.end);
    return {
      kind: 'each',
      list,
      item: head[1] ?? '',
      entersItem: false,
      body: nodes,
      otherwise: otherwise.nodes,
      offset,
    };
  }

  #unclosed(open: string, close: string, offset: number, end?: { word: string; offset: number }): TemplateError {
    return end === undefined
      ? syntaxError(this.#source, offset - open.length, `{% ${open} %} is never closed: {% ${close} %} is missing`)
      : syntaxError(
          this.#source,
          end.offset - end.word.length,
          `{% ${end.word} %} found where {% ${close} %} is expected`,
        );
  }

  #expression(code: string, offset: number): Expression {
    return new JinjaExpressionParser(this.#source, code, offset).parse();
  }
}

/** Token of a Jinja template. */
type JinjaToken =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | { readonly kind: 'role'; readonly role: string; readonly offset: number }
  /** A line whose role is a variable, as in a loop over a conversation. */
  | { readonly kind: 'givenRole'; readonly code: string; readonly offset: number }
  | { readonly kind: 'output' | 'tag'; readonly code: string; readonly offset: number };

const openingPattern = /\{[{%#]/g;
const closingOf: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}', '{#': '#}' };
const rawPattern = /^-?\s*raw\s*-?%\}/;

/** Splits a template into text, outputs and tags. Drops comments, and trims blanks at a `-` beside a brace. */
function tokenizeJinja(source: string): readonly JinjaToken[] {
  const tokens: JinjaToken[] = [];
  const lines = new Lines(source);
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
    addLines(lines, text, offset, tokens);
  };
  for (;;) {
    openingPattern.lastIndex = from;
    const found = openingPattern.exec(source);
    if (found === null) break;
    const open = found.index;
    const closing = closingOf[found[0]] ?? '';
    addText(from, open, source[open + 2] === '-');
    const raw = found[0] === '{%' ? rawPattern.exec(source.slice(open + 2, open + 40)) : null;
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
    const lineEnd = found[0] === '{{' ? lines.findGivenRole(open, close + 2) : undefined;
    if (lineEnd !== undefined) {
      tokens.push({ kind: 'givenRole', code, offset: open + 2 });
      trimsNext = false;
      from = lineEnd;
      continue;
    }
    if (found[0] !== '{#') tokens.push({ kind: found[0] === '{{' ? 'output' : 'tag', code, offset: open + 2 });
    trimsNext = source[close - 1] === '-';
    from = close + 2;
  }
  addText(from, source.length, false);
  return tokens;
}

/** Finds the closing brace. Braces in quotes do not count. */
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

const roleLinePattern = /^[^\S\n]*(?:#[^\S\n]*)?(system|user|assistant|developer)(?:\[[^\]\n]*\])?[^\S\n]*:[^\S\n]*$/i;

const tagsSource = String.raw`(?:[^\S\n]|\{%(?:[^%\n]|%(?!\}))*%\}|\{#(?:[^#\n]|#(?!\}))*#\})*`;

/** Knows which parts of a line have only tags before them, which leave no text. */
class Lines {
  readonly #source: string;
  /** The last line that was asked for, and how far it holds only tags from its start. */
  #line = { start: 0, end: -1, tagsEnd: 0 };

  constructor(source: string) {
    this.#source = source;
  }

  /** True if the line contains only tags besides the part. */
  isAlone(start: number, stop: number): boolean {
    return this.#followsTags(start) && this.#matchAt(new RegExp(`${tagsSource}(?=\\n|$)`, 'y'), stop) !== undefined;
  }

  /** Returns the end of a line `{{ item.role }}:` if only the output precedes the colon. */
  findGivenRole(start: number, stop: number): number | undefined {
    // The cheap test first: a line may have 100,000 outputs, and a colon ends only one of them.
    const end = this.#matchAt(/[^\S\n]*:[^\S\n]*(?=\n|$)/y, stop);
    return end !== undefined && this.#followsTags(start) ? end : undefined;
  }

  #followsTags(at: number): boolean {
    const { start, end } = this.#line;
    if (at < start || at > end) this.#line = this.#readLine(at);
    return this.#line.tagsEnd >= at;
  }

  #readLine(at: number) {
    const source = this.#source;
    const start = source.lastIndexOf('\n', at - 1) + 1;
    const feed = source.indexOf('\n', at);
    const tagsEnd = this.#matchAt(new RegExp(tagsSource, 'y'), start) ?? start;
    return { start, end: feed === -1 ? source.length : feed, tagsEnd };
  }

  #matchAt(pattern: RegExp, at: number): number | undefined {
    pattern.lastIndex = at;
    return pattern.test(this.#source) ? pattern.lastIndex : undefined;
  }
}

/** Adds text and role lines. A role line must be entirely the template's own text. */
function addLines(lines: Lines, text: string, offset: number, tokens: JinjaToken[]): void {
  let kept = '';
  let keptAt = offset;
  for (let start = 0; start < text.length || start === 0; ) {
    const end = text.indexOf('\n', start);
    const stop = end === -1 ? text.length : end;
    const line = text.slice(start, stop);
    const spoken = roleLinePattern.exec(line)?.[1];
    const role = spoken !== undefined && lines.isAlone(offset + start, offset + stop) ? spoken : undefined;
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
