import type { ErrorObject } from 'ajv';

/** Keywords whose error comes after those of the alternatives or parts that they tried. */
const wrappers: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'contains', 'propertyNames']);
/** Keywords whose error follows from those of other keywords. */
const followers: ReadonlySet<string> = new Set(['if', 'unevaluatedProperties', 'unevaluatedItems']);

/**
 * What Ajv finds with `allErrors`, a group for each mistake: the error that decided stands last, before it those of the
 * alternatives that were tried.
 */
export function groupErrors(errors: readonly ErrorObject[]): readonly (readonly ErrorObject[])[] {
  let groups: (readonly ErrorObject[])[] = [];
  for (const error of errors) {
    const inner = wrappers.has(error.keyword) ? groups.filter((group) => isTriedBy(group.at(-1), error)) : [];
    groups = [...groups.filter((group) => !inner.includes(group)), [...inner.flat(), error]];
  }
  const own = groups.filter((group) => !followers.has(group.at(-1)?.keyword ?? ''));
  return own.length > 0 ? own : groups.slice(0, 1);
}

/** True for an error of one of the alternatives: within them in the schema, or behind a reference in them. */
function isTriedBy(tried: ErrorObject | undefined, wrapper: ErrorObject): boolean {
  if (tried === undefined || !isWithin(tried.instancePath, wrapper.instancePath)) return false;
  const around = wrapper.schemaPath.slice(0, wrapper.schemaPath.lastIndexOf('/'));
  return isWithin(tried.schemaPath, wrapper.schemaPath) || !isWithin(tried.schemaPath, around);
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}
