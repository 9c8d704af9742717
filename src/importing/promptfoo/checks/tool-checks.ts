import { canonicalJson } from '../../../json/canonical-json.ts';
import { isMap, LeftOut, type Written } from '../../draft.ts';
import { buildCheck } from '../code/javascript.ts';
import { type Check, draft7, readList, type TypeContext } from './check-context.ts';

type Params = Readonly<Record<string, unknown>>;

/** Requires that each call names a tool of the provider and matches its parameters. */
export function convertToolsCall(written: Written, context: TypeContext): Check | LeftOut {
  const tools = (params: Params) =>
    [params['tools'] ?? []].flat().flatMap((tool: unknown) => {
      const { type, function: named } = Object(tool) as Params;
      return type === 'function' ? [named] : [];
    });
  return convertCalls(written, context, 'tools', tools);
}

/** Requires a single function call, which promptfoo looks up in the provider's `functions`. */
export function convertFunctionCall(written: Written, context: TypeContext): Check | LeftOut {
  const check = convertCalls(written, context, 'functions', (params) => [params['functions'] ?? []].flat());
  if (check instanceof LeftOut) return check;
  return { ...check, jsonSchema: { ...(check['jsonSchema'] as object), maxItems: 1 } };
}

function convertCalls(
  written: Written,
  { draft, asked }: TypeContext,
  key: string,
  read: (params: Params) => readonly unknown[],
): Check | LeftOut {
  const { type } = written.value as { readonly type: string };
  const [list = [], ...others] = asked.map((params) => read(Object(params) as Params));
  if (others.some((other) => canonicalJson(other) !== canonicalJson(list)))
    return draft.refuse(written, `${type} needs providers that send the same ${key}`);
  const calls = list.flatMap((one) => {
    const { name, parameters } = Object(one) as Params;
    return isMap(parameters) ? [{ name, parameters }] : [];
  });
  // A reference points into its own schema.
  if (JSON.stringify(calls).includes('"$ref"'))
    return draft.refuse(written, `${type} needs ${key} whose parameters have no references`);
  if (calls.length === 0)
    draft.note(written, `no provider sends ${key} with parameters, and so promptfoo fails every answer`);
  const items = calls.map(({ name, parameters }) => ({
    properties: { name: { const: name }, arguments: parameters },
    required: ['name', 'arguments'],
  }));
  const schema = { type: 'array', minItems: 1, items: items.length === 0 ? false : { anyOf: items } };
  return { jsonSchema: { $schema: draft7, ...schema }, select: 'toolCalls' };
}

/** Checks the skills that the agent reports as used. */
export function convertSkillUsed(written: Written, context: TypeContext): Check | LeftOut {
  const { draft, inverse } = context;
  const part = written.child('value');
  const { value } = part;
  const { name, pattern, min, max } = isMap(value) ? value : {};
  const names = (isMap(value) ? [name] : [value].flat()).map((one) => (typeof one === 'string' ? one.trim() : ''));
  if (names.length === 0 || names.includes('') || pattern !== undefined || (inverse && (min ?? max) !== undefined))
    return draft.refuse(part, 'skill-used needs the names of skills');
  if (context.code.answers !== 'state')
    return draft.refuse(written, 'skill-used needs providers that are agents or code of the project');
  const least = min ?? (max === undefined ? 1 : 0);
  const count = `(name) => used.filter((one) => one.name === name).length`;
  const test = inverse
    ? `${JSON.stringify(names)}.every((name) => count(name) === 0)`
    : `${JSON.stringify(names)}.every((name) => count(name) >= ${Number(least)} && count(name) <= ${Number(max ?? Infinity)})`;
  const body = `const used = (context.metadata?.skillCalls ?? []).filter((one) => one.is_error !== true);
  const count = ${count};
  return ${test};`;
  return buildCheck(`(output, context) => {\n  ${body}\n}`, written, [], { ...context, inverse: false });
}

/** Checks the F1 score of the called tools' names: the harmonic mean of precision and recall. */
export async function convertToolCallF1(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { draft, threshold = 1 } = context;
  const names = await readList(written, context);
  if (!Array.isArray(names)) return names as LeftOut;
  const isOdd = names.some((name) => /\{[{%]/.test(name)) || typeof threshold !== 'number' || threshold <= 0;
  if (isOdd || context.code.answers === 'state')
    return draft.refuse(written, 'tool-call-f1 needs models, names that are written out, and a threshold above 0');
  draft.note(written, 'tool-call-f1 counts the calls that the API gives: promptfoo also reads JSON in the text');
  const check = buildCheck(
    `(output) => {
  const expected = ${JSON.stringify([...new Set(names)])};
  const called = [...new Set(output.map((call) => call.name))];
  const hits = expected.filter((name) => called.includes(name)).length;
  const precision = called.length > 0 ? hits / called.length : 0;
  const recall = hits / expected.length;
  const f1 = hits > 0 ? (2 * precision * recall) / (precision + recall) : 0;
  return { pass: f1 >= ${threshold}, score: f1, reason: \`F1 \${f1} of \${called.join(', ')}\` };
}`,
    written,
    [],
    { ...context, threshold: undefined, isSelected: true },
  );
  if (check instanceof LeftOut) return check;
  const framed = { ...check, select: 'toolCalls' };
  // An answer without calls has nothing to select.
  return context.inverse ? { anyOf: [{ toolCalls: { none: true } }, framed] } : framed;
}
