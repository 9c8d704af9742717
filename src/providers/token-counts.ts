import type { Usage } from '../model/completion.ts';

/** A count of tokens as an API reports it; undefined for anything else. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A part of a total, left out where the API does not report it. */
export function part<Name extends keyof Usage>(name: Name, value: number | undefined): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]: number });
}

/** A part larger than its total is a server's mistake; the total is what is billed. */
export function atMost<Name extends keyof Usage>(
  name: Name,
  value: number | undefined,
  total: number,
): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: Math.min(value, total) } as { [K in Name]: number });
}

/** Left out where there was none, so that the records of text models stay short. */
export function positive(value: unknown): number | undefined {
  const tokens = count(value);
  return tokens === 0 ? undefined : tokens;
}
