import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { defineAssertion } from '../define.ts';
import { soughtListParam, soughtParam } from '../params.ts';
import { textOf } from '../targets.ts';

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
