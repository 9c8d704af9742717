import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { defineAssertion } from './define.ts';
import { soughtListParam } from './param-schemas.ts';
import { textOf } from './target-text.ts';

export const containsAny = defineAssertion({
  summary: 'the text contains at least one of several texts',
  family: 'text',
  example: 'containsAny: [refund, money back]',
  failsOn: { text: 'It is on its way.' },
  definition: 'substrings of code points',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtListParam.describe('The texts to look for.'),
    ignoreCase: z.boolean().default(false).describe('Upper and lower case are the same.'),
  }),
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const searched = ignoreCase ? text.toLowerCase() : text;
    const found = value.find((part) => searched.includes(ignoreCase ? part.toLowerCase() : part));
    return {
      pass: found !== undefined,
      reason:
        found === undefined
          ? `contains none of ${value
              .map((part) => quote(part, 60))
              .slice(0, 10)
              .join(', ')}: found ${quote(text)}`
          : `contains ${quote(found)}: found ${quote(text)}`,
    };
  },
});
