import { expect, test } from 'vitest';
import { failurePolicies, isRetryable } from '../../src/calls/failure-policies.ts';
import { type CompletionOutcome, findUnusable } from '../../src/model/run/completion.ts';

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

const usage = { inputTokens: 1, outputTokens: 2 };

test.each<[outcome: CompletionOutcome, billed: object | undefined]>([
  [{ status: 'completed', completion: { text: '', toolCalls: [], usage }, cached: false, attempts: 1 }, undefined],
  [{ status: 'failed', failure: { kind: 'malformed', message: '', usage }, attempts: 0 }, undefined],
  [{ status: 'failed', failure: { kind: 'malformed', message: '' }, attempts: 0 }, undefined],
  [{ status: 'failed', failure: { kind: 'malformed', message: '' }, attempts: 1 }, {}],
  [{ status: 'failed', failure: { kind: 'malformed', message: '' }, attempts: 1, batched: true }, undefined],
  [{ status: 'failed', failure: { kind: 'malformed', message: '', usage }, attempts: 1, batched: true }, { usage }],
  [{ status: 'failed', failure: { kind: 'server', message: '' }, attempts: 1 }, undefined],
  [{ status: 'failed', failure: { kind: 'server', message: '', usage }, attempts: 1 }, { usage }],
])('%j was billed for %j without a use', (outcome, billed) => {
  expect(findUnusable(outcome)).toEqual(billed);
});
