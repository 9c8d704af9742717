import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { parseXml } from '../text/xml.ts';
import { hasXmlPath, parseXmlPath } from '../text/xml-path.ts';
import { type CheckOutcome, defineAssertion } from './define.ts';
import { describePlace } from './describe-place.ts';
import { textOf } from './target-text.ts';

const pathParam = z.string().refine((path) => parseXmlPath(path) !== undefined, {
  error: 'must be a path such as "order/item", "//item" or "//item/@id"',
});

/** Well-formed in the sense of XML 1.0, section 2.1; a DTD is skipped. */
export const xml = defineAssertion({
  summary: 'the whole text is well-formed XML, with a given root and given elements or attributes',
  family: 'structure',
  example: 'xml: { root: order, contains: [order/item, "//item/@id"] }',
  failsOn: { text: '<order><item></order>' },
  definition: 'XML 1.0, fifth edition, section 2.1',
  main: 'value',
  params: z
    .strictObject({
      value: z.boolean().default(true).describe('False: the text must not be XML.'),
      root: z.string().min(1).optional().describe("The root element's name."),
      contains: z
        .array(pathParam)
        .default([])
        .describe(
          'Paths that must lead somewhere: names from the root, // for any depth, * for any name, a last @name.',
        ),
    })
    .refine(({ value, root, contains }) => value || (root === undefined && contains.length === 0), {
      error: 'value: false takes neither root nor contains',
    }),
  check(target, { value, root, contains }): CheckOutcome {
    const text = textOf(target).trim();
    const parsed = parseXml(text);
    if (!parsed.ok) {
      const fence = text.includes('```') ? '; a fenced code block is selected by {codeBlock: xml}' : '';
      return {
        pass: !value,
        reason: `is not XML, ${describePlace(text, parsed.offset)}: ${parsed.message}${fence}: found ${quote(text)}`,
      };
    }
    if (root !== undefined && parsed.root.name !== root) {
      return {
        pass: false,
        reason: `the root is <${parsed.root.name.slice(0, 100)}>, wanted <${root}>: found ${quote(text)}`,
      };
    }
    const absent = contains.filter((path) => !hasXmlPath(parsed.root, parseXmlPath(path) ?? []));
    const score = contains.length === 0 ? 1 : 1 - absent.length / contains.length;
    if (absent.length > 0)
      return { pass: false, score, reason: `has no ${absent.slice(0, 8).join(', ')}: found ${quote(text)}` };
    return { pass: value, reason: `is XML with the root <${parsed.root.name.slice(0, 100)}>` };
  },
});
