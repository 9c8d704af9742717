import * as z from 'zod';
import { describeValue } from '../../json/describe-value.ts';
import { defineAssertion } from '../define.ts';
import { describeNotJson, jsonOf } from '../targets.ts';

export const json = defineAssertion({
  summary: 'the whole text is strict JSON',
  family: 'structure',
  example: 'json: true',
  failsOn: { text: 'Here it is: {}' },
  definition: 'RFC 8259',
  main: 'value',
  params: z.strictObject({ value: z.boolean().default(true).describe('False: the text must not be JSON.') }),
  check(target, { value }) {
    const parsed = jsonOf(target);
    if (parsed.ok) return { pass: value, reason: `is JSON: ${describeValue(parsed.value)}` };
    return { pass: !value, reason: describeNotJson(target.kind === 'text' ? target.text : '', parsed.reason) };
  },
});
