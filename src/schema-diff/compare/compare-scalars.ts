import type { RuleKey } from '../rules.ts';
import { isMultiple } from '../schema/accept-value.ts';
import type { Bound, Shape } from '../schema/shape.ts';
import { type Change, change, show } from './change.ts';

export function compareStrings(old: Shape, replacement: Shape, path: string): readonly Change[] {
  return [
    ...compareLimit('minLength', old.minLength, replacement.minLength, path),
    ...compareLimit('maxLength', old.maxLength, replacement.maxLength, path),
    ...compareTexts(old.patterns, replacement.patterns, 'pattern', path, [
      'pattern-added',
      'pattern-removed',
      'pattern-changed',
    ]),
    ...compareTexts(old.formats, replacement.formats, 'format', path, [
      'format-added',
      'format-removed',
      'format-changed',
    ]),
    ...compareTexts(old.contents, replacement.contents, 'content keyword', path, [
      'format-added',
      'format-removed',
      'format-changed',
    ]),
  ];
}

export function compareNumbers(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const whole = old.integer && replacement.integer;
  return [
    ...compareBounds(old.lower, replacement.lower, 1, whole, path),
    ...compareBounds(old.upper, replacement.upper, -1, whole, path),
    ...compareMultiples(old, replacement, path),
  ];
}

/** Rules of the keywords that limit a count: one for stricter, one for looser. */
const limitRules = {
  minLength: ['min-length-raised', 'min-length-lowered'],
  maxLength: ['max-length-lowered', 'max-length-raised'],
  minItems: ['min-items-raised', 'min-items-lowered'],
  maxItems: ['max-items-lowered', 'max-items-raised'],
  minContains: ['contains-narrowed', 'contains-widened'],
  maxContains: ['contains-narrowed', 'contains-widened'],
  minProperties: ['min-properties-raised', 'min-properties-lowered'],
  maxProperties: ['max-properties-lowered', 'max-properties-raised'],
} as const satisfies Record<string, readonly [RuleKey, RuleKey]>;

/** Compares a lower or upper limit of a count. Infinity is no upper limit. */
export function compareLimit(
  keyword: keyof typeof limitRules,
  old: number,
  replacement: number,
  path: string,
): readonly Change[] {
  if (old === replacement) return [];
  const [narrowed, widened] = limitRules[keyword];
  const isNarrower = keyword.startsWith('max') ? replacement < old : replacement > old;
  const [before = null, after = null] = [old, replacement].map((limit) => (limit === Infinity ? null : limit));
  const message = `"${keyword}" changed from ${before ?? 'none'} to ${after ?? 'none'}.`;
  return [change(isNarrower ? narrowed : widened, path, message, { old: before, new: after })];
}

/** Compares keywords whose containment is undecidable: a changed text may accept more, less or both. */
function compareTexts(
  old: readonly string[],
  replacement: readonly string[],
  name: string,
  path: string,
  [added, removed, changed]: readonly [RuleKey, RuleKey, RuleKey],
): readonly Change[] {
  const lost = old.filter((text) => !replacement.includes(text));
  const gained = replacement.filter((text) => !old.includes(text));
  const [before, after] = [lost[0], gained[0]];
  if (before !== undefined && after !== undefined && lost.length + gained.length === 2) {
    const message = `The ${name} changed from ${show(before)} to ${show(after)}.`;
    return [change(changed, path, message, { old: before, new: after })];
  }
  return [
    ...lost.map((text) => change(removed, path, `The ${name} ${show(text)} was dropped.`, { old: text })),
    ...gained.map((text) => change(added, path, `The ${name} ${show(text)} was added.`, { new: text })),
  ];
}

/** `sign` is 1 for lower bounds and -1 for upper ones. */
function compareBounds(
  old: Bound | undefined,
  replacement: Bound | undefined,
  sign: 1 | -1,
  whole: boolean,
  path: string,
): readonly Change[] {
  const [before, after] = whole ? [roundBound(old, sign), roundBound(replacement, sign)] : [old, replacement];
  if (before?.value === after?.value && before?.exclusive === after?.exclusive) return [];
  const sides = { old: describeBound(old, sign), new: describeBound(replacement, sign) };
  const message = `The ${sign === 1 ? 'lower' : 'upper'} bound changed from ${sides.old ?? 'none'} to ${sides.new ?? 'none'}.`;
  const say = (rule: RuleKey): readonly Change[] => [change(rule, path, message, sides)];
  if (old !== undefined && replacement !== undefined && old.value === replacement.value) {
    return say(replacement.exclusive ? 'inclusive-to-exclusive' : 'exclusive-to-inclusive');
  }
  const tighter =
    before === undefined ||
    (after !== undefined && (after.value - before.value) * sign > 0) ||
    (after !== undefined && after.value === before.value && after.exclusive);
  if (sign === 1) return say(tighter ? 'minimum-raised' : 'minimum-lowered');
  return say(tighter ? 'maximum-lowered' : 'maximum-raised');
}

/** Rounds a bound for whole numbers: both > 2 and ≥ 2.5 become ≥ 3. */
function roundBound(bound: Bound | undefined, sign: 1 | -1): Bound | undefined {
  if (bound === undefined) return undefined;
  const rounded = sign === 1 ? Math.ceil(bound.value) : Math.floor(bound.value);
  const value = bound.exclusive && rounded === bound.value ? rounded + sign : rounded;
  return { value, exclusive: false };
}

function describeBound(bound: Bound | undefined, sign: 1 | -1): string | null {
  if (bound === undefined) return null;
  const symbol = sign === 1 ? '>' : '<';
  return `${symbol}${bound.exclusive ? '' : '='} ${bound.value}`;
}

function compareMultiples(old: Shape, replacement: Shape, path: string): readonly Change[] {
  const isKept = (step: number, side: Shape): boolean =>
    side.multiples.some((other) => isMultiple(other, step)) || (side.integer && isMultiple(1, step));
  // A step is redundant if the other side requires a multiple of it.
  const lost = old.multiples.filter((step) => !isKept(step, replacement));
  const gained = replacement.multiples.filter((step) => !isKept(step, old));
  return [
    ...lost.map((step) =>
      change('multiple-of-removed', path, `Values need not be multiples of ${step} any more.`, { old: step }),
    ),
    ...gained.map((step) =>
      change('multiple-of-added', path, `Values have to be multiples of ${step}.`, { new: step }),
    ),
  ];
}
