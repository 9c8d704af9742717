import { Drop, type FilterImplOptions, type Liquid } from 'liquidjs';
import { writeJson } from '../json/canonical-json.ts';
import { compareNumbers, isKeptByDouble, mapParts, SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { TemplateError } from './template-error.ts';
import { describeLongLiteral, findLongLiteral, longLiteralHint } from './template-values.ts';

// Filters that would turn an object into "[object Object]" instead of failing.
const textFilters =
  'append prepend upcase downcase capitalize strip lstrip rstrip strip_newlines strip_html squish normalize_whitespace ' +
  'newline_to_br escape escape_once xml_escape truncate truncatewords replace replace_first replace_last remove ' +
  'remove_first remove_last split slugify url_encode url_decode cgi_escape uri_escape base64_encode base64_decode ' +
  'number_of_words sha256 hmac_sha256 array_to_sentence_string join';
// All other filters keep whole numbers or make them smaller.
const roundingFilters = 'plus minus times divided_by sum';
// Filters with a quoted expression as argument.
const expressionFilters = 'where_exp reject_exp group_by_exp has_exp find_exp find_index_exp';
const dateFilters = 'date date_to_xmlschema date_to_rfc822 date_to_string date_to_long_string';

/** Registers Liquid's filters without clock and chance. None rounds a long number or prints an object as text. */
export function registerFilters(liquid: Liquid): void {
  // Liquid's own `json` would round long numbers.
  liquid.registerFilter('json', (value: unknown, indent: unknown) => writeJson(value, Number(indent) || 0));
  for (const name of arithmeticFilters) guardFilter(liquid, name, refuseLongNumbers);
  for (const name of roundingFilters.split(' ')) guardResult(liquid, name);
  for (const name of expressionFilters.split(' ')) guardFilter(liquid, name, refuseLongLiterals);
  const { json } = liquid.filters;
  if (json !== undefined) for (const alias of ['dump', 'tojson']) liquid.registerFilter(alias, json);
  // Liquid's own `raw` would print an object without passing `outputText`.
  liquid.registerFilter('raw', (value: unknown) => value);
  liquid.registerFilter('default', keepSpelling(liquid.filters['default']));
  for (const name of textFilters.split(' ')) guardFilter(liquid, name, refuseObjects);
  for (const name of dateFilters.split(' ')) guardFilter(liquid, name, refuseNow);
  guardFilter(liquid, 'sample', refuseChance);
}

type Refusal = (name: string, values: readonly unknown[]) => void;

function guardFilter(liquid: Liquid, name: string, refuse: Refusal): void {
  const filter = liquid.filters[name];
  if (filter === undefined) return;
  const handler = typeof filter === 'function' ? filter : filter.handler;
  liquid.registerFilter(name, function guarded(value: unknown, ...rest: unknown[]): unknown {
    refuse(name, [value, ...rest]);
    return handler.call(this, spellOut(value), ...rest.map(spellOut));
  });
}

/** Guards a filter's result. A filter may be a generator, which Liquid runs. */
function guardResult(liquid: Liquid, name: string): void {
  const filter = liquid.filters[name];
  if (filter === undefined) return;
  const handler = typeof filter === 'function' ? filter : filter.handler;
  liquid.registerFilter(name, function* guarded(value: unknown, ...rest: unknown[]): Generator<unknown, unknown> {
    const result: unknown = yield handler.call(this, value, ...rest);
    refuseLongResult(name, result);
    return result;
  });
}

function keepSpelling(filter: FilterImplOptions | undefined): FilterImplOptions {
  const handler = typeof filter === 'function' ? filter : filter?.handler;
  return function keep(value: unknown, ...rest: unknown[]): unknown {
    return value instanceof SpelledDrop ? value : handler?.call(this, value, ...rest);
  };
}

function refuseObjects(name: string, values: readonly unknown[]): void {
  const found = values.flat().find((value) => typeof value === 'object' && value !== null && !(value instanceof Drop));
  if (found === undefined) return;
  throw new TemplateError(`the filter "${name}" was given an object or a list of them, which has no text`, {
    kind: 'not-text',
    hint: 'pick a field of it, or use the filter "json"',
  });
}

function refuseNow(name: string, values: readonly unknown[]): void {
  if (!['now', 'today'].includes(String(values[0]).trim().toLowerCase())) return;
  throw new TemplateError(`the filter "${name}" can't read the clock: the prompt would differ from run to run`, {
    kind: 'syntax',
    hint: 'pass the date as a variable',
  });
}

function refuseChance(name: string): void {
  throw new TemplateError(`the filter "${name}" is random: the prompt would differ from run to run`, {
    kind: 'syntax',
    hint: "choose in the case's variables",
  });
}

function refuseLongLiterals(name: string, [, , expression]: readonly unknown[]): void {
  const found = typeof expression === 'string' ? findLongLiteral(expression) : undefined;
  if (found === undefined) return;
  const message = `in the filter "${name}", ${describeLongLiteral(found.text)}`;
  throw new TemplateError(message, { kind: 'syntax', hint: longLiteralHint });
}

/**
 * A number with its spelling. It prints as written, but compares and counts as a number: Liquid supports this for
 * drops.
 */
export class SpelledDrop extends Drop {
  readonly number: SpelledNumber;

  constructor(number: SpelledNumber) {
    super();
    this.number = number;
  }

  /** Returns a long number unchanged: Liquid would compare its double. */
  override valueOf(): unknown {
    return this.number.isLong ? this : this.number.valueOf();
  }

  [Symbol.toPrimitive](hint: string): unknown {
    if (!this.number.isLong) return hint === 'string' ? this.toString() : this.number.valueOf();
    if (hint === 'number') throw tooManyDigits(`a template can't sort or calculate with ${this.toString()}`);
    return this.toString();
  }

  override toString(): string {
    return this.number.source;
  }

  toJSON(): SpelledNumber {
    return this.number;
  }

  equals(other: unknown): boolean {
    return compareNumbers(this.number, numberOf(other)) === 0;
  }

  gt(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? 0) > 0;
  }

  geq(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? -1) >= 0;
  }

  lt(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? 0) < 0;
  }

  leq(other: unknown): boolean {
    return (compareNumbers(this.number, numberOf(other)) ?? 1) <= 0;
  }
}

function numberOf(value: unknown): unknown {
  return value instanceof SpelledDrop ? value.number : value;
}

/** Wraps every spelled number in a drop. Values without one are returned unchanged. */
export function comparable(vars: Readonly<Record<string, unknown>>): object {
  const converted = convertNumbers(vars, new Map());
  return typeof converted === 'object' && converted !== null ? converted : {};
}

/** Converts numbers. Equal ones share a drop: `uniq` and `group_by` compare objects by identity. */
function convertNumbers(value: unknown, drops: Map<string, SpelledDrop>): unknown {
  if (value instanceof SpelledNumber) {
    const drop = drops.get(value.source) ?? new SpelledDrop(value);
    drops.set(value.source, drop);
    return drop;
  }
  return typeof value === 'object' && value !== null ? mapParts(value, (part) => convertNumbers(part, drops)) : value;
}

const arithmeticFilters: readonly string[] =
  'plus minus times divided_by modulo abs ceil floor round at_least at_most sum'.split(' ');

/** Refuses long numbers and numeric texts: doubles would lose digits. */
function refuseLongNumbers(name: string, values: readonly unknown[]): void {
  const long = values.flat().map(spellOut).find(isLongText);
  if (long !== undefined) throw tooManyDigits(`the filter "${name}" can't calculate with ${long}`);
}

function isLongText(value: unknown): value is string {
  return typeof value === 'string' && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value) && !isKeptByDouble(value.trim());
}

/** Refuses results beyond 2^53, where a double may be rounded to another whole number. */
function refuseLongResult(name: string, result: unknown): void {
  if (typeof result !== 'number' || !Number.isInteger(result) || Number.isSafeInteger(result)) return;
  throw tooManyDigits(`the result of the filter "${name}" is beyond 2^53, where whole numbers are rounded`);
}

function tooManyDigits(message: string): TemplateError {
  return new TemplateError(message, { kind: 'not-text', hint: 'compute it in the variables of the case' });
}

function spellOut(value: unknown): unknown {
  return value instanceof SpelledDrop ? value.toString() : value;
}
