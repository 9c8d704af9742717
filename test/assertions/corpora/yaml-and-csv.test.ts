import { expect, test } from 'vitest';
import { parseCsv } from '../../../src/text/csv.ts';
import { plainNumbers } from '../../../src/text/yaml/exact-numbers.ts';
import { parseYaml } from '../../../src/text/yaml/yaml-text.ts';
import { readCorpus } from './read-corpus.ts';

interface YamlExample {
  readonly name: string;
  readonly isYaml: boolean;
  /** Absent if the suite gives no JSON, or several. */
  readonly json?: unknown;
  readonly text: string;
}

/** Valid YAML that a suite may not use, by the reason. */
const refused: Readonly<Record<string, string>> = {
  'a file holds one document':
    '35KP 5TYM 6WLZ 6XDY 6ZKB 7Z25 9DXL 9KAX JHB9 KSS4 L383 M7A3 NKF9 PUW8 RZT7 U9NS UT92 W4TN 9WXW',
  'a key is one word or text': '4FJ6 6BFJ 6PBE 9MMW KK5P LX3P M2N8 M2N8-1 M5DY Q9WF RZP5 SBG9 V9D5 X38W XW4D',
  'a key is no alias': '26DV 2SXE E76Z',
  'no tag is known': '6CK3 7FWL C4HZ CC74 CUP7 M5C3 P76L UGM3 Z67P Z9M4 565N J7PZ',
  'no directive but YAML 1.2 is known': '2LFX 6LVF BEC7 MUS6-5 MUS6-6',
  'an anchor has no sign of YAML in its name': 'W5VH',
  'no key is written twice': '2JQS',
};
/** The reader takes a repeated directive as one. */
const accepted = new Set(['SF5V']);

const examples = readCorpus('yaml') as readonly YamlExample[];

test('the examples of the YAML test suite are read as the suite says, but for what no suite may use', {
  tags: ['slow'],
}, () => {
  const names = new Set(Object.values(refused).flatMap((list) => list.split(' ')));
  const expected = examples.map(({ name, isYaml }) => [name, (isYaml && !names.has(name)) || accepted.has(name)]);
  expect(examples.map(({ name, text }) => [name, parseYaml(text).errors.length === 0])).toEqual(expected);
  expect([examples.length, names.size]).toEqual([402, 56]);
});

test('their values are those of the suite', () => {
  const read = examples.flatMap(({ name, text, json }) => {
    const { errors, value } = parseYaml(text);
    return json === undefined || errors.length > 0 ? [] : [{ name, found: plainNumbers(value), json }];
  });
  expect(read.map(({ name, found }) => [name, found])).toEqual(read.map(({ name, json }) => [name, json]));
  expect(read.length).toBeGreaterThan(220);
});

test.each(['!!binary aGk=', '!!timestamp 2001-01-01', '!!omap [a: 1]', '!!pairs [a: 1]'])(
  '%s is refused, because JSON has no such value',
  (text) => {
    expect(parseYaml(`a: ${text}`).errors).toMatchObject([
      { message: expect.stringContaining("that JSON can't say"), offset: 3 + text.indexOf(' ') + 1 },
    ]);
  },
);

interface CsvExample {
  readonly name: string;
  readonly text: string;
  readonly rows: readonly Readonly<Record<string, string>>[];
}

test('the examples of csv-spectrum are read, but for the one with a quote inside a field', () => {
  const csvExamples = readCorpus('csv') as readonly CsvExample[];
  const found = csvExamples.map(({ name, text }) => {
    const csv = parseCsv(text);
    if ('error' in csv) return [name, csv.error.message];
    const [head, ...records] = csv.records.map(({ fields }) => fields);
    return [name, records.map((fields) => Object.fromEntries((head ?? []).map((key, index) => [key, fields[index]])))];
  });
  // RFC 4180, section 2, rule 5, allows no quote in a field that is not quoted.
  const faults: Readonly<Record<string, string>> = {
    location_coordinates: 'a quote is inside a field that is not quoted',
  };
  expect(found).toEqual(csvExamples.map(({ name, rows }) => [name, faults[name] ?? rows]));
  expect(found.length).toBe(12);
});
