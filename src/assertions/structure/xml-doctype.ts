/** What a DOCTYPE declares, as far as a document's well-formedness depends on it (XML 1.0, sections 2.8, 3.2 to 3.4 and 4). */
export interface Doctype {
  readonly entities: ReadonlyMap<string, XmlEntity>;
  /** The entities in default values of attributes. */
  readonly inDefaults: ReadonlySet<string>;
  /** True if declarations stand elsewhere, where they are not read. */
  readonly hasMore: boolean;
}

/** An entity for text: its replacement text, or where its content is. */
export type XmlEntity = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'external' | 'unparsed' };

/** A DOCTYPE that is not written as the standard wants. */
export class DoctypeFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DoctypeFault';
  }
}

const nameStart = String.raw`:A-Z_a-z\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{2ff}\u{370}-\u{37d}\u{37f}-\u{1fff}\u{200c}\u{200d}\u{2070}-\u{218f}\u{2c00}-\u{2fef}\u{3001}-\u{d7ff}\u{f900}-\u{fdcf}\u{fdf0}-\u{fffd}\u{10000}-\u{effff}`;
const nameRest = String.raw`${nameStart}\-.0-9\u{b7}\u{300}-\u{36f}\u{203f}\u{2040}`;
const name = `[${nameStart}][${nameRest}]*`;
const space = String.raw`[ \t\r\n]`;
const literal = `(?:"[^"]*"|'[^']*')`;
const publicLiteral = String.raw`(?:"[-'()+,./:=?;!*#@$_% \r\na-zA-Z0-9]*"|'[-()+,./:=?;!*#@$_% \r\na-zA-Z0-9]*')`;
const external = `(?:SYSTEM${space}+${literal}|PUBLIC${space}+${publicLiteral}${space}+${literal})`;
const choiceOf = (item: string) => String.raw`\(${space}*${item}(?:${space}*\|${space}*${item})*${space}*\)`;

const patternOf = (source: string) => new RegExp(source, 'uy');
const start = patternOf(`${space}+${name}(?:${space}+(${external}))?${space}*`);
const spaces = patternOf(`${space}+`);
const reference = patternOf(`%${name};`);
const instruction = patternOf(String.raw`<\?(${name})(?=${space}|\?>)`);
const element = patternOf(`<!ELEMENT${space}+${name}${space}+(EMPTY${space}*|ANY${space}*|\\([^<>]*)>`);
const mixed = patternOf(
  String.raw`\(${space}*#PCDATA(?:${space}*\)|(?:${space}*\|${space}*${name})*${space}*\)\*)${space}*$`,
);
const particle = patternOf(String.raw`(?:(\()|(?:(\))|${name})[?*+]?|([|,]))${space}*`);
const attributes = patternOf(`<!ATTLIST${space}+${name}`);
const attribute = patternOf(
  `${space}+${name}${space}+(?:CDATA|IDREFS?|ID|ENTITY|ENTITIES|NMTOKENS?|NOTATION${space}+${choiceOf(name)}|${choiceOf(`[${nameRest}]+`)})${space}+(?:#REQUIRED|#IMPLIED|(?:#FIXED${space}+)?(${literal}))`,
);
const end = patternOf(`${space}*>`);
const entity = patternOf(
  `<!ENTITY${space}+(%${space}+)?(${name})${space}+(?:(${literal})|${external}(${space}+NDATA${space}+${name})?)${space}*>`,
);
const notation = patternOf(
  `<!NOTATION${space}+${name}${space}+(?:${external}|PUBLIC${space}+${publicLiteral})${space}*>`,
);
const strangeCharacter = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
const references = new RegExp(`&(?:${name}|#[0-9]+|#x[0-9a-fA-F]+);`, 'gu');
const predefined = new Set(['amp', 'lt', 'gt', 'apos', 'quot']);
const characterReferences = /&#(?:x([0-9a-fA-F]+)|([0-9]+));/g;

/** Reads what stands between `<!DOCTYPE` and `>`; its characters and comments were checked. Throws a `DoctypeFault`. */
export function readDoctype(text: string): Doctype {
  const head = matchAt(start, text, 0);
  if (head === undefined) throw new DoctypeFault('the DOCTYPE has no name, or no address where one belongs');
  const isExternal = head[1] !== undefined;
  const opened = head[0].length;
  if (opened === text.length) return { entities: new Map(), inDefaults: new Set(), hasMore: isExternal };
  const closed = text.trimEnd().length - 1;
  if (text[opened] !== '[' || closed === opened || text[closed] !== ']')
    throw new DoctypeFault('the DOCTYPE has no address or declarations where they belong');
  return readDeclarations(text.slice(0, closed), opened + 1, isExternal);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

interface Reading {
  readonly text: string;
  readonly entities: Map<string, XmlEntity>;
  readonly inDefaults: Set<string>;
  hasMore: boolean;
}

function readDeclarations(text: string, from: number, hasMore: boolean): Doctype {
  const reading: Reading = { text, entities: new Map(), inDefaults: new Set(), hasMore };
  let at = from;
  while (at < text.length) {
    const next = readDeclaration(reading, at);
    if (next === undefined) {
      const shown = text.slice(at).trim().split(/\s/, 2).join(' ').slice(0, 40);
      throw new DoctypeFault(`the declaration ${JSON.stringify(shown)} of the DOCTYPE is not well-formed`);
    }
    at = next;
  }
  return reading;
}

/** The offset after a declaration; undefined if it is none. */
function readDeclaration(reading: Reading, at: number): number | undefined {
  const { text } = reading;
  if (text.startsWith('<!--', at)) {
    const close = text.indexOf('-->', at + 4);
    return close === -1 ? undefined : close + 3;
  }
  if (text.startsWith('<?', at)) {
    const target = matchAt(instruction, text, at)?.[1]?.toLowerCase();
    const close = text.indexOf('?>', at + 2);
    return target === undefined || target === 'xml' || close === -1 ? undefined : close + 2;
  }
  if (matchAt(reference, text, at) !== undefined) {
    reading.hasMore = true;
    return reference.lastIndex;
  }
  if (text.startsWith('<!ENTITY', at)) return readEntity(reading, at);
  if (text.startsWith('<!ATTLIST', at)) return readAttributes(reading, at);
  const model = matchAt(element, text, at)?.[1];
  if (model !== undefined) {
    return model.startsWith('(') && !isContentModel(model) ? undefined : element.lastIndex;
  }
  const plain = [spaces, notation].find((pattern) => matchAt(pattern, text, at) !== undefined);
  return plain?.lastIndex;
}

function readEntity({ text, entities }: Reading, at: number): number | undefined {
  const [, ofDeclarations, entityName = '', quoted, unparsed] = matchAt(entity, text, at) ?? [];
  if (entityName === '' || (ofDeclarations !== undefined && unparsed !== undefined)) return undefined;
  const value = quoted?.slice(1, -1) ?? '';
  // Within declarations of the document itself, a reference to other declarations is not allowed.
  if (!hasWholeReferences(value) || value.includes('%')) return undefined;
  const isFirst = ofDeclarations === undefined && !entities.has(entityName);
  if (isFirst && quoted !== undefined) entities.set(entityName, { kind: 'text', text: decodeCharacters(value) });
  else if (isFirst) entities.set(entityName, { kind: unparsed === undefined ? 'external' : 'unparsed' });
  return entity.lastIndex;
}

function readAttributes({ text, entities, inDefaults, hasMore }: Reading, at: number): number | undefined {
  if (matchAt(attributes, text, at) === undefined) return undefined;
  let next = attributes.lastIndex;
  for (let found = matchAt(attribute, text, next); found !== undefined; found = matchAt(attribute, text, next)) {
    next = attribute.lastIndex;
    const value = found[1]?.slice(1, -1);
    if (value === undefined) continue;
    if (value.includes('<') || !hasWholeReferences(value)) return undefined;
    // An entity is declared before the default value that refers to it.
    const named = [...value.matchAll(/&([^#;][^;]*);/g)].map(([, entityName = '']) => entityName);
    if (!hasMore && named.some((entityName) => !entities.has(entityName) && !predefined.has(entityName)))
      return undefined;
    for (const entityName of named) inDefaults.add(entityName);
  }
  return matchAt(end, text, next) === undefined ? undefined : end.lastIndex;
}

function hasWholeReferences(value: string): boolean {
  if (value.replaceAll(references, '').includes('&')) return false;
  return [...value.matchAll(characterReferences)].every(([written]) => {
    const code = codeOf(written);
    return code <= 0x10ffff && !strangeCharacter.test(String.fromCodePoint(code));
  });
}

function decodeCharacters(value: string): string {
  return value.replaceAll(characterReferences, (written) => String.fromCodePoint(codeOf(written)));
}

function codeOf(written: string): number {
  return written[2] === 'x' ? Number.parseInt(written.slice(3), 16) : Number.parseInt(written.slice(2), 10);
}

/** True for `(#PCDATA | a)*` and for groups such as `(a, (b | c)+, d?)`. */
function isContentModel(model: string): boolean {
  if (model.includes('#')) return matchAt(mixed, model, 0) !== undefined;
  // The mark between the parts of each open group; empty if there is none yet.
  const groups: string[] = [];
  let expectsPart = true;
  let at = 0;
  while (at < model.length) {
    const [whole, opens, closes, mark] = matchAt(particle, model, at) ?? [];
    const group = groups.at(-1);
    if (whole === undefined || (at > 0 && group === undefined)) return false;
    at += whole.length;
    if (mark === undefined && closes === undefined) {
      if (!expectsPart) return false;
      if (opens === undefined) expectsPart = false;
      else groups.push('');
    } else {
      if (expectsPart || (mark !== undefined && group !== '' && group !== mark)) return false;
      if (mark === undefined) groups.pop();
      else groups[groups.length - 1] = mark;
      expectsPart = mark !== undefined;
    }
  }
  return groups.length === 0 && !expectsPart;
}
