import { writeJson } from '../../../json/canonical-json.ts';
import { parseJsonText } from '../../../json/parse-json.ts';
import { escapeTemplate } from '../../../templates/template.ts';
import { plainNumbers } from '../../../text/yaml/exact-numbers.ts';
import { isMap, quote } from '../../draft.ts';

/** True for a text with a brace that is not closed on its line: promptfoo fills in nothing there. */
export function isPartialTemplate(text: string): boolean {
  const isRaw = /\{%\s*raw\s*%\}/.test(text) && /\{%\s*endraw\s*%\}/.test(text);
  return !isRaw && /(?:\{%[^%]*$|\{\{[^}]*$|\{#[^#]*$)/m.test(text);
}

/** A translated Nunjucks template, or why it can't be translated. */
type Translated =
  | { readonly text: string; readonly variables: readonly string[]; readonly literal?: string }
  | { readonly fault: string };

const liquidFilters: Readonly<Record<string, string>> = {
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
const pathPattern = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*|\.\d+|\[\d+\]|\[(?:"[^"\]]*"|'[^'\]]*')\])*$/;
const literalPattern = /^(?:"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)$/;

/** Translates templates that both languages express in the same way. */
export function translateNunjucks(source: string, mayReadEnv = false): Translated {
  if (!/\{[{%#]/.test(source)) return { text: source, variables: [] };
  let text = '';
  let from = 0;
  const tags = new NunjucksTags();
  for (const match of source.matchAll(
    /\{\{-?((?:\s*'[^']*'|\s*"[^"]*")?[\s\S]*?)-?\}\}|\{#[\s\S]*?#\}|\{%-?\s*(raw)\s*-?%\}([\s\S]*?)\{%-?\s*endraw\s*-?%\}|\{%-?([\s\S]*?)-?%\}/g,
  )) {
    const [whole, output, raw, kept, tag] = match;
    text += source.slice(from, match.index);
    from = match.index + whole.length;
    const trims = [/^..-/.test(whole) ? '-' : '', /-..$/.test(whole) ? '-' : ''];
    if (raw !== undefined) text += `{% raw %}${kept ?? ''}{% endraw %}`;
    else if (tag !== undefined) {
      const translated = tags.translate(tag.trim(), (code) => translateOutput(code, tags, mayReadEnv));
      if ('fault' in translated) return translated;
      text += `{%${trims[0]} ${translated.value} ${trims[1]}%}`;
    } else if (output !== undefined) {
      const translated = translateOutput(output.trim(), tags, mayReadEnv);
      if ('fault' in translated) return translated;
      text +=
        translated.literal === undefined
          ? `{{${trims[0]} ${translated.text} ${trims[1]}}}`
          : escapeTemplate(translated.literal);
    }
  }
  const rest = source.slice(from);
  const fault = /\{[{%#]/.test(rest) ? 'a brace is never closed' : tags.openFault;
  return fault === undefined ? { text: text + rest, variables: [...tags.variables] } : { fault };
}

function translateOutput(code: string, tags = new NunjucksTags(), mayReadEnv = false): Translated {
  // A missing variable is empty here.
  const plain = code.replaceAll(/\|\s*d(?:efault)?\(\s*(?:''|"")\s*\)(?=\s*\))/g, '');
  const [head = '', ...filters] = (plain.match(/(?:"[^"]*"|'[^']*'|\([^()]*\)|[^|])+/g) ?? []).map((part) =>
    part.trim(),
  );
  if (/^_conversation\b/.test(head))
    return {
      fault: `{{ ${quote(head)} }} is the conversation so far, which a prompt does not read here: write the turns of a case`,
    };
  if (/^env\b/.test(head) && !mayReadEnv)
    return { fault: `{{ ${quote(head)} }} reads the environment, which a prompt is not given` };
  if (!pathPattern.test(head) && !literalPattern.test(head))
    return { fault: `{{ ${quote(code)} }} has no equivalent in a suite's templates` };
  if (literalPattern.test(head) && /\{[{%#]/.test(head) && filters.length === 0)
    return { text: '', literal: head.slice(1, -1), variables: [] };
  const isLiteral = literalPattern.test(head);
  let text = isLiteral ? head : tags.path(head);
  for (const filter of filters) {
    const [, name = '', args] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(filter) ?? [];
    const translated = Object.hasOwn(liquidFilters, name) ? liquidFilters[name] : undefined;
    const given =
      args === undefined || args.trim() === ''
        ? []
        : (args.match(/"[^"]*"|'[^']*'|[^,]+/g) ?? []).map((arg) => arg.trim()).filter((arg) => arg !== '');
    if (translated === undefined || given.some((arg) => !literalPattern.test(arg) && !pathPattern.test(arg)))
      return { fault: `the filter "${quote(filter)}" has no equivalent in a suite's templates` };
    for (const arg of given) if (!literalPattern.test(arg)) tags.path(arg);
    if (translated !== '') text += ` | ${translated}${given.length === 0 ? '' : `: ${given.join(', ')}`}`;
  }
  return { text, variables: [...tags.variables] };
}

/** Translates JSON that is no chat. promptfoo fills in its texts and sends it with an indent of two. */
export function translateJson(source: string): Translated {
  const parsed = parseJsonText(source);
  const variables: string[] = [];
  const outputs: string[] = [];
  let fault: string | undefined;
  const mark = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(mark);
    if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mark(item)]));
    if (typeof value !== 'string' || !/\{[{%#]/.test(value)) return value;
    const [, code] = /^\{\{((?:(?!\}\})[\s\S])*)\}\}$/.exec(value) ?? [];
    const translated: Translated =
      code === undefined
        ? { fault: 'a text of JSON with more than a variable has no equivalent here' }
        : translateOutput(code.trim());
    if ('fault' in translated || translated.literal !== undefined) {
      fault ??= 'fault' in translated ? translated.fault : 'a text of JSON that is a template has no equivalent here';
      return value;
    }
    variables.push(...translated.variables);
    outputs.push(`{{ ${translated.text} | append: "" | json }}`);
    return `\u0000${outputs.length - 1}\u0000`;
  };
  const text = writeJson(mark('error' in parsed ? source : plainNumbers(parsed.value)), 2) ?? source;
  if (fault !== undefined) return { fault };
  const filled = text.replaceAll(/"\\u0000(\d+)\\u0000"/g, (_, index: string) => outputs[Number(index)] ?? '');
  return { text: filled, variables };
}

/** Fills variables into values, like promptfoo: five rounds, each for the first name in a value. */
export function fillIn(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const vars: Record<string, unknown> = { ...given };
  for (let round = 0; round < 5; round += 1) {
    for (const [key, value] of Object.entries(vars)) {
      const [name, variable = ''] = (typeof value === 'string' && /\{\{\s*(\w+)\s*\}\}/.exec(value)) || [];
      if (name === undefined || !Object.hasOwn(vars, variable)) continue;
      vars[key] = String(value).replace(name, String(vars[variable]));
    }
  }
  return vars;
}

const loopPattern = /\{%-?\s*for\s+(\w+)\s+in\s+_conversation\s*-?%\}([\s\S]*?)\{%-?\s*endfor\s*-?%\}/;

/** Removes the loop that repeats the conversation so far from a chat; undefined for other texts. */
export function withoutConversation(text: string): string | undefined {
  const [loop = '', name = '', body = ''] = loopPattern.exec(text) ?? [];
  const end = text.slice(text.indexOf(loop) + loop.length);
  // Only one message may follow the loop: the question.
  if (loop === '' || end.match(/"role"/g)?.length !== 1) return undefined;
  const compact = body
    .replaceAll(/\s/g, '')
    .replaceAll(/\{\{-?(\w+\.\w+)(?:\|dump)?-?\}\}/g, '{{$1}}')
    .replaceAll(/"(\{\{[^}]*\}\})"/g, '$1');
  const wanted = `{"role":"user","content":{{${name}.input}}},{"role":"assistant","content":{{${name}.output}}},`;
  return compact === wanted ? text.replace(loop, '') : undefined;
}

type Read<T> = { readonly value: T } | { readonly fault: string };
const plainPathPattern = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*|\[\d+\])*$/;
const liquidOperators: Readonly<Record<string, string>> = {
  '==': '==',
  '===': '==',
  '!=': '!=',
  '!==': '!=',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
};
const loopMembers: Readonly<Record<string, string>> = { revindex: 'rindex', revindex0: 'rindex0' };

/** Translates the conditions, loops and names of a Nunjucks template. */
class NunjucksTags {
  /** Names that the template sets. */
  readonly locals = new Set<string>();
  readonly variables = new Set<string>();
  readonly #open: string[] = [];

  /** Translates a tag, given without its percent signs. `output` translates a value. */
  translate(
    code: string,
    output: (code: string) => { readonly text: string } | { readonly fault: string },
  ): Read<string> {
    const fault = `the tag {% ${quote(code)} %} has no equivalent in a suite's templates`;
    const [, word = '', rest = ''] = /^(\w+)\s*([\s\S]*)$/.exec(code) ?? [];
    if (word === 'if' || word === 'elif') {
      if (word === 'if') this.#open.push(word);
      const condition = this.#condition(rest);
      return condition === undefined ? { fault } : { value: `${word === 'if' ? 'if' : 'elsif'} ${condition}` };
    }
    if (word === 'else' && rest === '') return { value: 'else' };
    if (word === 'endif' || word === 'endfor') {
      const opened = this.#open.pop();
      return word === `end${opened}` ? { value: word } : { fault };
    }
    const [, item, list = ''] = /^(\w+)\s+in\s+(\S+)$/.exec(rest) ?? [];
    if (word === 'for' && item !== undefined && plainPathPattern.test(list)) {
      const path = this.path(list);
      this.#open.push(word);
      for (const name of [item, 'loop', 'forloop']) this.locals.add(name);
      return { value: `for ${item} in ${path}` };
    }
    const [, name, value = ''] = /^(\w+)\s*=\s*([\s\S]+)$/.exec(rest) ?? [];
    // In Nunjucks, a name set inside a block is not visible after it; here it would be.
    if (word !== 'set' || name === undefined || this.#open.length > 0) return { fault };
    const translated = output(value.trim());
    if ('fault' in translated) return translated;
    this.locals.add(name);
    return { value: `assign ${name} = ${translated.text}` };
  }

  /** The tag that is never closed; undefined if all are. */
  get openFault(): string | undefined {
    return this.#open.length === 0 ? undefined : `the tag {% ${this.#open.at(-1)} %} is never closed`;
  }

  /** Translates a path to a suite's template. */
  path(path: string): string {
    const [root = ''] = /^[\w-]+/.exec(path) ?? [];
    if (!this.locals.has(root)) this.variables.add(root);
    const [, member = ''] = /^loop\.(\w+)$/.exec(path) ?? [];
    if (member !== '' && this.locals.has('loop'))
      return `forloop.${Object.hasOwn(loopMembers, member) ? loopMembers[member] : member}`;
    return path.replace(/\.length$/, '.size');
  }

  /** Translates a condition without brackets and "not"; undefined if its meaning would change. */
  #condition(code: string): string | undefined {
    const tokens = code.replaceAll(/\s*\|\s*length\b/g, '.length').match(/"[^"]*"|'[^']*'|[=!<>]+|[^\s"'=!<>]+/g) ?? [];
    const joins = new Set(tokens.filter((token) => token === 'and' || token === 'or'));
    if (joins.size > 1) return undefined;
    const [join = ''] = joins;
    const atoms: string[][] = [[]];
    for (const token of tokens) {
      if (token === join) atoms.push([]);
      else atoms.at(-1)?.push(token);
    }
    const parts = atoms.map((atom) => this.#atom(atom));
    // Mixed `and` and `or` can't be expressed without brackets.
    if (parts.some((part) => part === undefined || (part.join !== '' && join !== '' && part.join !== join)))
      return undefined;
    return parts.map((part) => part?.texts.join(` ${part.join} `)).join(` ${join} `);
  }

  #atom(tokens: readonly string[]): { readonly texts: readonly string[]; readonly join: string } | undefined {
    const [first = '', second = '', third = '', more] = tokens;
    if (tokens.length === 1 && plainPathPattern.test(first)) {
      const path = this.path(first);
      if (path.startsWith('forloop.')) return { texts: [path], join: '' };
      return { texts: [path, `${path} != ""`, `${path} != 0`], join: 'and' };
    }
    if (tokens.length === 2 && first === 'not' && plainPathPattern.test(second)) {
      const path = this.path(second);
      return { texts: ['nil', 'false', '""', '0'].map((value) => `${path} == ${value}`), join: 'or' };
    }
    const operator = Object.hasOwn(liquidOperators, second) ? liquidOperators[second] : undefined;
    if (operator === undefined || more !== undefined || !plainPathPattern.test(first) || !literalPattern.test(third))
      return undefined;
    const path = this.path(first);
    const [, number] = /^["']?(-?\d+(?:\.\d+)?)["']?$/.exec(third) ?? [];
    if (number === undefined || second.length !== 2 || !/^[!=]/.test(second) || path.endsWith('.size'))
      return { texts: [`${path} ${operator} ${third}`], join: '' };
    // In Nunjucks, a number equals its text.
    const texts = [`${path} ${operator} ${number}`, `${path} ${operator} "${number}"`];
    return { texts, join: operator === '==' ? 'or' : 'and' };
  }
}
