import { Buffer } from 'node:buffer';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { splitLines } from '../files/split-lines.ts';
import { isDistrusted, privateFile, privateFolder, trustReplaced } from '../files/state-folder.ts';
import { drawNamePart, unfinishedEnding } from '../files/unfinished-name.ts';
import { makeFolder, systemErrorCode } from '../files/write-files.ts';
import { keyOfLine } from './cache-entry.ts';
import { indexName, loadIndex, type SegmentIndex, saveIndex } from './log-index.ts';

/** The line of an answer: its segment, and its place there in bytes. */
export interface AnswerPlace {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
}

export interface LogLine extends AnswerPlace {
  /** Valid until the next line is asked for. */
  readonly bytes: Buffer;
  /** 1-based. */
  readonly number: number;
  /** The key that the line begins with; undefined if it is no answer, or was cut off. */
  readonly key: string | undefined;
}

/** A file in the folder, or a line of a segment, that is not an answer. */
export type OnStrange = (path: string, line?: number) => void;

const segmentPattern = /^(\d{6,})-[\da-f]{12}\.jsonl$/;

/**
 * The append-only log of a project's answers. Its folder has segments, `000012-1f0c….jsonl`, with one line for each
 * answer. Each process appends to a segment of its own, so that none waits for another, and a kill loses at most the
 * line that is being written. If a key has several lines, the last line of the last segment counts. The folder is
 * created with the first answer. All methods throw system errors.
 */
export class AnswerLog {
  readonly folder: string;
  readonly #onStrange: OnStrange;
  #places: Map<string, AnswerPlace> | undefined;
  /** The bytes of each segment that `#places` is of. */
  readonly #ends = new Map<string, number>();
  #segment: OpenSegment | undefined;

  constructor(folder: string, onStrange: OnStrange = () => {}) {
    this.folder = folder;
    this.#onStrange = onStrange;
  }

  /** The place of each key's answer. Answers that other processes have stored since the log was opened are missing. */
  get places(): ReadonlyMap<string, AnswerPlace> {
    return this.#load();
  }

  /** The line of a key; undefined if there is none. */
  find(key: string): string | undefined {
    for (;;) {
      const place = this.#load().get(key);
      const text = place === undefined ? undefined : this.#read(place);
      if (place === undefined || text !== undefined) return text;
      // Another process has moved or removed the segment.
      this.#places = undefined;
    }
  }

  /** Undefined if the segment is gone. */
  #read({ segment, offset, length }: AnswerPlace): string | undefined {
    let fd: number;
    try {
      fd = openSync(this.pathOf(segment), 'r');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      for (let count = -1; count !== 0 && filled < length; filled += count) {
        count = readSync(fd, bytes, filled, length - filled, offset + filled);
      }
      return bytes.toString('utf8', 0, filled);
    } finally {
      closeSync(fd);
    }
  }

  /** Appends the line of an answer. The system has it when this returns. */
  append(key: string, line: string): void {
    const places = this.#load();
    const bytes = Buffer.from(`${line}\n`);
    let place = this.#openSegment().append(bytes);
    if (place === undefined) {
      this.close();
      place = this.#openSegment().append(bytes);
    }
    if (place !== undefined) places.set(key, place);
  }

  /** Ends the segment of this process; the next answer begins another one. */
  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  /** Every line that there was when the log was opened, in the order in which they were written. */
  *lines(): Generator<LogLine> {
    this.#load();
    for (const [segment, end] of this.#ends) {
      for (const line of linesOfAny(this.folder, segment)) {
        if (line.offset >= end) break;
        yield line;
      }
    }
  }

  /**
   * Replaces all segments by one without the lines to drop. Other processes may append meanwhile: their segments are
   * renamed first, and what they write after that goes to new segments. A kill may leave lines twice, and loses none.
   */
  rewrite(isDropped: (line: LogLine) => boolean): void {
    this.close();
    const taken = listSegments(this.folder).map(({ name, number }) => ({ name, number, renamed: nameSegment(number) }));
    for (const { name, renamed } of taken) renameIfThere(this.pathOf(name), this.pathOf(renamed));
    const last = taken.at(-1);
    if (last === undefined) return;
    const merged = nameSegment(last.number);
    const unfinished = this.pathOf(`${merged}${unfinishedEnding}`);
    const fd = openSync(unfinished, 'ax', privateFile);
    try {
      let size = 0;
      for (const { name, renamed } of taken) {
        for (const line of linesOfAny(this.folder, renamed)) {
          if (!isDropped({ ...line, segment: name })) size += writeAll(fd, Buffer.concat([line.bytes, lineBreak]));
        }
      }
      fsyncSync(fd);
      if (size > 0) renameSync(unfinished, this.pathOf(merged));
    } finally {
      closeSync(fd);
      rmSync(unfinished, { force: true });
    }
    for (const { renamed } of taken) rmSync(this.pathOf(renamed), { force: true });
    this.#places = undefined;
  }

  pathOf(segment: string): string {
    return join(this.folder, segment);
  }

  #load(): Map<string, AnswerPlace> {
    while (this.#places === undefined) {
      try {
        this.#places = this.#readPlaces();
      } catch (error) {
        // Another process has moved a segment since the folder was listed.
        if (systemErrorCode(error) !== 'ENOENT') throw error;
      }
    }
    return this.#places;
  }

  /** Reads the index, and the lines that it does not cover. */
  #readPlaces(): Map<string, AnswerPlace> {
    const known = loadIndex(this.folder);
    const places = new Map<string, AnswerPlace>();
    const index: SegmentIndex[] = [];
    let uncovered = 0;
    this.#ends.clear();
    for (const { name, size } of listSegments(this.folder, this.#onStrange)) {
      const covered = known.get(name);
      const segment =
        covered !== undefined && covered.bytes <= size ? covered : { name, bytes: 0, lines: 0, answers: [] };
      const answers = [...segment.answers];
      let { bytes, lines } = segment;
      let end = bytes;
      for (const line of linesOf(this.folder, name, { offset: bytes, number: lines + 1 })) {
        if (line.key === undefined) this.#onStrange(this.pathOf(name), line.number);
        else answers.push([line.key, line.offset, line.length]);
        end = line.offset + line.length + 1;
        // A last line without an end may still be written.
        if (line.isTerminated) [bytes, lines] = [end, line.number];
        uncovered += line.length;
      }
      index.push({ name, bytes, lines, answers });
      this.#ends.set(name, end);
      for (const [key, offset, length] of answers) places.set(key, { segment: name, offset, length });
    }
    if (uncovered > minIndexedBytes) saveIndex(this.folder, index);
    return places;
  }

  #openSegment(): OpenSegment {
    this.#segment ??= createSegment(this.folder);
    return this.#segment;
  }
}

/** The index is written again if it lacks this much. Reading as much takes a few milliseconds. */
const minIndexedBytes = 4_000_000;

/** The segment that this process appends to. */
interface OpenSegment {
  /** Undefined if another process has renamed or removed the segment, so that the bytes may be lost. */
  append(bytes: Buffer): AnswerPlace | undefined;
  close(): void;
}

function createSegment(folder: string): OpenSegment {
  makeFolder(folder, privateFolder);
  const last = listSegments(folder).at(-1);
  const segment = nameSegment((last?.number ?? 0) + 1);
  const path = join(folder, segment);
  const fd = openSync(path, 'ax', privateFile);
  trustReplaced(path);
  // A renamed file keeps its inode.
  const { ino } = fstatSync(fd, { bigint: true });
  let size = 0;
  return {
    append(bytes) {
      try {
        writeAll(fd, bytes);
      } catch (error) {
        // Half a line would be damage as soon as another line follows.
        ftruncateSync(fd, size);
        throw error;
      }
      if (statSync(path, { throwIfNoEntry: false, bigint: true })?.ino !== ino) return undefined;
      const place = { segment, offset: size, length: bytes.length - 1 };
      size += bytes.length;
      return place;
    },
    close() {
      closeSync(fd);
      if (size === 0) rmSync(path, { force: true });
    },
  };
}

function nameSegment(number: number): string {
  return `${String(number).padStart(6, '0')}-${drawNamePart()}.jsonl`;
}

interface Segment {
  readonly name: string;
  readonly number: number;
  readonly size: number;
}

/** The segments in the order in which they were begun. Links and files that may not be trusted are left out. */
function listSegments(folder: string, onStrange: OnStrange = () => {}): readonly Segment[] {
  const segments: Segment[] = [];
  for (const entry of readFolder(folder)) {
    const path = join(folder, entry.name);
    const number = segmentPattern.exec(entry.name)?.[1];
    if (number === undefined || !entry.isFile()) {
      if (entry.name !== indexName && !entry.name.endsWith(unfinishedEnding)) onStrange(path);
      continue;
    }
    if (isDistrusted(path)) continue;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) segments.push({ name: entry.name, number: Number(number), size: stats.size });
  }
  return segments.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
}

/** A missing folder is empty. */
export function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function* linesOf(
  folder: string,
  segment: string,
  from = { offset: 0, number: 1 },
): Generator<LogLine & { readonly isTerminated: boolean }> {
  const fd = openSync(join(folder, segment), 'r');
  try {
    const read = (buffer: Buffer, start: number, length: number, position: number) =>
      readSync(fd, buffer, start, length, position);
    for (const { bytes, offset, number, isTerminated } of splitLines(read, { from })) {
      const key = isTerminated ? keyOfLine(bytes) : undefined;
      yield { segment, offset, length: bytes.length, bytes, number, key, isTerminated };
    }
  } finally {
    closeSync(fd);
  }
}

/** Another process may have moved or removed it. */
function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** No line if another process has moved or removed the segment. */
function* linesOfAny(folder: string, segment: string): Generator<LogLine> {
  try {
    yield* linesOf(folder, segment);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

const lineBreak = Buffer.from('\n');

function writeAll(fd: number, bytes: Buffer): number {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
  return bytes.length;
}
