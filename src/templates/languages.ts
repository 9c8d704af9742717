import { spell, writeJson } from '../json/canonical-json.ts';
import { compareNumbers, SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { refuseLongTemplate, TemplateError } from './template-error.ts';
import type { TemplateTree, TreeFunction, TreeLanguage, TreeNode } from './template-tree.ts';
import { describeKind } from './template-values.ts';

function textOf(value: unknown, filter: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object' && !(value instanceof SpelledNumber)) {
    throw new TemplateError(`the filter "${filter}" was given ${describeKind(value)}, which has no text`, {
      kind: 'not-text',
      hint: 'use the filter tojson',
    });
  }
  return spell(value);
}

function textFilter(name: string, change: (text: string, args: readonly string[]) => string): TreeFunction {
  return {
    run: ([value, ...args]) =>
      change(
        textOf(value, name),
        args.map((arg) => textOf(arg, name)),
      ),
  };
}

const length: TreeFunction = {
  run: ([value]) => {
    if (typeof value === 'string') return Array.from(value).length;
    if (typeof value === 'object' && value !== null && !(value instanceof SpelledNumber))
      return Object.keys(value).length;
    if (value === undefined || value === null) return 0;
    throw new TemplateError(`${describeKind(value)} has no length`, { kind: 'not-text' });
  },
};

const fallback: TreeFunction = {
  takesMissing: true,
  run: ([value, other = '', always]) =>
    value === undefined || value === null || (always === true && (value === '' || value === false)) ? other : value,
};

const tojson: TreeFunction = {
  run: ([value], { indent }) => writeJson(value, Number(indent) || 0) ?? 'null',
};

export const jinjaFilters: Readonly<Record<string, TreeFunction>> = {
  upper: textFilter('upper', (text) => text.toUpperCase()),
  lower: textFilter('lower', (text) => text.toLowerCase()),
  trim: textFilter('trim', (text) => text.trim()),
  capitalize: textFilter('capitalize', (text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase()),
  replace: textFilter('replace', (text, [from = '', to = '']) =>
    from === '' ? text : text.replaceAll(from, () => to),
  ),
  join: {
    run: ([value, separator = '']) => {
      if (value === undefined || value === null) return '';
      if (!Array.isArray(value)) {
        throw new TemplateError(`the filter "join" takes a list, not ${describeKind(value)}`, { kind: 'not-text' });
      }
      return value.map((item: unknown) => textOf(item, 'join')).join(textOf(separator, 'join'));
    },
  },
  first: { run: ([value]) => (Array.isArray(value) ? (value[0] as unknown) : textOf(value, 'first').charAt(0)) },
  last: { run: ([value]) => (Array.isArray(value) ? (value.at(-1) as unknown) : textOf(value, 'last').slice(-1)) },
  length,
  count: length,
  default: fallback,
  d: fallback,
  tojson,
  dump: tojson,
};

/** Supported filters and tests. Templates can't add one, and none reads more than its arguments. */
export const jinjaLanguage: TreeLanguage = {
  emptyMapIsFalse: true,
  textHint: (path, value) =>
    value === null
      ? `give it a value, or write {{ ${path} | default("…") }}`
      : `write {{ ${path} | tojson }}${Array.isArray(value) ? ` or {{ ${path} | join(", ") }}` : ''}`,
  missingHint: (path) => `add it to the cases' vars, or write {{ ${path} | default("…") }}`,
  functions: {
    ...jinjaFilters,
    'is defined': { takesMissing: true, run: ([value]) => value !== undefined },
    'is none': { takesMissing: true, run: ([value]) => value === null },
    'is string': { run: ([value]) => typeof value === 'string' },
    'is number': { run: ([value]) => typeof value === 'number' || value instanceof SpelledNumber },
  },
};

/** Supported helpers with a value. Templates can't add one, and none reads more than its arguments. */
export const handlebarsLanguage: TreeLanguage = {
  emptyMapIsFalse: false,
  textHint: (path) => `write {{json ${path}}}, or go through it with {{#each ${path}}}`,
  missingHint: (path) =>
    `add it to the cases' vars${path.startsWith('@') ? '' : ', or under input.default of the file'}`,
  functions: {
    json: {
      run: ([value], { indent }) => writeJson(value, Number(indent) || 0) ?? '',
    },
    lookup: {
      run: ([value, key]) => {
        const name = spell(key);
        return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Readonly<Record<string, unknown>>)[name]
          : undefined;
      },
    },
    ifEquals: { run: ([left, right]) => left === right || compareNumbers(left, right) === 0 },
  },
};

const maxLength = 1_000_000;

/** Only `{{name}}`: any other brace is text. Lists and maps print like Go's `%v`, as in the format's own runner. */
export const bracesLanguage: TreeLanguage = {
  functions: {},
  emptyMapIsFalse: true,
  print: printGo,
  textHint: () => 'give it a value',
  missingHint: () => "add it to the cases' vars",
};

/** Parses braces in one pass. Values are never parsed again. */
export function parseBraces(source: string): TemplateTree {
  refuseLongTemplate(source);
  const nodes: TreeNode[] = [];
  let from = 0;
  for (const match of source.matchAll(/\{\{\s*([\w.-]+)\s*\}\}/g)) {
    const [written, name = ''] = match;
    nodes.push({ kind: 'text', text: source.slice(from, match.index) });
    const offset = match.index;
    // Keys are flat: `a.b` is one key.
    nodes.push({
      kind: 'output',
      value: { kind: 'path', from: 'names', up: 0, steps: [name], text: name, offset },
      offset,
    });
    from = offset + written.length;
  }
  nodes.push({ kind: 'text', text: source.slice(from) });
  return { source, nodes };
}

function printGo(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const parts: string[] = [];
  let length = 0;
  const print = (item: unknown, depth: number): void => {
    if (depth > 100 || length > maxLength) return;
    const add = (text: string) => {
      length += text.length;
      parts.push(text);
    };
    if (item === null) add('<nil>');
    else if (typeof item !== 'object' || item instanceof SpelledNumber) add(spell(item));
    else if (Array.isArray(item)) {
      add('[');
      for (const [index, element] of item.entries()) {
        if (index > 0) add(' ');
        print(element, depth + 1);
      }
      add(']');
    } else {
      add('map[');
      const entries = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [index, [key, element]] of entries.entries()) {
        add(`${index > 0 ? ' ' : ''}${key}:`);
        print(element, depth + 1);
      }
      add(']');
    }
  };
  print(value, 0);
  return parts.join('');
}
