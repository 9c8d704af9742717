import { expect, test } from 'vitest';
import { withDedupe } from '../../src/cache/with-dedupe.ts';
import type { Complete, CompletionOutcome } from '../../src/model/run/completion.ts';
import { answer, ask, buildRequest, completed } from './build-request.ts';

const yes = completed(answer('yes'));

const abortedOutcome: CompletionOutcome = {
  status: 'failed',
  failure: { kind: 'aborted', message: 'stopped' },
  attempts: 1,
};

test('shares an outcome among identical requests of different cells', async () => {
  const { complete, calls } = openDedupe();
  const other = buildRequest({ origin: { suite: 's', prompt: 'p', provider: 'x', caseId: 'c' } });
  const results = [complete(buildRequest(), live()), complete(other, live())];
  expect(calls).toHaveLength(1);
  calls[0]?.resolve(yes);
  expect(await Promise.all(results)).toEqual([yes, { ...yes, cached: true, attempts: 0 }]);
});

test('sends different requests each for itself, and the same one again once it is answered', async () => {
  const { complete, calls } = openDedupe();
  const first = complete(ask('a'), live());
  const second = complete(ask('b'), live());
  expect(calls).toHaveLength(2);
  for (const call of calls) call.resolve(yes);
  await Promise.all([first, second]);
  void complete(ask('a'), live());
  expect(calls).toHaveLength(3);
});

test('shares a failure, booked once', async () => {
  const { complete, calls } = openDedupe();
  const results = [complete(buildRequest(), live()), complete(buildRequest(), live())];
  calls[0]?.resolve({ status: 'failed', failure: { kind: 'server', message: 'oops' }, attempts: 5 });
  const outcomes = await Promise.all(results);
  expect(outcomes.map(({ attempts }) => attempts)).toEqual([5, 0]);
  expect(outcomes[1]).toMatchObject({ status: 'failed', failure: { kind: 'server' } });
});

test('where the first is aborted, the next in line asks and the others follow it', async () => {
  const { complete, calls } = openDedupe();
  const stop = new AbortController();
  const leader = complete(buildRequest(), stop.signal);
  const followers = [complete(buildRequest(), live()), complete(buildRequest(), live())];
  stop.abort();
  calls[0]?.resolve(abortedOutcome);
  expect(await leader).toEqual(abortedOutcome);
  await settle();
  expect(calls).toHaveLength(2);
  calls[1]?.resolve(yes);
  expect(await Promise.all(followers)).toEqual([yes, { ...yes, cached: true, attempts: 0 }]);
});

test.each<[what: string, isStopped: boolean, outcome: CompletionOutcome]>([
  [
    'fails in another way while it is stopped',
    true,
    { status: 'failed', failure: { kind: 'timeout', message: 'late' }, attempts: 1 },
  ],
  ['says itself that it was stopped', false, abortedOutcome],
])('a leader that %s does not fail its followers', async (_what, isStopped, outcome) => {
  const { complete, calls } = openDedupe();
  const stop = new AbortController();
  const leader = complete(buildRequest(), stop.signal);
  const follower = complete(buildRequest(), live());
  if (isStopped) stop.abort();
  calls[0]?.resolve(outcome);
  expect(await leader).toEqual(outcome);
  await settle();
  expect(calls).toHaveLength(2);
  calls[1]?.resolve(yes);
  expect(await follower).toEqual(yes);
});

test('a leader that answers although it is stopped answers its followers', async () => {
  const { complete, calls } = openDedupe();
  const stop = new AbortController();
  const results = [complete(buildRequest(), stop.signal), complete(buildRequest(), live())];
  stop.abort();
  calls[0]?.resolve(yes);
  expect(await Promise.all(results)).toEqual([yes, { ...yes, cached: true, attempts: 0 }]);
  expect(calls).toHaveLength(1);
});

test('a leader that throws because it was aborted does not fail its followers either', async () => {
  const { complete, calls } = openDedupe();
  const stop = new AbortController();
  const leader = complete(buildRequest(), stop.signal);
  const follower = complete(buildRequest(), live());
  stop.abort(new Error('stopped'));
  calls[0]?.reject(stop.signal.reason);
  await expect(leader).rejects.toThrow('stopped');
  await settle();
  calls[1]?.resolve(yes);
  expect(await follower).toEqual(yes);
});

test('a bug is thrown at everyone who waits', async () => {
  const { complete, calls } = openDedupe();
  const results = [complete(buildRequest(), live()), complete(buildRequest(), live())];
  calls[0]?.reject(new TypeError('bug'));
  const settled = await Promise.allSettled(results);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  void complete(buildRequest(), live());
  expect(calls).toHaveLength(2);
});

test('a follower that is aborted does not wait for the first', async () => {
  const { complete, calls } = openDedupe();
  const stop = new AbortController();
  const leader = complete(buildRequest(), live());
  const follower = complete(buildRequest(), stop.signal);
  stop.abort();
  expect(await follower).toMatchObject({ status: 'failed', failure: { kind: 'aborted' }, attempts: 0 });
  calls[0]?.resolve(yes);
  expect(await leader).toEqual(yes);
});

test('a request that comes aborted while one is in flight is not sent', async () => {
  const { complete, calls } = openDedupe();
  void complete(buildRequest(), live());
  expect(await complete(buildRequest(), AbortSignal.abort())).toMatchObject({ failure: { kind: 'aborted' } });
  expect(calls).toHaveLength(1);
});

function openDedupe() {
  const calls: { resolve: (outcome: CompletionOutcome) => void; reject: (error: unknown) => void }[] = [];
  const next: Complete = () => new Promise((resolve, reject) => calls.push({ resolve, reject }));
  return { complete: withDedupe(next), calls };
}

function live(): AbortSignal {
  return new AbortController().signal;
}

/** Lets every continuation that is ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
