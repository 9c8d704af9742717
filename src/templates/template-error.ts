import { defined } from '../json/defined.ts';

export type TemplateErrorKind =
  /** The template can't be parsed. */
  | 'syntax'
  /** It reads a missing variable. */
  | 'missing-variable'
  /** A value has no text form: an object, a list, null. */
  | 'not-text'
  /** Rendering exceeded the limits of time or memory. */
  | 'limit';

export interface TemplateErrorDetails {
  readonly kind: TemplateErrorKind;
  /** Position in the template's own text, from 1. */
  readonly line?: number;
  readonly column?: number;
  /** Path read, such as `order.id`. */
  readonly variable?: string;
  readonly hint?: string;
}

/**
 * A template without its unknown filters, used to find its other errors. `render` throws only for missing variables.
 */
export interface ReadableTemplate {
  readonly source: string;
  readonly variables: readonly string[];
  render(vars: Readonly<Record<string, unknown>>): string;
}

/** Thrown for a template that can't be compiled, or not rendered with these variables. */
export class TemplateError extends Error {
  readonly kind: TemplateErrorKind;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly variable: string | undefined;
  readonly hint: string | undefined;
  /** Further errors in the same text. */
  also: readonly TemplateError[] = [];
  /** The readable rest of a template that can't be compiled. */
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

/** Details of an error, to throw it again with another message. */
export function detailsOf({ kind, line, column, variable, hint }: TemplateError): TemplateErrorDetails {
  return { kind, ...defined({ line, column, variable, hint }) };
}

export function missingVariable(
  variable: string,
  details: Pick<TemplateErrorDetails, 'line' | 'column' | 'hint'>,
): TemplateError {
  return new TemplateError(`the variable "${variable}" is missing`, { kind: 'missing-variable', variable, ...details });
}

/** Returns the first of several errors, with the distinct others attached. */
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

/** Syntax error at an offset of the template. */
export function syntaxError(source: string, offset: number, message: string, hint?: string): TemplateError {
  return new TemplateError(message, { kind: 'syntax', ...positionIn(source, offset), ...defined({ hint }) });
}

/** The longest template of each language, in characters. */
export const maxTemplateLength = 1_000_000;

/** Throws a `TemplateError` for a template that is too long. */
export function refuseLongTemplate(source: string): void {
  const { length } = source;
  if (length <= maxTemplateLength) return;
  throw tooMany(length, 'characters', maxTemplateLength, 'pass long texts as variables');
}

/** The error for a template with too many of its parts. */
export function tooMany(count: number, parts: string, most: number, hint: string): TemplateError {
  const [shown, shownMost] = [count, most].map((figure) => figure.toLocaleString('en-US'));
  return new TemplateError(`the template has ${shown} ${parts}, and ${shownMost} are the most`, {
    kind: 'limit',
    hint,
  });
}
