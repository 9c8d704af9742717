import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createStop } from '../../src/calls/stop.ts';
import { onAbort } from '../../src/text/deadline.ts';
import { settleMicrotasks } from '../support/manual-clock.ts';

test('calls each listener once and in order, but for those that were taken back', () => {
  const controller = new AbortController();
  const called: string[] = [];
  const listener = () => called.push('kept');
  onAbort(controller.signal, listener);
  const stop = onAbort(controller.signal, () => called.push('taken back'));
  onAbort(controller.signal, () => called.push('last'));
  stop();
  controller.abort();
  controller.abort();
  expect(called).toEqual(['kept', 'last']);
});

test('calls no listener that another one took back, or that came after the abort', () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => {
    called.push('first');
    stopSecond();
    onAbort(controller.signal, () => called.push('late'));
  });
  const stopSecond = onAbort(controller.signal, () => called.push('second'));
  onAbort(controller.signal, () => called.push('third'));
  controller.abort();
  onAbort(controller.signal, () => called.push('after'));
  expect(called).toEqual(['first', 'third']);
});

test('hundreds of listeners on the signal that stops a run bring no warning of a leak', async () => {
  const { signal } = createStop();
  const ended = new AbortController();
  const warned = once(process, 'warning', { signal: ended.signal }).then(
    () => true,
    () => false,
  );
  const stops = Array.from({ length: 300 }, () => onAbort(signal, () => undefined));
  await settleMicrotasks();
  ended.abort();
  expect(await warned).toBe(false);
  for (const stop of stops) stop();
});
