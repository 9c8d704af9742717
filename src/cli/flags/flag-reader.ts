import { type Problem, UserError, usageProblem } from '../../model/problem.ts';
import { attempt } from '../../text/attempt.ts';
import { DurationError, parseDurationMs } from '../../text/duration.ts';

/** Reads numbers and durations from a command's flags. Collects mistakes and reports them all at once. */
export interface FlagReader {
  readonly problems: readonly Problem[];
  /** A fraction between 0 and 1, both excluded: `5%` or `0.05`. */
  readonly readShare: (flag: string, text: string) => number;
  /** A whole number from `min` to `max`. */
  readonly readCount: (flag: string, text: string, range: { readonly min: number; readonly max: number }) => number;
  /** In milliseconds. */
  readonly readDuration: (flag: string, text: string, hint?: string) => number;
  readonly refuse: (message: string, hint?: string) => void;
  /** Throws a `UserError` if anything was refused. */
  readonly check: () => void;
}

export function openFlagReader(): FlagReader {
  const problems: Problem[] = [];
  const refuse = (message: string, hint?: string): number => {
    problems.push(usageProblem(message, hint));
    return Number.NaN;
  };
  return {
    problems,
    readShare(flag, text) {
      const [, digits, percent] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*$/.exec(text) ?? [];
      const value = Number(digits) / (percent === '%' ? 100 : 1);
      if (value > 0 && value < 1) return value;
      // Who writes "5" means 5 %, never 500 %.
      const isPercent = value > 1 && percent === '' && value < 100;
      const hint = isPercent ? `write ${flag} ${digits ?? ''}%` : `write ${flag} 5% or ${flag} 0.05`;
      return refuse(`${flag}: "${text}" is not a share between 0 and 1`, hint);
    },
    readCount(flag, text, { min, max }) {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= min && value <= max) return value;
      return refuse(`${flag}: "${text}" is not a whole number from ${min} to ${max}`, `write ${flag} ${min + 1}`);
    },
    readDuration(flag, text, hint) {
      const ms = attempt(() => parseDurationMs(text), DurationError);
      return ms instanceof DurationError ? refuse(`${flag}: ${ms.message}`, hint) : ms;
    },
    refuse,
    check() {
      if (problems.length > 0) throw new UserError(problems);
    },
  };
}
