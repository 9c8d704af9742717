import type { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ReadBytes } from '../files/split-lines.ts';
import { systemErrorCode } from '../files/storage-error.ts';

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
    const source = sourceOfFile(fd);
    fd = undefined;
    return source;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Of files up to this size the bytes are kept. */
const maxKeptBytes = 1 << 18;

/** Node raises its limit of open files to the hard one, so that a large project may hold one of each suite. */
const unused = new FinalizationRegistry<number>(closeSync);

/** The file stays open as long as answers may be asked for: it is what it was, also where another one takes its name. */
function sourceOfFile(fd: number): BaselineSource {
  const opened = sizeAndTimeOf(fd);
  const source: BaselineSource = {
    read: (buffer, start, length, position) => readSync(fd, buffer, start, length, position),
    isChanged: () => sizeAndTimeOf(fd) !== opened,
  };
  unused.register(source, fd);
  return source;
}

function sizeAndTimeOf(fd: number): string {
  const { size, mtimeMs } = fstatSync(fd);
  return `${size} ${mtimeMs}`;
}
