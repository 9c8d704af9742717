import { expect, test } from 'vitest';
import { defaultGate } from '../../src/model/suite.ts';
import { buildGate, type Gate } from '../../src/suite/gate.ts';

const own = {
  alpha: 0.01,
  scope: 'suite',
  certify: true,
  erosion: 'fail',
  cases: { broken: 'warn' },
  confirm: { budget: 0.2 },
  passRate: { min: 0.9 },
  score: { min: 0.8 },
  cost: { max: 1 },
  latency: { p95Max: '2s' },
  steps: { max: 3 },
  slices: { urgent: { passRate: { min: 0.9 } } },
} satisfies Gate;

const general = {
  alpha: 0.1,
  scope: 'population',
  certify: false,
  erosion: 'warn',
  cases: { broken: 'fail', drifted: 'fail' },
  confirm: { budget: 0.9, cases: 3 },
  passRate: { min: 0.1, maxDrop: 0.2 },
  score: { min: 0.1, maxDrop: 0.3 },
  cost: { max: 9, maxIncrease: 0.4 },
  latency: { p95Max: '9s', maxIncrease: 0.5 },
  steps: { max: 9, maxIncrease: 0.6 },
  slices: { urgent: { passRate: { min: 0.1, maxDrop: 0.7 } }, german: { passRate: { min: 0.3 } } },
} satisfies Gate;

const tags: ReadonlySet<string> = new Set(['urgent']);

test('what a suite says of its gate comes before what the config says, key by key', () => {
  expect(buildGate(own, general, tags)).toEqual({
    alpha: 0.01,
    scope: 'suite',
    certify: true,
    erosion: 'fail',
    cases: { broken: 'warn', drifted: 'fail', added: 'fail' },
    confirm: { budget: 0.2, cases: 3 },
    passRate: { min: 0.9, maxDrop: 0.2 },
    score: { min: 0.8, maxDrop: 0.3 },
    cost: { max: 1, maxIncrease: 0.4 },
    latency: { p95MaxMs: 2000, maxIncrease: 0.5 },
    steps: { max: 3, maxIncrease: 0.6 },
    slices: { urgent: { passRate: { min: 0.9, maxDrop: 0.7 } } },
  });
});

test('a gate that one of them writes is the same wherever it is written', () => {
  expect(buildGate(own, undefined, tags)).toEqual(buildGate(undefined, own, tags));
  expect(buildGate(undefined, undefined, tags)).toEqual(defaultGate);
});
