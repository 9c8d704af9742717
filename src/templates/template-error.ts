import { defined } from '../json/defined.ts';

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

/** A template without its unknown filters, to find its other errors. Its `render` throws only for missing variables. */
export interface ReadableTemplate {
  readonly source: string;
  readonly variables: readonly string[];
  render(vars: Readonly<Record<string, unknown>>): string;
}

/** A template that can't be compiled, or not with these variables. */
export class TemplateError extends Error {
  readonly kind: TemplateErrorKind;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly variable: string | undefined;
  readonly hint: string | undefined;
  /** What else is wrong with the same text. */
  also: readonly TemplateError[] = [];
  /** Set where the rest of a template that can't be compiled can be read. */
  rest: ReadableTemplate | undefined;

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

/** What an error says beside its message, to say it again in another place. */
export function detailsOf({ kind, line, column, variable, hint }: TemplateError): TemplateErrorDetails {
  return { kind, ...defined({ line, column, variable, hint }) };
}

export function missingVariable(
  variable: string,
  details: Pick<TemplateErrorDetails, 'line' | 'column' | 'hint'>,
): TemplateError {
  return new TemplateError(`the variable "${variable}" is missing`, { kind: 'missing-variable', variable, ...details });
}

/** The first of several errors of one text, with the others beside it, each once. */
export function joinErrors(first: TemplateError, others: Iterable<TemplateError>): TemplateError {
  const known = new Map([[keyOf(first), first]]);
  for (const error of others) if (!known.has(keyOf(error))) known.set(keyOf(error), error);
  const [, ...also] = known.values();
  first.also = also;
  return first;
}

function keyOf({ kind, message }: TemplateError): string {
  return `${kind} ${message}`;
}

/** Line and column of an offset, from 1. */
export function positionIn(source: string, offset: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** A syntax error at an offset of the template's text. */
export function syntaxError(source: string, offset: number, message: string, hint?: string): TemplateError {
  return new TemplateError(message, { kind: 'syntax', ...positionIn(source, offset), ...defined({ hint }) });
}
