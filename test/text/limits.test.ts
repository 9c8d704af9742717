import { expect, test } from 'vitest';
import { onAbort } from '../../src/text/deadline.ts';
import { createRandom } from '../../src/text/random.ts';
import { clipText } from '../../src/text/shorten.ts';
import { findNearest } from '../../src/text/words/did-you-mean.ts';
import { measureCommonSubsequence, scoreBleu } from '../../src/text/words/similarity.ts';
import { compareDecimals, plainNumbers, SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';

test('the last of all characters is not cut in two either', () => {
  expect(['a\u{10000}', 'a\u{10ffff}', 'a\ue000'].map((text) => clipText(`${text}b`, 2))).toEqual([
    'a',
    'a',
    'a\ue000',
  ]);
});

test('a name of one letter is near to no other', () => {
  expect([findNearest('a', ['b']), findNearest('ab', ['ac']), findNearest('ab', ['cd'])]).toEqual([
    undefined,
    'ac',
    undefined,
  ]);
});

test('a listener that was added twice is taken back once', () => {
  const controller = new AbortController();
  const calls: string[] = [];
  const stop = onAbort(controller.signal, () => calls.push('a'));
  const shared = () => calls.push('b');
  onAbort(controller.signal, shared);
  onAbort(controller.signal, shared)();
  stop();
  controller.abort();
  expect(calls).toEqual(['b']);
});

test('a number that no double keeps stays what it is', () => {
  const long = new SpelledNumber(9007199254740992, '9007199254740993');
  expect(plainNumbers(long)).toBe(long);
  expect(plainNumbers([new SpelledNumber(1, '1.0'), long])).toEqual([1, long]);
});

test('numbers of YAML in other bases are compared by value', () => {
  expect([compareDecimals('0o17', '15'), compareDecimals('0x1f', '31'), compareDecimals('0o17', '16')]).toEqual([
    0, 0, -1,
  ]);
});

test('the shorter of two equally near references counts', () => {
  const words = 'a b c d'.split(' ');
  const [short, long] = [words.slice(0, 3), [...words, 'e']];
  expect(scoreBleu(words, [long, short], 'none')).toBe(1);
  expect(scoreBleu(words, [short, long], 'none')).toBe(1);
  expect(scoreBleu(words, [long], 'none')).toBeCloseTo(Math.exp(1 - 5 / 4), 12);
});

test('the longest common subsequence of long lists is that of the plain algorithm', () => {
  const random = createRandom(7);
  for (let round = 0; round < 20; round += 1) {
    const [first, second] = [100, 130].map((size) =>
      Array.from({ length: size }, () => String(Math.floor(random() * (round + 2)))),
    );
    if (first === undefined || second === undefined) throw new Error('two lists');
    let row = second.map(() => 0);
    for (const item of first) {
      const next: number[] = [];
      for (const [index, other] of second.entries()) {
        const before = row[index - 1] ?? 0;
        next.push(item === other ? before + 1 : Math.max(row[index] ?? 0, next[index - 1] ?? 0));
      }
      row = next;
    }
    expect(measureCommonSubsequence(first, second)).toBe(row.at(-1));
  }
});
