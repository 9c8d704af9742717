import { expect, test } from 'vitest';
import { describeOutcome } from '../../../src/cli/output/ci-outcome.ts';
import type { CellRow } from '../../../src/model/record.ts';
import { buildReport, buildSuite, buildUnansweredCase, buildVariant } from '../../support/build-report.ts';

const missing = { kind: 'cacheMiss', message: 'no cached answer', attempts: 0 } as const;

/** The outcome of a job whose only cell errored. */
function describeJob(isReplay: boolean, error: CellRow['error']) {
  const entry = buildUnansweredCase({ status: 'errored' }, { status: 'errored', error });
  const variant = buildVariant({ planned: 1, passed: 0, failed: 0, errored: 1 });
  const report = buildReport([buildSuite([entry], { variants: [variant] })], {
    decision: { outcome: 'incomplete', incompleteBecause: 'errors', breaches: [], warnings: [] },
    exitCode: 4,
  });
  const { exitCode, conclusion } = describeOutcome(report, { place: { label: '' }, exitCode: 4, isReplay });
  return [exitCode, conclusion];
}

test('a job without keys that lacks stored answers alone is neutral', () => {
  expect(describeJob(true, missing)).toEqual([0, 'neutral']);
});

test('a job that may ask, or that failed otherwise, is not', () => {
  const [code, conclusion] = describeJob(false, missing);
  expect([code, conclusion === 'neutral']).toEqual([4, false]);
  expect(describeJob(true, { ...missing, kind: 'server' })[0]).toBe(4);
});
