import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { describePlace, textOf } from '../targets.ts';

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

export interface HtmlFault {
  readonly message: string;
  readonly offset: number;
}

export interface HtmlOutline {
  /** How often each element occurs, by its lower-case name. */
  readonly counts: ReadonlyMap<string, number>;
  /** The first tag that is not opened, closed or nested as the HTML standard wants. */
  readonly fault: HtmlFault | undefined;
}

/**
 * Reads the tags of HTML. End tags may be left out where the standard lets them (`li`, `p`, `td` …); a browser
 * would repair everything else, and here it is a fault.
 */
export function outlineHtml(text: string): HtmlOutline {
  const counts = new Map<string, number>();
  const open: { readonly name: string; readonly offset: number }[] = [];
  let fault: HtmlFault | undefined;
  const report = (message: string, offset: number) => {
    fault ??= { message, offset };
  };
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf('<', at);
    if (start === -1) break;
    const tag = readTag(text, start);
    at = tag.end;
    if (tag.kind === 'text') continue;
    if (tag.kind === 'unclosed') {
      report(`${tag.what} is never closed`, start);
      break;
    }
    if (tag.kind === 'end') {
      closeElement(tag.name, start);
      continue;
    }
    counts.set(tag.name, (counts.get(tag.name) ?? 0) + 1);
    // Inside svg and math, as in XML, a slash closes the element.
    if (voidElements.has(tag.name) || (tag.selfClosing && open.some(({ name }) => name === 'svg' || name === 'math')))
      continue;
    if (tag.selfClosing && (tag.name === 'svg' || tag.name === 'math')) continue;
    if (!rawElements.has(tag.name)) {
      if (open.length < maxDepth) open.push({ name: tag.name, offset: start });
      else report(`<${tag.name}> is nested more than ${maxDepth} deep`, start);
      continue;
    }
    const end = findRawEnd(text, tag.name, at);
    if (end === -1) {
      report(`<${tag.name}> is never closed`, start);
      break;
    }
    at = end;
  }
  const unclosed = open.findLast(({ name }) => !optionalEnds.has(name));
  if (unclosed !== undefined) report(`<${unclosed.name}> is never closed`, unclosed.offset);
  return { counts, fault };

  function closeElement(name: string, offset: number): void {
    if (voidElements.has(name)) return report(`</${name}> closes an element without content`, offset);
    for (;;) {
      const last = open.pop();
      if (last === undefined) return report(`</${name}> closes what was never opened`, offset);
      if (last.name === name) return;
      if (!optionalEnds.has(last.name)) {
        open.push(last);
        return report(`</${name}> is found where </${last.name}> is expected`, offset);
      }
    }
  }
}

/** Far deeper than any page, and what keeps hostile nesting cheap. */
const maxDepth = 512;
const voidElements = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
const rawElements = new Set('script style textarea title'.split(' '));
const optionalEnds = new Set(
  'html head body li dt dd p rt rp optgroup option colgroup caption thead tbody tfoot tr td th'.split(' '),
);

type Tag =
  | { readonly kind: 'text'; readonly end: number }
  | { readonly kind: 'unclosed'; readonly what: string; readonly end: number }
  | { readonly kind: 'end'; readonly name: string; readonly end: number }
  | { readonly kind: 'start'; readonly name: string; readonly selfClosing: boolean; readonly end: number };

const namePattern = /<(\/?)([a-zA-Z][^\s/><]{0,100})/y;
const attributePattern = /(?:[\s/]*[^\s/>="'<]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)/y;

function readTag(text: string, start: number): Tag {
  if (text.startsWith('<!--', start)) return skipTo(text, start, '-->', 'a comment');
  if (text.startsWith('<!', start) || text.startsWith('<?', start))
    return skipTo(text, start, '>', text.slice(start, start + 2));
  namePattern.lastIndex = start;
  const found = namePattern.exec(text);
  // As in a browser, a "<" before anything else is text.
  if (found === null) return { kind: 'text', end: start + 1 };
  const name = (found[2] ?? '').toLowerCase();
  let at = namePattern.lastIndex;
  for (;;) {
    attributePattern.lastIndex = at;
    if (!attributePattern.test(text)) break;
    at = attributePattern.lastIndex;
  }
  const rest = /[\s/]*/y;
  rest.lastIndex = at;
  rest.test(text);
  const end = rest.lastIndex;
  if (text[end] !== '>') return { kind: 'unclosed', what: `the tag <${found[1] ?? ''}${name}`, end };
  if (found[1] === '/') return { kind: 'end', name, end: end + 1 };
  return { kind: 'start', name, selfClosing: text[end - 1] === '/', end: end + 1 };
}

function skipTo(text: string, start: number, mark: string, what: string): Tag {
  const found = text.indexOf(mark, start + 2);
  return found === -1 ? { kind: 'unclosed', what, end: text.length } : { kind: 'text', end: found + mark.length };
}

function findRawEnd(text: string, name: string, from: number): number {
  const pattern = new RegExp(String.raw`</${name}[\s/]*>`, 'gi');
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
