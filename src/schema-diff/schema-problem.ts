export interface SchemaProblemDetails {
  /** Which of the two compared schemas it is in; left out where there is only one. */
  readonly side?: 'old' | 'new' | undefined;
  /** Whose contract it is part of, where prompts were compared. */
  readonly promptId?: string | undefined;
  /** What was probably meant. */
  readonly hint?: string | undefined;
}

/** A schema that can't be compared: malformed, or with a reference that leads nowhere. */
export class SchemaProblem extends Error {
  /** JSON Pointer to the offending place, so that the caller can name file and line. */
  readonly pointer: string;
  readonly side: 'old' | 'new' | undefined;
  readonly promptId: string | undefined;
  readonly hint: string | undefined;
  /** What else is wrong with the same schema. */
  others: readonly SchemaProblem[] = [];

  constructor(pointer: string, message: string, { side, promptId, hint }: SchemaProblemDetails = {}) {
    super(message);
    this.name = 'SchemaProblem';
    this.pointer = pointer;
    this.side = side;
    this.promptId = promptId;
    this.hint = hint;
  }
}
