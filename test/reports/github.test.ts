import { describe, expect, it } from 'vitest';
import type { Breach } from '../../src/model/comparison/gate.ts';
import type { CaseReport, Report } from '../../src/model/report/report.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { github } from '../../src/reports/ci/github.ts';
import { buildCase, buildReport, buildReports, buildSuite, buildVariant, plainStyle } from '../support/build-report.ts';

function render(report: Report): string[] {
  return [...github.render(report, plainStyle)].map((line) => line.replace(/\n$/, ''));
}

const failed: Partial<CellRow> = {
  output: 'no',
  checks: [{ assertion: 'contains', pass: false, score: 0, reason: 'not found' }],
};
const variants = [buildVariant({ planned: 30, passed: 0, failed: 30 })];

function failing(caseId: string, overrides: Partial<CaseReport> = {}): CaseReport {
  return buildCase({ caseId, status: 'failed', ...overrides }, [failed]);
}

function report(cases: readonly CaseReport[], breaches: readonly Breach[]): Report {
  return buildReport([buildSuite(cases, { variants })], {
    decision: { outcome: 'failed', warnings: [], breaches },
    exitCode: 1,
  });
}

describe('github', () => {
  it('annotates the line of the case with what it answered before and now', () => {
    const [first] = render(buildReports()['regressed'] ?? buildReport([]));
    expect(first).toBe(
      '::error file=evals/triage.eval.yaml,line=31,col=5,title=broken%3A regressed (support-triage · v2 × openai%3Agpt-4o-mini)' +
        '::contains: "refund" is not in the output%0Aon the baseline: I am sorry to hear that. Your refund is on its way.' +
        '%0Anow: I cannot help with that.',
    );
  });

  it('shows ten errors, the worst first, and says how many are left', () => {
    const cases = [
      ...Array.from({ length: 15 }, (_, index) => failing(`b${index}`)),
      failing('new', { change: 'added' }),
      ...Array.from({ length: 3 }, (_, index) => failing(`z${index}`, { change: 'regressed' })),
    ];
    const breach = { code: 'pass-rate-min', suite: 'support-triage', message: 'too low' } as const;
    const lines = render(report(cases, [breach]));
    const errors = lines.filter((line) => line.startsWith('::error '));
    expect(errors).toHaveLength(10);
    expect(errors.map((line) => /title=([\w-]+)/.exec(line)?.[1]).slice(0, 6)).toEqual([
      'z0',
      'z1',
      'z2',
      'new',
      'support-triage',
      'b0',
    ]);
    expect(lines.at(-1)).toContain('%0A10 more problems not annotated: llmcheck report 20260301-101500-abcd --verbose');
  });

  it('annotates a case once over its variants, those that must pass first and marked', () => {
    const providers = ['mini', 'big'];
    const cases = ['a', 'b'].flatMap((caseId) =>
      providers.map((provider) =>
        failing(caseId, { provider, change: 'regressed', ...(caseId === 'b' && { mustPass: true as const }) }),
      ),
    );
    const suite = buildSuite(cases, { variants: providers.map((provider) => buildVariant({ provider, failed: 2 })) });
    const breaches = cases.map(({ caseId, prompt, provider }): Breach => {
      return { code: 'case-broken', suite: 'support-triage', prompt, provider, caseId, message: 'x' };
    });
    const lines = render(
      buildReport([suite], { decision: { outcome: 'failed', warnings: [], breaches }, exitCode: 1 }),
    );
    const titles = lines.map((line) => /title=(.*?)::/.exec(line)?.[1]?.replaceAll('%3A', ':').replaceAll('%2C', ','));
    expect(titles).toEqual([
      'b: regressed, must-pass (support-triage · v2 (mini and big))',
      'a: regressed (support-triage · v2 (mini and big))',
      'llmcheck',
    ]);
  });

  it('counts what no list of worst cases holds', () => {
    const cases = Array.from({ length: 100 }, (_, index) => failing(`c${index}`));
    const lines = render(report(cases, [{ code: 'pass-rate-min', suite: 'support-triage', message: 'too low' }]));
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toContain('%0A91 more problems not annotated');
  });

  it('ends with the verdict, whatever it is', () => {
    for (const found of Object.values(buildReports())) {
      const lines = render(found);
      const last = lines.at(-1) ?? '';
      expect(last).toMatch(
        /^::notice title=llmcheck::(PASSED|FAILED|INCONCLUSIVE|INCOMPLETE): .*\(exit code \d\)%0A\d+ planned = /,
      );
      expect(lines.some((line) => line.startsWith('::error '))).toBe(found.decision.outcome !== 'passed');
    }
  });

  it('warns of a comparison without a verdict, with its interval and what would settle it', () => {
    const [verdict, first, second] = render(buildReports()['inconclusive'] ?? buildReport([]));
    expect(verdict).toMatch(/^::error title=llmcheck::inconclusive: /);
    expect(first).toMatch(/^::warning file=evals\/triage\.eval\.yaml,line=1,title=inconclusive /);
    expect(first).toContain('[−26.2, +6.2]');
    expect(first).toContain('a drop of up to 26.2 pts is not excluded');
    expect(second).toMatch(/^::warning .*title=refund%3A regressed/);
  });

  it('warns of a flaky case that the gate lets through', () => {
    const flaky = buildCase({ status: 'flaky' }, [failed, { status: 'passed' }]);
    const lines = render(buildReport([buildSuite([flaky], { variants })]));
    expect(lines[0]).toMatch(
      /^::warning file=.*title=refund%3A flaky .*::not enough to fail the gate%0A1 of 2 trials failed%0A/,
    );
  });

  it('says nothing of what is accepted, known or only observed', () => {
    expect(render(buildReports()['accepted'] ?? buildReport([]))).toHaveLength(1);
    const lines = render(buildReports()['regressed'] ?? buildReport([])).join('\n');
    expect(lines).not.toContain('title=known');
    expect(lines).not.toContain('title=curious');
  });

  it.each([
    ['errors-exceeded' as const, 'incomplete' as const, 'error'],
    [undefined, 'passed' as const, 'warning'],
  ])('shows errored cases once a message; with the breach %s as %s', (code, outcome, level) => {
    const error = { kind: 'auth' as const, message: 'the key was refused', attempts: 1 };
    const cases = Array.from({ length: 30 }, (_, index) =>
      buildCase({ caseId: `c${index}`, status: 'errored' }, [{ error, checks: [] }]),
    );
    const suite = buildSuite(cases, { variants: [buildVariant({ planned: 30, passed: 0, errored: 30 })] });
    const breaches = code === undefined ? [] : [{ code, message: '30 cells could not be judged' }];
    const lines = render(buildReport([suite], { decision: { outcome, breaches, warnings: [] } }));
    expect(lines.filter((line) => line.includes('title=30 cases could not be judged::'))).toEqual([
      `::${level} file=evals/triage.eval.yaml,line=31,col=5,title=30 cases could not be judged::auth: the key was refused`,
    ]);
  });

  it('escapes what would end a property or a command', () => {
    const entry = failing('a,line=9::b%0A\n::error::c', { at: { file: 'e%,:vals/x.yaml', line: 2, column: 1 } });
    const [first] = render(report([entry], [{ code: 'case-broken', caseId: entry.caseId, message: 'x' }]));
    expect(first).toMatch(
      /^::error file=e%25%2C%3Avals\/x\.yaml,line=2,col=1,title=a%2Cline=9%3A%3Ab%250A␊%3A%3Aerror%3A%3Ac%3A broken /,
    );
  });

  it('says nothing of a place that is not known', () => {
    const entry = failing('a', { at: { file: '', line: 0, column: 0 } });
    const [first] = render(report([entry], [{ code: 'case-broken', caseId: 'a', message: 'x' }]));
    expect(first).toMatch(/^::error title=a%3A broken /);
  });
});
