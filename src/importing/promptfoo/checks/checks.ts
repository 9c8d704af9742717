import { defined } from '../../../json/defined.ts';
import { isKeptByDouble } from '../../../text/yaml/exact-numbers.ts';
import { type Draft, isMap, LeftOut, type Written } from '../../draft.ts';
import type { Check, CheckContext } from './check-context.ts';
import { convertType } from './check-types.ts';
import { listTransforms, type Steps, selectMade, writeContext } from './transforms.ts';

/** Converts a promptfoo assertion to a check. */
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
    if (key === 'contextTransform' && base.startsWith('context-')) continue;
    if (['rubricPrompt', 'config', 'assert'].includes(key))
      return draft.refuse(written.child(key), `"${key}" of an assertion has no equivalent here`);
    if (key !== 'description')
      draft.note(written.child(key), `"${key}" of an assertion is left out: promptfoo does not read it`);
  }
  const parts = [...context.transforms, ...(transform === undefined ? [] : [written.child('transform')])];
  const ofContext = written.child('contextTransform');
  const hasContext = ofContext.value !== undefined && base.startsWith('context-');
  const ways = hasContext ? [() => writeContext(parts, ofContext, context)] : listTransforms(parts, base, context);
  for (const way of ways) {
    const found = await way();
    if (found instanceof LeftOut) return found;
    const { steps, lowered = false, isMade = false } = found;
    const isSelected = steps.length > 0;
    const check = await convertType(written, { ...context, base, inverse, threshold, isSelected, isMade });
    if (check instanceof LeftOut) return check;
    const framed = isMade ? selectMade(check, steps) : withSelect(lowered ? withoutCase(check) : check, steps);
    if (framed !== undefined) return { ...framed, ...nameAndWeight(metric, weight) };
  }
  return draft.refuse(written, `"${type}" behind a transform has no equivalent here`);
}

function nameAndWeight(metric: unknown, weight: unknown): Check {
  return defined({
    name: typeof metric === 'string' && metric !== '' ? metric : undefined,
    weight: typeof weight === 'number' ? weight : undefined,
  });
}

/** Replaces a lower-case transform by `ignoreCase`, if the check's texts are lower-case. */
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
    // A regex selects from the text after the steps.
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

/** Converts a set of checks with weights. */
async function convertSet(written: Written, context: CheckContext): Promise<Check | LeftOut> {
  const { draft } = context;
  const { threshold, weight, metric, config } = written.value as Readonly<Record<string, unknown>>;
  if (config !== undefined) return draft.refuse(written.child('config'), 'config of a set has no equivalent here');
  const members: SetMember[] = [];
  for (const item of written.child('assert').items()) {
    const { weight: own = 1 } = Object(item.value) as { readonly weight?: unknown };
    if (own === 0) {
      draft.note(item, 'an assertion with weight 0 is left out of its set: it passes every answer there');
      continue;
    }
    const child = await convertAssertion(item, context);
    if (child instanceof LeftOut)
      return draft.refuse(written, 'a set with such an assertion can only be left out as a whole');
    const { weight: _weight, ...check } = child;
    members.push({ check, weight: Number(own) });
  }
  if (context.isScored && members.length > 1)
    return draft.refuse(written, 'a set in a test with a threshold has no equivalent here: its score is another one');
  const set = buildSet(members, threshold);
  if ('fault' in set) return draft.refuse(written.child(set.at), set.fault);
  // A set's weight excludes it from the score, not from the verdict.
  return { ...set.check, ...nameAndWeight(metric, weight), ...defined({ required: weight === 0 ? true : undefined }) };
}

interface SetMember {
  readonly check: Check;
  readonly weight: number;
}

/** Most members for which all groups are tried. */
const maxMembers = 6;

/** Builds a set: all checks, or the groups that reach its threshold. */
function buildSet(
  members: readonly SetMember[],
  threshold: unknown,
): { readonly check: Check } | { readonly fault: string; readonly at: 'assert' | 'threshold' } {
  const checks = members.map(({ check }) => check);
  if (checks.length === 0) return { fault: 'a set without assertions has no equivalent here', at: 'assert' };
  if (threshold === undefined || threshold === null) return { check: { allOf: checks } };
  if (typeof threshold !== 'number' || threshold <= 0 || threshold > 1)
    return { fault: 'the threshold of a set must be a number above 0 and up to 1', at: 'threshold' };
  if (!checks.every(isPlain))
    return { fault: 'a threshold of a set of scores has no equivalent here', at: 'threshold' };
  const groups = checks.length > maxMembers ? undefined : findGroups(members, threshold);
  if (groups === undefined)
    return {
      fault: `a threshold of a set of more than ${maxMembers} assertions has no equivalent here`,
      at: 'threshold',
    };
  const parts = groups.map((group): Check => (group.length === 1 ? (group[0] ?? {}) : { allOf: group }));
  const [only, second] = parts;
  return { check: only !== undefined && second === undefined && groups[0]?.length !== 1 ? only : { anyOf: parts } };
}

/** Finds the minimal groups of checks that reach the threshold. */
function findGroups(members: readonly SetMember[], threshold: number): readonly (readonly Check[])[] {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const isEnough = (bits: number) =>
    members.reduce((sum, { weight }, at) => sum + (bits & (1 << at) ? weight : 0), 0) / total >= threshold;
  const enough = Array.from({ length: 2 ** members.length }, (_, bits) => bits).filter(isEnough);
  const least = enough.filter((bits) => !enough.some((other) => other !== bits && (other & bits) === other));
  return least.map((bits) => members.flatMap(({ check }, at) => (bits & (1 << at) ? [check] : [])));
}

/** True for a check whose score is 0 or 1. */
function isPlain(check: Check): boolean {
  const { not, allOf, anyOf } = check as { not?: Check; allOf?: readonly Check[]; anyOf?: readonly Check[] };
  return (
    ['similar', 'rubric', 'module', 'exec', 'levenshtein'].every((name) => check[name] === undefined) &&
    [not ?? [], allOf ?? [], anyOf ?? []].flat().every(isPlain)
  );
}

/** Assertions that refuse an empty text, since every answer contains it. */
const neverEmpty: ReadonlySet<string> = new Set(['contains', 'containsAll', 'containsAny', 'startsWith', 'regex']);

/** Omits a test's checks whose text is a variable that is empty there. */
export function refuseEmpty(
  checks: readonly (Check | LeftOut)[],
  vars: Readonly<Record<string, unknown>>,
  { test, draft }: { readonly test: Written; readonly draft: Draft },
): readonly (Check | LeftOut)[] {
  return checks.map((check) => {
    if (check instanceof LeftOut) return check;
    const name = findEmptyVariable(check, vars);
    if (name === undefined) return check;
    return draft.refuse(test, `a check looks for the variable "${name}", which is empty in this test`);
  });
}

function findEmptyVariable(check: Check, vars: Readonly<Record<string, unknown>>): string | undefined {
  const [name = '', value] = Object.entries(check)[0] ?? [];
  if (name === 'not' && isMap(value)) return findEmptyVariable(value, vars);
  if (!neverEmpty.has(name)) return undefined;
  const sought = isMap(value) ? value['value'] : value;
  return [sought].flat().flatMap((text) => {
    const [, variable = ''] = /^\{\{ *(\w+) *\}\}$/.exec(String(text)) ?? [];
    return variable !== '' && vars[variable] === '' ? [variable] : [];
  })[0];
}
