import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { compileJsonSchema } from '../json/json-schema.ts';
import { parseJson } from '../json/parse-json.ts';
import { JsonSchemaError } from '../json/schema-errors.ts';
import type { Baseline, BaselineTrial, VariantKey } from '../model/comparison/baseline.ts';
import type { ObservedAnswers } from '../model/comparison/finding.ts';
import type { CellRow } from '../model/run/record.ts';
import type { VariantSummary } from '../model/run/summary.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { DeadlineError, isStackOverflow, runWithDeadline } from '../text/deadline.ts';
import { formatCount } from '../text/format-amount.ts';

/** A stored answer: the text that the model wrote. */
export interface StoredAnswer {
  readonly caseId: string;
  readonly text: string;
}

/** The answers of a prompt on a provider that a baseline file holds. */
export function* answersOfBaseline(
  baseline: Pick<Baseline, 'casesOf' | 'readCase'>,
  key: VariantKey,
): Iterable<StoredAnswer> {
  for (const caseId of baseline.casesOf(key).keys()) {
    for (const trial of baseline.readCase(key, caseId)?.trials ?? []) yield* answerOf(caseId, trial);
  }
}

/** The answers of a variant of a record, read one after the other. */
export function* answersOfRecord(variant: VariantSummary, readRow: StoredRecord['readRow']): Iterable<StoredAnswer> {
  for (const { caseId, trials } of variant.cases.values()) {
    for (const { rowIndex } of trials) yield* answerOf(caseId, readRow(rowIndex));
  }
}

/** Empty for tool calls without a text: an output schema does not apply to them. */
function answerOf(
  caseId: string,
  { status, output, toolCalls, refusal }: Pick<BaselineTrial | CellRow, 'status' | 'output' | 'toolCalls' | 'refusal'>,
): readonly StoredAnswer[] {
  if ((status !== 'passed' && status !== 'failed') || output === undefined || refusal !== undefined) return [];
  return output === '' && toolCalls !== undefined && toolCalls.length > 0 ? [] : [{ caseId, text: output }];
}

export interface ObservedSides {
  /** The output schema of each side; undefined if a side has none. */
  readonly old: JsonValue | undefined;
  readonly replacement: JsonValue | undefined;
  readonly baselineAnswers: Iterable<StoredAnswer>;
  /** The answers of the run that is judged, if there is one. */
  readonly newAnswers?: Iterable<StoredAnswer>;
}

/** Checks stored answers against the schema of the other side. Finds nothing if the schemas are equal. */
export function observeAnswers(sides: ObservedSides): readonly ObservedAnswers[] {
  const { old, replacement, baselineAnswers, newAnswers = [] } = sides;
  if (canonicalJson(old ?? null) === canonicalJson(replacement ?? null)) return [];
  const observed: ObservedAnswers[] = [];
  if (replacement !== undefined) observed.push(observe('baseline', baselineAnswers, replacement, old));
  if (old !== undefined) observed.push(observe('new', newAnswers, old, replacement));
  return observed.filter(({ total }) => total > 0);
}

const maxOffenders = 5;

/**
 * Counts the answers that a schema refuses and that their own schema, `own`, accepts. Such answers turn a possible
 * break into an observed one. An answer that both refuse was broken before.
 */
function observe(
  answers: ObservedAnswers['answers'],
  stored: Iterable<StoredAnswer>,
  schema: JsonValue,
  own: JsonValue | undefined,
): ObservedAnswers {
  const validator = createValidator();
  let [total, rejected, alreadyRejected, unjudged] = [0, 0, 0, 0];
  const offenders: { readonly caseId: string; readonly reason: string }[] = [];
  for (const { caseId, text } of stored) {
    total += 1;
    const reason = validator.findComplaint(schema, text);
    if (reason === undefined) continue;
    const before = reason === null || own === undefined ? undefined : validator.findComplaint(own, text);
    if (typeof before === 'string') alreadyRejected += 1;
    else if (reason === null || before === null) unjudged += 1;
    else {
      rejected += 1;
      if (offenders.length < maxOffenders) offenders.push({ caseId, reason });
    }
  }
  const doubt = unjudged === 0 ? '' : `; ${unjudged} could not be judged${validator.whyUnjudged()}`;
  return {
    answers,
    schema: answers === 'baseline' ? 'new' : 'old',
    total,
    rejected,
    ...defined({
      alreadyRejected: alreadyRejected > 0 ? alreadyRejected : undefined,
      unjudged: unjudged > 0 ? unjudged : undefined,
    }),
    offenders,
    message: describe(answers, total, rejected, alreadyRejected) + doubt,
  };
}

function describe(
  answers: ObservedAnswers['answers'],
  total: number,
  rejected: number,
  alreadyRejected: number,
): string {
  const [kind, own, outcome] =
    answers === 'baseline'
      ? ['recorded', 'the old schema', 'would now be rejected']
      : ['new', 'their own schema', "would have been rejected by the baseline's schema"];
  const sound = total - alreadyRejected;
  if (sound === 0) return `all of ${formatCount(total, `${kind} answer`)} broke ${own} already`;
  const broken = alreadyRejected === 0 ? '' : `; ${alreadyRejected} more broke ${own} already`;
  return `${rejected} of ${formatCount(sound, `${kind} answer`)} ${outcome}${broken}`;
}

const limitMs = 500;
/** After these, an answer that could take long is not validated: a thousand of them would take minutes. */
const maxTimeouts = 3;

interface Validator {
  /** Why the schema refuses the answer; undefined if it accepts it, null if that is unknown. */
  findComplaint(schema: JsonValue, text: string): string | undefined | null;
  whyUnjudged(): string;
}

function createValidator(): Validator {
  let timeouts = 0;
  let fault = '';
  return {
    whyUnjudged: () => fault,
    findComplaint(schema, text) {
      const parsed = parseJson(text);
      if (!parsed.ok) return `the answer is not JSON: ${parsed.reason}`;
      try {
        const compiled = compileJsonSchema(schema);
        const find = () => compiled.findViolation(parsed.value);
        const isCheap = compiled.isCheap(text.length);
        if (!isCheap && timeouts >= maxTimeouts) return null;
        const violation = isCheap ? find() : runWithDeadline(find, limitMs);
        return violation === undefined ? undefined : `${violation.path} ${violation.message}`;
      } catch (error) {
        if (error instanceof DeadlineError) {
          timeouts += 1;
          fault ||= `: the schema took longer than ${limitMs} ms on an answer`;
        } else if (error instanceof JsonSchemaError) fault ||= `: ${error.message}`;
        else if (isStackOverflow(error)) fault ||= ': an answer is nested too deeply for the schema';
        else throw error;
        return null;
      }
    },
  };
}
