/** A Nunjucks template as a template of a suite, or why it can't be one. */
export type Translated = { readonly text: string; readonly variables: readonly string[] } | { readonly fault: string };

const FILTERS: Readonly<Record<string, string>> = {
  upper: 'upcase',
  lower: 'downcase',
  trim: 'strip',
  capitalize: 'capitalize',
  length: 'size',
  first: 'first',
  last: 'last',
  reverse: 'reverse',
  join: 'join',
  replace: 'replace',
  dump: 'json',
  safe: '',
  default: 'default',
  d: 'default',
};
const PATH = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*|\.\d+|\[\d+\]|\[(?:"[^"\]]*"|'[^'\]]*')\])*$/;
const LITERAL = /^(?:"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)$/;

/** Translates outputs and comments. Blocks are refused: the two languages differ in what counts as true. */
export function translateNunjucks(source: string): Translated {
  if (!/\{[{%#]/.test(source)) return { text: source, variables: [] };
  let text = '';
  let from = 0;
  const variables = new Set<string>();
  for (const match of source.matchAll(
    /\{\{-?([\s\S]*?)-?\}\}|\{#[\s\S]*?#\}|\{%-?\s*(raw)\s*-?%\}([\s\S]*?)\{%-?\s*endraw\s*-?%\}|\{%([\s\S]*?)%\}/g,
  )) {
    const [whole, output, raw, kept, tag] = match;
    text += source.slice(from, match.index);
    from = match.index + whole.length;
    if (raw !== undefined) text += `{% raw %}${kept ?? ''}{% endraw %}`;
    else if (tag !== undefined) return { fault: `the tag {%${tag}%} has no equal in a suite's templates` };
    else if (output !== undefined) {
      const translated = translateOutput(output.trim());
      if ('fault' in translated) return translated;
      const trims = [whole.startsWith('{{-') ? '-' : '', whole.endsWith('-}}') ? '-' : ''];
      text += `{{${trims[0] ?? ''} ${translated.text} ${trims[1] ?? ''}}}`;
      for (const name of translated.variables) variables.add(name);
    }
  }
  const rest = source.slice(from);
  if (/\{[{%#]/.test(rest)) return { fault: 'a brace is never closed' };
  return { text: text + rest, variables: [...variables] };
}

function translateOutput(code: string): Translated {
  const [head = '', ...filters] = code.split('|').map((part) => part.trim());
  if (/^env\b/.test(head)) return { fault: `{{ ${head} }} reads the environment, which a prompt is not given` };
  if (!PATH.test(head) && !LITERAL.test(head)) return { fault: `{{ ${code} }} has no equal in a suite's templates` };
  let text = head;
  for (const filter of filters) {
    const [, name = '', args] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(filter) ?? [];
    const translated = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
    const given =
      args === undefined || args.trim() === ''
        ? []
        : (args.match(/"[^"]*"|'[^']*'|[^,]+/g) ?? []).map((arg) => arg.trim()).filter((arg) => arg !== '');
    if (translated === undefined || given.some((arg) => !LITERAL.test(arg) && !PATH.test(arg)))
      return { fault: `the filter "${filter}" has no equal in a suite's templates` };
    if (translated !== '') text += ` | ${translated}${given.length === 0 ? '' : `: ${given.join(', ')}`}`;
  }
  const root = /^[A-Za-z_][\w-]*/.exec(head)?.[0];
  return { text, variables: root === undefined || LITERAL.test(head) ? [] : [root] };
}

/** A template that renders to exactly this text. */
export function escapeTemplate(text: string): string {
  return text.replaceAll(/\{[{%#]+/g, (braces) => `{% raw %}${braces}{% endraw %}`);
}
