// oxlint-disable vitest/expect-expect -- expectEach asserts.
import { describe, expect, test } from 'vitest';
import { openSeenTexts } from '../../src/importing/traces/near-duplicates.ts';
import { splitCommand } from '../../src/text/code/command-line.ts';
import { buildFunctionBody } from '../../src/text/code/function-body.ts';
import { readJavaScript } from '../../src/text/code/script-imports.ts';
import { parseCsv } from '../../src/text/csv.ts';
import { describeThrown } from '../../src/text/deadline.ts';
import { decodePercent, decodeText } from '../../src/text/decode-text.ts';
import { parseDurationMs } from '../../src/text/duration.ts';
import {
  describeBytes,
  formatAge,
  formatChange,
  formatDuration,
  formatPercent,
  formatPoints,
  formatUsd,
  listFirst,
  percentOf,
  signed,
} from '../../src/text/format-amount.ts';
import { createLineIndex, cutLine, renderCodeFrame } from '../../src/text/line-index.ts';
import {
  checkGlob,
  compilePaths,
  compileText,
  isNegative,
  isSlowForPaths,
  isSlowForTexts,
} from '../../src/text/patterns/glob.ts';
import { isHarmlessRegex } from '../../src/text/patterns/regex.ts';
import { escapeJsonText, escapeXml, sanitizeTerminal, splitUnsafe, toSafeLine } from '../../src/text/sanitize.ts';
import { clipText, lastWords, quote, shortenText } from '../../src/text/shorten.ts';
import { didYouMean, findNearest } from '../../src/text/words/did-you-mean.ts';
import { measureEditDistance, scoreBleu, scoreRougeL, scoreRougeN } from '../../src/text/words/similarity.ts';
import {
  countCharacters,
  countLines,
  countSentences,
  countWords,
  splitTokens,
  splitWords,
} from '../../src/text/words/words.ts';
import {
  canonicalDecimal,
  compareDecimals,
  distanceOf,
  isKeptByDouble,
  isWholeDecimal,
} from '../../src/text/yaml/exact-numbers.ts';
import { editYamlMap, replaceCsvField, replaceYamlValue } from '../../src/text/yaml/replace-values.ts';
import { parseYaml } from '../../src/text/yaml/yaml-text.ts';
import { expectShown } from '../support/expect-shown.ts';

function expectEach(name: string, values: readonly unknown[], ...functions: readonly ((value: never) => unknown)[]) {
  return expectShown(name, values, functions);
}

const x = (length: number) => 'x'.repeat(length);

describe('every result stays what it is', () => {
  test('mistakes in YAML', () =>
    expectEach(
      'yaml-mistakes',
      [
        'a: [1, 2',
        'a: {b: 1',
        'a: [1, {b: [2',
        'a: [1}',
        'a: 1]',
        'a: }',
        'a: {{ b }}',
        'a: {{ b }} and {{ c }}',
        'a: {% if b %}x{% endif %}',
        '- {{ a }}\n- {% b %}\n- c',
        'a: [{{ b }}, {{ c }}]',
        'a: { b: {{ c }}, d: 1 }',
        'a: x {{ b }}: y',
        'a: "b',
        "a: 'b\nc: 1",
        'a: "b\nc: "d"',
        'a: "b" c',
        'a: "b" c "d"',
        "a: 'b' c",
        'a: [1] b',
        'a: {b: 1} c',
        'a: | b',
        'a: > b',
        'a: b: c',
        'a: b: c\nd: e: f',
        'a:\n  b: c: d',
        '- a: b: c',
        '- what is it: this: that',
        'a: @b',
        'a: `b`',
        'a: %b',
        'a: @b"c',
        "a: @it's",
        'a: !b c',
        'a: !b',
        'a: &b',
        'a: *b',
        'a: *b c',
        'a: [!b, *c]',
        '- !a\n- *b',
        'a: "\\q"',
        'a: "b\\q\\n"',
        'a: "it\'s \\q"',
        `a: "${x(110)}\\q"`,
        'a: - b',
        'a: - b\n   - c',
        'a\nb: 1',
        'a: 1\nb\nc: 2',
        'a:1\nb: 2',
        'a: 1\nbc d\ne: 2',
        'a: 1\nlong-key:value\ne: 2',
        'a:\n  b: 1\n c: 2',
        'a:\n  b: 1\n   c: 2',
        'a:\n - b\n  - c',
        'a:\n  - b\n - c',
        'a:\n  - b: 1\n - c: 2',
        'a:\n  b:\n    c: 1\n  - d: e\n    f: 2',
        'a:\n  b: 1\n  # c\n\n  - d: 2\n  e: 3',
        'a: 1\n- b',
        'a: [\n  - { b: c\n',
        'a:\n  - b: 1\n  c: 2',
        '- a: 1\n   b: 2',
        '- a: 1\n b: 2',
        'a: 1\n  b: 2',
        ' a: 1\nb: 2',
        '\ta: 1',
        'a:\n\tb: 1',
        'a:\n  - b: 1\n\tc: 2\n  - d: 2\n\te: 2',
        '[a]: 1\n? b',
        '{a: 1}: 2',
        'a: 1\na: 2',
        '? [a]\n: 1',
        'a: {b c: 1, d e}',
        'a: [b c: 1]',
        'a: [b, c: d e: f]',
        'a: {"b" c}',
        'a: {"b": "c" "d"}',
        'a: {b: c, , d: e}',
        'a: [\n  b\n c: 1',
        '%YAML 9\n---\na: 1',
        '---\na: 1\n---\nb: 2',
        'a: !!binary x\nb: !!int x',
        'a: 1 # c\nb: "x" # d\nc: "y" z # e',
        `a: "b" ${x(120)}`,
        'a: @b\nb: @c\nc: @d\nd: @e\ne: @f\nf: @g\ng: @h\nh: @i\ni: @j\nj: @k\nk: @l\nl: @m',
        'a: &x [*x]',
        '\u0000',
        'a: "\u0007"',
        'a: b\n  c: d',
        'a:\n  text with words\n  b: 1',
        'a: "multi\n  line"\nb: "open\nc: 1\n',
        "- 'a\n- 'b'",
        'a: {b: "c}\nd: 1',
        'a: [b, "c]\nd: 1',
      ],
      (text: string) => parseYaml(text).errors,
    ));

  test('data of YAML, and where they are', () => {
    const text =
      'a: 1 # c\nb:\n  - x: |\n      one\n      two\n    "y z": >-\n      folded\n      text\n  - {p: "q\\n r", s: [1.50, 0x1F, 1e3, ~, no, 12345678901234567890]}\n"k": \'it\'\'s\'\n';
    const yaml = parseYaml(text);
    const paths: readonly (readonly PropertyKey[])[] = [
      [],
      ['a'],
      ['b'],
      ['b', 0],
      ['b', 0, 'x'],
      ['b', 0, 'y z'],
      ['b', 1, 'p'],
      ['b', 1, 's', 0],
      ['b', 1, 's', 5],
      ['b', 1, 's', 9],
      ['b', 7],
      ['k'],
      ['gone'],
      ['gone', 'more'],
      ['a', 'deeper'],
    ];
    return expectEach(
      'yaml-places',
      paths,
      (path: readonly PropertyKey[]) => [yaml.find(path, 'key'), yaml.find(path, 'value')],
      (path: readonly PropertyKey[]) =>
        [
          [1, 1],
          [1, 3],
          [2, 2],
          [9, 9],
        ].map(([line = 1, column = 1]) => yaml.findWithin(path, line, column)),
    );
  });

  test('edits of YAML', () => {
    const block =
      'top: 1\nmap:\n  a: one # first\n  b: "two"\n  c:\n    - 1\n    - 2\n  d: |\n    long\n  e: 5\nend: x\n';
    const flow = '[{"a": 1, "b": [1, 2], "c": "x"}, {a: 1, b: &x 2, c: *x}]';
    const changes: readonly unknown[] = [
      { a: 'new' },
      { a: 'new text.' },
      { a: '1' },
      { a: 'true' },
      { a: null },
      { b: 'plain' },
      { c: [3] },
      { d: 'short' },
      { e: undefined },
      { a: undefined },
      { a: undefined, b: undefined },
      { b: undefined, c: undefined },
      { d: undefined, e: undefined },
      { a: undefined, b: undefined, c: undefined, d: undefined, e: undefined },
      { f: 6 },
      { f: 6, a: undefined },
      { f: { g: [1] }, h: 'x', b: undefined, e: undefined },
      { z: undefined },
      {},
    ];
    return expectEach(
      'yaml-edits',
      changes.map((change) => Object.entries(change as object)),
      (entries: [string, unknown][]) => editYamlMap(block, block.indexOf('a: one'), Object.fromEntries(entries)),
      (entries: [string, unknown][]) => editYamlMap(flow, 1, Object.fromEntries(entries)),
      (entries: [string, unknown][]) => editYamlMap(flow, flow.indexOf('{a'), Object.fromEntries(entries)),
      (entries: [string, unknown][]) => editYamlMap(block, 3, Object.fromEntries(entries)),
      (entries: [string, unknown][]) => editYamlMap(`a: [\n${block}`, 1, Object.fromEntries(entries)),
      (entries: [string, unknown][]) =>
        editYamlMap('c: {a: 1} # x\nb: [1, # y\n  2]\n', 0, Object.fromEntries(entries)),
      ([[key, value] = ['', null]]: [string, unknown][]) =>
        replaceYamlValue(block, block.indexOf('a: one'), key, value),
      ([[key, value] = ['', null]]: [string, unknown][]) => replaceYamlValue(flow, flow.indexOf('{a'), key, value),
    );
  });

  test('edits of CSV', () =>
    expectEach(
      'csv-edits',
      [
        [2, 'a', 'new'],
        [2, 'b', 'new'],
        [3, 'b', 'x,"y"'],
        [3, 'a', 'two\nlines'],
        [5, 'b', ''],
        [4, 'a', 'x'],
        [2, 'c', 'x'],
        [9, 'a', 'x'],
      ],
      ([line, column, value]: [number, string, string]) =>
        replaceCsvField('a, b \n1,"2"\n"3\n4",5\n6,7\n', line, column, value),
      ([line, column, value]: [number, string, string]) => replaceCsvField('a,b\n"1', line, column, value),
    ));

  test('CSV', () =>
    expectEach(
      'csv',
      [
        '',
        'a',
        'a,b',
        'a,b\n',
        'a,b\r\n1,2\r\n',
        'a\n\nb',
        '\n',
        '"a ""b""",c',
        '"a\nb",c\nd',
        '"a',
        '"a"b',
        'a"b',
        ',\n,',
        'a,"b,c"\n',
        '\ufeffa,b',
        ' a , b ',
        '"",""',
        '"a"\n"b',
      ],
      (text: string) => parseCsv(text),
      (text: string) => parseCsv(text, { mayHoldQuotes: true }),
    ));

  test('durations', () =>
    expectEach(
      'durations',
      [
        '500ms',
        '2s',
        '1.5s',
        '1m30s',
        '2h',
        '7d',
        '1d2h3m4s5ms',
        ' 2s ',
        '5',
        '-5',
        '1.5',
        '',
        's',
        '30s1m',
        '1s1s',
        '2 days',
        '2 ms',
        '3 MS',
        '2 M',
        '2 m',
        '1 hour',
        '2 weeks',
        '2sx',
        5,
        null,
        true,
        {},
        x(50),
        `${'9'.repeat(400)}d`,
      ],
      parseDurationMs,
    ));

  test('decimals', () =>
    expectEach(
      'decimals',
      [
        '0',
        '-0',
        '0.0',
        '1',
        '01',
        '1.50',
        '15e-1',
        '1e3',
        '-1.5E+2',
        '0.001',
        '1e-5',
        '0.00012',
        '12345678901234567890',
        '1e400',
        '1e401',
        '1.5e400',
        '-1e-400',
        '1e999',
        '.5',
        '5.',
        'x',
        '',
        'Infinity',
        '9007199254740993',
        '0.1',
        '0.30000000000000004',
        '100',
        '120.5',
      ],
      canonicalDecimal,
      isWholeDecimal,
      isKeptByDouble,
      (text: string) =>
        ['0', '1', '-1', '1.5', '1e400', 'x'].map((other) => [
          compareDecimals(text, other),
          compareDecimals(other, text),
        ]),
      (text: string) => ['0', '1', '-1.5', '1e3', '1e-900', 'x'].map((other) => String(distanceOf(text, other))),
    ));

  test('numbers for people', () =>
    expectEach(
      'amounts',
      [
        0, 0.0004, 0.005, 0.01, 0.0449, 0.1, 0.125, 0.5, 0.9949, 0.995, 0.9999, 1, -0.1, -0.0001, 1.5, 9.994, 9.995, 10,
        59, 99.949, 99.95, 100, 999, 999.5, 1000, 1499, 9949, 9950, 59_949, 59_950, 60_000, 119_500, 3_599_499,
        3_599_500, 3_600_000, 7_300_000, 86_399_999, 86_400_000, 172_800_000, 999_999, 1_000_000, 1_500_000,
        999_999_999, 1e9, 1e12, 2.5e12,
      ],
      formatPercent,
      (value: number) => [percentOf(value), percentOf(value, 0), percentOf(value, 2)],
      formatPoints,
      formatChange,
      formatUsd,
      formatDuration,
      formatAge,
      describeBytes,
      (value: number) => [signed(value, 0), signed(value, 2)],
    ));

  test('lists and cut texts', async () => {
    await expectEach('lists', [[], ['a'], ['a', 'b'], ['a', 'b', 'c']], (names: string[]) => [
      listFirst(names, 2),
      listFirst(names, 2, 5),
      listFirst(names, 2, 2),
    ]);
    const texts = [
      '',
      'abc',
      'abcde',
      'ab😀cd',
      'a😀',
      '\ud83d',
      'ab\ud7ffcd',
      'ab\udbff',
      'ab\udc00',
      'one two three four',
      'one\ntwo',
      `${x(200)}y`,
      x(201),
    ];
    await expectEach(
      'cuts',
      texts,
      (text: string) =>
        [3, 4, 5].map((units) => [
          clipText(text, units),
          shortenText(text, units),
          lastWords(text, units),
          quote(text, units),
        ]),
      (text: string) => [lastWords(text, 10), quote(text)],
      (text: string) => [cutLine(`${text}  `, 1).length, cutLine(x(700), 300).length, cutLine(x(700), 301).length],
    );
  });

  test('names that were nearly right', () =>
    expectEach(
      'nearest',
      [
        '',
        'a',
        'ab',
        'abc',
        'tem',
        'tmep',
        'temperatur',
        'temprature',
        'tmpratue',
        'TEMPERATURE',
        'temperature',
        'max_token',
        'maxtokens',
        'xyz',
        'topp',
        'top-p',
        'stpo',
        x(300),
      ],
      (name: string) =>
        ['temperature', 'max_tokens', 'top_p', 'stop', 'seed', 'abd', 'tep'].map((known) => findNearest(name, [known])),
      (name: string) => didYouMean(name, ['temperature', 'max_tokens', 'top_p', 'stop', 'step', 'seed']),
    ));

  test('places in a text', () => {
    const text = `one\r\ntwo\n\n${x(600)}\nlast`;
    const lines = createLineIndex(text);
    return expectEach(
      'places',
      [-1, 0, 3, 4, 5, 8, 9, 10, 300, 609, 610, 611, 615, 999],
      (offset: number) => lines.positionAt(offset),
      (offset: number) => {
        const { startLine, lines: excerpt } = lines.excerptAround(lines.positionAt(offset));
        return [startLine, ...excerpt.map((line) => (line.length > 20 ? line.length : line))];
      },
      (offset: number) => {
        const position = lines.positionAt(offset);
        return renderCodeFrame({ ...position, excerpt: lines.excerptAround(position) });
      },
      (offset: number) => createLineIndex('a\nb\n').excerptAround(createLineIndex('a\nb\n').positionAt(offset)),
    );
  });

  test('frames of code', () =>
    expectEach(
      'frames',
      [1, 5, 79, 80, 81, 82, 150, 999],
      (column: number) =>
        renderCodeFrame({
          line: 10,
          column,
          excerpt: { startLine: 9, lines: ['a\tb\u0007', `${x(100)}${'y'.repeat(100)}`, ''] },
        }),
      (column: number) => renderCodeFrame({ line: 1, column, excerpt: { startLine: 1, lines: [] } }),
      (column: number) => renderCodeFrame({ line: 1, column }),
    ));

  test('patterns of names', () => {
    const names = [
      'a',
      'a.md',
      '.a.md',
      'b/a.md',
      'b/.c/a.md',
      'a1',
      'a9',
      'a10',
      'a-1',
      'a01',
      'b',
      'd',
      'ab',
      'a\nb',
      '(a)',
      'c/d/e',
    ];
    return expectEach(
      'globs',
      [
        'a',
        '*',
        '*.md',
        '**/*.md',
        '**',
        '?',
        'a?',
        '{a,b}',
        'a{1..10}',
        'a{01..10}',
        'a{-1..1}',
        '{a..c}',
        '{c..a}',
        '{a..e..3}',
        '{1..3..0}',
        '{a..b..c}',
        '{..}',
        '{a.md,b/{a,b}.md}',
        '!a',
        '!(a)',
        '@(a|b)',
        '[ab]',
        '[!a]',
        '(a)',
        '\\(a\\)',
        'a*b',
        '"a"',
        '',
        '{a',
        'a}',
        'a,b',
        '*'.repeat(20),
        'a*'.repeat(20),
        'a*'.repeat(21),
        '(a)'.repeat(4),
        '(a)'.repeat(5),
        '((a))',
        `${'{a,'.repeat(10)}b${'}'.repeat(10)}`,
        `${'{a,'.repeat(11)}b${'}'.repeat(11)}`,
        '{1..1000}',
        '{1..1001}',
        '{1..10}{1..100}',
        '{1..10}{1..101}',
        '{a,b}{c,{d,e}}{1..200}',
        '{a,b}{c,{d,e}}{1..170}',
        '**/**/**',
        '**/**',
        'a**b',
        '***a*b',
        '*a*b*c',
        '*a*b',
        'a/*b*c/d',
        '+(a)',
        x(4000),
        x(4001),
      ].map((pattern) => pattern),
      checkGlob,
      (pattern: string) => [isNegative(pattern), isSlowForPaths(pattern), isSlowForTexts(pattern)],
      (pattern: string) => (checkGlob(pattern) === undefined ? names.filter(compilePaths(pattern)) : []),
      (pattern: string) => (checkGlob(pattern) === undefined ? names.filter(compileText(pattern)) : []),
    );
  });

  test('regexes that surely end soon', () =>
    expectEach(
      'regexes',
      [
        'a',
        'a+',
        'a*b*',
        'a+b+c+',
        '(a)+',
        '(a|b)',
        '(a|b|c)(d|e)',
        'a?b?c?',
        '(?:a)',
        '(?<n>a)',
        '(?=a)',
        '\\1',
        '\\d+',
        '\\p{L}+',
        '[a-z]+',
        '[\\]]*',
        'a{2,}',
        'a{99}',
        'a{100}',
        x(300),
        x(301),
        'a?'.repeat(20),
        `${'a?'.repeat(10)}(a|b|c)(d|e|f)`,
      ],
      (source: string) =>
        [0, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000].map((length) => isHarmlessRegex(source, '', length)),
      (source: string) => isHarmlessRegex(source, 'v', 1),
    ));

  test('texts made safe', () =>
    expectEach(
      'safe',
      [
        'plain',
        'a\nb\tc\r\nd',
        '\u001b[31mred',
        '\u0000\u001f\u0020\u007f\u0080\u009f\u00a0',
        'a\u200bb\u200d\u{1f469}\u200d\u{1f4bb}',
        'a\u200cb',
        '\ud800 \udfff \ue000',
        '\u202e\u202e\u202ex',
        '::error::x',
        '  ::x',
        'a::b',
        '##[x]',
        '##vso[x]',
        '##teamcity[x]',
        '##x',
        '<&>"\'',
        '\u{e0041}\ufeff',
        x(2000),
        x(2001),
        'a\r\nb',
      ],
      (text: string) =>
        [
          sanitizeTerminal(text),
          sanitizeTerminal(text, { keepNewlines: true }),
          sanitizeTerminal(text, { keepTabs: true }),
        ].map((safe) => (safe.length > 99 ? safe.length : safe)),
      (text: string) => (text.length > 99 ? [toSafeLine(text).length, toSafeLine(text).at(-1)] : toSafeLine(text)),
      (text: string) =>
        text.length > 99
          ? ''
          : [
              escapeXml(text),
              escapeXml(text, { attribute: true }),
              escapeJsonText(text),
              escapeJsonText(JSON.stringify(text)),
            ],
      (text: string) => (text.length > 99 ? '' : [splitUnsafe(text), splitUnsafe(text, 0), splitUnsafe(text, 1)]),
    ));

  test('words, lines and sentences', () =>
    expectEach(
      'words',
      [
        '',
        ' ',
        'one',
        'one two',
        "it's a well-known fact.",
        'One. Two! Three? Four',
        'e.g. this',
        'Dr. No said 3.5 is "ok." Then (it) left.',
        '你好世界',
        'こんにちは 世界',
        'a\nb\r\nc\n',
        '\n\n',
        'é e\u0301',
        '👩‍👩‍👧 x',
        'a&amp;b &quot;c&quot; &lt;d&gt;',
        'x--y a/b 1,000.5 $5',
        'ไทยภาษา',
        '...',
        'A.B.C.',
        'no end',
        'Wait… what?! Yes.)',
        '1. one\n2. two',
      ],
      splitWords,
      splitTokens,
      (text: string) => [countCharacters(text), countLines(text), countSentences(text), countWords(text)],
    ));

  test('likeness of texts', () =>
    expectEach(
      'likeness',
      [
        ['', ''],
        ['a', ''],
        ['', 'a'],
        ['a', 'a'],
        ['the cat sat on the mat', 'the cat sat on the mat'],
        ['the cat sat', 'the cat sat on the mat'],
        ['the the the the', 'the cat is on the mat'],
        ['a b c d e', 'e d c b a'],
        ['a b c', 'x y z'],
        ['a b c d e f g', 'a b x d e y g'],
        ['a b', 'a c'],
      ],
      ([a, b]: [string, string]) => {
        const [first, second] = [a, b].map((text) => text.split(' ').filter((word) => word !== ''));
        return (['none', 'addOne', 'exp'] as const).map((way) => [
          scoreBleu(first ?? [], [second ?? []], way),
          scoreBleu(first ?? [], [second ?? [], ['a', 'b', 'c']], way, 2),
        ]);
      },
      ([a, b]: [string, string]) => [1, 2].map((size) => scoreRougeN(a.split(' '), b.split(' '), size)),
      ([a, b]: [string, string]) => scoreRougeL(a.split(' '), b.split(' ')),
      ([a, b]: [string, string]) => measureEditDistance(a, b),
    ));

  test('texts that were seen before', () => {
    const words = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => `w${from + index}`).join(' ');
    const texts = [
      '',
      'a',
      'a',
      'A',
      'a!',
      'b',
      words(0, 20),
      words(0, 20),
      words(1, 20),
      words(2, 20),
      words(10, 20),
      `${words(0, 20)}!`,
      words(100, 40),
      words(102, 40),
      words(106, 40),
      'short text',
      'short texts',
      x(100),
      `${x(99)}y`,
    ];
    const seen = openSeenTexts();
    return expectEach('seen', texts, (text: string) => seen.add(text) ?? null);
  });

  test('code and what it imports', () =>
    expectEach(
      'code',
      [
        '1',
        ' 1; ',
        'a; b',
        'const a = 1; a + 1',
        'let a = ";"; a',
        'var a = {b: ";"};',
        'const a = [1;2]; a',
        "const a = '\\';'; a",
        'const a',
        'const a = 1;;',
        'constant',
        'a\nb',
        "import a from 'b'",
        'import("./a"); require(\'c\')',
        'export * from "../d.ts"',
        "read('./e.txt'); read(`./f`); read('g.txt')",
        "import { a } from\n'h'; from 'h'",
        `import '${x(500)}'`,
        `import '${x(501)}'`,
        "'..//a' './' '.../b'",
      ],
      buildFunctionBody,
      (text: string) => readJavaScript(text).imports.map((name) => (name.length > 99 ? name.length : name)),
      splitCommand,
    ));

  test('bytes and what was thrown', async () => {
    await expectEach(
      'decoded',
      [
        undefined,
        'text/plain',
        'text/plain; charset=utf-8',
        'text/plain;charset="UTF8"',
        'a; charset=ascii',
        'a; charset=us-ascii; b',
        'a; charset=latin1',
        'a; charset=zzz',
        'a; charset=',
      ].map((type) => type ?? null),
      (type: string | null) => decodeText(Buffer.from('é'), type ?? undefined),
      (type: string | null) => decodeText(Buffer.from([0xe9]), type ?? undefined),
      (type: string | null) => decodeText(Buffer.from([0xef, 0xbb, 0xbf, 0x61]), type ?? undefined),
      (type: string | null) => decodeText(Buffer.from([0xef, 0xbb, 0x61]), type ?? undefined),
    );
    await expectEach('percents', ['', 'a%20b', 'a%', '%zz', '%C3%A9', 'a+b'], decodePercent);
    const hostile = {
      toString() {
        throw new TypeError('no');
      },
    };
    expect(
      [new Error('a\n b'), 'x', null, 5, Object.create(null), hostile, x(400), x(401)].map(describeThrown),
    ).toEqual([
      'Error: a b',
      'x',
      'null',
      '5',
      'something that has no text',
      'something that has no text',
      x(400),
      x(400),
    ]);
  });
});
