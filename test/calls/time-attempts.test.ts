import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { timeAttempts } from '../../src/calls/time-attempts.ts';
import type { Complete } from '../../src/model/run/completion.ts';
import { buildRequest, completed, failed, neverAborted } from '../support/build-case.ts';
import { createManualClock, settleMicrotasks } from '../support/manual-clock.ts';

/** One attempt by a provider that answers after some time, or gives up once its signal is aborted. */
function build(answersAfterMs: number) {
  const clock = createManualClock();
  const reasons: unknown[] = [];
  const next: Complete = async (_request, signal) => {
    await clock.wait(answersAfterMs, signal);
    if (!signal.aborted) return completed();
    reasons.push(signal.reason);
    return failed('aborted');
  };
  const attempt = timeAttempts(next, clock);
  return { clock, reasons, run: (signal = neverAborted) => attempt(buildRequest(), signal, 1000) };
}

test('an attempt that ends in time is passed on with the time that it took', async () => {
  const { clock, run } = build(400);
  await clock.advance(50);
  expect(await clock.runUntil(run())).toEqual({ outcome: completed(), isTimeUp: false, elapsedMs: 400 });
  expect(clock.pending).toBe(0);
});

test('an attempt that takes too long is ended with a reason that names the limit', async () => {
  const { clock, reasons, run } = build(5000);
  expect(await clock.runUntil(run())).toEqual({ outcome: failed('aborted'), isTimeUp: true, elapsedMs: 1000 });
  expect(reasons).toEqual([expect.objectContaining({ name: 'TimeoutError', message: 'no answer within 1 s' })]);
});

test('an abort during an attempt reaches the provider with its reason', async () => {
  const controller = new AbortController();
  const { clock, reasons, run } = build(1e6);
  const call = run(controller.signal);
  await settleMicrotasks();
  controller.abort('stop');
  expect(await call).toEqual({ outcome: failed('aborted'), isTimeUp: false, elapsedMs: 0 });
  expect(reasons).toEqual(['stop']);
  expect([clock.pending, getEventListeners(controller.signal, 'abort')]).toEqual([0, []]);
});

test('an abort before an attempt reaches the provider too', async () => {
  const { reasons, run } = build(1e6);
  expect((await run(AbortSignal.abort('stop'))).outcome).toEqual(failed('aborted'));
  expect(reasons).toEqual(['stop']);
});
