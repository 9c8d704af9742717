import type { CheckSpec, SelectSpec } from '../../model/run/verdict.ts';
import { attempt } from '../../text/attempt.ts';
import { childOf, type Located } from '../documents/locate.ts';
import { RenderError, type Scope, type ValueTemplate } from './value-template.ts';

/** A compiled assertion, from which the checks of cases are made. */
export interface CompiledAssertion {
  readonly name: string;
  /** True without templates: one check for all cases. */
  readonly isConstant: boolean;
  /** The JSONPaths that it reads in the answer, without templates. */
  readonly paths: readonly PlacedPath[];
  readonly variables: readonly string[];
  /** Templates of its parameters and of its children's. */
  readonly templates: readonly ValueTemplate[];
  /** Throws a `RenderError`; undefined if the schema refuses a rendered parameter, which is reported. */
  instantiate(scope: Scope): CheckSpec | undefined;
}

/** The checks of several assertions. All are rendered before the first failure is thrown, so that each reports its mistakes. */
export function instantiateAll(
  assertions: readonly CompiledAssertion[],
  scope: Scope,
): readonly (CheckSpec | undefined)[] {
  let failure: RenderError | undefined;
  const checks: (CheckSpec | undefined)[] = [];
  for (const assertion of assertions) {
    const check = attempt(() => assertion.instantiate(scope), RenderError);
    if (check instanceof RenderError) failure ??= check;
    else checks.push(check);
  }
  if (failure !== undefined) throw failure;
  return checks;
}

/**
 * An assertion with a mistake outside its parameters. The parameters are still checked for each case, but no check is
 * made.
 */
export function withoutCheck(name: string, compiled: CompiledAssertion | undefined): CompiledAssertion | undefined {
  if (compiled === undefined || compiled.isConstant) return undefined;
  const { templates, variables } = compiled;
  const instantiate = (scope: Scope) => {
    compiled.instantiate(scope);
    return undefined;
  };
  return { name, isConstant: false, variables, templates, paths: [], instantiate };
}

/** An assertion with a mistake in its parameters: its variables are still checked for each case. */
export function variableReader(
  name: string,
  templates: readonly ValueTemplate[],
  variables: readonly string[],
): CompiledAssertion | undefined {
  if (variables.length === 0) return undefined;
  const instantiate = (scope: Scope) => {
    for (const template of templates) template.render(scope);
    return undefined;
  };
  return { name, isConstant: false, variables, templates, paths: [], instantiate };
}

/** A JSONPath that an assertion follows in the answer. */
export interface PlacedPath {
  readonly path: string;
  readonly at: Located;
  /** True for a selection, which must be there even under `not`. */
  readonly selects: boolean;
}

/** A selection with its place. */
export interface PlacedSelect {
  readonly select: SelectSpec;
  readonly at: Located;
}

/** The paths of a plain assertion that must select a node for it to pass. */
export function findPaths(name: string, written: Located, placed: PlacedSelect | undefined): readonly PlacedPath[] {
  const selected = placed?.select.kind === 'jsonPath' ? placed.select.path : undefined;
  const selection =
    placed === undefined || selected === undefined ? [] : [{ path: selected, at: placed.at, selects: true }];
  const isWhole = placed === undefined || placed.select.kind === 'json';
  if (name !== 'jsonPath' || (!isWhole && selected === undefined)) return selection;
  const long = childOf(written, 'path');
  const at = typeof written.value === 'string' ? written : long;
  if (typeof at.value !== 'string' || at.value.includes('{{') || wantsNothing(written)) return selection;
  return [...selection, { path: (selected ?? '$') + at.value.trim().slice(1), at, selects: false }];
}

/** True for `exists: false` and a count of 0, which hold if the schema has no such place. */
function wantsNothing(written: Located): boolean {
  const count = childOf(written, 'count');
  const most = typeof count.value === 'object' && count.value !== null ? childOf(count, 'max').value : count.value;
  return childOf(written, 'exists').value === false || Number(most ?? Number.NaN) === 0;
}
