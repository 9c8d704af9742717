import { writeJson } from '../../json/canonical-json.ts';
import type { Turn } from '../../model/suite.ts';
import type { CheckSpec } from '../../model/verdict.ts';
import { findLongNumbers, plainNumbers } from '../../text/exact-numbers.ts';
import { compileAssertions } from '../assertions/compile-assertions.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { type CompiledAssertion, instantiate } from '../assertions/compiled-assertion.ts';
import {
  compileValue,
  findRenderErrors,
  placeOfError,
  RenderError,
  renderTemplate,
} from '../assertions/value-template.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import type { CaseFaults } from './case-faults.ts';
import { markSpelling } from './case-hash.ts';
import type { CaseGroup, Naming } from './case-row.ts';

/** What the checks of all cases of a suite share. */
export interface CheckBuilder {
  readonly problems: Problems;
  readonly assertionContext: AssertionContext;
  readonly defaults: CaseGroup;
  readonly faults: CaseFaults;
  /** Assertions of rows by their text: rows of a file often have the same. */
  readonly known: Map<string, readonly CompiledAssertion[]>;
  /** What is the same for all cases with the same assertions, by the group's list and the case's own. */
  readonly combined: WeakMap<readonly CompiledAssertion[], WeakMap<readonly CompiledAssertion[], Combined>>;
  /** The variables that assertions and turns read. */
  readonly variables: Set<string>;
}

/** One list for all that have none, so that they share their checks. */
export const NONE: readonly CompiledAssertion[] = [];

interface Combined {
  readonly assertions: readonly CompiledAssertion[];
  /** Set where no assertion has a template: one list of checks for all cases. */
  readonly checks?: readonly CheckSpec[];
}

/** Compiles the assertions of one row, or finds those of an earlier row that were written alike. */
export function compileOwn(located: Located, builder: CheckBuilder): readonly CompiledAssertion[] {
  // Numbers that are spelled differently have the same JSON.
  const isPlain = plainNumbers(located.value) === located.value && findLongNumbers(located.value).length === 0;
  const text = isPlain ? JSON.stringify(located.value) : `spelled ${JSON.stringify(markSpelling(located.value))}`;
  const key = `${located.source.folder}\n${text}`;
  const known = builder.known.get(key);
  if (known !== undefined) return known;
  const compiled = compileAssertions(located, builder.assertionContext);
  if (builder.known.size < maxKnown) builder.known.set(key, compiled);
  return compiled;
}

/** Files whose every row has assertions of its own would else be held in memory by them. */
const maxKnown = 1000;

/** The checks of a case: the defaults', its group's, its own. */
export function buildChecks(
  group: readonly CompiledAssertion[],
  own: readonly CompiledAssertion[],
  naming: Naming,
  builder: CheckBuilder,
): readonly CheckSpec[] {
  const { assertions, checks } = combine(group, own, builder);
  return checks ?? makeChecks(assertions, naming, builder);
}

function makeChecks(
  assertions: readonly CompiledAssertion[],
  naming: Naming,
  builder: CheckBuilder,
): readonly CheckSpec[] {
  const made: CheckSpec[] = [];
  for (const assertion of assertions) {
    const check = makeCheck(assertion, naming, builder);
    if (check !== undefined) made.push(check);
  }
  return made;
}

function combine(
  group: readonly CompiledAssertion[],
  own: readonly CompiledAssertion[],
  builder: CheckBuilder,
): Combined {
  const byOwn = builder.combined.get(group) ?? new WeakMap<readonly CompiledAssertion[], Combined>();
  builder.combined.set(group, byOwn);
  const known = byOwn.get(own);
  if (known !== undefined) return known;
  const assertions = [...builder.defaults.assertions, ...group, ...own];
  for (const { variables } of assertions) addRoots(variables, builder.variables);
  const checks = assertions.flatMap((assertion) => (assertion.kind === 'constant' ? [assertion.check] : []));
  const combined = { assertions, ...(checks.length === assertions.length ? { checks } : {}) };
  byOwn.set(own, combined);
  return combined;
}

function makeCheck(
  assertion: CompiledAssertion,
  { id, row, scope }: Naming,
  { faults }: CheckBuilder,
): CheckSpec | undefined {
  if (assertion.kind === 'constant') return assertion.check;
  faults.tried(assertion);
  try {
    return instantiate(assertion, scope);
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const reader = `the assertion "${assertion.name}"`;
    for (const one of findRenderErrors(assertion.templates, scope)) {
      const at = placeOfError(one.located, one.error);
      faults.add({ reader, key: assertion, at, error: one.error, caseId: id, row, scope });
    }
    return undefined;
  }
}

/** Renders the turns of a conversation, with the checks on its answers. */
export function buildTurns(located: Located, naming: Naming, builder: CheckBuilder): readonly Turn[] {
  const turns: Turn[] = [];
  for (const item of itemsOf(located)) {
    const result = childOf(item, 'toolResult');
    if (result.value === undefined) {
      const content = renderTurn(childOf(item, 'user'), naming, builder);
      const written = childOf(item, 'assert');
      const assertions = compileOwn(written, builder);
      refuseStored(itemsOf(written), builder);
      for (const { variables } of assertions) addRoots(variables, builder.variables);
      turns.push({
        kind: 'user',
        content,
        checks: makeChecks(assertions, naming, builder),
      });
    } else {
      const content = renderTurn(childOf(result, 'content'), naming, builder);
      turns.push({ kind: 'toolResult', name: String(childOf(result, 'name').value), content });
    }
  }
  return turns;
}

/** Baselines and records keep the last answer of a conversation alone, so no earlier one has an answer to be compared with. */
function refuseStored(written: readonly Located[], builder: CheckBuilder): void {
  const { declarations } = builder.assertionContext;
  for (const item of written) {
    for (const name of Object.keys(item.value ?? {})) {
      const declaration = Object.hasOwn(declarations, name) ? declarations[name] : undefined;
      const below = childOf(item, name);
      if (declaration?.children !== undefined) {
        refuseStored(declaration.children === 'one' ? [below] : itemsOf(below), builder);
      } else if (declaration?.comparesAccepted === true || declaration?.comparesOther === true) {
        builder.problems.report({
          code: 'invalid-value',
          message: `${name} can't check the answer to a turn: only the last answer of a conversation is stored`,
          at: locate(below),
          hint: 'write it under assert of the case, which checks the last answer',
        });
      }
    }
  }
}

/** A text is a template over the vars; anything else is sent as JSON. */
function renderTurn(
  located: Located,
  { id, row, scope }: Naming,
  { problems, faults, variables }: CheckBuilder,
): string {
  const template = compileValue(located, problems.report);
  if (template.kind === 'template') addRoots(template.variables, variables);
  faults.tried(located);
  try {
    const value = renderTemplate(template, scope);
    return typeof value === 'string' ? value : (writeJson(plainNumbers(value)) ?? '');
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    for (const one of findRenderErrors([template], scope)) {
      const at = placeOfError(one.located, one.error);
      faults.add({ reader: 'a turn', key: located, at, error: one.error, caseId: id, row, scope });
    }
    return '';
  }
}

/** `docs[0].title` reads the variable `docs`. */
export function addRoots(paths: readonly string[], into: Set<string>): void {
  for (const path of paths) into.add(/^[^.[]*/.exec(path)?.[0] ?? path);
}
