import type { Liquid } from 'liquidjs';
import { defined } from '../json/defined.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { detailsOf, missingVariable, positionIn, TemplateError } from './template-error.ts';
import { notText } from './template-values.ts';

const outputSource = String.raw`^\{\{-?`;
const textSource = String.raw`"[^"]*"|'[^']*'`;
const valueSource = String.raw`(?:${textSource}|[\w.[\]-]+)`;

// Syntax of Jinja, Nunjucks and Handlebars that Liquid would print as text or refuse with an unhelpful message. Each
// pattern is tried at the start of a fragment only, so that all of them read a template once.
const otherLanguages: readonly { readonly pattern: RegExp; readonly hint: (found: string) => string }[] = [
  { pattern: /^\{#[\s\S]*#\}/, hint: () => 'a comment is written {% comment %}…{% endcomment %}' },
  { pattern: /^\{\{\{[\s\S]*\}\}\}/, hint: () => 'write two braces: nothing is escaped' },
  {
    pattern: new RegExp(`${outputSource}\\s*#`),
    hint: () => 'blocks are written {% if … %}…{% endif %} and {% for x in list %}…{% endfor %}',
  },
  { pattern: new RegExp(`${outputSource}\\s*[>/!^]`), hint: () => 'only {{ variable }} and {% tag %} are known' },
  { pattern: /^\{%-?\s*elif\b/, hint: () => 'write {% elsif … %}' },
  { pattern: /^\{%-?\s*set\b/, hint: () => 'write {% assign name = value %}' },
  {
    pattern: /^\{\{[^}]*?\|\s*[A-Za-z_]\w*\(/,
    hint: (found) => `a filter's argument follows a colon: | ${/([A-Za-z_]\w*)\($/.exec(found)?.[1] ?? 'default'}: "…"`,
  },
  {
    pattern: new RegExp(
      `${outputSource}\\s*(?!not\\b)(?:"[^"]*"|'[^']*'|[\\w.[\\]-]+)\\s+(?!(?:and|or|contains)\\b|-?\\}\\})[\\p{L}_"'\\d]`,
      'u',
    ),
    hint: () => 'one output takes one value and filters; choose with {% if … %}…{% else %}…{% endif %}',
  },
  {
    // Liquid reads the first value and ignores the rest.
    pattern: new RegExp(
      `^\\{%-?\\s*(?:if|elsif|unless|assign\\s+[\\w-]+\\s*=)(?:[^"'|%]|${textSource})*?(?<=[\\s=<>])(?!(?:and|or|contains|not)\\b)${valueSource}\\s+(?!(?:and|or|contains)\\b)(?:${textSource}|[\\p{L}_\\d]\\w*)(?:\\s+in\\b)?`,
      'u',
    ),
    hint: hintOfCondition,
  },
];

function hintOfCondition(found: string): string {
  if (/\sin$/.test(found)) return 'write {% if list contains value %}, and {% unless … %} for the opposite';
  if (/\sis$/.test(found)) return 'write {% if name %} for a value that is there, and {% if name == nil %} for none';
  if (found.includes('assign'))
    return 'assign takes one value and filters; choose with {% if … %}…{% else %}…{% endif %}';
  return 'write ==, !=, <, >, <=, >=, contains, and, or between two values';
}

/** Refuses syntax of other template languages, with a hint to Liquid's own. */
export function refuseOtherLanguages(source: string): void {
  const fragments = [...findFragments(source)];
  for (const { pattern, hint } of otherLanguages) {
    for (const { text, offset } of fragments) {
      const match = pattern.exec(text)?.[0];
      if (match === undefined) continue;
      throw new TemplateError(`"${firstChars(match)}" is not the syntax of these templates (Liquid)`, {
        kind: 'syntax',
        ...positionIn(source, offset),
        hint: hint(match),
      });
    }
  }
}

interface Fragment {
  readonly text: string;
  readonly offset: number;
}

const ends: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}', '{#': '#}' };

/** Finds the outputs, tags and comments of a template, in one pass. Leaves out the content of `raw` and `comment`. */
function* findFragments(source: string): Iterable<Fragment> {
  const opening = /\{[{%#]/g;
  const unclosed = new Set<string>();
  for (let found = opening.exec(source); found !== null; found = opening.exec(source)) {
    const offset = found.index;
    const end = ends[found[0]] ?? '';
    // Once an end is missing, it is missing for all that follow.
    const at = unclosed.has(end) ? -1 : source.indexOf(end, offset + 2);
    if (at === -1) unclosed.add(end);
    // An unclosed fragment is read as far as the next one: Liquid refuses it.
    opening.lastIndex = at === -1 ? offset + 2 : at + 2;
    if (at === -1) opening.lastIndex = nextOpening(source, offset + 2);
    else if (source[at + 2] === '}') opening.lastIndex += 1;
    yield { text: source.slice(offset, opening.lastIndex), offset };
    const block = /^\{%-?\s*(raw|comment)\s*-?%\}$/.exec(source.slice(offset, opening.lastIndex))?.[1];
    if (block === undefined) continue;
    const closing = block === 'raw' ? /\{%-?\s*endraw\s*-?%\}/g : /\{%-?\s*endcomment\s*-?%\}/g;
    closing.lastIndex = opening.lastIndex;
    // Without its end, the rest is content.
    if (closing.exec(source) === null) return;
    opening.lastIndex = closing.lastIndex;
  }
}

function nextOpening(source: string, from: number): number {
  const opening = /\{[{%#]/g;
  opening.lastIndex = from;
  return opening.exec(source)?.index ?? source.length;
}

function firstChars(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

export const undefinedFilter = /^undefined filter: (\S+)/;

export class NoText extends Error {
  readonly value: unknown;

  constructor(value: unknown) {
    super('a value without a text form');
    this.value = value;
  }
}

/** Runs a step of Liquid and translates its errors. */
export function translateErrors<T>(liquid: Liquid, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw translate(liquid, error);
  }
}

export function translate(liquid: Liquid, error: unknown): unknown {
  if (error instanceof TemplateError || !(error instanceof Error)) return error;
  const at = positionOf(error);
  const cause = 'originalError' in error ? error.originalError : undefined;
  if (cause instanceof TemplateError) {
    return new TemplateError(cause.message, { ...detailsOf(cause), ...at }, { cause });
  }
  if (cause instanceof NoText) return notText(cause.value, outputPath(error), at);
  if (cause instanceof Error && 'variableName' in cause) {
    return missingVariable(String(cause.variableName), at);
  }
  const message = error.message.replace(/, line:\d+, col:\d+$/, '');
  if (/limit exceeded|call stack/i.test(message)) {
    return new TemplateError(
      `rendering takes too much time or memory (${message})`,
      { kind: 'limit', ...at },
      { cause: error },
    );
  }
  const hint = nameHint(liquid, message);
  return new TemplateError(message, { kind: 'syntax', ...at, ...defined({ hint }) }, { cause: error });
}

function positionOf(error: Error): { line?: number; column?: number } {
  const token: unknown = 'token' in error ? error.token : undefined;
  if (typeof token !== 'object' || token === null || !('getPosition' in token)) return {};
  const position: unknown = typeof token.getPosition === 'function' ? token.getPosition() : undefined;
  if (!Array.isArray(position)) return {};
  const [line, column]: readonly unknown[] = position;
  return typeof line === 'number' && typeof column === 'number' ? { line, column } : {};
}

/** Path in the failed output: `{{ order.items | upcase }}` → `order.items`. */
function outputPath(error: Error): string {
  const token: unknown = 'token' in error ? error.token : undefined;
  if (typeof token !== 'object' || token === null || !('getText' in token) || typeof token.getText !== 'function')
    return 'value';
  return /^\{\{-?\s*([^|}\s]+)/.exec(String(token.getText()))?.[1] ?? 'value';
}

/** Filters of Jinja and Nunjucks with another name in Liquid. */
const otherFilters: ReadonlyMap<string, string> = new Map([
  ['upper', 'upcase'],
  ['lower', 'downcase'],
  ['trim', 'strip'],
  ['length', 'size'],
]);

function nameHint(liquid: Liquid, message: string): string | undefined {
  const filter = undefinedFilter.exec(message)?.[1];
  const sameAs = otherFilters.get(filter ?? '');
  if (sameAs !== undefined) return `here it is called "${sameAs}"`;
  if (filter !== undefined) return didYouMean(filter, Object.keys(liquid.filters));
  const tag = /^tag "?([\w-]+)"? not found/.exec(message)?.[1];
  return tag === undefined ? undefined : didYouMean(tag, Object.keys(liquid.tags));
}
