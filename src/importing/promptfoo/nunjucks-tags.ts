import { quote } from '../draft.ts';

type Read<T> = { readonly value: T } | { readonly fault: string };

const LITERAL = /^(?:"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)$/;
const PATH = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*|\[\d+\])*$/;
const OPERATORS: Readonly<Record<string, string>> = {
  '==': '==',
  '===': '==',
  '!=': '!=',
  '!==': '!=',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
};
const LOOP: Readonly<Record<string, string>> = { revindex: 'rindex', revindex0: 'rindex0' };

/** The conditions, loops and names of one Nunjucks template, as tags of a suite's templates. */
export class NunjucksTags {
  /** Names that the template itself sets. */
  readonly locals = new Set<string>();
  readonly variables = new Set<string>();
  readonly #open: string[] = [];

  /** The tag without its percent signs. `output` translates a value. */
  translate(
    code: string,
    output: (code: string) => { readonly text: string } | { readonly fault: string },
  ): Read<string> {
    const fault = `the tag {% ${quote(code)} %} has no equivalent in a suite's templates`;
    const [, word = '', rest = ''] = /^(\w+)\s*([\s\S]*)$/.exec(code) ?? [];
    if (word === 'if' || word === 'elif') {
      if (word === 'if') this.#open.push(word);
      const condition = this.#condition(rest);
      return condition === undefined ? { fault } : { value: `${word === 'if' ? 'if' : 'elsif'} ${condition}` };
    }
    if (word === 'else' && rest === '') return { value: 'else' };
    if (word === 'endif' || word === 'endfor') {
      const opened = this.#open.pop();
      return word === `end${opened}` ? { value: word } : { fault };
    }
    const [, item, list = ''] = /^(\w+)\s+in\s+(\S+)$/.exec(rest) ?? [];
    if (word === 'for' && item !== undefined && PATH.test(list)) {
      const path = this.path(list);
      this.#open.push(word);
      for (const name of [item, 'loop', 'forloop']) this.locals.add(name);
      return { value: `for ${item} in ${path}` };
    }
    const [, name, value = ''] = /^(\w+)\s*=\s*([\s\S]+)$/.exec(rest) ?? [];
    // What is set within a block ends with it there, and does not here.
    if (word !== 'set' || name === undefined || this.#open.length > 0) return { fault };
    const translated = output(value.trim());
    if ('fault' in translated) return translated;
    this.locals.add(name);
    return { value: `assign ${name} = ${translated.text}` };
  }

  /** Why a template is not whole; undefined where it is. */
  get openFault(): string | undefined {
    return this.#open.length === 0 ? undefined : `the tag {% ${this.#open.at(-1)} %} is never closed`;
  }

  /** A path by the names of a suite's templates. */
  path(path: string): string {
    const [root = ''] = /^[\w-]+/.exec(path) ?? [];
    if (!this.locals.has(root)) this.variables.add(root);
    const [, member = ''] = /^loop\.(\w+)$/.exec(path) ?? [];
    if (member !== '' && this.locals.has('loop')) return `forloop.${LOOP[member] ?? member}`;
    return path.replace(/\.length$/, '.size');
  }

  /** undefined for one that the other language would read in another way. It has no brackets and no "not". */
  #condition(code: string): string | undefined {
    const tokens = code.replaceAll(/\s*\|\s*length\b/g, '.length').match(/"[^"]*"|'[^']*'|[=!<>]+|[^\s"'=!<>]+/g) ?? [];
    const joins = new Set(tokens.filter((token) => token === 'and' || token === 'or'));
    if (joins.size > 1) return undefined;
    const [join = ''] = joins;
    const atoms: string[][] = [[]];
    for (const token of tokens) {
      if (token === join) atoms.push([]);
      else atoms.at(-1)?.push(token);
    }
    const parts = atoms.map((atom) => this.#atom(atom));
    // A part of several alternatives can't be one of several conditions, nor the reverse.
    if (parts.some((part) => part === undefined || (part.join !== '' && join !== '' && part.join !== join)))
      return undefined;
    return parts.map((part) => part?.texts.join(` ${part.join} `)).join(` ${join} `);
  }

  #atom(tokens: readonly string[]): { readonly texts: readonly string[]; readonly join: string } | undefined {
    const [first = '', second = '', third = '', more] = tokens;
    if (tokens.length === 1 && PATH.test(first)) {
      const path = this.path(first);
      if (path.startsWith('forloop.')) return { texts: [path], join: '' };
      return { texts: [path, `${path} != ""`, `${path} != 0`], join: 'and' };
    }
    if (tokens.length === 2 && first === 'not' && PATH.test(second)) {
      const path = this.path(second);
      return { texts: ['nil', 'false', '""', '0'].map((value) => `${path} == ${value}`), join: 'or' };
    }
    const operator = Object.hasOwn(OPERATORS, second) ? OPERATORS[second] : undefined;
    if (operator === undefined || more !== undefined || !PATH.test(first) || !LITERAL.test(third)) return undefined;
    const path = this.path(first);
    const [, number] = /^["']?(-?\d+(?:\.\d+)?)["']?$/.exec(third) ?? [];
    if (number === undefined || second.length !== 2 || !/^[!=]/.test(second) || path.endsWith('.size'))
      return { texts: [`${path} ${operator} ${third}`], join: '' };
    // The number and its text are equal there.
    const texts = [`${path} ${operator} ${number}`, `${path} ${operator} "${number}"`];
    return { texts, join: operator === '==' ? 'or' : 'and' };
  }
}
