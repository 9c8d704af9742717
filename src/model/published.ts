/** What became of a comment or a check that was to be published. */
export type Published =
  | {
      readonly ok: true;
      readonly how: 'created' | 'updated';
      readonly url?: string;
      /** True where another job of the same run uses the same id. */
      readonly isShared?: boolean;
    }
  | { readonly ok: false; readonly message: string; readonly status?: number };
