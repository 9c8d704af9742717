import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { type ProblemCode, problemCodes } from '../model/problem.ts';
import { didYouMean, findNearest } from '../text/did-you-mean.ts';
import { describeLongNumber, isLongNumber, longNumberHint, SpelledNumber } from '../text/exact-numbers.ts';
import { type Located, locate, type Path } from './locate.ts';
import type { Problems } from './problems.ts';

type Issue = z.core.$ZodIssue;

interface Checking {
  /** What the root is called in messages. */
  readonly label: string;
  readonly problems: Problems;
  /** Where an issue's path really stands, where the checked value is not the written one. */
  readonly relocate?: (path: Path) => Located;
  /** Keys at the root that are missing because they are mistyped, which whoever knows all of the keys has said. */
  readonly mistyped?: readonly string[];
}

/** Checks a value and reports what is wrong where it was written; undefined where anything is. */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  located: Located,
  checking: Checking,
): z.output<Schema> | undefined {
  const result = schema.safeParse(located.value, { reportInput: true });
  if (result.success) return result.data;
  reportIssues(result.error.issues, schema, located, checking);
  return undefined;
}

/** Turns what zod found into problems with places, names and next steps. */
export function reportIssues(issues: readonly Issue[], schema: z.ZodType, located: Located, checking: Checking): void {
  const mistyped = new Set([...(checking.mistyped ?? []), ...issues.flatMap((issue) => findMistyped(issue, schema))]);
  for (const issue of issues) {
    // A key that is missing because it is mistyped is one mistake.
    if (!mistyped.has(issue.path.join('\0')) || issue.input !== undefined)
      reportIssue(issue, schema, located, checking);
  }
}

/** The paths of known keys that the unknown ones most likely mean. */
function findMistyped(issue: Issue, schema: z.ZodType): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const known = keysAt(schema, issue.path);
  return issue.keys.flatMap((key) => {
    const meant = findNearest(key, known);
    return meant === undefined ? [] : [[...issue.path, meant].join('\0')];
  });
}

function reportIssue(issue: Issue, schema: z.ZodType, located: Located, checking: Checking): void {
  const { problems, label } = checking;
  const place = checking.relocate ?? ((path: Path) => ({ ...located, path: [...located.path, ...path] }));
  if (isLongNumber(issue.input)) {
    const message = `${writeLabel(label, issue.path)}: ${describeLongNumber(issue.input)}`;
    problems.report({ code: 'invalid-value', message, hint: longNumberHint, at: locate(place(issue.path)) });
    return;
  }
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors);
    if (branch !== undefined) {
      reportIssues(
        branch.map((inner) => Object.assign({}, inner, { path: [...issue.path, ...inner.path] })),
        schema,
        located,
        checking,
      );
      return;
    }
  }
  const name = writeLabel(label, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    for (const key of issue.keys) {
      problems.report({
        code: 'unknown-key',
        message: `unknown key "${key}" in ${name}`,
        hint: didYouMean(key, known) ?? (known.length === 0 ? 'leave it out' : `known here: ${known.join(', ')}`),
        at: locate(place([...issue.path, key]), 'key'),
      });
    }
    return;
  }
  const isMissing = issue.code !== 'custom' && issue.input === undefined && issue.path.length > 0;
  const at = isMissing ? locate(place(issue.path.slice(0, -1))) : locate(place(issue.path));
  if (isMissing) {
    const parent = writeLabel(label, issue.path.slice(0, -1));
    problems.report({ code: 'invalid-value', message: `${parent} needs "${String(issue.path.at(-1))}"`, at });
    return;
  }
  const hint = hintOf(issue);
  problems.report({
    code: codeOf(issue),
    message: sentence(name, describeIssue(issue)),
    ...defined({ hint }),
    at,
  });
}

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

function sentence(name: string, words: string): string {
  return /^(?:must|needs?|is|has|can|takes|does|doesn't|holds)\b/.test(words)
    ? `${name} ${words}`
    : `${name}: ${words}`;
}

function describeIssue(issue: Issue): string {
  const found = issue.code === 'custom' ? '' : `, not ${describeValue(issue.input)}`;
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

function hintOf(issue: Issue): string | undefined {
  const given: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined;
  if (typeof given === 'string') return given;
  if (issue.code === 'invalid_type') return hintOfType(issue.expected, issue.input);
  if (typeof issue.input !== 'string') return undefined;
  return didYouMean(issue.input, wordsOf(issue));
}

/** The words that may stand there, in any of its forms. */
function wordsOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_union') {
    return issue.errors.flat().flatMap((inner) => (inner.path.length === 0 ? wordsOf(inner) : []));
  }
  return issue.code === 'invalid_value' ? issue.values.filter((value) => typeof value === 'string') : [];
}

/** What YAML made of words that were meant otherwise. */
function hintOfType(expected: string, input: unknown): string | undefined {
  const isPlain = typeof input === 'number' || typeof input === 'boolean' || input instanceof SpelledNumber;
  if (expected === 'string' && isPlain) return `for a text, write it in quotes: "${describeValue(input)}"`;
  if (expected === 'array' && (isPlain || typeof input === 'string')) return `write [${describeValue(input)}]`;
  if (expected === 'array' && typeof input === 'object') return 'begin each item with "- "';
  if (expected === 'boolean' && typeof input === 'string') {
    if (/^(?:true|yes|on|y|1)$/i.test(input.trim())) return 'write true';
    if (/^(?:false|no|off|n|0)$/i.test(input.trim())) return 'write false';
  }
  return undefined;
}

function codeOf(issue: Issue): ProblemCode {
  if (issue.code !== 'custom') return 'invalid-value';
  const given: unknown = issue.params?.['code'];
  const named = problemCodes.find((code) => code === given);
  if (named !== undefined) return named;
  // Parameter schemas of assertions say it in words alone.
  if (/regular expression/i.test(issue.message)) return 'invalid-regex';
  if (/JSONPath/.test(issue.message)) return 'invalid-json-path';
  return /\bschema\b|\$(?:ref|schema)\b/i.test(issue.message) ? 'invalid-schema' : 'invalid-value';
}

/**
 * The alternative that the author most likely meant: one that does not fail at the root, that knows the keys at the root
 * or has ones much like them, with the fewest issues.
 */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const deep = branches.filter((issues) =>
    issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  );
  return [...deep].sort((a, b) => countStrangeKeys(a) - countStrangeKeys(b) || a.length - b.length)[0];
}

/** The keys at the root that are unknown and resemble none that is missing there. */
function countStrangeKeys(issues: readonly Issue[]): number {
  const missing = issues.flatMap(({ path, input }) =>
    path.length === 1 && input === undefined ? [String(path[0])] : [],
  );
  return issues
    .flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : []))
    .filter((key) => findNearest(key, missing) === undefined).length;
}

function isZodWords({ message }: Issue): boolean {
  return /^(?:Invalid|Too (?:small|big)|Unrecognized)/.test(message);
}

/** The keys that an object schema knows at a path. */
export function keysAt(schema: unknown, path: Path): readonly string[] {
  const [step, ...rest] = path;
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) {
    return [...new Set(inner.options.flatMap((option) => keysAt(option, path)))];
  }
  if (step === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  if (inner instanceof z.ZodObject)
    return Object.hasOwn(inner.shape, step) ? keysAt(inner.shape[String(step)], rest) : [];
  if (inner instanceof z.ZodArray) return keysAt(inner.element, rest);
  return inner instanceof z.ZodRecord ? keysAt(inner.valueType, rest) : [];
}

function unwrap(schema: unknown): unknown {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.def.innerType);
  }
  if (schema instanceof z.ZodLazy) return unwrap(schema.def.getter());
  return schema instanceof z.ZodPipe ? unwrap(schema.in instanceof z.ZodTransform ? schema.out : schema.in) : schema;
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

/** What was found, short enough for a sentence. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value instanceof SpelledNumber) return value.source;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'a map';
}
