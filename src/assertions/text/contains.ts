import * as z from 'zod';
import { lastWords, quote } from '../../text/shorten.ts';
import { defineAssertion } from '../define.ts';
import { ignoreCaseParam, soughtParam, trimAnswerParam } from '../params.ts';
import { textOf } from '../targets.ts';

export const contains = defineAssertion({
  summary: 'the text contains another',
  family: 'text',
  example: 'contains: refund',
  failsOn: { text: 'It is on its way.' },
  definition: 'substring of code points; case by Unicode, section 3.13 (default conversion)',
  main: 'value',
  spelled: true,
  params: z.strictObject({ value: soughtParam.describe('The text to look for.'), ignoreCase: ignoreCaseParam }),
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const pass = searchIn(text, ignoreCase)(value);
    return { pass, reason: `${pass ? 'contains' : 'does not contain'} ${quote(value)}: found ${quote(text)}` };
  },
});

const listParams = z.strictObject({
  value: z.array(soughtParam).min(1, { error: 'needs at least one text' }).describe('The texts to look for.'),
  ignoreCase: ignoreCaseParam,
});

export const containsAll = defineAssertion({
  summary: 'the text contains every one of several texts; the score is the share found',
  family: 'text',
  example: 'containsAll: [refund, 14 days]',
  failsOn: { text: 'A refund takes a month.' },
  definition: 'substrings of code points; the score is the share found',
  main: 'value',
  spelled: true,
  params: listParams,
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const isFound = searchIn(text, ignoreCase);
    const absent = value.filter((part) => !isFound(part));
    const pass = absent.length === 0;
    const result = pass ? `contains all ${value.length} texts` : `does not contain ${listTexts(absent)}`;
    return { pass, score: 1 - absent.length / value.length, reason: `${result}: found ${quote(text)}` };
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
  params: listParams,
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const found = value.find(searchIn(text, ignoreCase));
    const result = found === undefined ? `contains none of ${listTexts(value)}` : `contains ${quote(found)}`;
    return { pass: found !== undefined, reason: `${result}: found ${quote(text)}` };
  },
});

function searchIn(text: string, ignoreCase: boolean): (part: string) => boolean {
  const searched = ignoreCase ? text.toLowerCase() : text;
  return (part) => searched.includes(ignoreCase ? part.toLowerCase() : part);
}

function listTexts(texts: readonly string[]): string {
  return texts
    .slice(0, 10)
    .map((text) => quote(text, 60))
    .join(', ');
}

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
