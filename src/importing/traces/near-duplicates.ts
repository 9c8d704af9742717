import { sha256Hex } from '../../text/sha256.ts';

/** Minimum share of a near duplicate, which is left out. */
const nearDuplicateShare = 0.85;

/** Number of recent texts to compare with. It bounds the memory. */
const comparedTexts = 65_536;

const bands = 8;
const bandRows = 4;
/** Number of smallest pair hashes kept per text, as a sample to compare. */
const sketchSize = 64;
/** Marks an unused place in a sketch. */
const none = 0xffffffff;
/** Most texts compared per band. Texts with one form, such as a template, would otherwise all be compared. */
const maxCompared = 16;

type Duplicate = 'exact' | 'near';

/**
 * Remembers texts and finds duplicates. `exact` ignores case, punctuation and blanks. `near` shares at least 85 % of
 * its word pairs with a recent text (Jaccard). Takes 20 MB, and about 64 bytes per text.
 */
export interface SeenTexts {
  /** Returns the kind of duplicate, or remembers a new text and returns undefined. */
  add(text: string): Duplicate | undefined;
}

export function openSeenTexts(): SeenTexts {
  const exact = new Set<number>();
  const recent = openRecentSketches();
  return {
    add(text) {
      const { key, pairs } = readWords(text);
      if (exact.has(key)) return 'exact';
      // Shorter texts are too short for a near duplicate.
      if (pairs.length >= 6 && !recent.add(pairs)) return 'near';
      exact.add(key);
      return undefined;
    },
  };
}

/** Hashes a text's words in lower case. `key` has 52 bits; `pairs` are the distinct hashes of word pairs, sorted. */
function readWords(text: string): { readonly key: number; readonly pairs: Uint32Array } {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{1,100000}/gu) ?? [];
  const hashes = words.map(hashText);
  const pairs = hashes.slice(1).map((hash, index) => mix(Math.imul(hashes[index] ?? 0, 31) ^ hash));
  return {
    key: Number.parseInt(sha256Hex(words.join(' ') || text.trim()).slice(0, 13), 16),
    pairs: Uint32Array.from(new Set(pairs)).sort(),
  };
}

/** A ring of sketches, indexed by bands that similar texts share (locality-sensitive hashing). */
function openRecentSketches() {
  const sketches = new Uint32Array(comparedTexts * sketchSize);
  const newest = Array.from({ length: bands }, () => new Uint32Array(comparedTexts));
  const older = Array.from({ length: bands }, () => new Uint32Array(comparedTexts));
  /** Counts texts, from 1. */
  let count = 0;
  const startOf = (index: number) => (index % comparedTexts) * sketchSize;
  const hasNear = (sketch: Uint32Array, band: number, key: number): boolean => {
    let other = newest[band]?.[key] ?? 0;
    for (let step = 0; step < maxCompared && other > Math.max(0, count - comparedTexts); step += 1) {
      const start = startOf(other);
      if (estimateShare(sketch, sketches.subarray(start, start + sketchSize)) >= nearDuplicateShare) return true;
      other = older[band]?.[other % comparedTexts] ?? 0;
    }
    return false;
  };
  return {
    /** Remembers a text; false if a recent one is near. */
    add(pairs: Uint32Array): boolean {
      const sketch = new Uint32Array(sketchSize).fill(none);
      sketch.set(pairs.subarray(0, sketchSize));
      const keys = bandKeys(pairs);
      if (keys.some((key, band) => hasNear(sketch, band, key))) return false;
      count += 1;
      sketches.set(sketch, startOf(count));
      for (const [band, key] of keys.entries()) {
        const heads = newest[band] ?? new Uint32Array();
        (older[band] ?? new Uint32Array())[count % comparedTexts] = heads[key] ?? 0;
        heads[key] = count;
      }
      return true;
    },
  };
}

/** MinHash (Broder 1997): two texts have the same least hash with the probability of their Jaccard share. */
function bandKeys(pairs: Uint32Array): readonly number[] {
  return Array.from({ length: bands }, (_, band) => {
    let key = band;
    for (let row = 0; row < bandRows; row += 1) key = mix(key ^ leastHash(pairs, mix(band * bandRows + row + 1)));
    return key % comparedTexts;
  });
}

function leastHash(pairs: Uint32Array, salt: number): number {
  let least = none;
  for (let index = 0; index < pairs.length; index += 1) least = Math.min(least, mix((pairs[index] ?? 0) ^ salt));
  return least;
}

/** Estimates the Jaccard share of two sets by their smallest hashes. */
function estimateShare(first: Uint32Array, second: Uint32Array): number {
  let shared = 0;
  let union = 0;
  for (let a = 0, b = 0; union < sketchSize; union += 1) {
    const left = first[a] ?? none;
    const right = second[b] ?? none;
    if (left === none && right === none) break;
    if (left === right) shared += 1;
    if (left <= right) a += 1;
    if (right <= left) b += 1;
  }
  return union === 0 ? 0 : shared / union;
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
