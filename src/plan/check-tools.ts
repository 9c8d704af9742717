import type { Problem } from '../model/problem.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import type { Suite } from '../model/suite/suite.ts';
import { findDeclaredTools } from '../suite/cases/suite-tools.ts';
import { quote } from '../text/shorten.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';

/** Warns of checks of tools that the model does not have: `never` of a mistyped name passes whatever is called. */
export function findUnknownTools(suites: readonly Suite[]): readonly Problem[] {
  return suites.flatMap((suite) => {
    const declared = findDeclaredTools(suite.prompts, suite.providers);
    return declared === undefined ? [] : [...describeChecks(suite, declared).values()];
  });
}

/** The most cases to check. More cases would rarely show another mistake. */
const maxLooked = 1000;

/** A warning for each name, at the first case that has it. */
function describeChecks(suite: Suite, declared: ReadonlySet<string>): ReadonlyMap<string, Problem> {
  const found = new Map<string, Problem>();
  let looked = 0;
  for (const { id, checks, turns, at } of suite.cases()) {
    for (const name of [...checks, ...turns.flatMap((turn) => turn.checks)].flatMap(toolsOfCheck)) {
      if (declared.has(name) || found.has(name)) continue;
      const message = `case ${quote(id)} checks calls of ${quote(name)}, and no prompt or provider declares that tool`;
      const hint = didYouMean(name, declared) ?? 'declare it under params: tools, or leave it out';
      found.set(name, { code: 'unknown-tool', severity: 'warning', message, hint, at });
    }
    looked += 1;
    if (looked >= maxLooked) break;
  }
  return found;
}

/** The tools that a check names. */
function toolsOfCheck({ assertion, params, children = [] }: CheckSpec): readonly string[] {
  const named = children.flatMap(toolsOfCheck);
  if (assertion !== 'trajectory' && assertion !== 'toolCalls') return named;
  const { calls, never, after, counts, noRepeats, value, names } = params as Readonly<Record<string, unknown>>;
  const lists = [calls, never, noRepeats, value, names, ...Object.values(Object(after))];
  return [...named, ...lists.flatMap(namesOf), ...Object.keys(Object(after)), ...Object.keys(Object(counts))];
}

function namesOf(calls: unknown): readonly string[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown) => (typeof call === 'string' ? [call] : [String(Object(call).name)]));
}
