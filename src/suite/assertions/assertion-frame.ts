import { isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import type { SelectSpec } from '../../model/run/verdict.ts';
import type { AssertionDeclaration } from '../../model/suite/assertion.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { keysAt } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ReadCode } from './own-code.ts';
import { parseSelect } from './select.ts';

const commonKeys = ['select', 'name', 'weight', 'required'];

interface FrameContext {
  readonly declarations: Readonly<Record<string, AssertionDeclaration>>;
  readonly problems: Problems;
}

/** Finds the key that names an assertion. Reports unknown keys beside it. */
export function findName(located: Located, { declarations, problems }: FrameContext): string | undefined {
  const { value } = located;
  const known = Object.keys(declarations);
  const isKnown = (key: string) => Object.hasOwn(declarations, key);
  if (!isRecord(value)) {
    return problems.refuse(
      located,
      `an assertion is a map with one assertion name, not ${describeValue(value)}`,
      hintOfOther(value, isKnown),
    );
  }
  const keys = Object.keys(value).filter((key) => !commonKeys.includes(key));
  const [name, second] = keys.filter(isKnown);
  if (name === undefined) {
    const [unknown] = keys;
    const hint =
      hintOfOtherStyle(located, known) ??
      (unknown === undefined ? undefined : didYouMean(unknown, known)) ??
      `known: ${known.join(', ')}`;
    problems.report({
      code: 'unknown-assertion',
      message: unknown === undefined ? 'the assertion has no name' : `unknown assertion "${unknown}"`,
      hint,
      at: unknown === undefined ? locate(located) : locate(childOf(located, unknown), 'key'),
    });
    return undefined;
  }
  if (second !== undefined) {
    problems.report({
      code: 'invalid-value',
      message: `one assertion has two names, "${name}" and "${second}"`,
      hint: 'write them as two items of the list',
      at: locate(childOf(located, second), 'key'),
    });
    return undefined;
  }
  for (const key of keys.filter((other) => other !== name)) {
    reportExtraKey(located, name, key, { declarations, problems });
  }
  return name;
}

/** The next step if an assertion is not a map. */
function hintOfOther(value: unknown, isKnown: (name: string) => boolean): string {
  const [, name = '', blank, parameter = ''] =
    (typeof value === 'string' && /^(\w+)(?::(\s?)(.*))?$/s.exec(value)) || [];
  if (!isKnown(name)) return 'write {contains: refund}, for example';
  if (blank === undefined) return `write {${name}: …}`;
  return `${blank === '' ? 'a blank must follow the colon' : 'write it without quotes'}: ${name}: ${parameter}`;
}

function reportExtraKey(located: Located, name: string, key: string, { declarations, problems }: FrameContext): void {
  const { main = 'value', params } = declarations[name] ?? {};
  problems.report({
    code: 'unknown-key',
    message: `unknown key "${key}" beside "${name}"`,
    hint: keysAt(params, []).includes(key)
      ? `it belongs inside: ${name}: {${key === main ? '' : `${main}: …, `}${key}: …}`
      : (didYouMean(key, [...commonKeys, ...Object.keys(declarations)]) ?? `known here: ${commonKeys.join(', ')}`),
    at: locate(childOf(located, key), 'key'),
  });
}

/** The keys that every assertion can have. */
export interface Frame {
  readonly select?: SelectSpec;
  readonly name?: string;
  readonly weight: number;
  readonly required: boolean;
}

/** The frame of an assertion with no key beside its name. */
export const noFrame: Frame = { weight: 1, required: false };

/** Parses the keys beside the name; undefined if one is wrong, which is reported. */
export function parseFrame(located: Located, problems: Problems, readCode: ReadCode): Frame | undefined {
  const select = childOf(located, 'select');
  const name = childOf(located, 'name');
  const weight = childOf(located, 'weight');
  const required = childOf(located, 'required');
  let areValid = true;
  const expect = (part: Located, isValid: boolean, expected: string) => {
    if (part.value === undefined || isValid) return;
    areValid = false;
    problems.refuse(part, `${String(part.path.at(-1))} must be ${expected}, not ${describeValue(part.value)}`);
  };
  const weightValue = plainNumbers(weight.value);
  expect(name, typeof name.value === 'string' && name.value !== '', 'a text');
  expect(weight, typeof weightValue === 'number' && weightValue >= 0, 'a number, 0 or more');
  expect(required, typeof required.value === 'boolean', 'true or false');
  const selected =
    select.value === undefined
      ? undefined
      : parseSelect({ ...select, value: plainNumbers(select.value) }, problems, { readCode });
  if (!areValid || (select.value !== undefined && selected === undefined)) return undefined;
  return {
    ...defined({ select: selected, name: typeof name.value === 'string' ? name.value : undefined }),
    weight: typeof weightValue === 'number' ? weightValue : 1,
    required: required.value === true,
  };
}

/** The frame's part of the case hash: the keys that change the verdict. The name does not. */
export function framedSource({ select, weight, required }: Frame): JsonObject {
  return defined({
    required: required || undefined,
    select: select && inOrder(select),
    weight: weight === 1 ? undefined : weight,
  });
}

/**
 * Sorts a selection once, so that hashing each case need not sort it. For code, the content counts and not the path.
 */
function inOrder(value: SelectSpec): JsonObject {
  if (value.kind === 'module') return { code: value.code.hash, exportName: value.exportName, kind: value.kind };
  if (value.kind === 'steps') return { kind: value.kind, steps: value.steps.map(inOrder) };
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Assertion names of other tools with the equivalent here; "…" is the parameter. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['icontains', 'contains: { value: …, ignoreCase: true }'],
  ['icontains-all', 'containsAll: { value: …, ignoreCase: true }'],
  ['icontains-any', 'containsAny: { value: …, ignoreCase: true }'],
  ['is-json', 'json: true'],
  ['is-valid-json', 'json: true'],
  ['contains-json', 'json: true, select: { codeBlock: json }'],
  ['is-xml', 'xml: true'],
  ['is-html', 'html: true'],
  ['is-sql', 'sql: true'],
  ['is-refusal', 'refusal: true'],
  ['rouge-n', 'rouge: { value: …, min: 0.75 }'],
  ['levenshtein', 'levenshtein: { value: …, min: 0.8 }'],
  ['similar', 'similar: { value: …, min: 0.8 }'],
  ['llm-rubric', 'rubric: …'],
  ['g-eval', 'rubric: …'],
  ['model-graded-closedqa', 'rubric: …'],
  ['factuality', 'factual: …'],
  ['model-graded-factuality', 'factual: …'],
  ['select-best', 'pairwise: …'],
  ['javascript', 'module: FILE'],
  ['python', 'exec: "python FILE"'],
  ['ruby', 'exec: "ruby FILE"'],
]);

/** The next step for `type: contains, value: …` and `name: contains, value: …`; undefined for anything else. */
function hintOfOtherStyle(located: Located, known: readonly string[]): string | undefined {
  const [type, name] = ['type', 'name'].map((key) => childOf(located, key).value);
  const written = type ?? (known.includes(String(name)) ? name : undefined);
  if (typeof written !== 'string') return undefined;
  const isNot = written.startsWith('not-');
  const form = findForm(isNot ? written.slice(4) : written, known);
  if (form === undefined) return undefined;
  const value = plainNumbers(childOf(located, 'value').value);
  const example = form.replace('…', () => (value === undefined ? '…' : JSON.stringify(value)));
  return `here the name is the key: write ${isNot ? `not: { ${example} }` : example}`;
}

function findForm(name: string, known: readonly string[]): string | undefined {
  const camel = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return otherNames.get(name) ?? (known.includes(camel) ? `${camel}: …` : undefined);
}
