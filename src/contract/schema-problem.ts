/** A schema that can't be compared: malformed, or with a reference that leads nowhere. */
export class SchemaProblem extends Error {
  /** JSON Pointer to the offending place, so that the caller can name file and line. */
  readonly pointer: string;
  /** Which of the two compared schemas it is in; undefined where there is only one. */
  readonly side: 'old' | 'new' | undefined;

  constructor(pointer: string, message: string, side?: 'old' | 'new') {
    super(message);
    this.name = 'SchemaProblem';
    this.pointer = pointer;
    this.side = side;
  }
}
