import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { compileJsonSchema, JsonSchemaError } from '../json/json-schema.ts';
import type { ObservedAnswers } from '../model/finding.ts';
import { DeadlineError, runWithDeadline } from '../text/deadline.ts';
import { formatCount } from '../text/format-amount.ts';
import { isStackOverflow } from '../text/thrown.ts';
import { type FindComplaint, observeContract, type RecordedOutput } from './observe-contract.ts';

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

/** Holds stored answers against the schema of the other side; nothing where the schemas are the same. */
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
): ObservedAnswers {
  const outputs: Iterable<RecordedOutput> = stored;
  const observation = { outputs, schema, ...defined({ own }) };
  const judge = createJudge();
  const { total, rejected, alreadyRejected, unjudged, offenders } = observeContract(observation, judge.findComplaint);
  const doubt = unjudged === 0 ? '' : `; ${unjudged} could not be judged${judge.why()}`;
  return {
    answers,
    schema: answers === 'baseline' ? 'new' : 'old',
    total,
    rejected,
    ...(alreadyRejected > 0 && { alreadyRejected }),
    ...(unjudged > 0 && { unjudged }),
    offenders,
    message: describe(answers, { total, rejected, alreadyRejected }) + doubt,
  };
}

function describe(
  answers: ObservedAnswers['answers'],
  { total, rejected, alreadyRejected }: Required<Pick<ObservedAnswers, 'total' | 'rejected' | 'alreadyRejected'>>,
): string {
  const [kind, own, outcome] =
    answers === 'baseline'
      ? ['recorded', 'the old schema', 'would now be rejected']
      : ['new', 'their own schema', "would have been rejected by the baseline's schema"];
  // What its own schema refuses was broken before: it can't be said of it that the change rejects it.
  const sound = total - alreadyRejected;
  if (sound === 0) return `all of ${formatCount(total, `${kind} answer`)} broke ${own} already`;
  const broken = alreadyRejected === 0 ? '' : `; ${alreadyRejected} more broke ${own} already`;
  return `${rejected} of ${formatCount(sound, `${kind} answer`)} ${outcome}${broken}`;
}

const limitMs = 500;
/** After these, an answer that could take long is not asked about: a thousand of them would take minutes. */
const maxTimeouts = 3;

/** Holds answers against schemas; what takes too long or can't be compiled is no verdict, and why is kept. */
function createJudge(): { readonly findComplaint: FindComplaint; readonly why: () => string } {
  let timeouts = 0;
  let fault = '';
  return {
    why: () => fault,
    findComplaint(schema, value) {
      try {
        // Compiled once a schema: the compiler remembers.
        const compiled = compileJsonSchema(schema);
        const find = () => compiled.findViolation(value);
        const isCheap = compiled.isCheap(JSON.stringify(value).length);
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
