import { expect, test } from 'vitest';
import { createOutputEstimate, inputBytes } from '../../src/plan/price-variants.ts';
import { buildRequest } from '../providers/build-request.ts';

test('reasoning that goes back with an answer counts as input', () => {
  const bytesOf = (continuation?: string) =>
    inputBytes(
      buildRequest({
        messages: [{ role: 'assistant', content: '', ...(continuation === undefined ? {} : { continuation }) }],
      }),
    );
  expect(bytesOf('x'.repeat(1000)) - bytesOf()).toBeGreaterThanOrEqual(1000);
});

test('the longest answer so far bounds the next, also after a shorter one', () => {
  const estimate = createOutputEstimate(() => undefined);
  for (const outputTokens of [100, 10]) estimate.observe({ usage: { inputTokens: 1, outputTokens } });
  expect(estimate.boundOf(buildRequest({}))).toBe(200);
});
