import { distance } from 'fastest-levenshtein';

/** How far two texts are apart, or the least it can be where they are too long to say. */
export type EditDistance =
  | { readonly exact: true; readonly distance: number; readonly longest: number }
  | { readonly exact: false; readonly atLeast: number; readonly longest: number };

/** A product of lengths that takes a fifth of a second. */
const maxProduct = 600_000_000;

/** The Levenshtein distance in characters (code points): insertions, deletions and substitutions, each of cost 1. */
export function measureEditDistance(first: string, second: string): EditDistance {
  const [left, right] = /[\ud800-\udfff]/.test(first + second) ? recode(first, second) : [first, second];
  const longest = Math.max(left.length, right.length);
  const start = countCommonStart(left, right);
  const end = countCommonEnd(left, right, start);
  const [leftRest, rightRest] = [left.slice(start, left.length - end), right.slice(start, right.length - end)];
  if (leftRest.length * rightRest.length > maxProduct) {
    return { exact: false, atLeast: Math.max(1, Math.abs(left.length - right.length)), longest };
  }
  return { exact: true, distance: distance(leftRest, rightRest), longest };
}

/** The distance counts code units, so that each code point is given a unit of its own. */
function recode(first: string, second: string): readonly [string, string] {
  const units = new Map<string, number>();
  const encode = (text: string): string => {
    const codes = Array.from(text, (character) => {
      const unit = units.get(character) ?? units.size % 0x1_00_00;
      units.set(character, unit);
      return String.fromCharCode(unit);
    });
    return codes.join('');
  };
  return [encode(first), encode(second)];
}

function countCommonStart(left: string, right: string): number {
  const limit = Math.min(left.length, right.length);
  let count = 0;
  while (count < limit && left.charCodeAt(count) === right.charCodeAt(count)) count += 1;
  return count;
}

function countCommonEnd(left: string, right: string, start: number): number {
  const limit = Math.min(left.length, right.length) - start;
  let count = 0;
  while (count < limit && left.charCodeAt(left.length - 1 - count) === right.charCodeAt(right.length - 1 - count)) {
    count += 1;
  }
  return count;
}
