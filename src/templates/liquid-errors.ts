import type { Liquid } from 'liquidjs';
import { defined } from '../json/defined.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { detailsOf, missingVariable, TemplateError } from './template-error.ts';
import { notText } from './template-values.ts';

const outputSource = String.raw`\{\{-?`;
const textSource = String.raw`"[^"]*"|'[^']*'`;
const valueSource = String.raw`(?:${textSource}|[\w.[\]-]+)`;

// Syntax of Jinja, Nunjucks and Handlebars that Liquid would print as text or refuse with an unhelpful message.
const otherLanguages: readonly { readonly pattern: RegExp; readonly hint: (found: string) => string }[] = [
  { pattern: /\{#[\s\S]*?#\}/, hint: () => 'a comment is written {% comment %}…{% endcomment %}' },
  { pattern: /\{\{\{[\s\S]*?\}\}\}/, hint: () => 'write two braces: nothing is escaped' },
  {
    pattern: new RegExp(`${outputSource}\\s*#`),
    hint: () => 'blocks are written {% if … %}…{% endif %} and {% for x in list %}…{% endfor %}',
  },
  { pattern: new RegExp(`${outputSource}\\s*[>/!^]`), hint: () => 'only {{ variable }} and {% tag %} are known' },
  { pattern: /\{%-?\s*elif\b/, hint: () => 'write {% elsif … %}' },
  { pattern: /\{%-?\s*set\b/, hint: () => 'write {% assign name = value %}' },
  {
    pattern: /\{\{[^}]*?\|\s*[A-Za-z_]\w*\(/,
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
      `\\{%-?\\s*(?:if|elsif|unless|assign\\s+[\\w-]+\\s*=)(?:[^"'|%]|${textSource})*?(?<=[\\s=<>])(?!(?:and|or|contains|not)\\b)${valueSource}\\s+(?!(?:and|or|contains)\\b)(?:${textSource}|[\\p{L}_\\d]\\w*)(?:\\s+in\\b)?`,
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
  // Blank raw and comment content, keeping the offsets.
  const open = source.replaceAll(/\{%-?\s*(raw|comment)\s*-?%\}[\s\S]*?\{%-?\s*end\1\s*-?%\}/g, (raw) =>
    raw.replaceAll(/\S/g, ' '),
  );
  for (const { pattern, hint } of otherLanguages) {
    const match = pattern.exec(open);
    if (match === null) continue;
    const before = source.slice(0, match.index);
    throw new TemplateError(`"${firstChars(match[0])}" is not the syntax of these templates (Liquid)`, {
      kind: 'syntax',
      line: before.split('\n').length,
      column: match.index - before.lastIndexOf('\n'),
      hint: hint(match[0]),
    });
  }
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
