import { describe, expect, it } from 'vitest';
import { type BreachCode } from '../../src/model/comparison/breach.ts';
import type { Decision } from '../../src/model/comparison/gate.ts';
import type { CaseReport, Report } from '../../src/model/report/report.ts';
import { ctrf } from '../../src/reports/ci/ctrf.ts';
import { tap } from '../../src/reports/ci/tap.ts';
import {
  buildCase,
  buildComparison,
  buildDecision,
  buildReport,
  buildReports,
  buildSuite,
  buildVariant,
  plainStyle,
  sampleCases,
} from '../support/build-report.ts';
import { ctrfSchema } from '../support/ctrf-schema.ts';
import { parseTap } from '../support/parse-tap.ts';

const { checks, failing, flaky, errored, skipped } = sampleCases;
const drifted = buildCase({ status: 'failed', change: 'drifted' }, [{ checks }]);
const known = buildVariant({
  comparison: buildComparison({
    cases: {
      regressed: [],
      drifted: [],
      fixed: [],
      stillFailing: ['refund'],
      flaky: [],
      added: [],
      removed: [],
      redefined: [],
    },
  }),
});
const passed = buildDecision();

function failedBy(code: BreachCode, outcome: 'failed' | 'incomplete' = 'failed', caseId?: string): Decision {
  const variant = { suite: 'support-triage', prompt: 'v2', provider: 'openai:gpt-4o-mini' };
  const place = { ...(outcome === 'failed' && variant), ...(caseId !== undefined && { caseId }) };
  return buildDecision({ outcome, breaches: [{ code, ...place, message: 'broken' }] });
}

function readCtrf(report: Report) {
  return ctrfSchema.parse(JSON.parse([...ctrf.render(report, plainStyle)].join('')));
}

function readTap(report: Report) {
  return parseTap([...tap.render(report, plainStyle)].join(''));
}

/** What the one case of the report became in both formats. */
function outcomesOf(entry: CaseReport, decision: Decision, variant = buildVariant()) {
  const report = buildReport([buildSuite([entry], { variants: [variant] })], { decision });
  const [test] = readCtrf(report).results.tests;
  const [point] = readTap(report).points;
  return [test?.status, test?.rawStatus, point?.ok === true ? 'ok' : 'not ok', point?.directive];
}

describe('ctrf and tap', () => {
  it.each<[string, CaseReport, Decision, typeof known | undefined, unknown[]]>([
    ['a passed case', buildCase(), failedBy('cost-max'), undefined, ['passed', 'passed', 'ok', undefined]],
    [
      'a case that fails the gate',
      failing,
      failedBy('pass-rate-min'),
      undefined,
      ['failed', 'failed', 'not ok', undefined],
    ],
    ['a flaky case', flaky, failedBy('pass-rate-min'), undefined, ['failed', 'failed', 'not ok', undefined]],
    ['a known failure', failing, passed, known, ['skipped', 'tolerated (failed)', 'not ok', 'TODO']],
    ['a case that drifted', drifted, passed, undefined, ['skipped', 'tolerated (failed)', 'not ok', 'TODO']],
    [
      'a case that drifted, where the gate asks for it',
      drifted,
      failedBy('case-drifted', 'failed', 'refund'),
      undefined,
      ['failed', 'failed', 'not ok', undefined],
    ],
    ['a skipped case', skipped, passed, undefined, ['skipped', 'skipped', 'ok', 'SKIP']],
    ['an error that is allowed', errored, passed, undefined, ['other', 'errored', 'ok', 'SKIP']],
    [
      'an error too many',
      errored,
      failedBy('errors-exceeded', 'incomplete'),
      undefined,
      ['other', 'errored', 'not ok', undefined],
    ],
  ])('%s', (_, entry, decision, variant, outcomes) => {
    expect(outcomesOf(entry, decision, variant)).toEqual(outcomes);
  });

  it('counts what it holds, and tells the run apart by its id', () => {
    for (const report of Object.values(buildReports())) {
      const { results, reportId } = readCtrf(report);
      const { tests, passed: green, failed, skipped: left, other } = results.summary;
      expect([tests, green + failed + left + other]).toEqual([results.tests.length, results.tests.length]);
      expect(results.tests.filter(({ status }) => status === 'failed')).toHaveLength(failed);
      expect(results.summary.stop - results.summary.start).toBe(12_345);
      expect(readCtrf({ ...report, run: { ...report.run, id: 'another' } }).reportId).not.toBe(reportId);
    }
  });

  it('is red exactly where the gate says no', () => {
    for (const report of Object.values(buildReports())) {
      const isRed = report.decision.outcome !== 'passed';
      expect(readTap(report).isGreen).toBe(!isRed);
      expect(readCtrf(report).results.tests.some(({ status }) => status === 'failed' || status === 'other')).toBe(
        isRed,
      );
    }
  });

  it('shows where a case is written, why it failed, and its old and its new answer', () => {
    const report = buildReports()['regressed'] ?? buildReport([]);
    const test = readCtrf(report).results.tests.find(({ name }) => name === 'broken');
    expect(test).toMatchObject({ filePath: 'evals/triage.eval.yaml', line: 31 });
    expect(test?.message).toContain('regressed; contains: "refund" is not in the output');
    expect(test?.trace).toContain('answer on the baseline: I am sorry to hear that. Your refund is on its way.\n');
    const point = readTap(report).points.find(({ description }) => description.endsWith(' · broken'));
    expect(point?.diagnostics).toMatchObject({
      severity: 'fail',
      at: { file: 'evals/triage.eval.yaml', line: 31 },
      details: expect.arrayContaining(['answer now: I cannot help with that.']),
    });
  });

  it('keeps a name that looks like a directive a name', () => {
    const report = buildReport([buildSuite([buildCase({ caseId: 'a # SKIP b \\# TODO c' })])]);
    const [point] = readTap(report).points;
    expect(point?.description).toMatch(/ · a # SKIP b \\# TODO c$/);
    expect(point?.directive).toBeUndefined();
  });

  it('plans nothing where nothing ran', () => {
    expect([...tap.render(buildReport([]), plainStyle)].join('')).toContain('\n1..0 # nothing was planned\n');
  });

  it('stays readable where an answer has megabytes', () => {
    const entry = buildCase({ status: 'failed' }, [{ output: 'x\n'.repeat(2_500_000), checks }]);
    const report = buildReport([buildSuite([entry])], { decision: failedBy('pass-rate-min') });
    for (const reporter of [ctrf, tap])
      expect([...reporter.render(report, plainStyle)].join('').length).toBeLessThan(30_000);
  });
});
