import { type Alternatives, anyCharacter, parseRegex, type RegexItem } from './regex-parser.ts';

/** Steps that an ordinary machine makes in a few milliseconds: below it a regex runs without a deadline. */
const cheapSteps = 10_000_000;

/** How a regex's worst case grows: at most `factor · length ^ degree` steps. */
export interface RegexCost {
  readonly degree: number;
  readonly factor: number;
}

/** True where the regex can't take long on any text of that length; false where it might or is not understood. */
export function isCheapRegex(source: string, flags: string, textLength: number): boolean {
  const cost = estimateRegexCost(source, flags);
  return cost !== undefined && cost.factor * (textLength + 1) ** cost.degree <= cheapSteps;
}

const estimates = new Map<string, RegexCost | undefined>();
const maxEstimates = 2000;

/** An upper bound for a backtracking engine; undefined where it may be exponential or the syntax is not understood. */
export function estimateRegexCost(source: string, flags: string): RegexCost | undefined {
  const key = `${flags}/${source}`;
  if (estimates.has(key)) return estimates.get(key);
  if (estimates.size >= maxEstimates) estimates.clear();
  const cost = estimate(source, flags);
  estimates.set(key, cost);
  return cost;
}

interface Walk {
  /** Ways that bounded choices multiply to: alternatives, `?`, `{2,5}`. */
  choices: number;
  /** Items of the pattern, repetitions written out. */
  size: number;
  /** Unbounded quantifiers seen so far that can stop at several places and still go on matching. */
  branching: number;
  /** The degree of the work from one starting place. */
  degree: number;
  /** The characters that any unbounded quantifier takes. */
  unbounded: bigint;
}

/** The characters that can come next; 'success' where the match is surely over, so that nothing is tried again. */
type Follow = bigint | 'success';

function estimate(source: string, flags: string): RegexCost | undefined {
  const alternatives = parseRegex(source, flags);
  if (alternatives === undefined) return undefined;
  const walk: Walk = { choices: alternatives.length, size: 0, branching: 0, degree: 0, unbounded: 0n };
  if (!alternatives.every((items) => walkSequence(items, 'success', walk))) return undefined;
  const factor = walk.choices * Math.max(1, walk.size);
  if (flags.includes('y') || (!flags.includes('m') && alternatives.every(isAnchored))) {
    return { degree: Math.max(1, walk.degree), factor };
  }
  // Where a match can only start at characters that no run contains, the runs of all starting places share the text.
  if (walk.degree > 0 && (firstOfAny(alternatives, anyCharacter) & walk.unbounded) === 0n) {
    return { degree: walk.degree, factor: factor * walk.size ** walk.degree };
  }
  return { degree: 1 + walk.degree, factor };
}

function isAnchored(items: readonly RegexItem[]): boolean {
  const [first] = items;
  return first?.kind === 'assertion' && first.which === 'start';
}

function walkSequence(items: readonly RegexItem[], follow: Follow, walk: Walk): boolean {
  return items.every((item, index) => {
    switch (item.kind) {
      case 'assertion':
        walk.size += 1;
        return true;
      case 'look':
        walk.choices *= item.alternatives.length;
        return item.alternatives.every((alternative) => countFixed(alternative, 1, walk));
      case 'set':
        countQuantifier(item, item.set, item.set, followOf(items, index, follow), walk);
        return true;
      case 'group':
        return walkGroup(item, followOf(items, index, follow), walk);
    }
  });
}

function walkGroup(item: RegexItem & { readonly kind: 'group' }, follow: Follow, walk: Walk): boolean {
  const { alternatives, min, max } = item;
  const [only = []] = alternatives;
  if (max > 1) {
    if (alternatives.length > 1 || !countFixed(only, Number.isFinite(max) ? max : Math.max(1, min), walk)) return false;
    countQuantifier(item, firstOf(only, 0n), unionOf(only), follow, walk);
    return true;
  }
  walk.choices *= alternatives.length * (min === 0 ? 2 : 1);
  return alternatives.every((alternative) => walkSequence(alternative, follow, walk));
}

function countQuantifier(
  { min, max }: { readonly min: number; readonly max: number },
  first: bigint,
  all: bigint,
  follow: Follow,
  walk: Walk,
): void {
  walk.size += Number.isFinite(max) ? Math.max(1, max) : Math.max(1, min);
  // What ends the pattern succeeds once it has its least, so the engine takes its run only once.
  if (min === max || follow === 'success') return;
  // Where the next character can't be one of its own, only one stopping place goes on.
  const ambiguous = (first & follow) !== 0n;
  if (Number.isFinite(max)) {
    if (ambiguous) walk.choices *= max - min + 1;
    return;
  }
  walk.unbounded |= all;
  walk.degree = Math.max(walk.degree, walk.branching + 1);
  if (ambiguous) walk.branching += 1;
}

/** Counts items that can match in one way only; false where there is a choice. */
function countFixed(items: readonly RegexItem[], times: number, walk: Walk): boolean {
  return items.every((item) => {
    if (item.kind === 'assertion') return true;
    if (item.kind !== 'set' || item.min !== item.max) return false;
    walk.size += item.max * times;
    return true;
  });
}

function unionOf(items: readonly RegexItem[]): bigint {
  return items.reduce((union, item) => (item.kind === 'set' ? union | item.set : union), 0n);
}

/** What can come behind the item at `index`. */
function followOf(items: readonly RegexItem[], index: number, follow: Follow): Follow {
  const rest = items.slice(index + 1);
  if (follow === 'success' && rest.every(cannotFail)) return 'success';
  return firstOf(rest, follow === 'success' ? anyCharacter : follow);
}

function cannotFail(item: RegexItem): boolean {
  return (item.kind === 'set' || item.kind === 'group') && item.min === 0;
}

function firstOfAny(alternatives: Alternatives, follow: bigint): bigint {
  return alternatives.reduce((union, items) => union | firstOf(items, follow), 0n);
}

/** The set of characters that a sequence can begin with, `follow` included where it can be empty. */
function firstOf(items: readonly RegexItem[], follow: bigint): bigint {
  let set = 0n;
  for (const item of items) {
    switch (item.kind) {
      case 'assertion':
        if (item.which === 'end') return set | item.next;
        break;
      case 'look':
        break;
      case 'set':
        set |= item.set;
        if (item.min > 0) return set;
        break;
      case 'group':
        if (item.min > 0 && !item.alternatives.some(isNullable)) return set | firstOfAny(item.alternatives, 0n);
        set |= firstOfAny(item.alternatives, 0n);
    }
  }
  return set | follow;
}

function isNullable(items: readonly RegexItem[]): boolean {
  return items.every((item) => {
    if (item.kind === 'set') return item.min === 0;
    return item.kind !== 'group' || item.min === 0 || item.alternatives.some(isNullable);
  });
}
