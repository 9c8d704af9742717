import { writeJson } from './canonical-json.ts';
import { canonicalDecimal } from './decimal.ts';
import { spell } from './spell.ts';
import { SpelledNumber } from './spelled-number.ts';
import type { TreeLanguage } from './template-language.ts';

/** The helpers that have a value. There is no way to add one, and none reads more than it is given. */
export const handlebarsLanguage: TreeLanguage = {
  emptyMapIsFalse: false,
  textHint: (path) => `write {{json ${path}}}, or go through it with {{#each ${path}}}`,
  functions: {
    json: {
      run: ([value], { indent }) => writeJson(value, Number(indent) || 0) ?? '',
    },
    lookup: {
      run: ([value, key]) => {
        const name = spell(key);
        return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Readonly<Record<string, unknown>>)[name]
          : undefined;
      },
    },
    ifEquals: { run: ([left, right]) => plain(left) === plain(right) },
  },
};

/** Strict equality, where a number that remembers its spelling is still a number. */
function plain(value: unknown): unknown {
  if (!(value instanceof SpelledNumber)) return value;
  return value.isLong ? canonicalDecimal(value.source) : value.valueOf();
}
