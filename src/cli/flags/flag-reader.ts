import type { Problem } from '../model/problem.ts';

/** Reads the numbers of a command's flags, collecting every problem with them. */
export interface NumberFlags {
  readonly problems: readonly Problem[];
  /** A fraction between 0 and 1, both excluded: `5%` or `0.05`. */
  readonly readShare: (flag: string, text: string) => number;
  /** A whole number from `min` to `max`. */
  readonly readCount: (flag: string, text: string, range: { readonly min: number; readonly max: number }) => number;
}

export function openNumberFlags(): NumberFlags {
  const problems: Problem[] = [];
  const refuse = (message: string, hint: string): number => {
    problems.push({ code: 'usage', severity: 'error', message, hint });
    return Number.NaN;
  };
  return {
    problems,
    readShare(flag, text) {
      const [, digits, percent] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*$/.exec(text) ?? [];
      const value = Number(digits) / (percent === '%' ? 100 : 1);
      if (value > 0 && value < 1) return value;
      // "5" is meant as points by everybody who writes it, and as 500 % by nobody.
      const hint =
        value > 1 && percent === '' && value < 100
          ? `write ${flag} ${digits ?? ''}%`
          : `write ${flag} 5% or ${flag} 0.05`;
      return refuse(`${flag}: "${text}" is not a share between 0 and 1`, hint);
    },
    readCount(flag, text, { min, max }) {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= min && value <= max) return value;
      return refuse(`${flag}: "${text}" is not a whole number from ${min} to ${max}`, `write ${flag} ${min + 1}`);
    },
  };
}
