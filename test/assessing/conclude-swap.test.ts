import { expect, test } from 'vitest';
import { describeConclusion } from '../../src/assessing/conclude-swap.ts';
import type {
  MetricComparison,
  SwapCandidate,
  SwapReport,
  SwapRow,
  SwapVerdict,
} from '../../src/model/comparison/comparison.ts';

const unknown: MetricComparison = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null };

function costing(delta: number | null): MetricComparison {
  return { ...unknown, delta, low: delta, high: delta };
}

function candidateOf(
  candidate: string,
  verdict: SwapVerdict,
  cellCostUsd: number | null = 1,
  delta: number | null = -0.5,
): SwapCandidate {
  return { candidate, model: candidate, verdict, cellCostUsd, costUsd: costing(delta), latencyMs: unknown };
}

interface RowOptions {
  readonly cases?: number;
  readonly unseen?: number | null;
}

function rowOf(candidate: string, suite: string, { cases = 40, unseen }: RowOptions = {}): SwapRow {
  const shared = { prompt: 'v1', verdict: 'holds', reasons: [], broken: [] } as const;
  const dropped = unseen === undefined ? {} : { unseen };
  return { candidate, suite, cases, ...shared, passRate: unknown, ...dropped, costUsd: unknown, latencyMs: unknown };
}

function conclude(
  candidates: readonly SwapCandidate[],
  cheapest: readonly string[],
  rows: readonly SwapRow[] = candidates.map(({ candidate }) => rowOf(candidate, 'a')),
): string {
  const report: Omit<SwapReport, 'conclusion'> = { provider: 'mini', rows, candidates, cheapest };
  return describeConclusion(report);
}

const [holds, better] = [candidateOf('x', 'holds'), candidateOf('y', 'better')];

test.each([
  ['no candidate, no row', [], [], [], 'nothing was compared with mini'],
  ['no case in any row', [holds], ['x'], [rowOf('x', 'a', { cases: 0 })], 'nothing was compared with mini'],
  [
    'a case in one row',
    [holds],
    ['x'],
    [rowOf('x', 'a', { cases: 0 }), rowOf('x', 'b')],
    'x is the cheapest that holds everywhere; −50.0 % in cost against mini',
  ],
  ['one', [holds], ['x'], undefined, 'x is the cheapest that holds; −50.0 % in cost against mini'],
  ['two', [holds, better], ['x', 'y'], undefined, 'x and y are the cheapest that hold; −50.0 % in cost against mini'],
  [
    'three',
    [holds, better, candidateOf('z', 'holds')],
    ['x', 'y', 'z'],
    undefined,
    'x, y and z are the cheapest that hold; −50.0 % in cost against mini',
  ],
  [
    'a dearer one',
    [candidateOf('x', 'holds', 1, 0.25)],
    ['x'],
    undefined,
    'x is the cheapest that holds; +25.0 % in cost: mini is cheaper',
  ],
  [
    'one at the same cost',
    [candidateOf('x', 'holds', 1, 0)],
    ['x'],
    undefined,
    'x is the cheapest that holds; 0.0 % in cost against mini',
  ],
  ['no known ratio', [candidateOf('x', 'holds', 1, null)], ['x'], undefined, 'x is the cheapest that holds'],
  [
    'another of unknown price',
    [holds, candidateOf('y', 'better', null), candidateOf('z', 'worse', null)],
    ['x'],
    undefined,
    'x is the cheapest that holds; −50.0 % in cost against mini; the price of y is not known',
  ],
  [
    'cheaper ones that are open',
    [holds, candidateOf('y', 'undecided', 0.5), candidateOf('z', 'worse', 0.5), candidateOf('u', 'undecided', null)],
    ['x'],
    undefined,
    'x is the cheapest that holds; −50.0 % in cost against mini; y, which is cheaper, may hold too',
  ],
  [
    'two cheaper ones that are open, and one that costs the same',
    [holds, candidateOf('y', 'undecided', 0.5), candidateOf('z', 'partial', 0.9), candidateOf('u', 'partial', 1)],
    ['x'],
    undefined,
    'x is the cheapest that holds; −50.0 % in cost against mini; y and z, which are cheaper, may hold too',
  ],
  ['one price unknown', [candidateOf('x', 'holds', null)], [], undefined, noPrice('x holds')],
  [
    'two prices unknown in two suites',
    [candidateOf('x', 'holds', null), candidateOf('y', 'better', null), candidateOf('z', 'undecided', null)],
    [],
    [rowOf('x', 'a'), rowOf('x', 'b')],
    noPrice('x and y hold everywhere'),
  ],
  ['all worse', [candidateOf('x', 'worse')], [], undefined, 'no candidate for mini holds'],
  [
    'all worse in two suites',
    [candidateOf('x', 'worse')],
    [],
    [rowOf('x', 'a'), rowOf('x', 'b')],
    'no candidate for mini holds everywhere',
  ],
  [
    'two open and one worse',
    [candidateOf('x', 'partial'), candidateOf('y', 'undecided'), candidateOf('z', 'worse')],
    [],
    undefined,
    'no candidate for mini is known to hold: x is not compared whole, y is undecided',
  ],
] as const)('%s', (_, candidates, cheapest, rows, said) => {
  expect(conclude(candidates, cheapest, rows)).toBe(said);
});

test.each([
  ['the largest counts', [0.021, 0.074], '; a drop of up to 8 points could go unnoticed'],
  ['one of any size', [0.02, null], '; a drop of any size could go unnoticed'],
  ['one of any size first', [null, 0.02], '; a drop of any size could go unnoticed'],
  ['none', [undefined, undefined], ''],
] as const)('the drops that could go unnoticed are named: %s', (_, drops, said) => {
  const rows = [
    ...drops.map((unseen, index) => rowOf('x', `s${index}`, unseen === undefined ? {} : { unseen })),
    // Another candidate's does not matter.
    rowOf('z', 's0', { unseen: 0.5 }),
  ];
  const candidates = [holds, candidateOf('z', 'worse')];
  expect(conclude(candidates, ['x'], rows)).toBe(
    `x is the cheapest that holds everywhere; −50.0 % in cost against mini${said}`,
  );
});

function noPrice(who: string): string {
  return `${who}, and no price is known: the cheapest can't be named`;
}
