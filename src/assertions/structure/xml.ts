import { type SaxesOptions, SaxesParser } from 'saxes';
import * as z from 'zod';
import { attempt } from '../../text/attempt.ts';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { describePlace, textOf } from '../targets.ts';

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

/** A step of a path such as `order/item`, `//item`, `*` or a last `@id`. */
export interface XmlStep {
  readonly name: string;
  /** Looked for at any depth. */
  readonly deep: boolean;
  readonly attribute: boolean;
}

/** Parses a path of names from the root. `//` is any depth, `*` any name, and `@name` an attribute at the end. */
function parseXmlPath(path: string): readonly XmlStep[] | undefined {
  const steps: XmlStep[] = [];
  const pattern = /(\/{0,2})(@?)([^\s/@]+)/y;
  while (pattern.lastIndex < path.length) {
    const found = pattern.exec(path);
    const last = steps.at(-1);
    if (found === null || last?.attribute === true || (last !== undefined && found[1] === '')) return undefined;
    steps.push({ name: found[3] ?? '', deep: found[1] === '//', attribute: found[2] === '@' });
  }
  const [first] = steps;
  return first === undefined || (first.attribute && !first.deep) ? undefined : steps;
}

/** Whether a path leads anywhere. */
function hasXmlPath(root: XmlElement, steps: readonly XmlStep[]): boolean {
  let current: readonly XmlElement[] = [{ name: '', attributes: [], children: [root] }];
  for (const { name, deep, attribute } of steps) {
    const reached = deep ? collectDescendants(current) : current;
    if (attribute)
      return reached.some(({ attributes }) => (name === '*' ? attributes.length > 0 : attributes.includes(name)));
    current = [...new Set(reached.flatMap(({ children }) => children))].filter(
      (child) => name === '*' || child.name === name,
    );
  }
  return current.length > 0;
}

function collectDescendants(elements: readonly XmlElement[]): readonly XmlElement[] {
  const reached = new Set(elements);
  // The loop also visits elements that are added to the set meanwhile.
  for (const element of reached) for (const child of element.children) reached.add(child);
  return [...reached];
}

/** An element of a parsed document. Text and comments are checked but not kept. */
interface XmlElement {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly children: readonly XmlElement[];
}

export type ParsedXml =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly message: string; readonly offset: number };

interface OpenElement extends XmlElement {
  readonly children: OpenElement[];
}

/** Parses XML 1.0 to check that it is well-formed. Expands no entity and reads nothing outside of the text. */
export function parseXml(text: string): ParsedXml {
  const parser = new SaxesParser<SaxesOptions>({ position: true });
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let hasDoctype = false;
  parser.on('doctype', () => {
    hasDoctype = true;
  });
  parser.on('error', (error) => {
    // A DOCTYPE's declarations may be in another file.
    if (hasDoctype && error.message.endsWith('undefined entity.')) return;
    throw new XmlFault(error.message.replace(/^(?:\d+:\d+: )/, '').replace(/\.$/, ''), parser.position);
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element: OpenElement = { name, attributes: Object.keys(attributes), children: [] };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const fault = attempt(() => parser.write(text).close(), XmlFault);
  if (fault instanceof XmlFault)
    return { ok: false, message: fault.message, offset: Math.min(fault.offset, text.length) };
  return root === undefined ? { ok: false, message: 'there is no element', offset: text.length } : { ok: true, root };
}

class XmlFault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'XmlFault';
    this.offset = offset;
  }
}
