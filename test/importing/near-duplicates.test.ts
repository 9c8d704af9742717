import { expect, test } from 'vitest';
import { openSeenTexts } from '../../src/importing/traces/near-duplicates.ts';
import { createRandom } from '../../src/text/random.ts';

/** Words that are there once. */
function wordsOf(seed: number, count: number): string[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => Math.floor(random() * 1e9).toString(36));
}

test.each<[texts: readonly string[], found: readonly (string | undefined)[]]>([
  [
    ['Hello, World!', 'hello world', ' HELLO -- (world)', 'world hello'],
    [undefined, 'exact', 'exact', undefined],
  ],
  [
    ['order 12', 'order 13', 'order 1 2', 'order12'],
    [undefined, undefined, undefined, undefined],
  ],
  [
    ['Über 你好', 'über, 你好.', 'uber 你好', '𝒜 b', '𝒞 b'],
    [undefined, 'exact', undefined, undefined, undefined],
  ],
  [
    ['a 😀 b', 'a b', '!!', ' !! ', '??', '', ' '],
    [undefined, 'exact', undefined, 'exact', undefined, undefined, 'exact'],
  ],
  [
    ['z{0', 'z/0', 'z0', 'z:0', '`a'],
    [undefined, 'exact', undefined, 'exact', undefined],
  ],
  // Too short to be near.
  [
    ['a b c d e f', 'a b c d e g', 'a b c d e'],
    [undefined, undefined, undefined],
  ],
])('the texts %j have the earlier duplicates %j', (texts, found) => {
  const seen = openSeenTexts();
  expect(texts.map((text) => seen.add(text))).toEqual(found);
});

test('a text that is alike by 85 % of its pairs of words is near, and one by 75 % is not', { tags: 'slow' }, () => {
  const seen = openSeenTexts();
  for (let seed = 1; seed <= 200; seed += 1) {
    const words = wordsOf(seed, 100);
    const change = (count: number) =>
      words.map((word, at) => (at % 10 === 5 && at < count * 10 ? `${word}x` : word)).join(' ');
    expect([words.join(' '), change(2), change(7)].map((text) => seen.add(text))).toEqual([
      undefined,
      'near',
      undefined,
    ]);
  }
});

test('a text is near to an old one, however many came since', () => {
  const seen = openSeenTexts();
  const texts = Array.from({ length: 60 }, (_, index) => wordsOf(index + 1, 100));
  for (const words of texts) expect(seen.add(words.join(' '))).toBeUndefined();
  expect(texts.map((words) => seen.add(words.with(50, 'other').join(' ')))).toEqual(texts.map(() => 'near'));
});

test('many texts are remembered', () => {
  const seen = openSeenTexts();
  const texts = Array.from({ length: 3000 }, (_, n) => `text ${n}`);
  expect(texts.filter((text) => seen.add(text) !== undefined)).toEqual([]);
  expect(texts.filter((text) => seen.add(text) !== 'exact')).toEqual([]);
});

test('a text that is one long word is read as any other', { tags: 'slow' }, () => {
  const seen = openSeenTexts();
  const long = '漢'.repeat(6_000_000);
  expect([seen.add(long), seen.add(`${long}!`)]).toEqual([undefined, 'exact']);
});
