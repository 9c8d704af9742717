import { expect, test } from 'vitest';
import type { RunHeader } from '../../src/model/run/record.ts';
import { assess, decideRecord } from '../../src/verdict/decide-record.ts';
import { unchanged } from '../support/build-gated.ts';
import { buildHeader, buildRecord, buildRecordedSuite, buildVariant, rowsOf } from '../support/build-summary.ts';

function decide(header: RunHeader, sides: boolean) {
  const record = {
    ...buildRecord(header, rowsOf('p p')),
    sides: sides ? { list: [], lines: () => [], read: () => undefined } : undefined,
  };
  const assessment = assess({ record, findBaseline: () => undefined, judged: [], costOf: () => undefined });
  return decideRecord(assessment, { findReference: () => undefined, contracts: undefined }).decision;
}

test('a record of an older version that was compared with a baseline is incomplete, and says what it lacks', () => {
  const compared = buildHeader([buildRecordedSuite([buildVariant(2, { acceptedPrompt: unchanged })])]);
  expect(decide(compared, false)).toMatchObject({
    outcome: 'incomplete',
    incompleteBecause: 'record',
    kind: 'record',
    breaches: [{ code: 'record-incomplete', message: expect.stringContaining('suite triage was compared with') }],
  });
  expect(decide(compared, true).outcome).toBe('passed');
  // Nothing was accepted, so nothing is missing.
  const first = buildHeader([buildRecordedSuite([buildVariant(2)])]);
  expect(decide(first, false)).toMatchObject({ outcome: 'passed', kind: 'uncompared' });
});
