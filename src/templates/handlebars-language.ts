import { spell, writeJson } from '../json/canonical-json.ts';
import { compareNumbers } from '../text/exact-numbers.ts';
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
    ifEquals: { run: ([left, right]) => left === right || compareNumbers(left, right) === 0 },
  },
};
