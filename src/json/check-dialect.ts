import { isRecord } from './deep-equal.ts';
import { JsonSchemaError } from './schema-errors.ts';

type Place = readonly (string | number)[];

interface Dialect {
  readonly isDraft7: boolean;
  /** The schema refers to a meta-schema. */
  readonly hasMeta: boolean;
  /** True for a keyword that may refuse a value. */
  readonly decides: (keyword: string) => boolean;
}

interface SchemaPart {
  readonly part: Readonly<Record<string, unknown>>;
  readonly place: Place;
}

/**
 * Throws a `JsonSchemaError` for a valid schema that would be checked by other rules than its own: better no check than a
 * wrong yes.
 */
export function checkDialect(schema: unknown, { isDraft7, hasMeta, decides }: Dialect): void {
  const parts = [...listParts(schema, [])];
  for (const part of isDraft7 ? parts : []) refuseSiblings(part, decides);
  const find = (keyword: string) => parts.find(({ part }) => Object.hasOwn(part, keyword));
  const unevaluated = find('unevaluatedItems');
  if (unevaluated !== undefined && find('contains') !== undefined) {
    throw new JsonSchemaError('unevaluatedItems can\'t be checked in a schema that also has "contains"', {
      place: [...unevaluated.place, 'unevaluatedItems'],
      hint: 'say what the other items may be in "items", in place of unevaluatedItems',
    });
  }
  const dynamic = find('$dynamicRef');
  const nested = parts.some(({ part, place }) => place.length > 0 && typeof part['$id'] === 'string');
  if (dynamic !== undefined && (nested || hasMeta)) {
    throw new JsonSchemaError('$dynamicRef can\'t be checked in a schema with more than one "$id"', {
      place: [...dynamic.place, '$dynamicRef'],
      hint: 'name the schema that is meant, by $ref',
    });
  }
}

/** Keywords beside `$ref` that say nothing about a value. */
const silentBesideRef: ReadonlySet<string> = new Set(['$ref', '$comment', 'definitions', '$defs']);

/** In draft-07, nothing beside `$ref` counts. Other drafts and most readers think that it does. */
function refuseSiblings({ part, place }: SchemaPart, decides: (keyword: string) => boolean): void {
  if (typeof part['$ref'] !== 'string') return;
  const sibling = Object.keys(part).find(
    (key) => (decides(key) && !silentBesideRef.has(key)) || (key === '$id' && place.length > 0),
  );
  if (sibling === undefined) return;
  throw new JsonSchemaError(`draft-07 ignores "${sibling}" beside $ref`, {
    place: [...place, sibling],
    hint: 'write allOf: [{ $ref: … }] in place of $ref, or remove $schema, which makes it 2020-12',
  });
}

const namesToSchemas: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  'dependencies',
  '$defs',
  'definitions',
]);
const values: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'example']);

/** All objects that may be schemas: a reference may also lead below a keyword that is not known. */
function* listParts(value: unknown, place: Place): Iterable<SchemaPart> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* listParts(item, [...place, index]);
  if (!isRecord(value)) return;
  yield { part: value, place };
  for (const [key, child] of Object.entries(value)) {
    if (values.has(key)) continue;
    if (namesToSchemas.has(key) && isRecord(child)) {
      for (const [name, named] of Object.entries(child)) yield* listParts(named, [...place, key, name]);
    } else yield* listParts(child, [...place, key]);
  }
}
