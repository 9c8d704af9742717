import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { defineAssertion } from './define.ts';
import { soughtParam } from './param-schemas.ts';
import { textOf } from './target-text.ts';

export const contains = defineAssertion({
  summary: 'the text contains another',
  family: 'text',
  example: 'contains: refund',
  failsOn: { text: 'It is on its way.' },
  definition: 'substring of code points; case by Unicode, section 3.13 (default conversion)',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtParam.describe('The text to look for.'),
    ignoreCase: z.boolean().default(false).describe('Upper and lower case are the same.'),
  }),
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const pass = ignoreCase ? text.toLowerCase().includes(value.toLowerCase()) : text.includes(value);
    return { pass, reason: `${pass ? 'contains' : 'does not contain'} ${quote(value)}: found ${quote(text)}` };
  },
});
