import { describe, expect, it } from 'vitest';
import type { Certainty } from '../../src/model/gate.ts';
import type { CellRow } from '../../src/model/record.ts';
import type { CaseReport, Report, ReportStyle, SuiteReport, VariantComparison } from '../../src/model/report.ts';
import { terminal } from '../../src/reports/terminal/terminal.ts';
import {
  buildCase,
  buildComparison,
  buildReport,
  buildReports,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
  plainStyle,
} from '../support/build-report.ts';

function render(report: Report, style: Partial<ReportStyle> = {}): string {
  return [...terminal.render(report, { ...plainStyle, ...style })].join('');
}

function theme(name: string): Report {
  const report = buildReports()[name];
  if (report === undefined) throw new Error(`no report ${name}`);
  return report;
}

const failed: Partial<CellRow> = {
  checks: [{ assertion: 'contains', pass: false, score: 0, reason: '"refund" is not in the output' }],
};

function buildFailing(count: number): CaseReport[] {
  return Array.from({ length: count }, (_, index) =>
    buildCase({ caseId: `case-${String(index).padStart(3, '0')}`, status: 'failed' }, [failed]),
  );
}

const breached: Partial<Report> = {
  decision: { outcome: 'failed', warnings: [], breaches: [{ code: 'pass-rate-min', message: 'too low' }] },
  exitCode: 1,
};

const variants = [buildVariant({ planned: 50, passed: 0, failed: 50 })];

/** A check that fails with each of these reasons. */
function failingChecks(count: number): CellRow['checks'] {
  return Array.from({ length: count }, (_, at) => ({
    assertion: 'contains',
    pass: false,
    score: 0,
    reason: `reason ${at + 1}`,
  }));
}

describe('failing cases', () => {
  it('show some of their reasons, and all of them where asked', () => {
    const entry = buildCase({ status: 'failed' }, [{ checks: failingChecks(9) }]);
    const report = buildReport([buildSuite([entry], { variants })], breached);
    const reasons = (text: string) => text.match(/reason \d/g)?.length;
    expect(reasons(render(report, { verbose: true }))).toBe(9);
    const shown = reasons(render(report)) ?? 0;
    expect(shown).toBe(5);
    expect(render(report)).toContain(`    … and ${9 - shown} more reasons`);
  });

  it('say in how many trials a reason was the same', () => {
    const one = { checks: failingChecks(1) };
    const show = (trials: readonly Partial<CellRow>[]) =>
      render(buildReport([buildSuite([buildCase({ status: 'failed' }, trials)], { variants })], breached));
    expect(show([one, one, { status: 'passed' }])).toContain('contains: reason 1 (in 2 trials)');
    expect(show([one, { status: 'passed' }])).not.toContain('trials)');
    expect(show([{ checks: [...failingChecks(1), ...failingChecks(1)] }])).not.toContain('trials)');
  });

  it('stop after twenty, say how many are left and where to see them', () => {
    const text = render(buildReport([buildSuite(buildFailing(50), { variants })], breached), { width: 120 });
    expect(text.match(/✗ case-/g)).toHaveLength(20);
    expect(text).toContain('… and 30 more cases (30 failing): llmcheck report 20260301-101500-abcd --verbose');
  });

  it('say that a single one is left', () => {
    const text = render(buildReport([buildSuite(buildFailing(21), { variants })], breached), { width: 120 });
    expect(text).toContain('… and 1 more case (1 failing): llmcheck report ');
  });

  it('share the twenty among the suites', () => {
    const suites = ['a', 'b'].map((suite) => buildSuite(buildFailing(15), { suite, variants }));
    expect(render(buildReport(suites, breached)).match(/✗ case-/g)).toHaveLength(20);
  });

  it('are all shown where that is asked for', () => {
    const text = render(buildReport([buildSuite(buildFailing(50), { variants })], breached), { verbose: true });
    expect(text.match(/✗ case-/g)).toHaveLength(50);
    expect(text).not.toContain('more case');
  });

  it.each([
    [false, 1],
    [true, 2],
  ])('are read once to count them, and where all are shown once more (verbose: %s)', (verbose, times) => {
    let read = 0;
    const cases = buildFailing(500);
    const counted: SuiteReport = {
      ...buildSuite([], { variants }),
      *cases() {
        for (const entry of cases) {
          read += 1;
          yield entry;
        }
      },
    };
    render(buildReport([counted], breached), { verbose });
    expect(read).toBe(500 * times);
  });

  it('name what was measured in each trial, each reason once', () => {
    const other: Partial<CellRow> = { checks: [{ assertion: 'json', pass: false, score: 0, reason: 'is not JSON' }] };
    const entry = buildCase({ status: 'failed' }, [failed, failed, other, { ...failed, confirmation: true }]);
    const text = render(buildReport([buildSuite([entry], { variants })], breached), { width: 120 });
    expect(text).toContain('(3 of 3 trials failed, 1 of 1 confirmation trial failed)');
    expect(text).toContain('contains: "refund" is not in the output (in 3 trials)');
    expect(text).toContain('json: is not JSON\n');
  });

  it('name the score where no single check decided', () => {
    const entry = buildCase({ status: 'failed' }, [{ score: 0.625, checks: [] }]);
    expect(render(buildReport([buildSuite([entry], { variants })], breached))).toContain('score: 0.63 is too low');
  });

  it('leave out checks of no weight', () => {
    expect(render(theme('regressed'))).not.toContain('at least 40 wanted');
  });

  it('are listed by name alone where the gate knows of them', () => {
    const text = render(theme('regressed'));
    expect(text).toContain('✗ broken');
    expect(text).not.toContain('✗ known');
    expect(text).toContain('known failure: it fails in the baseline too');
  });
});

describe('a comparison', () => {
  it('shows the worst of the whole report where not all can be shown', () => {
    const late = buildCase({ caseId: 'late', status: 'failed', change: 'regressed' }, [failed]);
    const suites = [
      buildSuite(buildFailing(30), { suite: 'a', variants }),
      buildSuite([late], { suite: 'b', variants }),
    ];
    const text = render(buildReport(suites, breached), { width: 120 });
    expect(text).toContain('✗ late · v2 × openai:gpt-4o-mini (regressed)');
    expect(text.match(/✗ case-/g)).toHaveLength(19);
    expect(text).toContain('… and 11 more cases (11 failing): ');
  });

  it('lists cases by how much they should alarm', () => {
    const text = render(theme('regressed'));
    const marked = [...text.matchAll(/^ {2}[✗~] (\w+)/gm)].map(([, caseId]) => caseId);
    const alarming = ['broken', 'order', 'tool', 'newcomer', 'shaky'];
    expect(marked).toEqual([...alarming, 'weather']);
    const verbose = render(theme('regressed'), { verbose: true });
    const all = [...verbose.matchAll(/^ {2}[✗~] (\w+)/gm)].map(([, caseId]) => caseId);
    expect(all).toEqual([...alarming, 'curious', 'known', 'old', 'weather']);
  });

  it('says in words what it came to, and never that there is no regression', () => {
    expect(render(theme('regressed'), { width: 120 })).toContain('against git:main (v1): regressed\n');
    expect(render(theme('accepted'), { width: 120 })).toContain(': its differences are accepted in this change\n');
    const text = render(theme('inconclusive'), { width: 200 });
    expect(text).toContain('inconclusive: 1 case that passed before fails now, neither confirmed nor cleared\n');
    expect(text).not.toMatch(/no regression|not regressed/i);
    const quiet = withComparison(buildComparison({ outcome: 'inconclusive' }));
    expect(quiet).toContain('inconclusive: an average looks worse, and was neither confirmed nor cleared\n');
    const empty = { kind: 'unseen', cases: 0, drop: null } as const;
    expect(withComparison(buildComparison({ outcome: 'inconclusive', certainty: empty }))).toContain(
      'inconclusive: no case could be compared\n',
    );
  });

  it('says how sure a comparison is that passed', () => {
    const said = (certainty: Certainty) => withComparison(buildComparison({ certainty })).replaceAll(/\s+/g, ' ');
    expect(said({ kind: 'unseen', cases: 10, drop: 0.262 })).toContain(
      ': no case broke; with 10 cases a drop of up to 27 points could go unnoticed',
    );
    expect(said({ kind: 'unseen', cases: 1, drop: null })).toContain(
      ': no case broke; with 1 case a drop of any size could go unnoticed',
    );
    expect(said({ kind: 'certain', cases: 10 })).toContain(
      ': certain: a larger drop than the gate tolerates is excluded',
    );
    expect(said({ kind: 'unchanged', cases: 10 })).toContain(
      ': unchanged: all 10 cases ask and answer as on the baseline',
    );
  });

  it('leaves out metrics of which nothing is known, and marks a side without a bound', () => {
    const text = render(theme('regressed'));
    expect(text).toContain('    pass rate  98.0 % → 96.0 %, −2.0 pts [−7.6, +2.8]\n');
    expect(text).toContain('    score      0.980 → 0.960, −2.0 pts [?, +2.8]\n');
    expect(text).not.toMatch(/^ +latency/m);
    const latencyMs = { baseline: 900, candidate: 880, delta: 0.035, low: -0.01, high: 0.08, p: 0.2 };
    expect(withComparison(buildComparison({ latencyMs }))).toContain(
      '    latency    p50 900 ms → 880 ms; case by case +3.5 % [−1.0, +8.0]\n',
    );
    const apart = { ...latencyMs, delta: null, low: null, high: null, p: null };
    expect(withComparison(buildComparison({ latencyMs: apart }))).toContain(
      '    latency    p50 900 ms → 880 ms; not comparable: both sides must run now, uncached (--rerun-baseline)\n',
    );
  });

  it('shows the old and the new answer, once, even where the check compared the same texts', () => {
    const diff = { expected: 'billing', found: 'sales' };
    const checks = [{ assertion: 'equals', pass: false, score: 0, reason: 'found "sales"', diff }];
    const entry = buildCase(
      { status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'billing' } },
      [{ output: 'sales', checks }],
    );
    const text = render(buildReport([buildSuite([entry], { variants })], breached));
    expect(text.match(/- billing\n {6}\+ sales/g)).toHaveLength(1);
  });

  it('says so where the answer is the one of the baseline, and where there is none', () => {
    const same = buildCase({ status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'no' } }, [
      { ...failed, output: 'no' },
    ]);
    expect(render(buildReport([buildSuite([same], { variants })], breached))).toContain(
      '    the answer reads as on the baseline:\n    answer: no\n',
    );
    const empty = buildCase({ status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'yes' } }, [
      { ...failed, output: '' },
    ]);
    expect(render(buildReport([buildSuite([empty], { variants })], breached))).toContain('- yes\n      + (empty)\n');
  });

  it('marks changed words in bold where there is colour', () => {
    const text = render(theme('regressed'), { color: true });
    expect(text).toContain('within \u001b[1mten\u001b[22m days.');
    expect(text).not.toContain('{+ten+}');
  });

  it('keeps a note for the end where it is a warning', () => {
    const note = 'cost rose';
    const comparison = buildComparison({ notes: [note, 'other'] });
    const warnings = [`support-triage · v2 × openai:gpt-4o-mini: ${note}`];
    const text = withComparison(comparison, { decision: { outcome: 'passed', breaches: [], warnings } });
    expect(text.split(note)).toHaveLength(2);
    expect(text).toContain('    note: other\n');
  });

  it('that is missing is said in one line, of the suite or of the variants that miss it', () => {
    const line = 'no baseline yet: the suite must pass whole; `llmcheck baseline accept` makes one';
    expect(render(theme('passed'), { width: 120 }).split(line)).toHaveLength(2);
    expect(render(theme('regressed'))).not.toContain('no baseline');
    const some = [buildVariant({ comparison: buildComparison() }), buildVariant({ prompt: 'v3' })];
    const text = render(buildReport([buildSuite([], { variants: some })]), { width: 120 });
    expect(text).toContain('no baseline yet of v3 × openai:gpt-4o-mini: must pass whole');
  });

  function withComparison(comparison: VariantComparison, overrides: Partial<Report> = {}): string {
    const suite = buildSuite([buildCase()], { variants: [buildVariant({ comparison })] });
    return render(buildReport([suite], overrides), { width: 160 });
  }
});

describe('errored cases', () => {
  it('stand together under their message', () => {
    const error = { kind: 'auth' as const, message: 'the key was refused', attempts: 1 };
    const cases = Array.from({ length: 30 }, (_, index) =>
      buildUnansweredCase({ caseId: `case-${index}`, status: 'errored' }, { error }),
    );
    const variants = [buildVariant({ planned: 30, passed: 0, errored: 30 })];
    const text = render(buildReport([buildSuite(cases, { variants })]), { width: 200 });
    expect(text.match(/the key was refused/g)).toHaveLength(1);
    expect(text).toContain('! 30 cases errored: auth: the key was refused');
    expect(text).toContain('case-4 · v2 × openai:gpt-4o-mini and 25 more');
  });

  it('are bounded in number even if every message is another', () => {
    const cases = Array.from({ length: 100 }, (_, index) =>
      buildUnansweredCase(
        { caseId: `case-${index}`, status: 'errored' },
        { error: { kind: 'server', message: `request ${index} failed`, attempts: 1 } },
      ),
    );
    const variants = [buildVariant({ planned: 100, passed: 0, errored: 100 })];
    const text = render(buildReport([buildSuite(cases, { variants })]));
    expect(text.match(/errored: server/g)).toHaveLength(20);
    expect(text).toContain('80 cases errored: other messages');
  });

  it('name the check that could not be made', () => {
    const entry = buildCase({ status: 'errored' }, [
      { checks: [{ assertion: 'rubric', pass: false, score: 0, reason: '', error: 'the verdict is not JSON' }] },
    ]);
    const variants = [buildVariant({ passed: 0, errored: 1 })];
    expect(render(buildReport([buildSuite([entry], { variants })]))).toContain('rubric: the verdict is not JSON');
  });
});

describe('numbers', () => {
  it('are unknown where they are unknown, never 0', () => {
    const text = render(theme('incomplete'));
    expect(text).toContain('cost unknown without the cache, spent unknown, judges unknown');
    expect(text).not.toContain('$0');
    expect(text).toMatch(/p50 –/);
  });

  it('say on what more was spent than the planned cells cost', () => {
    const { totals } = theme('passed');
    const spending = { costUsd: 0.001, spentUsd: 0.0014, spentApartUsd: 0.0004 };
    const text = render({ ...theme('passed'), totals: { ...totals, ...spending, confirmations: 4, observed: 1 } });
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'cost $0.0010 without the cache, spent $0.0014 ($0.0004 of it on 4 confirmation trials and 1 observed cell)',
    );
  });

  it('of skipped cells add up, those without a row included', () => {
    const skipped = buildCase({ caseId: 'b', status: 'failed' }, [
      { status: 'failed' },
      { status: 'skipped', skip: { reason: 'interrupted' } },
    ]);
    const variants = [buildVariant({ planned: 6, passed: 0, failed: 1, skipped: 5 })];
    const report = buildReport([buildSuite([skipped], { variants })]);
    const text = render({ ...report, run: { ...report.run, complete: false, stopReason: 'interrupted' } });
    expect(text).toContain('skipped 5 cells: the run was interrupted');
  });

  it('of a failed run count what broke, not what stopped it', () => {
    const breaches = [
      { code: 'pass-rate-min' as const, message: 'too low' },
      { code: 'stopped' as const, message: 'the run stopped' },
    ];
    const decision = { outcome: 'failed' as const, breaches, warnings: [] };
    expect(render({ ...theme('passed'), decision })).toContain('FAILED: 1 threshold broken');
  });

  it('add up in every report', () => {
    for (const report of Object.values(buildReports())) {
      for (const quiet of [true, false]) {
        const { planned, passed, failed: lost, errored, skipped } = report.totals;
        const text = render(report, { quiet, width: 120 });
        expect(text).toContain(
          `planned ${planned} = ${passed} passed + ${lost} failed + ${errored} errored + ${skipped} skipped`,
        );
      }
    }
  });
});

describe('the decision', () => {
  it.each([
    ['passed', 'PASSED (exit code 0)'],
    ['failed', 'FAILED: 1 threshold broken (exit code 1)'],
    ['incomplete', 'INCOMPLETE: the budget (--max-cost) stopped the run; llmcheck run --resume goes on (exit code 4)'],
    ['empty', 'INCOMPLETE: nothing was evaluated (exit code 4)'],
  ])('of a run that is %s is the last line', (name, line) => {
    expect(render(theme(name), { width: 120 }).trimEnd().split('\n').at(-1)).toBe(line);
  });

  it.each([
    [{ outcome: 'inconclusive' as const }, 0, 'INCONCLUSIVE: limits of the gate are undecided'],
    [
      { outcome: 'incomplete' as const, incompleteBecause: 'errors' as const },
      3,
      'INCOMPLETE: what failed could not be confirmed',
    ],
    [{ outcome: 'incomplete' as const, incompleteBecause: 'inconclusive' as const }, 4, '--require-conclusive'],
    [{ outcome: 'incomplete' as const, interrupted: 'SIGINT' as const }, 130, 'INTERRUPTED by SIGINT'],
  ])('says in words what %o means', (decision, exitCode, words) => {
    const report = { ...theme('passed'), decision: { ...decision, breaches: [], warnings: [] }, exitCode };
    const last = render(report, { width: 200 }).trimEnd().split('\n').at(-1);
    expect(last).toContain(words);
    expect(last).toContain(`(exit code ${exitCode})`);
  });
});

describe('a quiet report', () => {
  it('of a passed run is the counts and the decision', () => {
    expect(render(theme('passed'), { quiet: true })).toBe(
      'planned 1 = 1 passed + 0 failed + 0 errored + 0 skipped; 0 from the cache\nPASSED (exit code 0)\n',
    );
  });

  it('keeps the failures', () => {
    const text = render(theme('failed'), { quiet: true });
    expect(text).toContain('✗ letter');
    expect(text).not.toContain('pass rate 33.3 % [');
    expect(text).not.toContain('variant');
  });
});
