import { expect, test } from 'vitest';
import type { Report } from '../../src/model/report/report.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { type CiPlace, describeOutcome, describeUsage, githubOutputs } from '../../src/publishing/ci-outcome.ts';
import {
  buildCase,
  buildComparison,
  buildReport,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
} from '../support/build-report.ts';

const missing = { kind: 'cacheMiss', message: 'no cached answer', attempts: 0 } as const;

/** The outcome of a job whose only cell errored. */
function describeJob(isReplay: boolean, error: CellRow['error']) {
  const entry = buildUnansweredCase({ status: 'errored' }, { status: 'errored', error });
  const variant = buildVariant({ planned: 1, passed: 0, failed: 0, errored: 1 });
  const report = buildReport([buildSuite([entry], { variants: [variant] })], {
    decision: { outcome: 'incomplete', incompleteBecause: 'errors' },
    exitCode: 4,
  });
  const { exitCode, conclusion } = describeOutcome(report, { place: { label: '' }, exitCode: 4, isReplay });
  return [exitCode, conclusion];
}

test('a job without keys that lacks stored answers alone is neutral', () => {
  expect(describeJob(true, missing)).toEqual([0, 'neutral']);
});

test('a job that may ask, or that failed otherwise, is not', () => {
  const [code, conclusion] = describeJob(false, missing);
  expect([code, conclusion === 'neutral']).toEqual([4, false]);
  expect(describeJob(true, { ...missing, kind: 'server' })[0]).toBe(4);
});

/** What is published of a report. */
function outcomeOf(
  decision: Partial<Report['decision']>,
  {
    place = {},
    isReplay = false,
    exitCode = 1,
    ...more
  }: Partial<Report> & { place?: Partial<CiPlace>; isReplay?: boolean; exitCode?: number } = {},
) {
  const report = buildReport([buildSuite([buildCase()])], {
    ...more,
    decision,
  });
  return describeOutcome(report, { place: { label: '', ...place }, exitCode, isReplay });
}

const noTotals = { ...buildReport([]).totals, planned: 0 };

test.each<[string, Parameters<typeof outcomeOf>, string]>([
  ['that passed', [{}], 'success'],
  ['that looked at nothing', [{}, { totals: noTotals }], 'neutral'],
  ['that looked at contracts alone', [{}, { totals: noTotals, contracts: [] }], 'success'],
  ['that failed and looked at nothing', [{ outcome: 'failed' }, { totals: noTotals }], 'failure'],
  ['that is inconclusive', [{ outcome: 'inconclusive' }], 'failure'],
  ['that failed', [{ outcome: 'failed' }], 'failure'],
  ['that is incomplete', [{ outcome: 'incomplete' }], 'failure'],
  ['that was interrupted', [{ outcome: 'incomplete', interrupted: 'SIGINT' }], 'cancelled'],
])('the check of a run %s is a %s', (_what, given, conclusion) => {
  const found = outcomeOf(...given);
  expect([found.conclusion, found.outputs['conclusion']]).toEqual([conclusion, conclusion]);
});

test.each<[string, Partial<Report['decision']>, number, CellRow['error'], boolean]>([
  ['lacks answers', { incompleteBecause: 'errors' }, 1, missing, true],
  ['has nothing else', { incompleteBecause: 'nothing-evaluated' }, 1, missing, true],
  ['is incomplete for another reason', { incompleteBecause: 'stopped' }, 1, missing, false],
  ['was interrupted', { incompleteBecause: 'errors', interrupted: 'SIGTERM' }, 1, missing, false],
  ['has no cell without an answer', { incompleteBecause: 'errors' }, 0, missing, false],
  ['failed', { outcome: 'failed', incompleteBecause: 'errors' }, 1, missing, false],
])('a run from stored answers that %s is neutral or not', (_what, decision, errored, error, isNeutral) => {
  const entries = [buildCase(), buildUnansweredCase({ status: 'errored' }, { status: 'errored', error })];
  const report = buildReport([buildSuite(entries)], {
    decision: { outcome: 'incomplete', ...decision },
    totals: { ...buildReport([]).totals, planned: 2, errored },
  });
  const { title, body, annotations, exitCode } = describeOutcome(report, {
    place: { label: '' },
    exitCode: 4,
    isReplay: true,
  });
  expect([exitCode, title.startsWith('neutral: ')]).toEqual(isNeutral ? [0, true] : [4, false]);
  expect([body.includes('> **Neutral**: '), body.includes('> **From stored answers**: ')]).toEqual([
    isNeutral,
    !isNeutral,
  ]);
  expect(annotations.startsWith('::notice title=llmcheck::NEUTRAL')).toBe(isNeutral);
});

test('the note of a job without secrets says what is not sent, and how a maintainer runs it', () => {
  const entry = buildUnansweredCase({ status: 'errored' }, { status: 'errored', error: missing });
  const noteOf = (more: Partial<Report>, place: Partial<CiPlace>) => {
    const report = buildReport([buildSuite([entry])], {
      decision: { outcome: 'incomplete', incompleteBecause: 'errors' },
      totals: { ...buildReport([]).totals, planned: 3, errored: 2 },
      ...more,
    });
    const { body } = describeOutcome(report, { place: { label: '', ...place }, exitCode: 4, isReplay: true });
    return /> \*\*Neutral\*\*: (.*)/.exec(body)?.[1];
  };
  const counted = '2 of 3 cells could not be judged from stored answers';
  expect(noteOf({}, {})).toBe(`the job of this run has no secrets, so nothing was sent; ${counted}.`);
  const request = { noun: 'pull request', checkout: 'gh pr checkout 7', baseRef: 'main' } as const;
  const run = 'A maintainer who has read the change can run it with a key: `gh pr checkout 7 && npx llmcheck run';
  expect(noteOf({ contracts: [] }, { request })).toBe(
    `the job of this pull request has no secrets, so nothing was sent; ${counted}. Contracts were checked. ${run} --baseline git:origin/main...\`.`,
  );
  expect(noteOf({}, { request: { ...request, baseRef: 'a b' } })).toContain(`${run}\`.`);
});

test('the foot of a comment names the job, the commit and the log', () => {
  const footOf = (place: Partial<CiPlace>) => {
    const { body } = outcomeOf({}, { place });
    return body.slice(outcomeOf({}).body.length);
  };
  expect(footOf({})).toBe('');
  expect(footOf({ label: 'test · linux' })).toBe('\n`test · linux`\n');
  expect(footOf({ headSha: 'abcdef0123456789abcdef' })).toBe('\ncommit `abcdef012345`\n');
  expect(footOf({ headSha: 'HEAD' })).toBe('');
  expect(footOf({ headSha: 'abc' })).toBe('');
  expect(footOf({ label: 'a', headSha: 'abcdef0', logUrl: 'https://x/log' })).toBe(
    '\n`a` · commit `abcdef0` · [log](https://x/log)\n',
  );
});

test('the heading leads to the page, or says where the page is', () => {
  const headingOf = (page: CiPlace['page']) =>
    outcomeOf({}, { place: page === undefined ? {} : { page } })
      .body.split('\n')
      .slice(0, 3);
  const [plain = ''] = headingOf(undefined);
  expect(headingOf({ kind: 'page', url: 'https://x' })[0]).toBe(`${plain} · [page](https://x)`);
  const [heading, , hint] = headingOf({ kind: 'zip', url: 'https://x' });
  expect([heading, hint]).toEqual([
    `${plain} · [page](https://x)`,
    expect.stringMatching(/^The page is a zip file: .*\.$/),
  ]);
});

test('a run that could not start shows its problems, and at most so many at their lines', () => {
  const problem = {
    code: 'usage',
    severity: 'error',
    message: 'no',
    hint: 'so',
    at: { file: 'a.yaml', line: 2, column: 3 },
  } as const;
  const paths = { fileOf: (file: string) => `sub/${file}` } as never;
  const { annotations, body, outputs } = describeUsage(
    ' text \n',
    [problem, { ...problem, at: undefined, hint: undefined } as never],
    { label: 'job', paths },
  );
  expect(body).toBe('## ⛔ llmcheck could not start (exit code 2)\n\n```\ntext\n```\n\n`job`\n');
  expect(outputs).toEqual({ outcome: 'usage', exitCode: '2', conclusion: 'failure' });
  expect(annotations.split('\n')).toMatchInlineSnapshot(`
    [
      "::error file=sub/a.yaml,line=2,col=3,title=llmcheck%3A usage::no%0Ahint: so",
      "::error title=llmcheck%3A usage::no",
      "",
    ]
  `);
  const many = describeUsage(
    '',
    Array.from({ length: 99 }, () => problem),
    { label: '' },
  ).annotations;
  expect(many.trim().split('\n').length).toBeLessThan(99);
  expect(many).toContain('file=a.yaml');
});

test('the outputs of a job count cases of all variants, and leave what is not known empty', () => {
  const cases = {
    ...buildComparison().cases,
    regressed: ['a', 'b'],
    fixed: ['c'],
    flaky: ['d', 'e', 'f'],
    stillFailing: [],
  };
  const variants = [1, 2].map(() => buildVariant({ comparison: buildComparison({ cases }) }));
  const breach = (code: string) => ({ code, message: 'no' }) as never;
  const report = buildReport([buildSuite([], { variants })], {
    decision: {
      outcome: 'failed',
      breaches: ['case-broken', 'must-pass', 'must-pass', 'contract-broken', 'pass-rate-regressed'].map(breach),
      warnings: [],
    },
    totals: { ...buildReport([]).totals, costUsd: null, spentUsd: 0.5 },
  });
  expect(githubOutputs(report, 1)).toMatchObject({
    outcome: 'failed',
    exitCode: '1',
    costUsd: '',
    spentUsd: '0.5',
    regressed: '4',
    fixed: '2',
    flaky: '6',
    stillFailing: '0',
    broken: '3',
    contractBreaks: '1',
  });
});
