import { defined } from '../../json/defined.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import { type Frame, findName, framedSource, noFrame, parseFrame } from './assertion-frame.ts';
import { type AssertionContext, compilePlain } from './compile-plain.ts';
import {
  type CompiledAssertion,
  findPaths,
  instantiateAll,
  type PlacedSelect,
  withoutCheck,
} from './compiled-assertion.ts';
import type { Scope } from './value-template.ts';

/** Parses a list of assertions. An assertion with a mistake is reported and left out. */
export function compileAssertions(located: Located, context: AssertionContext): readonly CompiledAssertion[] {
  const compiled: CompiledAssertion[] = [];
  for (const item of itemsOf(located)) {
    const assertion = compileAssertion(item, context);
    if (assertion !== undefined) compiled.push(assertion);
  }
  return compiled;
}

/** Compiles one assertion. Children check their combinator's selection, unless they have their own `select`. */
function compileAssertion(
  located: Located,
  context: AssertionContext,
  inherited?: PlacedSelect,
): CompiledAssertion | undefined {
  const errorsBefore = context.problems.errorCount();
  const name = findName(located, context);
  const own = parseFrame(located, context.problems, context.readCode) ?? noFrame;
  const isFramed = context.problems.errorCount() === errorsBefore;
  const declaration = name === undefined ? undefined : context.declarations[name];
  if (name === undefined || declaration === undefined) return undefined;
  const ownSelect = childOf(located, 'select');
  const jsonPath = childOf(ownSelect, 'jsonPath');
  const placed =
    own.select === undefined
      ? inherited
      : { select: own.select, at: jsonPath.value === undefined ? ownSelect : jsonPath };
  const frame = { ...own, ...defined({ select: placed?.select }) };
  const written = childOf(located, name);
  if (declaration.children !== undefined) {
    const combined = compileCombinator(name, declaration.children, written, { frame, placed }, context);
    return isFramed ? combined : withoutCheck(name, combined);
  }
  const { asks } = declaration;
  const model = asks === undefined ? undefined : context.models.find(name, asks, written);
  const plain = compilePlain({ name, declaration, written, frame, model }, context);
  if (plain === undefined) return undefined;
  const compiled = { ...plain, paths: findPaths(name, written, placed) };
  if (!isFramed || (asks !== undefined && model === undefined)) return withoutCheck(name, compiled);
  if (model !== undefined) context.models.remember(name, { model, written, frame, declaration, compiled });
  return compiled;
}

function compileCombinator(
  name: string,
  children: 'one' | 'many',
  written: Located,
  { frame, placed }: { readonly frame: Frame; readonly placed: PlacedSelect | undefined },
  context: AssertionContext,
): CompiledAssertion | undefined {
  const items = children === 'one' ? [written] : itemsOf(written);
  if (items.length === 0) {
    return context.problems.refuse(
      written,
      `${name} takes a list of assertions, not ${Array.isArray(written.value) ? 'an empty one' : describeValue(written.value)}`,
    );
  }
  const compiled: CompiledAssertion[] = [];
  const within = children === 'one' ? { ...context, isNegated: true as const } : context;
  for (const item of items) {
    refuseWeight(name, item, context);
    const child = compileAssertion(item, within, placed);
    if (child !== undefined) compiled.push(child);
  }
  const templates = compiled.flatMap((child) => child.templates);
  const variables = compiled.flatMap((child) => child.variables);
  const build = (checks: readonly CheckSpec[]): CheckSpec => ({
    assertion: name,
    params: {},
    ...frame,
    children: checks,
    source: { [name]: checks.map(({ source }) => source), ...framedSource(frame) },
  });
  // Under `not`, a path without a match may be intended, but a selection must still match.
  const paths = compiled.flatMap((child) => child.paths).filter(({ selects }) => children === 'many' || selects);
  const instantiate = (scope: Scope): CheckSpec | undefined => {
    const checks = instantiateAll(compiled, scope).filter((check) => check !== undefined);
    return checks.length < items.length ? undefined : build(checks);
  };
  if (compiled.some((child) => !child.isConstant)) {
    return { name, isConstant: false, paths, variables, templates, instantiate };
  }
  const check = instantiate({});
  return check && { name, isConstant: true, paths, variables: [], templates: [], instantiate: () => check };
}

/** Refuses a child's weight. A combinator gives all children the same weight, so that it would be ignored. */
function refuseWeight(name: string, child: Located, { problems }: AssertionContext): void {
  for (const key of ['weight', 'required']) {
    const part = childOf(child, key);
    if (part.value === undefined) continue;
    problems.report({
      code: 'invalid-value',
      message: `${key} has no effect on an assertion inside ${name}`,
      hint: `write it beside ${name}`,
      at: locate(part, 'key'),
    });
  }
}
