const maxTextLength = 128;
const maxUnboundedQuantifiers = 3;

/**
 * Whether a text matches a schema's pattern; undefined where finding out could take long.
 * Repeated groups and back references can take exponential time, and both sides here may be hostile.
 */
export function matchPattern(pattern: string, text: string): boolean | undefined {
  if (text.length > maxTextLength || pattern.length > 1_000) return undefined;
  if (/\)[*+?{]/.test(pattern) || /\\[1-9k]/.test(pattern)) return undefined;
  const quantifiers = pattern.match(/[*+]|\{\d*,\d*\}/g)?.length ?? 0;
  if (quantifiers > maxUnboundedQuantifiers) return undefined;
  return new RegExp(pattern, 'u').test(text);
}
