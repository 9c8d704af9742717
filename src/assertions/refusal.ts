import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { defineAssertion } from './define.ts';
import { findRefusalWording } from './refusal-wording.ts';
import { textOf } from './target-text.ts';

export const refusal = defineAssertion({
  summary:
    'the model refused: by its API field, its finish reason or the wording of the first sentence (English and a dozen other languages)',
  family: 'behaviour',
  example: 'refusal: false',
  failsOn: { text: "I'm sorry, but I can't help with that." },
  definition: "the API's refusal field and finish reason; wording is our own list, a heuristic",
  main: 'value',
  params: z.strictObject({ value: z.boolean().default(true).describe('False: the model must not refuse.') }),
  check(target, { value }, { completion }) {
    const text = textOf(target);
    if (completion.refusal !== undefined && completion.refusal !== '') {
      return { pass: value, reason: `refused, the API says: ${quote(completion.refusal)}` };
    }
    if (completion.finishReason === 'refusal' || completion.finishReason === 'contentFilter') {
      return { pass: value, reason: `refused, the finish reason is ${completion.finishReason}: found ${quote(text)}` };
    }
    const wording = findRefusalWording(text);
    if (wording !== undefined)
      return { pass: value, reason: `refused with the words ${quote(wording)}: found ${quote(text)}` };
    return { pass: !value, reason: `did not refuse: found ${quote(text)}` };
  },
});
