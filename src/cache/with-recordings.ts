import { replaceWhereChanged } from '../files/write-files.ts';
import type { Complete, CompletionOutcome, CompletionRequest } from '../model/run/completion.ts';
import { compareText } from '../text/compare-text.ts';
import { groupBy } from '../text/group-by.ts';
import { quote } from '../text/shorten.ts';
import { recordingHash } from './cache-key.ts';
import {
  type NumberedRecording,
  type RecordingLine,
  type Recordings,
  readRecordings,
  recordedCellKey,
  renderRecording,
} from './recordings.ts';

export interface RecordingOptions {
  /** The treatment of a request without a usable recording: `fail` sends nothing, `ask` sends it on. */
  readonly missing: 'fail' | 'ask';
}

/** Answers from committed recordings. Only the hash decides, so a renamed case keeps its answer. */
export function withRecordings(next: Complete, recordings: Recordings, { missing }: RecordingOptions): Complete {
  const byHash = new Map<string, NumberedRecording>();
  const byCell = groupBy(recordings.lines, recordedCellKey);
  for (const line of recordings.lines) {
    if (line.requestHash === undefined) continue;
    byHash.set(line.requestHash, line);
    // Two prompts or providers may send one request and still have been recorded apart.
    byHash.set(`${line.requestHash} ${recordedCellKey(line)}`, line);
  }

  return async (request, signal) => {
    const cell = recordedCellKey({ ...request.origin, trial: request.trial });
    const hash = recordingHash(request);
    const line = byHash.get(`${hash} ${cell}`) ?? byHash.get(hash);
    if (line !== undefined) return { status: 'completed', completion: line.completion, cached: true, attempts: 0 };
    if (missing === 'ask') return next(request, signal);
    return failure(describe(request, byCell.get(cell) ?? [], recordings));
  };
}

function describe(
  request: CompletionRequest,
  lines: readonly NumberedRecording[],
  { file, isMissing }: Recordings,
): string {
  const { prompt, provider, caseId, suite } = request.origin;
  const record = recordCommand(suite, caseId);
  const importAgain = `llmcheck cache import ${plainWord.test(file) ? file : JSON.stringify(file)}`;
  const unfilled = lines.find(({ requestHash }) => requestHash === undefined);
  if (unfilled !== undefined) {
    return (
      `the recorded answer at ${file}:${unfilled.lineNumber} has no requestHash, or one of an earlier format, so it can't be told whether it belongs ` +
      `to this request; run \`${importAgain}\` to fill it`
    );
  }
  const [stale] = lines;
  if (stale !== undefined) {
    return (
      `the recorded answer at ${file}:${stale.lineNumber} is stale: the request has changed since; ` +
      `run \`${record}\` (needs the provider) or, if the recorded answer still holds, \`${importAgain}\``
    );
  }
  if (isMissing === true)
    return `no recorded answer, since ${file} does not exist; run \`${record}\` (needs the provider)`;
  return (
    `no recorded answer in ${file} for prompt ${quote(prompt)}, provider ${quote(provider)}, case ${quote(caseId)}, ` +
    `trial ${request.trial}; run \`${record}\` (needs the provider)`
  );
}

const plainWord = /^[\w./-]+$/;

/** The command that records a case. It has a filter if the filter needs no quoting and no wildcards. */
function recordCommand(suite: string, caseId: string): string {
  const label = `${suite}/${caseId}`;
  return plainWord.test(label) ? `llmcheck run --record --filter ${label}` : 'llmcheck run --record';
}

function failure(message: string): CompletionOutcome {
  return { status: 'failed', failure: { kind: 'recording', message }, attempts: 0 };
}

export interface WriteRecordingsOptions {
  /** Which lines of cells without rows stay; all of them by default. */
  readonly keep?: (line: RecordingLine) => boolean;
}

/**
 * Writes recorded answers. The rows replace the lines of their own cells, in the given order. Lines of other cells
 * stay. The file is sorted, replaced as a whole, and not written if nothing changes. Returns whether it changed. Throws
 * a UserError if the existing file can't be read, so that no handwritten line is lost.
 */
export function writeRecordings(
  path: string,
  rows: readonly RecordingLine[],
  { keep = () => true }: WriteRecordingsOptions = {},
): boolean {
  const replaced = new Set(rows.map(recordedCellKey));
  const kept = readRecordings(path).lines.filter((line) => !replaced.has(recordedCellKey(line)) && keep(line));
  return replaceWhereChanged(path, renderLines([...kept, ...rows]));
}

function renderLines(lines: readonly RecordingLine[]): string {
  const unique = new Set<string>();
  // The sort is stable, so that lines of one cell keep the order of the conversation.
  for (const line of lines.toSorted(compareCells)) unique.add(`${renderRecording(line)}\n`);
  return [...unique].join('');
}

function compareCells(a: RecordingLine, b: RecordingLine): number {
  return (
    compareText(a.prompt, b.prompt) ||
    compareText(a.provider, b.provider) ||
    compareText(a.caseId, b.caseId) ||
    a.trial - b.trial
  );
}
