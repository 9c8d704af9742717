import { writeJson } from '../../json/canonical-json.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { AgentSettings } from '../../model/suite/agent.ts';
import { maxClassLength, nameClass, noClass } from '../../model/suite/classes.ts';
import type { Turn } from '../../model/suite/suite.ts';
import { rootOf } from '../../templates/template-values.ts';
import { attempt } from '../../text/attempt.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { compileAssertions } from '../assertions/compile-assertions.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import type { CompiledAssertion } from '../assertions/compiled-assertion.ts';
import {
  compileValue,
  findRenderErrors,
  placeOfError,
  RenderError,
  type Scope,
  type ValueTemplate,
} from '../assertions/value-template.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { markSpelling } from './case-hash.ts';
import type { CaseFaults } from './check-case.ts';
import { type CompiledTools, compileTools, joinTools, renderTools, templatesOf } from './tool-stubs.ts';

/** The data that the checks of all cases share. */
export interface CheckBuilder {
  readonly assertionContext: AssertionContext;
  readonly faults: CaseFaults;
  /** Compiled assertions of rows by their text: rows of a file often have the same. */
  readonly compiled: Map<string, readonly CompiledAssertion[]>;
  /** The names of the variables that assertions and turns read. */
  readonly variables: Set<string>;
}

/** A case while its checks are built. */
export interface CaseInput {
  readonly id: string;
  readonly row: Located;
  /** The variables that its templates can read. */
  readonly scope: Scope;
}

/** Compiles the assertions of one row, or reuses the result of an earlier row with the same ones. */
export function compileRow(written: Located, builder: CheckBuilder): readonly CompiledAssertion[] {
  if (written.value === undefined) return [];
  const key = `${written.source.folder}\n${JSON.stringify(markSpelling(written.value))}`;
  const known = builder.compiled.get(key);
  if (known !== undefined) return known;
  const compiled = compileAssertions(written, builder.assertionContext);
  noteVariables(compiled, builder);
  if (builder.compiled.size < maxCompiled) builder.compiled.set(key, compiled);
  return compiled;
}

/** The most rows to remember. Otherwise, a file whose rows all have different assertions would stay in memory. */
const maxCompiled = 1000;

export function noteVariables(compiled: readonly CompiledAssertion[], { variables }: CheckBuilder): void {
  for (const assertion of compiled) addRoots(assertion.variables, variables);
}

/** The checks of a case. A check that can't be rendered is left out and counted as a fault. */
export function buildChecks(
  assertions: readonly CompiledAssertion[],
  input: CaseInput,
  { faults }: CheckBuilder,
): readonly CheckSpec[] {
  return assertions.flatMap((assertion) => {
    const reader = { reader: `the assertion "${assertion.name}"`, key: assertion, templates: assertion.templates };
    return renderFor(reader, input, faults, () => assertion.instantiate(input.scope)) ?? [];
  });
}

interface Reader {
  /** For messages. */
  readonly reader: string;
  /** The key by which the cases that it was tried on are counted. */
  readonly key: object;
  readonly templates: readonly ValueTemplate[];
}

/** Renders templates for a case; undefined if they can't be rendered, which is counted as a fault. */
function renderFor<T>(
  { reader, key, templates }: Reader,
  { id, row, scope }: CaseInput,
  faults: CaseFaults,
  render: () => T,
): T | undefined {
  faults.tried(key);
  const rendered = attempt(render, RenderError);
  if (!(rendered instanceof RenderError)) return rendered;
  for (const one of findRenderErrors(templates, scope)) {
    faults.add({ reader, key, at: placeOfError(one.located, one.error), error: one.error, caseId: id, row, scope });
  }
  return undefined;
}

/** Gives the class of a case. */
export interface TruthSource {
  readonly template: ValueTemplate;
  /** All class names; undefined if the suite does not list them. */
  readonly names: ReadonlySet<string> | undefined;
}

/** The class of a case. Returns undefined and reports a problem if the template yields no known class. */
export function buildTruth(source: TruthSource, input: CaseInput, builder: TruthBuilder): string | undefined {
  const { faults, problems } = builder;
  const { template, names } = source;
  const { id, row, scope } = input;
  const reader = { reader: 'classes.truth', key: template, templates: [template] };
  const found = renderFor(reader, input, faults, () => ({ value: template.render(scope) }));
  if (found === undefined) return undefined;
  const name = nameClass(found.value);
  const fault = findClassFault(name, found.value);
  if (fault !== undefined) {
    const hint = 'classes.truth must give the class of every case: a short text, a number or a boolean';
    const at = placeOfTruth(source, row);
    problems.report({ code: 'invalid-value', message: `case "${id}" ${fault}`, hint, at });
    return undefined;
  }
  if (name === undefined || names?.has(name) !== false) return name;
  const message = `case "${id}" is of the class "${name}", which is not among classes.names`;
  const hint = didYouMean(name, names) ?? listClasses(names);
  problems.report({ code: 'unknown-id', message, hint, at: placeOfTruth(source, row) });
  return undefined;
}

type TruthBuilder = Pick<CheckBuilder, 'faults'> & { readonly problems: Problems };

/** The place of a case's class: the variable that the template reads. */
export function placeOfTruth({ template }: TruthSource, row: Located): SourceLocation {
  const [first = 'expected'] = template.variables;
  const [root = first] = first.split(/[.[]/);
  return locate(root === 'expected' ? childOf(row, root) : childOf(childOf(row, 'vars'), root));
}

/** `there are: billing, legal`. */
export function listClasses(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'no case has a class: cases under observe have none';
  const more = names.size > maxNames ? `, and ${names.size - maxNames} more` : '';
  return `there are: ${[...names].sort().slice(0, maxNames).join(', ')}${more}`;
}

const maxNames = 10;

function findClassFault(name: string | undefined, value: unknown): string | undefined {
  if (name === undefined) return `has no class: classes.truth gives ${describeValue(value)}`;
  if (name === noClass) return `is of the class "${noClass}", which is the name for answers that give no class`;
  if (name.length <= maxClassLength) return undefined;
  return `is of a class with a name of ${name.length} characters: more than ${maxClassLength} are not allowed`;
}

/** Renders the turns of a conversation, with the checks on its answers. */
export function buildTurns(written: Located, input: CaseInput, builder: CheckBuilder): readonly Turn[] {
  return itemsOf(written).map((item) => {
    const result = childOf(item, 'toolResult');
    const assertions = compileRow(childOf(item, 'assert'), builder);
    refuseComparisons(itemsOf(childOf(item, 'assert')), builder.assertionContext);
    const checks = buildChecks(assertions, input, builder);
    if (result.value !== undefined) {
      const content = renderTurn(childOf(result, 'content'), input, builder);
      return { kind: 'toolResult', name: String(childOf(result, 'name').value), content, checks };
    }
    if (childOf(item, 'user').value === undefined) return { kind: 'first', checks };
    return { kind: 'user', content: renderTurn(childOf(item, 'user'), input, builder), checks };
  });
}

/** Refuses comparisons in earlier turns. Baselines and records keep only the last answer of a conversation. */
function refuseComparisons(written: readonly Located[], context: AssertionContext): void {
  const { declarations, problems } = context;
  for (const item of written) {
    for (const name of Object.keys(item.value ?? {})) {
      const declaration = Object.hasOwn(declarations, name) ? declarations[name] : undefined;
      const below = childOf(item, name);
      if (declaration?.children !== undefined) {
        refuseComparisons(declaration.children === 'one' ? [below] : itemsOf(below), context);
      } else if (declaration?.comparesAccepted === true || declaration?.comparesOther === true) {
        problems.refuse(
          below,
          `${name} can't check the answer to a turn: only the last answer of a conversation is stored`,
          'write it under assert of the case, which checks the last answer',
        );
      }
    }
  }
}

/** A text is a template over the vars; anything else is sent as JSON. */
function renderTurn(written: Located, input: CaseInput, builder: CheckBuilder): string {
  const { faults, variables, assertionContext } = builder;
  const template = compileValue(written, assertionContext.problems.report);
  addRoots(template.variables, variables);
  const reader = { reader: 'a turn', key: written, templates: [template] };
  const value = renderFor(reader, input, faults, () => template.render(input.scope));
  return typeof value === 'string' ? value : (writeJson(plainNumbers(value)) ?? '');
}

/** The stubs of one row; undefined if it has none. */
export function compileCaseTools(written: Located, builder: CheckBuilder): CompiledTools | undefined {
  if (written.value === undefined) return undefined;
  const tools = compileTools(written, builder.assertionContext);
  noteTools(tools, builder);
  return tools;
}

export function noteTools(tools: CompiledTools, { variables }: CheckBuilder): void {
  for (const template of templatesOf(tools)) addRoots(template.variables, variables);
}

/** Builds the stubs for the tool calls of a case: its own first, then its file's, then the suite's. */
export function buildAgent(
  list: readonly (CompiledTools | undefined)[],
  { maxSteps }: { readonly maxSteps?: number | undefined },
  input: CaseInput,
  { faults }: CheckBuilder,
): AgentSettings | undefined {
  if (list.every((tools) => tools === undefined)) return undefined;
  const tools = joinTools(list);
  const turns = itemsOf(childOf(input.row, 'turns')).length;
  const reader = { reader: 'a stub of a tool', key: list, templates: templatesOf(tools) };
  return renderFor(reader, input, faults, () => renderTools(tools, { maxSteps, turns }, input.scope));
}

/** Adds the variables of some paths: `docs[0].title` reads the variable `docs`. */
export function addRoots(paths: readonly string[], into: Set<string>): void {
  for (const path of paths) into.add(rootOf(path));
}
