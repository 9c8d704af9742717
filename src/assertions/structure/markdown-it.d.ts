/** The part of the package that is used. It has no types of its own. */
declare module 'markdown-it' {
  export interface Token {
    readonly type: string;
    /** The element that the token becomes, such as `h2`. */
    readonly tag: string;
    /** 1 opens an element, -1 closes it, and 0 is whole. */
    readonly nesting: -1 | 0 | 1;
    readonly content: string;
    /** The first line of a block, from 0, and the line after its last one. */
    readonly map: readonly [number, number] | null;
    readonly children: readonly Token[] | null;
  }

  type Rule = 'inline' | 'table' | 'text_join';

  export default class MarkdownIt {
    constructor(preset: 'commonmark', options: { readonly maxNesting: number });
    readonly inline: {
      /** Adds the tokens of a line to a list. */
      parse(text: string, parser: MarkdownIt, env: object, tokens: Token[]): void;
    };
    enable(rule: Rule): this;
    disable(rules: readonly Rule[]): this;
    /** `env` is filled with the definitions of links. */
    parse(text: string, env: object): readonly Token[];
  }
}
