import { toFraction } from '../../text/fraction.ts';
import type { ConfirmBudget } from './gate-policy.ts';

/** Reads a budget: a share as "200%" or a fraction below 1, or a number of calls. Undefined for anything else. */
export function parseConfirmBudget(value: unknown): ConfirmBudget | undefined {
  if (typeof value === 'number') {
    if (value > 0 && value < 1) return { share: value };
    return Number.isSafeInteger(value) && value >= 0 ? { calls: value } : undefined;
  }
  const share = toFraction(value);
  return Number.isNaN(share) ? undefined : { share };
}
