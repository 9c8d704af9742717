import type { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ReadBytes } from '../lib/split-lines.ts';
import { systemErrorCode } from '../lib/storage-error.ts';
import { fileIdOf } from './part-reader.ts';

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
    const source = new FileSource(path, fd);
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

/**
 * The open file goes on being what it was, also where another one takes its name. Answers are asked for as long as somebody
 * has a report, and nobody says when that ends: what nobody can ask any more is closed, and the oldest of many as well.
 */
class FileSource implements BaselineSource {
  readonly #path: string;
  readonly #id: string;
  readonly #sizeAndTime: string;
  readonly #handle: OpenHandle;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#id = fileIdOf(fd);
    this.#sizeAndTime = sizeAndTimeOf(fd);
    this.#handle = { fd };
    keepOpen(this.#handle);
    unused.register(this, this.#handle);
  }

  readonly read: ReadBytes = (buffer, start, length, position) => {
    const fd = this.#open();
    return fd === undefined ? 0 : readSync(fd, buffer, start, length, position);
  };

  isChanged(): boolean {
    const fd = this.#open();
    return fd === undefined || sizeAndTimeOf(fd) !== this.#sizeAndTime;
  }

  /** Undefined where it was closed, and another file has taken its name since. */
  #open(): number | undefined {
    if (this.#handle.fd !== undefined) return this.#handle.fd;
    const fd = openSync(this.#path, 'r');
    if (fileIdOf(fd) !== this.#id) {
      closeSync(fd);
      return undefined;
    }
    this.#handle.fd = fd;
    keepOpen(this.#handle);
    return fd;
  }
}

/** Apart from its source, so that what keeps it does not keep the source. */
interface OpenHandle {
  fd: number | undefined;
}

const maxOpen = 16;
const open = new Set<OpenHandle>();
const unused = new FinalizationRegistry(closeHandle);

function keepOpen(handle: OpenHandle): void {
  const [oldest] = open;
  if (oldest !== undefined && open.size >= maxOpen) closeHandle(oldest);
  open.add(handle);
}

function closeHandle(handle: OpenHandle): void {
  open.delete(handle);
  if (handle.fd !== undefined) closeSync(handle.fd);
  handle.fd = undefined;
}

function sizeAndTimeOf(fd: number): string {
  const { size, mtimeMs } = fstatSync(fd);
  return `${size} ${mtimeMs}`;
}
