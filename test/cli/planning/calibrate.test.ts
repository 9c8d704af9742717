import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/text/random.ts';
import { openTempProject } from '../../support/temp-project.ts';
import { onlyOne, openFlakyProject, suiteFile, suiteText } from './flaky-project.ts';

const words = (...groups: readonly [number, string][]): string =>
  groups.flatMap(([count, word]) => Array.from({ length: count }, () => word)).join(' ');

describe('a version compared with itself', () => {
  test('hardly ever fails where every trial gives the same', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([8, 'p'], [2, 'f']));
    await project.runFresh('--trials', '6');
    const calibration = await project.calibrate('--runs', '100');
    const found = onlyOne(calibration.variants);
    expect(calibration.code).toBe(0);
    expect(found).toMatchObject({ cases: 10, suiteCases: 10, trials: 60 });
    expect([found.regressed, found.caseBroken].map(({ count }) => count)).toEqual([0, 0]);
    // Sixty trials can't show that nothing ever flakes.
    expect(found.failed.high).toBeGreaterThan(0);
  });

  test('fails no more often than is promised where cases fail half of the time', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([20, 'pf']));
    await project.runFresh('--trials', '4');
    const { variants, run } = await project.calibrate('--runs', '120');
    const { regressed, caseBroken, passed, drifted, inconclusive, failed, openAverages, openCases } = onlyOne(variants);
    expect(run).toMatchObject({ regressed, failed, drifted, inconclusive });
    expect(passed.count + drifted.count + inconclusive.count + failed.count).toBe(120);
    expect(regressed.low).toBeLessThan(0.025);
    expect(caseBroken.low).toBeLessThan(0.025);
    expect(failed.value).toBeLessThan(0.05);
    expect(failed.count).toBeGreaterThanOrEqual(Math.max(caseBroken.count, regressed.count));
    expect(openAverages.count + openCases.count).toBeGreaterThanOrEqual(inconclusive.count);
    for (const { low, value, high } of [regressed, drifted, inconclusive, passed]) {
      expect([low <= value, value <= high]).toEqual([true, true]);
    }
  });

  test('says how many fresh trials that takes, never more than the budget pays for', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([20, 'p'], [10, 'ppf']));
    await project.runFresh('--trials', '6');
    const { run } = await project.calibrate('--runs', '100');
    const { average = 0, most = 0, forAverages = 0, forCases = 0 } = run?.extraCalls ?? {};
    expect(average).toBeGreaterThan(0);
    expect(average).toBeLessThan(0.5);
    expect(forAverages + forCases).toBeCloseTo(average, 12);
    expect(most).toBeGreaterThan(average);
    // 200 calls for 30 planned ones.
    expect(most).toBeLessThanOrEqual(200 / 30);
    const { stdout } = await project.llmcheck('calibrate', '--runs', '10');
    expect(stdout).toMatch(/fresh trials: [\d.]+ % of the planned ones on average .*, at most [\d.]+ %/);
    const stable = await openFlakyProject(words([20, 'p']));
    await stable.runFresh('--trials', '9');
    expect((await stable.calibrate('--runs', '40')).run?.extraCalls.average).toBeLessThan(0.02);
  });

  test('fails for a contract that is not kept every time, and names it', { tags: 'slow' }, async () => {
    const project = await openFlakyProject('p p ppf');
    project.setCases('p p ppf', { 'case-02': { mustPass: true } });
    await project.runFresh('--trials', '6');
    const { variants, run } = await project.calibrate('--runs', '300');
    const { mustPass, brokenCases } = onlyOne(variants);
    expect(mustPass.count).toBeGreaterThan(0);
    expect(run?.caseFailed.count).toBeGreaterThanOrEqual(mustPass.count);
    expect(brokenCases[0]).toEqual({ caseId: 'case-02', count: mustPass.count });
    expect((await project.llmcheck('calibrate', '--runs', '50')).stdout).toContain('called broken: case-02');
  });

  test('never fails for a broken case that only warns', { tags: ['slow'] }, async () => {
    const project = await openFlakyProject('p p ppfff');
    await project.runFresh('--trials', '10');
    project.write(suiteFile, suiteText('gate: { cases: { broken: warn } }\n'));
    const lax = onlyOne((await project.calibrate('--runs', '300')).variants);
    expect([lax.caseBroken.count, lax.brokenCases]).toEqual([0, []]);
  });

  test('asks nothing again on recorded answers, where a failure counts at once', { tags: 'slow' }, async () => {
    const project = await openFlakyProject('p p pf');
    project.write(suiteFile, suiteText('recordings: ../data/answers.jsonl\n'));
    await project.llmcheck('run', '--record', '--trials', '4');
    const { variants, run } = await project.calibrate('--runs', '100');
    const recorded = onlyOne(variants);
    project.write(suiteFile, suiteText());
    const live = onlyOne((await project.calibrate('--runs', '100')).variants);
    expect([recorded.trials, live.trials]).toEqual([12, 12]);
    expect(run?.extraCalls.most).toBe(0);
    expect(recorded.passed.count).toBeLessThan(live.passed.count);
  });

  test('keeps scores between 0 and 1', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([12, 'p'], [6, 'pf']), 'gate: { score: { maxDrop: 5% } }\n');
    await project.runFresh('--trials', '3');
    const [record = ''] = project.files('.llmcheck/runs');
    const lines = project.read(record).split('\n');
    project.write(record, lines.map((line, at) => line.replace(/"score":1,/, `"score":0.${5 + (at % 5)},`)).join('\n'));
    const { regressed, failed } = onlyOne((await project.calibrate('--runs', '100')).variants);
    expect(regressed.low).toBeLessThan(0.025);
    expect(failed.value).toBeLessThan(0.1);
  });
});

describe('the stated interval', { tags: 'slow' }, () => {
  /** A record of one run per pilot, its trials drawn at known rates. */
  async function openPilots(rates: readonly number[], mustPass: number) {
    const project = await openFlakyProject(words([rates.length, 'p']));
    const ids = rates.map((_, index) => `case-${String(index).padStart(2, '0')}`);
    const contracts = ids.slice(0, mustPass).map((id) => [id, { mustPass: true }] as const);
    project.setCases(words([rates.length, 'p']), Object.fromEntries(contracts));
    await project.runFresh();
    const [record = ''] = project.files('.llmcheck/runs');
    const [header = '', ...rows] = project.read(record).trimEnd().split('\n');
    const cells = rows.map((row) => JSON.parse(row) as Record<string, unknown>).filter(({ type }) => type === 'cell');
    const store = (draw: (rate: number) => readonly boolean[]): void => {
      const trials = cells.flatMap((cell) => {
        const rate = rates[ids.indexOf(String(cell['caseId']))] ?? 0;
        return draw(rate).map((failed, trial) => {
          return { ...cell, trial, status: failed ? 'failed' : 'passed', score: failed ? 0 : 1 };
        });
      });
      project.write(record, `${[header, ...trials.map((trial) => JSON.stringify(trial))].join('\n')}\n`);
    };
    return { project, store };
  }

  test.each([
    ['contracts of which some are not kept', 'failed', Array.from({ length: 10 }, (_, i) => (i < 4 ? 0.2 : 0)), 4],
    // One case of twelve is more than maxDrop.
    ['cases that all fail at times', 'drifted', Array.from({ length: 12 }, () => 0.48), 0],
  ] as const)('covers the false alarms at the true rates: %s', async (_name, outcome, rates, mustPass) => {
    const { project, store } = await openPilots(rates, mustPass);
    const trials = 100;
    store((rate) => Array.from({ length: trials }, (_, trial) => trial < rate * trials));
    const { run: truth } = await project.calibrate('--runs', '300');
    const random = createRandom(7);
    let covered = 0;
    for (let pilot = 0; pilot < 12; pilot += 1) {
      store((rate) => Array.from({ length: 4 }, () => random() < rate));
      const { run } = await project.calibrate('--runs', '30', '--seed', String(pilot));
      const { low = 1, high = 0 } = run?.[outcome] ?? {};
      const { value = -1 } = truth?.[outcome] ?? {};
      if (low <= value && value <= high) covered += 1;
    }
    expect(truth?.[outcome].count).toBeGreaterThan(0);
    // Of intervals that hold in 95 % of cases, fewer than 9 of 12 would hold once in 500 times.
    expect(covered).toBeGreaterThanOrEqual(9);
  });

  test('narrows with more stored trials', async () => {
    const { project, store } = await openPilots([0.25, 0.25, 0, 0, 0, 0], 2);
    const widthOf = async (trials: number): Promise<number> => {
      store((rate) => Array.from({ length: trials }, (_, trial) => trial < Math.round(rate * trials)));
      const { run } = await project.calibrate('--runs', '400');
      return (run?.failed.high ?? 1) - (run?.failed.low ?? 0);
    };
    expect(await widthOf(300)).toBeLessThan((await widthOf(4)) * 0.7);
  });
});

describe('what is simulated', () => {
  test('is that of the seed', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([6, 'ppf'], [6, 'p']));
    await project.runFresh('--trials', '6');
    const first = await project.llmcheck('calibrate', '--runs', '20', '--json');
    expect((await project.llmcheck('calibrate', '--runs', '20', '--json')).stdout).toBe(first.stdout);
    const other = await project.llmcheck('calibrate', '--runs', '20', '--seed', '2', '--json');
    expect(JSON.parse(other.stdout)).toMatchObject({ format: 1, comparisons: 20, seed: 2 });
    expect(other.stdout).not.toBe(first.stdout.replace('"seed": 1', '"seed": 2'));
  });

  test('takes single trials of several runs as trials of one version', async () => {
    const project = await openFlakyProject('p pf');
    await project.runFresh();
    await project.runFresh();
    const found = onlyOne((await project.calibrate('--runs', '10')).variants);
    expect([found.runs.length, found.trials]).toEqual([2, 4]);
  });

  test('counts a case that was tried once', { tags: 'slow' }, async () => {
    const project = await openFlakyProject('p p p');
    await project.runFresh('--trials', '2');
    project.setCases('p p p p');
    await project.runFresh('-t', 'case-03');
    const { variants } = await project.calibrate('--runs', '10');
    expect(onlyOne(variants)).toMatchObject({ cases: 4, suiteCases: 4, trials: 7 });
    project.setCases('p p p p p');
    expect((await project.llmcheck('calibrate')).stdout).toContain('1 case without a stored trial left out');
  });

  test('a baseline of more trials raises fewer suspicions of single cases', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([12, 'ppffff']));
    await project.runFresh('--trials', '6');
    const { run: before } = await project.calibrate('--runs', '100');
    await project.llmcheck('baseline', 'accept');
    const { run: after } = await project.calibrate('--runs', '100');
    // The majority of six trials is rarely a pass.
    expect(after?.extraCalls.forCases).toBeLessThan((before?.extraCalls.forCases ?? 0) / 2);
  });
});

describe('several variants', () => {
  test('are judged together, each beside the rates of the whole run', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([10, 'pf']));
    project.write(suiteFile, suiteText().replace('providers:', '  - id: v2\n    text: "{{ word }}"\nproviders:'));
    await project.runFresh('--trials', '2');
    const { variants, run } = await project.calibrate('--runs', '60');
    expect(variants.map(({ prompt }) => prompt)).toEqual(['v1', 'v2']);
    const counts = variants.map(({ failed }) => failed.count);
    expect(run?.failed.count).toBeGreaterThanOrEqual(Math.max(...counts));
    expect(run?.failed.count).toBeLessThanOrEqual(counts.reduce((sum, count) => sum + count, 0));
    expect((await project.llmcheck('calibrate', '--runs', '5')).stdout).toContain('the 2 variants judged together');
  });

  test('make a failed run where one fails, whatever another leaves open', { tags: 'slow' }, async () => {
    const project = await openFlakyProject(words([30, 'pf']));
    const one = '{ id: one, vars: { word: case-00 }, mustPass: true, assert: [{ equals: case-00 }] }';
    const open = suiteText()
      .replace('suite: flaky', 'suite: open')
      .replace(/cases:[^]*/, `cases: [${one}]\n`);
    project.write('evals/open.eval.yaml', open);
    await project.runFresh('--trials', '4', 'evals/open.eval.yaml');
    project.write('evals/open.eval.yaml', `${open}gate: { confirm: { budget: 0 } }\n`);
    // Recorded answers can't be asked again: a failure counts as it is.
    project.write(suiteFile, suiteText('recordings: ../data/answers.jsonl\n'));
    await project.llmcheck('run', '--record', '--trials', '4', suiteFile);
    const { variants, run } = await project.calibrate('--runs', '100');
    const most = 100 - (run?.failed.count ?? 0);
    expect(variants.find(({ suite }) => suite === 'open')?.inconclusive.count).toBeGreaterThan(most);
    expect(run?.inconclusive.count).toBeLessThanOrEqual(most);
  });

  test('without two trials are named beside those that were measured', async () => {
    const project = await openFlakyProject('p p');
    await project.runFresh('--trials', '2');
    project.write('evals/other.eval.yaml', suiteText().replace('suite: flaky', 'suite: other'));
    const { code, stdout, stderr } = await project.llmcheck('calibrate', '--runs', '10');
    expect(code).toBe(0);
    expect(stdout).toContain('flaky  v1 × mini');
    expect(stderr).toContain('other  v1 × mini');
    expect(stderr).toContain('llmcheck run --trials 6');
  });
});

describe('where too little is stored', () => {
  test('it ends with 4 and says what to run first', async () => {
    const project = await openFlakyProject('p p');
    await project.llmcheck('run');
    // The cache answers, so this is no second trial.
    await project.llmcheck('run');
    const { code, stdout, stderr } = await project.llmcheck('calibrate');
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('llmcheck run --trials 6');
    expect(await project.calibrate()).toMatchObject({ code: 4, variants: [], run: null });
  });

  test('recorded answers need further recordings', async () => {
    const project = await openFlakyProject('p p');
    project.write(suiteFile, suiteText('recordings: ../data/answers.jsonl\n'));
    expect((await project.llmcheck('calibrate')).stderr).toContain('--record');
  });

  test('no suite is nothing to measure', async () => {
    const { code, stdout, stderr } = await openTempProject().run(['calibrate']);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('llmcheck init');
  });
});

test.each([[['--runs', '0']], [['--runs', '1.5']], [['--seed', '-1']], [['--runs', '1e3']], [['--seed', 'x']]])(
  '%j is a usage error',
  async (flags) => {
    const { code, stdout, stderr } = await openTempProject().run(['calibrate', ...flags]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('whole number');
  },
);
