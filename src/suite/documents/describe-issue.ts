import type * as z from 'zod';
import { isRecord } from '../../json/deep-equal.ts';
import { type ProblemCode, problemCodes } from '../../model/problem.ts';
import { nameSet } from '../../text/name-set.ts';
import { didYouMean, findNearest } from '../../text/words/did-you-mean.ts';
import { SpelledNumber } from '../../text/yaml/exact-numbers.ts';
import type { Path } from './locate.ts';

export type Issue = z.core.$ZodIssue;

/** `cases[0].tags`, after a root label such as `the suite` or `contains`. */
export function writeLabel(label: string, path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${String(step)}`;
  }
  if (text === '') return label;
  if (label === '') return text;
  return /\s/.test(label) ? `${text} of ${label}` : `${label}${text.startsWith('[') ? '' : '.'}${text}`;
}

export function sentence(name: string, text: string): string {
  return /^(?:must|needs?|is|has|can|takes|does|doesn't|holds)\b/.test(text) ? `${name} ${text}` : `${name}: ${text}`;
}

export function describeIssue(issue: Issue): string {
  const isPlain = typeof issue.input !== 'object';
  const found = issue.code === 'custom' && isPlain ? '' : `, not ${describeValue(issue.input)}`;
  if (!isZodWords(issue))
    return `${issue.message}${issue.message.startsWith('must be') && !issue.message.includes(', not ') ? found : ''}`;
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}${found}`;
  if (issue.code === 'invalid_value') return `must be ${listValues(issue.values)}${found}`;
  if (issue.code === 'invalid_union') return `has a form that is not known${found}`;
  if (issue.code === 'too_small') {
    if (issue.origin === 'array') return `needs at least ${String(issue.minimum)}`;
    return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}${found}`;
  }
  if (issue.code === 'too_big') {
    return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${String(issue.maximum)}${found}`;
  }
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

export function hintOf(issue: Issue, label: string, root: Path): string | undefined {
  const given: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined;
  if (typeof given === 'string') return given;
  const { input } = issue;
  if (expectsText(issue) && typeof input === 'object') return hintOfText(input);
  const { path } = issue;
  const key = String(path.at(-1) ?? label);
  if (issue.code === 'invalid_type' && issue.expected === 'array')
    return hintOfList(key, path.length > 0, input, describeValue(input));
  if (key === 'skip' && input === false) return 'leave skip out: the case runs then';
  if (key === 'skip' && input === true) return 'write why, such as skip: the queue is being split';
  if (issue.code === 'invalid_type' && (issue.expected === 'object' || issue.expected === 'record')) {
    const example = Object.hasOwn(maps, key) ? maps[key] : undefined;
    if (example !== undefined) return `write ${key}: ${example}, for example`;
  }
  if (issue.code === 'invalid_type') return hintOfType(issue.expected, input) ?? hintOfItem(label, path, root, input);
  if (issue.code === 'invalid_value' && input === true) return `write ${String(issue.values[0])}`;
  if (typeof input !== 'string') return undefined;
  return (
    didYouMean(input, wordsOf(issue)) ??
    (issue.code === 'invalid_union' ? hintOfItem(label, path, root, input) : undefined)
  );
}

/** The next step for a key that does not exist: one that begins with a known key lacks a colon. */
export function hintOfKey(key: string, known: readonly string[], more?: string): string {
  const [, first = '', value = ''] = /^([\w-]+)(?::\s*|\s+)(.+)$/s.exec(key) ?? [];
  if (known.includes(first)) {
    return /^[[{]/.test(value) ? `write a colon and a blank after ${first}: "${first}: …"` : `write ${first}: ${value}`;
  }
  if (key === 'role' && known.includes('user')) return 'leave it out: a turn is what the user says';
  const meant = findMeant(key, known);
  if (meant !== undefined) return `did you mean "${meant}"?`;
  if (known.length === 0) return 'leave it out';
  return `known here: ${known.join(', ')}${more === undefined ? '' : `; ${more}`}`;
}

/** The known key that an unknown one most likely means, by its spelling or by names of other tools. */
export function findMeant(key: string, known: readonly string[]): string | undefined {
  return findNearest(key, known) ?? otherNames.get(key)?.find((name) => known.includes(name));
}

const otherNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['tests', ['cases']],
  ['testCases', ['cases']],
  ['defaultTest', ['defaults']],
  ['thresholds', ['gate']],
  ['models', ['providers']],
  ['checks', ['assert']],
  ['assertions', ['assert']],
  ['variables', ['vars']],
  ['inputs', ['vars']],
  ['output', ['expected']],
  ['answer', ['expected']],
  ['ideal', ['expected']],
  ['reference', ['expected']],
  ['expectedOutput', ['expected']],
  ['expected_output', ['expected']],
  ['repeat', ['trials']],
  ['repetitions', ['trials']],
  ['path', ['file']],
  ['template', ['text']],
  ['prompt', ['text']],
  ['content', ['user', 'text']],
]);

function expectsText(issue: Issue): boolean {
  if (issue.code === 'invalid_type' && isZodWords(issue)) return issue.expected === 'string';
  return /^must be a (?:text|string)\b/.test(issue.message);
}

/** The next step if YAML reads an unquoted text as another value. */
function hintOfText(input: object | null): string | undefined {
  if (input === null) {
    return 'write a value; one that begins with "#" must be in quotes, as it is a comment without them';
  }
  if (input instanceof SpelledNumber) return `for a text, write it in quotes: "${input.source}"`;
  if (Array.isArray(input)) return undefined;
  const [[key, value] = ['', input], second] = Object.entries(input);
  if (second !== undefined || (typeof value === 'object' && value !== null)) return undefined;
  const [written, more] =
    value === null ? [`{${key}}`, `; a variable is written {{ ${key} }}`] : [`${key}: ${String(value)}`, ''];
  return `for a text, write it in quotes: ${JSON.stringify(written)}${more}`;
}

/** The texts that are allowed there. */
function wordsOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_union') {
    return issue.errors.flat().flatMap((inner) => (inner.path.length === 0 ? wordsOf(inner) : []));
  }
  return issue.code === 'invalid_value' ? issue.values.filter((value) => typeof value === 'string') : [];
}

/** The next step if YAML read a value as another type than intended. */
function hintOfType(expected: string, input: unknown): string | undefined {
  const isPlain = typeof input === 'number' || typeof input === 'boolean' || input instanceof SpelledNumber;
  if (expected === 'string' && isPlain) return `for a text, write it in quotes: "${describeValue(input)}"`;
  if (expected === 'boolean' && typeof input === 'string') {
    if (/^(?:true|yes|on|y|1)$/i.test(input.trim())) return 'write true';
    if (/^(?:false|no|off|n|0)$/i.test(input.trim())) return 'write false';
  }
  return undefined;
}

export function codeOf(issue: Issue): ProblemCode {
  if (issue.code !== 'custom') return 'invalid-value';
  const given: unknown = issue.params?.['code'];
  const named = problemCodes.find((code) => code === given);
  if (named !== undefined) return named;
  // Parameter schemas of assertions give no code, only a message.
  if (/regular expression/i.test(issue.message)) return 'invalid-regex';
  if (/JSONPath/.test(issue.message)) return 'invalid-json-path';
  return /\bschema\b|\$(?:ref|schema)\b/i.test(issue.message) ? 'invalid-schema' : 'invalid-value';
}

function isZodWords({ message }: Issue): boolean {
  return /^(?:Invalid|Too (?:small|big)|Unrecognized)/.test(message);
}

function article(expected: string): string {
  switch (expected) {
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'a map';
    case 'int':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    default:
      return `a ${expected}`;
  }
}

function listValues(values: readonly unknown[]): string {
  const texts = values.map((value) => (typeof value === 'string' ? value : String(value)));
  return texts.length > 1 ? `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}` : (texts[0] ?? 'nothing');
}

/** The found value, short enough for a sentence. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value instanceof SpelledNumber) return value.source;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'a map';
}

/** A hint how to write a list in place of another value. */
function hintOfList(key: string, isInner: boolean, input: unknown, shown: string): string {
  if (!isRecord(input)) {
    if (input === null) return 'begin each item with "- "';
    const item = typeof input === 'string' ? itemOf(isInner ? `inner ${key}` : key, input, 0) : undefined;
    const texts = typeof input === 'string' && item === undefined ? input.split(/\s*,\s*/) : [];
    return `write [${item ?? (texts.length > 1 ? texts.map((text) => JSON.stringify(text)).join(', ') : shown)}]`;
  }
  const [first = 'key'] = Object.keys(input);
  if (listsOfIds.has(key) && !keysOfItems.has(first))
    return `begin each item of the list with its id, as in "- id: ${first}", or write [{ id: ${first}, … }]`;
  return `begin each item of the list with "- ", as in "- ${first}: …", or write [{ ${first}: … }]`;
}

/** Maps that users write in place of a single value. */
const maps: Readonly<Record<string, string>> = {
  vars: '{ email: … }',
  params: '{ temperature: 0 }',
  headers: '{ X-Team: evals }',
  price: '{ input: 0.15, output: 0.60 }',
  passRate: '{ min: 90% }',
  score: '{ min: 0.8 }',
  cost: '{ max: 0.50 }',
  latency: '{ p95Max: 4s }',
};

/** Lists that some tools write as maps by id. */
const listsOfIds = new Set(['cases', 'judges', 'prompts', 'providers']);
const keysOfItems = nameSet('assert exec expected file id messages module text turns use vars');

/** A hint how to write a map in place of a text, for an item of a list. */
function hintOfItem(label: string, path: Path, root: Path, input: unknown): string | undefined {
  if (typeof input !== 'string') return undefined;
  const index = [...root, ...path].findLast((step) => typeof step === 'number') ?? 0;
  const list =
    path.length === 0
      ? (lists[label] ?? '')
      : `inner ${String(typeof path.at(-1) === 'number' ? path.at(-2) : path.at(-1))}`;
  const item = itemOf(list, input, index);
  return item === undefined ? undefined : `write ${item}`;
}

/** The list of an item, by the item's name in messages. */
const lists: Readonly<Record<string, string>> = { 'the case': 'cases', 'the prompt': 'prompts' };

function itemOf(list: string, text: string, index: number): string | undefined {
  const isFile = /^[^\s:{}]+\.\w+$|\*/.test(text);
  switch (list) {
    case 'cases':
      return isFile ? `{ file: ${text} }` : '{ id: …, vars: { … }, assert: [ … ] }';
    case 'prompts':
      // The name of the file, because two prompts can't have one id.
      return isFile
        ? `{ id: ${(text.split('/').at(-1) ?? text).replace(/\..*$/, '')}, file: ${text} }`
        : `{ id: v${index + 1}, text: ${JSON.stringify(text)} }`;
    case 'inner assert':
      return '{ contains: … }';
    case 'inner messages':
      return `{ role: user, content: ${JSON.stringify(text)} }`;
    case 'inner turns':
      return `{ user: ${JSON.stringify(text)} }`;
    case 'inner toolResult':
      return `{ name: TOOL, content: ${JSON.stringify(text)} }`;
    default:
      return undefined;
  }
}
