import { encodeAddressPart } from '../text/addresses/encode-address.ts';
import { attempt } from '../text/attempt.ts';
import { type CaseFilter, filterQuery, readFilter } from './cases/filter-rows.ts';

/** The page that the address names. */
export type View =
  | { readonly name: 'overview' }
  | { readonly name: 'cases'; readonly filter: CaseFilter }
  | {
      readonly name: 'case';
      readonly suite: string;
      readonly caseId: string;
      readonly prompt: string;
      readonly provider: string;
      /** The filter of the table that the reader came from. It orders the previous and next case. */
      readonly filter: CaseFilter;
    }
  | { readonly name: 'contracts' };

/** Which report is shown. A file holds one, a server has many. */
export type Subject =
  | { readonly kind: 'file' }
  | { readonly kind: 'run'; readonly id: string }
  | { readonly kind: 'compare'; readonly a: string; readonly b: string };

export type Route =
  | { readonly kind: 'runs' }
  | { readonly kind: 'report'; readonly subject: Subject; readonly view: View };

/** Reads `#/…`; an unknown address is the start page. */
export function parseRoute(hash: string, isServed: boolean): Route {
  const [path, query] = splitQuery(hash.replace(/^#?\/?/, ''));
  const parts = path.split('/').map(decode);
  if (!isServed) return { kind: 'report', subject: { kind: 'file' }, view: parseView(parts, query) };
  const [kind, first = '', second = ''] = parts;
  if (kind === 'run' && first !== '') {
    return { kind: 'report', subject: { kind: 'run', id: first }, view: parseView(parts.slice(2), query) };
  }
  if (kind === 'compare' && first !== '' && second !== '') {
    const subject = { kind: 'compare', a: first, b: second } as const;
    return { kind: 'report', subject, view: parseView(parts.slice(3), query) };
  }
  return { kind: 'runs' };
}

export function hrefOf(subject: Subject, view: View): string {
  return `#${baseOf(subject)}/${viewPath(view)}`;
}

function baseOf(subject: Subject): string {
  switch (subject.kind) {
    case 'file':
      return '';
    case 'run':
      return `/run/${encodeAddressPart(subject.id)}`;
    case 'compare':
      return `/compare/${encodeAddressPart(subject.a)}/${encodeAddressPart(subject.b)}`;
  }
}

function viewPath(view: View): string {
  switch (view.name) {
    case 'overview':
      return '';
    case 'contracts':
      return 'contracts';
    case 'cases':
      return `cases${filterQuery(view.filter)}`;
    case 'case': {
      const parts = [view.suite, view.caseId, view.prompt, view.provider].map(encodeAddressPart);
      return `case/${parts.join('/')}${filterQuery(view.filter)}`;
    }
  }
}

function parseView([name, ...parts]: readonly string[], query: string): View {
  if (name === 'cases') return { name, filter: readFilter(query) };
  if (name === 'contracts') return { name };
  const [suite, caseId, prompt, provider] = parts;
  if (
    name === 'case' &&
    suite !== undefined &&
    caseId !== undefined &&
    prompt !== undefined &&
    provider !== undefined
  ) {
    return { name, suite, caseId, prompt, provider, filter: readFilter(query) };
  }
  return { name: 'overview' };
}

function splitQuery(text: string): [string, string] {
  const at = text.indexOf('?');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  const decoded = attempt(() => decodeURIComponent(text), URIError);
  if (typeof decoded !== 'string') return text;
  return decoded.replace(/\u{f0000}([0-9a-f]{4})/gu, (_, unit: string) =>
    String.fromCharCode(Number.parseInt(unit, 16)),
  );
}
