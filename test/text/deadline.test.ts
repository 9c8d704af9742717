import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createStop } from '../../src/calls/stop.ts';
import { onAbort } from '../../src/text/deadline.ts';
import { settleMicrotasks } from '../support/manual-clock.ts';

test('each listener is called once when the signal aborts, but for those that were taken back', () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => called.push('kept'));
  const stop = onAbort(controller.signal, () => called.push('taken back'));
  stop();
  controller.abort();
  controller.abort();
  expect(called).toEqual(['kept']);
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
