import { expect, test } from 'vitest';
import { createStop } from '../../src/calls/stop.ts';
import { createManualClock } from '../support/manual-clock.ts';

test('a run ends for its first reason, and only a hard one aborts what is in flight', () => {
  const stop = createStop();
  expect([stop.reason(), stop.signal.aborted, stop.interrupted()]).toEqual([undefined, false, undefined]);
  stop.soft('bail');
  stop.soft('storage');
  expect([stop.reason(), stop.signal.aborted]).toEqual(['bail', false]);
  stop.hard('storage');
  expect([stop.reason(), stop.signal.aborted]).toEqual(['bail', true]);
  expect(stop.signal.reason).toMatchObject({ name: 'AbortError', message: 'the run was stopped: storage' });
  const hard = createStop();
  hard.hard('storage');
  hard.hard('deadline');
  expect(hard.reason()).toBe('storage');
});

test('a signal of the user is the reason of a run that ends already, and the first signal is kept', () => {
  const stop = createStop();
  const handlers: ((name: 'SIGINT' | 'SIGTERM') => void)[] = [];
  let isListening = true;
  const end = stop.listen({
    onSignal: (handler) => {
      handlers.push(handler);
      return () => {
        isListening = false;
      };
    },
    clock: createManualClock(),
  });
  stop.soft('bail');
  handlers[0]?.('SIGTERM');
  handlers[0]?.('SIGINT');
  expect([stop.reason(), stop.interrupted(), stop.signal.aborted, isListening]).toEqual([
    'interrupted',
    'SIGTERM',
    true,
    true,
  ]);
  end();
  expect(isListening).toBe(false);
});

test('a run ends at its deadline, unless it has ended before', async () => {
  const clock = createManualClock();
  const onSignal = () => () => undefined;
  const [late, done] = [createStop(), createStop()];
  late.listen({ onSignal, clock }, 1000);
  done.listen({ onSignal, clock }, 1000)();
  await clock.runUntil(clock.wait(999, new AbortController().signal));
  expect(late.reason()).toBeUndefined();
  await clock.runUntil(clock.wait(2, new AbortController().signal));
  expect([late.reason(), late.signal.aborted, done.reason()]).toEqual(['deadline', true, undefined]);
});

test.each([
  [1000, 11_000],
  [60_000, 90_000],
])('what is left to do after a deadline of %i ms has time until %i ms', (deadlineMs, endMs) => {
  let nowMs = 0;
  const clock = { now: () => nowMs, startTimer: () => () => undefined, wait: () => Promise.resolve() };
  const [ended, unlimited] = [createStop(), createStop()];
  const onSignal = () => () => undefined;
  ended.listen({ onSignal, clock }, deadlineMs)();
  unlimited.listen({ onSignal, clock });
  nowMs = endMs - 1;
  expect(ended.isOverdue()).toBe(false);
  nowMs = endMs;
  expect([ended.isOverdue(), unlimited.isOverdue()]).toEqual([true, false]);
});

test('a deadline holds behind work that keeps its timer from firing', () => {
  let nowMs = 0;
  const clock = { now: () => nowMs, startTimer: () => () => undefined, wait: () => Promise.resolve() };
  const [busy, ended, bailed] = [createStop(), createStop(), createStop()];
  const onSignal = () => () => undefined;
  busy.listen({ onSignal, clock }, 1000);
  ended.listen({ onSignal, clock }, 1000)();
  bailed.listen({ onSignal, clock }, 1000);
  bailed.soft('bail');
  nowMs = 999;
  expect([busy.isHard(), busy.reason(), bailed.isHard()]).toEqual([false, undefined, false]);
  nowMs = 1000;
  expect([busy.isHard(), busy.reason(), busy.signal.aborted]).toEqual([true, 'deadline', true]);
  expect([bailed.isHard(), bailed.reason()]).toEqual([true, 'bail']);
  expect([ended.isHard(), ended.reason()]).toEqual([false, undefined]);
});
