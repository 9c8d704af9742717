import { describe, expect, test } from 'vitest';
import { createBreaker } from '../../src/calls/with-breaker.ts';
import type { Complete, CompletionOutcome, ProviderFailure } from '../../src/model/run/completion.ts';
import { buildRequest, completed, failed, neverAborted } from '../support/build-case.ts';

describe('createBreaker', () => {
  test.each(['auth', 'notFound', 'quota'] as const)('after %s nothing more is sent', async (kind) => {
    let sent = 0;
    const stops: ProviderFailure[] = [];
    const complete = createBreaker((failure) => stops.push(failure))(async () => {
      sent += 1;
      return failed(kind, { status: 401 });
    }, 'attempt');
    expect(await complete(buildRequest(), neverAborted)).toEqual(failed(kind, { status: 401 }));
    const refused = await complete(buildRequest(), neverAborted);
    expect(refused).toMatchObject({ status: 'failed', failure: { kind, status: 401 }, attempts: 0 });
    expect(refused).toMatchObject({
      failure: { message: `not sent, since the provider was stopped: no luck: ${kind}` },
    });
    expect(sent).toBe(1);
    expect(stops).toHaveLength(1);
  });

  test('other failures and answers let calls through', async () => {
    const outcomes = [failed('server'), failed('rateLimit'), failed('badRequest'), completed()];
    let sent = 0;
    const breaker = createBreaker(() => expect.unreachable('the provider was stopped'));
    const complete = breaker(async () => outcomes[sent++ % outcomes.length] ?? completed(), 'call');
    for (let count = 0; count < 8; count += 1) await complete(buildRequest(), neverAborted);
    expect(sent).toBe(8);
  });

  test('calls in flight when it trips end by themselves, and the stop is reported once', async () => {
    const pending: ((outcome: CompletionOutcome) => void)[] = [];
    const stops: ProviderFailure[] = [];
    const next: Complete = () => new Promise((resolve) => pending.push(resolve));
    const complete = createBreaker((failure) => stops.push(failure))(next, 'attempt');
    const calls = [1, 2, 3].map(() => complete(buildRequest(), neverAborted));
    pending[1]?.(failed('auth'));
    await calls[1];
    pending[0]?.(completed());
    pending[2]?.(failed('quota'));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(['completed', 'failed', 'failed']);
    expect(stops.map(({ kind }) => kind)).toEqual(['auth']);
    expect(await complete(buildRequest(), neverAborted)).toMatchObject({ failure: { kind: 'auth' }, attempts: 0 });
  });

  test('one breaker around limits and attempts refuses new calls and those that wait already', async () => {
    const stops: ProviderFailure[] = [];
    const breaker = createBreaker((failure) => stops.push(failure));
    const gates: (() => void)[] = [];
    let sent = 0;
    const attempt = breaker(async () => {
      sent += 1;
      return failed('auth');
    }, 'attempt');
    const complete = breaker(async (request, signal) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return attempt(request, signal);
    }, 'call');
    const calls = [complete(buildRequest(), neverAborted), complete(buildRequest(), neverAborted)];
    gates[0]?.();
    await calls[0];
    gates[1]?.();
    expect(await calls[1]).toMatchObject({ failure: { kind: 'auth' }, attempts: 0 });
    expect(await complete(buildRequest(), neverAborted)).toMatchObject({ failure: { kind: 'auth' }, attempts: 0 });
    expect(gates).toHaveLength(2);
    expect(sent).toBe(1);
    expect(stops).toHaveLength(1);
  });

  test('a call that was aborted is no answer: the provider is stopped all the same', async () => {
    const outcomes = [failed('aborted'), ...Array.from({ length: 10 }, () => failed('server'))];
    const stops: ProviderFailure[] = [];
    let sent = 0;
    const complete = createBreaker((failure) => stops.push(failure))(
      async () => outcomes[sent++] ?? completed(),
      'call',
    );
    for (let count = 0; count < 12; count += 1) await complete(buildRequest(), neverAborted);
    expect([sent, stops.length]).toEqual([11, 1]);
  });

  test('a call that was never sent is no answer and no failure of the provider', async () => {
    const unsent = [failed('budget'), ...Array.from({ length: 10 }, () => failed('server'))];
    const outcomes: CompletionOutcome[] = unsent.map((outcome) => ({ ...outcome, attempts: 0 }));
    const stops: ProviderFailure[] = [];
    const next: Complete = async () => outcomes.shift() ?? failed('server');
    const complete = createBreaker((failure) => stops.push(failure))(next, 'call');
    for (let count = 0; count < 20; count += 1) await complete(buildRequest(), neverAborted);
    expect(stops).toEqual([]);
    await complete(buildRequest(), neverAborted);
    expect(stops.map(({ kind }) => kind)).toEqual(['server']);
  });

  test.each(['network', 'timeout', 'server', 'overloaded'] as const)(
    'a provider that only ever fails with %s is stopped after ten calls, whatever their attempts',
    async (kind) => {
      const stops: ProviderFailure[] = [];
      const breaker = createBreaker((failure) => stops.push(failure));
      let sent = 0;
      const attempt = breaker(async () => {
        sent += 1;
        return failed(kind);
      }, 'attempt');
      const complete = breaker(async (request, signal) => {
        for (let retry = 0; retry < 4; retry += 1) await attempt(request, signal);
        return attempt(request, signal);
      }, 'call');
      for (let count = 0; count < 12; count += 1) await complete(buildRequest(), neverAborted);
      expect(sent).toBe(50);
      expect(stops).toEqual([{ kind, message: `10 calls failed and none was answered; the last: no luck: ${kind}` }]);
      expect(await complete(buildRequest(), neverAborted)).toMatchObject({ failure: { kind }, attempts: 0 });
    },
  );

  test.each([completed(), failed('badRequest'), failed('rateLimit'), failed('malformed')])(
    'a provider that answered once, if only %j, is not stopped for being down since',
    async (answer) => {
      const breaker = createBreaker(() => expect.unreachable('the provider was stopped'));
      let sent = 0;
      const complete = breaker(async () => (sent++ === 3 ? answer : failed('network')), 'call');
      for (let count = 0; count < 50; count += 1) await complete(buildRequest(), neverAborted);
      expect(sent).toBe(50);
    },
  );

  test('calls that the run itself stopped say nothing of the provider', async () => {
    const breaker = createBreaker(() => expect.unreachable('the provider was stopped'));
    const complete = breaker(async () => failed('aborted'), 'call');
    for (let count = 0; count < 50; count += 1) await complete(buildRequest(), neverAborted);
  });
});
