import { isJsonObject } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';
import { findNearest } from '../text/did-you-mean.ts';
import { facetKeywords, isKnownKeyword, noteKeywords, referenceKeywords, unionKeywords } from './keywords.ts';
import { visitChildren } from './visit-children.ts';

/** A keyword that no validator knows, and the one that was probably meant. */
export interface MisspeltKeyword {
  /** JSON Pointer to it. */
  readonly pointer: string;
  readonly keyword: string;
  readonly meant: string;
}

/** Other dialects' own: OpenAPI's, and draft-04's. */
const foreign: ReadonlySet<string> = new Set(['example', 'id', 'nullable', 'discriminator', 'xml', 'externalDocs']);
const meant = [...facetKeywords, ...unionKeywords, ...referenceKeywords, ...noteKeywords, '$defs', 'definitions'];

/**
 * Keywords that much resemble a known one. Validators pass over what they don't know, so that a misspelt `required`
 * demands nothing. What is no schema has none; places that contain themselves are looked at once.
 */
export function findMisspeltKeywords(schema: unknown): readonly MisspeltKeyword[] {
  const found: MisspeltKeyword[] = [];
  const seen = new Set<unknown>();
  const pending: { readonly value: unknown; readonly pointer: string }[] = [{ value: schema, pointer: '' }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, pointer: at } = next;
    if (!isJsonObject(value) || seen.has(value)) continue;
    seen.add(value);
    for (const keyword of Object.keys(value)) {
      if (isKnownKeyword(keyword) || foreign.has(keyword) || keyword.startsWith('x-')) continue;
      const nearest = findNearest(keyword, meant);
      if (nearest !== undefined) found.push({ pointer: appendPointer(at, keyword), keyword, meant: nearest });
    }
    visitChildren(value, at, (child, pointer) => pending.push({ value: child, pointer }));
  }
  return found;
}
