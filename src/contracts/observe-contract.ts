import type { JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';

/** A recorded answer: its text as the model wrote it, or the value where that is known already. */
export type RecordedOutput =
  | { readonly caseId: string; readonly text: string }
  | { readonly caseId: string; readonly value: JsonValue };

/** Says why a schema refuses a value; undefined where it takes it, null where that can't be told. */
export type FindComplaint = (schema: JsonValue, value: JsonValue) => string | undefined | null;

export interface ObservedContract {
  readonly total: number;
  readonly rejected: number;
  /** Answers that both schemas refuse: they were broken before. */
  readonly alreadyRejected: number;
  /** Answers on which a schema gave no word. */
  readonly unjudged: number;
  /** The first answers that were refused, in their order. */
  readonly offenders: readonly { readonly caseId: string; readonly reason: string }[];
}

const maxOffenders = 5;

export interface Observation {
  readonly outputs: Iterable<RecordedOutput>;
  readonly schema: JsonValue;
  /** The schema that the answers were given under: what it refuses too was broken before, and is not counted. */
  readonly own?: JsonValue;
}

/** Counts how many recorded answers a schema refuses: what turns a possible break into an observed one. */
export function observeContract({ outputs, schema, own }: Observation, findComplaint: FindComplaint): ObservedContract {
  let total = 0;
  let rejected = 0;
  let alreadyRejected = 0;
  let unjudged = 0;
  const offenders: { readonly caseId: string; readonly reason: string }[] = [];
  for (const output of outputs) {
    total += 1;
    const reason = judge(output, schema, findComplaint);
    if (reason === undefined) continue;
    const before = reason === null || own === undefined ? undefined : judge(output, own, findComplaint);
    if (typeof before === 'string') {
      alreadyRejected += 1;
      continue;
    }
    if (reason === null || before === null) {
      unjudged += 1;
      continue;
    }
    rejected += 1;
    if (offenders.length < maxOffenders) offenders.push({ caseId: output.caseId, reason });
  }
  return { total, rejected, alreadyRejected, unjudged, offenders };
}

function judge(output: RecordedOutput, schema: JsonValue, findComplaint: FindComplaint): ReturnType<FindComplaint> {
  if ('value' in output) return findComplaint(schema, output.value);
  const parsed = parseJson(output.text);
  return parsed.ok ? findComplaint(schema, parsed.value as JsonValue) : `the answer is not JSON: ${parsed.reason}`;
}
