import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  measureCommonSubsequence,
  measureEditDistance,
  type RougeScore,
  scoreBleu,
  scoreRougeL,
  scoreRougeN,
} from '../../src/text/words/similarity.ts';
import { splitTokens, splitWords } from '../../src/text/words/words.ts';
import fc from '../support/property.ts';
import { buildSpec, describeAssertion, findProblems, judgeOne } from './judge-one.ts';

describeAssertion('levenshtein', [
  { when: 'the texts are the same', params: { value: 'refund', max: 0 }, answer: 'refund', is: 'pass', score: 1 },
  // In floating point 1 - 9/10 is below 0.1.
  {
    when: 'the similarity is just enough',
    params: { value: 'abcdefghij', min: 0.1 },
    answer: 'a123456789',
    is: 'pass',
  },
  {
    when: 'three edits lie between them',
    params: { value: 'kitten', max: 3 },
    answer: 'sitting',
    is: 'pass',
    score: 1 - 3 / 7,
    reason: /^is 3 edits from "kitten", similarity 0\.571/,
  },
  { when: 'one edit too many lies between them', params: { value: 'kitten', max: 2 }, answer: 'sitting', is: 'fail' },
  {
    when: 'the similarity is reached',
    params: { value: 'abcd', min: 0.75 },
    answer: 'abcx',
    is: 'pass',
    reason: /wanted a similarity of at least 0\.75: /,
  },
  { when: 'the similarity is missed', params: { value: 'abcd', min: 0.76 }, answer: 'abcx', is: 'fail' },
  {
    when: 'one of two bounds is missed',
    params: { value: 'abcd', max: 9, min: 0.9 },
    answer: 'abcx',
    is: 'fail',
    reason: /wanted at most 9 edits and a similarity of at least 0\.9: found "abcx"$/,
  },
  {
    when: 'a character is a code point',
    params: { value: 'a😀', max: 1 },
    answer: 'a😃',
    is: 'pass',
    reason: /1 edit from/,
  },
  { when: 'both are empty', params: { value: '', max: 0 }, answer: '', is: 'pass' },
  { when: 'the case is ignored', params: { value: 'ABC', max: 0, ignoreCase: true }, answer: 'abc', is: 'pass' },
  { when: 'white space is trimmed', params: { value: 'abc', max: 0, trim: true }, answer: ' abc\n', is: 'pass' },
  {
    when: 'the answer is too long for a verdict',
    params: { value: 'ab'.repeat(30_000), min: 0.1 },
    answer: 'xy'.repeat(30_000),
    is: 'error',
    reason: /too long to compare \(60000 characters\)/,
  },
  {
    when: 'the lengths alone settle it',
    params: { value: 'ab'.repeat(10_000), min: 0.9 },
    answer: 'xy'.repeat(200_000),
    is: 'fail',
    reason: /at least 380000 edits/,
  },
]);

describeAssertion('rouge', [
  {
    when: 'one of two words is there',
    params: { value: 'refund sent', min: 0.5 },
    answer: 'Refund, declined!',
    is: 'pass',
    score: 0.5,
    reason: /^ROUGE-1 recall 0\.500, precision 0\.500, f 0\.500/,
  },
  { when: 'it is missed', params: { value: 'refund sent', min: 0.51 }, answer: 'refund declined', is: 'fail' },
  { when: 'recall is asked', params: { value: 'a b', measure: 'recall', min: 1 }, answer: 'a b c d', is: 'pass' },
  {
    when: 'precision is asked',
    params: { value: 'a b', measure: 'precision', min: 0.6 },
    answer: 'a b c d',
    is: 'fail',
  },
  { when: 'the best of references counts', params: { value: ['x', 'a b'], min: 1 }, answer: 'a b', is: 'pass' },
  { when: 'the order counts for L', params: { value: 'a b', n: 'L', min: 0.6 }, answer: 'b a', is: 'fail', score: 0.5 },
  { when: 'the case counts', params: { value: 'A', min: 1, ignoreCase: false }, answer: 'a', is: 'fail', score: 0 },
  {
    when: 'Chinese is split by character',
    params: { value: '退款已发', min: 0.7 },
    answer: '退款未发',
    is: 'pass',
    score: 0.75,
  },
  { when: 'the answer is empty', params: { value: 'a', n: 2, min: 0.1 }, answer: '', is: 'fail', score: 0 },
  {
    when: 'the texts are too long for L',
    params: { value: 'a '.repeat(50_000), n: 'L', min: 0.1 },
    answer: 'a '.repeat(50_000),
    is: 'error',
    reason: /too long for ROUGE-L \(50000 and 50000 words\)/,
  },
]);

describeAssertion('bleu', [
  {
    when: 'the answer is too long',
    params: { value: 'a', min: 0.1 },
    answer: '['.repeat(150_000),
    is: 'error',
    reason: /too long for BLEU \(150000 tokens\)/,
  },
  {
    when: 'the answer is too long to be parted',
    params: { value: 'a', min: 0.1 },
    answer: 'a '.repeat(100_001),
    is: 'error',
    reason: /too long for BLEU \(200002 characters\)/,
  },
  {
    when: 'the texts are the same',
    params: { value: 'The cat sat.', min: 1 },
    answer: 'The cat sat.',
    is: 'pass',
    score: 1,
  },
  {
    when: 'nothing is shared',
    params: { value: 'The cat sat', min: 0.1 },
    answer: 'Un chien dort ici',
    is: 'fail',
    score: 0,
  },
  {
    when: 'smoothing lets it pass',
    params: { value: 'the cat sat on the mat', smoothing: 'addOne', min: 0.39 },
    answer: 'the cat sat here',
    is: 'pass',
    score: 0.399119619653364,
    reason: /^BLEU 0\.399/,
  },
  {
    when: 'there is no smoothing',
    params: { value: 'the cat sat on the mat', smoothing: 'none', min: 0.01 },
    answer: 'the cat sat here',
    is: 'fail',
    score: 0,
  },
  {
    when: 'the case is ignored',
    params: { value: 'THE CAT', ignoreCase: true, min: 1 },
    answer: 'the cat',
    is: 'pass',
  },
  { when: 'the case counts', params: { value: 'THE CAT', min: 0.1 }, answer: 'the cat', is: 'fail' },
  { when: 'the answer is empty', params: { value: 'a', min: 0.1 }, answer: '', is: 'fail', score: 0 },
]);

test.each([
  ['levenshtein', { value: 'a' }, /needs max \(edits\) or min \(similarity\)/],
  ['levenshtein', { value: 'a', max: -1 }, /^max: must be 0 or more/],
  ['levenshtein', { value: 'a', min: 2 }, /^min: must be at most 1/],
  ['rouge', { value: 'a' }, /^min: /],
  ['rouge', { value: ' ', min: 0.5 }, /^value: must not be empty/],
  ['rouge', { value: [], min: 0.5 }, /^value: /],
  ['rouge', { value: 'a', n: 0, min: 0.5 }, /^n: must be a whole number from 1 to 9, or L/],
  ['bleu', { value: 'a', min: 0 }, /^min: must be more than 0/],
  ['bleu', { value: 'a', min: 0.5, smoothing: 'method1' }, /^smoothing: /],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params).join('\n')).toMatch(problem);
});

const words = (text: string) => text.split(' ');

describe('sentence BLEU', () => {
  const references = [
    'It is a guide to action that ensures that the military will forever heed Party commands',
    'It is the guiding principle which guarantees the military forces always being under the command of the Party',
    'It is the practical guide for the army always to heed the directions of the party',
  ].map(words);
  const first = words('It is a guide to action which ensures that the military always obeys the commands of the party');
  const second = words('It is to insure the troops forever hearing the activity guidebook that party direct');

  // The candidates of Papineni et al. 2002; the numbers are those of NLTK 3.9.1 (smoothing methods 2 and 3).
  test.each([
    ['first', 'none', 0.5045666840058485],
    ['first', 'addOne', 0.539755306744061],
    ['first', 'exp', 0.5045666840058485],
    ['second', 'none', 0],
    ['second', 'addOne', 0.13111209575157431],
    ['second', 'exp', 0.06963003305718092],
  ] as const)('of the %s candidate with smoothing %s is %d', (candidate, smoothing, score) => {
    expect(scoreBleu(candidate === 'first' ? first : second, references, smoothing)).toBeCloseTo(score, 10);
  });

  // Published with sacreBLEU's own tests, to a thousandth of a percent; the digits that follow are of its code.
  test.each([
    ['exp', 0.08493098745313142],
    ['addOne', 0.14882560178972215],
    ['none', 0],
  ] as const)('of a published sentence with smoothing %s is %d', (smoothing, score) => {
    const candidate = 'Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;';
    const reference = 'producţia de zahăr brut se exprimă în zahăr alb;';
    expect(scoreBleu(splitTokens(candidate), [splitTokens(reference)], smoothing)).toBeCloseTo(score, 10);
  });

  test('counts the characters of Chinese, as the tokens "zh" of sacreBLEU do', () => {
    const [candidate, reference] = ['我今天去了商店，买了3.5公斤苹果。', '今天我去商店买了3.5公斤的苹果。'].map(
      splitTokens,
    );
    expect(candidate?.join(' ')).toBe('我 今 天 去 了 商 店 ， 买 了 3.5 公 斤 苹 果 。');
    expect(scoreBleu(candidate ?? [], [reference ?? []], 'exp')).toBeCloseTo(0.378448113759187, 12);
  });

  test('counts a repeated word only as often as a reference has it', () => {
    const candidate = words('the the the the the the the');
    const texts = [words('The cat is on the mat'), words('There is a cat on the mat')].map((text) =>
      text.map((word) => word.toLowerCase()),
    );
    expect(scoreBleu(candidate, texts, 'none', 1)).toBeCloseTo(2 / 7, 12);
  });

  test('is 1 for the reference itself, and never outside 0 to 1', () => {
    const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 });
    const smoothing = fc.constantFrom('none', 'addOne', 'exp');
    fc.assert(
      fc.property(tokens, tokens, smoothing, (candidate, reference, method) => {
        const score = scoreBleu(candidate, [reference], method);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1 + 1e-12);
        expect(scoreBleu(candidate, [reference, candidate], method)).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe('ROUGE', () => {
  const reference = words('police killed the gunman');

  // The examples of Lin 2004, section 3.1.
  test.each([
    ['police kill the gunman', 0.75],
    ['the gunman kill police', 0.5],
  ])('L of "%s" is %d', (candidate, score) => {
    const { recall, precision, f } = scoreRougeL(words(candidate), reference);
    expect([recall, precision, f]).toEqual([score, score, score]);
  });

  // Figures of ROUGE-1.5.5 itself, published with rouge-score's tests.
  test.each([
    [
      "rFDJCRtion Ht-LM EKtDXkME,yz'RBr q'wer wrojNbN wL,b .a-'XdQggyFl jB-RPP'iyOIcUxi",
      "ZfbCUIUuePaiLVUlCaUXxkpu XPeWing tUHfPMuZ',-Xd Y BrUgVJing M-HV.-DgdDaY.rFDJCRing Ht-LM EKBDXkME,yz'RBr q'wtion wIojNbN wL,b .a-'XdQggyFl jB-RPP'iyOIcUxer tKM L",
      [0.40741, 0.6875, 0.51163],
      [0.30769, 0.53333, 0.39024],
    ],
    [
      "n cw-WeFyu vC MoBL Xdn g wkvcEiGvKtion BDFhrpMer pstion sbKao Q m qier LMmed HqqLFXe,XPY,J XsurkMeo ,ed nB'wH'bWVHjWFEer tQ.saefZwJtKrTlixYpMMNJtion UCAPwNHeYVjD",
      "KsJdPByEtAor fE-Qg Dpdbring cw-WeFyu vC MoBL Xdn g wkvcEiGvKtion BDFhrpMtion psing sbKao Q m qiing LMmer HqqLFXe,XPY,J XsurkMer ,ed nB'wH'bWVHjWFEing tQ.saefZwJtKrTlixYpMMsJing UCAPwNHeYVjDing c T BUySKtion gMPfJpwGw p'NvxAoping eu pBwMBKV'I DNxqelhu,PHPxDEq,mtion SN",
      [0.40476, 0.65385, 0.5],
      [0.29268, 0.48, 0.36364],
    ],
  ])('scores %j as ROUGE-1.5.5 does', (prediction, target, one, two) => {
    const [a, b] = [splitWords(prediction.toLowerCase()), splitWords(target.toLowerCase())];
    const shown = ({ recall, precision, f }: RougeScore) => [recall, precision, f].map((x) => Number(x.toFixed(5)));
    expect(shown(scoreRougeN(a, b, 1))).toEqual(one);
    expect(shown(scoreRougeN(a, b, 2))).toEqual(two);
    expect(shown(scoreRougeL(a, b))).toEqual(one);
  });

  test('N counts no more matches than either side has, and no run is longer than a text', () => {
    expect(scoreRougeN(words('a a a'), words('a b'), 1)).toEqual({ precision: 1 / 3, recall: 1 / 2, f: 0.4 });
    expect(scoreRougeN(words('a'), words('a b'), 2)).toEqual({ precision: 0, recall: 0, f: 0 });
  });

  // js-rouge 3.2.3 gives the same F for both.
  test('agrees with another implementation', () => {
    const [candidate, other] = [
      words('police kill the gunman in the house'),
      words('the police killed the gunman near the old house'),
    ];
    expect(scoreRougeN(candidate, other, 1).f).toBeCloseTo(0.625, 12);
    expect(scoreRougeN(candidate, other, 2).f).toBeCloseTo(1 / 7, 12);
    expect(scoreRougeL(candidate, other).f).toBeCloseTo(0.625, 12);
  });
});

describe('50 pairs of random texts have the figures of the reference implementations, to 1e-9', () => {
  type Pair = readonly [string, string, number, readonly number[], readonly number[]];
  const file = join(import.meta.dirname, 'similarity-reference.json');
  const { pairs } = JSON.parse(readFileSync(file, 'utf8')) as { readonly pairs: readonly Pair[] };
  const expectNear = (found: readonly number[], wanted: readonly number[]) => {
    for (const [index, value] of wanted.entries()) expect(Math.abs((found[index] ?? -1) - value)).toBeLessThan(1e-9);
  };

  test('there are fifty, and they differ', () => {
    expect(pairs).toHaveLength(50);
    expect(new Set(pairs.map(([, , , , rouge]) => rouge.join())).size).toBeGreaterThan(40);
  });

  type Sentences = readonly [string, string, readonly number[], readonly number[], readonly string[]];
  const { sentences } = JSON.parse(readFileSync(file, 'utf8')) as { readonly sentences: readonly Sentences[] };

  test.each(sentences)('with punctuation: %s | %s', (candidate, reference, bleu, rouge, tokens) => {
    expect(splitTokens(candidate)).toEqual(tokens);
    expectNear(
      (['exp', 'addOne', 'none'] as const).map((smoothing) =>
        scoreBleu(splitTokens(candidate), [splitTokens(reference)], smoothing),
      ),
      bleu,
    );
    const [a, b] = [splitWords(candidate.toLowerCase()), splitWords(reference.toLowerCase())];
    expectNear([scoreRougeN(a, b, 1).f, scoreRougeN(a, b, 2).f, scoreRougeL(a, b).f], rouge);
  });

  test.each(pairs)('%s | %s', (candidate, reference, distance, bleu, rouge) => {
    const [a, b] = [words(candidate), words(reference)];
    expect(splitTokens(candidate)).toEqual(a);
    expect(measureEditDistance(reference, candidate)).toMatchObject({ isExact: true, distance });
    expectNear(
      (['none', 'addOne', 'exp'] as const).map((smoothing) => scoreBleu(a, [b], smoothing)),
      bleu,
    );
    expectNear([scoreRougeN(a, b, 1).f, scoreRougeN(a, b, 2).f, scoreRougeL(a, b).f], rouge);
  });
});

test('the longest common subsequence by bits is that of the textbook table', () => {
  // Of many letters, some are not in each block of bits.
  const items = fc.oneof(
    fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 70, size: 'max' }),
    fc.array(fc.constantFrom(...Array.from({ length: 26 }, (_, index) => `w${index}`)), {
      maxLength: 140,
      size: 'max',
    }),
  );
  fc.assert(
    fc.property(items, items, (first, second) => {
      expect(measureCommonSubsequence(first, second)).toBe(measureByTable(first, second));
    }),
  );
});

function measureByTable(first: readonly string[], second: readonly string[]): number {
  let row = second.map(() => 0);
  for (const item of first) {
    const next: number[] = [];
    for (const [index, other] of second.entries()) {
      const diagonal = index === 0 ? 0 : (row[index - 1] ?? 0);
      next.push(item === other ? diagonal + 1 : Math.max(row[index] ?? 0, next[index - 1] ?? 0));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

test('the edit distance is a metric', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '😀', 'é'), maxLength: 12 });
  const between = (first: string, second: string) => {
    const measured = measureEditDistance(first, second);
    return measured.isExact ? measured.distance : Number.NaN;
  };
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      expect(between(a, b)).toBe(between(b, a));
      expect(between(a, b) === 0).toBe(a === b);
      expect(between(a, c)).toBeLessThanOrEqual(between(a, b) + between(b, c));
    }),
  );
});

test('words are runs of letters and digits, and tokens their punctuation too', () => {
  expect(splitWords("It's 3.5 – naïve, 东京 e\u0301t")).toEqual(['It', 's', '3', '5', 'naïve', '东', '京', 'ét']);
  expect(splitTokens('Yes, no.')).toEqual(['Yes', ',', 'no', '.']);
});

test('levenshtein shows a difference where it fails, and none where it passes', async () => {
  expect(await judgeOne(buildSpec('levenshtein', { value: 'kitten', max: 3 }), 'sitting')).not.toHaveProperty('diff');
  expect(await judgeOne(buildSpec('levenshtein', { value: 'kitten', max: 2 }), 'sitting')).toMatchObject({
    diff: { expected: 'kitten', found: 'sitting' },
  });
});
