import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { baselineFile, caseOf, casesFile, firstWords, openBaselineProject, suiteFile } from './baseline-project.ts';

const withMustPass = async () => {
  const project = await openBaselineProject();
  project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
  return project;
};

describe('baseline accept', () => {
  test('refuses a broken contract without --force', async () => {
    const project = await withMustPass();
    project.answers.set('w07', 'sorry');
    await project.llmcheck('run');
    const refused = await project.llmcheck('baseline', 'accept');
    expect([refused.code, project.files('evals')]).toEqual([2, [suiteFile, casesFile]]);
    expect(refused.stderr).toContain('case-07');
    expect(refused.stderr).toContain('--force');
    expect((await project.llmcheck('baseline', 'accept', '--force')).code).toBe(0);
    expect(project.files('evals')).toContain(baselineFile);
  });

  test('refuses a contract that some trials broke, and takes one that fresh trials called flaky', {
    tags: 'slow',
  }, async () => {
    const project = await withMustPass();
    project.answers.set('w07', (asked) => (asked === 0 ? 'sorry' : 'w07'));
    await project.llmcheck('run');
    // One planned failure and two fresh passes.
    expect(project.asked.get('w07')).toBe(3);
    expect((await project.llmcheck('baseline', 'accept')).code).toBe(0);
    // Its fresh passes were kept, so that it is not known to be broken.
    project.answers.set('w07', 'sorry');
    expect((await project.compared(['run', '--cache', 'refresh'])).codes).toEqual(['must-pass']);
    project.forget();
    project.answers.set('w07', (asked) => (asked % 2 === 1 ? 'sorry' : 'w07'));
    await project.llmcheck('run', '--trials', '3', '-j', '1', '--cache', 'off', '--no-baseline');
    expect((await project.llmcheck('baseline', 'accept')).code).toBe(2);
  });

  test('keeps nothing of a case that is only observed', async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","observe":true');
    await project.acceptUnchanged();
    expect(project.read(baselineFile)).toContain('"case-06"');
    expect(project.read(baselineFile)).not.toContain('"case-07"');
  });

  test('refuses an errored run and one that was cut short', async () => {
    const project = await openBaselineProject();
    project.answers.set('w03', () => ({ status: 400, body: { error: { message: 'no' } } }));
    await project.llmcheck('run');
    const errored = await project.llmcheck('baseline', 'accept');
    expect([errored.code, errored.stderr.includes('has 1 errored cell\n')]).toEqual([2, true]);
    project.answers.set('w03', 'sorry');
    await project.llmcheck('run', '--bail', '1', '-j', '1', '--cache', 'refresh');
    const cut = await project.llmcheck('baseline', 'accept');
    expect([cut.code, cut.stderr.includes('incomplete (bail)')]).toEqual([2, true]);
  });

  test('writes over no file that is damaged, and a run finds the damage before its first call', async () => {
    const project = await openBaselineProject();
    await project.llmcheck('run');
    await project.llmcheck('baseline', 'accept');
    project.edit(baselineFile, '{"type":"case","caseId":"case-03"', '{"type":"case","caseId":case-03');
    project.asked.clear();
    for (const argv of [
      ['baseline', 'accept'],
      ['run', '--cache', 'refresh'],
    ]) {
      const { code, stderr } = await project.llmcheck(...argv);
      expect([code, stderr.includes(`${baselineFile}:5`)]).toEqual([2, true]);
    }
    expect(project.asked.size).toBe(0);
    expect(project.read(baselineFile)).toContain(':case-03,');
  });

  test('takes a record file, such as one that CI kept', async () => {
    const project = await openBaselineProject();
    await project.llmcheck('run');
    const [record = ''] = project.files('.llmcheck/runs');
    cpSync(project.path(record), project.path('artifact.jsonl'));
    project.answers.set('w01', 'sorry');
    await project.llmcheck('run', '--cache', 'refresh');
    const { code, stdout } = await project.llmcheck('baseline', 'accept', '--run', 'artifact.jsonl');
    expect([code, stdout]).toEqual([0, `wrote ${baselineFile}: 20 cases × 1 variant\n`]);
    expect(project.read(baselineFile)).not.toContain('sorry');
  });

  test('writes no baseline from a run that selected nothing', async () => {
    const project = await openBaselineProject();
    await project.llmcheck('run', '-t', 'nothing', '--allow-empty');
    const { code, stderr } = await project.llmcheck('baseline', 'accept');
    expect([code, stderr]).toEqual([2, expect.stringContaining('holds no case of these suites')]);
    expect((await project.llmcheck('run', '-t', 'nothing', '--allow-empty', '--update-baseline')).code).toBe(0);
    expect(project.files('evals')).not.toContain(baselineFile);
  });

  test('keeps the other rows after a filtered run, and deletes rows without a case after a whole run', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const before = project.read(baselineFile).split('\n');
    project.answers.set('w05', 'sorry');
    const run = await project.compared(['run', '-t', 'case-05', '--cache', 'refresh']);
    expect(run.comparison.cases).toMatchObject({ drifted: ['case-05'], removed: [] });
    await project.llmcheck('baseline', 'accept', '--known-failures');
    const after = project.read(baselineFile).split('\n');
    expect(after.length).toBe(before.length);
    const changed = after.filter((line, index) => line !== before[index]);
    expect(changed.map((line) => JSON.parse(line).caseId)).toEqual(['case-05']);
    project.write(casesFile, project.read(casesFile).split('\n').slice(1).join('\n'));
    await project.accept();
    expect(project.read(baselineFile)).not.toContain('case-01');
  });

  test('keeps what was accepted of a case that a whole run skipped', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const skipped = '"id":"case-05","skip":"the words are being replaced"';
    project.edit(casesFile, '"id":"case-05"', skipped);
    await project.llmcheck('run');
    expect((await project.llmcheck('baseline', 'accept')).stdout).toBe(
      `unchanged ${baselineFile}: 20 cases × 1 variant\n`,
    );
    project.edit(casesFile, skipped, '"id":"case-05"');
    project.answers.set('w05', 'sorry');
    const { comparison } = await project.compared(['run', '--cache', 'refresh']);
    expect(comparison.cases).toMatchObject({ drifted: ['case-05'], added: [] });
  });

  test('keeps the rows of cases that an interrupted run did not reach', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const before = project.read(baselineFile).split('\n');
    project.answers.set('w03', 'sorry');
    await project.llmcheck('run', '--bail', '1', '-j', '1', '--cache', 'refresh');
    expect((await project.llmcheck('baseline', 'accept', '--force')).code).toBe(0);
    const after = project.read(baselineFile).split('\n');
    expect(after.length).toBe(before.length);
    expect(after.filter((line) => line.includes('"case-20"'))).toEqual(
      before.filter((line) => line.includes('"case-20"')),
    );
  });

  test('leaves the other suite without a baseline when given the path of one', async () => {
    const project = await openBaselineProject();
    project.write('evals/other.eval.yaml', project.read(suiteFile).replace('suite: words', 'suite: other'));
    await project.llmcheck('run');
    await project.llmcheck('baseline', 'accept', 'evals/other.eval.yaml');
    expect(project.files('evals').filter((file) => file.includes('baseline'))).toEqual(['evals/other.baseline.jsonl']);
  });

  test('without a run says what to do', async () => {
    const project = await openBaselineProject();
    const { code, stderr } = await project.llmcheck('baseline', 'accept');
    expect([code, stderr.includes('no stored run')]).toEqual([2, true]);
  });
});

describe('run --update-baseline', () => {
  test('accepts what came, so that the next run shows no difference', async () => {
    const project = await openBaselineProject();
    const first = await project.llmcheck('run', '--update-baseline');
    expect([first.code, first.stderr.includes(`accepted ${baselineFile}`)]).toEqual([0, true]);
    expect((await project.compared(['run'])).code).toBe(0);
  });

  test('names the failures of a run that passed in spite of them', async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 0.9 } }\ndefaults:');
    project.answers.set('w01', 'sorry');
    const { code, stderr } = await project.llmcheck('run', '--update-baseline');
    expect([code, project.files('evals').includes(baselineFile)]).toEqual([0, true]);
    expect(stderr).toContain('1 failing case of words is a known failure from now on: case-01 · v1 × mini');
    // What is known is not named again.
    expect((await project.llmcheck('run', '--update-baseline')).stderr).not.toContain('known failure');
  });

  /** Breaks what was accepted, and gives the command that the refused update prints. */
  async function refuseUpdate(words: readonly string[], ...argv: string[]) {
    const project = await withMustPass();
    await project.accept();
    const before = project.read(baselineFile);
    for (const word of words) project.answers.set(word, 'sorry');
    const { code, stderr, report } = await project.report(['run', '--update-baseline', '--cache', 'refresh', ...argv], {
      env: project.server.env,
    });
    expect([stderr.includes('the baseline was not updated'), project.read(baselineFile) === before]).toEqual([
      true,
      true,
    ]);
    const [, command = ''] = /as it is: llmcheck (.*)/.exec(stderr) ?? [];
    const accepted = await project.llmcheck(...command.split(' '));
    return { project, code, stderr, accepted, flags: command.replace(`baseline accept --run ${report.run.id} `, '') };
  }

  test.each([
    ['a case fails', ['w01'], '--known-failures'],
    ['a contract is broken', ['w07'], '--known-failures --force'],
    ['every case fails', firstWords(20), '--known-failures --force'],
  ])('writes nothing where %s, and says what accepts it', { tags: 'slow' }, async (_name, words, expected) => {
    const { project, code, accepted, flags } = await refuseUpdate(words);
    expect([code, flags, accepted.code]).toEqual([1, expected, 0]);
    for (const word of words) {
      expect(accepted.stdout).toContain(`${caseOf(word)} · v1 × mini: `);
    }
    expect((await project.llmcheck('run')).code).toBe(0);
  });

  test('writes nothing of a run that was cut short, and says how to go on with it', { tags: ['slow'] }, async () => {
    const { code, stderr, accepted, flags } = await refuseUpdate(['w20'], '--bail', '-j', '1');
    expect([code, flags, accepted.code]).toEqual([4, '--known-failures --force', 0]);
    expect(stderr).toContain('go on with `llmcheck run --resume ');
  });

  test('prints a command that names the config, quoted where a shell needs it', async () => {
    const project = await openBaselineProject();
    project.write("our evals/it's.yaml", '');
    cpSync(project.path('evals'), project.path('our evals/evals'), { recursive: true });
    project.answers.set('w01', 'sorry');
    const config = ['-c', "our evals/it's.yaml"];
    const { code, stderr } = await project.llmcheck('run', '--update-baseline', ...config);
    expect(code).toBe(1);
    const [, id = ''] = /--run (\S+)/.exec(stderr) ?? [];
    expect(stderr).toContain(
      String.raw`as it is: llmcheck baseline accept --run ${id} -c 'our evals/it'\''s.yaml' --known-failures`,
    );
    expect((await project.llmcheck('baseline', 'accept', '--run', id, ...config)).code).toBe(0);
    expect(project.files('our evals/evals')).toContain(`our evals/${baselineFile}`);
  });

  test('writes no first baseline of a run that failed, and accepts it by its id', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    for (const word of firstWords(20)) project.answers.set(word, 'sorry');
    const failed = await project.report(['run', '--update-baseline'], { env: project.server.env });
    expect([failed.code, project.files('evals').includes(baselineFile)]).toEqual([1, false]);
    expect(failed.stderr).toContain('20 failing cases would become known failures');
    const { id } = failed.report.run;
    const plain = await project.llmcheck('baseline', 'accept', id);
    expect([plain.code, plain.stdout]).toEqual([
      0,
      expect.stringContaining('and 10 more (--known-failures names each)'),
    ]);
    expect((await project.llmcheck('baseline', 'accept', id, '--known-failures')).code).toBe(0);
  });

  test('refuses what accept refuses, and keeps the exit code of the run', async () => {
    const project = await openBaselineProject();
    project.answers.set('w03', () => ({ status: 400, body: { error: { message: 'no' } } }));
    const { code, stderr } = await project.llmcheck('run', '--update-baseline');
    expect([code, project.files('evals').includes(baselineFile)]).toEqual([3, false]);
    expect(stderr).toContain('was not updated');
  });
});

describe('what was accepted', () => {
  test('is listed, shown case by case, and pruned of what is gone', async () => {
    const project = await openBaselineProject();
    expect((await project.llmcheck('baseline', 'list')).stdout).toContain('none yet');
    project.answers.set('w02', 'sorry');
    await project.accept();
    const listed = JSON.parse((await project.llmcheck('baseline', 'list', '--json')).stdout);
    expect(listed).toEqual([
      { suite: 'words', baseline: baselineFile, pinned: null, variants: ['v1 × mini'], cases: 20 },
    ]);
    const shown = JSON.parse((await project.llmcheck('baseline', 'show', '--json')).stdout);
    expect(shown).toHaveLength(20);
    expect(shown[1]).toMatchObject({ case: 'case-02', passed: '0 of 1', answer: 'sorry' });
    project.write(casesFile, project.read(casesFile).split('\n').slice(2).join('\n'));
    const pruned = await project.llmcheck('baseline', 'prune');
    expect(pruned.stdout).toBe(`${baselineFile}: removed 2 rows\n`);
    const run = await project.compared(['run']);
    expect([run.code, run.comparison.cases['removed']]).toEqual([0, []]);
    project.write(suiteFile, project.read(suiteFile).replace('id: v1', 'id: v2'));
    expect((await project.llmcheck('baseline', 'prune')).stdout).toBe(`${baselineFile}: removed 18 rows\n`);
  });
});
