import { type SaxesOptions, SaxesParser } from 'saxes';

/** An element of a parsed document; text and comments are checked and not kept. */
export interface XmlElement {
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

/** Parses XML 1.0 as far as its being well-formed goes. No entity is expanded and nothing outside is read. */
export function parseXml(text: string): ParsedXml {
  const parser = new SaxesParser<SaxesOptions>({ position: true });
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let hasDoctype = false;
  parser.on('doctype', () => {
    hasDoctype = true;
  });
  parser.on('error', (error) => {
    // What a DOCTYPE declares may be in a file elsewhere.
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
  try {
    parser.write(text).close();
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    return { ok: false, message: error.message, offset: Math.min(error.offset, text.length) };
  }
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
