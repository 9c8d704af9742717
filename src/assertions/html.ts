import * as z from 'zod';
import { outlineHtml } from '../text/html-tags.ts';
import { quote } from '../text/quote.ts';
import { type CheckOutcome, defineAssertion } from './define.ts';
import { describePlace } from './describe-place.ts';
import { textOf } from './target-text.ts';

const tagParam = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9-]*$/, { error: 'must be the name of an element, such as table' });

/** Tags as the HTML standard wants them (section 13.1): opened, closed and nested; what may be left out may. */
export const html = defineAssertion({
  summary: 'the text is HTML with every tag closed and nested as the standard wants, and holds given elements',
  family: 'structure',
  example: 'html: { contains: [table, th] }',
  failsOn: { text: '<table><tr><td>1</td></table>' },
  definition: 'HTML, the living standard of WHATWG',
  main: 'value',
  params: z
    .strictObject({
      value: z.boolean().default(true).describe('False: the text must not be HTML.'),
      contains: z
        .array(tagParam)
        .min(1, { error: 'needs at least one element' })
        .optional()
        .describe('Elements that must be there.'),
    })
    .refine(({ value, contains }) => value || contains === undefined, { error: 'value: false takes no contains' }),
  check(target, { value, contains = [] }): CheckOutcome {
    const text = textOf(target);
    const { counts, fault } = outlineHtml(text);
    if (counts.size === 0) return { pass: !value, reason: `holds no HTML element: found ${quote(text)}` };
    if (fault !== undefined) {
      return { pass: !value, reason: `${describePlace(text, fault.offset)}: ${fault.message}: found ${quote(text)}` };
    }
    const absent = contains.filter((name) => !counts.has(name.toLowerCase()));
    const score = contains.length === 0 ? 1 : 1 - absent.length / contains.length;
    if (absent.length > 0)
      return { pass: false, score, reason: `has no <${absent.slice(0, 8).join('>, <')}>: found ${quote(text)}` };
    const shown = [...counts].slice(0, 8).map(([name, count]) => `${count} <${name}>`);
    return { pass: value, reason: `is HTML with ${shown.join(', ')}` };
  },
});
