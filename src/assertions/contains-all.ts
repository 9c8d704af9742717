import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { defineAssertion } from './define.ts';
import { soughtListParam } from './param-schemas.ts';
import { textOf } from './target-text.ts';

export const containsAll = defineAssertion({
  summary: 'the text contains every one of several texts; the score is the share found',
  family: 'text',
  example: 'containsAll: [refund, 14 days]',
  failsOn: { text: 'A refund takes a month.' },
  definition: 'substrings of code points; the score is the share found',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtListParam.describe('The texts to look for.'),
    ignoreCase: z.boolean().default(false).describe('Upper and lower case are the same.'),
  }),
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const searched = ignoreCase ? text.toLowerCase() : text;
    const absent = value.filter((part) => !searched.includes(ignoreCase ? part.toLowerCase() : part));
    const pass = absent.length === 0;
    return {
      pass,
      score: 1 - absent.length / value.length,
      reason: pass
        ? `contains all ${value.length} texts: found ${quote(text)}`
        : `does not contain ${absent
            .map((part) => quote(part, 60))
            .slice(0, 10)
            .join(', ')}: found ${quote(text)}`,
    };
  },
});
