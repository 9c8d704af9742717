import { plainNumbers } from '../text/exact-numbers.ts';
import { locateInSchema } from './contract-places.ts';
import type { Located } from './locate.ts';
import type { Problems } from './problems.ts';

export interface KeywordKnowledge {
  /** Keywords that validators pass over, and what was probably meant. */
  findMisspeltKeywords(
    schema: unknown,
  ): readonly { readonly pointer: string; readonly keyword: string; readonly meant: string }[];
}

export interface KeywordContext {
  readonly contracts?: KeywordKnowledge;
  readonly problems: Pick<Problems, 'warn'>;
}

/** Warns of keywords in a schema that are none, but look like one: no validator would say so. */
export function warnOfKeywords(schema: Located, { contracts, problems }: KeywordContext): void {
  for (const { pointer, keyword, meant } of contracts?.findMisspeltKeywords(plainNumbers(schema.value)) ?? []) {
    problems.warn({
      code: 'unknown-key',
      message: `"${keyword}" is no keyword of JSON Schema, so nothing is demanded by it`,
      hint: `did you mean "${meant}"?`,
      at: locateInSchema(schema, pointer),
    });
  }
}
