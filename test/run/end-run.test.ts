import { expect, test } from 'vitest';
import type { EndRow } from '../../src/model/run/record.ts';
import { closeRecord } from '../../src/run/end-run.ts';
import type { Run } from '../../src/run/open-run.ts';

interface Given {
  readonly reason?: string;
  readonly isExhausted?: boolean;
  readonly isCutShort?: boolean;
  readonly isDecidedEarly?: boolean;
  readonly hasBatches?: boolean;
}

/** Ends a run. `log` has what it did, in order. */
function end({ reason, isExhausted = false, isCutShort = false, isDecidedEarly = false, hasBatches = true }: Given) {
  const log: string[] = [];
  let closed: EndRow | undefined;
  const run = {
    options: { notes: ['secret of the options'] },
    ports: {
      clock: { now: () => 2000.6 },
      mask: (text: string) => text.replace('secret', '***'),
      onProgress: ({ type }: { readonly type: string }) => log.push(type),
    },
    calls: { notes: () => ['secret of a call'], isBudgetExhausted: () => isExhausted },
    record: {
      close: (row: EndRow) => {
        closed = row;
        log.push('closed');
      },
    },
    remarks: ['secret of the plan'],
    startedMs: 1000,
    stop: { reason: () => reason },
    state: {
      isCutShort,
      isDecidedEarly,
      ...(hasBatches && { batches: { notes: ['secret of a batch'], forgetCollected: () => log.push('forgotten') } }),
    },
  } as unknown as Run;
  const row = closeRecord(run);
  expect(row).toBe(closed);
  return { row, log };
}

test('the end of a run has its duration and every note, without secrets', () => {
  const { row, log } = end({});
  expect(row).toEqual({
    type: 'end',
    durationMs: 1001,
    notes: ['*** of the options', '*** of a call', '*** of the plan', '*** of a batch'],
  });
  expect(log).toEqual(['closed', 'forgotten', 'finished']);
  expect(end({ hasBatches: false }).row.notes).toHaveLength(3);
});

test('batches of a run that was cut short are kept for the next one', () => {
  expect(end({ isCutShort: true }).log).toEqual(['closed', 'finished']);
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
  expect(end(given).row.stopReason).toBe(stopReason);
});
