/** How much of two texts is alike from which on the second is left out. */
export const nearDuplicateShare = 0.85;

const bands = 6;
const bandRows = 4;
/** The smallest hashes of a text's pairs of words: a sample that is compared with others'. */
const sketchSize = 64;

export type Duplicate = 'exact' | 'near';

/**
 * Remembers texts, and says whether a further one was there: `exact` without regard to letter case, signs and blanks, or
 * `near` where it shares at least 85 % of its pairs of words with one (Jaccard). A text is remembered by some 500 bytes.
 */
export interface SeenTexts {
  /** Undefined for a new text, which is then remembered. */
  add(text: string): Duplicate | undefined;
}

export function openSeenTexts(): SeenTexts {
  const exact = new Set<string>();
  const sketches: Uint32Array[] = [];
  const places = Array.from({ length: bands }, () => new Map<number, number[]>());
  return {
    add(text) {
      const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
      const key = words.length === 0 ? text.trim() : words.join(' ');
      const short = `${hashText(key, 0x811c9dc5)}:${hashText(key, 0x01000193)}:${key.length}`;
      if (exact.has(short)) return 'exact';
      const pairs = new Set(words.slice(1).map((word, index) => hashText(`${words[index] ?? ''} ${word}`, 0x811c9dc5)));
      // Too little to be alike in part.
      if (pairs.size >= 6 && isNear(pairs, places, sketches)) return 'near';
      exact.add(short);
      return undefined;
    },
  };
}

function isNear(
  pairs: ReadonlySet<number>,
  places: readonly Map<number, number[]>[],
  sketches: Uint32Array[],
): boolean {
  const sketch = Uint32Array.from(pairs).sort().slice(0, sketchSize);
  const keys = bandKeys(pairs);
  for (const [band, key] of keys.entries()) {
    for (const index of places[band]?.get(key) ?? []) {
      const other = sketches[index];
      if (other !== undefined && estimateShare(sketch, other) >= nearDuplicateShare) return true;
    }
  }
  sketches.push(sketch);
  for (const [band, key] of keys.entries()) {
    const found = places[band]?.get(key);
    if (found === undefined) places[band]?.set(key, [sketches.length - 1]);
    // Texts with one form, such as a template, would all be compared with one another.
    else if (found.length < 16) found.push(sketches.length - 1);
  }
  return false;
}

/** MinHash (Broder 1997): similar sets have the same smallest hash under many orders. */
function bandKeys(pairs: ReadonlySet<number>): readonly number[] {
  return Array.from({ length: bands }, (_, band) => {
    let key = band;
    for (let row = 0; row < bandRows; row += 1) {
      const salt = Math.imul(band * bandRows + row + 1, 0x9e3779b1);
      let least = 0xffffffff;
      for (const pair of pairs) least = Math.min(least, mix(pair ^ salt));
      key = mix(key ^ least);
    }
    return key;
  });
}

/** The Jaccard share of two sets, by the smallest hashes of both. */
function estimateShare(first: Uint32Array, second: Uint32Array): number {
  let shared = 0;
  let union = 0;
  for (let a = 0, b = 0; union < sketchSize && (a < first.length || b < second.length); union += 1) {
    const left = first[a] ?? Number.POSITIVE_INFINITY;
    const right = second[b] ?? Number.POSITIVE_INFINITY;
    if (left === right) shared += 1;
    if (left <= right) a += 1;
    if (right <= left) b += 1;
  }
  return union === 0 ? 0 : shared / union;
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string, start: number): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
