import { expect, test } from 'vitest';
import { inputBytes } from '../../src/plan/price-variants.ts';
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
