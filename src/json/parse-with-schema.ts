import type * as z from 'zod';

/** What `__proto__` is called while zod reads a map: zod (4.6) leaves a key of that name out. */
const standIn = '__proto__\u{f8ff}';

type ParsedValue<T> =
  | { readonly success: true; readonly data: T; readonly error?: undefined }
  | { readonly success: false; readonly error: { readonly issues: readonly z.core.$ZodIssue[] } };

/** Like `schema.safeParse`, but `__proto__` is a key like any other: of a header, an argument, a file. */
export function parseWithSchema<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  params?: { readonly reportInput: true },
): ParsedValue<z.output<Schema>> {
  if (!hasKey(value, '__proto__')) return schema.safeParse(value, params);
  const result = schema.safeParse(renameKey(value, '__proto__', standIn), params);
  if (result.success) return { success: true, data: renameKey(result.data, standIn, '__proto__') as z.output<Schema> };
  const issues = renameKey(result.error.issues, standIn, '__proto__') as z.core.$ZodIssue[];
  return { success: false, error: { issues } };
}

/** True for a list or map, whose parts are data. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function hasKey(root: unknown, key: string): boolean {
  const pending = [root];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const value = pending.pop();
    // Own code may hand over a value that contains itself.
    if (!isPlain(value) || seen.has(value)) continue;
    if (Object.hasOwn(value, key)) return true;
    seen.add(value);
    for (const part of Object.values(value)) if (isPlain(part)) pending.push(part);
  }
  return false;
}

/** A copy with a key under another name. The stand-in is renamed in texts too: it may be in the path of an issue. */
function renameKey(root: unknown, from: string, to: string): unknown {
  const copies = new Map<unknown, unknown>();
  const rename = (value: unknown): unknown => {
    if (value === standIn) return to;
    if (!isPlain(value)) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const copy: object = Array.isArray(value) ? [] : {};
    copies.set(value, copy);
    for (const [name, part] of Object.entries(value)) {
      const given = { value: rename(part), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(copy, name === from ? to : name, given);
    }
    return copy;
  };
  return rename(root);
}
