import { describe, expect, test } from 'vitest';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  openBaselineProject,
  suiteFile,
} from '../baseline/baseline-project.ts';

interface WrittenCase {
  readonly id: string;
  readonly tags?: readonly string[];
  readonly observe?: boolean;
  readonly skip?: string;
}

function caseRange(from: number, to: number, rest: Omit<WrittenCase, 'id'> = {}): WrittenCase[] {
  return Array.from({ length: to - from }, (_, index) => ({ id: `c${from + index}`, ...rest }));
}

function writeCases(project: BaselineProject, cases: readonly WrittenCase[]): void {
  const lines = cases.map((one) => JSON.stringify({ ...one, vars: { word: one.id }, expected: one.id }));
  project.write(casesFile, `${lines.join('\n')}\n`);
}

/** A suite of which the first cases are in the slice `german`, with this gate. */
async function openSlices(gate: string, cases: readonly WrittenCase[]): Promise<BaselineProject> {
  const project = await openBaselineProject();
  project.edit(suiteFile, 'defaults:', `gate:\n  cases: { broken: warn }\n${gate}defaults:`);
  writeCases(project, cases);
  return project;
}

const fresh = ['run', '--cache', 'refresh'];
const german = { tags: ['german', 'mail'] };
const maxDrop = '  slices: { german: { passRate: { maxDrop: 10% } } }\n';
const min = '  slices: { german: { passRate: { min: 75% } } }\n';
const mixed = [...caseRange(0, 15, german), ...caseRange(15, 75)];

function breakCases(project: BaselineProject, count: number): void {
  for (let index = 0; index < count; index += 1) project.answers.set(`c${index}`, 'falsch');
}

describe('a drop of one slice', () => {
  test('fails, confirmed by fresh trials, where the whole passes', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.accept();
    breakCases(project, 6);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['slice-regressed']]);
    expect(run.report.decision.breaches).toEqual([
      expect.objectContaining({
        code: 'slice-regressed',
        slice: 'german',
        metric: 'passRate',
        baseline: 1,
        candidate: 0.6,
      }),
    ]);
    expect(run.report.decision.breaches[0]?.message).toMatch(
      /^pass rate of slice german fell: −40\.0 pts .*more than the 10 pts that are tolerated, seen again in fresh trials of 15 cases$/,
    );
    expect(run.comparison).toMatchObject({
      outcome: 'failed',
      slices: [
        {
          slice: 'german',
          cases: 15,
          maxDrop: 0.1,
          passRate: { baseline: 1, candidate: 0.6, delta: expect.closeTo(-0.4, 9) },
        },
      ],
    });
  });

  test('is shown on a terminal, in Markdown, and again by report', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.accept();
    breakCases(project, 6);
    const { code, stdout } = await project.llmcheck(...fresh);
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect([code, said]).toEqual([1, expect.stringContaining('slice german 100.0 % → 60.0 %, −40.0 pts [')]);
    expect(said).toContain('pass rate of slice german fell');
    const again = await project.llmcheck('report', '-r', 'markdown');
    expect(again.stdout).toMatch(/\*\*Limits broken\*\*\n\n- .*pass rate of slice german fell/);
    expect(again.stdout).toContain('slice `german`: 100.0 % → 60.0 %');
  });

  test('is a note if fresh trials do not show it again', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.accept();
    for (let index = 0; index < 6; index += 1) {
      project.answers.set(`c${index}`, (asked) => (asked === 0 ? 'falsch' : `c${index}`));
    }
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome, run.codes]).toEqual([0, 'passed', []]);
    expect(run.comparison.notes.join('\n')).toContain('pass rate of slice german fell');
    expect(run.comparison.notes.join('\n')).toContain('but not in 30 fresh trials of 15 cases');
  });

  test('is not found by a slice without maxDrop, nor in cases without the tag', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, [
      ...caseRange(0, 15),
      ...caseRange(15, 75, german),
    ]);
    await project.accept();
    breakCases(project, 6);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([0, []]);
  });

  test('fails against the version of the same run that it replaces', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    project.editPrompt();
    const v2 = '  - { id: v2, text: "Say: {{ word }}", replaces: v1 }\n';
    project.edit(suiteFile, 'providers:', `    params: { max_tokens: 20 }\n${v2}providers:`);
    breakCases(project, 6);
    const run = await project.compared([...fresh, '--compare', 'v1,v2']);
    expect([run.code, run.codes]).toEqual([1, ['slice-regressed']]);
  });

  test('fails at once for recorded answers', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    project.edit(suiteFile, 'defaults:', 'recordings: words.recordings.jsonl\ndefaults:');
    await project.llmcheck('run', '--record');
    await project.acceptUnchanged();
    const recordings = 'evals/words.recordings.jsonl';
    for (let index = 0; index < 6; index += 1) project.edit(recordings, `"text":"c${index}"`, '"text":"falsch"');
    const run = await project.compared(['run']);
    expect([run.code, run.codes]).toEqual([1, ['slice-regressed']]);
  });

  test('is not blamed on a change of nothing that is sent', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.acceptUnchanged();
    breakCases(project, 6);
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome, run.codes]).toEqual([3, 'incomplete', ['drift']]);
    expect(run.comparison.notes.join('\n')).toContain(
      "the accepted prompt's own pass rate of slice german fell by 40 pts",
    );
    const drift = await project.compared([...fresh, '--drift']);
    expect([drift.code, new Set(drift.codes)]).toEqual([1, new Set(['case-drifted', 'pass-rate-drifted'])]);
  });

  test('is not accepted by a baseline of the change that has lost the cases', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.accept();
    project.git('init', '-q', '-b', 'main');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'accepted');
    breakCases(project, 6);
    const rows = project.read(baselineFile).split('\n');
    project.write(baselineFile, rows.filter((row) => !/"caseId":"c(?:\d|1[0-4])"/.test(row)).join('\n'));
    const run = await project.compared([...fresh, '--baseline', 'git:main']);
    expect([run.code, run.codes]).toEqual([1, ['slice-regressed']]);
  });

  test('is accepted by a baseline of the change that has it', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.accept();
    project.git('init', '-q', '-b', 'main');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'accepted');
    breakCases(project, 6);
    await project.llmcheck(...fresh, '-q');
    await project.llmcheck('baseline', 'accept', '--force', '--known-failures');
    const run = await project.compared([...fresh, '--baseline', 'git:main']);
    expect([run.code, run.codes]).toEqual([0, []]);
    expect(run.comparison.accepted.join()).toContain('pass rate of slice german fell');
  });

  test('makes its failing cases failures of a JUnit report, and no others', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
    await project.accept();
    breakCases(project, 6);
    project.answers.set('c40', 'wrong');
    const { stdout } = await project.llmcheck(...fresh, '-r', 'junit');
    expect(stdout).toContain('slice-regressed · words · v1 · mini · german');
    expect(stdout).toMatch(/<testcase [^>]*name="[^"]*c5\b[^>]*>\s*<failure/);
    expect(stdout).toMatch(/<testcase [^>]*name="[^"]*c40\b[^>]*>\s*<skipped/);
  });
});

test('a drop of a slice is found in merged shards', { tags: 'slow' }, async () => {
  const project = await openSlices(`  passRate: { maxDrop: 20% }\n${maxDrop}`, mixed);
  await project.accept();
  breakCases(project, 6);
  const before = new Set(project.files('.llmcheck/runs'));
  for (const shard of ['1/2', '2/2']) await project.llmcheck(...fresh, '--shard', shard);
  const records = project.files('.llmcheck/runs').filter((file) => !before.has(file));
  const run = await project.compared(['merge', ...records]);
  expect([run.code, run.codes]).toEqual([1, ['slice-regressed']]);
});

describe('the least pass rate of a slice', () => {
  test('holds without a baseline', { tags: ['slow'] }, async () => {
    const project = await openSlices(`  passRate: { min: 50% }\n${min}`, mixed);
    breakCases(project, 4);
    const { code, report } = await project.report(['run'], { env: project.server.env });
    expect(code).toBe(1);
    expect(report.decision.breaches).toEqual([
      expect.objectContaining({
        code: 'slice-min',
        slice: 'german',
        candidate: expect.closeTo(11 / 15, 9),
        message: 'pass rate of slice german 73.3 % is below 75 %: 15 cases',
      }),
    ]);
    expect(report.suites[0]?.variants[0]).toMatchObject({
      slices: [{ slice: 'german', min: 0.75, passRate: { value: expect.closeTo(11 / 15, 9), n: 15 } }],
    });
  });

  test('holds with a baseline in which the cases failed too', { tags: 'slow' }, async () => {
    const project = await openSlices(`  passRate: { min: 50% }\n`, mixed);
    breakCases(project, 4);
    await project.acceptUnchanged();
    project.edit(suiteFile, '  cases: { broken: warn }\n', `  cases: { broken: warn }\n${min}`);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['slice-min']]);
  });

  test('is met exactly', async () => {
    const project = await openSlices(`  passRate: { min: 50% }\n${min}`, [
      ...caseRange(0, 4, german),
      ...caseRange(4, 9),
    ]);
    breakCases(project, 1);
    const { code, stdout } = await project.llmcheck('run');
    expect([code, stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringMatching(/ v\d × \S+ slice german 75\.0 % \[30\.1–95\.4\] in 4 cases/),
    ]);
  });

  test('is part of the config, and a suite changes one of its limits', async () => {
    const project = await openSlices(`  passRate: { min: 50% }\n`, [...caseRange(0, 4, german), ...caseRange(4, 9)]);
    project.write('llmcheck.config.yaml', 'gate: { slices: { german: { passRate: { min: 100%, maxDrop: 10% } } } }\n');
    breakCases(project, 1);
    expect((await project.llmcheck('run')).code).toBe(1);
    project.edit(suiteFile, '  cases: { broken: warn }\n', `  cases: { broken: warn }\n${min}`);
    const { code, report } = await project.report(['run'], { env: project.server.env });
    expect(code).toBe(0);
    expect(report.suites[0]?.variants[0]).toMatchObject({ slices: [{ slice: 'german', min: 0.75, maxDrop: 0.1 }] });
  });

  test('is decided once, by the merged shards', { tags: ['slow'] }, async () => {
    const project = await openSlices(`  passRate: { min: 50% }\n${min}`, [
      ...caseRange(0, 8, german),
      ...caseRange(8, 40),
    ]);
    breakCases(project, 3);
    for (const shard of ['1/2', '2/2']) await project.llmcheck('run', '--shard', shard);
    const records = project.files('.llmcheck/runs');
    const { report } = await project.report(['merge', ...records]);
    expect(report.decision.breaches).toEqual([expect.objectContaining({ code: 'slice-min', candidate: 0.625 })]);
  });
});

describe('a slice of few cases', () => {
  test('says what it can not see', { tags: 'slow' }, async () => {
    const project = await openSlices(maxDrop, [...caseRange(0, 8, german), ...caseRange(8, 120)]);
    await project.accept();
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome]).toEqual([0, 'passed']);
    expect(run.report.decision).toMatchObject({
      certainty: { kind: 'unseen', cases: 120, slice: { name: 'german', cases: 8, drop: expect.closeTo(0.324, 2) } },
    });
    const { stdout } = await project.llmcheck('run', '--verbose');
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect(said).toMatch(
      /no case broke; with 120 cases a drop of up to \d points could go unnoticed, and one of up to \d\d points in the 8 cases of slice german/,
    );
    expect(said).toMatch(/pass rate of slice german: a drop of up to .* is not excluded by 8 cases; to certify 10 pts/);
  });

  test('leaves a run without certainty, where only the whole would be certain', { tags: 'slow' }, async () => {
    const project = await openSlices(min, [...caseRange(0, 8, german), ...caseRange(8, 120)]);
    await project.accept();
    expect((await project.llmcheck(...fresh, '--require-conclusive')).code).toBe(0);
    project.edit(suiteFile, '{ min: 75% }', '{ maxDrop: 10% }');
    expect((await project.llmcheck(...fresh, '--require-conclusive')).code).toBe(4);
  });
});

describe('a slice that nothing looked at', () => {
  const few = [...caseRange(0, 4, german), ...caseRange(4, 9)];

  test.each(['validate', 'run'])('is named at its place by %s where its tag is misspelt', async (command) => {
    const project = await openSlices('  slices:\n    germn: { passRate: { min: 1 } }\n', few);
    const { code, stdout, stderr } = await project.llmcheck(command);
    const lines = project.read(suiteFile).split('\n');
    const line = 1 + lines.findIndex((text) => text.includes('germn'));
    expect(`${stdout}${stderr}`).toContain(`${suiteFile}:${line}:5`);
    expect(`${stdout}${stderr}`).toContain('slice germn: no case has this tag');
    expect(`${stdout}${stderr}`).toContain('did you mean "german"?');
    expect(code).toBe(4);
    expect((await project.llmcheck('run', '--allow-empty')).code).toBe(0);
  });

  test('is named in the config, unless one suite has it', { tags: ['slow'] }, async () => {
    const project = await openSlices('', few);
    project.write('llmcheck.config.yaml', 'gate:\n  slices:\n    germn: { passRate: { min: 1 } }\n');
    const { code, stderr } = await project.llmcheck('run');
    expect([code, stderr]).toEqual([4, expect.stringContaining('llmcheck.config.yaml:3:5')]);
    // A suite alone can't show that no other one has the tag.
    expect((await project.llmcheck('run', suiteFile)).code).toBe(0);
    project.write('evals/b.eval.yaml', project.read(suiteFile).replace('suite: words', 'suite: b'));
    project.edit(
      'evals/b.eval.yaml',
      '  - file: words.jsonl',
      '  - { id: x, tags: [germn], vars: { word: x }, expected: x }',
    );
    const both = await project.report(['run'], { env: project.server.env });
    expect([both.code, both.report.suites.map(({ variants }) => 'slices' in (variants[0] ?? {}))]).toEqual([
      0,
      [true, false],
    ]);
  });

  test('says so where a filter leaves its cases out', async () => {
    const project = await openSlices(min, few);
    const { code, report } = await project.report(['run', '--filter', 'c8'], { env: project.server.env });
    expect([code, report.decision.outcome]).toEqual([0, 'passed']);
    expect(report.decision.warnings).toContain(
      'words: slice german: none of its cases was selected, so its limits say nothing',
    );
  });

  test.each([
    ['skipped', { ...german, skip: 'later' }],
    ['observed', { ...german, observe: true }],
  ])('does not pass where all of its cases are %s', { tags: ['slow'] }, async (_, rest) => {
    for (const limit of [min, maxDrop]) {
      const project = await openSlices(limit, [...caseRange(0, 4, rest), ...caseRange(4, 9)]);
      const { code, report } = await project.report(['run'], { env: project.server.env });
      expect([code, report.decision.breaches]).toEqual([
        4,
        [expect.objectContaining({ code: 'nothing-evaluated', slice: 'german' })],
      ]);
      expect(report.decision.breaches[0]?.message).toContain('slice german: none of its 4 cases was judged');
    }
  });

  test('does not pass where all of its cases errored and errors are tolerated', async () => {
    const project = await openSlices(min, few);
    for (let index = 0; index < 4; index += 1) project.answers.set(`c${index}`, () => ({ status: 400, body: {} }));
    project.editPrompt();
    const { code, report } = await project.report(['run', '--max-errors', '50%'], { env: project.server.env });
    expect([code, report.decision.breaches.map(({ code: own }) => own)]).toEqual([4, ['nothing-evaluated']]);
  });

  test('has no drop to see where its cases are new, and says so', { tags: 'slow' }, async () => {
    const project = await openSlices('', caseRange(0, 100));
    await project.accept();
    project.edit(suiteFile, '  cases: { broken: warn }\n', `  cases: { broken: warn }\n${maxDrop}`);
    writeCases(project, [...caseRange(0, 100), ...caseRange(100, 104, german)]);
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome]).toEqual([0, 'passed']);
    expect(run.comparison.notes).toContain(
      "slice german: none of its cases can be compared, so a drop of its pass rate can't be seen",
    );
    expect((await project.llmcheck('run', '--require-conclusive')).code).toBe(4);
    project.answers.set('c101', 'falsch');
    const broken = await project.compared(fresh);
    expect([broken.code, broken.codes]).toEqual([1, ['case-added-failed']]);
  });
});

test('the tags of a case may change without another baseline, and its rows hold gated tags alone', {
  tags: 'slow',
}, async () => {
  const project = await openSlices(
    '',
    mixed.map(({ id }) => ({ id })),
  );
  await project.accept();
  const accepted = project.read(baselineFile);
  project.edit(
    suiteFile,
    '  cases: { broken: warn }\n',
    `  cases: { broken: warn }\n  passRate: { maxDrop: 20% }\n${maxDrop}`,
  );
  writeCases(project, mixed);
  breakCases(project, 6);
  const run = await project.compared(fresh);
  expect([run.code, run.codes]).toEqual([1, ['slice-regressed']]);
  const [record = ''] = project.files('.llmcheck/runs').toSorted().slice(-1);
  expect(project.read(record)).toContain('"slices":["german"]');
  expect(project.read(record)).not.toContain('"slices":["german","mail"]');
  expect(project.read(baselineFile)).toBe(accepted);
});

test('a resumed run looks at a slice that was added in between', async () => {
  const project = await openSlices('  passRate: { min: 10% }\n', [...caseRange(0, 4, german), ...caseRange(4, 9)]);
  breakCases(project, 2);
  expect((await project.llmcheck('run')).code).toBe(0);
  project.edit(suiteFile, '  passRate: { min: 10% }\n', `  passRate: { min: 10% }\n${min}`);
  const { code, report } = await project.report(['run', '--resume'], { env: project.server.env });
  expect([code, report.decision.breaches.map((breach) => breach.code)]).toEqual([1, ['slice-min']]);
});

test('a run that is stopped before a slice is judged is not green', async () => {
  const project = await openSlices(`  passRate: { min: 10% }\n${min}`, [
    ...caseRange(5, 9),
    ...caseRange(0, 4, german),
  ]);
  const { code, report } = await project.report(['run', '--max-cost', '0.00001', '--concurrency', '1'], {
    env: project.server.env,
  });
  expect([code, report.decision.outcome]).toEqual([4, 'incomplete']);
  expect(report.decision.breaches.map(({ message }) => message).join()).toMatch(/undecided: .*/);
});

test('two versions are judged each by its own cases of a slice', async () => {
  const project = await openSlices(`  passRate: { min: 10% }\n${min}`, [
    ...caseRange(0, 4, german),
    ...caseRange(4, 9),
  ]);
  project.edit(
    suiteFile,
    'providers:',
    '  - { id: v2, text: "Say: {{ word }}", params: { max_tokens: 7 } }\nproviders:',
  );
  breakCases(project, 2);
  const { report } = await project.report(['run'], { env: project.server.env });
  expect(report.decision.breaches).toEqual([expect.objectContaining({ code: 'slice-min', prompt: 'v1' })]);
});

test('mistakes in a slice are found where they are written', async () => {
  const project = await openSlices('  slices: { german: { passRate: { minn: 1 } }, mail: { passRate: {} } }\n', mixed);
  const { code, stderr } = await project.llmcheck('validate');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/words\.eval\.yaml:\d+:\d+.*unknown key "minn"/)]);
  expect(stderr).toContain('needs min or maxDrop');
});
