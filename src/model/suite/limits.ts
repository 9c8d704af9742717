import type { ProviderFailure, Usage } from '../run/completion.ts';

/** The largest answer that a provider may give. A larger one fails its cell. */
export interface AnswerLimits {
  /** UTF-8 bytes of all texts: answer, reasoning, arguments and results of tools, state. */
  readonly textBytes: number;
  readonly toolCalls: number;
}

export interface ProviderLimits {
  readonly concurrency?: number;
  readonly rpm?: number;
  readonly tpm?: number;
  readonly timeoutMs?: number;
  /** Further attempts after the first. */
  readonly retries?: number;
  readonly maxAnswer?: AnswerLimits;
}

export const mebibyte = 1024 * 1024;

export const defaultAnswerLimits: AnswerLimits = { textBytes: 4 * mebibyte, toolCalls: 1000 };

/** The most that the texts of an answer can be set to. */
export const maxAnswerBytes = 64 * mebibyte;

/** JSON writes a Cyrillic letter of two bytes as an escape of six, and an answer has more members than its texts. */
const bytesPerTextByte = 4;

/** In a stream, each piece of a text has an event of its own. */
const streamedBytesPerTextByte = 8;

/** The largest body, or output of a program, that is read. */
export function maxBodyBytes({ textBytes }: AnswerLimits, isStream = false): number {
  return textBytes * (isStream ? streamedBytesPerTextByte : bytesPerTextByte);
}

/** The failure of an answer that is too large. `excess` says why, after its subject. */
export function tooLargeFailure(subject: string, excess: string, usage?: Usage): ProviderFailure {
  const message = `${subject} ${excess} (limits.maxAnswer of the provider)`;
  return usage === undefined ? { kind: 'tooLarge', message } : { kind: 'tooLarge', message, usage };
}

/** `4 MiB`, `1.5 MiB`, `512 KiB`. */
export function showBytes(bytes: number): string {
  const [size, unit] = bytes >= mebibyte ? [bytes / mebibyte, 'MiB'] : [bytes / 1024, 'KiB'];
  return `${Number(size.toFixed(1))} ${unit}`;
}
