import { percentOf } from '../../text/format-amount.ts';

/** Floating point must not fail a gate that is met exactly. */
export const rounding = 1e-9;

/** `66.7 %`, `90 %`: rounded as in every table, without a zero that says nothing. */
export function percent(fraction: number, digits = 1): string {
  return `${Number(percentOf(fraction, digits))} %`;
}

/** `66.67 % is below 66.7 %`: with as many digits as it takes to tell the two apart. */
export function describeBelow(fraction: number, limit: number): string {
  let digits = 1;
  while (digits < maxDigits && percent(fraction, digits) === percent(limit, digits)) digits += 1;
  return `${percent(fraction, digits)} is below ${percent(limit, digits)}`;
}

const maxDigits = 8;
