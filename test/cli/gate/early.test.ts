import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { reporters } from '../../../src/reports/index.ts';
import {
  type BaselineProject,
  baselineFile,
  caseOf,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
} from '../baseline/baseline-project.ts';

const count = 60;
const early = ['run', '--early', '--cache', 'refresh'];
// With this margin an unchanged suite is decided after 20 cases.
const wide = 'passRate: { maxDrop: 0.3 }';

interface LargeOptions {
  readonly gate?: string;
  /** Members of a case beyond its word. */
  readonly more?: (word: string) => object;
}

/** Sixty accepted cases that all pass, with an edited prompt. */
async function openLarge({ gate = `{ ${wide} }`, more = () => ({}) }: LargeOptions = {}): Promise<BaselineProject> {
  const project = await openBaselineProject();
  project.edit(suiteFile, 'defaults:', `gate: ${gate}\ndefaults:`);
  writeCases(project, firstWords(count), more);
  await project.accept('--cache', 'off');
  return project;
}

function writeCases(
  project: BaselineProject,
  words: readonly string[],
  more: (word: string) => object = () => ({}),
): void {
  const lines = words.map((word) =>
    JSON.stringify({ id: caseOf(word), vars: { word }, expected: word, ...more(word) }),
  );
  project.write(casesFile, `${lines.join('\n')}\n`);
}

function fail(project: BaselineProject, ...words: readonly string[]): void {
  for (const word of words) project.answers.set(word, 'sorry');
}

const callsOf = ({ asked, askedAccepted }: BaselineProject) =>
  [...asked.values(), ...askedAccepted.values()].reduce((sum, calls) => sum + calls, 0);

/** Words that an early run of the unchanged suite does not ask. */
async function findLastWords(project: BaselineProject): Promise<readonly string[]> {
  project.forget();
  await project.llmcheck(...early);
  const last = firstWords(count).filter((word) => !project.asked.has(word));
  project.forget();
  return last;
}

async function reportLatest(project: BaselineProject) {
  return JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
}

describe('run --early', () => {
  test('ends once a drop is excluded, and a later report says the same', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const run = await project.compared(early);
    expect([run.code, callsOf(project)]).toEqual([0, 20]);
    expect(run.report.decision).toMatchObject({ outcome: 'passed', certainty: { kind: 'certain', cases: 20 } });
    expect(run.report.totals).toMatchObject({ planned: 60, passed: 20, skipped: 40, notAsked: 40 });
    expect(run.report.run).toMatchObject({ complete: false, stopReason: 'decided' });
    // Ended by its result, so an interval would be biased.
    expect(run.comparison.passRate).toMatchObject({ delta: 0, low: null, high: null, p: null });
    const later = await reportLatest(project);
    expect([later.decision, later.suites]).toEqual([run.report.decision, run.report.suites]);
  });

  test('ends as early where the suite skips a case, which can not be asked', { tags: 'slow' }, async () => {
    const project = await openLarge();
    await project.llmcheck(...early, '-j', '1');
    const [first] = [...project.asked.keys()];
    writeCases(project, firstWords(count), (word) => (word === first ? { skip: 'not yet' } : {}));
    project.forget();
    const run = await project.compared(early);
    expect([run.code, run.report.totals.notAsked]).toEqual([0, 39]);
  });

  test('says in every report what was not asked, and never as passed', { tags: 'slow' }, async () => {
    const project = await openLarge();
    // Of these, `json` and `jsonl` give numbers, and the others show failed cases alone.
    const files = Object.keys(reporters).filter(
      (name) => !['github', 'gitlab', 'json', 'jsonl', 'swap'].includes(name),
    );
    await project.llmcheck(...early, ...files.flatMap((name) => ['-r', `${name}=out/${name}`]));
    for (const name of files)
      expect([name, project.read(`out/${name}`)]).toEqual([name, expect.stringContaining('not asked')]);
    expect(project.read('out/terminal').replaceAll(/\s+/g, ' ')).toContain(
      'PASSED certain: a larger drop than the gate tolerates is excluded; pass rate 100 → 100 %; 40 of 60 planned cells were not asked (decided early)',
    );
    expect(project.read('out/tap').match(/^ok .*# SKIP not asked \(decided early\)$/gm)).toHaveLength(40);
    expect(project.read('out/junit')).toContain('skipped="40"');
  });

  test('fails once a fall is confirmed by fresh trials, after a part of the calls', {
    tags: 'slow',
  }, async () => {
    const project = await openLarge();
    fail(project, ...firstWords(count).filter((_, index) => index % 10 !== 0));
    const run = await project.compared(early);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-regressed']]);
    expect(callsOf(project)).toBeLessThan(45);
    expect(run.stdout).toContain('not asked');
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('asks in an order of the seed', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const askedWith = async (seed: string) => {
      project.forget();
      await project.llmcheck(...early, '--seed', seed);
      return [...project.asked.keys()].sort();
    };
    const first = await askedWith('1');
    expect(await askedWith('1')).toEqual(first);
    expect(await askedWith('2')).not.toEqual(first);
  });

  test('asks others with another prompt', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const last = await findLastWords(project);
    project.editPrompt();
    expect(await findLastWords(project)).not.toEqual(last);
  });
});

describe('an early run is not green without having looked', () => {
  test('at must-pass cases, which come first', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const [word = ''] = await findLastWords(project);
    writeCases(project, firstWords(count), (other) => (other === word ? { mustPass: true } : {}));
    fail(project, word);
    const run = await project.compared(early);
    expect([run.code, run.codes, run.named]).toEqual([1, ['must-pass'], [caseOf(word)]]);
    expect(callsOf(project)).toBeLessThan(10);
  });

  test('at cases that failed lately', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const [word = ''] = await findLastWords(project);
    fail(project, word);
    expect((await project.compared(['run', '--cache', 'refresh'])).named).toEqual([caseOf(word)]);
    project.forget();
    const run = await project.compared(early);
    expect([run.code, run.named]).toEqual([1, [caseOf(word)]]);
    expect(callsOf(project)).toBeLessThan(25);
  });

  test.each([
    ['new', (project: BaselineProject) => writeCases(project, [...firstWords(count), 'w99'])],
    [
      'redefined',
      (project: BaselineProject) =>
        writeCases(project, [...firstWords(count), 'w99'].slice(0, count), (word) =>
          word === 'w60' ? { vars: { word: 'w99' } } : {},
        ),
    ],
  ])('at %s cases, of which the average says nothing', { tags: ['slow'] }, async (_name, change) => {
    const project = await openLarge();
    change(project);
    fail(project, 'w99');
    const run = await project.compared(early);
    expect([run.code, run.codes]).toEqual([1, ['case-added-failed']]);
    expect(run.report.totals['planned']).toBeGreaterThanOrEqual(count);
  });

  test('at new cases beside a stored run', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const { report } = await project.compared(['run', '--cache', 'refresh']);
    writeCases(project, [...firstWords(count), 'w99']);
    fail(project, 'w99');
    project.forget();
    const run = await project.compared([...early, '--baseline', report.run.id]);
    expect([run.code, run.codes]).toEqual([1, ['case-added-failed']]);
    expect(callsOf(project)).toBeLessThan(40);
  });

  test('at new cases of a version that replaces the accepted one', { tags: ['slow'] }, async () => {
    const project = await openLarge();
    project.edit(suiteFile, 'providers:', '  - { id: v2, replaces: v1, text: "Say: {{ word }}" }\nproviders:');
    writeCases(project, [...firstWords(count), 'w99']);
    fail(project, 'w99');
    const run = await project.compared([...early, '--prompt', 'v2']);
    expect([run.code, run.codes]).toEqual([1, ['case-added-failed']]);
    expect(callsOf(project)).toBeLessThan(40);
  });

  test('at cases that were accepted without a verdict', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const [word = ''] = await findLastWords(project);
    rmSync(project.path(baselineFile));
    project.answers.set(word, () => ({ status: 400, body: { error: { message: 'no' } } }));
    await project.llmcheck('run', '--cache', 'refresh', '--max-errors', '1');
    expect((await project.llmcheck('baseline', 'accept', '--force')).code).toBe(0);
    fail(project, word);
    project.forget();
    const run = await project.compared(early);
    expect([run.code, run.codes]).toEqual([1, ['case-added-failed']]);
  });

  test('at a slice whose drop is limited: its own cases must exclude it', { tags: 'slow' }, async () => {
    const gate = `{ ${wide}, slices: { rare: { passRate: { maxDrop: 0.3 } } } }`;
    const project = await openLarge({ gate, more: (word) => (word > 'w55' ? { tags: ['rare'] } : {}) });
    fail(project, ...firstWords(count).slice(55));
    const run = await project.compared(early);
    expect(run.code).toBe(1);
    for (const word of firstWords(count)) project.answers.delete(word);
    const unbroken = await project.compared(early);
    // Five cases exclude nothing, so all are asked.
    expect([unbroken.code, unbroken.report.totals.notAsked]).toEqual([0, undefined]);
  });

  test('at a slice of which no case was asked yet', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const [word = ''] = await findLastWords(project);
    project.edit(suiteFile, wide, `${wide}, slices: { rare: { passRate: { maxDrop: 0.3 } } }`);
    writeCases(project, firstWords(count), (other) => (other === word ? { tags: ['rare'] } : {}));
    fail(project, word);
    const run = await project.compared(early);
    expect([run.code, run.named]).toEqual([1, [caseOf(word)]]);
  });

  test('at the others where many passed that came first for a reason', { tags: 'slow' }, async () => {
    const project = await openLarge();
    // Two thirds are contracts and hold, all others break: a drop of 33 points.
    writeCases(project, firstWords(count), (word) => (word > 'w20' ? { mustPass: true } : {}));
    fail(project, ...firstWords(20));
    const run = await project.compared(early);
    expect(run.code).toBe(1);
    expect(run.comparison.passRate.delta).toBeLessThan(0);
  });

  test('at any case of a version that replaces another one of the run, of which nothing was accepted', async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', `gate: { ${wide} }\ndefaults:`);
    project.edit(suiteFile, 'providers:', '  - { id: v2, replaces: v1, text: "Say: {{ word }}" }\nproviders:');
    writeCases(project, firstWords(count));
    const run = await project.report(early, { env: project.server.env });
    expect([run.code, run.report.totals.notAsked, run.report.totals.passed]).toEqual([0, undefined, 120]);
  });

  test('at a slice with a minimum, whose cases come first', { tags: ['slow'] }, async () => {
    const gate = `{ ${wide}, slices: { rare: { passRate: { min: 1 } } } }`;
    const project = await openLarge({ gate, more: (word) => (word > 'w58' ? { tags: ['rare'] } : {}) });
    fail(project, 'w60');
    const run = await project.compared(early);
    expect([run.code, run.codes]).toEqual([1, ['case-broken', 'slice-min']]);
    expect(callsOf(project)).toBeLessThan(30);
  });

  test.each([
    ['a minimum of the pass rate', 'passRate: { min: 1, maxDrop: 0.3 }'],
    ['a minimum of the score', `${wide}, score: { min: 1, maxDrop: 0.3 }`],
    ['a limit of the cost', `${wide}, cost: { max: 1 }`],
    ['a limit of the increase of the cost', `${wide}, cost: { maxIncrease: 0.5 }`],
    ['a limit of the latency', `${wide}, latency: { p95Max: 60s }`],
    ['claims about these cases only', `${wide}, scope: suite`],
  ])('at any case under %s', { tags: ['slow'] }, async (_name, limits) => {
    const project = await openLarge({ gate: `{ ${limits} }` });
    const run = await project.compared(early);
    expect([run.code, run.report.totals.notAsked, callsOf(project)]).toEqual([0, undefined, 60]);
  });

  test('at any case of a suite with classes', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    const classes = 'classes: { truth: "{{queue}}", found: { regex: "^([a-z]+)", group: 1 } }';
    project.edit(suiteFile, 'defaults:', `gate: { ${wide} }\n${classes}\ndefaults:`);
    writeCases(project, firstWords(count), (word) => ({
      vars: { word: `legal ${word}`, queue: 'legal' },
      expected: `legal ${word}`,
    }));
    await project.accept('--cache', 'off');
    const run = await project.compared(early);
    expect([run.code, run.report.totals.notAsked, callsOf(project)]).toEqual([0, undefined, 60]);
  });

  test('at any case of groups, which are no independent evidence', { tags: ['slow'] }, async () => {
    const project = await openLarge({ more: (word) => ({ group: word.slice(0, 2) }) });
    const run = await project.compared(early);
    expect([run.code, run.report.totals.notAsked]).toEqual([0, undefined]);
  });

  test('at any case of a suite of which nothing was accepted, unless one is broken', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    writeCases(project, firstWords(count));
    const run = await project.report(early, { env: project.server.env });
    expect([run.code, callsOf(project)]).toEqual([0, 60]);
    fail(project, ...firstWords(count));
    project.forget();
    const broken = await project.report(early, { env: project.server.env });
    expect([broken.code, broken.report.totals.notAsked]).toEqual([1, 50]);
  });

  test('at errored cells: they count against the claim', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const broken = () => ({ status: 400, body: { error: { message: 'no' } } });
    for (const word of firstWords(count)) project.answers.set(word, broken);
    const run = await project.compared([...early, '--max-errors', '100%']);
    expect(run.report.totals).toMatchObject({ errored: 60 });
    expect(run.report.decision['outcome']).not.toBe('passed');
    // A quarter of the answers is missing, and could hide a drop of 25 points.
    project.answers.clear();
    for (const word of firstWords(count).filter((_, index) => index % 4 === 0)) project.answers.set(word, broken);
    expect((await project.compared([...early, '--max-errors', '100%'])).report.totals.notAsked).toBeUndefined();
  });

  test('except for one broken case among those not asked, which a whole run finds', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const [word = ''] = await findLastWords(project);
    fail(project, word);
    const run = await project.compared(early);
    expect([run.code, run.report.totals.notAsked]).toEqual([0, 40]);
    expect((await project.compared(['run'])).named).toEqual([caseOf(word)]);
  });
});

describe('an early run beside other flags', () => {
  test.each([['--shard', '1/2'], ['--batch'], ['--record'], ['--update-baseline']])(
    'refuses %s',
    { tags: ['slow'] },
    async (...flags) => {
      const project = await openLarge();
      const { code, stderr } = await project.llmcheck(...early, ...flags);
      expect([code, callsOf(project)]).toEqual([2, 0]);
      expect(stderr).toContain(`--early with ${flags[0] ?? ''}: `);
    },
  );

  test('baseline accept keeps what was accepted of cases that were not asked', { tags: ['slow'] }, async () => {
    const project = await openLarge();
    const casesIn = () => project.read(baselineFile).match(/"caseId":"[^"]+"/g) ?? [];
    const before = casesIn();
    await project.llmcheck(...early);
    const { code } = await project.llmcheck('baseline', 'accept');
    expect([code, casesIn()]).toEqual([0, before]);
  });

  test('resumed, it asks nothing again and decides the same', { tags: 'slow' }, async () => {
    const project = await openLarge();
    const run = await project.compared(early);
    project.forget();
    const resumed = await project.compared(['run', '--resume']);
    expect([resumed.code, callsOf(project)]).toEqual([0, 0]);
    expect([resumed.report.decision, resumed.report.totals.notAsked]).toEqual([run.report.decision, 40]);
  });

  test('cached answers cost nothing, so they are never left out', { tags: 'slow' }, async () => {
    const project = await openLarge();
    await project.llmcheck('run', '--early');
    project.forget();
    const again = await project.compared(['run', '--early']);
    expect([again.report.totals.notAsked, callsOf(project)]).toEqual([40, 0]);
    await project.llmcheck('run');
    project.forget();
    const whole = await project.compared(['run', '--early']);
    expect([whole.report.totals.notAsked, whole.report.totals['passed'], callsOf(project)]).toEqual([undefined, 60, 0]);
  });

  test('a budget that ends before the decision leaves the run incomplete', { tags: ['slow'] }, async () => {
    const project = await openLarge();
    const run = await project.compared([...early, '--max-cost', '0.00005']);
    expect(run.code).toBe(4);
    expect(run.report.run).toMatchObject({ stopReason: 'budget' });
    expect(run.report.totals.notAsked).toBeUndefined();
  });

  test('resumed after it was stopped, it goes on early', { tags: ['slow'] }, async () => {
    const project = await openLarge();
    expect((await project.compared([...early, '--max-cost', '0.00005'])).code).toBe(4);
    project.forget();
    const run = await project.compared(['run', '--resume']);
    expect([run.code, run.report.totals.notAsked, run.report.totals.passed]).toEqual([0, 40, 20]);
    expect(callsOf(project)).toBeLessThan(20);
  });

  test('resumed after it was stopped, it asks the same cases as if it never was, also where some failed', {
    tags: 'slow',
  }, async () => {
    const project = await openLarge({ gate: `{ ${wide}, cases: { broken: warn } }` });
    await project.llmcheck(...early, '-j', '1');
    const failing = [...project.asked.keys()].slice(0, 3);
    const passInFull = async () => {
      project.answers.clear();
      await project.llmcheck('run', '--cache', 'refresh');
      fail(project, ...failing);
    };
    await passInFull();
    const whole = await project.compared([...early, '-j', '1']);
    await passInFull();
    expect((await project.compared([...early, '-j', '1', '--max-cost', '0.00005'])).code).toBe(4);
    const resumed = await project.compared(['run', '--resume']);
    expect([resumed.code, resumed.report.totals.notAsked]).toEqual([whole.code, whole.report.totals.notAsked]);
  });

  test('--last-failed takes none of the cases that were not asked', { tags: 'slow' }, async () => {
    const project = await openLarge();
    fail(project, ...firstWords(count));
    await project.llmcheck(...early);
    project.answers.clear();
    const run = await project.compared(['run', '--cache', 'refresh', '--last-failed']);
    expect(run.code).toBe(0);
    expect(run.report.totals['planned']).toBeLessThan(count / 2);
  });

  test('--require-conclusive is met by a drop that was excluded early', { tags: ['slow'] }, async () => {
    const project = await openLarge();
    const run = await project.compared([...early, '--require-conclusive']);
    expect([run.code, run.report.totals.notAsked]).toEqual([0, 40]);
  });

  test('a version is asked as long as every one that is compared with it', { tags: 'slow' }, async () => {
    const project = await openLarge({ gate: `{ ${wide}, cases: { broken: warn } }` });
    const versions =
      '  - { id: v2, replaces: v1, text: "Say: {{ word }}" }\n  - { id: v3, text: "Say: {{ word }}!" }\n';
    project.edit(suiteFile, 'providers:', `${versions}providers:`);
    // The third version is undecided for longer.
    for (const [index, word] of firstWords(count).entries()) {
      project.answers.set(`${word}!`, index % 6 === 0 ? 'sorry' : word);
    }
    const run = await project.report([...early, '--compare', 'v1,v2,v3'], { env: project.server.env });
    const variants = run.report.suites[0]?.variants ?? [];
    const judged = new Map(variants.map(({ prompt, passed, failed }) => [prompt, passed + failed]));
    expect(judged.get('v2')).toBeLessThan(judged.get('v3') ?? 0);
    expect(judged.get('v1')).toBe(judged.get('v3'));
  });

  test('two versions of one run end together', { tags: ['slow'] }, async () => {
    const project = await openLarge();
    project.edit(suiteFile, 'providers:', '  - { id: v2, replaces: v1, text: "Say: {{ word }}" }\nproviders:');
    const run = await project.compared([...early, '--compare', 'v1,v2']);
    expect([run.code, run.report.totals.notAsked]).toEqual([0, 80]);
  });
});
