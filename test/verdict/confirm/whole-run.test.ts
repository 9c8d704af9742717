import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/text/random.ts';
import { repeatCase } from '../../support/build-side.ts';
import fc from '../../support/property.ts';
import { type Letter, type SimulatedRun, simulateRun } from '../../support/simulate-run.ts';

const askable = { is: 'askable' } as const;
const unavailable = { is: 'unavailable', why: 'it runs a command' } as const;

type Answer = (caseId: string, side: string) => Letter;
const breaksOf = (ids: Iterable<string>): Answer => {
  const broken = new Set(ids);
  return (id, side) => (side === 'candidate' && broken.has(id) ? 'f' : 'p');
};
const driftsOf = (ids: Iterable<string>): Answer => {
  const drifted = new Set(ids);
  return (id) => (drifted.has(id) ? 'f' : 'p');
};

/** Neither failed, nor open, nor drifted beyond the margin. */
const isGreen = ({ failures, isInconclusive, drift }: SimulatedRun) =>
  failures.length === 0 && !isInconclusive && !drift.isBeyondMargin;

describe('whatever is answered', () => {
  const letters = (...all: readonly Letter[]) => fc.constantFrom(...all);
  const drawn = fc.record({
    count: fc.constantFrom(1, 3, 12, 30),
    trials: fc.constantFrom(1, 2),
    before: letters('p', 'f'),
    failing: fc.constantFrom(0, 0.1, 0.5, 1),
    acceptedFailing: fc.constantFrom(0, 0.1, 1),
    erring: fc.constantFrom(0, 0, 0.1, 1),
    budget: fc.constantFrom({ share: 2, least: 200 }, { share: 1 }, { calls: 24 }, { calls: 1 }, { calls: 0 }),
    acceptedPrompt: fc.constantFrom(askable, askable, unavailable),
    shards: fc.constantFrom(1, 1, 3),
    groups: fc.constantFrom(0, 0, 1, 4),
    seed: fc.nat(),
  });

  test('the asking ends within its budget, and nothing that looks worse is green without a pass in a fresh trial', {
    tags: ['slow'],
  }, () => {
    fc.assert(
      fc.property(
        drawn,
        ({ count, trials, before, failing, acceptedFailing, erring, budget, seed, groups, ...rest }) => {
          const random = createRandom(seed);
          const planned = new Map<string, Letter[]>();
          const fresh = new Map<string, Letter[]>();
          const answer: Answer = (id, side) => {
            const rate = side === 'candidate' ? failing : acceptedFailing;
            const isPlanned = side === 'candidate' && (planned.get(id)?.length ?? 0) < trials;
            const letter = !isPlanned && random() < erring ? 'e' : random() < rate ? 'f' : 'p';
            const list = isPlanned ? planned : fresh;
            if (side === 'candidate') list.set(id, [...(list.get(id) ?? []), letter]);
            return letter;
          };
          const run = simulateRun({
            ...rest,
            before: { ...repeatCase(count, 'p'), first: before },
            trials,
            gate: { confirm: { cases: 10, budget } },
            groupOf: (id) => (groups === 0 ? undefined : `g${Number(id.slice(-1)) % groups}`),
            answer,
          });
          expect(run.asked).toBeLessThanOrEqual(run.allowed);
          if (!isGreen(run)) return;
          for (const id of Object.keys(repeatCase(count, 'p'))) {
            if (planned.get(id)?.includes('p') === true) continue;
            const isDrifted = run.drift.cases.includes(id);
            expect([id, isDrifted || fresh.get(id)?.includes('p') === true]).toEqual([id, true]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a change that breaks cases for good', () => {
  test.each([
    [1, 1],
    [2, 1],
    [5, 3],
    [30, 1],
    [30, 2],
  ])('all %d of them with %d planned trials fails, with no more than so many calls', (count, trials) => {
    for (const acceptedPrompt of [askable, unavailable]) {
      const before = repeatCase(count, 'p');
      const run = simulateRun({ before, trials, acceptedPrompt, answer: breaksOf(Object.keys(before)) });
      expect([acceptedPrompt.is, run.codes[0]]).toEqual([acceptedPrompt.is, 'case-broken']);
      // Ten confirmed cases end the rest, and what is confirmed pays for no more than was planned.
      expect(run.codes.filter((code) => code === 'case-broken').length).toBeLessThanOrEqual(10);
      expect(run.asked).toBeLessThanOrEqual(count * trials >= 20 ? 1.6 * run.planned : 200);
    }
  });

  test.each([0, 1, 10, 24])('is never green with a budget of %d calls', (calls) => {
    for (const count of [1, 4, 20]) {
      for (const alpha of [0.05, 0.001]) {
        const before = repeatCase(count, 'p');
        const gate = { alpha, confirm: { cases: 10, budget: { calls } } };
        const run = simulateRun({ before, trials: 1, gate, answer: breaksOf(Object.keys(before)) });
        expect(isGreen(run)).toBe(false);
        expect(run.asked).toBeLessThanOrEqual(calls);
        expect(calls > 0 || run.codes.length === 0).toBe(true);
      }
    }
  });

  test.each([1, 3])('in one case of 1 to 30 fails with %d planned trials', (trials) => {
    for (const count of [1, 2, 5, 10, 30]) {
      const run = simulateRun({ before: repeatCase(count, 'p'), trials, answer: breaksOf(['case-000']) });
      expect([count, run.codes]).toEqual([count, ['case-broken']]);
    }
  });

  test.each([
    [20, 2],
    [40, 4],
    [20, 20],
  ])('in one case of %d fails the merge of %d shards, and one that drifted does not', (count, shards) => {
    for (const id of ['case-000', 'case-007']) {
      const run = (answer: Answer) => simulateRun({ before: repeatCase(count, 'p'), trials: 1, shards, answer });
      expect(run(breaksOf([id])).codes).toEqual(['case-broken']);
      expect(run(driftsOf([id]))).toMatchObject({ codes: [], drift: { cases: [id], of: count } });
    }
  });
});

describe('where the accepted prompt fails as well', () => {
  test.each([1, 3])('nothing fails, with %d planned trials', { tags: ['slow'] }, (trials) => {
    for (const count of [1, 5, 20]) {
      for (const failing of new Set([1, Math.ceil(count / 2), count])) {
        const answer = driftsOf(Object.keys(repeatCase(failing, 'p')));
        const run = simulateRun({ before: repeatCase(count, 'p'), trials, answer });
        expect([count, failing, run.codes]).toEqual([count, failing, []]);
        expect(run.drift.isBeyondMargin).toBe(failing / count > 0.05);
        expect(isGreen(run)).toBe(failing / count <= 0.05);
      }
    }
  });

  test('a case that drifted hides no broken one', () => {
    for (const count of [4, 12, 50]) {
      for (const drifted of ['case-000', 'case-001', 'case-002']) {
        const ids = new Set(['case-000', 'case-001', 'case-002']);
        const answer: Answer = (id, side) => (ids.has(id) && (side === 'candidate' || id === drifted) ? 'f' : 'p');
        const run = simulateRun({ before: repeatCase(count, 'p'), trials: 1, answer });
        expect([count, drifted, ...new Set(run.codes)]).toEqual([count, drifted, 'case-broken']);
      }
    }
  });
});

test('a group fails by any of its cases, also where others of it flake or drift', { tags: ['slow'] }, () => {
  const ids = Object.keys(repeatCase(4, 'p'));
  for (const broken of ids) {
    for (const others of ['p', 'f', 'flaky']) {
      const asked = new Set<string>();
      const answer: Answer = (id, side) => {
        if (!ids.includes(id)) return 'p';
        if (id === broken) return side === 'candidate' ? 'f' : 'p';
        if (others !== 'flaky') return others === 'f' ? 'f' : 'p';
        const isFirst = !asked.has(id);
        asked.add(id);
        return side === 'candidate' && isFirst ? 'f' : 'p';
      };
      const groupOf = (id: string) => (ids.includes(id) ? 'kin' : undefined);
      const { codes } = simulateRun({ before: repeatCase(20, 'p'), trials: 1, answer, groupOf });
      expect([broken, others, codes]).toEqual([broken, others, ['case-broken']]);
    }
  }
});

test('one broken case beside two that flaked once fails, whichever it is', () => {
  for (const count of [10, 24]) {
    for (const broken of ['case-000', 'case-001', 'case-002']) {
      const asked = new Set<string>();
      const answer: Answer = (id, side) => {
        if (side === 'accepted' || !['case-000', 'case-001', 'case-002'].includes(id)) return 'p';
        const isFirst = !asked.has(id);
        asked.add(id);
        return isFirst || id === broken ? 'f' : 'p';
      };
      const run = simulateRun({ before: repeatCase(count, 'p'), trials: 1, answer });
      expect([count, broken, run.codes]).toEqual([count, broken, ['case-broken']]);
    }
  }
});

/** Runs of cases that fail at rates of their own: `mix` has 30 % of flaky ones, in `hom` all fail alike. */
function simulate(
  runs: number,
  seed: number,
  count: number,
  kind: 'hom' | 'mix',
  brokenCases = 0,
): readonly SimulatedRun[] {
  const random = createRandom(seed);
  const ids = Object.keys(repeatCase(count, 'p'));
  const flakeRate = 0.1;
  return Array.from({ length: runs }, () => {
    const rates = new Map(
      ids.map((id) => [id, kind === 'hom' ? flakeRate : random() < 0.3 ? (random() * 2 * flakeRate) / 0.3 : 0]),
    );
    const broken = new Set(ids.toSorted(() => random() - 0.5).slice(0, brokenCases));
    const draw = (id: string): Letter => (random() < (rates.get(id) ?? 0) ? 'f' : 'p');
    return simulateRun({
      before: Object.fromEntries(ids.map((id) => [id, draw(id)])),
      trials: 1,
      answer: (id, side) => (side === 'candidate' && broken.has(id) ? 'f' : draw(id)),
    });
  });
}

describe('over many runs', { tags: 'slow' }, () => {
  test.each([
    [20, 'mix'],
    [50, 'mix'],
    [20, 'hom'],
    [50, 'hom'],
  ] as const)('of %d cases with %s flakes at 0.1 and no change, at most one of 25 fails', (count, kind) => {
    const runs = simulate(100, 20_261_127, count, kind);
    expect(runs.filter(({ failures }) => failures.length > 0).length / runs.length).toBeLessThanOrEqual(0.04);
    expect(runs.every(({ asked, allowed }) => asked <= allowed)).toBe(true);
    const extra = runs.reduce((sum, { asked, planned }) => sum + asked / planned, 0) / runs.length;
    expect(extra).toBeLessThan(0.5);
  });

  test('of 50 cases with mixed flakes of 10 %, two of them broken, at least 85 % fail', () => {
    const runs = simulate(100, 7, 50, 'mix', 2);
    expect(runs.filter(({ failures }) => failures.length > 0).length / runs.length).toBeGreaterThanOrEqual(0.85);
  });
});
