import type { CompletionRequest } from '../model/completion.ts';
import { recordingHash } from './cache-key.ts';
import type { RecordingLine } from './recordings.ts';
import { recordedCellKey } from './recordings.ts';

export interface FilledRecordings<Line extends RecordingLine> {
  /** Every line, in the order given. */
  readonly lines: readonly Line[];
  /** Lines whose hash was filled or renewed. */
  readonly filled: number;
  /** Lines that still answer none of the requests. */
  readonly unmatched: readonly Line[];
}

/**
 * Gives lines the hash of the request of their cell: those without one, and those whose request has changed.
 * A line that answers one of the requests already is left alone; the others of a cell are paired in order.
 * `follow` makes the next request of a conversation out of an answer; without it only the given requests are known.
 */
export function fillRecordingHashes<Line extends RecordingLine>(
  lines: readonly Line[],
  requests: readonly CompletionRequest[],
  follow: (request: CompletionRequest, line: Line) => CompletionRequest | undefined = () => undefined,
): FilledRecordings<Line> {
  const cells = groupByCell(lines);
  const known = new Set(requests.map(recordingHash));
  const matched = new Map<Line, string>();
  for (const first of requests) {
    const cell = cells.get(recordedCellKey({ ...first.origin, trial: first.trial })) ?? [];
    for (let request: CompletionRequest | undefined = first; request !== undefined; ) {
      const hash: string = recordingHash(request);
      const line: Line | undefined = takeLine(cell, hash);
      if (line === undefined) break;
      matched.set(line, hash);
      request = follow(request, line);
    }
  }
  return {
    lines: lines.map((line) => ({ ...line, ...withHash(matched.get(line) ?? line.requestHash) })),
    filled: lines.filter((line) => matched.has(line) && matched.get(line) !== line.requestHash).length,
    unmatched: lines.filter((line) => !matched.has(line) && !known.has(line.requestHash ?? '')),
  };

  function takeLine(cell: readonly Line[], hash: string): Line | undefined {
    const free = cell.filter((line) => !matched.has(line));
    return (
      free.find(({ requestHash }) => requestHash === hash) ?? free.find((line) => !known.has(line.requestHash ?? ''))
    );
  }
}

function groupByCell<Line extends RecordingLine>(lines: readonly Line[]): ReadonlyMap<string, readonly Line[]> {
  const cells = new Map<string, Line[]>();
  for (const line of lines) {
    const key = recordedCellKey(line);
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, [line]);
    else cell.push(line);
  }
  return cells;
}

function withHash(requestHash: string | undefined): { readonly requestHash?: string } {
  return requestHash === undefined ? {} : { requestHash };
}
