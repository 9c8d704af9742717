import { allOf } from './all-of.ts';
import { anyOf } from './any-of.ts';
import { bleu } from './bleu.ts';
import { choice } from './choice.ts';
import { contains } from './contains.ts';
import { containsAll } from './contains-all.ts';
import { containsAny } from './contains-any.ts';
import { contract } from './contract.ts';
import { cost } from './cost.ts';
import type { Assertion } from './define.ts';
import { endsWith } from './ends-with.ts';
import { equals } from './equals.ts';
import { exec } from './exec.ts';
import { factual } from './factual.ts';
import { finishReason } from './finish-reason.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { jsonPath } from './json-path.ts';
import { jsonSchema } from './json-schema.ts';
import { language } from './language.ts';
import { latency } from './latency.ts';
import { length } from './length.ts';
import { levenshtein } from './levenshtein.ts';
import { list } from './list.ts';
import { markdown } from './markdown.ts';
import { moduleAssertion } from './module.ts';
import { not } from './not.ts';
import { number } from './number.ts';
import { oneOf } from './one-of.ts';
import { pairwise } from './pairwise.ts';
import { pii } from './pii.ts';
import { refusal } from './refusal.ts';
import { regex } from './regex.ts';
import { rouge } from './rouge.ts';
import { rubric } from './rubric.ts';
import { secrets } from './secrets.ts';
import { similar } from './similar.ts';
import { snapshot } from './snapshot.ts';
import { sql } from './sql.ts';
import { startsWith } from './starts-with.ts';
import { tokens } from './tokens.ts';
import { toolCalls } from './tool-calls.ts';
import { xml } from './xml.ts';

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
  cost,
  latency,
  tokens,
  rubric,
  factual,
  choice,
  pairwise,
  module: moduleAssertion,
  exec,
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
