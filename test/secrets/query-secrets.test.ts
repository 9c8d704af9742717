import { expect, it } from 'vitest';
import { findQuerySecrets } from '../../src/secrets/find-secrets.ts';

it.each([
  ['https://h/v1?key=abc&alt=json', ['key=abc']],
  ['https://h/v1?api_key=a%2Fb&api-version=2024-10-21', ['api_key=a/b']],
  ['https://h/v1?sig=x&access_token=y&X-Amz-Signature=z', ['sig=x', 'access_token=y', 'X-Amz-Signature=z']],
  ['https://h/v1?monkey=1&key=', []],
  ['no url', []],
])('the credentials in %s are found by their names', (url, expected) => {
  expect(findQuerySecrets(url).map(({ name, value }) => `${name}=${value}`)).toEqual(expected);
});
