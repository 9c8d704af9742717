import { expect, test } from 'vitest';
import { failurePolicies, isRetryable } from '../../src/calls/failure-policies.ts';

test('a kind is retried, stops its provider, fails its cell or does none of these, never two', () => {
  for (const [kind, policy] of Object.entries(failurePolicies)) {
    expect([kind, Object.values(policy).filter(Boolean).length <= 1]).toEqual([kind, true]);
  }
});

test('the server can forbid a retry, but not ask for one that the kind rules out', () => {
  expect(isRetryable({ kind: 'server', message: '' })).toBe(true);
  expect(isRetryable({ kind: 'server', message: '', retryable: false })).toBe(false);
  expect(isRetryable({ kind: 'badRequest', message: '', retryable: true })).toBe(false);
});
