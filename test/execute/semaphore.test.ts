import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSemaphore } from '../../src/execute/semaphore.ts';
import { neverAborted } from '../support/build-case.ts';
import { settleMicrotasks } from '../support/manual-clock.ts';

describe('createSemaphore', () => {
  test('gives slots at once while there are some, then in the order of asking', async () => {
    const semaphore = createSemaphore(1);
    const order: string[] = [];
    expect(semaphore.acquire(neverAborted)).toBe(true);
    void Promise.resolve(semaphore.acquire(neverAborted)).then(() => order.push('first'));
    void Promise.resolve(semaphore.acquire(neverAborted)).then(() => order.push('second'));
    await settleMicrotasks();
    expect(order).toEqual([]);
    semaphore.release();
    await settleMicrotasks();
    expect(order).toEqual(['first']);
    semaphore.release();
    await settleMicrotasks();
    expect(order).toEqual(['first', 'second']);
  });

  test('an aborted wait gets no slot and takes none from others', async () => {
    const semaphore = createSemaphore(1);
    const controller = new AbortController();
    void semaphore.acquire(neverAborted);
    const aborted = semaphore.acquire(controller.signal);
    const patient = semaphore.acquire(neverAborted);
    controller.abort();
    expect(await aborted).toBe(false);
    semaphore.release();
    expect(await patient).toBe(true);
    expect(semaphore.inUse).toBe(1);
    expect(semaphore.acquire(controller.signal)).toBe(false);
  });

  test('a smaller size takes effect as slots come back, a larger one at once', async () => {
    const semaphore = createSemaphore(2);
    void semaphore.acquire(neverAborted);
    void semaphore.acquire(neverAborted);
    const third = Promise.resolve(semaphore.acquire(neverAborted));
    semaphore.resize(1);
    semaphore.release();
    expect(semaphore.inUse).toBe(1);
    semaphore.resize(2);
    expect(await third).toBe(true);
    expect(semaphore.inUse).toBe(2);
  });

  test('never has more slots out than its size, whatever is asked, aborted and given back', async () => {
    const actions = fc.array(fc.constantFrom('acquire', 'abort', 'release'), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), actions, async (size, steps) => {
        const semaphore = createSemaphore(size);
        const waiting: AbortController[] = [];
        let held = 0;
        for (const step of steps) {
          if (step === 'acquire') {
            const controller = new AbortController();
            waiting.push(controller);
            void Promise.resolve(semaphore.acquire(controller.signal)).then((got) => {
              held += got ? 1 : 0;
              return got;
            });
          } else if (step === 'abort') {
            waiting.shift()?.abort();
          } else if (held > 0) {
            held -= 1;
            semaphore.release();
          }
          await Promise.resolve();
          await Promise.resolve();
          expect(semaphore.inUse).toBe(held);
          expect(held).toBeLessThanOrEqual(size);
        }
      }),
    );
  });
});
