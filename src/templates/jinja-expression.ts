import { didYouMean } from '../text/words/did-you-mean.ts';
import { isKeptByDouble } from '../text/yaml/exact-numbers.ts';
import { jinjaFilters, jinjaLanguage } from './languages.ts';
import { positionIn, syntaxError, TemplateError } from './template-error.ts';
import type { Expression, PathExpression, TestOperator } from './template-tree.ts';
import { describeLongLiteral, longLiteralHint } from './template-values.ts';

const maxNested = 50;
const lexemePattern =
  /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|(==|!=|<=|>=|[<>|.,()[\]=]))/uy;

interface Lexeme {
  readonly kind: 'text' | 'number' | 'word' | 'sign' | 'end';
  readonly value: string;
  readonly offset: number;
}

const literals: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  null: null,
};
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** Parses the text between braces: paths, comparisons and filters. */
export class JinjaExpressionParser {
  readonly #source: string;
  readonly #lexemes: readonly Lexeme[];
  #next = 0;
  #depth = 0;

  constructor(source: string, code: string, offset: number) {
    this.#source = source;
    this.#lexemes = this.#lex(code, offset);
  }

  parse(): Expression {
    const expression = this.#or();
    const rest = this.#peek();
    if (rest.kind !== 'end') throw this.#unexpected(rest);
    return expression;
  }

  #lex(code: string, offset: number): readonly Lexeme[] {
    const lexemes: Lexeme[] = [];
    lexemePattern.lastIndex = 0;
    for (let at = 0; ; at = lexemePattern.lastIndex) {
      const blank = /\s*/y;
      blank.lastIndex = at;
      blank.exec(code);
      if (blank.lastIndex >= code.length) break;
      const match = lexemePattern.exec(code);
      const start = offset + blank.lastIndex;
      if (match === null) {
        const found = code.charAt(blank.lastIndex);
        const hint = /[+*/%~-]/.test(found) ? 'there is no arithmetic: compute it in the variables' : undefined;
        throw syntaxError(this.#source, start, `"${found}" is not known here`, hint);
      }
      const [, quoted, number, word, sign] = match;
      if (quoted !== undefined) lexemes.push({ kind: 'text', value: unquote(quoted), offset: start });
      else if (number !== undefined) {
        if (!isKeptByDouble(number))
          throw syntaxError(this.#source, start, describeLongLiteral(number), longLiteralHint);
        lexemes.push({ kind: 'number', value: number, offset: start });
      } else if (word !== undefined) lexemes.push({ kind: 'word', value: word, offset: start });
      else lexemes.push({ kind: 'sign', value: sign ?? '', offset: start });
    }
    lexemes.push({ kind: 'end', value: '', offset: offset + code.trimEnd().length });
    return lexemes;
  }

  #peek(): Lexeme {
    return this.#lexemes[this.#next] ?? { kind: 'end', value: '', offset: 0 };
  }

  #take(value: string): boolean {
    const lexeme = this.#peek();
    if (lexeme.kind === 'text' || lexeme.kind === 'number' || lexeme.value !== value) return false;
    this.#next += 1;
    return true;
  }

  #expect(value: string): void {
    if (!this.#take(value)) throw this.#unexpected(this.#peek(), value);
  }

  #unexpected({ kind, value, offset }: Lexeme, wanted?: string): TemplateError {
    const found = kind === 'end' ? 'the expression ends too early' : `"${value}" is out of place`;
    const hint = value === 'if' ? 'choose with {% if … %}…{% else %}…{% endif %}' : undefined;
    return syntaxError(this.#source, offset, wanted === undefined ? found : `${found}: "${wanted}" is missing`, hint);
  }

  #or(): Expression {
    this.#depth += 1;
    if (this.#depth > maxNested) {
      const at = positionIn(this.#source, this.#peek().offset);
      throw new TemplateError(`the expression is nested deeper than ${maxNested} levels`, { kind: 'limit', ...at });
    }
    let left = this.#and();
    while (this.#take('or')) left = { kind: 'test', operator: 'or', operands: [left, this.#and()] };
    this.#depth -= 1;
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#take('and')) left = { kind: 'test', operator: 'and', operands: [left, this.#not()] };
    return left;
  }

  #not(): Expression {
    let count = 0;
    while (this.#take('not')) count += 1;
    const inner = this.#comparison();
    if (count === 0) return inner;
    const negated: Expression = { kind: 'test', operator: 'not', operands: [inner] };
    return count % 2 === 1 ? negated : { kind: 'test', operator: 'not', operands: [negated] };
  }

  #comparison(): Expression {
    const left = this.#filtered();
    const { value, kind, offset } = this.#peek();
    if (kind === 'sign' && ['==', '!=', '<', '>', '<=', '>='].includes(value)) {
      this.#next += 1;
      return { kind: 'test', operator: value as TestOperator, operands: [left, this.#filtered()] };
    }
    if (this.#take('in')) return { kind: 'test', operator: 'in', operands: [left, this.#filtered()] };
    if (kind === 'word' && value === 'not' && this.#lexemes[this.#next + 1]?.value === 'in') {
      this.#next += 2;
      const inner: Expression = { kind: 'test', operator: 'in', operands: [left, this.#filtered()] };
      return { kind: 'test', operator: 'not', operands: [inner] };
    }
    if (!this.#take('is')) return left;
    const isNot = this.#take('not');
    const { value: test, offset: at } = this.#peek();
    const name = `is ${test === 'None' ? 'none' : test}`;
    if (!Object.hasOwn(jinjaLanguage.functions, name)) {
      throw syntaxError(
        this.#source,
        at,
        `the test "${test}" is not known here`,
        'known: defined, none, string, number',
      );
    }
    this.#next += 1;
    const call: Expression = { kind: 'call', name, args: [left], named: [], offset };
    return isNot ? { kind: 'test', operator: 'not', operands: [call] } : call;
  }

  #filtered(): Expression {
    let value = this.#primary();
    while (this.#take('|')) {
      const lexeme = this.#peek();
      const { kind, value: name, offset } = lexeme;
      if (kind === 'end') throw this.#unexpected(lexeme);
      if (kind !== 'word' || !Object.hasOwn(jinjaFilters, name)) {
        throw syntaxError(
          this.#source,
          offset,
          `the filter "${name}" is not known here`,
          didYouMean(name, Object.keys(jinjaFilters)) ?? `known: ${Object.keys(jinjaFilters).join(', ')}`,
        );
      }
      this.#next += 1;
      const { args, named } = this.#take('(') ? this.#args() : { args: [], named: [] };
      // The survey of guarded variables knows only one name of the filter.
      value = { kind: 'call', name: name === 'd' ? 'default' : name, args: [value, ...args], named, offset };
    }
    return value;
  }

  #args(): { args: readonly Expression[]; named: readonly (readonly [string, Expression])[] } {
    const args: Expression[] = [];
    const named: (readonly [string, Expression])[] = [];
    while (!this.#take(')')) {
      if (args.length + named.length > 0) this.#expect(',');
      const { kind, value } = this.#peek();
      if (kind === 'word' && this.#lexemes[this.#next + 1]?.value === '=') {
        this.#next += 2;
        named.push([value, this.#or()]);
      } else args.push(this.#or());
    }
    return { args, named };
  }

  #primary(): Expression {
    const lexeme = this.#peek();
    this.#next += 1;
    switch (lexeme.kind) {
      case 'text':
        return { kind: 'literal', value: lexeme.value };
      case 'number':
        return { kind: 'literal', value: Number(lexeme.value) };
      case 'word':
        return Object.hasOwn(literals, lexeme.value)
          ? { kind: 'literal', value: literals[lexeme.value] }
          : this.#path(lexeme);
      case 'sign':
      case 'end':
      default: {
        if (lexeme.value !== '(') throw this.#unexpected(lexeme);
        const inner = this.#or();
        this.#expect(')');
        return inner;
      }
    }
  }

  #path({ value, offset }: Lexeme): PathExpression {
    const steps: (string | number | Expression)[] = [value];
    let text = value;
    for (;;) {
      if (this.#take('.')) {
        const step = this.#peek();
        if (step.kind !== 'word' && step.kind !== 'number') throw this.#unexpected(step);
        this.#next += 1;
        steps.push(step.value);
        text += `.${step.value}`;
      } else if (this.#take('[')) {
        const step = this.#or();
        this.#expect(']');
        const literal = step.kind === 'literal' ? step.value : undefined;
        const isPlain = typeof literal === 'string' || typeof literal === 'number';
        steps.push(isPlain ? literal : step);
        text += isPlain ? `[${JSON.stringify(literal)}]` : '[…]';
      } else break;
    }
    if (this.#peek().value === '(' && this.#peek().kind === 'sign') {
      throw syntaxError(this.#source, this.#peek().offset, `"${text}" can't be called: templates run no code`);
    }
    return { kind: 'path', from: 'names', up: 0, steps, text, offset };
  }
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);
}
