/**
 * Writes a value as JSON with sorted keys and no spaces, so that equal values give equal text.
 * What plain JSON cannot say is treated as `JSON.stringify` does: undefined is dropped, NaN is null.
 */
export function canonicalJson(value: unknown): string {
  // One call of the engine where the keys are in order as they stand, as in what was written by this very function.
  if (isInOrder(value)) return JSON.stringify(value) ?? 'null';
  return write(value, '') ?? 'null';
}

/** True for plain data whose every object has its keys in order, so that plain JSON is canonical. */
function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  if ('toJSON' in value) return false;
  if (Array.isArray(value)) return value.every(isInOrder);
  // A boxed string or number would be unboxed.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  let last: string | undefined;
  for (const name of Object.keys(value)) {
    if (last !== undefined && name < last) return false;
    if (!isInOrder((value as Record<string, unknown>)[name])) return false;
    last = name;
  }
  return true;
}

function write(value: unknown, key: string): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') throw new TypeError('A bigint has no JSON form.');
  if (typeof value !== 'object') return undefined;
  return value === null ? 'null' : writeObject(value, key);
}

function writeObject(value: object, key: string): string | undefined {
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(key), key);
  if (Array.isArray(value)) return writeArray(value);
  let text = '';
  // The default sort compares UTF-16 code units, as RFC 8785 asks.
  for (const name of Object.keys(value).sort()) {
    const member = write((value as Record<string, unknown>)[name], name);
    if (member === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${member}`;
  }
  return `{${text}}`;
}

function writeArray(items: readonly unknown[]): string {
  let text = '';
  for (let index = 0; index < items.length; index += 1) {
    text += `${index === 0 ? '' : ','}${write(items[index], String(index)) ?? 'null'}`;
  }
  return `[${text}]`;
}
