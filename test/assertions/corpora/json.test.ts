import { expect, test } from 'vitest';
import { parseAnyJson, parseJson, parseJsonNodes, parseJsonText, tryParseJson } from '../../../src/json/parse-json.ts';
import { buildSpec, judgeOne, outcomeOf } from '../judge-one.ts';
import { readCorpus } from './read-corpus.ts';

interface JsonExample {
  /** Its first letter says what the suite wants: y is JSON, n is not, and i is left to the reader. */
  readonly name: string;
  readonly text: string;
}

/** Two examples are too long for the file. */
const longExamples: readonly JsonExample[] = [
  { name: 'n_structure_100000_opening_arrays', text: '['.repeat(100_000) },
  { name: 'n_structure_open_array_object', text: `${'[{"":'.repeat(50_000)}\n` },
];
const examples = [...(readCorpus('json') as readonly JsonExample[]), ...longExamples];

/** Readers differ in which of two equal keys counts, so that what decides by a value refuses them. */
const withRepeatedKey = ['y_object_duplicated_key', 'y_object_duplicated_key_and_value'];
/** Answers are decoded before they are read. A mark of byte order and characters of UTF-16 are no white space of JSON. */
const refusedEncodings = [
  'i_string_UTF-16LE_with_BOM',
  'i_string_utf16BE_no_BOM',
  'i_string_utf16LE_no_BOM',
  'i_structure_UTF-8_BOM_empty_object',
];
/** Answers keep the digits of a number that no double holds. A file of a suite may not have one that is infinite. */
const infinite = [
  'i_number_huge_exp',
  'i_number_neg_int_huge_exp',
  'i_number_pos_double_huge_exp',
  'i_number_real_neg_overflow',
  'i_number_real_pos_overflow',
];

const named = (letters: string) => examples.filter(({ name }) => letters.includes(name.charAt(0)));
const without = (list: readonly JsonExample[], names: readonly string[]) =>
  list.filter(({ name }) => !names.includes(name)).map(({ name }) => name);

test.each([
  ['parseAnyJson', (text: string) => parseAnyJson(text).ok, []],
  ['tryParseJson', (text: string) => tryParseJson(text) !== undefined, []],
  ['parseJson', (text: string) => parseJson(text).ok, withRepeatedKey],
  ['parseJsonText', (text: string) => !('error' in parseJsonText(text)), [...withRepeatedKey, ...infinite]],
  ['parseJsonNodes', (text: string) => !('error' in parseJsonNodes(text)), [...withRepeatedKey, ...infinite]],
])('%s reads the JSON of JSONTestSuite and nothing else', (_, isRead, refused) => {
  const accepted = examples.filter(({ text }) => isRead(text)).map(({ name }) => name);
  expect(accepted).toEqual(without(named('yi'), [...refused, ...refusedEncodings]));
  expect([named('y').length, named('n').length, named('i').length]).toEqual([95, 188, 35]);
});

test('the assertion json judges each example as the suite does', async () => {
  const passed: string[] = [];
  for (const { name, text } of examples)
    if (outcomeOf(await judgeOne(buildSpec('json', {}), text)) === 'pass') passed.push(name);
  expect(passed).toEqual(without(named('yi'), refusedEncodings));
});

test('jsonPath and jsonSchema judge no text that is not JSON, nor one with equal keys', {
  tags: ['slow'],
}, async () => {
  const judged: string[] = [];
  for (const { name, text } of examples) {
    const specs = [
      buildSpec('jsonPath', { path: '$' }, { select: { kind: 'json' } }),
      buildSpec('jsonSchema', { value: true }, { select: { kind: 'json' } }),
    ];
    const outcomes = await Promise.all(specs.map(async (spec) => outcomeOf(await judgeOne(spec, text))));
    expect([name, outcomes[0]]).toEqual([name, outcomes[1]]);
    if (outcomes[0] === 'pass') judged.push(name);
  }
  expect(judged).toEqual(without(named('yi'), [...withRepeatedKey, ...refusedEncodings]));
});
