import { describe, expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';
import { onlyOne, openFlakyProject, suiteFile, suiteText } from './flaky-project.ts';

const words = (...groups: readonly [number, string][]): string =>
  groups.flatMap(([count, word]) => Array.from({ length: count }, () => word)).join(' ');

describe('a version held against itself', () => {
  test('is never called worse where every trial gives the same', async () => {
    const project = await openFlakyProject(words([8, 'p'], [2, 'f']));
    await project.runFresh('--trials', '2');
    const calibration = await project.calibrate('--runs', '200');
    const found = onlyOne(calibration.variants);
    expect(calibration.code).toBe(0);
    expect(found).toMatchObject({ cases: 10, suiteCases: 10, trials: 20, trialsPerSide: { min: 1, max: 1 } });
    expect([found.regressed, found.caseBroken, found.failed].map(({ count }) => count)).toEqual([0, 0, 0]);
    // Ten cases can exclude nothing.
    expect(found.inconclusive.count).toBe(200);
  });

  test('is called worse by chance about as often as is promised where cases flake', async () => {
    const project = await openFlakyProject(words([40, 'pf']));
    await project.runFresh('--trials', '2');
    const { variants, run } = await project.calibrate('--runs', '2000');
    const { regressed, caseBroken, passed, inconclusive, failed, brokenCases } = onlyOne(variants);
    expect(run).toEqual({ regressed, failed });
    // Every case differs between the halves, so the test of the average is a fair coin thrown forty times.
    expect(regressed.value).toBeGreaterThan(0.01);
    expect(regressed.value).toBeLessThan(0.0325);
    expect(regressed.low).toBeLessThan(regressed.value);
    expect(regressed.high).toBeGreaterThan(regressed.value);
    expect(passed.count + inconclusive.count + failed.count).toBe(2000);
    // Failing half the time is outside what the rule for single cases assumes, and is seen to be.
    expect(caseBroken.value).toBeGreaterThan(0.1);
    const counts = brokenCases.map(({ count }) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(failed.count).toBeGreaterThanOrEqual(Math.max(caseBroken.count, regressed.count));
  });

  test('passes where the suite is large enough to exclude a drop', async () => {
    const project = await openFlakyProject(words([80, 'p']));
    await project.runFresh('--trials', '2');
    expect(onlyOne((await project.calibrate('--runs', '20')).variants).passed.value).toBe(1);
  });

  test('fails for a contract that is not kept every time', async () => {
    const project = await openFlakyProject('p p ppf');
    project.setCases('p p ppf', { 'case-02': { mustPass: true } });
    await project.runFresh('--trials', '6');
    const { mustPass, caseBroken, brokenCases } = onlyOne((await project.calibrate('--runs', '300')).variants);
    expect(mustPass.count).toBeGreaterThan(0);
    expect(caseBroken.count).toBe(0);
    expect(brokenCases).toEqual([{ caseId: 'case-02', count: mustPass.count }]);
  });

  test('names the case that is called broken, which warns only where the gate says so', async () => {
    const project = await openFlakyProject('p p ppfffff');
    await project.runFresh('--trials', '7');
    const { variants, run } = await project.calibrate('--runs', '500');
    const strict = onlyOne(variants);
    expect(run?.failed).toEqual(strict.failed);
    expect(strict.failed.value).toBeLessThan(0.5);
    expect(strict.brokenCases.map(({ caseId }) => caseId)).toEqual(['case-02']);
    expect((await project.llmcheck('calibrate', '--runs', '500')).stdout).toContain('called broken: case-02');
    project.write(suiteFile, suiteText('gate: { cases: { broken: warn } }\n'));
    const lax = onlyOne((await project.calibrate('--runs', '500')).variants);
    expect([lax.failed.count, lax.brokenCases]).toEqual([0, []]);
  });

  test('fails more often on recorded answers, of which no confirmation trial can be asked', async () => {
    const project = await openFlakyProject('p p pf');
    project.write(suiteFile, suiteText('recordings: ../data/answers.jsonl\n'));
    await project.llmcheck('run', '--record', '--trials', '4');
    const recorded = onlyOne((await project.calibrate('--runs', '400')).variants);
    project.write(suiteFile, suiteText());
    const live = onlyOne((await project.calibrate('--runs', '400')).variants);
    expect(recorded.trials).toBe(12);
    expect(live.trials).toBe(12);
    expect(recorded.caseBroken.count).toBeGreaterThan(2 * live.caseBroken.count);
  });
});

describe('the splits', () => {
  test('are those of the seed', async () => {
    const project = await openFlakyProject(words([6, 'ppf'], [6, 'p']));
    await project.runFresh('--trials', '6');
    const first = await project.llmcheck('calibrate', '--runs', '100', '--json');
    expect((await project.llmcheck('calibrate', '--runs', '100', '--json')).stdout).toBe(first.stdout);
    const other = await project.llmcheck('calibrate', '--runs', '100', '--seed', '2', '--json');
    expect(JSON.parse(other.stdout)).toMatchObject({ format: 1, comparisons: 100, seed: 2 });
    expect(other.stdout).not.toBe(first.stdout.replace('"seed": 1', '"seed": 2'));
  });

  test('take half of the trials, and no more a side than the suite runs', async () => {
    const project = await openFlakyProject('p p p', 'defaults: { trials: 2 }\n');
    await project.runFresh('--trials', '7');
    expect(onlyOne((await project.calibrate('--runs', '1')).variants).trialsPerSide).toEqual({ min: 2, max: 2 });
    project.write(suiteFile, suiteText('defaults: { trials: 7 }\n'));
    expect(onlyOne((await project.calibrate('--runs', '1')).variants).trialsPerSide).toEqual({ min: 3, max: 3 });
  });

  test('leave trials over that are the confirmation trials, and no pass that a side had comes again among them', async () => {
    const project = await openFlakyProject('p p pfffff');
    await project.runFresh('--trials', '6');
    const { caseBroken } = onlyOne((await project.calibrate('--runs', '2000')).variants);
    // Wherever the baseline draws the one pass, only failures are left: once in six.
    expect(caseBroken.low).toBeLessThan(1 / 6);
    expect(caseBroken.high).toBeGreaterThan(1 / 6);
  });

  test('never confirm a failure by the same trial again', async () => {
    const project = await openFlakyProject('p p fppppp', '    mustPass: true\n');
    await project.runFresh('--trials', '6');
    const { mustPass } = onlyOne((await project.calibrate('--runs', '200')).variants);
    expect(mustPass.count).toBe(0);
  });

  test('take single trials of several runs as repeats', async () => {
    const project = await openFlakyProject('p pf');
    await project.runFresh();
    await project.runFresh();
    const found = onlyOne((await project.calibrate('--runs', '10')).variants);
    expect([found.runs.length, found.trials]).toEqual([2, 4]);
  });

  test('leave out a case that was tried once', async () => {
    const project = await openFlakyProject('p p p');
    await project.runFresh('--trials', '2');
    project.setCases('p p p p');
    await project.runFresh('-t', 'case-03');
    const { variants } = await project.calibrate('--runs', '10');
    expect(onlyOne(variants)).toMatchObject({ cases: 3, suiteCases: 4 });
    expect((await project.llmcheck('calibrate')).stdout).toContain('1 case with fewer than two stored trials');
  });
});

describe('several variants', () => {
  test('are judged together, each beside the rates of the whole run', async () => {
    const project = await openFlakyProject(words([30, 'pf']));
    project.write(suiteFile, suiteText().replace('providers:', '  - id: v2\n    text: "{{ word }}"\nproviders:'));
    await project.runFresh('--trials', '2');
    const { variants, run } = await project.calibrate('--runs', '400');
    expect(variants.map(({ prompt }) => prompt)).toEqual(['v1', 'v2']);
    const counts = variants.map(({ failed }) => failed.count);
    expect(run?.failed.count).toBeGreaterThanOrEqual(Math.max(...counts));
    expect(run?.failed.count).toBeLessThanOrEqual(counts.reduce((sum, count) => sum + count, 0));
    expect((await project.llmcheck('calibrate', '--runs', '50')).stdout).toContain('the 2 variants judged together');
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

describe('where there is nothing to split', () => {
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
