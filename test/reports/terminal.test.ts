import { describe, expect, it } from 'vitest';
import type { Certainty } from '../../src/model/comparison/gate.ts';
import type { CaseReport, Report, ReportStyle, SuiteReport, VariantComparison } from '../../src/model/report/report.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { terminal } from '../../src/reports/terminal/terminal.ts';
import {
  buildCase,
  buildComparison,
  buildDecision,
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

/** Each with an answer of its own: cases that fail alike are one entry. */
function buildFailing(count: number): CaseReport[] {
  return Array.from({ length: count }, (_, index) =>
    buildCase({ caseId: `case-${index}`, status: 'failed' }, [{ ...failed, output: `answer ${index}` }]),
  );
}

const breached: Partial<Report> = {
  decision: buildDecision({ outcome: 'failed', breaches: [{ code: 'pass-rate-min', message: 'too low' }] }),
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
    expect(shown).toBe(3);
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
    expect(text).toContain('… 30 more cases: llmcheck report 20260301-101500-abcd --verbose');
  });

  it('say that a single one is left', () => {
    const text = render(buildReport([buildSuite(buildFailing(21), { variants })], breached), { width: 120 });
    expect(text).toContain('… 1 more case: llmcheck report ');
  });

  it('take one screen in full and then a line each, with the answer', () => {
    const text = render(buildReport([buildSuite(buildFailing(20), { variants })], breached));
    expect([...text.matchAll(/^ {2}✗ (case-\d+)/gm)].map(([, caseId]) => caseId)).toEqual(
      buildFailing(20).map(({ caseId }) => caseId),
    );
    expect(text.match(/^ {4}contains: "refund" is not in the output$/gm)).toHaveLength(5);
    expect(text).toContain('  ✗ case-5  v2 × openai:gpt-4o-mini · now answer 5\n');
  });

  it('are one entry where they failed alike, and not where they answered another thing', () => {
    const alike = Array.from({ length: 12 }, (_, index) =>
      buildCase({ caseId: `case-${index + 1}`, status: 'failed' }, [{ ...failed, output: index === 4 ? 'yes' : 'no' }]),
    );
    const text = render(buildReport([buildSuite(alike, { variants })], breached), { width: 120 });
    expect(text).toContain('✗ case-1 … case-12 (11 cases)  v2 × openai:gpt-4o-mini\n');
    expect(text).toContain('✗ case-5  v2 × openai:gpt-4o-mini\n');
    expect(text).toContain('… each case by itself: llmcheck report 20260301-101500-abcd --verbose');
    const range = render(buildReport([buildSuite(alike.slice(5), { variants })], breached), { width: 120 });
    expect(range).toContain('✗ case-6 … case-12 (7 cases)  v2');
  });

  it('that must pass come first and are marked', () => {
    const cases = [
      ...buildFailing(3),
      buildCase({ caseId: 'last', status: 'failed', mustPass: true }, [{ ...failed, output: 'answer 0' }]),
    ];
    const text = render(buildReport([buildSuite(cases, { variants })], breached), { width: 120 });
    expect([...text.matchAll(/^ {2}✗ (\S+)/gm)].map(([, caseId]) => caseId)).toEqual([
      'last',
      'case-0',
      'case-1',
      'case-2',
    ]);
    expect(text).toContain('✗ last  must-pass · v2');
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
    expect(text).toContain(' · 3 of 3 trials failed, 1 of 1 fresh trial failed\n');
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
    expect(text).toContain('✗ late  v2 × openai:gpt-4o-mini\n');
    expect(text.match(/✗ case-/g)).toHaveLength(19);
    expect(text).toContain('… 11 more cases: ');
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
    const verbose = { width: 120, verbose: true };
    expect(render(theme('regressed'), verbose)).toContain('against git:main (v1): regressed · ');
    expect(render(theme('accepted'), verbose)).toContain(': its differences are accepted in this change · ');
    expect(render(theme('inconclusive'), { width: 200 })).toMatch(
      /^INCONCLUSIVE {2}1 support-triage case looks worse with v2 × openai:gpt-4o-mini and is not settled: /,
    );
    const text = render(theme('inconclusive'), { width: 200, verbose: true });
    expect(text).toContain('inconclusive: 1 failure is not settled · ');
    expect(text).not.toMatch(/no regression|not regressed/i);
    const average = withComparison(buildComparison({ outcome: 'inconclusive' }));
    expect(average).toContain('inconclusive: an average looks worse, and is not settled\n');
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
    const text = render(theme('regressed'), { width: 200, verbose: true });
    expect(text).toContain(' · pass rate 98.0 % → 96.0 %, −2.0 pts [−7.6, +2.8] · ');
    expect(text).toContain(' · score 0.980 → 0.960, −2.0 pts [?, +2.8] · ');
    expect(text).not.toContain('latency');
    // A score that moves as the pass rate does says nothing new.
    expect(render(theme('regressed'))).not.toContain('score 0.980');
    const latencyMs = { baseline: 900, candidate: 880, delta: 0.035, low: -0.01, high: 0.08, p: 0.2 };
    expect(withComparison(buildComparison({ latencyMs }))).toContain(
      ' · latency p50 900 ms → 880 ms; case by case +3.5 % [−1.0, +8.0]\n',
    );
    const apart = { ...latencyMs, delta: null, low: null, high: null, p: null };
    expect(withComparison(buildComparison({ latencyMs: apart }))).toContain(
      ' · latency p50 900 ms → 880 ms; not comparable: both sides must run now, uncached (--rerun-baseline)\n',
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
    expect(text).toContain('    was  billing\n    now  sales\n    equals: expected "billing"\n');
    expect(text.match(/sales/g)).toHaveLength(1);
  });

  it('says so where the answer is the one of the baseline, and where there is none', () => {
    const same = buildCase({ status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'no' } }, [
      { ...failed, output: 'no' },
    ]);
    expect(render(buildReport([buildSuite([same], { variants })], breached))).toContain(
      '    answer (as on the baseline)  no\n',
    );
    const empty = buildCase({ status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'yes' } }, [
      { ...failed, output: '' },
    ]);
    expect(render(buildReport([buildSuite([empty], { variants })], breached))).toContain(
      '    was  yes\n    now  (empty)\n',
    );
  });

  it('marks changed words of an answer in brackets, and of a prompt in bold where there is colour', () => {
    expect(render(theme('regressed'))).toContain('…be with you within [ten] days.');
    const text = render(theme('regressed'), { color: true });
    expect(text).toContain('…be with you within [ten] days.');
    expect(text).toContain('\u001b[1mNever\u001b[22m \u001b[1moffer\u001b[22m a refund');
    expect(text).not.toContain('{+Never offer+}');
  });

  it('keeps a note for the end where it is a warning', () => {
    const note = 'cost rose';
    const comparison = buildComparison({ notes: [note, 'other'] });
    const warnings = [`support-triage · v2 × openai:gpt-4o-mini: ${note}`];
    const text = withComparison(comparison, { decision: buildDecision({ warnings }) });
    expect(text.split(note)).toHaveLength(2);
    expect(text).toContain('  note: other\n');
  });

  it('is reported in one line if it is missing, for the suite or for the variants that miss it', () => {
    const line = 'no baseline yet: the suite must pass whole; `llmcheck baseline accept` makes one';
    expect(render(theme('passed'), { width: 120 }).split(line)).toHaveLength(2);
    expect(render(theme('regressed'))).not.toContain('no baseline');
    const some = [buildVariant({ comparison: buildComparison() }), buildVariant({ prompt: 'v3' })];
    const text = render(buildReport([buildSuite([], { variants: some })]), { width: 120 });
    expect(text).toContain('no baseline yet of v3 × openai:gpt-4o-mini: must pass whole');
  });

  function withComparison(comparison: VariantComparison, overrides: Partial<Report> = {}): string {
    const suite = buildSuite([buildCase()], { variants: [buildVariant({ comparison })] });
    return render(buildReport([suite], overrides), { width: 240, verbose: true });
  }
});

describe('errored cases', () => {
  it('are grouped under their message', () => {
    const error = { kind: 'auth' as const, message: 'the key was refused', attempts: 1 };
    const cases = Array.from({ length: 30 }, (_, index) =>
      buildUnansweredCase({ caseId: `case-${index}`, status: 'errored' }, { error }),
    );
    const variants = [buildVariant({ planned: 30, passed: 0, errored: 30 })];
    const text = render(buildReport([buildSuite(cases, { variants })]), { width: 200 });
    expect(text.match(/the key was refused/g)).toHaveLength(1);
    expect(text).toContain('! 30 cases could not be judged with v2 × openai:gpt-4o-mini: auth: the key was refused\n');
    expect(text).toContain('case-4 and 25 more\n');
  });

  it('are one entry where their messages differ in numbers alone', () => {
    const text = renderErrored(100, (index) => `request ${index} failed`);
    expect(text.match(/request \d+ failed/g)).toHaveLength(1);
    expect(text).toContain('! 100 cases could not be judged');
  });

  it('are bounded in number even if every message is another', () => {
    const text = renderErrored(100, (index) => `request ${'x'.repeat(index)} failed`);
    expect(text.match(/could not be judged with/g)).toHaveLength(21);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      '80 cases could not be judged with v2 × openai:gpt-4o-mini: other messages',
    );
  });

  function renderErrored(count: number, messageOf: (index: number) => string): string {
    const cases = Array.from({ length: count }, (_, index) => {
      const error = { kind: 'server' as const, message: messageOf(index), attempts: 1 };
      return buildUnansweredCase({ caseId: `case-${index}`, status: 'errored' }, { error });
    });
    const variants = [buildVariant({ planned: count, passed: 0, errored: count })];
    return render(buildReport([buildSuite(cases, { variants })]));
  }

  it('name the check that could not be made', () => {
    const entry = buildCase({ status: 'errored' }, [
      { checks: [{ assertion: 'rubric', pass: false, score: 0, reason: '', error: 'the verdict is not JSON' }] },
    ]);
    const variants = [buildVariant({ passed: 0, errored: 1 })];
    const text = render(buildReport([buildSuite([entry], { variants })]), { width: 120 });
    expect(text).toContain('rubric: the verdict is not JSON');
  });
});

describe('numbers', () => {
  it('are unknown where they are unknown, never 0', () => {
    const text = render(theme('incomplete'));
    expect(text).toContain('spent unknown (judges unknown)');
    expect(text).toContain('0/4 passed, 2 errored, 2 skipped  –     unknown\n');
    expect(text).not.toContain('$0');
    expect(text).not.toMatch(/\b0 ms/);
  });

  it('say on what more was spent than the planned cells cost', () => {
    const { totals } = theme('passed');
    const spending = { costUsd: 0.001, spentUsd: 0.0014, spentApartUsd: 0.0004 };
    const text = render({ ...theme('passed'), totals: { ...totals, ...spending, confirmations: 4, observed: 1 } });
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      '1 observed apart · 4 extra calls to confirm · cost $0.0010, spent $0.0014 ($0.0004 to confirm and on observed cells)',
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
    const decision = buildDecision({ outcome: 'failed', breaches });
    expect(render({ ...theme('passed'), decision })).toMatch(/^FAILED {2}too low\n/);
  });

  it('add up in every report', () => {
    for (const report of Object.values(buildReports())) {
      for (const quiet of [true, false]) {
        const { planned, passed, failed: lost, errored, skipped } = report.totals;
        const text = render(report, { quiet, width: 120 });
        const others = Object.entries({ failed: lost, errored, skipped }).filter(([, count]) => count > 0);
        const sum = [`${passed} passed`, ...others.map(([word, count]) => `${count} ${word}`)].join(' + ');
        expect(text).toMatch(new RegExp(`^${planned} planned = ${sum.replaceAll('+', '\\+')}( ·|$)`, 'm'));
      }
    }
  });
});

describe('the decision', () => {
  it.each([
    ['failed', 'FAILED  3 of 4 support-triage cases fail with v2 × openai:gpt-4o-mini', 'FAILED (exit code 1)'],
    [
      'regressed',
      'FAILED  3 of 8 support-triage cases broke with v2 × openai:gpt-4o-mini (1 confirmed): pass rate 98 → 96 %; ' +
        '1 new support-triage case fails with v2 × openai:gpt-4o-mini; 1 more limit broken',
      'FAILED (exit code 1) · to accept this on purpose: llmcheck baseline accept --run 20260301-101500-abcd',
    ],
    [
      'incomplete',
      'INCOMPLETE  the budget (--max-cost) stopped the run; llmcheck run --resume goes on',
      'INCOMPLETE (exit code 4)',
    ],
    ['empty', 'INCOMPLETE  nothing was evaluated', 'INCOMPLETE (exit code 4)'],
  ])('of a run that is %s is the first line, and the last with the exit code and what to do', (name, first, last) => {
    const lines = render(theme(name), { width: 240 }).trimEnd().split('\n');
    expect([lines[0], lines.at(-1)]).toEqual([first, last]);
  });

  it('is at the end if the run passed, before the counts', () => {
    expect(render(theme('passed'), { width: 120 })).toMatch(
      /\nPASSED {2}the case passes\n1 planned = 1 passed · .*\n$/,
    );
  });

  it.each([
    [{ outcome: 'inconclusive' as const }, 0, 'INCONCLUSIVE  limits of the gate are undecided'],
    [
      { outcome: 'incomplete' as const, incompleteBecause: 'errors' as const },
      3,
      'INCOMPLETE  what failed could not be confirmed',
    ],
    [{ outcome: 'incomplete' as const, incompleteBecause: 'inconclusive' as const }, 4, '--require-conclusive'],
    [{ outcome: 'incomplete' as const, interrupted: 'SIGINT' as const }, 130, 'INTERRUPTED  by SIGINT'],
  ])('says in words what %o means', (decision, exitCode, words) => {
    const report = { ...theme('passed'), decision: buildDecision(decision), exitCode };
    const lines = render(report, { width: 200 }).trimEnd().split('\n');
    expect(lines[0]).toContain(words);
    // Exit code 0 goes without saying.
    expect(lines.at(-1)?.includes(`(exit code ${exitCode})`)).toBe(exitCode !== 0);
  });
});

describe('a quiet report', () => {
  it('of a passed run is the decision and the counts', () => {
    expect(render(theme('passed'), { quiet: true })).toBe('PASSED  the case passes\n1 planned = 1 passed\n');
  });

  it('keeps the failures, a line each', () => {
    const text = render(theme('failed'), { quiet: true });
    expect(text).toContain('  ✗ letter  v2 × openai:gpt-4o-mini · now Dear customer');
    expect(text).not.toContain('equals');
    expect(text).not.toContain('33.3 %  [');
  });
});
