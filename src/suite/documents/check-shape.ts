import * as z from 'zod';
import { isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import { parseWithSchema } from '../../json/parse-with-schema.ts';
import { didYouMean, findNearest } from '../../text/words/did-you-mean.ts';
import {
  describeLongNumber,
  isLongNumber,
  longNumberHint,
  plainNumbers,
  SpelledNumber,
} from '../../text/yaml/exact-numbers.ts';
import {
  codeOf,
  describeIssue,
  describeValue,
  findMeant,
  hintOf,
  hintOfKey,
  type Issue,
  sentence,
  writeLabel,
} from './describe-issue.ts';
import { childOf, idsOf, itemsOf, type Located, locate, type Path, type Problems, textsOf } from './locate.ts';

type Shape = Readonly<Record<string, z.ZodType>>;

/** Reports a document that is not a map of keys. */
export function requireMap(located: Located, label: string, problems: Problems): boolean {
  const { value } = located;
  if (isRecord(value)) return true;
  const isEmpty = value === null || value === undefined;
  problems.refuse(
    located,
    `${label} must be a map of keys, not ${isEmpty ? 'empty' : describeValue(value)}`,
    isEmpty ? 'write prompts, providers and cases; `llmcheck init` writes a sample' : undefined,
  );
  return false;
}

/** True for a key that holds nothing but YAML anchors for other keys. */
export function isExtensionKey(key: unknown): boolean {
  return typeof key === 'string' && key.startsWith('x-');
}

/** Reports the keys of a document that its shape does not know. */
export function checkKeys(located: Located, shape: Shape, label: string, problems: Problems): void {
  const known = Object.keys(shape);
  const ofCases = keysAt(shape['defaults'], []);
  for (const key of Object.keys(located.value ?? {})) {
    if (Object.hasOwn(shape, key) || isExtensionKey(key)) continue;
    problems.report({
      code: 'unknown-key',
      message: `unknown key "${key}" in ${label}`,
      hint: ofCases.includes(key)
        ? `for every case it is written under defaults: { ${key}: … }`
        : hintOfKey(key, known, 'a key that only holds anchors begins with "x-"'),
      at: locate(childOf(located, key), 'key'),
    });
  }
}

/** Checks one key alone, so that a mistake in it hides no mistake in another; undefined if it is missing or wrong. */
export function checkPart<Schema extends z.ZodType>(
  parent: Located,
  key: string,
  schema: Schema,
  problems: Problems,
): z.output<Schema> | undefined {
  const part = childOf(parent, key);
  if (part.value === undefined) {
    // A key that is missing because it has another name is one mistake.
    const isMistyped = Object.keys(parent.value ?? {}).some((name) => findMeant(name, [key]) === key);
    if (!isMistyped && !schema.safeParse(undefined).success) {
      problems.refuse(parent, `the key "${key}" is missing`);
    }
    return undefined;
  }
  return checkShape(schema, { ...part, value: plainNumbers(part.value) }, { label: key, problems });
}

interface Checking {
  /** The root's name in messages. */
  readonly label: string;
  readonly problems: Problems;
  /** Finds the place of an issue's path, if the checked value is not the written one. */
  readonly relocate?: (path: Path) => Located;
  /** The hint for an unknown key at the root, if there is a better one than the known keys. */
  readonly hintOfUnknown?: (unknown: readonly string[], key: string) => string | undefined;
  /** Keys at the root that are missing only because they are mistyped, which is already reported. */
  readonly mistyped?: readonly string[];
}

/** Checks a value. Returns undefined and reports each mistake at its place, if there is any. */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  located: Located,
  checking: Checking,
): z.output<Schema> | undefined {
  const result = parseWithSchema(schema, located.value);
  if (result.success) return result.data;
  reportIssues(findIssues(located.value, schema), schema, located, checking);
  return undefined;
}

/**
 * Finds the issues of a value, each with the found value. This takes four times as long as checking whether there are
 * any.
 */
export function findIssues(value: unknown, schema: z.ZodType): readonly Issue[] {
  return parseWithSchema(schema, value, { reportInput: true }).error?.issues ?? [];
}

/** Turns zod's issues into problems with places, names and next steps. */
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
    const meant = findMeant(key, known);
    return meant === undefined ? [] : [[...issue.path, meant].join('\0')];
  });
}

function reportIssue(issue: Issue, schema: z.ZodType, located: Located, checking: Checking): void {
  const { problems, label } = checking;
  const place = checking.relocate ?? ((path: Path) => ({ ...located, path: [...located.path, ...path] }));
  if (isLongNumber(issue.input)) {
    const message = `${writeLabel(label, issue.path)}: ${describeLongNumber(issue.input)}`;
    problems.refuse(place(issue.path), message, longNumberHint);
    return;
  }
  if (issue.code === 'invalid_union' && !(issue.input instanceof SpelledNumber)) {
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
      // Another form of the map knows it.
      const isElsewhere = known.includes(key);
      const own = issue.path.length === 0 ? checking.hintOfUnknown?.(issue.keys, key) : undefined;
      problems.report({
        code: 'unknown-key',
        message: `${isElsewhere ? 'misplaced' : 'unknown'} key "${key}" in ${name}`,
        hint: isElsewhere ? 'leave it out' : (own ?? hintOfKey(key, known)),
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
  const hint = hintOf(issue, label, located.path);
  problems.report({
    code: codeOf(issue),
    message: sentence(name, describeIssue(issue)),
    ...defined({ hint }),
    at,
  });
}

/**
 * Finds the alternative that the author most likely meant. It does not fail at the root, has the same or similar keys
 * there, and has the fewest issues.
 */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const deep = branches.filter((issues) =>
    issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  );
  return [...deep].sort((a, b) => countStrangeKeys(a) - countStrangeKeys(b) || a.length - b.length)[0];
}

/** Counts the unknown keys at the root that do not resemble a missing one. */
function countStrangeKeys(issues: readonly Issue[]): number {
  const missing = issues.flatMap(({ path, input }) =>
    path.length === 1 && input === undefined ? [String(path[0])] : [],
  );
  return issues
    .flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : []))
    .filter((key) => findNearest(key, missing) === undefined).length;
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

interface ReplacesContext {
  readonly noun: 'prompt' | 'provider';
  /** The names that can be used instead. */
  readonly known: readonly string[];
  readonly problems: Problems;
}

/** Reports an entry of a list whose `replaces` names nothing that it could replace, or the entry itself. */
export function checkReplaces(item: Located, list: Located, { noun, known, problems }: ReplacesContext): void {
  const replaces = childOf(item, 'replaces');
  const id = childOf(item, 'id').value;
  const { value } = replaces;
  if (typeof value !== 'string') return;
  if (!known.includes(value)) {
    const others = known.filter((other) => other !== id);
    problems.report({
      code: 'unknown-id',
      message: `the ${noun} replaces "${value}", which is not a ${noun} of this suite`,
      hint: didYouMean(value, others) ?? (others.length === 0 ? 'leave it out' : `known: ${others.join(', ')}`),
      at: locate(replaces),
    });
    return;
  }
  const next = new Map(itemsOf(list).map((other) => [childOf(other, 'id').value, childOf(other, 'replaces').value]));
  const seen = new Set<unknown>();
  for (let current: unknown = value; current !== undefined && !seen.has(current); current = next.get(current)) {
    seen.add(current);
    if (current !== id) continue;
    problems.refuse(
      replaces,
      `the ${noun} "${String(id)}" replaces itself${value === id ? '' : ` through other ${noun}s`}`,
    );
    return;
  }
}

/** The ids of a list whose entries are ids or maps. */
export function writtenIds(list: Located): readonly string[] {
  return [...idsOf(list), ...textsOf(itemsOf(list))];
}
