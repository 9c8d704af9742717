import { TemplateError } from './template-error.ts';

interface ForeignSyntax {
  readonly pattern: RegExp;
  readonly hint: (found: string) => string;
}

const OUTPUT = String.raw`\{\{-?`;

// What Jinja, Nunjucks and Handlebars write otherwise; Liquid would refuse it in words that don't help, or take it as text.
const FOREIGN_SYNTAX: readonly ForeignSyntax[] = [
  { pattern: /\{#[\s\S]*?#\}/, hint: () => 'a comment is written {% comment %}…{% endcomment %}' },
  { pattern: /\{\{\{[\s\S]*?\}\}\}/, hint: () => 'write two braces: nothing is escaped' },
  {
    pattern: new RegExp(`${OUTPUT}\\s*#`),
    hint: () => 'blocks are written {% if … %}…{% endif %} and {% for x in list %}…{% endfor %}',
  },
  { pattern: new RegExp(`${OUTPUT}\\s*[>/!^]`), hint: () => 'only {{ variable }} and {% tag %} are known' },
  { pattern: /\{%-?\s*elif\b/, hint: () => 'write {% elsif … %}' },
  { pattern: /\{%-?\s*set\b/, hint: () => 'write {% assign name = value %}' },
  {
    pattern: /\{\{[^}]*?\|\s*[A-Za-z_]\w*\(/,
    hint: (found) => `a filter's argument follows a colon: | ${/([A-Za-z_]\w*)\($/.exec(found)?.[1] ?? 'default'}: "…"`,
  },
  {
    pattern: new RegExp(
      `${OUTPUT}\\s*(?!not\\b)(?:"[^"]*"|'[^']*'|[\\w.[\\]-]+)\\s+(?!(?:and|or|contains)\\b|-?\\}\\})[\\p{L}_"'\\d]`,
      'u',
    ),
    hint: () => 'one output takes one value and filters; choose with {% if … %}…{% else %}…{% endif %}',
  },
];

/** Finds what another template language would write, and says how it is written here. */
export function refuseForeignSyntax(source: string): void {
  // What stands between raw tags is text; blanks of the same length keep the offsets.
  const open = source.replaceAll(/\{%-?\s*(raw|comment)\s*-?%\}[\s\S]*?\{%-?\s*end\1\s*-?%\}/g, (raw) =>
    raw.replaceAll(/\S/g, ' '),
  );
  for (const { pattern, hint } of FOREIGN_SYNTAX) {
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
