import * as z from 'zod';
import { type FinishReason, finishReasons } from '../../model/completion.ts';
import { defineAssertion } from '../define.ts';

const reasonParam = z.enum(finishReasons);

export const finishReason = defineAssertion({
  summary: 'the model stopped for a given reason',
  family: 'behaviour',
  example: 'finishReason: stop',
  failsOn: { text: 'It is', finishReason: 'length' },
  definition: "the APIs' finish reasons in one vocabulary (see Providers)",
  main: 'value',
  params: z.strictObject({
    value: z
      .union([reasonParam, z.array(reasonParam).min(1)], {
        error: `must be one of ${finishReasons.join(', ')}, or a list of them`,
      })
      .describe('The reason that passes, or several.'),
  }),
  check(_target, { value }, { completion }) {
    const wanted: readonly FinishReason[] = typeof value === 'string' ? [value] : value;
    const { finishReason: found, rawFinishReason: raw } = completion;
    if (found === undefined) {
      return {
        error: 'the finish reason is not known: the API gave none, or the answer was recorded by hand without it',
      };
    }
    const shown = raw === undefined || raw === found ? found : `${found} (the API says ${JSON.stringify(raw)})`;
    return { pass: wanted.includes(found), reason: `stopped for ${shown}, wanted ${wanted.join(' or ')}` };
  },
});
