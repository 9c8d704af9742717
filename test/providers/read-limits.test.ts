import { describe, expect, it } from 'vitest';
import { readLimits } from '../../src/providers/read-limits.ts';
import { askProvider } from './ask-provider.ts';

const nowMs = Date.parse('2026-03-01T12:00:00Z');

describe('the limits that a service tells', () => {
  it.each<[string, Record<string, string>, readonly object[]]>([
    [
      'OpenAI',
      {
        'x-ratelimit-limit-requests': '500',
        'x-ratelimit-remaining-requests': '499',
        'x-ratelimit-reset-requests': '120ms',
        'x-ratelimit-limit-tokens': '30000',
        'x-ratelimit-remaining-tokens': '29000',
        'x-ratelimit-reset-tokens': '6m0.5s',
        'x-ratelimit-limit-project-tokens': '99',
        'content-type': 'application/json',
      },
      [
        { unit: 'requests', limit: 500, remaining: 499, resetMs: 120 },
        { unit: 'tokens', limit: 30_000, remaining: 29_000, resetMs: 360_500 },
      ],
    ],
    [
      'Anthropic',
      {
        date: 'Sun, 01 Mar 2026 11:00:00 GMT',
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': '2026-03-01T11:00:01Z',
        'anthropic-ratelimit-input-tokens-limit': '40000',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-03-01T11:00:30Z',
        'anthropic-ratelimit-output-tokens-limit': '8000',
        'anthropic-ratelimit-output-tokens-remaining': '8000',
        'anthropic-ratelimit-unified-status': 'allowed',
      },
      [
        { unit: 'requests', limit: 50, remaining: 49, resetMs: 1000 },
        { unit: 'inputTokens', limit: 40_000, remaining: 0, resetMs: 30_000 },
        { unit: 'outputTokens', limit: 8000, remaining: 8000 },
      ],
    ],
    [
      'Azure and GitHub Models',
      {
        'x-ratelimit-limit-tokens': '8000',
        'x-ratelimit-remaining-tokens': '7900',
        'x-ratelimit-renewalperiod-tokens': '60',
        'x-ratelimit-reset-requests': '10',
        'x-ratelimit-remaining-requests': '9',
        // No limit, in the words of some proxies.
        'x-ratelimit-limit-requests': '-1',
      },
      [
        { unit: 'tokens', limit: 8000, remaining: 7900, periodMs: 60_000 },
        { unit: 'requests', remaining: 9, resetMs: 10_000 },
      ],
    ],
    [
      'Cerebras',
      {
        'x-ratelimit-limit-requests-day': '14400',
        'x-ratelimit-remaining-requests-day': '14399',
        'x-ratelimit-reset-requests-day': '33011.38',
        'x-ratelimit-limit-tokens-minute': '60000',
        'x-ratelimit-remaining-tokens-minute': '59000',
        'x-ratelimit-reset-tokens-minute': '11.3',
      },
      [
        { unit: 'requests', limit: 14_400, remaining: 14_399, resetMs: 33_011_380, periodMs: 86_400_000 },
        { unit: 'tokens', limit: 60_000, remaining: 59_000, resetMs: 11_300, periodMs: 60_000 },
      ],
    ],
    [
      'Mistral',
      {
        'x-ratelimit-limit-req-minute': '60',
        'x-ratelimit-remaining-req-minute': '58',
        'x-ratelimit-tokens-query-cost': '17',
        'ratelimitbysize-limit': '500000',
        'ratelimitbysize-remaining': '499000',
        'ratelimitbysize-reset': '12',
      },
      [
        { unit: 'requests', limit: 60, remaining: 58, periodMs: 60_000 },
        { unit: 'tokens', limit: 500_000, remaining: 499_000, resetMs: 12_000 },
      ],
    ],
    [
      'OpenRouter',
      { 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs + 41_000) },
      [{ unit: 'requests', limit: 20, remaining: 0, resetMs: 41_000, periodMs: 60_000 }],
    ],
    [
      'one whose window has ended, in milliseconds since 1970',
      { 'x-ratelimit-remaining-requests': '4', 'x-ratelimit-reset-requests': String(nowMs - 5000) },
      [{ unit: 'requests', remaining: 4, resetMs: 0 }],
    ],
    [
      'one whose window has ended, in seconds since 1970',
      { 'x-ratelimit-remaining-requests': '4', 'x-ratelimit-reset-requests': String(nowMs / 1000 - 5) },
      [{ unit: 'requests', remaining: 4, resetMs: 0 }],
    ],
    [
      'one that writes the end of its window as seconds since 1970',
      { 'x-ratelimit-remaining-requests': '4', 'x-ratelimit-reset-requests': String(nowMs / 1000 + 41) },
      [{ unit: 'requests', remaining: 4, resetMs: 41_000 }],
    ],
    [
      'one that names no unit and no period',
      { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': '1' },
      [{ unit: 'requests', remaining: 9, resetMs: 1000 }],
    ],
    [
      'Cohere, for a trial key',
      { 'x-trial-endpoint-call-limit': '40', 'x-trial-endpoint-call-remaining': '39' },
      [{ unit: 'requests', limit: 40, remaining: 39, periodMs: 60_000 }],
    ],
    [
      'one that follows the draft of the IETF',
      { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' },
      [{ unit: 'requests', limit: 100, remaining: 50, resetMs: 30_000, periodMs: 60_000 }],
    ],
    [
      'one that follows an older draft',
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '50', 'ratelimit-reset': '50' },
      [{ unit: 'requests', limit: 100, remaining: 50, resetMs: 50_000, periodMs: 60_000 }],
    ],
    ['none', { 'content-type': 'application/json', 'retry-after': '3' }, []],
    ['one that writes no figures', { 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-reset-requests': 'soon' }, []],
  ])('%s', (_, headers, reports) => {
    expect(readLimits(headers, nowMs)).toEqual(reports);
  });
});

describe.each(['openai', 'anthropic', 'gemini', 'http'])('%s', (adapter) => {
  const headers = { 'x-ratelimit-limit-requests': '600', 'x-ratelimit-remaining-requests': '7' };
  const limits = [{ unit: 'requests', limit: 600, remaining: 7 }];
  const config =
    adapter === 'http' ? { options: { request: { q: '{{ prompt }}' }, response: { text: '$.text' } } } : {};

  it.each([200, 429])('reports the limits of a server with a status of %i', async (status) => {
    const { outcome } = await askProvider(adapter, { status, headers, body: { text: 'x' } }, { config });
    expect(outcome.limits).toEqual(limits);
  });

  it('reports no limits of a server that sends none', async () => {
    const { outcome } = await askProvider(adapter, { status: 429, body: {} }, { config });
    expect(outcome.limits).toBeUndefined();
  });
});
