import { describe, expect, it } from 'vitest';
import { type BreachCode } from '../../src/model/comparison/breach.ts';
import type { Decision } from '../../src/model/comparison/gate.ts';
import type { CaseReport, Report } from '../../src/model/report/report.ts';
import { junit } from '../../src/reports/ci/junit.ts';
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
import { findJunitFault } from '../support/find-junit-fault.ts';

const { checks, failing, flaky, errored, skipped } = sampleCases;
const observed = buildCase({ status: 'failed', observe: true }, [{ checks }]);

function failedBy(code: BreachCode, caseId?: string): Decision {
  const variant = { suite: 'support-triage', prompt: 'v2', provider: 'openai:gpt-4o-mini' };
  const breach = { code, ...variant, ...(caseId !== undefined && { caseId }), message: 'broken' };
  return buildDecision({ outcome: 'failed', breaches: [breach] });
}

const passed = buildDecision();
const known = buildComparison({
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
});

function render(report: Report): string {
  return [...junit.render(report, plainStyle)].join('');
}

/** What the one case of the report became. */
function outcomeOf(entry: CaseReport, decision: Decision, variant = buildVariant()): string {
  const text = render(buildReport([buildSuite([entry], { variants: [variant] })], { decision }));
  const [, suite = ''] = text.split('<testsuite name="support-triage');
  return /<(failure|error|skipped) message/.exec(suite.split('</testsuite>')[0] ?? '')?.[1] ?? 'passed';
}

describe('junit', () => {
  it.each([
    ['a failing case under a pass rate that is too low', failing, failedBy('pass-rate-min'), undefined, 'failure'],
    ['a flaky case under a pass rate that is too low', flaky, failedBy('pass-rate-regressed'), undefined, 'failure'],
    ['a case that the gate names', failing, failedBy('case-broken', 'refund'), undefined, 'failure'],
    ['a case beside the one that the gate names', failing, failedBy('case-broken', 'other'), undefined, 'skipped'],
    ['a failing case where only the cost is too high', failing, failedBy('cost-max'), undefined, 'skipped'],
    ['a failing case that the gate lets through', failing, passed, undefined, 'skipped'],
    ['a known failure', failing, failedBy('pass-rate-regressed'), buildVariant({ comparison: known }), 'skipped'],
    [
      'a case that fails with the version beside it too, under a pass rate that is too low',
      failing,
      failedBy('pass-rate-min'),
      buildVariant({ comparison: { ...known, isWithinRun: true } }),
      'failure',
    ],
    [
      'a case that fails with the version beside it too, under a passed gate',
      failing,
      passed,
      buildVariant({ comparison: { ...known, isWithinRun: true } }),
      'skipped',
    ],
    [
      'a known failure that is a contract',
      failing,
      failedBy('must-pass', 'refund'),
      buildVariant({ comparison: known }),
      'failure',
    ],
    ['a case of a replaced version', failing, failedBy('pass-rate-min'), buildVariant({ replacedBy: 'v3' }), 'skipped'],
    ['a case under observation', observed, failedBy('pass-rate-min'), undefined, 'skipped'],
    ['an errored case', errored, passed, undefined, 'error'],
    ['a skipped case', skipped, passed, undefined, 'skipped'],
    ['a passed case', buildCase(), failedBy('pass-rate-min'), undefined, 'passed'],
  ])('%s', (_, entry, decision, variant, outcome) => {
    expect(outcomeOf(entry, decision, variant)).toBe(outcome);
  });

  it('tells why a case that failed is not a failure', () => {
    const variant = buildVariant({ comparison: known });
    const text = render(buildReport([buildSuite([failing], { variants: [variant] })], { decision: passed }));
    expect(text).toContain('<skipped message="known failure: it fails in the baseline too: contains: not found"/>');
  });

  it('is red exactly where the gate says no', () => {
    for (const report of Object.values(buildReports())) {
      const isRed = /<(failure|error) message/.test(render(report));
      expect(isRed).toBe(report.decision.outcome !== 'passed');
    }
    const stopped = buildDecision({ outcome: 'incomplete' });
    expect(render(buildReport([buildSuite([buildCase()])], { decision: stopped }))).toContain(
      '<error message="incomplete',
    );
  });

  it('shows the old and the new answer of a case that regressed', () => {
    const text = render(buildReports()['regressed'] ?? buildReport([]));
    const [, failure = ''] = text.split('<testcase name="broken"');
    expect(failure).toMatch(/^[^>]*>\n +<failure message="regressed; contains: /);
    expect(failure).toContain('answer on the baseline: I am sorry to hear that. Your refund is on its way.\n');
    expect(failure).toContain('answer now: I cannot help with that.<');
  });

  it('skips what this change accepts, and says so', () => {
    const text = render(buildReports()['accepted'] ?? buildReport([]));
    expect(text).toContain('<skipped message="accepted in this change: regressed; equals: ');
  });

  it('counts what it holds', () => {
    for (const report of Object.values(buildReports())) {
      const text = render(report);
      const [, tests, failures, errors] =
        /<testsuites name="llmcheck" tests="(\d+)" failures="(\d+)" errors="(\d+)" time=/.exec(text) ?? [];
      const skips = [...text.matchAll(/<testsuite [^>]*skipped="(\d+)"/g)].reduce((sum, [, n]) => sum + Number(n), 0);
      const found = (pattern: RegExp): string => String([...text.matchAll(pattern)].length);
      expect([tests, failures, errors, String(skips)]).toEqual(
        [/<testcase/g, /<failure/g, /<error/g, /<skipped/g].map((pattern) => found(pattern)),
      );
    }
  });

  it('has the elements and attributes of the schema that Jenkins reads by, and no others', () => {
    for (const report of Object.values(buildReports())) expect(findJunitFault(render(report))).toBeUndefined();
    expect(findJunitFault('<testsuites><testcase name="a" line="3"/></testsuites>')).toMatch(/line/);
  });

  it('stays readable where an answer has megabytes', () => {
    const entry = buildCase({ status: 'failed' }, [{ output: 'x'.repeat(5_000_000), checks }]);
    const text = render(buildReport([buildSuite([entry])], { decision: failedBy('pass-rate-min') }));
    expect(text.length).toBeLessThan(20_000);
  });
});
