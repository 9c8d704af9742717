import { SpelledNumber, spell } from './spelled-number.ts';
import type { TreeLanguage } from './template-language.ts';

/** The helpers that have a value. There is no way to add one, and none reads more than it is given. */
export const handlebarsLanguage: TreeLanguage = {
  emptyMapIsFalse: false,
  textHint: (path) => `write {{json ${path}}}, or go through it with {{#each ${path}}}`,
  functions: {
    json: {
      run: ([value], { indent }) =>
        JSON.stringify(value, null, typeof indent === 'number' ? indent : Number(indent) || 0) ?? '',
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
  return value instanceof SpelledNumber ? value.valueOf() : value;
}
