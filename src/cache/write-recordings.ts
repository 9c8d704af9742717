import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder, systemErrorCode, withStorageErrors } from '../files/write-files.ts';
import { compareText } from '../text/compare-text.ts';
import { type RecordingLine, readRecordings, recordedCellKey, renderRecording } from './recordings.ts';

export interface WriteRecordingsOptions {
  /** Which lines of cells without rows stay; all of them by default. */
  readonly keep?: (line: RecordingLine) => boolean;
}

/**
 * Writes recorded answers: the rows replace the lines of their own cells, in the order given, and lines of other cells stay.
 * The file is sorted, replaced as a whole, and not written where nothing changes. Returns whether it changed.
 * Throws a UserError where the existing file can't be read, rather than lose lines that were written by hand.
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
  // The sort is stable: lines of one cell keep their order, which is that of the conversation.
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

function replaceWhereChanged(path: string, text: string): boolean {
  return withStorageErrors('Writing', path, () => {
    if (readOrUndefined(path) === text) return false;
    const folder = dirname(path);
    makeFolder(folder);
    const temp = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      writeFileSync(temp, text);
      renameSync(temp, path);
    } catch (error) {
      rmSync(temp, { force: true });
      throw error;
    }
    return true;
  });
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
