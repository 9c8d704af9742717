/** A template of Handlebars or Jinja, read into one form that one interpreter renders. */
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
      /** Put before each line of what comes out. */
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
  /** Names that the body knows the item and its key by. */
  readonly item?: string;
  readonly key?: string;
  /** True where the item also becomes what plain names are looked up in. */
  readonly entersItem: boolean;
  readonly body: readonly TreeNode[];
  readonly otherwise: readonly TreeNode[];
  readonly offset: number;
}

/** Anything but text: the start of a message, a file to attach. Values can't make one: text never becomes a mark. */
export interface MarkNode {
  readonly kind: 'mark';
  readonly mark: 'role' | 'media' | 'history' | 'section';
  readonly value?: Expression;
  readonly contentType?: Expression;
  /** Set where a variable gives a role. */
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
  /** Where the first step is looked up: names in scope, the current value, or the data of the loop (`@index`). */
  readonly from: 'names' | 'this' | 'data';
  /** How many values further out. */
  readonly up: number;
  readonly steps: readonly (string | number | Expression)[];
  /** As messages show it. */
  readonly text: string;
  readonly offset: number;
}

export type TestOperator = 'not' | 'and' | 'or' | 'in' | '==' | '!=' | '<' | '>' | '<=' | '>=';

/** A template of a file or partial, in one of the languages. */
export interface TemplateTree {
  readonly source: string;
  readonly nodes: readonly TreeNode[];
}

/** What the languages do differently. */
export interface TreeLanguage {
  readonly functions: Readonly<Record<string, TreeFunction>>;
  /** True where an empty map counts as false. */
  readonly emptyMapIsFalse: boolean;
  /** The text of a value that has none in other languages; undefined where it has none in this one either. */
  readonly print?: (value: unknown) => string | undefined;
  /** How a value without a text of its own is given one. */
  readonly textHint: (path: string, value: unknown) => string;
  /** What helps where a variable is missing. */
  readonly missingHint: (path: string) => string;
}

export interface TreeFunction {
  /** True where the first argument may be missing. */
  readonly takesMissing?: true;
  readonly run: (args: readonly unknown[], named: Readonly<Record<string, unknown>>) => unknown;
}

/** What a template comes to: text, and marks that no value can forge. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'role' | 'section'; readonly value: string; readonly isGiven?: true; readonly offset: number }
  | { readonly kind: 'media'; readonly value: string; readonly contentType?: string; readonly offset: number }
  | { readonly kind: 'history'; readonly value: ''; readonly offset: number };

/** Puts an indent before every line that begins among the pieces. */
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
