import { isJsonObject } from './json.ts';

// By hand: a zod schema takes five times as long, and a record or baseline may have 100,000 lines.

/** Whether a value has a form. */
export type Guard = (value: unknown) => boolean;

/** A guard for each field. The compiler requires a guard for each new field of the type. */
export type FieldsOf<Row> = { readonly [Name in Exclude<keyof Row, 'type'>]-?: Guard };

/** An object with these fields; it may have others. */
export function objectOf(fields: Readonly<Record<string, Guard>>): Guard {
  const tests = Object.entries(fields);
  return (value) => isJsonObject(value) && tests.every(([name, test]) => test(value[name]));
}

export function listOf(test: Guard): Guard {
  return (value) => Array.isArray(value) && value.every(test);
}

export function optional(test: Guard): Guard {
  return (value) => value === undefined || test(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

export function isSwitch(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
