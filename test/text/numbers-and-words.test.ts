import { describe, expect, test } from 'vitest';
import { readNumber } from '../../src/assertions/structure/number.ts';
import { spell } from '../../src/json/canonical-json.ts';
import { findShellSign, splitCommand } from '../../src/text/code/command-line.ts';
import { DeadlineError, runWithDeadline } from '../../src/text/deadline.ts';
import { DurationError, parseDurationMs } from '../../src/text/duration.ts';
import { lastWords, quote } from '../../src/text/shorten.ts';
import { countCharacters, countLines, countSentences, countWords } from '../../src/text/words/words.ts';
import { distanceOf, plainNumbers, SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import fc, { codePoint } from '../support/property.ts';

describe('durations', () => {
  test.each([
    ['2s', 2000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['2h', 7_200_000],
    ['2d', 172_800_000],
    ['1d12h', 129_600_000],
    ['1h1m1s1ms', 3_661_001],
    [' 0s ', 0],
  ])('%j is %d ms', (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });

  test.each([
    [2, /"2" has no unit: write "2s" or "2ms"/],
    ['30', /has no unit/],
    ['', /not a duration/],
    ['s', /not a duration/],
    ['-2s', /not a duration/],
    ['2 s', /not a duration/],
    ['2s1m', /from large to small/],
    ['1s1s', /from large to small/],
    [null, /a value of type null/],
    [`${'9'.repeat(400)}s`, /too long/],
    ['2 days', /not a duration: write "2d"/],
    ['3 min', /write "3m"/],
    ['5 lightyears', /write one such as/],
  ])('%j is none', (value, message) => {
    expect(() => parseDurationMs(value)).toThrow(DurationError);
    expect(() => parseDurationMs(value)).toThrow(message);
  });
});

describe('the deadline', () => {
  /** No function here takes so long, however busy the machine is. */
  const amplyMs = 10_000;

  test('gives what the function returns, closures included', () => {
    let calls = 0;
    expect(runWithDeadline(() => (calls += 1), amplyMs)).toBe(1);
    expect(calls).toBe(1);
  });

  test('stops a loop without end and works again afterwards', () => {
    const spin = () => {
      let count = 0;
      for (;;) count += 1;
    };
    expect(() => runWithDeadline(spin, 30)).toThrow(new DeadlineError(30));
    expect(runWithDeadline(() => 'again', amplyMs)).toBe('again');
  });

  test('repeats no function that had the time to compute', () => {
    const countRuns = () => {
      let runs = 0;
      const spin = () => {
        runs += 1;
        for (;;);
      };
      expect(() => runWithDeadline(spin, 30)).toThrow(DeadlineError);
      return runs;
    };
    // On a busy machine it may not have had the time in most of these.
    const runsOf = Array.from({ length: 20 }, () => countRuns);
    expect(runsOf.some((count) => count() === 1)).toBe(true);
  });

  test('gives a function more time when the machine kept it from computing', () => {
    const word = new Int32Array(new SharedArrayBuffer(4));
    let runs = 0;
    const stall = () => {
      runs += 1;
      return Atomics.wait(word, 0, 0, 60);
    };
    expect(runWithDeadline(stall, 30)).toBe('timed-out');
    expect(runs).toBe(2);
  });

  test('lets the error of the function through', () => {
    const error = new RangeError('mine');
    expect(() =>
      runWithDeadline(() => {
        throw error;
      }, amplyMs),
    ).toThrow(error);
  });
});

describe('spelled numbers', () => {
  const spelled = new SpelledNumber(1, '1.0');

  test('are numbers in JSON and their spelling in text', () => {
    expect(JSON.stringify({ a: spelled })).toBe('{"a":1}');
    expect(`${spelled.toString()} ${spell(spelled)} ${spell([spelled])}`).toBe('1.0 1.0 [1]');
  });

  test('become plain at any depth', () => {
    expect(plainNumbers({ a: [spelled, { b: spelled }] })).toEqual({ a: [1, { b: 1 }] });
  });

  test('a value without any comes back as it was', () => {
    const value = { a: [1, null], b: 'x' };
    expect(plainNumbers(value)).toBe(value);
  });

  test('a __proto__ key stays data', () => {
    const value: unknown = JSON.parse('{"__proto__": 1}');
    expect(JSON.stringify(plainNumbers({ value, spelled }))).toBe('{"value":{"__proto__":1},"spelled":1}');
    const hostile = Object.defineProperty({}, '__proto__', { value: spelled, enumerable: true });
    expect(JSON.stringify(plainNumbers(hostile))).toBe('{"__proto__":1}');
  });
});

test.each([
  ['1.5', '1e-3', 1.499],
  ['1e-3', '1.5', 1.499],
  ['-2', '3', 5],
  ['12345678901234567890', '12345678901234567889', 1],
  ['1e999', '1', Number.POSITIVE_INFINITY],
  ['1e-999', '1', 1],
  ['x', '1', Number.POSITIVE_INFINITY],
])('%s and %s lie %d apart', (a, b, distance) => {
  expect(distanceOf(a, b)).toBe(distance);
});

test.each([
  ['one two', 7, 'one two'],
  ['one two three', 5, 'three'],
  ['one two three', 7, 'three'],
  ['one two three', 9, 'two three'],
  ['one two three', 10, 'two three'],
  ['abcdef', 3, 'def'],
  ['abc   ', 2, '  '],
])('the end of %j in %d characters is %j', (text, most, end) => {
  expect(lastWords(text, most)).toBe(end);
});

test.each([
  ['node "a b" \'c "d"\' e\\ f', ['node', 'a b', 'c "d"', 'e f']],
  ['"g\\"h" "" C:\\tools\\x.exe', ['g"h', '', 'C:\\tools\\x.exe']],
  ["a'b'\"c\" 'd\\e'", ['abc', 'd\\e']],
  ['  ', []],
  ['a "b', undefined],
  ['a \'b"', undefined],
])('the command %s has the words %j', (line, words) => {
  expect(splitCommand(line)).toEqual(words);
});

test.each([
  ['a && b', '&&'],
  ['a || b', '||'],
  ['a | b', '|'],
  ['a; b', ';'],
  ['a > b', '>'],
  ['a 2>&1', '2>&1'],
  ['a &', '&'],
  ['sh -c "a && b; c"', undefined],
  [String.raw`grep "a \" && " 'b | c' \| d`, undefined],
  ['a --b=c;d http://x/?a=1&b=2', undefined],
])('the sign of a shell in %j is %j', (line, sign) => {
  expect(findShellSign(line)).toBe(sign);
});

describe('quoting', () => {
  test('a text of any length is one line without lone surrogates', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint, maxLength: 300 }), (text) => {
        expect(quote(text, 20)).not.toMatch(/[\n\r]|\p{Cs}/u);
      }),
    );
  });

  test('a long text is cut and its length named', () => {
    expect(quote('a😀b', 2)).toBe('"a"… (4 characters)');
  });
});

describe('numbers in text', () => {
  test.each([
    ['12,34,567', 1_234_567],
    ['₹1,23,456.50', 123_456.5],
    ['42', 42],
    [' -1.5\n', -1.5],
    ['−3', -3],
    ['$1,234.50', 1234.5],
    ['-$5', -5],
    ['$-5', -5],
    ['1 234,5 €', 1234.5],
    ['1.234,56', 1234.56],
    ['1.234.567', 1_234_567],
    ["1'000'000", 1_000_000],
    ['1,5', 1.5],
    ['1,000', 1000],
    ['1.000', 1],
    ['45 %', 45],
    ['USD 20', 20],
    ['20 EUR', 20],
    ['1.5e3', 1500],
    ['.5', 0.5],
    ['+7', 7],
  ])('%j is %d', (text, expected) => {
    expect(readNumber(text)).toBe(expected);
  });

  test.each([
    '',
    'abc',
    '1 2',
    '12,34,5',
    '1,2.3,4',
    '--1',
    '-$-1',
    '1e999',
    'NaN',
    'Infinity',
    '4 apples',
    '1/2',
    '10 USDX',
    '1'.repeat(200),
  ])('%j is none', (text) => {
    expect(readNumber(text)).toBeUndefined();
  });

  test('every number is read back as JavaScript writes it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(readNumber(String(value))).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});

describe('counting', () => {
  test.each([
    ['', 0, 0, 0, 0],
    ['Hello', 5, 1, 1, 1],
    ['One. Two! Three?', 16, 3, 3, 1],
    ['See e.g. this. It is 3.5 kg.', 28, 7, 2, 1],
    ['He said "Stop." Then he left.', 29, 6, 2, 1],
    ['Title\n\nText\n', 12, 2, 2, 3],
    ['你好。再见！', 6, 2, 2, 1],
    ['今天天气很好，GPT模型。', 13, 5, 1, 1],
    ['สวัสดีครับ', 10, 2, 1, 1],
    ['यह एक है। वह दो है।', 19, 6, 2, 1],
    ['هل هذا سؤال؟ نعم.', 17, 4, 2, 1],
    ['Dr. Smith met Mrs. Ade. Yes.', 28, 6, 2, 1],
    ['😀 - …', 5, 0, 0, 1],
    ['a\r\nb', 4, 2, 1, 2],
    ['他去', 2, 2, 1, 1],
    ['我', 1, 1, 1, 1],
    ['Title\n\n- - -\n\nText', 18, 2, 2, 5],
    ['He left (at 5). "Why?" he said', 30, 7, 2, 1],
  ])('%j', (text, characters, words, sentences, lines) => {
    expect([countCharacters(text), countWords(text).count, countSentences(text), countLines(text)]).toEqual([
      characters,
      words,
      sentences,
      lines,
    ]);
  });

  test('words of scripts without spaces are counted up to a number, and that is said', () => {
    expect(countWords('你好'.repeat(100_000))).toMatchObject({ exact: false });
    expect(countWords('word '.repeat(100_000))).toEqual({ count: 100_000, exact: true });
  });

  test('characters are counted as code points', () => {
    const law = fc.property(
      fc.string({ unit: codePoint }),
      (text) => countCharacters(text) === Array.from(text).length,
    );
    expect(() => fc.assert(law)).not.toThrow();
  });
});
