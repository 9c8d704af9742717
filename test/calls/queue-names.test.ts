import { expect, test } from 'vitest';
import { askedProviders, queueNameOf } from '../../src/calls/open-queue-dispatch.ts';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { buildProvider, buildSuite } from '../support/build-case.ts';

test('the providers and the judges of every suite may be asked', () => {
  const suites = ['a', 'b'].map((id) =>
    buildSuite([], { providers: [buildProvider({ id })], askedModels: [buildProvider({ id: `judge of ${id}` })] }),
  );
  expect(askedProviders(suites).map(({ id }) => id)).toEqual(['a', 'judge of a', 'b', 'judge of b']);
});

const endpoint: Endpoint = { adapterVersion: 'chat-1', baseUrl: 'https://a/v1', apiKeyEnv: 'KEY', sends: true };

function nameOf(
  config: Partial<ProviderConfig>,
  more: Partial<Endpoint> = {},
  where: { root?: string; version?: string } = {},
) {
  return queueNameOf(buildProvider(config), { ...endpoint, ...more }, { root: '/project', version: '1', ...where });
}

test.each<[what: string, other: string]>([
  ['adapter', nameOf({ adapter: 'other' })],
  ['model', nameOf({ model: 'other' })],
  ['written address', nameOf({ baseUrl: 'https://b/v1' })],
  ['written key', nameOf({ apiKeyEnv: 'OTHER' })],
  ['form of structured answers', nameOf({ structured: true })],
  ['way of answering', nameOf({ stream: true })],
  ['header', nameOf({ headers: { a: 'b' } })],
  ['option', nameOf({ options: { a: 'b' } })],
  ['adapter version', nameOf({}, { adapterVersion: 'chat-2' })],
  ['address', nameOf({}, { baseUrl: 'https://b/v1' })],
  ['key', nameOf({}, { apiKeyEnv: 'OTHER' })],
  ['version of llmcheck', nameOf({}, {}, { version: '2' })],
])('a provider with another %s has another queue', (_what, other) => {
  expect(other).toMatch(/^calls-[0-9a-f]{32}$/);
  expect(other).not.toBe(nameOf({}));
});

test('a provider has the same queue in every checkout; its folder counts where its own code runs', () => {
  const same = [
    nameOf({ id: 'other', params: { temperature: 1 }, limits: { rpm: 1 } }),
    nameOf({ folder: '/project/evals' }),
    nameOf({ folder: '/home/evals' }, {}, { root: '/home' }),
  ];
  expect(same).toEqual(same.map(() => nameOf({})));
  const { baseUrl: _, ...local } = endpoint;
  const run = (folder: string, root: string) => queueNameOf(buildProvider({ folder }), local, { root, version: '1' });
  expect(run('/a/evals', '/a')).toBe(run('/b/evals', '/b'));
  expect(run('/a/evals', '/a')).not.toBe(run('/a/other', '/a'));
});
