import { isJsonObject, type JsonValue } from '../json/json.ts';
import type { Problem } from '../model/problem.ts';
import { type Case, providersOf, type Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { quote } from '../text/shorten.ts';
import { buildParams } from './render-cells.ts';

/** A program or a function may know its tools by itself. */
const ownAdapters: ReadonlySet<string> = new Set(['exec', 'module', 'http']);

/** Warns of checks and stubs of tools that the model does not have: `never` of a mistyped name passes whatever is called. */
export function findUnknownTools(suites: readonly Suite[]): readonly Problem[] {
  return suites.flatMap((suite) => {
    const given = listGivenTools(suite);
    if (given === undefined) return [];
    const found = new Map<string, Problem>();
    let looked = 0;
    for (const testCase of suite.cases()) {
      for (const [key, problem] of describeCase(testCase, given)) if (!found.has(key)) found.set(key, problem);
      looked += 1;
      if (looked >= maxLooked) break;
    }
    return [...found.values()];
  });
}

/** The first cases show a mistake as well as a million would. */
const maxLooked = 1000;

/** The names of all tools that some variant gives to its model; undefined where they can't be known. */
function listGivenTools(suite: Suite): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const prompt of suite.prompts) {
    for (const provider of providersOf(suite, prompt)) {
      const { tools } = buildParams(suite, prompt, provider);
      if (tools === undefined && (provider.plugin !== undefined || ownAdapters.has(provider.adapter))) return undefined;
      for (const tool of Array.isArray(tools) ? tools : []) {
        const name = nameOfTool(tool);
        if (name === undefined) return undefined;
        names.add(name);
      }
    }
  }
  return names;
}

/** The name in a definition, in the neutral form or in that of an API. */
export function nameOfTool(tool: JsonValue): string | undefined {
  if (!isJsonObject(tool)) return undefined;
  const own = isJsonObject(tool['function']) ? tool['function'] : tool;
  return typeof own['name'] === 'string' ? own['name'] : undefined;
}

function* describeCase(testCase: Case, given: ReadonlySet<string>): Iterable<readonly [key: string, Problem]> {
  const { id, agent, turns, at } = testCase;
  const checks = [...testCase.checks, ...turns.flatMap((turn) => turn.checks)];
  const warn = (key: string, message: string, hint: string) =>
    [key, { code: 'unknown-tool', severity: 'warning', message: `case ${quote(id)} ${message}`, hint, at }] as const;
  if (given.size === 0) {
    if (agent === undefined) return;
    const hint = 'add their definitions to params: { tools: […] } of the provider or the prompt';
    yield warn('', 'has tools, and the model is given none', hint);
    return;
  }
  for (const name of new Set(checks.flatMap(toolsOfCheck))) {
    if (given.has(name)) continue;
    const hint = didYouMean(name, [...given]) ?? 'add it to params: { tools: […] }, or leave it out';
    yield warn(name, `checks calls of ${quote(name)}, and the model has no such tool`, hint);
  }
  // A stub may be of a file that several suites share.
  for (const { name } of agent?.stubs ?? []) {
    const hint = given.has(name) ? undefined : didYouMean(name, [...given]);
    if (hint !== undefined) yield warn(name, `answers calls of ${quote(name)}, and the model has no such tool`, hint);
  }
}

/** The tools that a check names. */
function toolsOfCheck({ assertion, params, children = [] }: CheckSpec): readonly string[] {
  const named = children.flatMap(toolsOfCheck);
  if (assertion !== 'trajectory' && assertion !== 'toolCalls') return named;
  const { calls, never, after, counts, value, names } = params as Readonly<Record<string, unknown>>;
  const lists = [calls, never, value, names, ...Object.values(Object(after))];
  return [...named, ...lists.flatMap(namesIn), ...Object.keys(Object(after)), ...Object.keys(Object(counts))];
}

function namesIn(calls: unknown): readonly string[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown) => (typeof call === 'string' ? [call] : [String(Object(call).name)]));
}
