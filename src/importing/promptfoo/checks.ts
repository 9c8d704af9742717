import { defined } from '../../json/defined.ts';
import { isKeptByDouble } from '../../text/exact-numbers.ts';
import { isMap, LeftOut, type Written } from '../draft.ts';
import type { BaseContext, Check, CheckContext } from './check-context.ts';
import { convertGraded } from './graded-checks.ts';
import { buildCheck, type CodeContext, convertJavascript } from './javascript.ts';
import { convertPython } from './python-check.ts';
import { convertRuby } from './ruby-check.ts';
import { convertTransform, type Steps } from './transforms.ts';
import { escapeData, readFile, readList, readText } from './values.ts';

/** One assertion of promptfoo as a check of a suite. */
export async function convertAssertion(written: Written, context: CheckContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const { value } = written;
  if (typeof value === 'string' || !isMap(value) || typeof value['type'] !== 'string') {
    return draft.refuse(written, 'an assertion without a type is not known here');
  }
  const { type, weight, metric, transform, threshold } = value;
  if (type === 'assert-set') return convertSet(written, context);
  const inverse = type.startsWith('not-');
  const base = inverse ? type.slice('not-'.length) : type;
  for (const key of Object.keys(value)) {
    if (['type', 'value', 'threshold', 'weight', 'metric', 'transform', 'provider'].includes(key)) continue;
    if (key === 'config' && ['javascript', 'python', 'ruby'].includes(base)) continue;
    if (['rubricPrompt', 'contextTransform', 'config', 'assert'].includes(key))
      return draft.refuse(written.child(key), `"${key}" of an assertion has no equivalent here`);
    if (key !== 'description')
      draft.note(written.child(key), `"${key}" of an assertion is left out: promptfoo does not read it`);
  }
  const isJson = context.code.answers !== 'text';
  const { lowered, code: plainTransform } = readLowered(transform);
  const own = transform === undefined ? [] : convertTransform(plainTransform, isJson);
  if (own === undefined) return draft.refuse(written.child('transform'), TRANSFORM, TRANSFORM_HINT);
  const steps = [...(context.select ?? []), ...own];
  const isSelected = steps.length > 0;
  const check = await convertBase(base, inverse, written, { ...context, threshold, isSelected });
  if (check === undefined)
    return draft.refuse(written, `the assertion "${type}" has no equivalent here`, hintFor(base));
  if (check instanceof LeftOut) return check;
  const framed = withSelect(lowered ? withoutCase(check) : check, steps);
  if (framed === undefined) return draft.refuse(written, `"${type}" behind a transform has no equivalent here`);
  return { ...framed, ...nameAndWeight(metric, weight) };
}

function nameAndWeight(metric: unknown, weight: unknown): Check {
  return defined({
    name: typeof metric === 'string' ? metric : undefined,
    weight: typeof weight === 'number' ? weight : undefined,
  });
}

const TRANSFORM =
  'a transform is code; only trim, replace, split and members of JSON.parse(output) can be said with select';
const TRANSFORM_HINT = 'write the check as a module: assertion';

/** A transform to small letters is `ignoreCase` for texts that have none but these. */
function readLowered(transform: unknown): { readonly lowered: boolean; readonly code: unknown } {
  const [, code] =
    /^(?:return\s+)?([\s\S]+)\.toLowerCase\(\);?$/.exec(typeof transform === 'string' ? transform.trim() : '') ?? [];
  return { lowered: code !== undefined, code: code ?? transform };
}

function withoutCase(check: Check | undefined): Check | undefined {
  const { not } = check ?? {};
  if (isMap(not)) {
    const inner = withoutCase(not);
    return inner && { not: inner };
  }
  for (const name of ['contains', 'startsWith', 'containsAny', 'containsAll']) {
    const params = check?.[name];
    if (!isMap(params)) continue;
    const texts = [params['value']].flat();
    const isLow = texts.every((text) => typeof text === 'string' && /^[\x20-\x40[-z|}~]*$/.test(text));
    return isLow ? { [name]: { ...params, ignoreCase: true } } : undefined;
  }
  return undefined;
}

function withSelect(check: Check | undefined, steps: Steps): Check | undefined {
  if (check === undefined || steps.length === 0) return check;
  if (check['latency'] !== undefined || check['cost'] !== undefined) return check;
  if (check['select'] !== undefined) {
    // A regex takes part of the text that the steps leave.
    return isMap(check['select']) && check['select']['regex'] !== undefined
      ? { ...check, select: [...steps, check['select']] }
      : undefined;
  }
  const select = steps.length === 1 ? steps[0] : steps;
  const isValue = steps.some((step) => isMap(step) && (step['json'] ?? step['jsonPath']) !== undefined);
  // promptfoo compares such a value as text, a suite by its type.
  if (check['equals'] !== undefined && isValue) {
    const { value } = check['equals'] as { readonly value: unknown };
    if (typeof value !== 'string' || /\{[{%]/.test(value)) return undefined;
    const plain = parseScalar(value);
    if (plain !== undefined) return { anyOf: [{ equals: { value } }, { equals: { value: plain } }], select };
  }
  if (check['anyOf'] !== undefined || check['allOf'] !== undefined) return undefined;
  return { ...check, select };
}

function parseScalar(text: string): unknown {
  if (!/^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?)$/.test(text)) return undefined;
  const value: unknown = JSON.parse(text);
  return typeof value === 'number' && !isKeptByDouble(text) ? undefined : value;
}

/** All of a set must hold; with a threshold that a single one reaches, any of it. */
async function convertSet(written: Written, context: CheckContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const { threshold, weight, metric, config } = written.value as Readonly<Record<string, unknown>>;
  if (config !== undefined) return draft.refuse(written.child('config'), 'config of a set has no equivalent here');
  const items = written.child('assert').items();
  const children: Check[] = [];
  for (const item of items) {
    const child = await convertAssertion(item, context);
    if (child instanceof LeftOut)
      return draft.refuse(written, 'a set with such an assertion can only be left out as a whole');
    if ('weight' in child) return draft.refuse(item, 'a weight within a set has no equivalent here');
    children.push(child);
  }
  const isAny =
    typeof threshold === 'number' && threshold > 0 && threshold * items.length <= 1 && children.every(isPlain);
  if (threshold !== undefined && !isAny && threshold !== 1) {
    return draft.refuse(
      written.child('threshold'),
      'a threshold of a set has no equivalent here, except 1 and one of all',
    );
  }
  if (threshold === 1 && !children.every(isPlain))
    return draft.refuse(written, 'a set of scores has no equivalent here');
  return { [isAny ? 'anyOf' : 'allOf']: children, ...nameAndWeight(metric, weight) };
}

/** True for a check whose score is 0 or 1. */
function isPlain(check: Check): boolean {
  return ['similar', 'rubric', 'module', 'exec'].every((name) => check[name] === undefined);
}

/** Checks of one text. */
const textChecks: Readonly<Record<string, (value: string) => Check>> = {
  contains: (value) => ({ contains: { value } }),
  icontains: (value) => ({ contains: { value, ignoreCase: true } }),
  'starts-with': (value) => ({ startsWith: { value } }),
  regex: (value) => ({ regex: { value } }),
};

/** Checks of a list of texts. */
const listChecks: Readonly<Record<string, (value: readonly string[]) => Check>> = {
  'contains-any': (value) => ({ containsAny: { value } }),
  'contains-all': (value) => ({ containsAll: { value } }),
  'icontains-any': (value) => ({ containsAny: { value, ignoreCase: true } }),
  'icontains-all': (value) => ({ containsAll: { value, ignoreCase: true } }),
};

async function convertBase(
  base: string,
  inverse: boolean,
  written: Written,
  context: BaseContext,
): Promise<Check | LeftOut | undefined> {
  const { threshold } = context;
  const not = (check: Check): Check => (inverse ? { not: check } : check);
  const buildText = Object.hasOwn(textChecks, base) ? textChecks[base] : undefined;
  if (buildText !== undefined) {
    const text = await readText(written, context);
    return typeof text === 'string' ? not(buildText(text)) : text;
  }
  const buildList = Object.hasOwn(listChecks, base) ? listChecks[base] : undefined;
  if (buildList !== undefined) {
    const texts = await readList(written, context);
    return texts instanceof LeftOut ? texts : not(buildList(texts));
  }
  switch (base) {
    case 'equals':
      return convertEquals(inverse, written, context);
    case 'is-json':
      return convertJson(inverse, written, context);
    case 'javascript':
      return convertJavascript(written, { ...context, inverse });
    case 'python':
      return convertPython(written, { ...context, inverse });
    case 'ruby':
      return convertRuby(written, { ...context, inverse });
    case 'levenshtein': {
      const check = await convertLevenshtein(written, context);
      return check instanceof LeftOut ? check : not(check);
    }
    case 'similar':
      return convertSimilar(inverse, written, context);
    case 'llm-rubric':
    case 'g-eval':
    case 'factuality':
    case 'model-graded-closedqa':
    case 'model-graded-factuality': {
      // promptfoo does not turn the verdicts of the others around.
      if (inverse && base !== 'llm-rubric' && base !== 'g-eval') return undefined;
      const check = await convertGraded(base, written, context);
      return check instanceof LeftOut ? check : not(check);
    }
    case 'word-count':
      return convertWordCount(written, { ...context, inverse });
    case 'contains-json':
      return convertContainsJson(inverse, written, context);
    case 'latency':
      return inverse || typeof threshold !== 'number' ? undefined : { latency: { max: `${threshold}ms` } };
    case 'cost':
      return inverse || typeof threshold !== 'number' ? undefined : { cost: { max: threshold } };
    case 'finish-reason': {
      const check = convertFinishReason(written);
      return check && not(check);
    }
    default:
      return undefined;
  }
}

function convertFinishReason(written: Written): Check | undefined {
  const given = String(written.child('value').value).toLowerCase();
  const reason = Object.hasOwn(finishReasons, given) ? finishReasons[given] : undefined;
  return reason === undefined ? undefined : { finishReason: reason };
}

const finishReasons: Readonly<Record<string, string>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'toolCalls',
  content_filter: 'contentFilter',
};

async function convertLevenshtein(written: Written, context: BaseContext): Promise<Check | LeftOut> {
  const text = await readText(written, context);
  if (typeof text !== 'string') return text;
  const { threshold: max = 5 } = context;
  if (typeof max !== 'number' || max < 0)
    return context.draft.refuse(written, 'the threshold of levenshtein must be a number of edits');
  return { levenshtein: { value: text, max: Math.floor(max) } };
}

async function convertSimilar(
  inverse: boolean,
  written: Written,
  context: BaseContext,
): Promise<Check | LeftOut | undefined> {
  const text = await readText(written, context);
  if (typeof text !== 'string') return text;
  if (inverse || written.child('provider').value !== undefined) return undefined;
  const min = typeof context.threshold === 'number' ? context.threshold : 0.75;
  context.draft.note(written, 'similar asks openai:text-embedding-3-large, the default there');
  return { similar: { value: text, min, provider: 'openai:text-embedding-3-large' } };
}

/** promptfoo counts what white space separates. */
function convertWordCount(written: Written, context: CodeContext): Check | LeftOut {
  const { value } = written.child('value');
  const { min, max } = isMap(value) ? value : { min: value, max: value };
  const [least = 0, most = Infinity] = [min, max].map((one) => (one === undefined ? undefined : Number(one)));
  if (Number.isNaN(least) || Number.isNaN(most) || (min === undefined && max === undefined))
    return context.draft.refuse(written.child('value'), 'the value of word-count must be a number, or min and max');
  const body = `const words = String(output).trim().split(/\\s+/).filter((word) => word !== '').length;
  return words >= ${least} && words <= ${most};`;
  return buildCheck(`(output) => {\n  ${body}\n}`, written, [], context);
}

/** The JSON from the first brace to the last; promptfoo tries each object of the text. */
async function convertContainsJson(
  inverse: boolean,
  written: Written,
  context: CheckContext & { readonly isSelected: boolean },
): Promise<Check | LeftOut | undefined> {
  if (inverse) return undefined;
  const check = await convertJson(false, written, context);
  if (check instanceof LeftOut) return check;
  context.draft.note(written, 'contains-json becomes a check of the text from the first brace to the last');
  return { ...check, select: { regex: String.raw`\{[\s\S]*\}` } };
}

const HINTS: Readonly<Record<string, string>> = {
  'is-valid-openai-tools-call': 'check the calls with toolCalls',
  'tool-call-f1': 'check the calls with toolCalls',
  'is-refusal': 'refusal looks for other words',
  'rouge-n': 'rouge counts words differently',
  bleu: 'bleu counts words differently',
  'is-sql': 'sql uses another parser',
  'is-xml': 'xml uses another parser',
};

function hintFor(base: string): string | undefined {
  return Object.hasOwn(HINTS, base) ? HINTS[base] : undefined;
}

async function convertEquals(inverse: boolean, written: Written, context: CheckContext): Promise<Check | LeftOut> {
  const file = await readFile(written.child('value'), context);
  if (file instanceof LeftOut) return file;
  const { value } = file ?? written.child('value');
  if (typeof value !== 'object' || value === null) {
    const text = await readText(written, context, true);
    if (typeof text !== 'string') return text;
    return inverse ? { not: { equals: { value: text } } } : { equals: { value: text } };
  }
  const data = escapeData(value);
  const equals = { equals: { value: data }, select: { json: true } };
  // promptfoo passes an answer that is not JSON, since it differs from the value.
  return inverse ? { anyOf: [{ json: false }, { not: equals }] } : equals;
}

async function convertJson(inverse: boolean, written: Written, context: CheckContext): Promise<Check | LeftOut> {
  const { value } = written.child('value');
  if (value === undefined || value === null || value === '' || value === false || value === 0)
    return { json: !inverse };
  const found = typeof value === 'string' ? await readSchema(value, written, context) : value;
  if (!isMap(found)) {
    return found instanceof LeftOut
      ? found
      : context.draft.refuse(written.child('value'), 'the value of is-json must be a JSON Schema');
  }
  // promptfoo reads schemas as draft 7.
  const schema =
    found['$schema'] === undefined ? { $schema: 'http://json-schema.org/draft-07/schema#', ...found } : found;
  return inverse ? { anyOf: [{ json: false }, { not: { jsonSchema: schema } }] } : { jsonSchema: schema };
}

async function readSchema(text: string, written: Written, context: CheckContext): Promise<unknown> {
  if (text.startsWith('file://')) {
    const found = await context.readData(text, written.child('value'));
    return found ?? context.draft.refuse(written.child('value'), `${text} can't be read as a JSON Schema`);
  }
  return context.draft.refuse(written.child('value'), 'a schema in a text has no equivalent here', 'write it as a map');
}
