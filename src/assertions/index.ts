import { finishReason } from './behaviour/finish-reason.ts';
import { pii } from './behaviour/pii.ts';
import { refusal } from './behaviour/refusal.ts';
import { secrets } from './behaviour/secrets.ts';
import { cost, latency, tokens } from './budget.ts';
import { allOf, anyOf, not } from './combinators.ts';
import type { Assertion } from './define.ts';
import { choice } from './judged/choice.ts';
import { factual } from './judged/factual.ts';
import { pairwise } from './judged/pairwise.ts';
import { rubric } from './judged/rubric.ts';
import { exec } from './own-code/exec.ts';
import { moduleAssertion } from './own-code/module.ts';
import { bleu } from './similarity/bleu.ts';
import { levenshtein } from './similarity/levenshtein.ts';
import { rouge } from './similarity/rouge.ts';
import { similar } from './similarity/similar.ts';
import { snapshot } from './similarity/snapshot.ts';
import { html } from './structure/html.ts';
import { json } from './structure/json.ts';
import { jsonPath } from './structure/json-path.ts';
import { contract, jsonSchema } from './structure/json-schema.ts';
import { list } from './structure/list.ts';
import { markdown } from './structure/markdown.ts';
import { number } from './structure/number.ts';
import { sql } from './structure/sql.ts';
import { xml } from './structure/xml.ts';
import { contains, containsAll, containsAny } from './text/contains.ts';
import { equals } from './text/equals.ts';
import { language } from './text/language.ts';
import { length } from './text/length.ts';
import { oneOf } from './text/one-of.ts';
import { regex } from './text/regex.ts';
import { endsWith, startsWith } from './text/starts-and-ends-with.ts';
import { toolCalls } from './tools/tool-calls.ts';
import { trajectory } from './tools/trajectory.ts';
import { command } from './workspace/command.ts';
import { files } from './workspace/files.ts';

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

/** Made by the program itself, such as the contract's check. */
const internalAssertions: Readonly<Record<string, Assertion>> = { contract };

/** An assertion by the name in a check, those of the program itself included. */
export function lookupAssertion(name: string): Assertion | undefined {
  if (Object.hasOwn(assertions, name)) return assertions[name];
  return Object.hasOwn(internalAssertions, name) ? internalAssertions[name] : undefined;
}
