import { describe, expect, test } from 'vitest';
import type { Cell } from '../../src/model/run/cell.ts';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import type { Suite } from '../../src/model/suite/suite.ts';
import {
  boundJudges,
  boundRequests,
  countJudgeRequests,
  countRequests,
  createOutputEstimate,
  inputBytes,
  maxOutputTokens,
} from '../../src/plan/price-variants.ts';
import type { Pricer } from '../../src/prices/create-pricer.ts';
import { buildConfig, buildRequest } from '../providers/build-request.ts';
import { buildCell, buildCheck } from '../support/build-case.ts';

/** A price of one dollar a token, so that a bound is the number of tokens. */
const pricer = {
  boundOf: ({ inputTokens, maxOutputTokens: output }: { inputTokens: number; maxOutputTokens: number }) =>
    inputTokens + output,
  hasPrice: ({ providerId }: { providerId: string }) => providerId !== 'free',
} as Partial<Pricer> as Pricer;
const prices = { pricer, endpointOf: () => ({}) as Endpoint };

const user = (content: string, checks: readonly object[] = []) => ({ kind: 'user', content, checks });
const result = (content: string) => ({ kind: 'toolResult', content, checks: [] });
const first = { kind: 'first', checks: [] };
const turnsOf = (...turns: readonly object[]) => turns as unknown as Cell['turns'];
const limited = buildRequest({ params: { max_tokens: 5 }, messages: [{ role: 'user', content: 'äb' }] });

test.each([
  ['a message', {}, 13],
  [
    'two',
    {
      messages: [
        { role: 'user', content: '' },
        { role: 'user', content: 'ä' },
      ],
    },
    18,
  ],
  ['tools', { params: { tools: [1] } }, 16],
  ['functions, a format and a text', { params: { functions: [], response_format: {}, text: '' } }, 19],
  ['other parameters', { params: { temperature: 0, seed: [1] } }, 13],
  ['a call', { messages: [{ role: 'assistant', content: '', toolCalls: [] }] }, 10],
  [
    'attachments',
    {
      messages: [
        {
          role: 'user',
          content: '',
          attachments: [
            { mediaType: 'image/png', bytes: 7 },
            { mediaType: 'application/pdf', bytes: 7 },
          ],
        },
      ],
    },
    20_015,
  ],
])('%s has at most so many tokens', (_, over, bytes) => {
  expect(inputBytes(buildRequest(over as never))).toBe(bytes);
});

test.each([
  [{}, undefined],
  [{ max_tokens: 5 }, 5],
  [{ max_output_tokens: 6 }, 6],
  [{ max_completion_tokens: 7, max_tokens: 5 }, 7],
  [{ max_tokens: 5, n: 3 }, 15],
  [{ max_tokens: 5, n: 'x' }, 5],
  [{ max_tokens: '5' }, undefined],
])('%j limits an answer to %s tokens', (params, limit) => {
  expect(maxOutputTokens({ params })).toBe(limit);
});

test('where no request sets a limit, the answers so far bound the next, and a note says so', () => {
  const notes: string[] = [];
  const estimate = createOutputEstimate((note) => notes.push(note));
  expect(estimate.boundOf(buildRequest({ params: { max_tokens: 3 } }))).toBe(3);
  expect([notes.length, estimate.boundOf(buildRequest({}))]).toEqual([0, 4096]);
  estimate.observe({});
  expect(estimate.boundOf(buildRequest({}))).toBe(4096);
  estimate.observe({ usage: { inputTokens: 1, outputTokens: 7 } });
  expect([estimate.boundOf(buildRequest({})), notes[0]]).toEqual([
    14,
    'requests to openai:gpt-4o-mini set no limit on output tokens, so --max-cost reserves an estimate from the answers so far; set max_tokens in params for a hard bound',
  ]);
});

describe('the requests of a cell', () => {
  const agent = (stubs: readonly object[], maxSteps: number, more: object = {}) =>
    ({ stubs, maxSteps, ...more }) as unknown as NonNullable<Cell['agent']>;

  test.each<[string, Partial<Cell>, number, number]>([
    ['one question', {}, 1, 11 + 5],
    // Each later request repeats the conversation, an answer and the frames of both.
    ['a user turn', { turns: turnsOf(first, user('ab')) }, 2, 16 + (11 + 10 + 5 + 8) + 5],
    ['two results together', { turns: turnsOf(first, result('a'), result('bc')) }, 2, 16 + (11 + 9 + 10 + 5 + 8) + 5],
    ['an agent of one step', { agent: agent([], 1) }, 1, 16],
    [
      'of two steps',
      { agent: agent([{ answer: { content: 'abc' } }, { answer: { message: 'ab' } }, { answer: {} }], 2) },
      2,
      16 + (11 + 5 + 8 + 16 * (3 + 8)) + 5,
    ],
  ])('%s', (_, more, requests, usd) => {
    const cell = buildCell({ request: limited, turns: turnsOf(first), ...more });
    expect(countRequests(cell)).toBe(requests);
    const bound = boundRequests(prices, buildConfig(), cell);
    expect(bound).toBe(usd);
  });

  test('of an agent grow by its longest result', () => {
    const bound = (stubs: readonly object[], more: object = {}, recordsTools = false) => {
      const cell = buildCell({ request: limited, agent: agent(stubs, 2, more) });
      return boundRequests({ ...prices, recordsTools }, buildConfig(), cell) ?? 0;
    };
    const none = bound([]);
    const [one, message, both] = [
      bound([{ answer: { content: 'abc' } }]),
      bound([{ answer: { message: 'abc' } }]),
      bound([{ answer: { content: 'abc' } }, { answer: { message: 'a' } }]),
    ];
    expect([one, message, both]).toEqual([one, one, one]);
    const [calls, rest] = [(one - none) / 3, (one - none) % 3];
    expect([calls > 1, rest]).toEqual([true, 0]);
    expect(bound([{ answer: {} }])).toBe(none);
    // Code of the project and live servers may answer with as much as a result may have.
    const most = none + calls * 256 * 1024;
    expect([bound([], { module: {} }), bound([{ answer: {} }], { servers: new Map() })]).toEqual([most, most]);
    // Real tools are asked only while their answers are recorded, and where the agent has some.
    expect([bound([], { record: {} }), bound([], {}, true), bound([], { record: {} }, true)]).toEqual([
      none,
      none,
      most,
    ]);
    const turns = turnsOf(first, user('ab'));
    const withTurn = boundRequests(prices, buildConfig(), buildCell({ request: limited, turns, agent: agent([], 2) }));
    expect(withTurn).toBe(none + 2 * 10);
  });

  test('without a limit on the answer have no bound', () => {
    const cell = buildCell({ request: buildRequest({}) });
    expect(boundRequests(prices, buildConfig(), cell)).toBeUndefined();
  });

  test('without a price have no bound', () => {
    const unknown = { ...prices, pricer: { boundOf: () => undefined } as Partial<Pricer> as Pricer };
    const of = (more: Partial<Cell>) =>
      boundRequests(unknown, buildConfig(), buildCell({ request: limited, turns: turnsOf(first, user('a')), ...more }));
    expect([of({}), of({ agent: agent([], 2) })]).toEqual([undefined, undefined]);
  });
});

describe('what judges cost', () => {
  const rubric = buildCheck({ assertion: 'rubric', params: {}, asks: 'strict', source: null });
  const strict = buildConfig({ id: 'strict', params: { max_tokens: 5 } });
  const suiteOf = (...askedModels: readonly object[]) => ({ askedModels }) as unknown as Suite;
  const bound = (more: Partial<Cell>, ...models: readonly object[]) =>
    boundJudges(prices, suiteOf(...models), buildCell({ request: limited, checks: [rubric], ...more }));
  // The frame, `null`, `{}`, eight tokens for each token of the answer, and the reply twice; asked twice.
  const one = (8192 + 4 + 2 + 5 * 8 + 5 + 5) * 2;

  test.each<[string, Partial<Cell>, number | undefined]>([
    ['one', {}, one],
    ['none', { checks: [buildCheck()] }, undefined],
    ['two', { checks: [rubric, rubric] }, one * 2],
    ['votes', { checks: [{ ...rubric, params: { votes: 3 } }] }, one * 3],
    ['both orders', { checks: [{ ...rubric, assertion: 'pairwise' }] }, one * 2],
    ['one below a combinator', { checks: [buildCheck({ assertion: 'not', params: {}, children: [rubric] })] }, one],
    ['one of a turn', { checks: [], turns: turnsOf({ ...first, checks: [rubric] }) }, one],
    ['variables', { vars: { a: 'ä' } }, one + 2 * 8],
    ['a user turn', { turns: turnsOf(first, user('abc')) }, one + 2 * (3 + 5 * 8)],
    ['another model', { checks: [{ ...rubric, asks: 'mild' }] }, undefined],
  ])('%s', (_, more, usd) => {
    expect(bound(more, strict)).toEqual({ usd, uncounted: [] });
  });

  test('has no bound without a price or a limit, and says of whom', () => {
    expect(bound({}, { ...strict, params: {} })).toEqual({
      usd: undefined,
      uncounted: ['strict has no limit on output tokens'],
    });
    const open = { request: buildRequest({}) };
    expect(bound(open, strict)).toEqual({ usd: undefined, uncounted: ['strict is shown answers without a limit'] });
    const free = { ...rubric, asks: 'free' };
    const two = bound({ checks: [rubric, free, free] }, strict, { ...strict, id: 'free' });
    expect(two).toEqual({ usd: one, uncounted: ['free has no price'] });
  });

  test('embeddings have no reply', () => {
    const similar = buildCheck({ assertion: 'similar', params: {}, asks: 'strict', source: null });
    expect(bound({ checks: [similar] }, { ...strict, params: {} })).toEqual({ usd: one - 20, uncounted: [] });
  });

  test('is counted in requests', () => {
    const votes = { ...rubric, params: { votes: 3 } };
    const turns = turnsOf({ ...first, checks: [votes] });
    expect(countJudgeRequests(buildCell({ checks: [rubric, buildCheck()], turns }))).toBe(8);
    const combined = buildCheck({ assertion: 'any', params: {}, children: [rubric, buildCheck(), votes] });
    expect(countJudgeRequests(buildCell({ checks: [combined] }))).toBe(8);
  });
});
