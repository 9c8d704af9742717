import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';
import { callUsd, onlyOne, openFlakyProject, suiteFile, suiteText } from './flaky-project.ts';

const twentyCases = Array.from({ length: 20 }, () => 'p').join(' ');

describe('without a stored run', () => {
  test('the flake rate is assumed, and said to be', async () => {
    const project = await openFlakyProject(twentyCases);
    const size = onlyOne(await project.planSize());
    expect(size).toMatchObject({ suite: 'flaky', prompt: 'v1', provider: 'mini', cases: 20, drop: 0.05, power: 0.8 });
    expect(size.pilot).toMatchObject({ runs: [], trials: 0, passRate: null, flakeRate: 0.05, isAssumed: true });
    expect(size.see).toMatchObject({ byCases: { cases: 579, trials: 1 }, byBoth: { cases: 193, trials: 3 } });
    expect(size.exclude).toMatchObject({ byCases: { cases: 299, trials: 1 }, byBoth: { cases: 100, trials: 3 } });
    expect([size.see.byTrials, size.exclude.byTrials, size.run.costUsd]).toEqual([null, null, null]);
    expect(size.run.calls).toBe(20);
    const { code, stdout } = await project.llmcheck('plan-size');
    expect(code).toBe(0);
    expect(stdout).toContain('5.0 % is assumed');
    expect(stdout).toContain('an unknown cost');
    expect(stdout).toContain('more trials on these 20 cases cannot do it: add cases');
    expect(project.requests).toEqual([]);
  });

  test('the accepted baseline is the pilot, with its price', async () => {
    const project = await openFlakyProject('p p pf p');
    await project.runFresh('--trials', '4');
    await project.llmcheck('baseline', 'accept');
    rmSync(project.path('.llmcheck'), { recursive: true });
    const size = onlyOne(await project.planSize());
    expect(size.pilot).toMatchObject({ runs: [], usesBaseline: true, trials: 16, isAssumed: false, flakyCases: 1 });
    expect(size.baselineTrials).toBeCloseTo(4, 12);
    expect(size.run.costUsd).toBeCloseTo(4 * callUsd, 12);
  });
});

test('the accepted baseline counts with its own trials, where its cases are those of today', {
  tags: ['slow'],
}, async () => {
  const project = await openFlakyProject('p pf p ppf p p');
  await project.runFresh('--trials', '6');
  const without = onlyOne(await project.planSize());
  await project.llmcheck('baseline', 'accept');
  const held = onlyOne(await project.planSize());
  expect([without.baselineTrials, held.pilot.trials]).toEqual([null, without.pilot.trials]);
  expect(held.baselineTrials).toBeCloseTo(6, 12);
  expect(held.excludableDrop).toBeLessThan(without.excludableDrop ?? 0);
  expect((await project.llmcheck('plan-size')).stdout).toContain('the accepted baseline has 6 trials a case');
  project.write(suiteFile, suiteText('defaults: { assert: [{ length: { max: 99 } }] }\n'));
  expect(onlyOne(await project.planSize()).baselineTrials).toBeNull();
});

test('trials that were judged under other variables of a program are not pooled with the latest ones', {
  tags: 'slow',
}, async () => {
  const project = await openFlakyProject('p p');
  project.write('evals/checks/right.json', '{"pass": true}\n');
  const check = '{ exec: { value: cat checks/right.json, env: [MODE] } }';
  project.write(suiteFile, suiteText(`defaults: { assert: [${check}] }\n`));
  project.write('strict.env', 'MODE=strict\n');
  project.write('lax.env', 'MODE=lax\n');
  await project.runFresh('--trials', '3', '--env-file', 'strict.env');
  expect(onlyOne(await project.planSize()).pilot.trials).toBe(6);
  await project.runFresh('--env-file', 'lax.env');
  expect(onlyOne(await project.planSize()).pilot.trials).toBe(2);
});

describe('from stored runs', () => {
  test('pass rate, flake rate and cost are those of the trials', { tags: ['slow'] }, async () => {
    const project = await openFlakyProject('p p pf ppf f p');
    await project.runFresh('--trials', '6');
    const { pilot, run, cases, trials, baselineTrials } = onlyOne(await project.planSize());
    expect(pilot).toMatchObject({ trials: 36, cases: 6, flakyCases: 2, isAssumed: false, usesBaseline: false });
    expect(pilot.runs).toHaveLength(1);
    expect(pilot.passRate).toBeCloseTo((1 + 1 + 1 / 2 + 2 / 3 + 0 + 1) / 6, 12);
    // 3 of 6 and 2 of 6 failed: sums of squares 1.5 and 4/3 over six cases' five degrees of freedom.
    const within = (1.5 + 4 / 3) / 30;
    expect(pilot.withinCases).toBeCloseTo(within, 12);
    expect(pilot.flakeRate * (1 - pilot.flakeRate)).toBeCloseTo(within, 12);
    expect(pilot.betweenCases).toBeGreaterThan(0.1);
    expect([cases, trials, baselineTrials]).toEqual([6, { min: 1, max: 1 }, null]);
    expect(run).toMatchObject({ cases: 6, trials: 1, calls: 6 });
    expect(run.costUsd).toBeCloseTo(6 * callUsd, 12);
  });

  test('an answer that the cache serves again is no further trial, one that was asked for again is', async () => {
    const project = await openFlakyProject('p p');
    await project.llmcheck('run');
    await project.llmcheck('run');
    expect(onlyOne(await project.planSize()).pilot.trials).toBe(2);
    expect(project.requests).toHaveLength(2);
    await project.runFresh();
    await project.llmcheck('baseline', 'accept');
    expect(onlyOne(await project.planSize()).pilot).toMatchObject({ trials: 4, isAssumed: false });
  });

  test('other versions are left out: another prompt, other params, another snapshot, a case that was changed', {
    tags: 'slow',
  }, async () => {
    const project = await openFlakyProject('p p p');
    await project.runFresh();
    project.write(suiteFile, suiteText('', 'Repeat: {{ word }}'));
    await project.runFresh();
    expect(onlyOne(await project.planSize()).pilot).toMatchObject({ trials: 3 });
    project.write(suiteFile, suiteText('', 'Repeat: {{ word }}').replace('max_tokens: 20', 'max_tokens: 30'));
    await project.runFresh();
    expect(onlyOne(await project.planSize()).pilot).toMatchObject({ trials: 3 });
    project.model = 'small-2026-06';
    await project.runFresh();
    expect(onlyOne(await project.planSize()).pilot).toMatchObject({ trials: 3 });
    await project.runFresh();
    expect(onlyOne(await project.planSize()).pilot).toMatchObject({ trials: 6, cases: 3 });
    project.setCases('p p p', { 'case-01': { vars: { word: 'case-01!' } } });
    expect(onlyOne(await project.planSize()).pilot).toMatchObject({ trials: 4, cases: 2 });
  });

  test('observed, skipped and errored cells and fresh trials of a failure are no evidence', async () => {
    const project = await openFlakyProject('p p p fp');
    project.setCases('p p p fp', {
      'case-00': { observe: true },
      'case-01': { skip: 'later' },
      'case-03': { mustPass: true },
    });
    await project.runFresh();
    const size = onlyOne(await project.planSize());
    // The contract that failed was asked three more times.
    expect(project.requests).toHaveLength(6);
    expect([size.cases, size.pilot.trials, size.pilot.passRate]).toEqual([2, 2, 0.5]);
  });

  test('--run plans from one run alone', async () => {
    const project = await openFlakyProject('p p');
    await project.runFresh('--trials', '2');
    await project.runFresh('--trials', '3');
    const both = onlyOne(await project.planSize()).pilot;
    expect([both.trials, both.runs.length]).toEqual([10, 2]);
    const [latest = '', earlier = ''] = both.runs;
    expect(onlyOne(await project.planSize('--run', earlier)).pilot).toMatchObject({ runs: [earlier], trials: 4 });
    expect(onlyOne(await project.planSize('--run', 'latest')).pilot).toMatchObject({ runs: [latest], trials: 6 });
    const { code, stderr } = await project.llmcheck('plan-size', '--run', 'nonsense');
    expect([code, stderr.includes('unknown-id')]).toEqual([2, true]);
  });

  test('a damaged record is left out with a warning; asked for by name it is an error', async () => {
    const project = await openFlakyProject('p p');
    await project.runFresh();
    project.write('.llmcheck/runs/20200101-000000-aaaaaa.jsonl', 'nonsense\n');
    const { code, stdout, stderr } = await project.llmcheck('plan-size');
    expect(code).toBe(0);
    expect(stdout).toContain('2 trials of 2 cases in 1 run');
    expect(stderr).toContain('warning record');
    expect(stderr).toContain('20200101-000000-aaaaaa');
    expect((await project.llmcheck('plan-size', '--run', '20200101-000000-aaaaaa')).code).toBe(2);
  });

  test('a header that names a variant twice has its trials but once', async () => {
    const project = await openFlakyProject('p p');
    await project.runFresh();
    const [record = ''] = project.files('.llmcheck/runs');
    const [header = '', ...rows] = project.read(record).split('\n');
    const doubled = JSON.parse(header) as { suites: { variants: unknown[] }[] };
    for (const suite of doubled.suites) suite.variants.push(...suite.variants);
    project.write(record, [JSON.stringify(doubled), ...rows].join('\n'));
    expect(onlyOne(await project.planSize()).pilot.trials).toBe(2);
  });

  test('a cost that is known of a part only is unknown', async () => {
    const project = await openFlakyProject('p p');
    await project.runFresh();
    const [record = ''] = project.files('.llmcheck/runs');
    project.write(record, project.read(record).replace(/"costUsd":0.00002,/, '"costUsd":null,'));
    expect(onlyOne(await project.planSize()).run.costUsd).toBeNull();
  });

  test('an unknown price stays unknown', { tags: ['slow'] }, async () => {
    const project = await openFlakyProject('p p');
    project.write(suiteFile, suiteText().replace(/^ +price:.*\n/m, ''));
    await project.runFresh();
    const size = onlyOne(await project.planSize());
    expect([size.pilot.trials, size.run.costUsd, size.see.byCases?.costUsd]).toEqual([2, null, null]);
  });
});

describe('both rules of the gate', () => {
  test('a single case: how often it is found, and how many calls that takes', { tags: ['slow'] }, async () => {
    const project = await openFlakyProject(twentyCases);
    await project.runFresh('--trials', '3');
    const { singleCase, confirmation, run } = onlyOne(await project.planSize());
    expect(singleCase).toMatchObject({ trials: 4, acceptedTrials: 4, calls: 8, mostTrials: 15, brokenForGood: 1 });
    expect(singleCase?.failsMostly).toBeCloseTo(0.9 ** 5, 12);
    expect(singleCase?.failsHalf).toBeCloseTo(0.5 ** 5, 12);
    expect(confirmation?.calls).toBe(200);
    expect(confirmation?.costUsd).toBeCloseTo(200 * callUsd, 12);
    expect(run.calls).toBe(20);
    const { stdout } = await project.llmcheck('plan-size');
    expect(stdout).toContain('a single case that breaks for good is found with a chance of 100.0 %');
    expect(stdout).toContain(
      '4 trials of each prompt confirm it, 8 calls; 15 of each where the accepted prompt fails at times',
    );
    expect(stdout).toContain('where something looks worse in a run, at most 200 calls and $0.0040 more settle it');
  });

  test('flaky cases look broken too, so that a broken one takes more trials', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(Array.from({ length: 60 }, () => 'ppf').join(' '));
    await project.runFresh('--trials', '6');
    expect(onlyOne(await project.planSize()).singleCase).toMatchObject({ trials: 6, acceptedTrials: 6 });
    project.write(suiteFile, suiteText('defaults: { trials: 5 }\n'));
    expect(onlyOne(await project.planSize()).singleCase?.trials).toBe(4);
  });

  test('a budget of fewer calls finds fewer broken cases, and smaller drops go unseen', {
    tags: ['slow'],
  }, async () => {
    const project = await openFlakyProject(twentyCases);
    await project.runFresh('--trials', '3');
    const planWith = async (budget: string) => {
      project.write(suiteFile, suiteText(`gate: { confirm: { budget: ${budget} } }\n`));
      return onlyOne(await project.planSize());
    };
    const [few, enough, most] = [await planWith('7'), await planWith('8'), await planWith('400%')];
    expect([few, enough, most].map(({ confirmation }) => confirmation?.calls)).toEqual([7, 8, 80]);
    expect([few, enough].map(({ singleCase }) => singleCase?.brokenForGood)).toEqual([0, 1]);
    expect(most.visibleDrop).toBeLessThan(enough.visibleDrop ?? 1);
  });

  test('where nothing can be asked again, both say so', async () => {
    const project = await openFlakyProject(twentyCases);
    project.write(suiteFile, suiteText('recordings: ../data/answers.jsonl\n'));
    const recorded = onlyOne(await project.planSize());
    expect([recorded.singleCase, recorded.confirmation]).toEqual([null, null]);
    // The stored trials alone decide, by the table of the statistics page.
    expect(recorded.see.byCases?.cases).toBe(432);
    expect((await project.llmcheck('plan-size')).stdout).toContain('recorded answers say nothing new');
    project.write(suiteFile, suiteText('gate: { confirm: { budget: 0 } }\n'));
    const { stdout } = await project.llmcheck('plan-size');
    expect(stdout).toContain('gate.confirm.budget is 0, so nothing is asked again');
    expect(stdout).toContain('a single case that fails is not settled: exit code 4');
  });

  test("a program's accepted prompt is not asked: its accepted trials are compared with fresh ones", async () => {
    const project = await openFlakyProject(twentyCases);
    project.write(suiteFile, suiteText().replace('use: openai:small', 'use: exec:node answer.mjs'));
    const size = onlyOne(await project.planSize());
    expect(size).toMatchObject({ asksAccepted: false, singleCase: { trials: 7, acceptedTrials: 0 } });
    expect(size.see.byCases?.cases).toBe(397);
    expect((await project.llmcheck('plan-size')).stdout).toMatch(
      /the accepted prompt can't be asked again.*7 trials of the new prompt confirm it, 7 calls$/msu,
    );
  });

  test('averages of other suites in the run raise what is asked of each', { tags: 'slow' }, async () => {
    // This budget pays for every look, alone and together.
    const gate = 'gate: { confirm: { budget: 400% } }\n';
    const project = await openFlakyProject(Array.from({ length: 100 }, () => 'p').join(' '), gate);
    const alone = onlyOne(await project.planSize());
    const names = Array.from({ length: 5 }, (_, index) => `other-${index}`);
    for (const name of names)
      project.write(`evals/${name}.eval.yaml`, suiteText(gate).replace('suite: flaky', `suite: ${name}`));
    const together = (await project.planSize()).find(({ suite }) => suite === 'flaky');
    expect([alone.averages, together?.averages]).toEqual([1, 6]);
    expect(together?.visibleDrop).toBeGreaterThan(alone.visibleDrop ?? 1);
    expect(together?.excludableDrop).toBe(alone.excludableDrop);
    expect((await project.llmcheck('plan-size')).stdout).toContain('6 averages are judged in one run');
    project.write(suiteFile, suiteText('gate: { cost: { maxIncrease: 20% } }\n'));
    expect(onlyOne(await project.planSize(suiteFile)).averages).toBe(2);
  });

  test('cases of a group that pass and fail together count as fewer', { tags: 'slow' }, async () => {
    const words = Array.from({ length: 40 }, (_, index) => (index % 8 < 2 ? 'f' : 'p'));
    const groupsBy = (groupOf: (index: number) => string) =>
      Object.fromEntries(
        words.map((_, index) => [`case-${String(index).padStart(2, '0')}`, { group: groupOf(index) }]),
      );
    const project = await openFlakyProject(words.join(' '));
    const alone = onlyOne(await project.planSize());
    expect(alone.groups).toBeNull();
    // Each eight of them hold the two that fail, so the groups are alike.
    project.setCases(
      words.join(' '),
      groupsBy((index) => `g${Math.floor(index / 8)}`),
    );
    await project.runFresh();
    expect(onlyOne(await project.planSize())).toMatchObject({
      groups: { designEffect: 1 },
      visibleDrop: alone.visibleDrop,
    });
    expect((await project.llmcheck('plan-size')).stdout).toContain('cases count as independent');
    project.setCases(
      words.join(' '),
      groupsBy((index) => `g${index % 8}`),
    );
    await project.runFresh();
    const grouped = onlyOne(await project.planSize());
    expect(grouped.groups?.designEffect).toBeGreaterThan(3);
    expect(grouped.visibleDrop ?? 1).toBeGreaterThan((alone.visibleDrop ?? 1) * 1.5);
    expect((await project.llmcheck('plan-size')).stdout).toMatch(/these 40 say as much as \d independent ones/);
  });

  test('a judge shows a part of a drop only, so that less is seen', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(Array.from({ length: 100 }, () => 'p').join(' '));
    await project.runFresh();
    const exact = onlyOne(await project.planSize());
    expect(exact.judge).toBeNull();
    project.write(
      suiteFile,
      suiteText('judges: [{ id: strict, use: "openai:small", price: { input: 1, output: 2 } }]\n'),
    );
    expect(onlyOne(await project.planSize()).judge).toEqual({ shown: null });
    expect((await project.llmcheck('plan-size')).stdout).toContain("a drop is one of the judge's verdicts");
    const [record = ''] = project.files('.llmcheck/runs');
    const [header = '', ...rows] = project.read(record).split('\n');
    const measured = JSON.parse(header) as { suites: { judges?: unknown }[] };
    const judges = [{ judge: 'strict', assertion: 'rubric', measured: { labels: 100, youdenLow: 0.8 } }];
    for (const suite of measured.suites) suite.judges = judges;
    project.write(record, [JSON.stringify(measured), ...rows].join('\n'));
    const judged = onlyOne(await project.planSize());
    expect(judged.judge).toEqual({ shown: 0.8 });
    expect(judged.visibleDrop).toBeCloseTo((exact.visibleDrop ?? 0) / 0.8, 6);
    expect(judged.excludableDrop).toBeCloseTo((exact.excludableDrop ?? 0) / 0.8, 6);
    expect(judged.exclude.byCases?.cases).toBeGreaterThan(exact.exclude.byCases?.cases ?? 0);
    expect((await project.llmcheck('plan-size')).stdout).toContain('the judge shows 80.0 % of a drop');
  });
});

describe('what is planned', () => {
  test('is each gated version: one that another replaces is left out', async () => {
    const project = await openFlakyProject('p p');
    project.write(
      suiteFile,
      suiteText().replace('providers:', '  - id: v2\n    text: "{{ word }}"\n    replaces: v1\nproviders:'),
    );
    expect((await project.planSize()).map(({ prompt }) => prompt)).toEqual(['v2']);
  });

  test("is the gate's own margin and scope, and the trials of the suite", async () => {
    const gate = 'defaults: { trials: 3 }\ngate: { scope: suite, alpha: 0.1, passRate: { maxDrop: 10% } }\n';
    const project = await openFlakyProject(twentyCases, gate);
    const size = onlyOne(await project.planSize());
    expect(size).toMatchObject({ drop: 0.1, alpha: 0.1, scope: 'suite', trials: { min: 3, max: 3 } });
    expect(size.run.calls).toBe(60);
    // On these cases only, trials do what they can't do for inputs like them.
    expect(size.exclude.byTrials).not.toBeNull();
    expect((await project.llmcheck('plan-size')).stdout).toContain('on these cases only');
  });

  test('counts the calls of conversations as they were', async () => {
    const turns = { turns: [{ user: 'again, case-00' }] };
    const project = await openFlakyProject('p p');
    project.setCases('p p', { 'case-00': turns });
    expect(onlyOne(await project.planSize()).run.calls).toBeNull();
    await project.runFresh();
    expect(onlyOne(await project.planSize()).run.calls).toBe(3);
  });

  test('narrows to the suites that are named', async () => {
    const project = await openFlakyProject('p p');
    project.write('evals/other.eval.yaml', suiteText().replace('suite: flaky', 'suite: other'));
    expect((await project.planSize()).map(({ suite }) => suite)).toEqual(['flaky', 'other']);
    expect((await project.planSize('evals/other.eval.yaml')).map(({ suite }) => suite)).toEqual(['other']);
  });

  test('a way that takes fewer cases than there are is none', async () => {
    const project = await openFlakyProject(Array.from({ length: 150 }, () => 'p').join(' '));
    const { exclude } = onlyOne(await project.planSize());
    expect(exclude).toMatchObject({ byCases: { cases: 299 }, byTrials: { cases: 150, trials: 2 }, byBoth: null });
  });

  test('a gate that tolerates no drop is planned for the usual one', async () => {
    const project = await openFlakyProject('p', 'gate: { passRate: { maxDrop: 0 } }\n');
    expect(onlyOne(await project.planSize()).drop).toBe(0.05);
  });

  test('a suite that is large enough says so', async () => {
    const project = await openFlakyProject(twentyCases);
    const { stdout } = await project.llmcheck('plan-size', '--drop', '60%');
    expect(stdout.match(/this suite does/g)).toHaveLength(2);
  });

  test('no suite is nothing to plan for', async () => {
    const { code, stdout, stderr } = await openTempProject().run(['plan-size']);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('llmcheck init');
  });
});

describe('flags', () => {
  test('a drop is a percentage or a fraction', async () => {
    const project = await openFlakyProject('p p');
    const percent = await project.planSize('--drop', '2%', '--power', '90 %');
    expect(percent).toEqual(await project.planSize('--drop', '0.02', '--power', '.9'));
    expect(onlyOne(percent)).toMatchObject({ drop: 0.02, power: 0.9 });
  });

  test.each([
    [['--drop', '5'], '--drop 5%'],
    [['--drop', '0'], '--drop'],
    [['--drop', '100%'], '--drop'],
    [['--drop', '-1%'], '--drop'],
    [['--power', '1'], '--power'],
    [['--power', 'high'], '--power'],
  ])('%j is a usage error that says what to write', async (flags, hint) => {
    const project = await openFlakyProject('p');
    const { code, stdout, stderr } = await project.llmcheck('plan-size', ...flags);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(hint);
  });
});
