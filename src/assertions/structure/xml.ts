import { type SaxesOptions, SaxesParser } from 'saxes';
import * as z from 'zod';
import { attempt } from '../../text/attempt.ts';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion, runBounded } from '../define.ts';
import { describePlace, textOf } from '../targets.ts';
import { type Doctype, DoctypeFault, readDoctype } from './xml-doctype.ts';

const pathParam = z.string().refine((path) => parseXmlPath(path) !== undefined, {
  error: 'must be a path such as "order/item", "//item" or "//item/@id"',
});

const maxCheapLength = 10_000;

/** Well-formed in the sense of XML 1.0, section 2.1. Declarations in other files are not read. */
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
  check(target, { value, root, contains }, { ports }): CheckOutcome {
    const text = textOf(target).trim();
    // Each entity that a DOCTYPE declares is parsed for itself, which takes longer than plain XML.
    const isCheap = text.length <= maxCheapLength || !text.includes('<!DOCTYPE');
    const parsed = runBounded(isCheap, ports, () => parseXml(text));
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

/**
 * Parses XML 1.0 to check that it is well-formed, with the declarations of its own DOCTYPE. It reads nothing outside of
 * the text. Each entity is checked once and never expanded in another one, so that nested entities cost nothing.
 */
export function parseXml(text: string): ParsedXml {
  const checked = new Set<string>();
  const fault = attempt((): ParsedXml => {
    const { root, used, doctype, isAlone, position } = readDocument(text, undefined);
    const check: EntityCheck = { doctype, isAlone, checked, open: [], position };
    const inDefaults = [...(doctype?.inDefaults ?? [])].map((name) => ({ name, inAttribute: true }));
    checkEntities([...inDefaults, ...used], check);
    return root === undefined ? { ok: false, message: 'there is no element', offset: text.length } : { ok: true, root };
  }, XmlFault);
  if (!(fault instanceof XmlFault)) return fault;
  return { ok: false, message: fault.message, offset: Math.min(fault.offset, text.length) };
}

interface UsedEntity {
  readonly name: string;
  readonly inAttribute: boolean;
}

interface XmlDocument {
  readonly root: XmlElement | undefined;
  readonly doctype: Doctype | undefined;
  /** True if the document says that no declaration elsewhere matters. */
  readonly isAlone: boolean;
  readonly used: readonly UsedEntity[];
  readonly position: number;
}

// saxes replaces an entity by a text. This one can't be in a document, and shows where the entity was.
const entityMark = '\u0000';
const markedEntities = new RegExp(`${entityMark}([^;]*);`, 'g');

const predefined = { amp: '&', lt: '<', gt: '>', apos: "'", quot: '"' };
const tables = new WeakMap<Doctype, Record<string, string>>();

/** The library's own table inherits names such as "constructor" from all objects. The parts of a document share one. */
function tableOf(doctype: Doctype | undefined): Record<string, string> {
  const known = doctype === undefined ? undefined : tables.get(doctype);
  if (known !== undefined) return known;
  const marks = [...(doctype?.entities.keys() ?? [])].map((name) => [name, `${entityMark}${name};`] as const);
  const table: Record<string, string> = Object.assign(Object.create(null), Object.fromEntries(marks), predefined);
  if (doctype !== undefined) tables.set(doctype, table);
  return table;
}

/** Reads a document, or a part that knows the DOCTYPE of its document. Throws an `XmlFault`. */
function readDocument(text: string, known: Doctype | undefined): XmlDocument {
  const parser = new SaxesParser<SaxesOptions>({ position: true });
  const open: OpenElement[] = [];
  const used: UsedEntity[] = [];
  let doctype = known;
  let root: OpenElement | undefined;
  const collect = (value: string, inAttribute: boolean) => {
    for (const [, name = ''] of value.matchAll(markedEntities)) used.push({ name, inAttribute });
  };
  const isAlone = () => parser.xmlDecl.standalone === 'yes';
  parser.ENTITIES = tableOf(known);
  parser.on('doctype', (declared) => {
    const found = attempt(() => readDoctype(declared), DoctypeFault);
    if (found instanceof DoctypeFault) throw new XmlFault(found.message, parser.position);
    doctype = found;
    parser.ENTITIES = tableOf(found);
  });
  parser.on('error', (error) => {
    // The declarations may be in another file.
    if (doctype?.hasMore === true && !isAlone() && error.message.endsWith('undefined entity.')) return;
    throw new XmlFault(error.message.replace(/^(?:\d+:\d+: )/, '').replace(/\.$/, ''), parser.position);
  });
  parser.on('text', (found) => collect(found, false));
  parser.on('opentag', ({ name, attributes }) => {
    for (const value of Object.values(attributes)) collect(String(value), true);
    const element: OpenElement = { name, attributes: Object.keys(attributes), children: [] };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(text).close();
  return { root, doctype, used, isAlone: isAlone(), position: text.length };
}

interface EntityCheck extends Pick<XmlDocument, 'doctype' | 'isAlone' | 'position'> {
  readonly checked: Set<string>;
  /** The entities around the one that is checked. */
  readonly open: readonly string[];
}

/** Deeper entities are refused, because each level takes a place on the stack. */
const maxEntityDepth = 100;

/** Checks that entities are well-formed where they stand (XML 1.0, section 4.1). Throws an `XmlFault`. */
function checkEntities(used: readonly UsedEntity[], check: EntityCheck): void {
  const { doctype, checked, open, position } = check;
  const refuse = (message: string): never => {
    throw new XmlFault(message, position);
  };
  for (const { name, inAttribute } of used) {
    const entity = doctype?.entities.get(name);
    if (open.includes(name)) refuse(`the entity &${name}; refers to itself`);
    if (open.length > maxEntityDepth) refuse(`entities are nested more than ${maxEntityDepth} deep`);
    const key = `${String(inAttribute)} ${name}`;
    if (entity === undefined || checked.has(key)) continue;
    if (entity.kind === 'unparsed') refuse(`the entity &${name}; is no text`);
    if (entity.kind === 'external' && inAttribute) refuse(`the attribute refers to &${name}; of another file`);
    if (entity.kind === 'text') {
      const inner = { ...check, open: [...open, name] };
      if (inAttribute) checkAttribute(entity.text, inner);
      else checkEntities(readPart(`<a>${entity.text}</a>`, `the entity &${name};`, check), inner);
    }
    checked.add(key);
  }
}

function checkAttribute(value: string, check: EntityCheck): void {
  checkEntities(readPart(`<a a="${value.replaceAll('"', '&quot;')}"/>`, 'the value of an attribute', check), check);
}

function readPart(text: string, noun: string, { doctype, position }: EntityCheck): readonly UsedEntity[] {
  const read = attempt(() => readDocument(text, doctype), XmlFault);
  if (read instanceof XmlFault) throw new XmlFault(`${noun} is not well-formed: ${read.message}`, position);
  return read.used;
}

class XmlFault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'XmlFault';
    this.offset = offset;
  }
}
