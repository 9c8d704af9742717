import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/model/provider.ts';
import { boundRequests, createOutputEstimate, inputBytes } from '../../src/plan/price-variants.ts';
import type { Pricer } from '../../src/prices/create-pricer.ts';
import { buildConfig, buildRequest } from '../providers/build-request.ts';
import { buildCell } from '../support/build-case.ts';

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

test('each step of an agent repeats all steps before it', () => {
  const prices = {
    pricer: { boundOf: ({ inputTokens }: { inputTokens: number }) => inputTokens } as Partial<Pricer> as Pricer,
    endpointOf: () => ({}) as Endpoint,
  };
  const [one = 0, two = 0, three = 0] = [1, 2, 3].map((maxSteps) => {
    const request = buildRequest({ params: { max_tokens: 5 } });
    return boundRequests(prices, buildConfig(), buildCell({ request, agent: { stubs: [], maxSteps } }));
  });
  expect(three - two - (two - one)).toBe(two - 2 * one);
});
