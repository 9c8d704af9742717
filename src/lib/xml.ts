/** An element of a parsed document; text and comments are checked and not kept. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: readonly string[];
  readonly children: readonly XmlElement[];
}

export type ParsedXml =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly message: string; readonly offset: number };

/** Parses XML 1.0 as far as its being well-formed goes. No entity is expanded and nothing outside is read. */
export function parseXml(text: string): ParsedXml {
  const state: State = { text, at: text.startsWith('\ufeff') ? 1 : 0, open: [], root: undefined, hasDoctype: false };
  try {
    readDocument(state);
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    return { ok: false, message: error.message, offset: error.offset };
  }
  return state.root === undefined
    ? { ok: false, message: 'there is no element', offset: text.length }
    : { ok: true, root: state.root };
}

class XmlFault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'XmlFault';
    this.offset = offset;
  }
}

interface OpenElement extends XmlElement {
  readonly attributes: string[];
  readonly children: OpenElement[];
}

interface State {
  readonly text: string;
  at: number;
  readonly open: OpenElement[];
  root: OpenElement | undefined;
  hasDoctype: boolean;
}

const nameStart = String.raw`:A-Z_a-z\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{2ff}\u{370}-\u{37d}\u{37f}-\u{1fff}\u{200c}-\u{200d}\u{2070}-\u{218f}\u{2c00}-\u{2fef}\u{3001}-\u{d7ff}\u{f900}-\u{fdcf}\u{fdf0}-\u{fffd}\u{10000}-\u{effff}`;
const namePattern = new RegExp(
  String.raw`[${nameStart}][${nameStart}\-.0-9\u{b7}\u{300}-\u{36f}\u{203f}-\u{2040}]*`,
  'uy',
);
const declarationPattern =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(["'])1\.\d+\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(["'])[A-Za-z][\w.-]*\2)?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(["'])(?:yes|no)\3)?[ \t\r\n]*\?>$/;
const spacePattern = /[ \t\r\n]*/y;
const referencePattern = /&(?:#(\d{1,10})|#x([0-9a-fA-F]{1,8})|([^\s;&<]{1,100}));/y;
// oxlint-disable-next-line no-control-regex -- these are what XML forbids
const forbiddenCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;
const knownEntities = new Set(['amp', 'lt', 'gt', 'quot', 'apos']);

function readDocument(state: State): void {
  const forbidden = forbiddenCharacter.exec(state.text);
  if (forbidden !== null) throw new XmlFault('a character stands here that XML does not allow', forbidden.index);
  if (/^<\?xml[ \t\r\n]/.test(state.text.slice(state.at, state.at + 6))) {
    const start = state.at;
    skipPast(state, '?>', 'the XML declaration');
    if (!declarationPattern.test(state.text.slice(start, state.at)))
      throw new XmlFault('the XML declaration is not version, encoding and standalone, in this order', start);
  }
  while (state.at < state.text.length) {
    const next = state.text.indexOf('<', state.at);
    readText(state, next === -1 ? state.text.length : next);
    if (next !== -1) readMarkup(state);
  }
  const unclosed = state.open.at(-1);
  if (unclosed !== undefined) throw new XmlFault(`<${unclosed.name}> is never closed`, state.text.length);
}

function readText(state: State, end: number): void {
  const { text, at } = state;
  if (state.open.length === 0) {
    const stray = /[^ \t\r\n]/.exec(text.slice(at, end));
    if (stray !== null) throw new XmlFault('text stands outside the root element', at + stray.index);
  } else {
    checkReferences(state, at, end);
    const closing = text.slice(at, end).indexOf(']]>');
    if (closing !== -1) throw new XmlFault('"]]>" must not stand in text', at + closing);
  }
  state.at = end;
}

function readMarkup(state: State): void {
  const { text, at } = state;
  if (text.startsWith('<!--', at)) {
    const dashes = text.indexOf('--', at + 4);
    if (dashes !== -1 && text[dashes + 2] !== '>') throw new XmlFault('"--" must not stand in a comment', dashes);
    skipPast(state, '-->', 'the comment', at + 4);
  } else if (text.startsWith('<![CDATA[', at)) {
    if (state.open.length === 0) throw new XmlFault('a CDATA section stands outside the root element', at);
    skipPast(state, ']]>', 'the CDATA section');
  } else if (text.startsWith('<?', at)) {
    if (/^<\?xml[ \t\r\n?]/i.test(text.slice(at, at + 6))) {
      throw new XmlFault('the XML declaration must stand at the very start', at);
    }
    skipPast(state, '?>', 'the processing instruction');
  } else if (text.startsWith('<!DOCTYPE', at)) {
    readDoctype(state);
  } else if (text.startsWith('</', at)) {
    readEndTag(state);
  } else {
    readStartTag(state);
  }
}

function readDoctype(state: State): void {
  const { text, at } = state;
  if (state.root !== undefined || state.hasDoctype)
    throw new XmlFault('<!DOCTYPE> must stand before the root, once', at);
  state.hasDoctype = true;
  const token = /"[^"]*"|'[^']*'|<!--[^]*?-->|[[\]>]/g;
  token.lastIndex = at + 9;
  let inSubset = false;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '[') inSubset = true;
    if (found[0] === ']') inSubset = false;
    if (found[0] === '>' && !inSubset) {
      state.at = token.lastIndex;
      return;
    }
  }
  throw new XmlFault('<!DOCTYPE> is never closed', at);
}

function readEndTag(state: State): void {
  const start = state.at;
  state.at += 2;
  const name = readName(state);
  skipSpace(state);
  if (state.text[state.at] !== '>') throw new XmlFault(`</${name} is not closed by ">"`, start);
  state.at += 1;
  const open = state.open.pop();
  if (open === undefined) throw new XmlFault(`</${name}> closes what was never opened`, start);
  if (open.name !== name) throw new XmlFault(`</${name}> stands where </${open.name}> was due`, start);
}

function readStartTag(state: State): void {
  const start = state.at;
  state.at += 1;
  const element: OpenElement = { name: readName(state), attributes: [], children: [] };
  const parent = state.open.at(-1);
  if (parent === undefined && state.root !== undefined) throw new XmlFault(`<${element.name}> is a second root`, start);
  let names: Set<string> | undefined;
  for (;;) {
    const before = state.at;
    skipSpace(state);
    if (state.text[state.at] === '>' || state.text.startsWith('/>', state.at)) break;
    if (state.at >= state.text.length) throw new XmlFault(`<${element.name} is not closed by ">"`, start);
    if (state.at === before) throw new XmlFault(`white space is missing in <${element.name}`, before);
    const name = readAttribute(state);
    names ??= new Set();
    if (names.has(name)) throw new XmlFault(`<${element.name}> has the attribute ${name} twice`, before);
    names.add(name);
    element.attributes.push(name);
  }
  if (parent === undefined) state.root = element;
  else parent.children.push(element);
  const isEmpty = state.text[state.at] === '/';
  state.at += isEmpty ? 2 : 1;
  if (!isEmpty) state.open.push(element);
}

function readAttribute(state: State): string {
  const { text } = state;
  const name = readName(state);
  skipSpace(state);
  if (text[state.at] !== '=') throw new XmlFault(`the attribute ${name} has no value`, state.at);
  state.at += 1;
  skipSpace(state);
  const mark = text[state.at];
  if (mark !== '"' && mark !== "'") throw new XmlFault(`the value of ${name} is not quoted`, state.at);
  const end = text.indexOf(mark, state.at + 1);
  if (end === -1) throw new XmlFault(`the value of ${name} is never closed`, state.at);
  const less = text.slice(state.at + 1, end).indexOf('<');
  if (less !== -1) throw new XmlFault(`"<" must not stand in the value of ${name}`, state.at + 1 + less);
  checkReferences(state, state.at + 1, end);
  state.at = end + 1;
  return name;
}

function checkReferences({ text, hasDoctype }: State, start: number, end: number): void {
  // Within the slice: a search in the whole text would run to its end for every piece.
  const piece = text.slice(start, end);
  for (let found = piece.indexOf('&'); found !== -1; found = piece.indexOf('&', found + 1)) {
    const at = start + found;
    referencePattern.lastIndex = at;
    const reference = referencePattern.exec(text);
    if (reference === null) throw new XmlFault('"&" stands without a reference: write &amp;', at);
    const [, decimal, hexadecimal, entity] = reference;
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '41', 16) : Number(decimal);
    const isCharacter = code <= 0x10_ff_ff && !forbiddenCharacter.test(String.fromCodePoint(code));
    if (!isCharacter) throw new XmlFault(`${reference[0]} is no character that XML allows`, at);
    // What a DOCTYPE declares may stand in a file elsewhere.
    if (entity !== undefined && !knownEntities.has(entity) && !hasDoctype) {
      throw new XmlFault(`the entity &${entity}; is not defined`, at);
    }
  }
}

function readName(state: State): string {
  namePattern.lastIndex = state.at;
  const found = namePattern.exec(state.text);
  if (found === null) throw new XmlFault('a name was due', state.at);
  state.at = namePattern.lastIndex;
  return found[0];
}

function skipSpace(state: State): void {
  spacePattern.lastIndex = state.at;
  spacePattern.exec(state.text);
  state.at = spacePattern.lastIndex;
}

function skipPast(state: State, end: string, what: string, from = state.at): void {
  const found = state.text.indexOf(end, from);
  if (found === -1) throw new XmlFault(`${what} is never closed`, state.at);
  state.at = found + end.length;
}
