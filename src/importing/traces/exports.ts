import type { IsPart } from '../data-sets/split-json.ts';
import { isMap } from '../draft.ts';
import { readRecordedCall } from './recorded-call.ts';
import { describeOrigin, type RefusedRow, type TraceReader, type TraceRow } from './trace-row.ts';

const LISTS = new Set(['data', 'runs', 'observations', 'traces', 'items']);

/** True for the key of a wrapper's list of rows. */
export const isRowList = (key: string): boolean => LISTS.has(key);

/** Rows in a list, or in a list in a wrapper. Rows of JSON lines are at the top. */
export function exportParts(isAtTop: boolean): IsPart {
  if (isAtTop) return (path) => path.length === 0;
  return ([first, second, ...others]) =>
    others.length === 0 && (second === undefined ? first === '*' : second === '*' && LISTS.has(first ?? ''));
}

type ReadRow = (row: Readonly<Record<string, unknown>>) => TraceRow | RefusedRow | undefined;

function readerOf(readRow: ReadRow): TraceReader {
  return {
    *read(value, line) {
      const row = isMap(value) ? readRow(value) : { refused: 'the row is not a JSON object' };
      if (row !== undefined) yield { line, row };
    },
    end: () => [],
  };
}

/** An observation or a trace of Langfuse: as the API and the UI export it, or in the names of the blob export. */
export const langfuseReader = readerOf((value) => {
  const { type, input, output } = value;
  if (typeof type === 'string' && type.toUpperCase() !== 'GENERATION') return undefined;
  const origin = describeOrigin({
    trace: value['traceId'] ?? value['trace_id'] ?? (type === undefined ? value['id'] : undefined),
    observation: type === undefined ? undefined : value['id'],
    at: value['startTime'] ?? value['start_time'] ?? value['timestamp'],
    model: value['model'] ?? value['providedModelName'] ?? value['provided_model_name'],
  });
  if (!Object.hasOwn(value, 'input')) return undefined;
  const call = readRecordedCall(input, output);
  return 'refused' in call ? call : { ...call, origin };
});

/** A run of LangSmith. Tools, retrievers, parsers and templates are no calls of a model. */
export const langsmithReader = readerOf((value) => {
  const { run_type: type, inputs, outputs } = value;
  if (typeof type === 'string' && !['llm', 'chain'].includes(type)) return undefined;
  if (!Object.hasOwn(value, 'inputs')) return undefined;
  const origin = describeOrigin({
    trace: value['trace_id'],
    run: value['id'] ?? value['run_id'],
    at: typeof value['start_time'] === 'number' ? readMilliseconds(value['start_time']) : value['start_time'],
  });
  const call = readRecordedCall(inputs, outputs);
  return 'refused' in call ? call : { ...call, origin };
});

/** Milliseconds since 1970; undefined for what is no time. */
function readMilliseconds(value: number): string | undefined {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
