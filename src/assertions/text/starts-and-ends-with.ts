import * as z from 'zod';
import { lastWords, quote } from '../../text/shorten.ts';
import { defineAssertion } from '../define.ts';
import { ignoreCaseParam, soughtParam, trimAnswerParam } from '../params.ts';
import { textOf } from '../targets.ts';

export const startsWith = defineAssertion({
  summary: 'the text starts with another',
  family: 'text',
  example: 'startsWith: "Dear"',
  failsOn: { text: 'Hello Ada,' },
  definition: 'prefix of code points',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtParam.describe('The text it starts with.'),
    ignoreCase: ignoreCaseParam,
    trim: trimAnswerParam,
  }),
  check(target, { value, ignoreCase, trim }) {
    const text = trim ? textOf(target).trim() : textOf(target);
    const pass = ignoreCase ? text.toLowerCase().startsWith(value.toLowerCase()) : text.startsWith(value);
    return { pass, reason: `${pass ? 'starts' : 'does not start'} with ${quote(value)}: found ${quote(text)}` };
  },
});

export const endsWith = defineAssertion({
  summary: 'the text ends with another',
  family: 'text',
  example: 'endsWith: "Kind regards."',
  failsOn: { text: 'Bye!' },
  definition: 'suffix of code points',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtParam.describe('The text it ends with.'),
    ignoreCase: ignoreCaseParam,
    trim: trimAnswerParam,
  }),
  check(target, { value, ignoreCase, trim }) {
    const text = trim ? textOf(target).trim() : textOf(target);
    const pass = ignoreCase ? text.toLowerCase().endsWith(value.toLowerCase()) : text.endsWith(value);
    const found = quote(lastWords(text, 200));
    return { pass, reason: `${pass ? 'ends' : 'does not end'} with ${quote(value)}: found ${found}` };
  },
});
