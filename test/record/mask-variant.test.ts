import { expect, test } from 'vitest';
import { maskVariant } from '../../src/record/mask-variant.ts';

test('a variant is kept without secrets, and without what it does not have', () => {
  const mask = (text: string) => text.replaceAll('secret', '***');
  const variant = {
    params: { key: 'secret' },
    messages: [{ role: 'user', content: 'secret' }],
    contract: { output: { const: 'secret' } },
  };
  const masked = {
    params: { key: '***' },
    messages: [{ role: 'user', content: '***' }],
    contract: { output: { const: '***' } },
  };
  expect(maskVariant(variant, mask)).toStrictEqual(masked);
  const whole = { ...variant, baseUrl: 'http://secret', options: { a: 'secret' }, prompt: 'secret' };
  expect(maskVariant(whole, mask)).toStrictEqual({
    ...masked,
    baseUrl: 'http://***',
    options: { a: '***' },
    prompt: 'secret',
  });
});
