import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { parseWithSchema } from '../../json/parse-with-schema.ts';
import type { CheckSpec, SelectSpec } from '../../model/run/verdict.ts';
import type { AssertionDeclaration } from '../../model/suite/assertion.ts';
import { plainNumbers, SpelledNumber } from '../../text/yaml/exact-numbers.ts';
import { isMapForm } from './compile-plain.ts';

const frameKeys = new Set(['select', 'required', 'weight']);

/**
 * Makes checks again from the form in which records and baselines keep them. Undefined for a check that runs the user's own
 * code or asks a model: neither is kept with it.
 */
export function compileStoredCheck(
  source: JsonObject,
  declarations: Readonly<Record<string, AssertionDeclaration>>,
): CheckSpec | undefined {
  const [name, ...others] = Object.keys(source).filter((key) => !frameKeys.has(key));
  if (name === undefined || others.length > 0 || !Object.hasOwn(declarations, name)) return undefined;
  const declaration = declarations[name];
  if (declaration === undefined || needsMore(declaration)) return undefined;
  const { select, required, weight } = source;
  if (isJsonObject(select) && usesCode(select)) return undefined;
  const frame = {
    ...(isJsonObject(select) ? { select: select as unknown as SelectSpec } : {}),
    weight: typeof weight === 'number' ? weight : 1,
    required: required === true,
  };
  const written = source[name];
  if (declaration.children !== undefined) {
    const children = compileAll(written, declarations);
    return children && { assertion: name, params: {}, ...frame, children, source };
  }
  const value = unmarkSpelling(written ?? null);
  const values = isMapForm(declaration, value) ? value : { [declaration.main ?? 'value']: value };
  const parsed = parseWithSchema(declaration.params, declaration.spelled === true ? values : plainNumbers(values));
  return parsed.success ? { assertion: name, params: parsed.data, ...frame, source } : undefined;
}

function needsMore({ code, asks, plugin, needsPackage }: AssertionDeclaration): boolean {
  return code !== undefined || asks !== undefined || plugin !== undefined || needsPackage !== undefined;
}

/** True for a selection by the user's own function. */
function usesCode(select: JsonObject): boolean {
  const { kind, steps } = select;
  return kind === 'module' || (Array.isArray(steps) && steps.some((step) => isJsonObject(step) && usesCode(step)));
}

function compileAll(
  written: JsonValue | undefined,
  declarations: Readonly<Record<string, AssertionDeclaration>>,
): readonly CheckSpec[] | undefined {
  if (!Array.isArray(written)) return undefined;
  const checks = written.map((child) => (isJsonObject(child) ? compileStoredCheck(child, declarations) : undefined));
  const made = checks.filter((check) => check !== undefined);
  return made.length === checks.length ? made : undefined;
}

/** The values whose spelling `markSpelling` marked. */
function unmarkSpelling(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(unmarkSpelling);
  if (!isJsonObject(value)) return value;
  const { $number: spelled, ...rest } = value;
  if (typeof spelled === 'string' && Object.keys(rest).length === 0) return new SpelledNumber(Number(spelled), spelled);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unmarkSpelling(item ?? null)]));
}

/** A check in a few words: `contains "refund"`, `length {min: 1}`. */
export function describeStoredCheck(source: JsonObject): string {
  const inner = source['check'];
  if (isJsonObject(inner)) return describeStoredCheck(inner);
  const name = Object.keys(source).find((key) => !frameKeys.has(key)) ?? '';
  const { select, required, weight } = source;
  const frame = [
    ...(select === undefined ? [] : [`of ${isJsonObject(select) ? describeSelect(select) : ''}`]),
    ...(required === true ? ['required'] : []),
    ...(weight === undefined ? [] : [`weight ${JSON.stringify(weight)}`]),
  ];
  return [name, describeValue(source[name] ?? null), ...frame].filter((part) => part !== '').join(' ');
}

function describeSelect({ kind, ...rest }: JsonObject): string {
  const words = [kind, ...Object.values(rest)].filter((value) => typeof value === 'string');
  return words.slice(0, 2).join(' ');
}

function describeValue(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item) => describeItem(item)).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  if (typeof value['$number'] === 'string') return value['$number'];
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}: ${describeValue(item ?? null)}`)
    .join(', ')}}`;
}

function describeItem(item: JsonValue): string {
  const isCheck = isJsonObject(item) && item['$number'] === undefined && Object.keys(item).length > 0;
  return isCheck ? describeStoredCheck(item) : describeValue(item);
}
