import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
} from './baseline-project.ts';

/** Two stored runs, `before.jsonl` clean and `after.jsonl` with fifteen broken cases, and the baseline of the first. */
async function openTwoRecords(): Promise<BaselineProject & { readonly ids: readonly string[] }> {
  const project = await openBaselineProject();
  await project.llmcheck('run', '-q');
  await project.llmcheck('baseline', 'accept');
  for (let index = 1; index <= 15; index += 1) project.answers.set(`w${String(index).padStart(2, '0')}`, 'sorry');
  await project.llmcheck('run', '-q', '--cache', 'refresh', '--no-baseline');
  const records = project
    .files('.llmcheck/runs')
    .map((file) => ({ file, id: /([^/]+)\.jsonl$/.exec(file)?.[1] ?? '' }));
  const broken = records.find(({ file }) => project.read(file).includes('sorry'));
  const clean = records.find((record) => record !== broken);
  cpSync(project.path(clean?.file ?? ''), project.path('before.jsonl'));
  cpSync(project.path(broken?.file ?? ''), project.path('after.jsonl'));
  project.forget();
  return { ...project, ids: [clean?.id ?? '', broken?.id ?? ''] };
}

describe('compare', () => {
  test('says the same of two runs, two record files, a baseline file and a run, or a git ref and a run', {
    tags: 'slow',
  }, async () => {
    const project = await openTwoRecords();
    project.git('init', '-q', '-b', 'main');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'baseline');
    const [before = '', after = ''] = project.ids;
    const sides = [
      [before, after],
      ['before.jsonl', 'after.jsonl'],
      [baselineFile, 'latest'],
      ['git:main', after],
    ] as const;
    for (const [a, b] of sides) {
      const run = await project.compared(['compare', a, b]);
      // The fresh trials of the run decide about a case that failed them all.
      expect([a, run.code, run.codes]).toEqual([a, 1, ['case-broken', 'pass-rate-regressed']]);
      expect(run.comparison.cases['regressed']).toHaveLength(15);
      expect(run.comparison.passRate.delta).toBeCloseTo(-0.75, 12);
      expect(run.comparison.notes.join()).toContain('two records are compared, so they were not asked again');
      const back = await project.compared(['compare', b, a]);
      expect([a, back.code, back.comparison.passRate.delta]).toEqual([a, 0, 0.75]);
      expect(back.comparison.cases['fixed']).toHaveLength(15);
    }
    expect(project.asked.size).toBe(0);
  });

  test('is about two git refs, whatever the working tree has accepted', { tags: 'slow' }, async () => {
    const project = await openTwoRecords();
    project.git('init', '-q', '-b', 'main');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'before');
    project.git('tag', 'v1.0');
    await project.llmcheck('baseline', 'accept');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'after');
    const run = await project.compared(['compare', 'git:v1.0', 'git:main']);
    expect([run.code, run.codes, run.comparison.accepted]).toEqual([1, ['pass-rate-regressed'], []]);
    expect(run.comparison.costUsd).toMatchObject({ baseline: 0.00009, candidate: 0.00009, delta: 0 });
  });

  test('says that nothing new was measured of a record with itself, and only there', { tags: ['slow'] }, async () => {
    const project = await openTwoRecords();
    const run = await project.compared(['compare', 'before.jsonl', 'before.jsonl']);
    expect([run.code, run.comparison.passRate.delta]).toEqual([0, 0]);
  });

  test('calls cases that a partial run left out neither removed nor anything else', async () => {
    const project = await openTwoRecords();
    const run = await project.compared(['run', '-t', 'case-2*', '--baseline', 'before.jsonl']);
    expect(run.comparison.cases['removed']).toEqual([]);
    expect(run.comparison.against.source).toBe('before.jsonl');
  });

  test('is inconclusive, never passed, for records without a common variant', { tags: ['slow'] }, async () => {
    const project = await openTwoRecords();
    project.edit(suiteFile, 'id: mini', 'id: other');
    project.answers.clear();
    await project.llmcheck('run', '-q', '--cache', 'refresh', '--no-baseline');
    const run = await project.compared(['compare', 'before.jsonl', 'latest']);
    expect([run.code, run.report.decision.outcome]).toEqual([4, 'inconclusive']);
  });

  test('names the suites that the second record lacks', { tags: ['slow'] }, async () => {
    const project = await openTwoRecords();
    project.write('evals/more.eval.yaml', project.read(suiteFile).replace('suite: words', 'suite: more'));
    await project.llmcheck('run', '-q', '--cache', 'refresh', '--no-baseline');
    const run = await project.compared(['compare', 'latest', 'before.jsonl']);
    const missing = expect.stringMatching(/^before\.jsonl lacks suites of run \S+, which are not compared: more$/);
    expect(run.report.decision.warnings).toContainEqual(missing);
    const named = await project.compared(['compare', 'latest', 'before.jsonl', '--suite', 'words']);
    expect(named.report.decision.warnings).not.toContainEqual(missing);
  });

  test('knows no age of a baseline file, because a baseline has no time', async () => {
    const project = await openTwoRecords();
    const { against } = (await project.compared(['compare', 'after.jsonl', baselineFile])).comparison;
    expect(against).toEqual({ source: 'after.jsonl', prompt: 'v1' });
  });

  test('names the run that settles what two records leave open', { tags: ['slow'] }, async () => {
    const project = await openTwoRecords();
    project.answers.clear();
    project.answers.set('w01', 'sorry');
    project.edit(suiteFile, 'defaults:', 'gate: { confirm: { budget: 0 } }\ndefaults:');
    await project.llmcheck('run', '-q', '-t', 'case-01', '--cache', 'refresh', '--no-baseline');
    const { code, stdout } = await project.llmcheck('compare', 'before.jsonl', 'latest');
    expect(code).toBe(4);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('to settle it: llmcheck run --baseline before.jsonl');
  });

  test('is a usage error with a suggestion for what does not exist', { tags: ['slow'] }, async () => {
    const project = await openTwoRecords();
    const { code, stderr } = await project.llmcheck('compare', 'befor.jsonl', 'after.jsonl');
    expect([code, stderr.includes('did you mean "before.jsonl"?')]).toEqual([2, true]);
    expect((await project.llmcheck('compare', 'before.jsonl', 'after.jsonl', '--suite', 'nope')).stderr).toContain(
      'there are: words',
    );
    expect((await project.llmcheck('compare', 'before.jsonl', 'v1')).code).toBe(2);
  });
});

describe('two prompt versions', () => {
  async function openVersions(replaces = ''): Promise<BaselineProject> {
    const project = await openBaselineProject();
    project.edit(
      suiteFile,
      'providers:',
      `  - id: v2\n    text: "Two. Say: {{ word }}"${replaces === '' ? '' : `\n    replaces: ${replaces}`}\nproviders:`,
    );
    for (let index = 1; index <= 20; index += 1) {
      const word = `w${String(index).padStart(2, '0')}`;
      project.answers.set(`Two. Say: ${word}`, index <= 10 ? 'sorry' : word);
    }
    return project;
  }

  test('are compared within a run by --compare, which gates the second alone', { tags: ['slow'] }, async () => {
    const project = await openVersions();
    const run = await project.compared(['run', '--compare', 'v1,v2']);
    expect([run.code, run.codes]).toEqual([1, ['case-broken']]);
    expect(run.comparison.against).toEqual({ source: 'this run', prompt: 'v1' });
    expect(run.comparison.cases['regressed']).toHaveLength(10);
    const back = await project.compared(['run', '--compare', 'v2,v1']);
    expect([back.code, back.comparison.cases['fixed']?.length]).toEqual([0, 10]);
  });

  test('named by --compare are compared with each other, whatever was accepted', { tags: 'slow' }, async () => {
    const project = await openVersions('v1');
    await project.accept();
    const run = await project.compared(['run', '--compare', 'v1,v2']);
    expect([run.code, run.comparison.against]).toEqual([1, { source: 'this run', prompt: 'v1' }]);
  });

  test('have contracts that are neither asked again nor in the way of accepting, where one is replaced', async () => {
    const project = await openVersions('v1');
    project.edit(casesFile, '"id":"case-20"', '"id":"case-20","mustPass":true');
    project.answers.clear();
    for (let index = 1; index <= 20; index += 1) {
      const word = `w${String(index).padStart(2, '0')}`;
      project.answers.set(`Two. Say: ${word}`, word);
    }
    project.answers.set('w20', 'sorry');
    const run = await project.compared(['run']);
    expect([run.code, project.asked.get('w20')]).toEqual([0, 1]);
    expect((await project.llmcheck('baseline', 'accept')).code).toBe(0);
  });

  test('are compared from the last run without a call', { tags: ['slow'] }, async () => {
    const project = await openVersions();
    await project.llmcheck('run', '-q');
    project.forget();
    const run = await project.compared(['compare', 'v1', 'v2', '--suite', 'words']);
    expect([run.code, run.codes, project.asked.size]).toEqual([1, ['case-broken', 'pass-rate-regressed'], 0]);
    expect(run.comparison.against.prompt).toBe('v1');
    expect(run.comparison.prompts).toBeDefined();
    expect((await project.compared(['compare', 'v2', 'v1'])).code).toBe(0);
  });

  test('are a usage error if they were not run together', async () => {
    const project = await openVersions();
    await project.llmcheck('run', '-q', '--prompt', 'v1');
    const { code, stderr } = await project.llmcheck('compare', 'v1', 'v2');
    expect([code, stderr.includes('"v2" is no file, no run id and no prompt id')]).toEqual([2, true]);
  });

  test('by replaces: within the run where there is no baseline, and the replaced one is not gated', async () => {
    const project = await openVersions('v1');
    for (const word of firstWords(20)) project.answers.set(`Two. Say: ${word}`, word);
    for (const word of firstWords(10)) project.answers.set(word, 'sorry');
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.comparison.against]).toEqual([0, [], { source: 'this run', prompt: 'v1' }]);
  });

  describe('by replaces, with nothing accepted: the version that replaces must pass whole', () => {
    test('whatever the replaced one fails, without a baseline and with --no-baseline', { tags: 'slow' }, async () => {
      const project = await openVersions('v1');
      for (const word of firstWords(20)) {
        project.answers.set(word, 'sorry');
        project.answers.set(`Two. Say: ${word}`, 'sorry');
      }
      for (const argv of [['run'], ['run', '--no-baseline']]) {
        const run = await project.compared(argv);
        expect([run.code, run.codes, run.comparison.passRate.candidate]).toEqual([1, ['pass-rate-min'], 0]);
        expect(run.report.decision.breaches[0]?.message).toContain('nothing was accepted yet');
      }
      const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
      expect([later.decision.exitCode, later.decision.breaches.length]).toEqual([1, 1]);
      const { stdout } = await project.llmcheck('report', 'latest', '-r', 'junit');
      expect(stdout).not.toContain('known failure');
      // The limit that the user wrote is theirs.
      project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 0 } }\ndefaults:');
      expect((await project.compared(['run'])).code).toBe(0);
    });

    test('on each provider by itself: what was accepted on one says nothing of another', { tags: 'slow' }, async () => {
      const project = await openVersions();
      for (const word of firstWords(20)) project.answers.set(`Two. Say: ${word}`, word);
      project.answers.set('w01', 'sorry');
      project.answers.set('Two. Say: w01', 'sorry');
      await project.accept('--prompt', 'v1');
      project.edit(suiteFile, '- id: v2', '- id: v2\n    replaces: v1');
      expect((await project.compared(['run'])).code).toBe(0);
      project.edit(suiteFile, 'defaults:', '  - { id: big, use: "openai:gpt-4o" }\ndefaults:');
      const run = await project.compared(['run']);
      expect([run.code, run.codes]).toEqual([1, ['pass-rate-min']]);
      expect(run.report.decision.breaches).toMatchObject([{ prompt: 'v2', provider: 'big' }]);
    });
  });

  test('are held to a contract of the second even if the first breaks it too', async () => {
    const project = await openVersions();
    project.edit(casesFile, '"id":"case-20"', '"id":"case-20","mustPass":true');
    for (const word of firstWords(20)) project.answers.set(`Two. Say: ${word}`, word);
    project.answers.set('w20', 'sorry');
    project.answers.set('Two. Say: w20', 'sorry');
    const run = await project.compared(['run', '--compare', 'v1,v2']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['must-pass'], ['case-20']]);
    expect(run.comparison.notes.join()).not.toContain('already');
    expect((await project.compared(['compare', 'v1', 'v2'])).codes).toEqual(['must-pass']);
  });

  test("by replaces: against the replaced version's rows, and against its own once they are accepted", {
    tags: 'slow',
  }, async () => {
    const project = await openVersions();
    await project.accept('--prompt', 'v1');
    project.edit(suiteFile, '- id: v2', '- id: v2\n    replaces: v1');
    const first = await project.compared(['run']);
    expect([first.code, first.comparison.against]).toEqual([1, { source: baselineFile, prompt: 'v1' }]);
    // An average is not looked at again beside broken cases of its variant.
    expect([first.codes, first.comparison.cases['regressed']?.length]).toEqual([['case-broken'], 10]);
    await project.llmcheck('baseline', 'accept', '--force');
    const second = await project.compared(['run']);
    expect([second.code, second.comparison.against]).toEqual([0, { source: baselineFile, prompt: 'v2' }]);
  });
});
