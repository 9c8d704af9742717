/** A percentage as it is written, such as `5%`. */
export const percentPattern = /^\d+(?:\.\d+)?\s*%$/;

/** "5%" and 0.05 are the same. NaN for anything else. */
export function toFraction(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && percentPattern.test(value) ? Number(value.replace('%', '')) / 100 : Number.NaN;
}
