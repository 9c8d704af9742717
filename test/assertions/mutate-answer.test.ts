import { expect, test } from 'vitest';
import { mutateAnswer } from '../../src/assertions/mutate-answer.ts';
import fc from '../support/property.ts';
import { buildToolCall } from './judge-one.ts';

function mutantsOf(text: string, toolCalls: readonly ReturnType<typeof buildToolCall>[] = []) {
  return [...mutateAnswer({ text, toolCalls, finishReason: 'stop' })].filter(({ kind }) => kind !== 'disturbed');
}

test('a JSON answer loses each field, and each of its numbers is changed, one at a time', () => {
  const mutants = mutantsOf('{"queue": "billing", "lines": [{"amount": 5}], "ok": true}');
  expect(mutants.map(({ kind, detail, answer }) => [kind, detail, answer.text])).toEqual([
    ['emptied', 'no text and no call', ''],
    ['truncated', 'half of the text', '{"queue": "billing", "lines":'],
    ['refusal', expect.anything(), "I'm sorry, but I can't help with that."],
    ['field-dropped', 'without $.queue', '{"lines":[{"amount":5}],"ok":true}'],
    ['field-dropped', 'without $.lines', '{"queue":"billing","ok":true}'],
    ['field-dropped', 'without $.lines[0].amount', '{"queue":"billing","lines":[{}],"ok":true}'],
    ['number-changed', 'another number at $.lines[0].amount', '{"queue":"billing","lines":[{"amount":6}],"ok":true}'],
    ['field-dropped', 'without $.ok', '{"queue":"billing","lines":[{"amount":5}]}'],
  ]);
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
  expect(mutantsOf('3 of 9 parcels').at(-1)?.answer.text).toBe('4 of 10 parcels');
});

test('no wrong answer is the right one, and the same answer has the same wrong ones', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
  fc.assert(
    fc.property(text, fc.array(fc.jsonValue(), { maxLength: 2 }), (answer, args) => {
      const calls = args.map((value) => buildToolCall('a', JSON.parse(JSON.stringify(value))));
      const right = { text: answer, toolCalls: calls, finishReason: 'stop' as const };
      const mutants = [...mutateAnswer(right)];
      for (const mutant of mutants) expect(mutant.answer).not.toEqual(right);
      expect([...mutateAnswer(right)]).toEqual(mutants);
    }),
  );
});
