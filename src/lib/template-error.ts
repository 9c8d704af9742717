export type TemplateErrorKind =
  /** The template itself can't be read. */
  | 'syntax'
  /** It reads a variable that is not there. */
  | 'missing-variable'
  /** A value has no text form of its own: an object, a list, null. */
  | 'not-text'
  /** Rendering took more time or memory than a prompt can need. */
  | 'limit';

export interface TemplateErrorDetails {
  readonly kind: TemplateErrorKind;
  /** 1-based, within the template's own text. */
  readonly line?: number;
  readonly column?: number;
  /** The path that was read, such as `order.id`. */
  readonly variable?: string;
  readonly hint?: string;
}

/** A template that can't be compiled, or not with these variables. */
export class TemplateError extends Error {
  readonly kind: TemplateErrorKind;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly variable: string | undefined;
  readonly hint: string | undefined;

  constructor(message: string, details: TemplateErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TemplateError';
    this.kind = details.kind;
    this.line = details.line;
    this.column = details.column;
    this.variable = details.variable;
    this.hint = details.hint;
  }
}
