import { describe, expect, test } from 'vitest';
import { runEdited } from '../../../scripts/gate-sentences.ts';

// docs/statistics-reference.md shows the sentences; `npm run docs` writes them.

/** Where nothing changed, the smaller bound of Wilson's score interval and of Clopper and Pearson's, of n cases. */
const unseenDrop = (n: number) => Math.min(1.959963984540054 ** 2 / (n + 1.959963984540054 ** 2), 1 - 0.025 ** (1 / n));

describe('an edited prompt under which every case still passes', () => {
  test.each([
    [5, 'PASSED: no case broke; pass rate 100 → 100 %; with 5 cases a drop of up to 44 points could go unnoticed'],
    [20, 'PASSED: no case broke; pass rate 100 → 100 %; with 20 cases a drop of up to 17 points could go unnoticed'],
    [50, 'PASSED: no case broke; pass rate 100 → 100 %; with 50 cases a drop of up to 8 points could go unnoticed'],
  ])('is unseen to %i cases, and says which drop they could miss', async (cases, headline) => {
    const { code, ...run } = await runEdited(cases, 'nothing');
    expect([code, run.headline]).toEqual([0, headline]);
    const drop = expect.closeTo(unseenDrop(cases), 12);
    expect(run.report.decision.certainty).toEqual({ kind: 'unseen', cases, drop });
  });

  test('is certain to 100 cases', { tags: ['slow'] }, async () => {
    const cases = 100;
    const { code, headline, report } = await runEdited(cases, 'nothing');
    expect([code, headline]).toEqual([
      0,
      'PASSED: certain: a larger drop than the gate tolerates is excluded; pass rate 100 → 100 %',
    ]);
    expect(report.decision.certainty).toEqual({ kind: 'certain', cases });
    // The gate tolerates a drop of 5 points.
    expect(unseenDrop(cases)).toBeLessThan(0.05);
  });
});

describe('a drop of 10 points', () => {
  // Tango's interval of so many broken cases, calculated apart.
  test.each([
    [20, -0.301_033_645_2, 0.077_237_673_9],
    [50, -0.213_602_314_4, -0.021_517_641],
    [100, -0.174_365_661_5, -0.055_229_137_1],
  ])(
    'fails a suite of %i cases if cases break, and names none that did not break',
    { tags: 'slow' },
    async (cases, low, high) => {
      const { code, headline, report } = await runEdited(cases, 'breaks one case in ten');
      expect([code, headline]).toEqual([1, expect.stringMatching(/^FAILED/)]);
      const [variant] = report.suites.flatMap(({ variants }) => variants);
      const { passRate } = variant?.comparison ?? {};
      expect(passRate?.delta).toBeCloseTo(-0.1, 12);
      expect(passRate?.low).toBeCloseTo(low, 9);
      expect(passRate?.high).toBeCloseTo(high, 9);
      const named = report.decision.breaches.flatMap(({ caseId }) => caseId ?? []);
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((id) => Number(id.replace('case-', '')) % 10 !== 0)).toEqual([]);
    },
  );

  test('passes a suite of 5 if it is half a case, and says what could go unnoticed', async () => {
    const { code, headline, report } = await runEdited(5, 'breaks one case in ten');
    expect([code, headline]).toEqual([
      0,
      'PASSED: no case broke; pass rate 100 → 80 %; with 5 cases a drop of up to 63 points could go unnoticed',
    ]);
    expect(report.decision.certainty.drop).toBeCloseTo(0.624_465_370_2, 9);
  });

  test.each([
    [
      5,
      0.624_465_370_2,
      'PASSED: no case broke; pass rate 100 → 80 %; with 5 cases a drop of up to 63 points could go unnoticed',
    ],
    [
      20,
      0.301_033_645_2,
      'PASSED: no case broke; pass rate 100 → 90 %; with 20 cases a drop of up to 31 points could go unnoticed',
    ],
  ])('in which every case fails now and then passes a suite of %i cases, as unseen', async (cases, drop, headline) => {
    const run = await runEdited(cases, 'fails one trial in ten');
    expect([run.code, run.headline]).toEqual([0, headline]);
    expect(run.report.decision.certainty).toEqual({ kind: 'unseen', cases, drop: expect.closeTo(drop, 9) });
  });

  test.each([50, 100])(
    'in which every case fails now and then fails a suite of %i cases',
    { tags: ['slow'] },
    async (cases) => {
      const { code, headline, report } = await runEdited(cases, 'fails one trial in ten');
      expect([code, headline]).toEqual([1, expect.stringMatching(/^FAILED/)]);
      expect(report.decision.breaches.map(({ code: breach }) => breach)).toEqual(['pass-rate-regressed']);
    },
  );
});
