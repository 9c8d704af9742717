/** Node of a Handlebars or Jinja template. One interpreter renders both languages. */
export type TreeNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly value: Expression; readonly offset: number }
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: readonly TreeNode[] }
  | EachNode
  | {
      readonly kind: 'with';
      readonly value: Expression;
      readonly name?: string;
      readonly body: readonly TreeNode[];
      readonly otherwise: readonly TreeNode[];
      readonly offset: number;
    }
  | {
      readonly kind: 'partial';
      readonly name: string;
      readonly context?: Expression;
      readonly named: readonly Named[];
      /** Indent of each line of the output. */
      readonly indent: string;
      readonly offset: number;
    }
  | MarkNode;

export interface Branch {
  readonly test: Expression;
  readonly body: readonly TreeNode[];
}

export interface EachNode {
  readonly kind: 'each';
  readonly list: Expression;
  /** Names of the item and its key in the body. */
  readonly item?: string;
  readonly key?: string;
  /** True if plain names are looked up in the item. */
  readonly entersItem: boolean;
  readonly body: readonly TreeNode[];
  readonly otherwise: readonly TreeNode[];
  readonly offset: number;
}

/** A node that makes no text: the start of a message or a file to attach. Values can't create one. */
export interface MarkNode {
  readonly kind: 'mark';
  readonly mark: 'role' | 'media' | 'history' | 'section';
  readonly value?: Expression;
  readonly contentType?: Expression;
  /** Set if the role comes from a variable. */
  readonly isGiven?: true;
  readonly offset: number;
}

export type Named = readonly [name: string, value: Expression];

export type Expression =
  | { readonly kind: 'literal'; readonly value: unknown }
  | PathExpression
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly named: readonly Named[];
      readonly offset: number;
    }
  | { readonly kind: 'test'; readonly operator: TestOperator; readonly operands: readonly Expression[] };

export interface PathExpression {
  readonly kind: 'path';
  /** Scope of the first step: names, the current value, or loop data (`@index`). */
  readonly from: 'names' | 'this' | 'data';
  /** Number of scopes to go up. */
  readonly up: number;
  readonly steps: readonly (string | number | Expression)[];
  /** Text shown in messages. */
  readonly text: string;
  readonly offset: number;
}

export type TestOperator = 'not' | 'and' | 'or' | 'in' | '==' | '!=' | '<' | '>' | '<=' | '>=';

/** A parsed template of a file or partial. */
export interface TemplateTree {
  readonly source: string;
  readonly nodes: readonly TreeNode[];
}

/** Differences between the languages. */
export interface TreeLanguage {
  readonly functions: Readonly<Record<string, TreeFunction>>;
  /** True if an empty map is false. */
  readonly emptyMapIsFalse: boolean;
  /** Prints a value that has no text form in other languages; undefined if it has none here either. */
  readonly print?: (value: unknown) => string | undefined;
  /** Hint for a value without a text form. */
  readonly textHint: (path: string, value: unknown) => string;
  /** Hint for a missing variable. */
  readonly missingHint: (path: string) => string;
}

export interface TreeFunction {
  /** True if the first argument may be missing. */
  readonly takesMissing?: true;
  readonly run: (args: readonly unknown[], named: Readonly<Record<string, unknown>>) => unknown;
}

/** A rendered piece: text, or a mark that no value can forge. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'role' | 'section'; readonly value: string; readonly isGiven?: true; readonly offset: number }
  | { readonly kind: 'media'; readonly value: string; readonly contentType?: string; readonly offset: number }
  | { readonly kind: 'history'; readonly value: ''; readonly offset: number };

/** Indents every line that starts in the pieces. */
export function indentPieces(pieces: readonly Piece[], indent: string): readonly Piece[] {
  let isAtStart = true;
  return pieces.map((piece) => {
    if (piece.kind !== 'text') return piece;
    const lines = piece.text.split('\n');
    const text = lines
      .map((line, index) => {
        const starts = index > 0 || isAtStart;
        return starts && (line !== '' || index < lines.length - 1) ? indent + line : line;
      })
      .join('\n');
    isAtStart = piece.text.endsWith('\n');
    return { kind: 'text', text };
  });
}
