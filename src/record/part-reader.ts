import { closeSync, fstatSync, openSync } from 'node:fs';

/** A file that is read in parts, for as long as somebody has a report of it. */
export interface PartReader {
  /**
   * The open file, or undefined where another one has taken its name. It is closed after the code that runs now, and
   * opened again by the next call: nobody says when a report is no longer needed. Throws system errors.
   */
  open(): number | undefined;
}

export function createPartReader(path: string): PartReader {
  let fd: number | undefined;
  let firstId: string | undefined;
  return {
    open() {
      if (fd !== undefined) return fd;
      const opened = openSync(path, 'r');
      const id = fileIdOf(opened);
      firstId ??= id;
      if (id !== firstId) {
        closeSync(opened);
        return undefined;
      }
      fd = opened;
      // Not with a later turn of the event loop: a program may compare a thousand records within one.
      queueMicrotask(() => {
        fd = undefined;
        closeSync(opened);
      });
      return fd;
    },
  };
}

/** Different for each file of a computer, unlike a path. */
function fileIdOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev} ${ino}`;
}
