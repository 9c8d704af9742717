/** Whether `value` is a whole multiple of `step`, in decimals as written: 0.3 is a multiple of 0.1. */
export function isMultiple(value: number, step: number): boolean {
  const [a, b] = toSameScale(value, step);
  return b !== 0n && a % b === 0n;
}

function toSameScale(value: number, step: number): readonly [bigint, bigint] {
  const left = splitDecimal(value);
  const right = splitDecimal(step);
  const exponent = Math.min(left.exponent, right.exponent);
  return [
    left.digits * 10n ** BigInt(left.exponent - exponent),
    right.digits * 10n ** BigInt(right.exponent - exponent),
  ];
}

function splitDecimal(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
