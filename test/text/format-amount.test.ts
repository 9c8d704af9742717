import { describe, expect, it } from 'vitest';
import {
  describeBytes,
  formatAge,
  formatChange,
  formatCount,
  formatDuration,
  formatPercent,
  formatPoints,
  formatUsd,
  percentOf,
} from '../../src/text/format-amount.ts';

describe('formatPercent', () => {
  it.each([
    [1, '100.0 %'],
    [0, '0.0 %'],
    [0.85, '85.0 %'],
    [0.99999, '99.9 %'],
    [0.00001, '0.1 %'],
  ])('of %d is %s, so that a single failure never rounds away', (fraction, text) => {
    expect(formatPercent(fraction)).toBe(text);
  });
});

describe('percentOf', () => {
  it.each([
    [2 / 3, 1, '66.7'],
    [2 / 3, 2, '66.67'],
    [0.9996, 1, '99.9'],
    [0.99999, 2, '99.99'],
    [0.0004, 1, '0.1'],
    [1, 2, '100.00'],
  ])('of %d to %i digits is %s', (fraction, digits, text) => {
    expect(percentOf(fraction, digits)).toBe(text);
  });
});

describe('formatUsd', () => {
  it.each([
    [0, '$0'],
    [0.00001, '< $0.0001'],
    [0.0001, '$0.0001'],
    [0.0012, '$0.0012'],
    [1.5, '$1.50'],
    [1234.567, '$1234.57'],
  ])('of %d is %s', (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1500, '1.5 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [3_780_000, '1 h 3 min'],
  ])('of %d ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatAge', () => {
  it.each([
    [59_999, '59 seconds'],
    [60_000, '1 minute'],
    [3_599_999, '59 minutes'],
    [3_600_000, '1 hour'],
    [86_399_999, '23 hours'],
    [86_400_000, '1 day'],
    [200_000_000, '2 days'],
  ])('of %d ms is %s', (milliseconds, text) => {
    expect(formatAge(milliseconds)).toBe(text);
  });
});

describe('describeBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [1500, '1.5 KB'],
    [999_949, '999.9 KB'],
    [999_950, '1.0 MB'],
    [20_000_000, '20.0 MB'],
    [3.2e9, '3.2 GB'],
    [5e15, '5000.0 TB'],
  ])('of %d is %s', (bytes, text) => {
    expect(describeBytes(bytes)).toBe(text);
  });
});

describe('differences', () => {
  it('carry a sign, but not that of a zero', () => {
    expect(formatPoints(-0.02)).toBe('−2.0 pts');
    expect(formatPoints(0.0001)).toBe('0.0 pts');
    expect(formatPoints(-0.0001)).toBe('0.0 pts');
    expect(formatChange(0.125)).toBe('+12.5 %');
  });
});

describe('formatCount', () => {
  it('uses the plural for all but one', () => {
    expect([0, 1, 2].map((count) => formatCount(count, 'case'))).toEqual(['0 cases', '1 case', '2 cases']);
  });
});
