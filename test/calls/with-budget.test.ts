import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Budget, type BudgetPricing, openBatchSpending } from '../../src/calls/with-budget.ts';
import type { Complete, CompletionOutcome, FailureKind } from '../../src/model/run/completion.ts';
import type { BatchAnswer } from '../../src/model/suite/provider.ts';
import { buildCompletion, buildRequest, completed, failed, neverAborted } from '../support/build-case.ts';
import { createManualClock, settleMicrotasks } from '../support/manual-clock.ts';
import fc from '../support/property.ts';

/** Bound and cost stand in the request's params, so that each call of a test can have its own. */
const pricing: BudgetPricing = {
  boundOf: ({ params }) => Number(params['bound'] ?? 1),
  costOf: ({ params }) => (params['cost'] === undefined ? undefined : Number(params['cost'])),
};

function priced(bound: number, cost?: number) {
  return buildRequest({ params: { bound, ...(cost === undefined ? {} : { cost }) } });
}

function holdBack() {
  const pending: ((outcome: CompletionOutcome) => void)[] = [];
  const next: Complete = () => new Promise((resolve) => pending.push(resolve));
  return { pending, next };
}

describe('a budget', () => {
  test('lets calls through while their bounds fit, and bills what they cost', async () => {
    const budget = new Budget(1);
    const complete = budget.wrap(async () => completed(), pricing);
    for (let count = 0; count < 9; count += 1) {
      expect(await complete(priced(0.2, 0.1), neverAborted)).toMatchObject({ status: 'completed' });
    }
    expect(budget.isExhausted).toBe(false);
    expect(await complete(priced(0.2, 0.1), neverAborted)).toMatchObject({ failure: { kind: 'budget' }, attempts: 0 });
    expect(budget.isExhausted).toBe(true);
  });

  test('leaves no listener on the signal of the run once a call that waited was made', async () => {
    const budget = new Budget(1);
    const { pending, next } = holdBack();
    const complete = budget.wrap(next, pricing);
    const { signal } = new AbortController();
    const calls = [complete(priced(0.6, 0.1), signal), complete(priced(0.6, 0.1), signal)];
    await settleMicrotasks();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    pending[0]?.(completed());
    await settleMicrotasks();
    pending[1]?.(completed());
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('once a call did not fit, no other is sent, however small', async () => {
    const budget = new Budget(1);
    const complete = budget.wrap(async () => completed(), pricing);
    await complete(priced(5), neverAborted);
    expect(await complete(priced(0.001, 0.001), neverAborted)).toMatchObject({ failure: { kind: 'budget' } });
  });

  test('a cap of zero still lets free calls through', async () => {
    const complete = new Budget(0).wrap(async () => completed(), pricing);
    expect(await complete(priced(0, 0), neverAborted)).toMatchObject({ status: 'completed' });
  });

  test('a bound that is not a number never fits', async () => {
    const complete = new Budget(1).wrap(async () => completed(), pricing);
    expect(await complete(priced(Number.NaN), neverAborted)).toMatchObject({ failure: { kind: 'budget' } });
  });

  test('a call that does not fit yet waits for what the calls in flight leave', async () => {
    const { pending, next } = holdBack();
    const budget = new Budget(1);
    const complete = budget.wrap(next, pricing);
    const first = complete(priced(0.8, 0.1), neverAborted);
    const second = complete(priced(0.8, 0.1), neverAborted);
    await settleMicrotasks();
    expect(pending).toHaveLength(1);
    pending[0]?.(completed());
    await first;
    await settleMicrotasks();
    expect(pending).toHaveLength(2);
    pending[1]?.(completed());
    expect(await second).toMatchObject({ status: 'completed' });
  });

  test('all waiting calls are refused when what is left can never fit them', async () => {
    const { pending, next } = holdBack();
    const complete = new Budget(1).wrap(next, pricing);
    const first = complete(priced(0.8, 0.8), neverAborted);
    const others = [0.5, 0.6, 0.7].map((bound) => complete(priced(bound), neverAborted));
    await settleMicrotasks();
    pending[0]?.(completed());
    await first;
    for (const outcome of await Promise.all(others)) expect(outcome).toMatchObject({ failure: { kind: 'budget' } });
    expect(pending).toHaveLength(1);
  });

  test('an abort while waiting is an abort and leaves the budget open', async () => {
    const controller = new AbortController();
    const { pending, next } = holdBack();
    const budget = new Budget(1);
    const complete = budget.wrap(next, pricing);
    const first = complete(priced(0.8), neverAborted);
    const second = complete(priced(0.8), controller.signal);
    await settleMicrotasks();
    controller.abort();
    expect(await second).toMatchObject({ failure: { kind: 'aborted' }, attempts: 0 });
    expect(budget.isExhausted).toBe(false);
    pending[0]?.(completed());
    await first;
  });

  test.each<[string, FailureKind, number, boolean]>([
    ['an attempt that timed out may have been billed', 'timeout', 1, false],
    ['an aborted one too', 'aborted', 1, false],
    ['and a reply that was no answer', 'malformed', 1, false],
    ['and an answer that a filter withheld', 'contentFilter', 1, false],
    ['a refused request costs nothing', 'rateLimit', 3, true],
    ['nor does one that was never sent', 'aborted', 0, true],
  ])('%s', async (_name, kind, attempts, isFree) => {
    const budget = new Budget(1);
    const complete = budget.wrap(async () => failed(kind, {}, attempts), pricing);
    await complete(priced(0.9), neverAborted);
    await complete(priced(0.9), neverAborted);
    expect(budget.isExhausted).toBe(!isFree);
  });

  test('a reply that was no answer costs what its usage says', async () => {
    const budget = new Budget(1);
    const usage = { inputTokens: 1, outputTokens: 1 };
    const complete = budget.wrap(async () => failed('malformed', { usage }), pricing);
    await complete(priced(0.9, 0.1), neverAborted);
    await complete(priced(0.9, 0.1), neverAborted);
    expect(budget.isExhausted).toBe(false);
    await complete(priced(0.9), neverAborted);
    expect(budget.isExhausted).toBe(true);
  });

  test('a reply that was no answer costs its bound where its usage has no price', async () => {
    const budget = new Budget(1);
    const usage = { inputTokens: 1, outputTokens: 1 };
    const complete = budget.wrap(async () => failed('server', { usage }), pricing);
    await complete(priced(0.9), neverAborted);
    await complete(priced(0.2), neverAborted);
    expect(budget.isExhausted).toBe(true);
  });

  test('an answer whose cost is not known costs its bound', async () => {
    const budget = new Budget(1);
    const complete = budget.wrap(async () => completed(), pricing);
    await complete(priced(0.9), neverAborted);
    await complete(priced(0.2), neverAborted);
    expect(budget.isExhausted).toBe(true);
  });

  test('a bug gives the reservation up as spent and lets others go on', async () => {
    const budget = new Budget(1);
    const complete = budget.wrap(async ({ params }) => {
      if (params['bound'] === 0.3) throw new TypeError('a bug');
      return completed();
    }, pricing);
    await expect(complete(priced(0.3), neverAborted)).rejects.toThrow('a bug');
    expect(await complete(priced(0.7, 0.7), neverAborted)).toMatchObject({ status: 'completed' });
    expect(await complete(priced(0.1), neverAborted)).toMatchObject({ failure: { kind: 'budget' } });
  });

  test('rounding leaves no reservation behind, so an idle budget knows that it is idle', async () => {
    const { pending, next } = holdBack();
    const complete = new Budget(2e6).wrap(next, pricing);
    const calls = [complete(priced(0.3, 0), neverAborted), complete(priced(1e6, 0), neverAborted)];
    await settleMicrotasks();
    // (0.3 + 1e6) - 1e6 - 0.3 is 4.7e-11 in floating point.
    for (const index of [1, 0]) {
      pending[index]?.(completed());
      await calls[index];
    }
    expect(await complete(priced(3e6), neverAborted)).toMatchObject({ failure: { kind: 'budget' } });
  });

  const call = fc.record({
    bound: fc.double({ min: 0, max: 1, noNaN: true }),
    share: fc.double({ min: 0, max: 1.5, noNaN: true }),
    ms: fc.integer({ min: 0, max: 20 }),
    kind: fc.constantFrom('completed', 'timeout', 'server'),
  });

  test('never spends more than the cap plus what calls in flight cost above their bounds, and settles every call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.array(call, { maxLength: 30 }),
        async (cap, calls) => {
          const clock = createManualClock();
          const budget = new Budget(cap);
          let spent = 0;
          let overrun = 0;
          const complete = budget.wrap(
            async ({ params }) => {
              const { bound, share, ms, kind } = calls[Number(params['index'])] ?? {
                bound: 0,
                share: 0,
                ms: 0,
                kind: '',
              };
              await clock.wait(ms, neverAborted);
              if (kind !== 'completed') return failed(kind === 'timeout' ? 'timeout' : 'server');
              spent += bound * share;
              overrun += Math.max(0, bound * share - bound);
              return completed();
            },
            {
              boundOf: ({ params }) => calls[Number(params['index'])]?.bound ?? 0,
              costOf: ({ params }) => {
                const { bound, share } = calls[Number(params['index'])] ?? { bound: 0, share: 0 };
                return bound * share;
              },
            },
          );
          const requests = calls.map((_, index) => buildRequest({ params: { index } }));
          const all = Promise.all(requests.map((request) => complete(request, neverAborted)));
          const outcomes = await clock.runUntil(all);
          expect(outcomes).toHaveLength(calls.length);
          expect(spent).toBeLessThanOrEqual(cap + overrun + 1e-9);
          const isRefused = outcomes.some(
            (outcome) => outcome.status === 'failed' && outcome.failure.kind === 'budget',
          );
          expect(isRefused).toBe(budget.isExhausted);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a call that waited for its slot is not sent once others cost more than their bounds', async () => {
    const budget = new Budget(1);
    let sent = 0;
    const gates: (() => void)[] = [];
    const attempt = budget.guard(async () => {
      sent += 1;
      return completed();
    }, pricing);
    const complete = budget.wrap(async (request, signal) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return attempt(request, signal);
    }, pricing);
    const calls = Array.from({ length: 4 }, () => complete(priced(0.1, 0.95), neverAborted));
    await settleMicrotasks();
    for (const [index, open] of gates.entries()) {
      open();
      await calls[index];
    }
    expect(sent).toBe(1);
    expect(await calls[3]).toMatchObject({ failure: { kind: 'budget' }, attempts: 0 });
    expect(budget.isExhausted).toBe(true);
  });
});

describe('what batches take of a budget', () => {
  const usage = { inputTokens: 1, outputTokens: 1 };
  const answer = { completion: buildCompletion({ usage }) };

  /** A budget of 1, and batches whose requests may cost 0.4 each, and cost what is given. */
  function open(costUsd: number | undefined) {
    const budget = new Budget(1);
    const spending = openBatchSpending(budget, {
      boundOf: ({ params }) => Number(params['bound'] ?? 0.4),
      costOf: (completion) => (completion.usage === undefined ? undefined : costUsd),
    });
    /** How many more requests of 0.1 fit. */
    const left = () => {
      let count = 0;
      while (spending.take(`left ${count}`, priced(0.1)) === undefined) count += 1;
      return count;
    };
    return { budget, spending, left };
  }

  test('is their bounds until their answers came, and nothing for a request that does not fit', () => {
    const { budget, spending } = open(0.1);
    expect([spending.take('a', buildRequest()), spending.take('b', buildRequest())]).toEqual([undefined, undefined]);
    expect(budget.isExhausted).toBe(false);
    expect(spending.take('c', buildRequest())).toEqual({
      kind: 'budget',
      message: 'the call could cost up to $0.4000, which no longer fits in --max-cost',
    });
    expect(budget.isExhausted).toBe(true);
    // A smaller one still fits.
    expect(spending.take('d', priced(0.2))).toBeUndefined();
    expect(spending.take('e', priced(0.1))).toMatchObject({ kind: 'budget' });
  });

  test.each<[what: string, answer: BatchAnswer, costUsd: number | undefined, left: number]>([
    ['an answer is what it cost', answer, 0.1, 9],
    ['an answer without a price is its bound', answer, undefined, 6],
    ['an answer without usage is its bound', { completion: { text: '', toolCalls: [] } }, 0.1, 6],
    ['a failure is nothing', { failure: { kind: 'server', message: '' } }, 0.1, 10],
    [
      'a failure that brought an answer of no use is what that cost',
      { failure: { kind: 'malformed', message: '', usage } },
      0.3,
      7,
    ],
    [
      'such a failure without a price is its bound',
      { failure: { kind: 'malformed', message: '', usage } },
      undefined,
      6,
    ],
  ])('for %s', (_what, found, costUsd, count) => {
    const { spending, left } = open(costUsd);
    spending.take('a', buildRequest());
    spending.settle('a', found);
    expect(left()).toBe(count);
  });

  test('is also the price of an answer that an earlier run submitted, once for each answer', () => {
    const { spending, left } = open(0.2);
    spending.settle('earlier', answer);
    spending.take('a', buildRequest());
    spending.settle('a', answer);
    spending.settle('a', answer);
    expect(left()).toBe(4);
    expect(open(undefined).spending.settle('earlier', answer)).toBeUndefined();
  });

  test('has no end without a budget', () => {
    const spending = openBatchSpending(undefined, { boundOf: () => Infinity, costOf: () => Infinity });
    expect(spending.take('a', buildRequest())).toBeUndefined();
    expect(spending.settle('a', answer)).toBeUndefined();
    expect(spending.take('b', buildRequest())).toBeUndefined();
  });
});
