import { describe, expect, test } from 'vitest';
import { exitCodeFor } from '../../src/model/comparison/exit-code.ts';
import type { Breach, CaseEvidenceReport, Decision, LoosenedCase } from '../../src/model/comparison/gate.ts';
import type { Report, VariantReport } from '../../src/model/report/report.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { describeOutcome } from '../../src/publishing/ci-outcome.ts';
import { reporters } from '../../src/reports/index.ts';
import {
  buildCase,
  buildComparison,
  buildDecision,
  buildEvidence,
  buildReport,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
  plainStyle,
} from '../support/build-report.ts';

const where = { suite: 'triage', prompt: 'v2', provider: 'mini' };
const noChanges = buildComparison().cases;
const wrong = { assertion: 'equals', pass: false, score: 0, reason: 'is not "legal"' };
const errored: CellRow['error'] = { kind: 'server', message: 'status 500', attempts: 3 };

function evidenceOf(caseId: string, parts: Partial<CaseEvidenceReport>): CaseEvidenceReport {
  return buildEvidence({ ...where, caseId, ...parts });
}

/** A run of 20 cases on one variant. The first of them has the id `refund`. */
function reportOf(
  decision: Partial<Decision>,
  {
    changes = {},
    rates = [1, 1],
    mustPass = false,
    status = 'passed',
  }: {
    changes?: Partial<typeof noChanges>;
    rates?: readonly [number, number];
    mustPass?: boolean;
    status?: 'passed' | 'failed' | 'errored';
  } = {},
): Report {
  const [before, now] = rates;
  const failedCases = status === 'failed' ? [{ caseId: 'refund', mustPass }] : [];
  const variant: Partial<VariantReport> = {
    prompt: 'v2',
    provider: 'mini',
    passRate: { value: now, low: 0, high: 1, n: 20 },
    comparison: buildComparison({
      cases: { ...noChanges, ...changes },
      passRate: { ...buildComparison().passRate, baseline: before, candidate: now },
      certainty: decision.certainty ?? { kind: 'unseen', cases: 20, drop: 0.2 },
    }),
    failed: failedCases.length,
    errored: status === 'errored' ? 1 : 0,
    failedCases,
    ...(status === 'errored' && { erroredCases: 1 }),
  };
  const key = { caseId: 'refund', prompt: 'v2', provider: 'mini', ...(mustPass && { mustPass: true as const }) };
  const entry =
    status === 'errored'
      ? buildUnansweredCase({ ...key, status }, { status, error: errored })
      : buildCase({ ...key, status }, [status === 'failed' ? { status, checks: [wrong] } : { status }]);
  const whole = buildDecision(decision);
  return buildReport(
    [buildSuite([entry], { suite: 'triage', path: 'evals/triage.yaml', variants: [buildVariant(variant)] })],
    {
      decision: whole,
      exitCode: exitCodeFor(whole),
    },
  );
}

function breachOf(code: Breach['code'], message: string, caseId?: string): Breach {
  return { code, ...where, ...(caseId !== undefined && { caseId }), message };
}

const loosened: LoosenedCase = {
  ...where,
  caseId: 'refund',
  mustPass: false,
  before: ['contains "ok c4"'],
  after: ['length min 1'],
  reason: 'does not contain "ok c4"',
};

const allLoosened = ['refund', 'late', 'lost', 'broken'].map((caseId) => ({ ...loosened, caseId }));
const drift = { cases: 3, of: 100, isBeyondMargin: false };
const drifted = evidenceOf('refund', { verdict: 'drifted', acceptedFailed: 6, evidence: 0.1 });
const unseen = { kind: 'unseen', cases: 20, drop: 0.2 } as const;
const unsettled = evidenceOf('refund', {
  verdict: 'unsettled',
  why: 'no-budget',
  asked: 0,
  failed: 0,
  acceptedAsked: 0,
});
const broken = [breachOf('case-broken', '6 of 6 fresh trials failed, the accepted prompt passed 6 of 6', 'refund')];
const mustPassBroken = [breachOf('must-pass', 'must-pass case refund fails', 'refund')];
const unsettledBreach = breachOf(
  'unsettled',
  'refund passed before and fails now; gate.confirm.budget is 0, so it was not asked again',
  'refund',
);

/** What was found, the report, and the words, exit code and conclusion of the check that every format has to have. */
const rows: readonly (readonly [what: string, report: Report, words: string, exitCode: number, conclusion: string])[] =
  [
    [
      'nothing changed',
      reportOf({ certainty: { kind: 'unchanged', cases: 20 } }),
      'PASSED: unchanged: all 20 cases ask and answer as on the baseline',
      0,
      'success',
    ],
    [
      'a drop is excluded',
      reportOf({ certainty: { kind: 'certain', cases: 20 } }, { rates: [0.98, 0.97] }),
      'PASSED: certain: a larger drop than the gate tolerates is excluded; pass rate 98 → 97 %',
      0,
      'success',
    ],
    [
      'no case broke, and a drop could hide',
      reportOf({ certainty: unseen }, { rates: [0.98, 0.97] }),
      'PASSED: no case broke; pass rate 98 → 97 %; with 20 cases a drop of up to 20 points could go unnoticed',
      0,
      'success',
    ],
    [
      'a case broke',
      reportOf(
        { outcome: 'failed', breaches: broken, evidence: [evidenceOf('refund', {})] },
        { changes: { regressed: ['refund'] }, rates: [1, 0.95], status: 'failed' },
      ),
      'FAILED: 1 of 20 triage cases broke with v2 × mini: pass rate 100 → 95 %',
      1,
      'failure',
    ],
    [
      'an average fell',
      reportOf(
        {
          outcome: 'failed',
          kind: 'regressed',
          breaches: [breachOf('pass-rate-regressed', 'pass rate fell: -20 pts')],
        },
        { rates: [1, 0.8] },
      ),
      'FAILED: triage with v2 × mini: pass rate fell: -20 pts',
      1,
      'failure',
    ],
    [
      'a limit is missed',
      reportOf({ outcome: 'failed', kind: 'limit', breaches: [breachOf('cost-max', 'cost 0.2 is above 0.1')] }),
      'FAILED: triage with v2 × mini: cost 0.2 is above 0.1',
      1,
      'failure',
    ],
    [
      'a must-pass case broke',
      reportOf(
        { outcome: 'failed', kind: 'must-pass', breaches: mustPassBroken, evidence: [evidenceOf('refund', {})] },
        { changes: { regressed: ['refund'] }, rates: [1, 0.95], mustPass: true, status: 'failed' },
      ),
      'FAILED: 1 of 20 triage cases broke with v2 × mini, a must-pass case: pass rate 100 → 95 %',
      1,
      'failure',
    ],
    [
      'a must-pass case fails with the accepted prompt too',
      reportOf(
        { outcome: 'failed', kind: 'must-pass', breaches: mustPassBroken, evidence: [drifted] },
        { changes: { drifted: ['refund'] }, rates: [1, 0.95], mustPass: true, status: 'failed' },
      ),
      'FAILED: 1 of 20 triage cases broke with v2 × mini, a must-pass case, with the accepted prompt too: pass rate 100 → 95 %',
      1,
      'failure',
    ],
    [
      'a new must-pass case never passed',
      reportOf(
        { outcome: 'failed', kind: 'must-pass', breaches: mustPassBroken },
        { changes: { added: ['refund'] }, mustPass: true, status: 'failed' },
      ),
      'FAILED: 1 new triage case fails with v2 × mini, a must-pass case',
      1,
      'failure',
    ],
    [
      'cases drifted within the margin',
      reportOf(
        { kind: 'drifted', drift, certainty: unseen, evidence: [drifted] },
        { changes: { drifted: ['refund'] }, rates: [1, 0.97], status: 'failed' },
      ),
      'PASSED: no case broke; pass rate 100 → 97 %; with 20 cases a drop of up to 20 points could go unnoticed; 3 cases fail with the accepted prompt too',
      0,
      'success',
    ],
    [
      'drift beyond the margin',
      reportOf(
        {
          outcome: 'incomplete',
          incompleteBecause: 'drift',
          drift: { cases: 6, of: 20, isBeyondMargin: true },
          evidence: [drifted],
          breaches: [breachOf('drift', '6 of 20 cases fail with the accepted prompt too')],
        },
        { changes: { drifted: ['refund'] }, rates: [1, 0.7], status: 'failed' },
      ),
      'NOT PASSED: not this change: the model or the data; 6 of 20 cases fail with the accepted prompt too',
      3,
      'failure',
    ],
    [
      'drift where a run looks for it',
      reportOf(
        {
          outcome: 'failed',
          kind: 'drift',
          drift: { ...drift, cases: 1, of: 20 },
          evidence: [drifted],
          breaches: [breachOf('case-drifted', 'refund fails with the accepted prompt too', 'refund')],
        },
        { changes: { drifted: ['refund'] }, rates: [1, 0.95], status: 'failed' },
      ),
      'FAILED: 1 of 20 triage cases drifted with v2 × mini: pass rate 100 → 95 %',
      1,
      'failure',
    ],
    [
      'something is not settled',
      reportOf(
        { outcome: 'inconclusive', breaches: [unsettledBreach], evidence: [unsettled] },
        { changes: { regressed: ['refund'] }, rates: [1, 0.95], status: 'failed' },
      ),
      'INCONCLUSIVE: 1 triage case looks worse with v2 × mini and is not settled: gate.confirm.budget is 0, so it was not asked again',
      4,
      'failure',
    ],
    [
      'something is not settled, of which the gate only warns',
      reportOf(
        { certainty: unseen, evidence: [unsettled] },
        { changes: { regressed: ['refund'] }, rates: [1, 0.95], status: 'failed' },
      ),
      'PASSED: no case broke; pass rate 100 → 95 %; with 20 cases a drop of up to 20 points could go unnoticed; 1 case looks worse and is not settled',
      0,
      'success',
    ],
    [
      'cases have no verdict',
      reportOf(
        {
          outcome: 'incomplete',
          incompleteBecause: 'errors',
          breaches: [{ code: 'errors-exceeded', message: '1 cell could not be judged, 0 are allowed' }],
        },
        { status: 'errored' },
      ),
      'INCOMPLETE: 1 triage case could not be judged with v2 × mini: status 500',
      3,
      'failure',
    ],
    [
      'the record lacks what it was compared with',
      reportOf({
        outcome: 'incomplete',
        incompleteBecause: 'record',
        breaches: [{ code: 'record-incomplete', message: 'the record does not hold the baseline; run again' }],
      }),
      'INCOMPLETE: the record does not hold the baseline; run again',
      4,
      'failure',
    ],
    [
      'checks are loosened',
      reportOf({ kind: 'loosened', loosenedCases: allLoosened, certainty: unseen }),
      'PASSED with 4 loosened checks: under the accepted ones 4 of 20 cases would fail',
      0,
      'success',
    ],
    [
      'a must-pass check is loosened',
      reportOf(
        {
          outcome: 'failed',
          kind: 'loosened',
          loosenedCases: [{ ...loosened, mustPass: true }],
          breaches: [breachOf('case-loosened', 'must-pass case refund passes under edited checks alone', 'refund')],
        },
        { mustPass: true },
      ),
      'FAILED: 1 of 20 triage cases passes under edited checks alone with v2 × mini',
      1,
      'failure',
    ],
    [
      'a must-pass case is removed',
      reportOf({
        outcome: 'failed',
        kind: 'loosened',
        loosenedCases: [{ ...loosened, mustPass: true, before: ['mustPass'], after: ['removed'], isLost: true }],
        breaches: [breachOf('case-loosened', 'must-pass case refund is not judged as it was accepted', 'refund')],
      }),
      'FAILED: 1 triage case is judged no more with v2 × mini',
      1,
      'failure',
    ],
  ];

function render(name: string, report: Report): string {
  return [...(reporters[name]?.render(report, { ...plainStyle, width: 400 }) ?? [])].join('');
}

/** The page's data. */
function readPage(report: Report) {
  const index = /<script type="application\/json" id="index">(.*?)<\/script>/s.exec(render('html', report))?.[1] ?? '';
  return JSON.parse(index);
}

/** What each format says in place of the verdict, in the form that reports on one line have. */
function readWords(report: Report): Readonly<Record<string, string>> {
  const page = readPage(report).verdict;
  const withoutCode = (text: string) => text.replace(/ \(exit code \d+\).*/s, '');
  const { decision } = JSON.parse(render('json', report));
  const lines = render('jsonl', report).trimEnd().split('\n');
  const outcome = describeOutcome(report, { place: { label: '' }, exitCode: report.exitCode, isReplay: false });
  const join = (word: string, text: string) => `${word}${text.startsWith('with ') ? ' ' : ': '}${text}`;
  const outcomeWord = decision.incompleteBecause === 'drift' ? 'NOT PASSED' : decision.outcome.toUpperCase();
  const [verdict = ''] = render('terminal', report).match(/^[A-Z]+(?: PASSED)? {2}.*$/m) ?? [];
  const unescape = (text: string) => text.replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'");
  return {
    terminal: join(...(verdict.split('  ', 2) as [string, string])),
    markdown: withoutCode(render('markdown', report).replace(/^### \S+ llmcheck /, '')).replaceAll('`', ''),
    json: join(outcomeWord, decision.headline),
    jsonl: join(outcomeWord, JSON.parse(lines.at(-1) ?? '').decision.headline),
    junit: withoutCode(unescape(/"llmcheck.headline" value="(.*?)"/.exec(render('junit', report))?.[1] ?? '')),
    html: join(page.word.toUpperCase(), page.text),
    github: withoutCode(
      (/.*::notice title=llmcheck::(.*)/.exec(render('github', report))?.[1] ?? '').replaceAll('%25', '%'),
    ),
    tap: withoutCode(/\n# ([A-Z]+.*)\n$/.exec(render('tap', report))?.[1] ?? ''),
    ctrf: join(outcomeWord, JSON.parse(render('ctrf', report)).results.extra.llmcheck.headline),
    'title of the check': outcome.title,
    'output of the job': outcome.outputs['headline'] ?? '',
  };
}

describe('where', () => {
  test.each(rows)('%s, every format says so', (_what, report, words, exitCode, conclusion) => {
    const said = readWords(report);
    expect(said).toEqual(Object.fromEntries(Object.keys(said).map((format) => [format, words])));
    const outcome = describeOutcome(report, { place: { label: '' }, exitCode: report.exitCode, isReplay: false });
    expect([report.exitCode, outcome.exitCode, outcome.conclusion]).toEqual([exitCode, exitCode, conclusion]);
  });

  test.each(rows)('%s, programs read the same', (_what, report) => {
    const { decision } = JSON.parse(render('json', report));
    const { kind, certainty, evidence, drift: found, loosenedCases } = report.decision;
    expect(decision).toMatchObject(
      JSON.parse(JSON.stringify({ kind, certainty, evidence, drift: found, loosenedCases })),
    );
  });

  test.each(rows)('%s, formats of tests are red exactly where the exit code is', (_what, report, _words, exitCode) => {
    const isRed = exitCode !== 0;
    const junit = render('junit', report);
    const counts = [...(/<testsuites[^>]*>/.exec(junit)?.[0] ?? '').matchAll(/(?:failures|errors)="(\d+)"/g)];
    const { summary } = JSON.parse(render('ctrf', report)).results;
    expect({
      junit: counts.some(([, count]) => count !== '0'),
      ctrf: summary.failed + summary.other > 0,
      tap: /^not ok (?!.* # (?:TODO|SKIP))/m.test(render('tap', report)),
      github: render('github', report).includes('::error '),
    }).toEqual({ junit: isRed, ctrf: isRed, tap: isRed, github: isRed });
  });

  test.each(rows)('%s, only a run without a flaw is green', (_what, report, words, exitCode) => {
    const hasFlaw = /fail with the accepted|loosened|not settled/.test(words);
    const mark = render('markdown', report).slice(4, 6).trim();
    expect([mark === '✅', readPage(report).verdict.needsReview === true]).toEqual([
      exitCode === 0 && !hasFlaw,
      exitCode === 0 && hasFlaw,
    ]);
    const colored = [...(reporters['terminal']?.render(report, { ...plainStyle, color: true }) ?? [])].join('');
    const isPassed = exitCode === 0;
    expect(colored.includes('\u001b[32m\u001b[1mPASSED')).toBe(isPassed && !hasFlaw);
  });
});

describe('loosened cases', () => {
  const mustPass = { ...loosened, caseId: 'legal', mustPass: true, before: ['mustPass'], after: ['removed'] };
  const { reason: _reason, ...removed } = mustPass;
  const report = reportOf(
    { outcome: 'failed', kind: 'loosened', loosenedCases: [...allLoosened, removed], breaches: broken },
    { status: 'failed' },
  );

  test.each(['terminal', 'markdown', 'github'])('come first in %s, with both checks and the reason', (name) => {
    const text = render(name, report).replaceAll('`', '').replaceAll('%0A', '\n');
    const all = text.indexOf('cases refund, late, lost and 1 more (4 cases): contains "ok c4" → length min 1');
    const why = text.indexOf('under the accepted checks: does not contain "ok c4"');
    const first = text.indexOf('must-pass case legal: mustPass → removed');
    expect([first > 0, all > first, why > all]).toEqual([true, true, true]);
    // Annotations of failures are a list of their own.
    const failures = text.indexOf('is not "legal"');
    expect(name === 'github' || failures > why).toBe(true);
  });

  test('come first on the page, with both checks and the reason', () => {
    expect(readPage(report).failures.loosened).toEqual({
      entries: [
        { place: 'must-pass case legal', change: 'mustPass → removed' },
        {
          place: 'cases refund, late, lost and 1 more (4 cases)',
          change: 'contains "ok c4" → length min 1',
          reason: 'does not contain "ok c4"',
        },
      ],
      hidden: 0,
    });
  });
});
