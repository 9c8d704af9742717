import { describe, expect, test } from 'vitest';
import { cohenKappa, rankCorrelation } from '../../src/stats/agreement.ts';
import { clopperPearsonInterval } from '../../src/stats/proportions.ts';
import fc from '../support/property.ts';

describe("Cohen's kappa", () => {
  // Values of statsmodels 0.14.4, `cohens_kappa`, alpha 0.05.
  test.each([
    [
      [
        [20, 5],
        [10, 15],
      ],
      0.4,
      0.151092290476661,
      0.6489077095233389,
    ],
    [
      [
        [45, 15],
        [25, 15],
      ],
      0.13043478260869554,
      -0.06293827779258965,
      0.3238078430099807,
    ],
    [
      [
        [25, 35],
        [5, 35],
      ],
      0.25925925925925924,
      0.10802896398337367,
      0.4104895545351448,
    ],
    [
      [
        [38, 6],
        [9, 47],
      ],
      0.6978243352135374,
      0.557149970353651,
      0.8384987000734238,
    ],
    [
      [
        [1, 0],
        [9, 90],
      ],
      0.16666666666666685,
      -0.12041891314122621,
      0.4537522464745599,
    ],
    [
      [
        [37, 25, 27],
        [35, 23, 31],
        [33, 9, 2],
      ],
      -0.10221560230869493,
      -0.18485058174383873,
      -0.019580622873551126,
    ],
    [
      [
        [12, 11, 34],
        [36, 0, 19],
        [32, 5, 31],
      ],
      -0.1605798192771083,
      -0.24689541801136738,
      -0.07426422054284919,
    ],
    [
      [
        [4, 18],
        [32, 12],
      ],
      -0.47058823529411736,
      -0.6791192110278056,
      -0.26205725956042913,
    ],
  ])('of %j is that of the reference', (counts, kappa, low, high) => {
    const found = cohenKappa(counts, 0.05);
    for (const [value, wanted] of [
      [found.kappa, kappa],
      [found.low, low],
      [found.high, high],
    ]) {
      expect(value).toBeCloseTo(wanted ?? Number.NaN, 9);
    }
  });

  test('where all agree the interval is that of the agreement, and not a point', () => {
    const found = cohenKappa(
      [
        [10, 0],
        [0, 10],
      ],
      0.05,
    );
    const exact = clopperPearsonInterval(20, 20, 0.05).low ?? 0;
    expect(found).toMatchObject({ kappa: 1, agreement: 1, high: 1 });
    expect(found.low).toBeCloseTo((exact - 0.5) / 0.5, 12);
  });

  test('is not known where nothing varies or nothing is there', () => {
    expect(cohenKappa([[7]], 0.05)).toMatchObject({ kappa: null, agreement: 1, n: 7 });
    expect(cohenKappa([], 0.05)).toMatchObject({ kappa: null, agreement: null, n: 0 });
  });

  test('does not depend on which rater is first, nor on the order of the categories', () => {
    const table = fc.array(fc.array(fc.nat(30), { minLength: 3, maxLength: 3 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(table, (counts) => {
        const found = cohenKappa(counts, 0.05);
        const turned = cohenKappa(
          counts.map((_, i) => counts.map((row) => row[i] ?? 0)),
          0.05,
        );
        const mirrored = cohenKappa(
          counts.toReversed().map((row) => row.toReversed()),
          0.05,
        );
        for (const other of [turned, mirrored]) {
          expect(other.kappa ?? 9).toBeCloseTo(found.kappa ?? 9, 9);
          expect(other.low ?? 9).toBeCloseTo(found.low ?? 9, 9);
        }
        if (found.kappa === null) return;
        expect(found.low).toBeLessThanOrEqual(found.kappa + 1e-9);
        expect(found.high).toBeGreaterThanOrEqual(found.kappa - 1e-9);
      }),
    );
  });
});

describe('rank correlation', () => {
  // Values of scipy 1.15, `spearmanr`.
  test('is that of the reference, ties included', () => {
    const zip = (a: readonly number[], b: readonly number[]) =>
      a.map((x, index): [number, number] => [x, b[index] ?? 0]);
    expect(rankCorrelation(zip([10, 20, 20, 35, 50, 80, 120, 300], [0, 0, 1, 0, -1, 1, 1, 1]), 0.05).rho).toBeCloseTo(
      0.4788558509506519,
      12,
    );
    expect(rankCorrelation(zip([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]), 0.05).rho).toBeCloseTo(0.8207826816681233, 12);
  });

  test('is not known where one side is the same throughout, and has no interval for three pairs', () => {
    expect(
      rankCorrelation(
        [
          [1, 2],
          [1, 3],
        ],
        0.05,
      ),
    ).toMatchObject({ rho: null });
    expect(
      rankCorrelation(
        [
          [1, 2],
          [2, 3],
          [3, 4],
        ],
        0.05,
      ),
    ).toMatchObject({ rho: 1, low: null });
  });
});
