import { isRecord } from './deep-equal.ts';
import { JsonSchemaError } from './schema-errors.ts';

/**
 * `contains` evaluates the items that it accepts, so that `unevaluatedItems` beside it leaves them out. Ajv takes all items
 * for evaluated there, and would accept a list that the schema refuses.
 */
export function refuseUnevaluatedBesideContains(schema: unknown): void {
  const refersTo = (key: string) => /^\$(?:dynamicR|recursiveR|r)ef$/.test(key);
  const names = new Set([...membersOf(schema)].map(([key]) => key));
  if (!names.has('unevaluatedItems') || !names.has('contains')) return;
  const contains = (place: unknown): boolean => {
    if (Array.isArray(place)) return place.some(contains);
    if (!isRecord(place)) return false;
    return Object.entries(place).some(([key, value]) => {
      if (key === 'contains' || refersTo(key)) return true;
      if (key === 'dependentSchemas') return isRecord(value) && Object.values(value).some(contains);
      return inPlace.has(key) && contains(value);
    });
  };
  for (const place of [schema, ...[...membersOf(schema)].flatMap(([, value]) => value)]) {
    if (!isRecord(place) || !Object.hasOwn(place, 'unevaluatedItems') || !contains(place)) continue;
    const hint = 'write items, with prefixItems for the first ones, instead of unevaluatedItems';
    throw new JsonSchemaError("unevaluatedItems can't be checked beside contains", { hint });
  }
}

/** Keywords whose schemas are of the same value. */
const inPlace: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else']);

/** Every key with its value, of all objects at any depth. */
export function* membersOf(schema: unknown): Iterable<readonly [string, unknown]> {
  const pending: unknown[] = [schema];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value)) yield [key, child];
      pending.push(child);
    }
  }
}
