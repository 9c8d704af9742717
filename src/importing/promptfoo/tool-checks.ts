import { canonicalJson } from '../../json/canonical-json.ts';
import { isMap, type LeftOut, type Written } from '../draft.ts';
import type { Check, TypeContext } from './check-context.ts';
import { buildCheck } from './javascript.ts';
import { DRAFT_7 } from './json-checks.ts';

/** Each call names a tool that its provider sends, and fits the tool's parameters. */
export function convertToolsCall(written: Written, { draft, asked }: TypeContext): Check | LeftOut {
  const lists = asked.map((params) => (Object(params) as { readonly tools?: unknown }).tools);
  const [tools] = lists;
  if (!Array.isArray(tools) || lists.some((list) => canonicalJson(list) !== canonicalJson(tools)))
    return draft.refuse(written, 'is-valid-openai-tools-call needs providers that send the same tools');
  const calls = (tools as readonly unknown[]).flatMap((tool) => {
    const { type, function: named } = Object(tool) as { readonly type?: unknown; readonly function?: unknown };
    const { name, parameters } = Object(named) as { readonly name?: unknown; readonly parameters?: unknown };
    return type === 'function' && isMap(parameters) ? [{ name, parameters }] : [];
  });
  // A reference is to the root of its own schema.
  if (calls.length === 0 || JSON.stringify(calls).includes('"$ref"'))
    return draft.refuse(written, 'is-valid-openai-tools-call needs tools with parameters, and without references');
  const items = calls.map(({ name, parameters }) => ({
    properties: { name: { const: name }, arguments: parameters },
    required: ['name', 'arguments'],
  }));
  const schema = { $schema: DRAFT_7, type: 'array', minItems: 1, items: { anyOf: items } };
  return { jsonSchema: schema, select: 'toolCalls' };
}

/** What the agent reports of the skills that it used. */
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
