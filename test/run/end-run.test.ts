import { expect, test } from 'vitest';
import { buildEnd } from '../../src/run/end-run.ts';
import type { Run } from '../../src/run/open-run.ts';

interface Given {
  readonly reason?: string;
  readonly isExhausted?: boolean;
  readonly isCutShort?: boolean;
  readonly isDecidedEarly?: boolean;
  readonly hasBatches?: boolean;
}

/** The last row of a run. */
function end({ reason, isExhausted = false, isCutShort = false, isDecidedEarly = false, hasBatches = true }: Given) {
  const run = {
    options: { notes: ['secret of the options'] },
    ports: { clock: { now: () => 2000.6 }, mask: (text: string) => text.replace('secret', '***') },
    calls: { notes: () => ['secret of a call'], isBudgetExhausted: () => isExhausted },
    remarks: ['secret of the plan'],
    startedMs: 1000,
    stop: { reason: () => reason },
    state: { isCutShort, isDecidedEarly, ...(hasBatches && { batches: { notes: ['secret of a batch'] } }) },
  } as unknown as Run;
  return buildEnd(run);
}

test('the end of a run has its duration and every note, without secrets', () => {
  expect(end({})).toEqual({
    type: 'end',
    durationMs: 1001,
    notes: ['*** of the options', '*** of a call', '*** of the plan', '*** of a batch'],
  });
  expect(end({ hasBatches: false }).notes).toHaveLength(3);
});

test.each<[Given, string | undefined]>([
  [{}, undefined],
  [{ isDecidedEarly: true }, 'decided'],
  [{ isCutShort: true, reason: 'bail', isDecidedEarly: true }, 'bail'],
  [{ reason: 'bail' }, undefined],
  [{ reason: 'bail', isDecidedEarly: true }, 'decided'],
  [{ reason: 'deadline' }, undefined],
  [{ isExhausted: true }, undefined],
  [{ isExhausted: true, isCutShort: true }, 'budget'],
  [{ isExhausted: true, isCutShort: true, reason: 'bail' }, 'bail'],
  [{ reason: 'interrupted' }, 'interrupted'],
  [{ reason: 'storage' }, 'storage'],
  [{ reason: 'queue' }, 'queue'],
])('a run with %j was stopped by %s', (given, stopReason) => {
  expect(end(given).stopReason).toBe(stopReason);
});
