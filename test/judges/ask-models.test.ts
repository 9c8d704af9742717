import { expect, test } from 'vitest';
import type { ModelQuestion } from '../../src/assertions/define.ts';
import type { Calls } from '../../src/calls/calls.ts';
import { createOpenAsker } from '../../src/judges/ask-models.ts';
import type { CompletionOutcome, CompletionRequest } from '../../src/model/run/completion.ts';
import type { Suite } from '../../src/model/suite/suite.ts';
import { buildConfig } from '../providers/build-request.ts';

const key = { suite: 's', prompt: 'v1', provider: 'p', caseId: 'c', trial: 2 };
const schema = { type: 'object' } as const;
const question: ModelQuestion = { kind: 'judge', model: 'strict', messages: [], schema, vote: 1, votes: 3 };

/** An asker whose calls come out as given, in turn. */
function open(outcomes: readonly object[], { params = {}, endpoint = {}, canRefresh = true } = {}) {
  const requests: [how: string, request: CompletionRequest][] = [];
  const complete = (how: string) => (request: CompletionRequest) => {
    requests.push([how, request]);
    return Promise.resolve(outcomes[requests.length - 1] as CompletionOutcome);
  };
  // A suite may have recordings of its own.
  const calls: Pick<Calls, 'completeFor' | 'refreshFor' | 'costOf'> = {
    completeFor: (_, { id }) => complete(id === 's' ? 'any' : 'of another suite'),
    refreshFor: (_, { id }) => (canRefresh && id === 's' ? complete('fresh') : undefined),
    costOf: (_, { usage }) => usage && usage.inputTokens / 10,
  };
  const suite = { id: 's', askedModels: [buildConfig({ id: 'strict', model: 'm', params })] } as unknown as Suite;
  const asker = createOpenAsker({
    calls,
    endpointOf: () => ({ adapterVersion: 'v', sends: true, ...endpoint }),
    findSuite: (id) => (id === 's' ? suite : undefined),
    signal: new AbortController().signal,
  })(key);
  return { asker, requests };
}

const usage = { inputTokens: 5, outputTokens: 1 };
const answer = (text: string, more = {}) => ({
  status: 'completed',
  completion: { text, usage, ...more },
  cached: false,
  attempts: 1,
});
const failed = (more = {}) => ({
  status: 'failed',
  failure: { kind: 'server', message: 'no', retryable: false, ...more },
  attempts: 1,
});

test('a question is a sample of its own for each vote on each trial', async () => {
  const { asker, requests } = open([answer('a'), answer('b')], {
    params: { top_p: 1 },
    endpoint: { baseUrl: 'http://x' },
  });
  await asker.ask(question);
  await asker.ask({ ...question, kind: 'embeddings' });
  const origin = { suite: 's', prompt: 'v1', provider: 'strict', caseId: 'c' };
  const response_format = { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } };
  const same = { adapter: 'openai', adapterVersion: 'v', baseUrl: 'http://x', model: 'm', messages: [], origin };
  expect(requests).toEqual([
    ['any', { ...same, trial: 7, params: { temperature: 0, response_format, top_p: 1 } }],
    ['any', { ...same, trial: 0, params: { top_p: 1 } }],
  ]);
});

test('a judge gets no parameter that its config sets to null, and no schema that its API refuses', async () => {
  const { asker, requests } = open([answer('a')], { params: { temperature: null }, endpoint: { refusesSchema: true } });
  await asker.ask(question);
  expect(requests[0]?.[1].params).toEqual({});
  const own = open([answer('a')], { params: { temperature: 1, response_format: 'own' } });
  await own.asker.ask(question);
  expect(own.requests[0]?.[1].params).toEqual({ temperature: 1, response_format: 'own' });
});

test.each<[outcome: object, reply: object, costUsd: number | undefined]>([
  [answer('a', { model: 'm-1' }), { text: 'a', canRefresh: false, model: 'm-1' }, 0.5],
  [answer('', { refusal: 'I may not.' }), { text: 'I may not.', canRefresh: false }, 0.5],
  [{ ...answer('a'), cached: true }, { text: 'a', canRefresh: true }, 0],
  [{ ...answer('a'), isStored: true }, { text: 'a', canRefresh: true }, 0.5],
  [answer('a', { usage: undefined }), { text: 'a', canRefresh: false }, undefined],
  [failed(), { failure: 'no' }, 0],
  [failed({ usage }), { failure: 'no' }, 0.5],
  [failed({ kind: 'malformed' }), { failure: 'no' }, undefined],
  [{ ...failed({ usage }), attempts: 0 }, { failure: 'no' }, 0],
])('the outcome %j has its reply and its cost', async (outcome, reply, costUsd) => {
  const { asker } = open([outcome]);
  expect(await asker.ask(question)).toEqual(reply);
  expect(asker.costUsd()).toBe(costUsd);
  expect(asker.failure()?.message).toBe('failure' in reply ? reply.failure : undefined);
});

test('a fresh reply is asked for past the cache where there is one, and costs add up', async () => {
  const { asker, requests } = open([answer('a'), answer('b')]);
  await asker.ask(question);
  await asker.ask({ ...question, isFresh: true });
  expect(requests.map(([how]) => how)).toEqual(['any', 'fresh']);
  expect(asker.costUsd()).toBe(1);
  const broken = open([answer('a'), failed({ usage }), answer('a', { usage: undefined }), answer('a')]);
  await broken.asker.ask(question);
  await broken.asker.ask(question);
  expect([broken.asker.costUsd(), broken.requests.map(([how]) => how)]).toEqual([1, ['any', 'any']]);
  await broken.asker.ask(question);
  await broken.asker.ask(question);
  expect(broken.asker.costUsd()).toBeUndefined();
  const plain = open([{ ...answer('a'), cached: true }], { canRefresh: false });
  expect(await plain.asker.ask({ ...question, isFresh: true })).toEqual({ text: 'a', canRefresh: false });
  expect(plain.requests[0]?.[0]).toBe('any');
  expect(await plain.asker.ask({ ...question, model: 'other' })).toEqual({ failure: 'no model is named "other"' });
});

test('a reply that has lost a part is none, whatever the rest of it says', async () => {
  const { asker } = open([answer('{"reason": "ok", "pass": true}', { rawFinishReason: 'MALFORMED_FUNCTION_CALL' })]);
  expect(await asker.ask(question)).toEqual({
    failure: 'it stopped by "MALFORMED_FUNCTION_CALL", so a part of its reply is lost',
  });
});
