import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/model/clock.ts';
import { neverAborted } from '../support/build-case.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('systemClock', () => {
  test('waits for the given time', async () => {
    const startMs = systemClock.now();
    const wait = systemClock.wait(5000, neverAborted).then(() => systemClock.now() - startMs);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await wait).toBe(5000);
  });

  test('does not wait for nothing, nor on an aborted signal', async () => {
    await systemClock.wait(0, neverAborted);
    await systemClock.wait(-1, neverAborted);
    await systemClock.wait(5000, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
  });

  test('an abort ends a wait and leaves no timer behind', async () => {
    const controller = new AbortController();
    const wait = systemClock.wait(5000, controller.signal);
    controller.abort();
    await wait;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stopped timer never fires, another one once', () => {
    const fired: string[] = [];
    const stop = systemClock.startTimer(10, () => fired.push('stopped'));
    systemClock.startTimer(10, () => fired.push('due'));
    stop();
    vi.advanceTimersByTime(100);
    expect(fired).toEqual(['due']);
  });

  test('a wait beyond the limit of a timer does not end at once', async () => {
    const controller = new AbortController();
    let isOver = false;
    const waitLong = async (): Promise<void> => {
      await systemClock.wait(2 ** 40, controller.signal);
      isOver = true;
    };
    const wait = waitLong();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(isOver).toBe(false);
    controller.abort();
    await wait;
  });

  test('a time beyond the limit of a timer does not fire at once', () => {
    let isFired = false;
    const stop = systemClock.startTimer(2 ** 40, () => {
      isFired = true;
    });
    vi.advanceTimersByTime(60_000);
    expect(isFired).toBe(false);
    stop();
  });
});
