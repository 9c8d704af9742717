import type { JsonObject } from '../json/json.ts';
import { families, hasFamily } from './keyword-families.ts';
import { noteKeywords } from './keywords.ts';
import { type Notes, noNotes } from './shape.ts';

/** The annotations of a schema; most have none. */
export function readNotes(schema: JsonObject): Notes {
  if (!hasFamily(schema, families.remark)) return noNotes;
  const { title, description, removed } = schema;
  return {
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...('default' in schema ? { default: { value: schema['default'] ?? null } } : {}),
    others: new Map(
      Object.entries(schema).filter(([keyword]) => noteKeywords.indexOf(keyword) > noteKeywords.indexOf('default')),
    ),
    extensibleEnum: schema['x-extensible-enum'] === true,
    removed: Array.isArray(removed) ? removed.filter((name) => typeof name === 'string') : [],
  };
}
