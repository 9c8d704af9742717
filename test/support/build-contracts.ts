import type { LocatedFinding, PromptFindings } from '../../src/model/comparison/finding.ts';

export function buildFinding(overrides: Partial<LocatedFinding> = {}): LocatedFinding {
  return {
    ruleId: 'enum-value-added',
    direction: 'output',
    severity: 'error',
    path: '/outputSchema/properties/queue',
    old: null,
    new: 'fraud',
    message: 'The value "fraud" is allowed as well.',
    fingerprint: '53ba3bafcb08',
    at: { file: 'evals/schemas/triage.json', line: 6, column: 7 },
    ...overrides,
  };
}

/** One finding of every standing, and what stored answers say of them. */
export function buildContract(overrides: Partial<PromptFindings> = {}): PromptFindings {
  return {
    suite: 'support-triage',
    prompt: 'v2',
    against: 'evals/triage.baseline.jsonl',
    findings: [
      buildFinding({
        ruleId: 'property-order-changed',
        severity: 'info',
        path: '/outputSchema',
        old: ['queue', 'reason'],
        new: ['reason', 'queue'],
        message: 'The order of the properties changed; a model writes them in this order.',
        fingerprint: '0f1e2d3c4b5a',
      }),
      buildFinding(),
      buildFinding({
        ruleId: 'pattern-changed',
        severity: 'warn',
        path: '/outputSchema/properties/reason',
        old: '^a|b$',
        new: '^@team #1$',
        message: 'The pattern changed from "^a|b$" to "^@team #1$".',
        fingerprint: 'a1b2c3d4e5f6',
      }),
      buildFinding({
        ruleId: 'property-became-optional',
        path: '/outputSchema/properties/reason',
        old: 'required',
        new: 'optional',
        message: '"reason" may be left out.',
        fingerprint: '6f5e4d3c2b1a',
        approved: true,
      }),
    ],
    observed: [
      {
        answers: 'baseline',
        schema: 'new',
        total: 40,
        rejected: 12,
        unjudged: 1,
        offenders: [{ caseId: 'refund', reason: '$.queue must be one of ["billing","legal"]' }],
        message: '12 of 40 recorded answers would now be rejected; 1 could not be judged',
      },
    ],
    ...overrides,
  };
}
