import { expect, test } from 'vitest';
import { mutateAnswer } from '../../src/assertions/mutate-answer.ts';
import fc, { codePoint } from '../support/property.ts';
import { buildToolCall } from './judge-one.ts';

function mutantsOf(text: string, toolCalls: readonly ReturnType<typeof buildToolCall>[] = [], others: string[] = []) {
  const wrong = others.map((other) => ({ text: other, toolCalls: [], finishReason: 'stop' as const }));
  return [...mutateAnswer({ text, toolCalls, finishReason: 'stop' }, wrong)].filter(({ kind }) => kind !== 'disturbed');
}

/** Without what every text gets. */
function ownMutantsOf(...given: Parameters<typeof mutantsOf>) {
  return mutantsOf(...given).filter(({ kind }) => kind !== 'appended' && kind !== 'prefixed');
}

test('a JSON answer loses each field, and each of its numbers is changed, one at a time', () => {
  const mutants = ownMutantsOf('{"queue": "billing", "lines": [{"amount": 5}], "ok": true}');
  expect(mutants.map(({ kind, detail, answer }) => [kind, detail, answer.text])).toEqual([
    ['emptied', 'no text and no call', ''],
    ['truncated', 'half of the text', '{"queue": "billing", "lines":'],
    ['refusal', expect.anything(), "I'm sorry, but I can't help with that."],
    ['field-dropped', 'without $.queue', '{"lines":[{"amount":5}],"ok":true}'],
    ['field-dropped', 'without $.lines', '{"queue":"billing","ok":true}'],
    ['field-dropped', 'without $.lines[0].amount', '{"queue":"billing","lines":[{}],"ok":true}'],
    ['number-changed', 'another number at $.lines[0].amount', '{"queue":"billing","lines":[{"amount":6}],"ok":true}'],
    ['field-dropped', 'without $.ok', '{"queue":"billing","lines":[{"amount":5}]}'],
    ['negated', 'false at $.ok', '{"queue":"billing","lines":[{"amount":5}],"ok":false}'],
  ]);
});

test.each([
  ['billing', ['legal'], 'not billing', 'billing or legal'],
  ['billing', [], 'not billing', 'billing or something else'],
  ['billing', ['billing '], 'not billing', 'billing or something else'],
  [
    "It's yours. Refunds are possible.",
    ['No.'],
    "It's yours. Refunds are not possible.",
    "It's yours. Refunds are possible. or No.",
  ],
  ['You can’t, but they can.', ['x'], 'You can’t, but they can not.', 'You can’t, but they can. or x'],
  [
    'Two lines\nof a text without such a verb',
    ['x'],
    'It is not so: Two lines\nof a text without such a verb',
    'Two lines\nof a text without such a verb\n\nOr else:\n\nx',
  ],
])('%j is negated, and hedged by an answer that is wrong here', (text, others, negated, hedged) => {
  const textOf = (wanted: string) => {
    return mutantsOf(text, [], others).find(({ kind }) => kind === wanted)?.answer.text;
  };
  expect([textOf('negated'), textOf('hedged')]).toEqual([negated, hedged]);
  expect(textOf('appended')?.startsWith(`${text}\n`)).toBe(true);
  expect(textOf('prefixed')?.endsWith(`\n${text}`)).toBe(true);
});

test('a short text in JSON is hedged by what another answer has in its place', () => {
  const hedges = (text: string, others: string[]) =>
    mutantsOf(text, [], others)
      .filter(({ kind }) => kind === 'hedged')
      .map(({ detail, answer }) => [detail, answer.text]);
  const others = ['no JSON', '{"queue": 1}', '{"queue": "legal", "who": ["Bo"]}'];
  expect(hedges('{"queue": "billing", "who": ["Al"], "id": "a"}', others)).toEqual([
    ['"billing or legal" at $.queue', '{"queue":"billing or legal","who":["Al"],"id":"a"}'],
    ['"Al or Bo" at $.who[0]', '{"queue":"billing","who":["Al or Bo"],"id":"a"}'],
  ]);
  expect(hedges('{"queue": "legal"}', others)).toEqual([]);
});

test('an answer without a text gets none of the four', () => {
  const kinds = mutantsOf(' ', [buildToolCall('find', {})], ['legal']).map(({ kind }) => kind);
  for (const kind of ['negated', 'hedged', 'appended', 'prefixed']) expect(kinds).not.toContain(kind);
});

test('JSON in a fence and arguments of tool calls are changed where they stand; numbers of a prose all at once', () => {
  expect(mutantsOf('Here:\n```json\n{"a": 1}\n```').map(({ answer }) => answer.text)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Here:\n```json\n\{\}\n/), expect.stringContaining('{"a":2}')]),
  );
  const calls = mutantsOf('', [buildToolCall('find', { id: 7 })]);
  expect(calls.map(({ kind, answer }) => [kind, answer.toolCalls.map(({ rawArguments }) => rawArguments)])).toEqual([
    ['emptied', []],
    ['truncated', ['{"id']],
    ['refusal', []],
    ['field-dropped', ['{}']],
    ['number-changed', ['{"id":8}']],
  ]);
  const numbers = mutantsOf('3 of 9 parcels').filter(({ kind }) => kind === 'number-changed');
  expect(numbers.map(({ answer }) => answer.text)).toEqual(['4 of 10 parcels']);
});

test('no wrong answer is the right one, and the same answer has the same wrong ones', { tags: 'slow' }, () => {
  const text = fc.oneof(fc.string({ unit: codePoint }), fc.json());
  fc.assert(
    fc.property(text, fc.array(fc.jsonValue(), { maxLength: 2 }), (answer, args) => {
      const calls = args.map((value) => buildToolCall('a', JSON.parse(JSON.stringify(value))));
      const wrong = [{ text: 'legal', toolCalls: [], finishReason: 'stop' as const }];
      const right = { text: answer, toolCalls: calls, finishReason: 'stop' as const };
      const mutants = [...mutateAnswer(right, wrong)];
      for (const mutant of mutants) expect(mutant.answer).not.toEqual(right);
      expect([...mutateAnswer(right, wrong)]).toEqual(mutants);
    }),
  );
});
