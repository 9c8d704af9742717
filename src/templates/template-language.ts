/** What the languages do differently. */
export interface TreeLanguage {
  readonly functions: Readonly<Record<string, TreeFunction>>;
  /** True where an empty map counts as false. */
  readonly emptyMapIsFalse: boolean;
  /** The text of a value that elsewhere has none; undefined where it has none here either. */
  readonly print?: (value: unknown) => string | undefined;
  /** How a value without a text of its own is given one. */
  readonly textHint: (path: string, value: unknown) => string;
}

export interface TreeFunction {
  /** True where the first argument may be missing. */
  readonly takesMissing?: true;
  readonly run: (args: readonly unknown[], named: Readonly<Record<string, unknown>>) => unknown;
}
