import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { runRegex } from './check-limit.ts';
import { defineAssertion } from './define.ts';
import { checkRegex, regexParams } from './regex-param.ts';
import { textOf } from './target-text.ts';

// The parameters of one check are one object for all its cells.
const compiled = new WeakMap<object, RegExp>();

export const regex = defineAssertion({
  summary: 'a regular expression matches somewhere in the text; stopped after half a second',
  family: 'text',
  example: 'regex: "^(billing|technical|sales)$"',
  failsOn: { text: 'accounting' },
  definition: 'ECMA-262, section 22.2; Unicode where the flags say so',
  main: 'value',
  params: z.strictObject(regexParams).superRefine(checkRegex),
  check(target, params, { ports }) {
    const text = textOf(target);
    const pattern = compiled.get(params) ?? new RegExp(params.value, params.flags);
    compiled.set(params, pattern);
    // With the flags g and y an earlier answer's place would be kept.
    pattern.lastIndex = 0;
    const found = runRegex(pattern, text.length, ports, () => pattern.exec(text));
    const shown = `/${params.value}/${params.flags}`;
    return found === null
      ? { pass: false, reason: `${shown} matches nothing in ${quote(text)}` }
      : { pass: true, reason: `${shown} matches ${quote(found[0])}` };
  },
});
