import * as z from 'zod';

/**
 * A zod schema of a map. Its source is a JSON Schema, or a zod 4 schema of any copy of zod. A JSON Schema without a
 * rule for unknown keys refuses them. Throws a `TypeError` for any other source.
 */
export function toZodSchema(schema: unknown): z.ZodType {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw new TypeError('is neither a JSON Schema nor a zod schema');
  // A schema of another copy of zod brings its own methods.
  if ('_zod' in schema) return schema as z.ZodType;
  if (!('type' in schema) || schema.type !== 'object')
    throw new TypeError('must be a JSON Schema with type: "object", or a zod schema');
  const inherited = findInherited(schema);
  if (inherited !== undefined)
    throw new TypeError(`can't have a property named "${inherited}", which every object has: choose another name`);
  try {
    return z.fromJSONSchema({ additionalProperties: false, ...schema } as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new TypeError(`can't be read as a JSON Schema: ${error.message}`, { cause: error });
  }
}

/** A property of the schema, at any depth, that zod (4.6) would find in an object without it. */
function findInherited(schema: object): string | undefined {
  const pending: object[] = [schema];
  const seen = new Set<object>();
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (seen.has(part)) continue;
    seen.add(part);
    for (const [key, value] of Object.entries(part)) {
      if (typeof value !== 'object' || value === null) continue;
      const names = key === 'properties' ? Object.keys(value) : [];
      const inherited = names.find((name) => Object.hasOwn(Object.prototype, name));
      if (inherited !== undefined) return inherited;
      pending.push(value as object);
    }
  }
  return undefined;
}
