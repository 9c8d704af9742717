import { observeContract, type RecordedOutput } from '../contract/observe-contract.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import { DeadlineError, runWithDeadline } from '../lib/deadline.ts';
import { compileJsonSchema, JsonSchemaError } from '../lib/json-schema.ts';
import type { ObservedAnswers } from '../model/finding.ts';
import type { JsonValue } from '../model/json.ts';

/** An answer as a baseline or a record keeps it. */
export interface StoredAnswer {
  readonly caseId: string;
  readonly text: string;
}

export interface ObservedSides {
  /** Their side's output schemas; undefined where a side promises nothing. */
  readonly old: JsonValue | undefined;
  readonly replacement: JsonValue | undefined;
  readonly baselineAnswers: Iterable<StoredAnswer>;
  /** Of the run that is judged, where there is one. */
  readonly newAnswers?: Iterable<StoredAnswer>;
}

/** Holds stored answers against the schema of the other side; nothing where the schemas are the same or can't be used. */
export function observeAnswers(sides: ObservedSides): readonly ObservedAnswers[] {
  const { old, replacement, baselineAnswers, newAnswers = [] } = sides;
  if (canonicalJson(old ?? null) === canonicalJson(replacement ?? null)) return [];
  const seen = [
    replacement === undefined ? undefined : observe('baseline', baselineAnswers, replacement, old),
    old === undefined ? undefined : observe('new', newAnswers, old, replacement),
  ];
  return seen.filter((observed) => observed !== undefined && observed.total > 0).flatMap((observed) => observed ?? []);
}

/** Counts what one schema refuses and the answers' own takes: a broken answer was broken before. */
function observe(
  answers: ObservedAnswers['answers'],
  stored: Iterable<StoredAnswer>,
  schema: JsonValue,
  own: JsonValue | undefined,
): ObservedAnswers | undefined {
  try {
    const outputs: Iterable<RecordedOutput> = stored;
    const observation = { outputs, schema, ...(own === undefined ? {} : { own }) };
    const { total, rejected, offenders } = observeContract(observation, findComplaint);
    return {
      answers,
      schema: answers === 'baseline' ? 'new' : 'old',
      total,
      rejected,
      offenders,
      message: describe(answers, rejected, total),
    };
  } catch (error) {
    // A schema that takes this long, or that only another version could compile, proves nothing either way.
    if (error instanceof DeadlineError || error instanceof JsonSchemaError) return undefined;
    throw error;
  }
}

function describe(answers: ObservedAnswers['answers'], rejected: number, total: number): string {
  const noun = total === 1 ? 'answer' : 'answers';
  return answers === 'baseline'
    ? `${rejected} of ${total} recorded ${noun} would now be rejected`
    : `${rejected} of ${total} new ${noun} would have been rejected by the baseline's schema`;
}

const limitMs = 500;

function findComplaint(schema: JsonValue, value: JsonValue): string | undefined {
  // Compiled once a schema: the compiler remembers.
  const compiled = compileJsonSchema(schema);
  const find = () => compiled.findViolation(value);
  const violation = compiled.isCheap(JSON.stringify(value).length) ? find() : runWithDeadline(find, limitMs);
  return violation === undefined ? undefined : `${violation.path} ${violation.message}`;
}
