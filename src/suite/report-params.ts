import * as z from 'zod';
import type { AssertionDeclaration } from '../model/assertion.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { reportIssues } from './describe-issues.ts';
import type { Located, Path } from './locate.ts';
import type { Problems } from './problems.ts';
import type { ValueTemplate } from './template-values.ts';

/** Where the parameters of an assertion are written. */
export interface ParamPlaces {
  readonly written: Located;
  /** False for the short form, `contains: refund`. */
  readonly isMap: boolean;
  readonly places: ReadonlyMap<string, Located>;
  readonly problems: Problems;
}

/** Says what the schema of an assertion's parameters refuses, where each of them stands. */
export function reportParams(
  name: string,
  declaration: AssertionDeclaration,
  found: readonly z.core.$ZodIssue[],
  { written, isMap, places, problems }: ParamPlaces,
): void {
  const relocate = (path: Path): Located => {
    const [key, ...rest] = path;
    const place = typeof key === 'string' ? places.get(key) : undefined;
    if (place !== undefined) return { ...place, path: [...place.path, ...rest] };
    return { ...written, path: [...written.path, ...path] };
  };
  // In the short form the main parameter has no name that the user wrote.
  const issues = isMap ? found : found.map((issue) => nameShortForm(issue, declaration.main));
  reportIssues(issues, declaration.params, written, {
    label: name,
    problems,
    relocate: isMap ? relocate : (path) => relocate([declaration.main ?? 'value', ...path]),
  });
}

/** Says what is wrong with the parameters that are no templates, where the others can't be rendered. */
export function reportConstants(
  name: string,
  declaration: AssertionDeclaration,
  parts: readonly (readonly [key: string, ValueTemplate])[],
  places: ParamPlaces,
): void {
  const { params, spelled } = declaration;
  if (!(params instanceof z.ZodObject)) return;
  const issues = parts.flatMap(([key, template]): readonly z.core.$ZodIssue[] => {
    const field: unknown = Object.hasOwn(params.shape, key) ? params.shape[key] : undefined;
    if (!(field instanceof z.ZodType)) return [{ code: 'unrecognized_keys', keys: [key], path: [], message: '' }];
    if (template.kind !== 'constant') return [];
    const value = spelled === true ? template.value : plainNumbers(template.value);
    const { error } = field.safeParse(value, { reportInput: true });
    return (error?.issues ?? []).map((issue) => Object.assign({}, issue, { path: [key, ...issue.path] }));
  });
  reportParams(name, declaration, issues, places);
}

function nameShortForm<T extends { readonly path: PropertyKey[] }>(issue: T, main: string | undefined): T {
  return issue.path[0] === main ? { ...issue, path: issue.path.slice(1) } : issue;
}
