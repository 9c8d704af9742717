import { systemErrorCode } from '../files/write-files.ts';
import { AnswerLog } from './answer-log.ts';
import { type CacheEntry, markLine, parseAnswer, renderEntry, type StoredAnswer } from './cache-entry.ts';
import type { MachineMarks } from './machine-mark.ts';

export interface FoundAnswer extends StoredAnswer {
  /** True if this machine can't tell that it wrote the entry. */
  readonly isForeign?: true;
}

/** Answers on disk. No call throws for a disk error, so that a run continues without its cache. */
export interface CacheStore {
  /** Undefined: not there, or not usable (reported through `onWarning`). */
  read(key: string): FoundAnswer | undefined;
  /** Replaces the entry of the key. `newText` is a new answer's entry as `renderEntry` writes it. */
  write(entry: CacheEntry, newText?: string): void;
  close(): void;
}

export interface CacheStoreOptions {
  readonly onWarning: (message: string) => void;
  /** Marks entries as written here. Without it, every entry counts as one. */
  readonly marks?: MachineMarks;
}

/** Opens the answers in a folder. The folder is read with the first call, and created with the first answer. */
export function openCacheStore(folder: string, { onWarning, marks }: CacheStoreOptions): CacheStore {
  const warnedOf = new Set<string>();
  let isWritable = true;
  const log = new AnswerLog(folder, (path, line) => warnOnce(path, describeStrange(path, line)));

  return {
    read(key) {
      const text = findLine(key);
      if (text === undefined) return undefined;
      const parsed = parseAnswer(text);
      if (parsed.ok && parsed.answer.key === key) {
        const { checksum, mark } = parsed.signature;
        return marks?.isOwn(checksum, mark) === false ? { ...parsed.answer, isForeign: true } : parsed.answer;
      }
      const reason = parsed.ok ? 'holds the answer to another request' : parsed.reason;
      warnOnce(
        key,
        `A stored answer in ${folder} ${reason}. It counts as missing; \`llmcheck cache verify\` says where it is.`,
      );
      return undefined;
    },
    write(entry, newText) {
      if (!isWritable) return;
      try {
        const line = newText ?? renderEntry(entry);
        log.append(entry.key, marks === undefined ? line : markLine(line, (checksum) => marks.markOf(checksum)));
      } catch (error) {
        const code = codeOf(error);
        isWritable = !lastingCodes.has(code);
        const consequence = isWritable ? 'Some answers are not stored' : 'No further answer is stored in this run';
        warnOnce(code, `The cache can't be written (${code}: ${folder}). ${consequence}.`);
      }
    },
    close: () => log.close(),
  };

  function findLine(key: string): string | undefined {
    try {
      return log.find(key);
    } catch (error) {
      const code = codeOf(error);
      // A file in the place of the folder has no answers, and is named when one is written.
      if (code !== 'ENOTDIR')
        warnOnce(`read ${code}`, `The cache can't be read (${code}: ${folder}). What can't be read counts as missing.`);
      return undefined;
    }
  }

  function warnOnce(about: string, message: string): void {
    if (warnedOf.has(about)) return;
    warnedOf.add(about);
    onWarning(message);
  }
}

function describeStrange(path: string, line: number | undefined): string {
  if (line === undefined) return `${path} is not a file of the cache. It is not read.`;
  return `Line ${line} of ${path} is not an answer, or was cut off when a run was killed. It counts as missing; \`llmcheck cache verify --fix\` removes it.`;
}

/** Codes that the next entry would meet again. */
const lastingCodes: ReadonlySet<string> = new Set(['EACCES', 'EDQUOT', 'ENOSPC', 'ENOTDIR', 'EROFS']);

/** Returns the code of a disk error; rethrows any other error. */
function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}
