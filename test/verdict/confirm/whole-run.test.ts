import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/text/random.ts';
import type { RetrialSpend } from '../../../src/verdict/confirm/choose-retrials.ts';
import { chooseRetrials } from '../../../src/verdict/confirm/choose-retrials.ts';
import type { RetriedCase, TrialRow } from '../../../src/verdict/confirm/judge-case.ts';
import { settleSuspicions } from '../../../src/verdict/confirm/settle-suspicions.ts';
import type { SuspicionInput } from '../../../src/verdict/confirm/suspicion-input.ts';
import { repeatCase } from '../../support/build-side.ts';
import { buildAverage, buildSuspicions } from '../../support/build-suspicions.ts';
import fc from '../../support/property.ts';
import { type Letter, type SimulatedRun, simulateRun } from '../../support/simulate-run.ts';

const statuses = { p: 'passed', f: 'failed', e: 'errored' } as const;

/** Asks until nothing more is wanted; the answers come from a stream. */
function askToTheEnd(input: SuspicionInput, allowed: RetrialSpend, spend: RetrialSpend, next: () => Letter) {
  const cases = new Map<string, RetriedCase>();
  const withRows = (found: RetriedCase) => cases.get(found.id) ?? found;
  const current = (): SuspicionInput => ({
    ...input,
    suspects: input.suspects.map((one) => ({ ...one, found: withRows(one.found) })),
    mustPass: input.mustPass.map(withRows),
    added: input.added.map((one) => ({ ...one, found: withRows(one.found) })),
    averages: input.averages.map((one) => ({ ...one, cases: one.cases.map(withRows) })),
  });
  const all = [...input.suspects, ...input.added].map(({ found }) => found);
  const byId = new Map(
    [...all, ...input.mustPass, ...input.averages.flatMap((one) => one.cases)].map((found) => [found.id, found]),
  );
  let left = allowed;
  for (let rounds = 0; ; rounds += 1) {
    const wanted = chooseRetrials(current(), settleSuspicions(current(), false), { left, spendOf: () => spend });
    if (wanted.length === 0) return { rounds, left, input: current() };
    for (const { id, side, count } of wanted) {
      expect(count).toBeGreaterThan(0);
      const found = withRows(byId.get(id) ?? { id, caseId: id, planned: [], candidate: [], accepted: [] });
      const rows = Array.from({ length: count }, (): TrialRow => {
        const status = statuses[next()];
        return { status, score: status === 'passed' ? 1 : 0, costUsd: 0.001 };
      });
      cases.set(id, { ...found, [side]: [...found[side], ...rows] });
      const usd = left.usd === undefined || spend.usd === undefined ? undefined : left.usd - count * spend.usd;
      left = { calls: left.calls - count * spend.calls, usd };
    }
    expect(left.calls).toBeGreaterThanOrEqual(0);
    expect(left.usd ?? 0).toBeGreaterThanOrEqual(-1e-9);
    // Each round asks for at least one call.
    expect(rounds).toBeLessThanOrEqual(allowed.calls);
  }
}

describe('whatever looks worse and whatever is answered', () => {
  const outcomes = fc.constantFrom('f', 'ff', 'fff', 'fe');
  const named = (prefix: string, max: number) =>
    fc
      .array(outcomes, { maxLength: max })
      .map((all) => Object.fromEntries(all.map((word, index) => [`${prefix}${index}`, word])));
  const run = fc.record({
    suspects: named('s', 30),
    mustPass: named('m', 5),
    added: named('x', 30),
    looks: fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 60 }),
        p: fc.option(fc.double({ min: 0, max: 0.2, noNaN: true })),
        look: fc.option(fc.double({ min: 0, max: 0.5, noNaN: true })),
      }),
      { maxLength: 3 },
    ),
    calls: fc.nat(300),
    usd: fc.option(fc.double({ min: 0, max: 0.5, noNaN: true }), { nil: undefined }),
    callsOfOne: fc.integer({ min: 1, max: 4 }),
    asksAccepted: fc.boolean(),
    isGated: fc.boolean(),
    seed: fc.nat(),
    passing: fc.constantFrom(0, 0.2, 0.5, 0.9),
    erring: fc.constantFrom(0, 0.1, 1),
  });

  test('no more is asked than is left, and the asking ends with everything said that can be', () => {
    fc.assert(
      fc.property(
        run,
        ({
          suspects,
          mustPass,
          added,
          looks,
          calls,
          usd,
          callsOfOne,
          asksAccepted,
          isGated,
          seed,
          passing,
          erring,
        }) => {
          const averages = looks.map(({ count, p, look }, index) => buildAverage(count, { id: `a${index}`, p, look }));
          const suspect = { asksAccepted, isGated };
          const maxRetrials = Math.floor(calls / callsOfOne);
          const input = buildSuspicions({ suspects, mustPass, added, averages, maxRetrials, suspect });
          const random = createRandom(seed);
          const next = (): Letter => (random() < erring ? 'e' : random() < passing ? 'p' : 'f');
          const ended = askToTheEnd(
            input,
            { calls, usd },
            { calls: callsOfOne, usd: usd === undefined ? undefined : 0.01 },
            next,
          );
          const settled = settleSuspicions(ended.input, true);
          expect([...settled.averages.values()].filter(({ kind }) => kind === 'open')).toEqual([]);
          expect(settled.cases.size).toBe(input.suspects.length + input.mustPass.length + input.added.length);
          const passed = [...ended.input.suspects, ...ended.input.added].filter(({ found }) =>
            found.candidate.some(({ status }) => status === 'passed'),
          );
          expect(passed.filter(({ found }) => settled.cases.get(found.id)?.kind !== 'flaky')).toEqual([]);
          // With room for all of them, nothing stays open.
          if (usd !== undefined || calls < 250 * callsOfOne || looks.length > 0) return;
          expect([...settled.cases.values()].filter(({ kind }) => kind === 'open')).toEqual([]);
        },
      ),
    );
  });
});

const askable = { is: 'askable' } as const;
const unavailable = { is: 'unavailable', why: 'it runs a command' } as const;

describe('where a change breaks cases for good', () => {
  test.each([1, 2, 3, 5])(
    'a run of 1 to 30 cases, all of them broken, fails with %d planned trials',
    { tags: 'slow' },
    (trials) => {
      for (const count of [1, 2, 3, 4, 5, 6, 8, 10, 30]) {
        for (const before of ['p', 'ppp']) {
          for (const acceptedPrompt of [askable, unavailable]) {
            const run = simulateRun({
              before: repeatCase(count, before),
              trials,
              acceptedPrompt,
              answer: (_id, side) => (side === 'candidate' ? 'f' : 'p'),
            });
            expect([count, before, acceptedPrompt.is, run.failures.length > 0]).toEqual([
              count,
              before,
              acceptedPrompt.is,
              true,
            ]);
            expect(run.retrials).toBeLessThanOrEqual(run.planned);
          }
        }
      }
    },
  );

  test.each([0.01, 0.1, 0.3, 0.5, 0.7])(
    'a run of which all cases are broken fails with a budget of %d',
    { tags: 'slow' },
    (budget) => {
      for (const trials of [1, 2, 3]) {
        for (const count of [1, 2, 3, 5, 9, 10, 11, 13, 30]) {
          const run = simulateRun({
            before: repeatCase(count, 'p'),
            trials,
            gate: { confirm: { budget, cases: 10 } },
            answer: (_id, side) => (side === 'candidate' ? 'f' : 'p'),
          });
          expect([trials, count, run.failures.length > 0]).toEqual([trials, count, true]);
          expect(run.retrials).toBeLessThanOrEqual(run.planned * budget);
        }
      }
    },
  );

  test.each([1, 3])('one broken case of 1 to 30 fails with %d planned trials', { tags: 'slow' }, (trials) => {
    for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30]) {
      const run = simulateRun({
        before: repeatCase(count, 'p'),
        trials,
        answer: (id, side) => (side === 'candidate' && id === 'case-000' ? 'f' : 'p'),
      });
      expect([count, run.codes]).toEqual([count, ['case-broken']]);
    }
  });

  test.each([1, 2, 3, 5])(
    'nothing fails where the accepted prompt fails as well, with %d planned trials',
    { tags: 'slow' },
    (trials) => {
      for (const count of [1, 2, 3, 5, 8, 10, 20, 50]) {
        for (const failing of new Set([1, Math.min(2, count), Math.ceil(count / 2), count])) {
          const ids = new Set(Object.keys(repeatCase(failing, 'p')));
          const run = simulateRun({
            before: repeatCase(count, 'p'),
            trials,
            answer: (id) => (ids.has(id) ? 'f' : 'p'),
          });
          // One call pays for the candidate alone.
          const isTooSmall = trials === 1 && count === 1;
          expect([count, failing, run.codes.length > 0]).toEqual([count, failing, isTooSmall]);
        }
      }
    },
  );

  test.each([1, 2, 5])(
    'a case that drifted hides no broken one, with %d planned trials',
    { tags: 'slow' },
    (trials) => {
      const before = (count: number) => repeatCase(count, 'p');
      for (const count of [4, 5, 6, 8, 9, 10, 12, 15, 50]) {
        for (const drifted of ['case-000', 'case-001', 'case-002']) {
          const ids = new Set(['case-000', 'case-001', 'case-002']);
          const answer = (id: string, side: string) =>
            ids.has(id) && (side === 'candidate' || id === drifted) ? 'f' : 'p';
          const run = simulateRun({ before: before(count), trials, answer });
          expect([count, drifted, ...new Set(run.codes)]).toEqual([count, drifted, 'case-broken']);
        }
      }
    },
  );

  test.each([2, 3])('one broken case beside %d that flaked once fails, of 10 to 24', { tags: 'slow' }, (flaky) => {
    for (const count of [10, 11, 12, 14, 16, 18, 20, 24]) {
      for (let broken = 0; broken <= flaky; broken += 1) {
        const suspects = Object.keys(repeatCase(flaky + 1, 'p'));
        const asked = new Set<string>();
        const answer = (id: string, side: string) => {
          if (side === 'accepted' || !suspects.includes(id)) return 'p';
          const isFirst = !asked.has(id);
          asked.add(id);
          return isFirst || id === suspects[broken] ? 'f' : 'p';
        };
        const run = simulateRun({ before: repeatCase(count, 'p'), trials: 1, answer });
        expect([count, broken, run.codes]).toEqual([count, broken, ['case-broken']]);
        expect(run.retrials).toBeLessThanOrEqual(run.planned);
      }
    }
  });

  test.each([
    [20, 1, 2],
    [40, 1, 4],
    [80, 1, 4],
    [40, 3, 4],
  ])('one broken case of %d with %d planned trials fails the merge of %d shards', (count, trials, shards) => {
    for (const broken of ['case-000', 'case-007']) {
      const run = simulateRun({
        before: repeatCase(count, 'p'),
        trials,
        shards,
        answer: (id, side) => (side === 'candidate' && id === broken ? 'f' : 'p'),
      });
      expect(run.codes).toEqual(['case-broken']);
    }
  });
});

describe('shards of few calls', () => {
  const merged = (count: number, shards: number, failing: readonly string[], isDrift = false) =>
    simulateRun({
      before: repeatCase(count, 'p'),
      trials: 1,
      shards,
      answer: (id, side) => (failing.includes(id) && (isDrift || side === 'candidate') ? 'f' : 'p'),
    });

  test.each([
    [20, 2],
    [20, 4],
    [24, 4],
    [30, 5],
  ])('one broken case of %d in %d shards fails their merge, and one that drifted does not', (count, shards) => {
    for (const id of ['case-000', 'case-003', 'case-009']) {
      expect(merged(count, shards, [id]).codes).toEqual(['case-broken']);
      const drifted = merged(count, shards, [id], true);
      expect([drifted.codes, drifted.retrials <= count]).toEqual([[], true]);
    }
  });

  test.each([2, 4, 5, 10, 20])('all broken cases of 20 in %d shards fail their merge', (shards) => {
    const run = merged(20, shards, Object.keys(repeatCase(20, 'p')));
    expect(run.failures.length).toBeGreaterThan(0);
  });
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
    expect(runs.every(({ retrials, planned }) => retrials <= planned)).toBe(true);
    const extra = runs.reduce((sum, { retrials, planned }) => sum + retrials / planned, 0) / runs.length;
    expect(extra).toBeLessThan(0.35);
  });

  test('of 50 cases with mixed flakes of 10 %, two of them broken, at least 85 % fail', () => {
    const runs = simulate(100, 7, 50, 'mix', 2);
    expect(runs.filter(({ failures }) => failures.length > 0).length / runs.length).toBeGreaterThanOrEqual(0.85);
  });
});
