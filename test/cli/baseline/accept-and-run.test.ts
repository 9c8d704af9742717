import { describe, expect, test } from 'vitest';
import {
  baselineFile,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
  withoutMeasured,
} from './baseline-project.ts';

describe('run, accept, run', () => {
  test('shows no difference, passes, and changes no byte', async () => {
    const project = await openBaselineProject();
    project.git('init', '-q');
    await project.acceptUnchanged();
    project.git('add', 'evals');
    project.git('commit', '-qm', 'baseline');
    const again = await project.compared(['run']);
    expect([again.code, again.report.decision.outcome === 'failed']).toEqual([0, false]);
    const { regressed, fixed, stillFailing, flaky, added, removed, redefined } = again.comparison.cases;
    expect([regressed, fixed, stillFailing, flaky, added, removed, redefined].flat()).toEqual([]);
    expect(again.comparison.notes.join()).toContain('20 of 20');
    expect((await project.llmcheck('baseline', 'accept')).stdout).toContain('unchanged');
    expect(project.git('diff')).toBe('');
    expect(project.server.requests).toHaveLength(20);
  });

  test('accepting the same answers of a second run changes only what was measured', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const before = withoutMeasured(project.read(baselineFile));
    await project.acceptUnchanged('--cache', 'refresh');
    expect(withoutMeasured(project.read(baselineFile))).toBe(before);
  });
});

describe('a broken case', () => {
  test('of twenty that must pass fails the run, named with both answers', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    await project.accept();
    project.answers.set('w07', 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['must-pass'], ['case-07']]);
    expect(run.comparison.cases['regressed']).toEqual(['case-07']);
    const { stdout } = await project.llmcheck('run', '--cache', 'refresh');
    expect(stdout).toMatch(/case-07/);
    expect(stdout).toContain('w07');
    expect(stdout).toContain('sorry');
  });

  test('is asked beside the accepted prompt until it differs, as far as the planned calls go, with four of twenty broken for good', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    const broken = firstWords(4);
    for (const word of broken) project.answers.set(word, 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect(run.code).toBe(1);
    expect(run.named).toEqual(['case-01', 'case-03']);
    expect(run.codes).toEqual(['case-broken']);
    // Five pairs confirm one of four suspects. Then no more calls are sent than were planned.
    expect(['w01', 'w03'].map((word) => [project.asked.get(word), project.askedAccepted.get(word)])).toEqual([
      [6, 5],
      [6, 5],
    ]);
    const sent = [...project.asked.values(), ...project.askedAccepted.values()].reduce((sum, count) => sum + count, 0);
    expect(sent).toBeLessThanOrEqual(40);
    const others = [...project.asked].filter(([word]) => !broken.includes(word));
    expect(others.map(([, count]) => count)).toEqual(Array.from({ length: 16 }, () => 1));
    // Fresh trials are outside the plan, and inside what was spent.
    expect(run.report.totals).toMatchObject({ planned: 20, passed: 16, failed: 4 });
    const perCall = (run.report.totals.costUsd ?? 0) / 20;
    expect(run.report.totals.spentUsd).toBeCloseTo(perCall * sent, 12);
  });

  test('that passes a fresh trial is flaky, and no failure', async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w03', (asked) => (asked < 3 ? 'sorry' : 'w03'));
    const run = await project.compared(['run', '--cache', 'refresh', '-j', '1']);
    // The first fresh trial is asked alone, and later ones in pairs: the third passes.
    expect([run.code, run.named, project.asked.get('w03')]).toEqual([0, [], 4]);
    expect([...project.askedAccepted]).toEqual([['w03', 3]]);
    expect(run.comparison.cases['flaky']).toEqual(['case-03']);
    expect(run.comparison.notes.join()).toContain('case-03');
  });

  test('that failed on the baseline already does not fail the gate, and is listed', async () => {
    const project = await openBaselineProject();
    project.answers.set('w02', 'sorry');
    await project.accept();
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.comparison.cases['stillFailing'], project.asked.get('w02')]).toEqual([0, ['case-02'], 1]);
  });

  test('only warns where the gate says so', async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', 'gate: { cases: { broken: warn } }\ndefaults:');
    await project.accept();
    project.answers.set('w02', 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes]).toEqual([0, []]);
    expect(run.report.decision.warnings.join()).toContain('case-02');
  });

  test('whose trials failed by half is no suspect', async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '2');
    project.answers.set('w02', (asked) => (asked % 2 === 0 ? 'sorry' : 'w02'));
    const run = await project.compared(['run', '--cache', 'refresh', '--trials', '2', '-j', '1']);
    expect([run.code, project.asked.get('w02')]).toEqual([0, 2]);
    expect(run.comparison.cases['flaky']).toEqual(['case-02']);
  });

  test('keeps its failure where no fresh trial can be made', async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w02', 'sorry');
    await project.llmcheck('run', '--cache', 'refresh', '-t', 'case-02', '--no-baseline');
    project.forget();
    const run = await project.compared(['run', '--cache', 'replay']);
    expect([run.code, run.named, project.asked.size]).toEqual([1, ['case-02'], 0]);
  });
});

describe('a contract', () => {
  test('that fails once and passes two fresh trials warns', async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    await project.accept();
    project.answers.set('w07', (asked) => (asked === 0 ? 'sorry' : 'w07'));
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, project.asked.get('w07')]).toEqual([0, 3]);
    expect(run.report.decision.warnings.join()).toContain('case-07');
  });

  test('the same without a baseline, where the pass rate may be low', async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 0.5 } }\ndefaults:');
    project.answers.set('w07', (asked) => (asked === 0 ? 'sorry' : 'w07'));
    const run = await project.compared(['run']);
    expect([run.code, project.asked.get('w07')]).toEqual([0, 3]);
    expect(run.report.decision.warnings.join()).toContain('case-07');
  });

  test.each([
    ['fails two of three fresh trials is broken', [false, false, true, false], 1],
    ['fails two fresh trials is broken, and is not asked further', [false, false, false], 1],
    ['passes two of three fresh trials is flaky', [false, false, true, true], 0],
    ['passes two fresh trials is flaky, and is not asked further', [false, true, true], 0],
  ])('that %s', async (_name, passes, code) => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 0.5 } }\ndefaults:');
    project.answers.set('w07', (asked) => (passes[asked] === true ? 'w07' : 'sorry'));
    const run = await project.compared(['run', '-j', '1']);
    const isBroken = code === 1;
    expect([run.code, run.codes, run.named]).toEqual([
      code,
      isBroken ? ['must-pass'] : [],
      isBroken ? ['case-07'] : [],
    ]);
    expect(project.asked.get('w07')).toBe(passes.length);
  });

  test.each([1, 2])('that breaks in a run of %i cases fails it, though so few calls confirm little', async (count) => {
    const project = await openBaselineProject();
    const lines = project.read(casesFile).trim().split('\n').slice(0, count);
    project.write(casesFile, `${lines.join('\n').replace('"id":"case-01"', '"id":"case-01","mustPass":true')}\n`);
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 0 } }\ndefaults:');
    await project.accept();
    project.answers.set('w01', 'sorry');
    for (const argv of [[], ['--no-baseline']]) {
      const run = await project.compared(['run', '--cache', 'refresh', ...argv]);
      expect([run.code, run.codes]).toEqual([1, ['must-pass']]);
    }
  });

  test('is judged by its answer alone where it can not be asked again', async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 0.5 } }\ndefaults:');
    project.answers.set('w07', 'sorry');
    await project.llmcheck('run');
    project.forget();
    const run = await project.compared(['run', '--cache', 'replay', '--no-baseline', '-t', 'case-07']);
    expect([run.code, run.named, project.asked.size]).toEqual([1, ['case-07'], 0]);
    expect(run.report.suites[0]?.cases[0]?.trials).toHaveLength(1);
  });

  test('that was broken on the baseline already is known', async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    project.answers.set('w07', 'sorry');
    await project.accept();
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.comparison.cases['stillFailing']]).toEqual([0, ['case-07']]);
    expect(run.comparison.notes.join()).toContain('case-07');
  });
});
