import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import {
  boundJudges,
  boundRequests,
  createOutputEstimate,
  createRecordPricer,
  inputBytes,
  pricedModel,
  pricedModelOfVariant,
} from '../../src/plan/price-variants.ts';
import type { Pricer } from '../../src/prices/create-pricer.ts';
import { buildConfig, buildRequest } from '../providers/build-request.ts';
import { buildCell, buildCheck, buildProvider, buildSuite } from '../support/build-case.ts';

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

test('an answer of one token bounds the next, and one without usage does not', () => {
  const estimate = createOutputEstimate(() => undefined);
  const firstBound = estimate.boundOf(buildRequest({}));
  estimate.observe({});
  expect(estimate.boundOf(buildRequest({}))).toBe(firstBound);
  estimate.observe({ usage: { inputTokens: 1, outputTokens: 1 } });
  expect([firstBound, estimate.boundOf(buildRequest({}))]).toEqual([4096, 2]);
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

const nowhere = () => ({}) as Endpoint;
const own = buildProvider({ id: 'own', price: { input: 1, output: 2 } });

test('a model is priced as the provider that it replaces, with its own price and that of its service', () => {
  expect(pricedModel({ ...own, pricedAs: 'other' }, { ...nowhere(), priceProvider: 'azure' })).toEqual({
    providerId: 'other',
    adapter: 'openai',
    model: 'gpt-4o-mini',
    priceProvider: 'azure',
    ownPrice: { input: 1, output: 2 },
  });
  expect(pricedModel(buildProvider(), nowhere())).toEqual({
    providerId: 'openai:gpt-4o-mini',
    adapter: 'openai',
    model: 'gpt-4o-mini',
  });
});

test('a batch is bounded by its price', () => {
  const boundOf = ({ isBatched }: { isBatched: boolean }) => (isBatched ? 1 : 2);
  const prices = { pricer: { boundOf } as Partial<Pricer> as Pricer, endpointOf: nowhere };
  const cell = buildCell({ request: buildRequest({ params: { max_tokens: 5 } }) });
  expect([boundRequests(prices, own, cell, true), boundRequests(prices, own, cell)]).toEqual([1, 2]);
});

const stored = { provider: 'own', adapter: 'openai', model: 'gpt-4o-mini', price: { input: 3, output: 4 } };

test.each([
  ['today’s of the same provider and model', {}, { input: 1, output: 2 }],
  ['stored one of another provider', { provider: 'x' }, { input: 3, output: 4 }],
  ['stored one of another model', { model: 'x' }, { input: 3, output: 4 }],
  ['stored one of another API', { adapter: 'x' }, { input: 3, output: 4 }],
])('a stored answer has the price of %s', (_what, more, price) => {
  expect(pricedModelOfVariant({ ...stored, ...more }, [buildProvider(), own], nowhere).ownPrice).toEqual(price);
});

test('answers of a record have its prices, else those stored with them, else those of the table', async () => {
  const usage = { inputTokens: 1_000_000, outputTokens: 0 };
  const { price: _price, ...bare } = stored;
  const alone = await createRecordPricer();
  expect([alone(stored, usage), alone(stored, usage)]).toEqual([3, 3]);
  expect(alone(bare, usage)).toBeCloseTo(0.15, 6);
  expect(alone({ ...bare, model: 'nobody-knows-it' }, usage)).toBeUndefined();
  const suites = [{ variants: [] }, { variants: [{ ...stored, price: { input: 7, output: 7 } }] }];
  const priced = await createRecordPricer(suites as never);
  expect([priced(stored, usage), priced(bare, usage), priced({ ...stored, provider: 'x' }, usage)]).toEqual([7, 7, 3]);
});

test('a judge that a suite does not have costs nothing, and the next one does', () => {
  const pricer = { hasPrice: () => true, boundOf: () => 1 } as Partial<Pricer> as Pricer;
  const asks = (id: string) => buildCheck({ assertion: 'rubric', asks: id });
  const judge = buildProvider({ id: 'judge', params: { max_tokens: 5 } });
  const suite = buildSuite([], { askedModels: [judge] });
  const cell = buildCell({
    request: buildRequest({ params: { max_tokens: 5 } }),
    checks: [asks('gone'), asks('judge')],
  });
  expect(boundJudges({ pricer, endpointOf: nowhere }, suite, cell)).toEqual({ usd: 2, uncounted: [] });
});
