import { didYouMean } from '../text/did-you-mean.ts';
import { JinjaExpressionParser } from './jinja-expression.ts';
import { type JinjaToken, syntaxError, tokenizeJinja } from './jinja-tokens.ts';
import { TemplateError } from './template-error.ts';
import type { Branch, Expression, TemplateTree, TreeNode } from './template-tree.ts';
import { positionIn } from './tree-values.ts';

const MAX_LENGTH = 1_000_000;
const MAX_NESTED = 50;

export interface JinjaOptions {
  /** True where lines such as `user:` begin a message. They are looked for in the template's own text alone. */
  readonly roles?: boolean;
}

/** Reads the part of Jinja that prompts are written in; throws a `TemplateError` with the place of what is not in it. */
export function parseJinja(source: string, { roles = false }: JinjaOptions = {}): TemplateTree {
  if (source.length > MAX_LENGTH) {
    throw new TemplateError(`the template is longer than ${MAX_LENGTH} characters`, { kind: 'limit' });
  }
  return { source, nodes: new BlockParser(source, roles).parse() };
}

const TAGS = ['if', 'elif', 'else', 'endif', 'for', 'endfor', 'raw', 'endraw'];

class BlockParser {
  readonly #source: string;
  readonly #tokens: readonly JinjaToken[];
  #next = 0;
  #depth = 0;

  constructor(source: string, roles: boolean) {
    this.#source = source;
    this.#tokens = tokenizeJinja(source, roles);
  }

  parse(): readonly TreeNode[] {
    const { nodes, end } = this.#nodes([]);
    if (end !== undefined) throw syntaxError(this.#source, end.offset, `{% ${end.word} %} closes nothing`);
    return nodes;
  }

  /** Nodes up to one of the tags that end them. */
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
      if (this.#depth > MAX_NESTED) {
        const at = positionIn(this.#source, token.offset);
        throw new TemplateError(`tags are nested deeper than ${MAX_NESTED} levels`, { kind: 'limit', ...at });
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
      didYouMean(word, TAGS) ?? 'known: if, elif, else, for, raw',
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
      : syntaxError(this.#source, end.offset - end.word.length, `{% ${end.word} %} stands where {% ${close} %} must`);
  }

  #expression(code: string, offset: number): Expression {
    return new JinjaExpressionParser(this.#source, code, offset).parse();
  }
}
