import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { confirmDrift } from '../../src/assessing/judge-drift.ts';
import {
  type BreachCode,
  type BreachRule,
  breachCodes,
  breachRule,
  isOpenBreach,
} from '../../src/model/comparison/breach.ts';
import type { Report } from '../../src/model/report/report.ts';

const rules = breachCodes.map((code): readonly [BreachCode, BreachRule] => [code, breachRule(code)]);
const codesWhere = (is: (rule: BreachRule) => boolean) => rules.flatMap(([code, rule]) => (is(rule) ? [code] : []));

describe('every breach', () => {
  test('has a place that finds it', () => {
    const folder = join(import.meta.dirname, '../../src');
    const text = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('breach.ts'))
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    // The codes of ratios are made of their metric.
    const ofRatios = ['cost', 'steps', 'latency'].map((metric) => `${metric}-regressed`);
    expect(text).toContain('`${metric}-regressed`');
    expect(breachCodes.filter((code) => !text.includes(`'${code}'`))).toEqual(ofRatios);
  });

  test('of a case has a verb for headlines, and no other has one', () => {
    expect(codesWhere(({ verb }) => verb !== undefined)).toEqual(codesWhere(({ kind }) => kind === 'case'));
  });

  test('is shown at failing cases where it is of an average or limit of all cases', () => {
    expect(codesWhere(({ byCases }) => byCases === true)).toEqual([
      'pass-rate-regressed',
      'pass-rate-drifted',
      'score-regressed',
      'f1-regressed',
      'pass-rate-min',
      'score-min',
      'precision-min',
      'f1-min',
    ]);
  });

  test('leaves the run open, or fails it', () => {
    expect(breachCodes.filter((code) => isOpenBreach({ code }))).toEqual(codesWhere(({ kind }) => kind === 'open'));
    expect(codesWhere(({ kind, drift }) => (kind === 'open' || kind === 'contract') && drift !== undefined)).toEqual(
      [],
    );
    expect(codesWhere(({ kind, drift }) => kind === 'average' && drift !== 'shows')).toEqual([]);
    expect(codesWhere(({ kind, drift }) => kind === 'limit' && drift !== 'follows')).toEqual([]);
  });
});

describe('a nightly run', () => {
  /** A report of a run of accepted requests that fails by these breaches. */
  const reportOf = (codes: readonly BreachCode[]) => {
    const where = { suite: 'triage', prompt: 'v1', provider: 'p' };
    const comparison = { isSameRequest: true, cases: { added: [], redefined: [] } };
    return {
      decision: { outcome: 'failed', breaches: codes.map((code) => ({ code, ...where, message: code })) },
      suites: [{ ...where, variants: [{ ...where, comparison }] }],
    } as unknown as Report;
  };
  const findingOf = async (...codes: readonly BreachCode[]) => {
    const found = await confirmDrift(
      async () => ({ report: reportOf(codes), exitCode: 1 }),
      () => undefined,
    );
    return found.drift;
  };

  test.each(rules)('that fails by %s', async (code, { drift }) => {
    expect(await findingOf(code)).toBe(drift === 'shows' ? 'confirmed' : 'none');
    expect(await findingOf('case-drifted', code)).toBe(drift === undefined ? 'none' : 'confirmed');
  });
});
