import { expect, test } from 'vitest';
import { openAttempt } from '../../src/calls/serve-queue.ts';
import type { CompletionRequest } from '../../src/model/run/completion.ts';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { adapters } from '../../src/providers/index.ts';
import { openaiChat } from '../../src/providers/openai/chat.ts';
import { buildCompletion } from '../support/build-case.ts';
import { createManualClock } from '../support/manual-clock.ts';

const never = new AbortController().signal;

/** A worker's attempt, and the requests that it sent. */
function openServed(writes: readonly string[]) {
  const sent: CompletionRequest[] = [];
  const complete = async (request: CompletionRequest) => {
    sent.push(request);
    return { status: 'completed', completion: buildCompletion({ text: 'yes' }), cached: false, attempts: 1 } as const;
  };
  const attempt = openAttempt({ id: 'mini', adapter: 'openai', model: 'own' } as ProviderConfig, {} as Endpoint, {
    writes,
    connect: () => Promise.resolve({ complete, close: () => Promise.resolve() }),
    clock: createManualClock(),
    mask: (text) => text,
    isSameCode: () => true,
  });
  const ask = (params: object) =>
    attempt(
      {
        runId: 'r',
        timeoutMs: 1000,
        request: {
          messages: [{ role: 'user', content: 'hi' }],
          params: params as CompletionRequest['params'],
          trial: 0,
          origin: { suite: 's', prompt: 'p', provider: 'v', caseId: 'c' },
        },
      },
      never,
    );
  return { sent, ask };
}

const writers = Object.values(adapters).flatMap(({ writes = [] }) => writes);

test.each([...new Set(writers)])('a job that sets %s as a parameter is not sent', async (member) => {
  const { sent, ask } = openServed(writers);
  const { outcome } = await ask({ temperature: 0, [member]: 'other' });
  const message = `the job sets ${member}, which the worker takes from its own checkout`;
  expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'badRequest', message, retryable: false } });
  expect(sent).toEqual([]);
});

test('a job is sent to the model of the worker', async () => {
  const { sent, ask } = openServed(writers);
  expect((await ask({ temperature: 0 })).outcome.status).toBe('completed');
  expect(sent).toMatchObject([{ model: 'own', params: { temperature: 0 } }]);
});

test('the parameters of a chat request replace neither its model nor its messages', () => {
  const params = { model: 'other', messages: [{ role: 'user', content: 'other' }], temperature: 0 };
  const body = openaiChat.buildBody({
    model: 'own',
    messages: [{ role: 'user', content: 'hi' }],
    params,
  } as unknown as Parameters<typeof openaiChat.buildBody>[0]);
  expect(body).toEqual({ model: 'own', messages: [{ role: 'user', content: 'hi' }], temperature: 0 });
});
