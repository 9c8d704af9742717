import { expect, test } from 'vitest';
import { observeContract, type RecordedOutput } from '../../src/contracts/observe-contract.ts';
import type { JsonValue } from '../../src/json/json.ts';

const schema = { enum: ['billing', 'legal'] };
const findComplaint = ({ enum: values }: typeof schema, value: JsonValue): string | undefined =>
  values.some((allowed) => allowed === value) ? undefined : `${JSON.stringify(value)} is not allowed`;

function observe(outputs: readonly RecordedOutput[]): ReturnType<typeof observeContract> {
  return observeContract({ outputs, schema }, (given, value) => findComplaint(given as typeof schema, value));
}

test('recorded answers are counted by whether the schema takes them', () => {
  const outputs = [
    { caseId: 'refund', text: '"billing"' },
    { caseId: 'court', value: 'legal' },
    { caseId: 'spam', value: 'trash' },
  ];
  expect(observe(outputs)).toEqual({
    total: 3,
    rejected: 1,
    alreadyRejected: 0,
    unjudged: 0,
    offenders: [{ caseId: 'spam', reason: '"trash" is not allowed' }],
  });
});

test('an answer that is not JSON is rejected, a fenced one included', () => {
  const observed = observe([{ caseId: 'fenced', text: '```json\n"billing"\n```' }]);
  expect(observed.rejected).toBe(1);
  expect(observed.offenders[0]?.reason).toContain('the answer is not JSON');
});

test('only the first offenders are named', () => {
  const outputs = Array.from({ length: 40 }, (_, index) => ({ caseId: `c${index}`, value: index }));
  const observed = observe(outputs);
  expect([observed.rejected, observed.offenders.length]).toEqual([40, 5]);
});

test('no answers are no evidence', () => {
  expect(observe([])).toMatchObject({ total: 0, rejected: 0, offenders: [] });
});

test('an answer without a verdict is counted apart, on either schema', () => {
  const outputs = ['slow', 'trash', 'odd', 'broken before'].map((value) => ({ caseId: value, value }));
  const observed = observeContract({ outputs, schema: 'new', own: 'old' }, (given, value) => {
    if (given === 'new') return value === 'slow' ? null : 'refused';
    if (value === 'odd') return null;
    return value === 'broken before' ? 'refused' : undefined;
  });
  expect(observed).toMatchObject({
    total: 4,
    rejected: 1,
    alreadyRejected: 1,
    unjudged: 2,
    offenders: [{ caseId: 'trash' }],
  });
});
