/** A schema that can't be compared: malformed, or with a reference that leads nowhere. */
export class SchemaProblem extends Error {
  /** JSON Pointer to the offending place, so that the caller can name file and line. */
  readonly pointer: string;
  /** Which of the two compared schemas it is in; undefined where there is only one. */
  readonly side: 'old' | 'new' | undefined;
  /** Whose contract it is part of, where prompts were compared. */
  readonly promptId: string | undefined;

  constructor(pointer: string, message: string, side?: 'old' | 'new', promptId?: string) {
    super(message);
    this.promptId = promptId;
    this.name = 'SchemaProblem';
    this.pointer = pointer;
    this.side = side;
  }
}
