import type { CheckSpec } from '../model/run/verdict.ts';
import { pii, secrets } from './behaviour/leaks.ts';
import { finishReason, refusal } from './behaviour/refusal.ts';
import { cost, latency, tokens } from './budget.ts';
import { allOf, anyOf, not } from './combinators.ts';
import type { Assertion } from './define.ts';
import { choice } from './judged/choice.ts';
import { pairwise } from './judged/pairwise.ts';
import { factual, rubric } from './judged/rubric.ts';
import { exec, moduleAssertion } from './own-code.ts';
import { bleu, levenshtein, rouge } from './similarity/metrics.ts';
import { similar } from './similarity/similar.ts';
import { snapshot } from './similarity/snapshot.ts';
import { html } from './structure/html.ts';
import { contract, json, jsonPath, jsonSchema } from './structure/json.ts';
import { list } from './structure/list.ts';
import { markdown } from './structure/markdown.ts';
import { number } from './structure/number.ts';
import { sql } from './structure/sql.ts';
import { xml } from './structure/xml.ts';
import { contains, containsAll, containsAny, endsWith, regex, startsWith } from './text/contains.ts';
import { equals, oneOf } from './text/equals.ts';
import { language } from './text/language.ts';
import { length } from './text/length.ts';
import { toolCalls } from './tools/tool-calls.ts';
import { trajectory } from './tools/trajectory.ts';
import { command, files } from './workspace.ts';

/** Every assertion that a suite can name. */
export const assertions: Readonly<Record<string, Assertion>> = {
  equals,
  contains,
  containsAll,
  containsAny,
  startsWith,
  endsWith,
  regex,
  length,
  oneOf,
  language,
  json,
  jsonSchema,
  jsonPath,
  number,
  list,
  xml,
  html,
  sql,
  markdown,
  levenshtein,
  rouge,
  bleu,
  similar,
  refusal,
  pii,
  secrets,
  finishReason,
  toolCalls,
  trajectory,
  files,
  cost,
  latency,
  tokens,
  rubric,
  factual,
  choice,
  pairwise,
  module: moduleAssertion,
  exec,
  command,
  snapshot,
  not,
  anyOf,
  allOf,
};

/** Assertions that only llmcheck adds to a case. A suite can't name them. */
const internalAssertions: Readonly<Record<string, Assertion>> = { contract };

/** Finds an assertion by its name in a check, including internal ones. */
export function lookupAssertion(name: string): Assertion | undefined {
  if (Object.hasOwn(assertions, name)) return assertions[name];
  return Object.hasOwn(internalAssertions, name) ? internalAssertions[name] : undefined;
}

/** True for a check that compares with the accepted answer, itself or in a child. */
export function comparesAccepted({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return (
    (declared !== undefined && 'comparesAccepted' in declared && declared.comparesAccepted) ||
    children.some(comparesAccepted)
  );
}

/** True for a check that compares with the answer of the other side, itself or in a child. */
export function comparesOther({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return (
    (declared !== undefined && 'comparesOther' in declared && declared.comparesOther) || children.some(comparesOther)
  );
}
