import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { baselineFile, openBaselineProject, suiteFile } from './baseline-project.ts';

describe('a baseline with a value that no run writes', () => {
  test.each([
    ['a score above one', '"score":1,"status"', '"score":7,"status"'],
    ['a trial beyond 32 bits', '"trial":0', '"trial":1099511627776'],
    ['an empty hash of the case', /"caseHash":"[^"]*"/, '"caseHash":""'],
  ])('is refused before any call by every command that reads it: %s', async (_, from, to) => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(baselineFile, from, to);
    for (const argv of [
      ['run', '--cache', 'refresh'],
      ['run', '--dry-run'],
      ['validate'],
      ['compare', baselineFile, baselineFile],
      ['contract', 'check'],
    ]) {
      const { code, stderr } = await project.llmcheck(...argv);
      expect([argv, code, stderr]).toEqual([argv, 2, expect.stringContaining(`${baselineFile}:3:1 error record: `)]);
      expect(stderr).toContain('restore the file from git, or remove it, run the suite and accept again');
    }
    expect(project.asked.size).toBe(0);
  });
});

test.each([
  ['is empty', () => ''],
  ['is another file', () => 'rubbish\n'],
  ['ends in the middle', (whole: string) => whole.slice(0, -40)],
  ['has a newer format', (whole: string) => whole.replace(/"format":\d+/, '"format":9')],
])('a baseline that %s is made again as its hint says', async (_, damage) => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  project.write(baselineFile, damage(project.read(baselineFile)));
  expect((await project.llmcheck('run')).stderr).toContain('or remove it, run the suite and accept again');
  rmSync(project.path(baselineFile));
  await project.acceptUnchanged();
  expect((await project.compared(['run'])).comparison.passRate.delta).toBe(0);
});

describe('validate', () => {
  test('names what is wrong with the baselines of all suites, and with the rest', async () => {
    const project = await openBaselineProject();
    await project.accept();
    const second = 'evals/more.eval.yaml';
    project.write(second, project.read(suiteFile).replace('suite: words', 'suite: more'));
    project.write('evals/more.baseline.jsonl', 'rubbish\n');
    project.write(baselineFile, `${project.read(baselineFile)}{"type":"case"\n`);
    const both = await project.llmcheck('validate');
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('evals/more.baseline.jsonl:1:1 error record: ');
    expect(both.stderr).toContain(`${baselineFile}:43:1 error record: `);
    const run = await project.llmcheck('run', '--cache', 'refresh');
    expect([run.code, run.stderr]).toEqual([2, both.stderr]);
    project.write('llmcheck.config.yaml', 'run: { provider: [nobody] }\n');
    const all = await project.llmcheck('validate');
    expect([all.code, all.stderr]).toEqual([2, expect.stringContaining('3 errors')]);
    for (const found of ['more.baseline.jsonl:1:1', 'words.baseline.jsonl:43:1', 'nobody']) {
      expect(all.stderr).toContain(found);
    }
    expect(project.asked.size).toBe(0);
  });

  test('opens the baseline that the config names, and none where it says so', async () => {
    const project = await openBaselineProject();
    await project.accept();
    const whole = project.read(baselineFile);
    project.write(baselineFile, `${whole}rubbish\n`);
    project.write('other.jsonl', whole);
    for (const [setting, code] of [
      ['baseline: other.jsonl', 0],
      ['noBaseline: true', 0],
      [`baseline: ${baselineFile}`, 2],
      ['baseline: "git:nowhere"', 2],
      ['rerunBaseline: true', 2],
    ] as const) {
      project.write('llmcheck.config.yaml', `run: { ${setting} }\n`);
      const { code: found, stderr } = await project.llmcheck('validate');
      expect([setting, found, stderr === '']).toEqual([setting, code, code === 0]);
    }
  });
});

describe('a baseline that lost its cases', () => {
  test.each([
    ['its variants too', 1, 0],
    ['with its variants left', 2, 4],
  ])(
    'is reported by the run and its report, which has nothing to compare: %s',
    { tags: ['slow'] },
    async (_, kept, code) => {
      const project = await openBaselineProject();
      await project.accept();
      const lines = project.read(baselineFile).split('\n').slice(0, kept);
      project.write(baselineFile, `${lines.join('\n')}\n`);
      const note = `the baseline ${baselineFile} has no case of v1 on mini: nothing there is compared until a run is accepted`;
      const run = await project.report(['run'], { env: project.server.env });
      expect([run.code, run.report.notes]).toEqual([code, [note]]);
      expect(run.stderr).toContain(note);
      // Two versions side by side need no file.
      const suite = project.read(suiteFile);
      project.edit(suiteFile, 'providers:', '  - { id: v2, text: "Say: {{ word }}" }\nproviders:');
      const beside = await project.report(['run', '--compare', 'v1,v2'], { env: project.server.env });
      expect([beside.code, beside.report.notes]).toEqual([0, []]);
      project.write(suiteFile, suite);
      await project.llmcheck('run');
      expect((await project.llmcheck('baseline', 'accept')).code).toBe(0);
      const whole = await project.report(['run'], { env: project.server.env });
      expect(whole.report.notes).toEqual([]);
    },
  );

  test('is reported by the run that names a baseline of another suite', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const more = 'evals/more.eval.yaml';
    const [record = ''] = project.files('.llmcheck/runs');
    project.write(more, project.read(suiteFile).replace('suite: words', 'suite: more'));
    const notesOf = async (path: string, source: string) => {
      const { report } = await project.report(['run', path, '--baseline', source], { env: project.server.env });
      return report.notes.filter((note) => note.includes('compared'));
    };
    for (const source of [baselineFile, record]) {
      expect(await notesOf(suiteFile, source)).toEqual([]);
      expect(await notesOf(more, source)).toEqual([
        `the baseline ${source} has no case of more with v1 on mini: nothing there is compared`,
      ]);
    }
  });
});
