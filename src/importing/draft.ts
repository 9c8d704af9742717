import type { Problem, SourceLocation } from '../model/problem.ts';
import type { Written } from './written.ts';

/** What can't be carried over. Among the items of a list it stands where it belongs, and is written as a comment. */
export class LeftOut {
  readonly reason: string;
  readonly at: SourceLocation;
  /** As it was written, without what may be a secret. */
  readonly value: unknown;

  constructor(reason: string, at: SourceLocation, value: unknown) {
    this.reason = reason;
    this.at = at;
    this.value = value;
  }
}

/** A suite in the making: everything that is left out is told, with its place. */
export interface Draft {
  readonly refused: readonly Problem[];
  readonly notes: readonly Problem[];
  /** Left out, which needs the user's word. */
  refuse(written: Written, reason: string, hint?: string): LeftOut;
  /** Left out or changed without a say in any verdict. */
  note(written: Written, message: string): void;
}

const SECRET_LINE = /(?:key|token|secret|password|authorization|credential)\w*["']?\s*:\s*\S/i;
const SECRET_KEY = /key|token|secret|password|authorization|credential/i;

/** What stands in a comment stands in the repository. */
function hideSecrets(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return SECRET_KEY.test(name) || /\bsk-[\w-]{8,}/.test(value) ? '…' : value;
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideSecrets(item, key)]));
}

export function createDraft(): Draft {
  const refused: Problem[] = [];
  const notes: Problem[] = [];
  const told = new Set<string>();
  return {
    refused,
    notes,
    refuse(written, reason, hint) {
      const place = written.at();
      // A frame must not show a key that stands beside the place.
      const isSafe = place.excerpt?.lines.every((line) => !SECRET_LINE.test(line)) ?? true;
      const at = isSafe ? place : { file: place.file, line: place.line, column: place.column };
      const problem = { code: 'not-carried-over', severity: 'error', message: reason, at } as const;
      // What stands in the defaults is met again in every test.
      const key = `${at.file}:${at.line}:${at.column}:${reason}`;
      if (!told.has(key)) refused.push(hint === undefined ? problem : { ...problem, hint });
      told.add(key);
      return new LeftOut(reason, at, hideSecrets(written.value));
    },
    note(written, message) {
      const at = written.at('key');
      const key = `${at.file}:${at.line}:${at.column}:${message}`;
      if (!told.has(key)) notes.push({ code: 'not-carried-over', severity: 'warning', message, at });
      told.add(key);
    },
  };
}
