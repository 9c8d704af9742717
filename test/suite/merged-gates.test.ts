import { describe, expect, test } from 'vitest';
import { defaultGate } from '../../src/model/suite/gate-policy.ts';
import { buildGate, type Gate } from '../../src/suite/gate.ts';

const tags = new Set(['vip']);

/** A gate with another value in every key. */
const general = {
  alpha: 0.1,
  scope: 'suite',
  certify: true,
  erosion: 'fail',
  unsettled: 'warn',
  cases: { broken: 'warn', drifted: 'warn', added: 'warn', loosened: 'fail' },
  confirm: { cases: 5, budget: { share: 0.5 } },
  passRate: { min: 0.5, maxDrop: 0.1 },
  score: { min: 0.4, maxDrop: 0.2 },
  cost: { max: 9, maxIncrease: 0.3 },
  latency: { maxIncrease: 0.4, p95Max: '4s', firstTokenP95Max: '2s' },
  steps: { max: 7, maxIncrease: 0.6 },
  slices: { vip: { passRate: { min: 0.9, maxDrop: 0.05 } } },
} satisfies Gate;

const own = {
  alpha: 0.2,
  scope: 'population',
  certify: false,
  erosion: 'warn',
  unsettled: 'fail',
  cases: { broken: 'fail', drifted: 'fail', added: 'fail', loosened: 'warn' },
  confirm: { cases: 1, budget: { share: 0 } },
  passRate: { min: 0, maxDrop: 0 },
  score: { min: 0, maxDrop: 0 },
  cost: { max: 0, maxIncrease: 0 },
  latency: { maxIncrease: 0, p95Max: '5s', firstTokenP95Max: '1s' },
  steps: { max: 1, maxIncrease: 0 },
  slices: { vip: { passRate: { min: 0, maxDrop: 0 } } },
} satisfies Gate;

/** The same as gates of one key each, such as `{ cost: { max: 9 } }`. */
function split(gate: object): readonly [path: string, gate: object][] {
  return Object.entries(gate).flatMap(([key, value]): [string, object][] =>
    typeof value === 'object'
      ? split(value as object).map(([path, part]) => [`${key}.${path}`, { [key]: part }])
      : [[key, { [key]: value as unknown }]],
  );
}

const cases = split(own).map(([path, part], at) => [path, part as Gate, split(general)[at]?.[1] as Gate] as const);

describe('the gates of a suite and of the config', () => {
  test.each(cases)('%s is the own one, else the general one', (_path, ownPart, generalPart) => {
    const alone = buildGate(ownPart, undefined, tags);
    expect(buildGate(ownPart, generalPart, tags)).toEqual(alone);
    expect(buildGate(undefined, generalPart, tags)).toEqual(buildGate(generalPart, undefined, tags));
    expect(buildGate(undefined, generalPart, tags)).not.toEqual(buildGate(undefined, undefined, tags));
    // The other keys stay as the config has them.
    const merged = buildGate(ownPart, general, tags);
    const [key = ''] = Object.keys(ownPart);
    const without = (gate: object) => Object.entries(gate).filter(([name]) => name !== key);
    expect(without(merged)).toEqual(without(buildGate(undefined, general, tags)));
    expect(merged).toEqual(expect.objectContaining({ [key]: mergeOf(general, ownPart, key) }));
  });

  test('all that is left out is the default, and slices without cases are left out', () => {
    expect(buildGate(undefined, undefined, tags)).toEqual(defaultGate);
    expect(buildGate(own, general, new Set())).not.toHaveProperty('slices');
  });
});

/** What a whole gate gives with one key of another gate in it. */
function mergeOf(whole: Gate, part: Gate, key: string): unknown {
  const deep = (a: unknown, b: unknown): unknown =>
    typeof a === 'object' && typeof b === 'object'
      ? Object.fromEntries(
          Object.entries({ ...a, ...b }).map(([name, value]) => [
            name,
            deep((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name] ?? value),
          ]),
        )
      : (b ?? a);
  return Reflect.get(buildGate(deep(whole, part) as Gate, undefined, tags), key);
}
