import { describe, expect, test } from 'vitest';
import { embedHere, similar } from '../../src/assertions/similarity/similar.ts';
import { buildSpec, describeAssertion, findProblems, judgeOne, ports } from './judge-one.ts';

const paraphrases = [
  ['How do I reset my password?', 'What should I do to change a forgotten password?'],
  ['Your order was shipped yesterday.', 'We sent your package out the day before today.'],
  ['I want my money back for this order.', 'Please give me a refund for this order.'],
  ['The meeting was moved to Monday.', 'The meeting has been rescheduled to Monday.'],
  ['The restaurant is closed on Sundays.', "On Sundays the restaurant isn't open."],
  ['He bought a new car last week.', 'Last week he purchased a new automobile.'],
] as const;

const measure = async (answer: string, value: string) =>
  (await judgeOne(buildSpec('similar', { value }), answer)).score;

describe('similar, by the model that is computed here', () => {
  test('paraphrases lie above unrelated sentences with a margin', { tags: ['slow'] }, async () => {
    const alike: number[] = [];
    const unlike: number[] = [];
    for (const [index, [left, right]] of paraphrases.entries()) {
      alike.push(await measure(left, right));
      for (const [other] of paraphrases.slice(index + 1)) unlike.push(await measure(left, other));
    }
    expect(Math.min(...alike)).toBeGreaterThan(Math.max(...unlike) + 0.15);
    expect(Math.min(...alike)).toBeGreaterThan(0.6);
  });

  test('a long answer is embedded whole, not its beginning alone', { tags: 'slow' }, async () => {
    const start = 'The weather was fine and we walked along the river. '.repeat(12);
    const value = `${start}${'Your invoice is attached and must be paid by May. '.repeat(12)}`;
    expect(await measure(value, value)).toBeCloseTo(1);
    expect(await measure(start, value)).toBeLessThan(0.95);
  });

  test('each piece of a long answer weighs as much as it is long', async () => {
    const lengths: number[] = [];
    const encoder = {
      tokenizer: { encode: (text: string) => text.split(' ') },
      embed(texts: readonly string[]) {
        lengths.push(...texts.map((text) => text.length));
        return Promise.resolve(texts.map((_, index) => texts.map((_text, axis) => Number(axis === index))));
      },
    };
    const fake = { initModel: () => Promise.resolve(encoder), modelSource: {} };
    const embed = embedHere({ ...ports, importPackage: () => Promise.resolve(fake) });
    const text = `${'The weather was fine. '.repeat(30)}Pay by May.`;
    expect(await embed(text)).toEqual({ vector: lengths });
    expect(new Set(lengths).size).toBeGreaterThan(1);
    const longest = 'Pay. '.repeat(1200);
    expect(await embed(longest)).toHaveProperty('vector');
    expect(await embed(`${longest}.`)).toEqual({ error: expect.stringContaining('6001 characters are too many') });
  });

  test('it is the same twice', async () => {
    expect(await measure('I paid twice.', 'I was charged two times.')).toBe(
      await measure('I paid twice.', 'I was charged two times.'),
    );
  });
});

describeAssertion('similar', [
  {
    when: 'it says the same',
    params: { value: 'Please refund me.', min: 0.5 },
    answer: 'Please give me a refund.',
    is: 'pass',
  },
  {
    when: 'it says something else',
    params: { value: 'The sky is blue.' },
    answer: 'Please give me a refund.',
    is: 'fail',
    reason: /wanted 0\.6/,
  },
  {
    when: 'one of several is near',
    params: { value: ['The sky is blue.', 'Refund me!'], min: 0.5 },
    answer: 'Refund me!',
    is: 'pass',
    score: 1,
  },
  { when: 'the answer is empty', params: { value: 'a' }, answer: ' ', is: 'fail', score: 0 },
  {
    when: 'it is no English',
    params: { value: 'refund' },
    answer: '返金してください',
    is: 'error',
    reason: /only knows English/,
  },
  {
    when: 'it is too long',
    params: { value: 'refund' },
    answer: 'word '.repeat(2000),
    is: 'error',
    reason: /too many to embed/,
  },
  {
    when: 'a provider finds it the same',
    params: { value: 'ab', provider: 'openai:m' },
    answer: 'ab',
    is: 'pass',
    score: 1,
  },
  {
    when: 'the first of several is the nearest',
    params: { value: ['aaaa', 'b'], provider: 'openai:m', min: 0.9 },
    answer: 'aaaa',
    is: 'pass',
    score: 1,
    reason: /is similar to "aaaa" by 1\.000/,
  },
  {
    when: 'most of it is no English',
    params: { value: 'refund' },
    answer: 'OK 返金してください',
    is: 'error',
    reason: /only knows English/,
  },
  {
    when: 'a provider finds it less so',
    params: { value: 'aaaa', provider: 'openai:m', min: 0.9 },
    answer: 'b',
    is: 'fail',
  },
]);

test.each([
  ['[0, 0]', '[1, 0]'],
  ['[1, 0]', '[0, 0]'],
  ['[1e308, 1e308]', '[1e308, 0]'],
  ['[1e200, 0]', '[1, 1]'],
])('the embeddings %s and %s have no direction to compare', async (...vectors) => {
  const replies = [...vectors];
  const ask = () => Promise.resolve({ text: replies.shift() ?? '', canRefresh: false });
  const context = { asks: 'openai:m', completion: { text: 'a' } as never, ports: { ...ports, ask } };
  const outcome = await similar.check({ kind: 'text', text: 'a' }, similar.params.parse({ value: 'b' }), context);
  expect(outcome).toEqual({ error: expect.stringContaining('has no direction') });
});

test('without the package the check is an error', async () => {
  const context = { completion: { text: 'a' } as never, ports: { deadline: ports.deadline } };
  const outcome = await similar.check({ kind: 'text', text: 'a' }, similar.params.parse({ value: 'a' }), context);
  expect(outcome).toMatchObject({ error: expect.stringContaining('is not installed') });
});

test.each([
  [{ value: '' }, 'value: must not be empty'],
  [{ value: 'a', min: 0 }, 'min: must be more than 0'],
])('similar refuses %j', (params, problem) => {
  expect(findProblems('similar', params)).toContain(problem);
});
