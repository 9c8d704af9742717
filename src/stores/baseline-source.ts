import type { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ReadBytes } from '../lib/split-lines.ts';
import { systemErrorCode } from '../lib/storage-error.ts';

/** Bytes that can be read again where they lie. */
export interface BaselineSource {
  readonly read: ReadBytes;
  /** True where the file is not what it was when it was opened. */
  isChanged(): boolean;
}

export function sourceOfBytes(bytes: Buffer): BaselineSource {
  return {
    read: (buffer, start, length, position) => bytes.copy(buffer, start, position, position + length),
    isChanged: () => false,
  };
}

/** Undefined where there is no such file. Throws system errors. */
export function openSource(path: string): BaselineSource | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const { size } = fstatSync(fd);
    // A pipe has a size of nothing, and no positions.
    if (size <= maxKeptBytes) return sourceOfBytes(readFileSync(fd));
    const source = new FileSource(fd);
    fd = undefined;
    return source;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Of files up to this size the bytes are kept: a project may have more of them than a process may have files open. */
const maxKeptBytes = 1 << 18;

/** The open file goes on being what it was, also where another one takes its name. */
class FileSource implements BaselineSource {
  readonly #fd: number;
  readonly #sizeAndTime: string;

  constructor(fd: number) {
    this.#fd = fd;
    this.#sizeAndTime = sizeAndTimeOf(fd);
    unused.register(this, fd);
  }

  readonly read: ReadBytes = (buffer, start, length, position) => readSync(this.#fd, buffer, start, length, position);

  isChanged(): boolean {
    return sizeAndTimeOf(this.#fd) !== this.#sizeAndTime;
  }
}

/** Answers are asked for as long as somebody has a report, so nobody else knows when a file can be closed. */
const unused = new FinalizationRegistry(closeSync);

function sizeAndTimeOf(fd: number): string {
  const { size, mtimeMs } = fstatSync(fd);
  return `${size} ${mtimeMs}`;
}
