import * as z from 'zod';
import { spell } from '../../json/canonical-json.ts';
import { deepEqual } from '../../json/deep-equal.ts';
import { describeValue } from '../../json/describe-value.ts';
import { quote } from '../../text/shorten.ts';
import { isScalar, normaliseText, normaliseValue } from '../compare-values.ts';
import { defineAssertion } from '../define.ts';
import { ignoreCaseParam, trimTextsParam, valueParam } from '../params.ts';

export const oneOf = defineAssertion({
  summary: 'the text or value is one of several',
  family: 'text',
  example: 'oneOf: [billing, technical, sales]',
  failsOn: { text: 'accounting' },
  definition: 'equality as in equals',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: z.array(valueParam).min(1, { error: 'needs at least one value' }).describe('The values that pass.'),
    ignoreCase: ignoreCaseParam,
    trim: trimTextsParam,
  }),
  check(target, { value, ...options }) {
    const listed = `one of ${value.slice(0, 10).map(describeOption).join(', ')}${value.length > 10 ? ' …' : ''}`;
    if (target.kind === 'text') {
      const text = normaliseText(target.text, options);
      const pass = value.some(
        (option) => isScalar(option) && normaliseText(option === null ? 'null' : spell(option), options) === text,
      );
      return { pass, reason: `${pass ? 'is' : 'is not'} ${listed}: found ${quote(target.text)}` };
    }
    const found = normaliseValue(target.value, options);
    const pass = value.some((option) => deepEqual(normaliseValue(option, options), found));
    return { pass, reason: `${pass ? 'is' : 'is not'} ${listed}: found ${describeValue(target.value)}` };
  },
});

function describeOption(option: unknown): string {
  return isScalar(option) ? quote(option === null ? 'null' : spell(option), 60) : describeValue(option);
}
