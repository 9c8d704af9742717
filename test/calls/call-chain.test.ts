import { expect, test } from 'vitest';
import { type Reply, wordsSuite } from '../run/run-project.ts';
import { neverAborted } from '../support/build-case.ts';
import { openRunCalls } from './open-run-calls.ts';

const withLimits = (limits: string) => wordsSuite(3).replace('params:', `limits: ${limits}, params:`);

test.each([
  ['as often as usual', wordsSuite(3), 5],
  ['as often as its limits say', withLimits('{ retries: 1 }'), 2],
  ['never', withLimits('{ retries: 0 }'), 1],
])('a failed call is tried again %s', async (_what, suite, attempts) => {
  const { ask, asked } = await openRunCalls({ suite, reply: () => 500 });
  expect(await ask('w00')).toBe(`server after ${attempts}`);
  expect(asked).toHaveLength(attempts);
});

test('a call that may not begin any more is not made', async () => {
  const { ask, asked } = await openRunCalls({ calls: { mayBegin: async ({ origin }) => origin.caseId !== 'w01' } });
  expect([await ask('w00'), await ask('w01')]).toEqual(['w00 after 1', 'aborted after 0']);
  expect(asked).toEqual(['w00']);
});

test('what is sent is paid from the budget, and what it has no room for is not sent', async () => {
  // An answer may cost 0.0002 USD and costs 0.00002.
  const { ask, asked, calls } = await openRunCalls({ run: { maxCost: 0.00022 } });
  expect([await ask('w00'), calls.isBudgetExhausted()]).toEqual(['w00 after 1', false]);
  expect([await ask('w01'), calls.isBudgetExhausted()]).toEqual(['budget after 0', true]);
  expect([await ask('w00'), asked]).toEqual(['cached after 0', ['w00']]);
});

test('an estimate of output tokens is reported once', async () => {
  const open_ = wordsSuite(3).replace('params: { max_tokens: 100 }', 'params: {}');
  const { ask, calls, told } = await openRunCalls({ suite: open_, run: { maxCost: 1 } });
  await ask('w00');
  await ask('w01');
  expect(calls.notes()).toEqual([expect.stringContaining('set no limit on output tokens')]);
  expect(told).toEqual(calls.notes());
});

test.each([
  ['as many as -j says', wordsSuite(3), { concurrency: 5 }, 10],
  ['as many as the limits of the provider say', withLimits('{ concurrency: 3 }'), {}, 6],
  ['no more than -j says', withLimits('{ concurrency: 3 }'), { concurrency: 2 }, 4],
])('a provider is worth having in work twice %s', async (_what, suite, run, expected) => {
  const { calls, configOf } = await openRunCalls({ suite, run: { concurrency: 99, ...run } });
  expect(calls.cellsAtOnceFor(configOf('own'))()).toBe(expected);
});

test('a call that waits for its retry makes room for one more in work', async () => {
  const reply: Reply = (_text, before) => (before === 0 ? 500 : 'w00');
  const { calls, suite, configOf, requestOf, clock } = await openRunCalls({ run: { concurrency: 5 }, reply });
  const cellsAtOnce = calls.cellsAtOnceFor(configOf('own'));
  const call = calls.completeFor(configOf('own'), suite)(requestOf('w00'), neverAborted);
  await expect.poll(() => clock.waits, { interval: 1 }).toHaveLength(1);
  expect(cellsAtOnce()).toBe(11);
  await clock.runUntil(call);
  expect(cellsAtOnce()).toBe(10);
});
