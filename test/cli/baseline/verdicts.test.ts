import { describe, expect, test } from 'vitest';
import { firstFreshTrial } from '../../../src/model/run/cell.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { type JsonReport, withoutTimes } from '../../support/temp-project.ts';
import {
  type BaselineProject,
  type ComparedRun,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
} from './baseline-project.ts';

const spawnCli = prepareSpawn();
const badRequest = () => ({ status: 400, body: { error: { message: 'no' } } });

/** Two servers answer as fast as they like. */
const withoutLatencies = (report: JsonReport): unknown =>
  JSON.parse(JSON.stringify(withoutTimes(report)), (key, value) =>
    // The numbers of fresh trials follow from the run's id.
    key === 'latencyMs' || (key === 'index' && value >= firstFreshTrial) ? undefined : value,
  );

const breakForGood = (project: BaselineProject, ...words: string[]) => {
  for (const word of words) project.answers.set(word, 'sorry');
};

describe('the exit code', () => {
  test.each<[number, string, (project: BaselineProject) => void, readonly string[]]>([
    [0, 'nothing is against it', () => {}, []],
    [1, 'a case is broken', (project) => breakForGood(project, 'w01'), []],
    [3, 'a cell errored', (project) => project.answers.set('w01', badRequest), []],
    [4, 'these data can not say, and a verdict is asked for', () => {}, ['--require-conclusive']],
    [4, 'nothing is selected', () => {}, ['-t', 'nothing*']],
    [2, 'the baseline does not exist', () => {}, ['--baseline', 'git:nowhere']],
    [1, 'a case is broken and a cell errored', (p) => (breakForGood(p, 'w01'), p.answers.set('w02', badRequest)), []],
    [1, 'a case is broken and a verdict is asked for', (p) => breakForGood(p, 'w01'), ['--require-conclusive']],
    [3, 'a cell errored and a verdict is asked for', (p) => p.answers.set('w01', badRequest), ['--require-conclusive']],
    [4, 'a suspect was not confirmed before the run stopped', (p) => breakForGood(p, 'w20'), ['--bail', '-j', '1']],
    [4, 'a contract was not confirmed before the run stopped', (p) => breakForGood(p, 'w07'), ['--bail', '-j', '1']],
  ])('is %i where %s', { tags: 'slow' }, async (code, _name, change, argv) => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    await project.accept();
    change(project);
    const run = await project.llmcheck('run', '--cache', 'refresh', ...argv);
    expect([run.code, run.stderr.includes('Error:')]).toEqual([code, false]);
  });
});

test('errors that --max-errors lets through are said beside what passed', async () => {
  const project = await openBaselineProject();
  await project.accept();
  for (const word of firstWords(3)) project.answers.set(word, badRequest);
  const { code, stdout } = await project.llmcheck('run', '-q', '--cache', 'refresh', '--max-errors', '3');
  expect([code, stdout.replaceAll(/\s+/g, ' ')]).toEqual([
    0,
    expect.stringMatching(
      /^PASSED no case broke; pass rate 100 → 100 %; with 17 cases a drop .* 3 cases could not be judged with /,
    ),
  ]);
});

test.each([1, 2, 3])(
  'a broken case is found beside two that flaked once, at place %i',
  { tags: 'slow' },
  async (place) => {
    const project = await openBaselineProject();
    await project.accept();
    for (const word of firstWords(3)) project.answers.set(word, (asked) => (asked === 0 ? 'sorry' : word));
    breakForGood(project, `w0${place}`);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], [`case-0${place}`]]);
    expect(run.comparison.cases['flaky']).toHaveLength(2);
  },
);

describe('errors', () => {
  test('leave open a suite that would be certified if they could hide a regression', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    const words = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const lines = words.map((word) => JSON.stringify({ id: word, vars: { word }, expected: word }));
    project.write(casesFile, `${lines.join('\n')}\n`);
    await project.accept();
    const argv = ['run', '--cache', 'refresh', '--max-errors', '3', '--require-conclusive'];
    expect((await project.compared(argv)).code).toBe(0);
    for (const word of words.slice(0, 3)) project.answers.set(word, badRequest);
    const run = await project.compared(argv);
    expect([run.code, run.codes]).toEqual([4, ['inconclusive']]);
    expect(run.comparison.notes.join()).toContain('3 errored trials could hide a regression');
    expect(run.comparison.passRate.low).toBeGreaterThan(-0.05);
  });

  test('in more than one trial of twenty leave the comparison open', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '5');
    project.edit(suiteFile, 'defaults:', 'gate: { scope: suite, passRate: { maxDrop: 50% } }\ndefaults:');
    project.answers.set('w01', badRequest);
    const within = await project.compared(['run', '--cache', 'refresh', '--trials', '5', '--max-errors', '5']);
    expect([within.code, within.report.decision.outcome]).toEqual([0, 'passed']);
    project.answers.set('w02', badRequest);
    const beyond = await project.compared(['run', '--cache', 'refresh', '--trials', '5', '--max-errors', '10']);
    expect([beyond.code, beyond.comparison.outcome, beyond.comparison.certainty.kind]).toEqual([
      0,
      'inconclusive',
      'unseen',
    ]);
    expect(beyond.report.decision.warnings.join()).toContain('10 % of the trials errored');
  });

  test('of fresh trials are asked again, and where they go on nothing is confirmed', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w01', (asked) => (asked === 0 || asked === 2 ? 'sorry' : asked === 1 ? badRequest() : 'w01'));
    const settled = await project.compared(['run', '--cache', 'refresh']);
    expect([settled.code, settled.comparison.cases['flaky'], project.asked.get('w01')]).toEqual([0, ['case-01'], 4]);
    project.forget();
    project.answers.set('w01', (asked) => (asked === 0 ? 'sorry' : badRequest()));
    const open = await project.compared(['run', '--cache', 'refresh']);
    expect([open.code, open.codes, open.named]).toEqual([3, ['errors-exceeded', 'unsettled'], ['case-01']]);
    expect(project.asked.get('w01')).toBeLessThanOrEqual(4);
    expect(open.report.totals).toMatchObject({ planned: 20, failed: 1, errored: 0 });
    expect(open.report.decision.breaches[0]?.message).toContain('1 that failed could not be confirmed');
    expect(open.report.decision.warnings.join()).toMatch(/case-01 .*fresh trials errored, so nothing confirms it/);
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.decision).toEqual(open.report.decision);
    project.forget();
    const within = await project.compared(['run', '--cache', 'refresh', '--max-errors', '1']);
    expect([within.code, within.report.decision.outcome]).toEqual([4, 'inconclusive']);
  });

  test('of two fresh trials end those of their case, while another case gets all that it needs', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w01', (asked) => (asked === 0 ? 'sorry' : badRequest()));
    breakForGood(project, 'w02');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.named]).toEqual([1, ['case-02']]);
    // Two suspects: four pairs, in which the new prompt always fails and the accepted one never.
    expect([project.asked.get('w01'), project.asked.get('w02')]).toEqual([3, 5]);
    expect(Object.fromEntries(project.askedAccepted)).toEqual({ w01: 2, w02: 4 });
    const found = run.report.suites[0]?.cases.find(({ caseId }) => caseId === 'case-02');
    expect(found?.trials).toHaveLength(5);
    expect(found?.acceptedTrials?.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'passed'));
  });

  test('of the fresh trials of a contract leave it open too, with or without a baseline', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-01"', '"id":"case-01","mustPass":true');
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 50% } }\ndefaults:');
    const failsOnce = (asked: number) => (asked === 0 ? 'sorry' : badRequest());
    project.answers.set('w01', failsOnce);
    const first = await project.compared(['run', '--cache', 'refresh']);
    expect([first.code, first.codes]).toEqual([3, ['errors-exceeded', 'unsettled']]);
    project.answers.clear();
    await project.accept('--cache', 'refresh');
    project.answers.set('w01', failsOnce);
    const second = await project.compared(['run', '--cache', 'refresh']);
    expect([second.code, second.codes]).toEqual([3, ['errors-exceeded', 'unsettled']]);
  });
});

describe('fresh trials under a limit', () => {
  test('leave the run incomplete where it is used up before them, and --resume settles it', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'params:', 'price: { input: 1000, output: 1000 }\n    params:');
    await project.accept();
    breakForGood(project, 'w20');
    // Twenty answers of 0.015 fit, and a bound of about 0.04 after them does not.
    const cut = await project.compared(['run', '--cache', 'refresh', '-j', '1', '--max-cost', '0.33']);
    expect([cut.code, cut.codes, cut.report.run.stopReason]).toEqual([4, ['stopped', 'unsettled'], 'budget']);
    expect(cut.report.totals).toMatchObject({ planned: 20, passed: 19, failed: 1, skipped: 0 });
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.decision).toEqual(cut.report.decision);
    const resumed = await project.compared(['run', '--resume', '--max-cost', '5']);
    expect([resumed.code, resumed.named]).toEqual([1, ['case-20']]);
  });

  test('interrupted in the midst of them, a run keeps them outside its plan', async () => {
    const project = await openBaselineProject();
    await project.accept();
    let interrupt: (name: 'SIGINT') => void = () => {};
    for (const word of firstWords(2)) {
      project.answers.set(word, (asked) => {
        if (asked === 1 && word === 'w01') interrupt('SIGINT');
        return 'sorry';
      });
    }
    const onReady = (signal: (name: 'SIGINT') => void) => {
      interrupt = signal;
    };
    const run = await project.compared(['run', '--cache', 'refresh', '-j', '1'], { onReady });
    expect([run.code, run.report.run.stopReason]).toEqual([130, 'interrupted']);
    expect(run.report.totals).toMatchObject({ planned: 20, passed: 18, failed: 2, skipped: 0 });
  });

  test('do not count as failures for --bail', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    breakForGood(project, 'w01', 'w02');
    const run = await project.compared(['run', '--cache', 'refresh', '--bail', '3']);
    expect([run.code, run.named]).toEqual([1, ['case-01', 'case-02']]);
  });

  const openBroken = async () => {
    const project = await openBaselineProject();
    await project.accept();
    breakForGood(project, 'w03', 'w04');
    project.answers.set('w05', (asked) => (asked < 1 ? 'sorry' : 'w05'));
    return project;
  };
  let whole: Promise<ComparedRun> | undefined;
  const runWhole = () => (whole ??= openBroken().then((project) => project.compared(['run', '--cache', 'refresh'])));

  // In the midst of the new prompt's fresh trials, of the accepted prompt's, and of those of the last cases.
  for (const moment of [21, 24, 27, 30]) {
    test(`killed at request ${moment}, in the midst of them, a run is resumed to the verdict of one that was not`, {
      tags: ['slow'],
    }, async () => {
      const expected = await runWhole();
      expect([expected.code, expected.named]).toEqual([1, ['case-03']]);
      const project = await openBroken();
      const before = project.server.requests.length;
      const { child, ended } = spawnCli(['run', '--cache', 'refresh', '-j', '1'], {
        cwd: project.root,
        env: project.server.env,
      });
      await project.server.waitFor(before + moment);
      child.kill('SIGKILL');
      await ended;
      const resumed = await project.compared(['run', '--resume']);
      expect([resumed.code, resumed.named]).toEqual([1, ['case-03']]);
      expect(withoutLatencies(resumed.report)).toEqual(withoutLatencies(expected.report));
    });
  }
});

test.each([
  ['an unchanged suite', false],
  ['an edited prompt that changes nothing', true],
])('a case that fails one time in five passes the gate of %s', async (_name, isEdited) => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  if (isEdited) project.editPrompt();
  project.changeModel();
  // Each word fails at every fifth question, each at another one.
  for (const [index, word] of firstWords(20).entries()) {
    project.answers.set(word, (asked) => ((asked + index) % 5 === 0 ? 'sorry' : word));
  }
  const run = await project.compared(['run', '--cache', 'refresh']);
  expect([run.code, run.codes]).toEqual([0, []]);
  // What failed once is asked again, and passes.
  expect(run.comparison.cases).toMatchObject({ regressed: [], drifted: [] });
  expect(run.comparison.cases['flaky']).toHaveLength(4);
  expect([run.report.totals.failed, run.report.decision.outcome]).toEqual([4, 'passed']);
});
