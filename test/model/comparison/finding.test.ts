import { describe, expect, test } from 'vitest';
import { describeContractWarnings } from '../../../src/model/comparison/finding.ts';
import { buildContract, buildFinding } from '../../support/build-contracts.ts';

const place = 'support-triage: contract of v2';

describe('the warnings of a contract', () => {
  test('are its doubtful findings that were not approved, and what stored answers say', () => {
    const findings = [
      buildFinding({ severity: 'error' }),
      buildFinding({ severity: 'warn', message: 'doubtful' }),
      buildFinding({ severity: 'warn', approved: true }),
      buildFinding({ severity: 'info' }),
    ];
    const seen = { answers: 'new', schema: 'old', total: 2, offenders: [] } as const;
    const observed = [
      { ...seen, rejected: 1, message: 'one is refused' },
      { ...seen, rejected: 0, unjudged: 1, message: 'one is not judged' },
      { ...seen, rejected: 0, unjudged: 0, message: 'all are taken' },
    ];
    expect(describeContractWarnings(buildContract({ findings, observed }))).toEqual([
      `${place}, enum-value-added at /outputSchema/properties/queue: doubtful`,
      `${place}: one is refused`,
      `${place}: one is not judged`,
    ]);
  });

  test.each([
    [20, []],
    [23, [`${place}: and 3 more warnings`]],
  ])('of %i findings are named up to twenty', (count, last) => {
    const findings = Array.from({ length: count }, () => buildFinding({ severity: 'warn' }));
    const warnings = describeContractWarnings(buildContract({ findings, observed: [] }));
    expect(warnings.slice(20)).toEqual(last);
  });
});
