import { describe, expect, test } from 'vitest';
import { bootstrapF1, macroF1Interval, type PairedClassified, widenToUnseen } from '../../src/stats/bootstrap-f1.ts';
import { confusionMatrix, f1Interval, macroScores } from '../../src/stats/classification.ts';
import { createRandom } from '../../src/text/random.ts';

const classes = ['a', 'b', 'c'];

/** Ten cases of each class; the first of class c are found as another one now. */
function pairs(wrong: number, group?: string): PairedClassified[] {
  return classes.flatMap((truth) =>
    Array.from({ length: 10 }, (_, index) => {
      const found = truth === 'c' && index < wrong ? 'a' : truth;
      return { baseline: [{ truth, found: truth }], candidate: [{ truth, found }], group };
    }),
  );
}

describe('macro F1', () => {
  // As f1_score, precision_score and recall_score of scikit-learn with labels=["a", "b"], average="macro", zero_division=0.
  test.each([
    ['aabb', 'aabx', { precision: 1, recall: 0.75, f1: (1 + 2 / 3) / 2 }],
    ['aabb', 'xxxx', { precision: 0, recall: 0, f1: 0 }],
    ['aaab', 'abab', { precision: (1 + 1 / 2) / 2, recall: (2 / 3 + 1) / 2, f1: (0.8 + 2 / 3) / 2 }],
  ])('of %s found as %s counts only classes that cases have', (truth, found, expected) => {
    const answers = truth.split('').map((name, index) => ({ truth: name, found: found[index] ?? '' }));
    const { precision, recall, f1 } = macroScores(confusionMatrix(answers), ['a', 'b']);
    expect(precision).toBeCloseTo(expected.precision, 12);
    expect(recall).toBeCloseTo(expected.recall, 12);
    expect(f1).toBeCloseTo(expected.f1, 12);
  });

  test('has an interval that is never narrower than Wilson allows for as many cases', () => {
    const cases = pairs(0).map(({ candidate }) => ({ answers: candidate }));
    const { value, low, high } = macroF1Interval(cases, { alpha: 0.05, classes });
    expect([value, high]).toEqual([1, 1]);
    expect(low).toBeCloseTo(30 / (30 + 1.959964 ** 2), 5);
  });

  test('of a rare class needs as many cases as that class has', () => {
    const cases = [...pairs(0).slice(0, 20), ...pairs(0).slice(20, 21)].map(({ candidate }) => ({
      answers: candidate,
    }));
    const effective = 9 / (1 / 10 + 1 / 10 + 1);
    const { low } = macroF1Interval(cases, { alpha: 0.05, classes });
    expect(low).toBeCloseTo(effective / (effective + 1.959964 ** 2), 5);
  });

  test('of one class has the bounds of its Jaccard index', () => {
    expect(f1Interval(0, { support: 0, found: 0 }, 0.05)).toEqual({ low: null, high: null });
    const { low, high } = f1Interval(6, { support: 8, found: 10 }, 0.05);
    // 2J / (1 + J) of Wilson's bounds of 6 of 12.
    expect(low).toBeCloseTo((2 * 0.253_781) / 1.253_781, 5);
    expect(high).toBeCloseTo((2 * 0.746_219) / 1.746_219, 5);
  });
});

describe('a difference of macro F1', () => {
  test('is the same for the same answers, and grows with what changed', () => {
    const [few, many] = [
      bootstrapF1(pairs(2), { alpha: 0.05, classes }),
      bootstrapF1(pairs(8), { alpha: 0.05, classes }),
    ];
    expect(bootstrapF1(pairs(8), { alpha: 0.05, classes })).toEqual(many);
    expect(many.delta).toBeLessThan(few.delta ?? 0);
    expect(few.pWorse).toBeGreaterThanOrEqual(1 / 8);
    expect(many.pWorse).toBeLessThan(0.01);
  });

  test('of nothing that changed excludes no drop that as many cases can not exclude', () => {
    const same = bootstrapF1(pairs(0), { alpha: 0.05, classes });
    expect(same).toEqual({ delta: 0, low: 0, high: 0, pWorse: 1 });
    const cases = pairs(0).map(({ candidate }) => ({ answers: candidate }));
    const { low } = widenToUnseen(same, { cases, classes, alpha: 0.05 });
    expect(low).toBeCloseTo(-(1.959964 ** 2) / (30 + 1.959964 ** 2), 5);
  });

  test('of cases of one group is one observation', () => {
    expect(bootstrapF1(pairs(8, 'one'), { alpha: 0.05, classes }).pWorse).toBeGreaterThanOrEqual(1 / 4);
  });

  test('is null where no case has a class', () => {
    expect(bootstrapF1([], { alpha: 0.05, classes })).toEqual({ delta: null, low: null, high: null, pWorse: null });
  });

  test('is found by chance no more often than promised', { tags: 'slow' }, () => {
    const random = createRandom(11);
    const answer = (truth: string) => (random() < 0.15 ? (classes[Math.floor(random() * 3)] ?? '') : truth);
    let found = 0;
    for (let run = 0; run < 400; run += 1) {
      const cases = Array.from({ length: 60 }, (_, index) => {
        const truth = index < 40 ? 'a' : index < 53 ? 'b' : 'c';
        const side = () => [{ truth, found: answer(truth) }];
        return { baseline: side(), candidate: side() };
      });
      const { pWorse } = bootstrapF1(cases, { alpha: 0.05, classes, resamples: 400, seed: run + 1 });
      if (pWorse !== null && pWorse <= 0.025) found += 1;
    }
    // 2.5 standard errors above 2.5 %; the seeds are fixed.
    expect(found / 400).toBeLessThanOrEqual(0.045);
  });
});
