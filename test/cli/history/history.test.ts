import { describe, expect, test } from 'vitest';
import type { History } from '../../../src/model/report/history.ts';
import { startChatServer, startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

interface FakeRun {
  readonly id: string;
  readonly suite?: string;
  readonly filtered?: boolean;
  readonly prompt?: string;
  /** By case: a plus or minus for each trial; capital letters would be cached. */
  readonly cases: Readonly<Record<string, string>>;
  readonly caseHashes?: Readonly<Record<string, string>>;
  readonly cached?: boolean;
}

/** A record as `run` writes it, so that 200 runs cost no time. */
function writeRun(project: TempProject, run: FakeRun): void {
  const {
    id,
    suite = 'triage',
    cases,
    caseHashes = {},
    cached = false,
    prompt = 'Say {{ word }}',
    filtered = false,
  } = run;
  const trials = Object.values(cases).reduce((sum, marks) => sum + marks.length, 0);
  const variant = {
    prompt: 'v1',
    provider: 'mini',
    adapter: 'openai',
    model: 'gpt-4o-mini',
    params: {},
    messages: [{ role: 'user', content: prompt }],
    contract: {},
    planned: trials,
    observed: 0,
  };
  const limits = { passRate: {}, score: {}, cost: {}, latency: {} };
  const header = {
    type: 'run',
    format: 1,
    id,
    startedAt: `2026-11-${id.slice(6, 8)}T09:30:00.000Z`,
    tool: { name: 'llmcheck', version: '0.1.0' },
    settings: { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: [
      {
        suite,
        path: `evals/${suite}.eval.yaml`,
        gate: { alpha: 0.05, scope: 'population', cases: { broken: 'fail', added: 'fail' }, ...limits },
        outputs: 'full',
        filtered,
        variants: [variant],
      },
    ],
  };
  const rows = Object.entries(cases).flatMap(([caseId, marks]) =>
    marks.split('').map((mark, trial) => ({
      type: 'cell',
      suite,
      prompt: 'v1',
      provider: 'mini',
      caseId,
      trial,
      caseHash: caseHashes[caseId] ?? 's',
      status: mark === '+' ? 'passed' : 'failed',
      cached,
      score: mark === '+' ? 1 : 0,
      latencyMs: 800,
      costUsd: 0.001,
      spentUsd: 0.001,
      answerHash: 'h',
      cellHash: 'i',
      at: { file: 'a.yaml', line: 1, column: 1 },
      checks: [],
      calls: [],
      attempts: 1,
      output: 'x',
    })),
  );
  const lines = [header, ...rows, { type: 'end', durationMs: 10, notes: [] }];
  project.write(`.llmcheck/runs/${id}.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

const idOf = (day: number): string => `202611${String(day).padStart(2, '0')}-093000-aaaaaa`;

async function historyOf(project: TempProject, ...argv: readonly string[]): Promise<History> {
  const { code, stdout, stderr } = await project.run(['history', '-r', 'json', ...argv]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as History;
}

describe('over stored runs', () => {
  test('rates with intervals, cost, latency and flakes of suites, variants and cases, oldest first', async () => {
    const project = openTempProject();
    writeRun(project, { id: idOf(1), cases: { a: '++', b: '+-' } });
    writeRun(project, { id: idOf(2), cases: { a: '++', b: '++' } });
    const history = await historyOf(project);
    expect(history.runs.map(({ id, version, complete }) => [id, version, complete])).toEqual([
      [idOf(1), '0.1.0', true],
      [idOf(2), '0.1.0', true],
    ]);
    const [suite] = history.suites;
    const [variant] = suite?.variants ?? [];
    for (const points of [suite?.points, variant?.points]) {
      expect(points).toMatchObject([
        { run: idOf(1), passRate: { value: 0.75, n: 2 }, passed: 3, failed: 1, flakeRate: 0.5, redefined: false },
        { run: idOf(2), passRate: { value: 1, n: 2 }, flakeRate: 0, costUsd: 0.004, latencyMs: { p50: 800 } },
      ]);
      const [first] = points ?? [];
      expect(first?.passRate.low).toBeLessThan(0.75);
      expect(first?.passRate.high).toBeGreaterThan(0.75);
    }
    expect(
      suite?.cases.map(({ caseId, status, points }) => [caseId, status, points.map(({ passed }) => passed)]),
    ).toEqual([
      ['a', 'passed', [2, 2]],
      ['b', 'passed', [1, 2]],
    ]);
    const { stdout } = await project.run(['history', '--cases']);
    expect(stdout).toContain('v1 × mini  ▁█  ');
    // One variant is its own sum.
    expect(stdout).not.toMatch(/^ *all /m);
    expect(stdout).toMatch(/100\.0 % \[\d+\.\d–100\.0\]/);
    expect(stdout).toContain('b · v1 × mini');
  });

  test('names of cases take the room that 80 columns have, and no more', async () => {
    const project = openTempProject();
    const long = 'x'.repeat(90);
    for (const day of [1, 2]) writeRun(project, { id: idOf(day), cases: { 'opening-hours-sun': '++', [long]: '++' } });
    const { stdout } = await project.run(['history', '--cases']);
    expect(stdout).toContain('  opening-hours-sun · v1 × mini  ');
    expect(stdout).toMatch(/^ {2}x{30}… {2}/m);
    for (const line of stdout.split('\n').filter((one) => / {2}(?:case|x+…) {2}/.test(one)))
      expect(line.length).toBeLessThanOrEqual(80);
  });

  test('a case whose flake rate changed is named, one that merely broke or that chance explains is not', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 20; day += 1) {
      const isRecent = day > 10;
      const flips = day % 2 === 0 ? '+-' : '-+';
      writeRun(project, {
        id: idOf(day),
        cases: {
          steady: '++',
          flaky: flips,
          began: isRecent ? flips : '++',
          stopped: isRecent ? '++' : flips,
          broke: isRecent ? '--' : '++',
        },
      });
    }
    const [suite] = (await historyOf(project)).suites;
    expect(suite?.cases.map(({ flakes }) => flakes.change?.since)).toEqual(Array.from({ length: 5 }, () => idOf(11)));
    const changes = (suite?.cases ?? []).map(({ caseId, flakes }) => [caseId, flakes.change?.isNamed, flakes.rate]);
    expect(Object.fromEntries(changes.map(([id, named]) => [id, named]))).toEqual({
      began: true,
      broke: false,
      flaky: false,
      steady: false,
      stopped: true,
    });
    const { stdout } = await project.run(['history']);
    expect(stdout).toContain('flake rate changed (2 of 5 cases tested, 5 % false discoveries)');
    expect(stdout).toContain(
      'began · v1 × mini\n      0.0 % of 10 pairs → 100.0 % of 10 pairs since 2026-11-11 (p < 0.001)',
    );
  });

  test('another hash or prompt breaks the series, and what was before it is no evidence', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 8; day += 1) {
      writeRun(project, { id: idOf(day), cases: { a: '+-', b: '++' }, caseHashes: { a: day < 5 ? 'old' : 'new' } });
    }
    writeRun(project, {
      id: idOf(9),
      cases: { a: '+-', b: '++' },
      caseHashes: { a: 'new' },
      prompt: 'Other {{ word }}',
    });
    const [suite] = (await historyOf(project)).suites;
    const [a, b] = suite?.cases ?? [];
    expect(a?.points.map(({ redefined }) => redefined)).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
      false,
      false,
      true,
    ]);
    expect([a?.flakes.pairs, b?.flakes.pairs]).toEqual([1, 1]);
    expect(suite?.points.flatMap(({ redefined }, index) => (redefined ? [index] : []))).toEqual([4, 8]);
    expect((await project.run(['history'])).stdout).toContain('▅▅▅▅│▅');
  });

  test('a rate that stays is drawn at its height: nothing is the lowest mark, all the highest', async () => {
    for (const [marks, line] of [
      ['--', '▁▁▁'],
      ['+-', '▄▄▄'],
      ['++', '███'],
    ] as const) {
      const project = openTempProject();
      for (let day = 1; day <= 3; day += 1) writeRun(project, { id: idOf(day), cases: { a: marks } });
      expect((await project.run(['history'])).stdout).toContain(`v1 × mini  ${line}  `);
    }
  });

  test('a rate that is not all is never rounded to all', async () => {
    const project = openTempProject();
    const cases = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`case-${index}`, '+'.repeat(100)]));
    writeRun(project, { id: idOf(1), cases: { ...cases, 'case-0': `-${'+'.repeat(99)}` } });
    const { stdout } = await project.run(['history']);
    expect(stdout).toMatch(/ 99\.9–99\.9 {2}99\.9 % \[\d\d\.\d–99\.9\] /);
  });

  test('cached answers are no evidence of flakes', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 4; day += 1) writeRun(project, { id: idOf(day), cases: { a: '+-' }, cached: true });
    const [suite] = (await historyOf(project)).suites;
    expect(suite?.cases[0]?.flakes).toEqual({ rate: null, pairs: 0 });
    expect((await project.run(['history'])).stdout).toContain('too few answers to say whether flake rates changed');
  });

  test('filtered runs count for their cases alone', async () => {
    const project = openTempProject();
    writeRun(project, { id: idOf(1), cases: { a: '+', b: '+' } });
    writeRun(project, { id: idOf(2), cases: { a: '-' }, filtered: true });
    const [suite] = (await historyOf(project)).suites;
    expect([suite?.points.length, suite?.partialRuns]).toEqual([1, 1]);
    expect(suite?.cases.find(({ caseId }) => caseId === 'a')?.points).toHaveLength(2);
  });
});

describe('what is read', () => {
  test('suites by id, path, folder and glob; the latest runs that hold one', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 6; day += 1) {
      writeRun(project, { id: idOf(day), suite: day % 2 === 0 ? 'even' : 'odd', cases: { a: '+' } });
    }
    const suitesOf = async (...argv: readonly string[]) => {
      const { suites } = await historyOf(project, ...argv);
      return suites.map(({ suite, points }) => `${suite} ${points.length}`);
    };
    expect(await suitesOf()).toEqual(['even 3', 'odd 3']);
    expect(await suitesOf('--suite', 'odd', '--limit', '2')).toEqual(['odd 2']);
    expect(await suitesOf('evals/even.eval.yaml')).toEqual(['even 3']);
    expect(await suitesOf('evals')).toEqual(['even 3', 'odd 3']);
    expect(await suitesOf('evals/o*.eval.yaml')).toEqual(['odd 3']);
  });

  test('a damaged record is named and hides no other', async () => {
    const project = openTempProject();
    writeRun(project, { id: idOf(1), cases: { a: '+' } });
    project.write(`.llmcheck/runs/${idOf(2)}.jsonl`, 'nonsense\n');
    writeRun(project, { id: idOf(3), cases: { a: '+' } });
    const { code, stdout, stderr } = await project.run(['history', '-r', 'json']);
    expect(code).toBe(0);
    expect(stderr).toContain(`warning: a run is left out: `);
    expect(stderr).toContain(idOf(2));
    const history = JSON.parse(stdout) as History;
    expect([history.runs.length, history.damaged.map(({ run }) => run)]).toEqual([2, [idOf(2)]]);
  });

  test.each([
    [[], 'there is no stored run yet'],
    [['--limit', '0'], '--limit'],
    [['--recent', 'x'], '--recent'],
    [['-r', 'html'], 'html'],
  ])('%j without a run is a usage error', async (argv, named) => {
    const { code, stderr } = await openTempProject().run(['history', ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(named)]);
  });

  test('a suite that no run holds is a usage error with a suggestion', async () => {
    const project = openTempProject();
    writeRun(project, { id: idOf(1), cases: { a: '+' } });
    const { code, stderr } = await project.run(['history', '--suite', 'triaje']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "triage"?')]);
  });
});

test('observed cases and versions that another one replaces are outside of the points of a suite', async () => {
  const project = openTempProject();
  const { env } = await startChatServer(({ text }) => (text.startsWith('Say') ? 'wrong' : text.slice('Tell: '.length)));
  project.write(
    'evals/words.eval.yaml',
    `prompts: [{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Tell: {{ word }}", replaces: v1 }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
cases:
  - { id: one, vars: { word: one }, assert: [{ equals: one }] }
  - { id: watched, vars: { word: two }, observe: true, assert: [{ equals: never }] }
`,
  );
  await project.run(['run'], { env });
  const [record = ''] = project.files('.llmcheck/runs');
  const rows = project.read(record).split('\n');
  const slow = (row: string) => row.replaceAll(/"latencyMs":[\d.]+/g, '"latencyMs":99999');
  project.write(record, rows.map((row) => (row.includes('"caseId":"watched"') ? slow(row) : row)).join('\n'));
  const [point] = (await historyOf(project)).suites[0]?.points ?? [];
  expect(point).toMatchObject({ passRate: { value: 1, n: 1 }, planned: 1, passed: 1, failed: 0 });
  expect(point?.latencyMs.p95).toBeLessThan(30_000);
});

test("the baseline's prompt that ran beside a new one is no point of the history", async () => {
  const server = await startEchoServer();
  const project = openTempProject('echo');
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('Say: ', 'Say:  '));
  const { report } = await project.report(['run', '--rerun-baseline'], { env: server.env });
  expect(report.suites[0]?.variants).toHaveLength(2);
  const [history] = (await historyOf(project)).suites;
  expect(history?.variants.map(({ points }) => points.map(({ run }) => run === report.run.id))).toEqual([
    [false, true],
  ]);
  expect(history?.cases.every(({ points }) => points.length === 2)).toBe(true);
});

describe('the trend of a pass rate', () => {
  /** A run of ten cases, so many of which pass. */
  const withPasses = (day: number, passes: number, further: Partial<FakeRun> = {}): FakeRun => ({
    id: idOf(day),
    cases: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`c${index}`, index < passes ? '+' : '-'])),
    ...further,
  });
  const trendOf = async (project: TempProject) => (await historyOf(project)).suites[0]?.variants[0]?.trend;

  test('falls, and the history says from what to what', async () => {
    const project = openTempProject();
    for (const [index, passes] of [10, 10, 9, 9, 9, 8, 8, 7, 7].entries()) {
      // Each run changes the prompt, which is what makes a rate fall.
      writeRun(project, withPasses(index + 1, passes, { prompt: `Say ${index}` }));
    }
    const trend = await trendOf(project);
    expect(trend).toMatchObject({ runs: 9, since: idOf(1), direction: 'falls' });
    expect(trend?.to).toBeCloseTo((8 + 7 + 7) / 30, 12);
    const { stdout } = await project.run(['history']);
    expect(stdout).toContain('v1 × mini: pass rate falls: 96.7 → 73.3 % over 9 runs, p < 0.001');
  });

  test('rises, or is not shown', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 8; day += 1) writeRun(project, withPasses(day, day));
    expect(await trendOf(project)).toMatchObject({ direction: 'rises', tau: 1 });
    for (let day = 9; day <= 20; day += 1) writeRun(project, withPasses(day, day % 2 === 0 ? 3 : 5));
    expect(await trendOf(project)).toMatchObject({ direction: null, runs: 20 });
    expect((await project.run(['history'])).stdout).toMatch(
      /no trend of the pass rate is shown over 20 runs, p = 0\.\d{3}/,
    );
  });

  test('does not count answers from the cache, other cases, or cells without a verdict', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 6; day += 1) writeRun(project, withPasses(day, 10));
    for (let day = 7; day <= 12; day += 1) writeRun(project, withPasses(day, 5, { cached: true }));
    expect(await trendOf(project)).toMatchObject({ runs: 6, direction: null, p: null });
    const caseHashes = { c0: 'other' };
    for (let day = 13; day <= 15; day += 1) writeRun(project, withPasses(day, 5, { caseHashes }));
    expect(await trendOf(project)).toMatchObject({ runs: 3, since: idOf(13) });
    expect((await project.run(['history'])).stdout).toContain(
      'no trend of the pass rate can be tested: 3 of 8 runs with new answers of the same cases',
    );
  });

  test('of runs that are all alike is none', async () => {
    const project = openTempProject();
    for (let day = 1; day <= 9; day += 1) writeRun(project, withPasses(day, 10));
    expect(await trendOf(project)).toMatchObject({ direction: null, tau: null });
    expect((await project.run(['history'])).stdout).toContain('the pass rate is the same in all 9 runs');
  });
});
