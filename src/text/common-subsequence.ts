/**
 * The length of the longest common subsequence, by bit vectors (Hyyrö 2004): time is the product of the lengths
 * over 16, space the shorter list.
 */
export function measureCommonSubsequence(first: readonly string[], second: readonly string[]): number {
  const [short, long] = first.length <= second.length ? [first, second] : [second, first];
  if (short.length === 0) return 0;
  const wordCount = Math.ceil(short.length / wordBits);
  const places = findPlaces(short);
  // A cleared bit is a place where the subsequence grew by one.
  const state = new Uint32Array(wordCount).fill(wordMask);
  for (const item of long) {
    const matches = places.get(item);
    if (matches !== undefined) advance(state, matches);
  }
  return countCleared(state, short.length);
}

// With 16 bits a word, the carry of an addition stays an exact small integer.
const wordBits = 16;
const wordMask = 0xff_ff;

/** Where an item stands: the words that hold it, in order, and its bits in each. */
interface Places {
  readonly words: number[];
  readonly bits: number[];
}

function findPlaces(items: readonly string[]): Map<string, Places> {
  const places = new Map<string, Places>();
  for (const [index, item] of items.entries()) {
    const { words, bits } = places.get(item) ?? { words: [], bits: [] };
    const word = Math.floor(index / wordBits);
    if (words.at(-1) !== word) {
      words.push(word);
      bits.push(0);
    }
    bits[bits.length - 1] = (bits.at(-1) ?? 0) | (1 << (index % wordBits));
    places.set(item, { words, bits });
  }
  return places;
}

/** Adds the matches to the state; a word that has none and no carry into it stays as it is, and is not looked at. */
function advance(state: Uint32Array, { words, bits }: Places): void {
  let carry = 0;
  let next = 0;
  for (let place = 0; place < words.length; place += 1) {
    const word = words[place] ?? 0;
    for (; carry > 0 && next < word; next += 1) carry = addToWord(state, next, 0, carry);
    carry = addToWord(state, word, bits[place] ?? 0, carry);
    next = word + 1;
  }
  for (; carry > 0 && next < state.length; next += 1) carry = addToWord(state, next, 0, carry);
}

function addToWord(state: Uint32Array, word: number, matches: number, carry: number): number {
  const before = state[word] ?? 0;
  const matched = before & matches;
  const sum = before + matched + carry;
  state[word] = (sum & wordMask) | (before & ~matched & wordMask);
  return sum > wordMask ? 1 : 0;
}

function countCleared(state: Uint32Array, length: number): number {
  let cleared = 0;
  for (let index = 0; index < length; index += 1) {
    if (((state[Math.floor(index / wordBits)] ?? 0) & (1 << (index % wordBits))) === 0) cleared += 1;
  }
  return cleared;
}
