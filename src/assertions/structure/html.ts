import * as z from 'zod';
import { nameSet } from '../../text/name-set.ts';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { describePlace, textOf } from '../targets.ts';

const tagParam = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9-]*$/, { error: 'must be the name of an element, such as table' });

/**
 * Checks that tags are opened, closed and nested as in the HTML standard (section 13.1). Optional tags may be missing.
 */
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
    if (absent.length > 0) {
      const score = 1 - absent.length / contains.length;
      return { pass: false, score, reason: `has no <${absent.slice(0, 8).join('>, <')}>: found ${quote(text)}` };
    }
    const shown = [...counts].slice(0, 8).map(([name, count]) => `${count} <${name}>`);
    return { pass: value, reason: `is HTML with ${shown.join(', ')}` };
  },
});

interface HtmlFault {
  readonly message: string;
  readonly offset: number;
}

interface HtmlOutline {
  /** How often each element occurs, by its lower-case name. */
  readonly counts: ReadonlyMap<string, number>;
  /** The first tag that is not opened, closed or nested as in the HTML standard. */
  readonly fault: HtmlFault | undefined;
}

/**
 * Reads the tags of HTML. End tags may be missing if the standard allows it (`li`, `p`, `td` …). Everything else that a
 * browser repairs is a fault here.
 */
function outlineHtml(text: string): HtmlOutline {
  const counts = new Map<string, number>();
  const open: Tag[] = [];
  // Elements whose start tag may be missing, as long as neither of their tags was found.
  const implied = new Set(optionalStarts);
  let fault: HtmlFault | undefined;
  for (const tag of readTags(text)) {
    if (tag.kind === 'start') counts.set(tag.name, (counts.get(tag.name) ?? 0) + 1);
    fault ??= nestTag(tag, open, implied);
    implied.delete(tag.name);
  }
  const unclosed = open.findLast(({ name }) => !optionalEnds.has(name));
  if (unclosed !== undefined) {
    fault ??= { message: `<${unclosed.name}> is never closed`, offset: unclosed.offset };
  }
  return { counts, fault };
}

/** The deepest nesting. It is more than any page needs, and keeps hostile nesting cheap. */
const maxDepth = 512;
/** The last five are obsolete, and have no content either. */
const voidElements = nameSet(
  'area base br col embed hr img input link meta source track wbr basefont bgsound frame keygen param',
);
const rawElements = nameSet('script style textarea title iframe noembed noframes xmp');
const optionalStarts = nameSet('html head body');
const foreignElements = new Set(['svg', 'math']);
const optionalEnds = nameSet(
  'html head body li dt dd p rb rt rtc rp optgroup option colgroup caption thead tbody tfoot tr td th',
);

/** Adds a tag to the open elements; returns a fault if its place is wrong. */
function nestTag(
  { kind, name, offset, isSelfClosing }: Tag,
  open: Tag[],
  implied: ReadonlySet<string>,
): HtmlFault | undefined {
  const fault = (message: string) => ({ message, offset });
  if (kind === 'unclosed') return fault(`${name} is never closed`);
  if (kind === 'start') {
    if (voidElements.has(name) || rawElements.has(name)) return undefined;
    // Inside svg and math, as in XML, a slash closes the element.
    if (isSelfClosing && [...open, { name }].some((element) => foreignElements.has(element.name))) return undefined;
    if (open.length >= maxDepth) return fault(`<${name}> is nested more than ${maxDepth} deep`);
    open.push({ kind, name, offset, isSelfClosing });
    return undefined;
  }
  if (voidElements.has(name)) return fault(`</${name}> closes an element without content`);
  const page = open.find((element) => element.name === 'html');
  for (let last = open.pop(); last?.name !== name; last = open.pop()) {
    if (last === undefined && implied.has(name)) {
      if (page !== undefined) open.push(page);
      return undefined;
    }
    if (last === undefined) return fault(`</${name}> closes what was never opened`);
    if (!optionalEnds.has(last.name)) return fault(`</${name}> is found where </${last.name}> is expected`);
  }
  return undefined;
}

interface Tag {
  readonly kind: 'start' | 'end' | 'unclosed';
  /** The name in lower case, or a description of an unclosed tag or comment. */
  readonly name: string;
  readonly offset: number;
  readonly isSelfClosing: boolean;
}

const namePattern = /<(\/?)([a-zA-Z][^\s/><]{0,100})/y;
const attributePattern = /[\s/]*[^\s/>="'<]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?/y;
const blankPattern = /[\s/]*/y;

function* readTags(text: string): Iterable<Tag> {
  let offset = text.indexOf('<');
  while (offset !== -1) {
    let end = offset + 1;
    const unclosed = (name: string): Tag => ({ kind: 'unclosed', name, offset, isSelfClosing: false });
    const comment = /<(?:!--|!|\?)/y;
    comment.lastIndex = offset;
    const [mark] = comment.exec(text) ?? [];
    namePattern.lastIndex = offset;
    // As in a browser, a "<" before anything else is text.
    const [, slash, written] = namePattern.exec(text) ?? [];
    if (mark !== undefined) {
      end = endOf(text, mark === '<!--' ? '-->' : '>', offset + 2);
      if (end === -1) return yield unclosed(mark === '<!--' ? 'a comment' : mark);
    } else if (written !== undefined) {
      end = findTagEnd(text, namePattern.lastIndex);
      const name = written.toLowerCase();
      if (text[end] !== '>') return yield unclosed(`the tag <${slash ?? ''}${name}`);
      yield { kind: slash === '/' ? 'end' : 'start', name, offset, isSelfClosing: text[end - 1] === '/' };
      end += 1;
      if (slash === '' && rawElements.has(name)) {
        end = findRawEnd(text, name, end);
        if (end === -1) return yield unclosed(`<${name}>`);
      }
    }
    offset = text.indexOf('<', end);
  }
}

/**
 * The offset after the attributes. Reads them one by one, because a regex for all would run out of stack on a hostile
 * tag.
 */
function findTagEnd(text: string, from: number): number {
  let at = from;
  for (attributePattern.lastIndex = at; attributePattern.test(text); attributePattern.lastIndex = at) {
    at = attributePattern.lastIndex;
  }
  blankPattern.lastIndex = at;
  blankPattern.test(text);
  return blankPattern.lastIndex;
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? -1 : found + mark.length;
}

function findRawEnd(text: string, name: string, from: number): number {
  const pattern = new RegExp(String.raw`</${name}[\s/]*>`, 'gi');
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
