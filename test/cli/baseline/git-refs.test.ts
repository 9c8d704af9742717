import { describe, expect, test } from 'vitest';
import { runGit } from '../../support/git.ts';
import { runCli } from '../../support/run-cli.ts';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
  withoutMeasured,
} from './baseline-project.ts';

/** A checkout of a pull request: main has an accepted baseline, the branch is one commit away from it. */
async function openPullRequest(): Promise<BaselineProject> {
  const project = await openBaselineProject();
  project.git('init', '-q', '-b', 'main');
  project.write('.gitignore', '.llmcheck/\n');
  await project.accept();
  commit(project, 'accept');
  project.git('checkout', '-q', '-b', 'change');
  return project;
}

function commit(project: BaselineProject, message: string): void {
  project.git('add', '.');
  project.git('commit', '-q', '--allow-empty', '-m', message);
}

describe('a pull request', () => {
  test("is compared with main's baseline, not with its own", { tags: 'slow' }, async () => {
    const project = await openPullRequest();
    project.answers.set('w01', 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh', '--baseline', 'git:main']);
    expect([run.code, run.named]).toEqual([1, ['case-01']]);
    expect(run.comparison.against.source).toMatch(/^git:main \([0-9a-f]{8}\)$/);
  });

  test('passes where it brings the accepted new baseline, with its differences listed, and asks no case again', {
    tags: 'slow',
  }, async () => {
    const project = await openPullRequest();
    project.answers.set('w01', 'sorry');
    await project.acceptUnchanged('--cache', 'refresh');
    commit(project, 'accept the change');
    expect((await project.compared(['run', '--no-baseline'])).code).toBe(1);
    project.forget();
    const run = await project.compared(['run', '--cache', 'refresh', '--baseline', 'git:main', '--require-conclusive']);
    expect([run.code, run.codes, run.comparison.accepted]).toEqual([0, [], ['case-01 (regressed)']]);
    expect(Math.max(...project.asked.values())).toBe(1);
    // An edit after it was accepted leaves open what the prompt does now.
    project.editPrompt();
    const edited = await project.compared(['run', '--baseline', 'git:main', '--require-conclusive']);
    expect([edited.code, edited.codes, edited.comparison.accepted]).toEqual([
      4,
      ['inconclusive'],
      ['case-01 (regressed)'],
    ]);
  });

  test('fails where it breaks more than it accepts, by that alone', { tags: 'slow' }, async () => {
    const project = await openPullRequest();
    project.answers.set('w01', 'sorry');
    await project.accept('--cache', 'refresh');
    project.answers.set('w02', 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh', '--baseline', 'git:main']);
    expect([run.code, run.named, run.comparison.accepted]).toEqual([1, ['case-02'], []]);
  });

  test('that adds a failing case and accepts it passes', { tags: 'slow' }, async () => {
    const project = await openPullRequest();
    project.write(casesFile, `${project.read(casesFile)}{"id":"new","vars":{"word":"new"},"expected":"other"}\n`);
    expect((await project.compared(['run', '--baseline', 'git:main'])).codes).toEqual(['case-added-failed']);
    await project.accept();
    const run = await project.compared(['run', '--cache', 'refresh', '--baseline', 'git:main']);
    expect([run.code, run.comparison.accepted]).toEqual([0, ['new (added)']]);
  });

  test('is held by git:main... against the baseline of the commit where it left main', { tags: 'slow' }, async () => {
    const project = await openPullRequest();
    commit(project, 'a change');
    project.git('checkout', '-q', 'main');
    project.answers.set('w01', 'sorry');
    await project.acceptUnchanged('--cache', 'refresh');
    commit(project, 'main has moved on');
    project.git('checkout', '-q', 'change');
    const main = await project.compared(['run', '--cache', 'refresh', '--baseline', 'git:main']);
    expect([main.code, main.comparison.cases['stillFailing']]).toEqual([0, ['case-01']]);
    const left = await project.compared(['run', '--cache', 'refresh', '--baseline', 'git:main...']);
    expect([left.code, left.named]).toEqual([1, ['case-01']]);
  });

  test('against a ref without a baseline must pass whole', async () => {
    const project = await openBaselineProject();
    project.git('init', '-q', '-b', 'main');
    commit(project, 'suites');
    project.answers.set('w01', 'sorry');
    const run = await project.compared(['run', '--baseline', 'git:main']);
    expect([run.code, run.codes, run.comparisons]).toEqual([1, ['pass-rate-min'], []]);
  });
});

describe('a ref that can not be read is a usage error before any call', () => {
  test('such as one that is missing', async () => {
    const project = await openPullRequest();
    const { code, stderr } = await project.llmcheck('run', '--cache', 'refresh', '--baseline', 'git:nowhere');
    expect([code, project.asked.size]).toEqual([2, 0]);
    expect(stderr).toContain('git fetch origin nowhere');
  });

  test('such as the merge-base in a shallow clone', { tags: ['slow'] }, async () => {
    const project = await openPullRequest();
    commit(project, 'one');
    commit(project, 'two');
    const clone = project.path('clone');
    runGit(project.root, 'clone', '-q', '--depth', '1', '--no-single-branch', `file://${project.root}`, clone);
    const { code, stderr } = await runCli(['run', '--baseline', 'git:main...'], {
      cwd: clone,
      env: project.server.env,
    });
    expect([code, project.asked.size]).toEqual([2, 0]);
    expect(stderr).toContain('git fetch --unshallow');
  });

  test('such as a damaged baseline, named with its ref and line', { tags: ['slow'] }, async () => {
    const project = await openPullRequest();
    project.git('checkout', '-q', 'main');
    project.write(baselineFile, project.read(baselineFile).replace('"type":"case"', '"type":"cas"'));
    commit(project, 'damage');
    project.git('checkout', '-q', 'change');
    const { code, stderr } = await project.llmcheck('run', '--cache', 'refresh', '--baseline', 'git:main');
    expect([code, project.asked.size]).toEqual([2, 0]);
    expect(stderr).toContain(`git:main:${baselineFile}:3`);
  });
});

describe('--rerun-baseline', () => {
  test("runs the baseline's prompt from its ref beside the new one, with comparable latencies", {
    tags: 'slow',
  }, async () => {
    const project = await openPullRequest();
    project.edit(suiteFile, '"Say: {{ word }}"', '"Now. Say: {{ word }}"');
    project.edit(suiteFile, 'max_tokens: 21', 'max_tokens: 30');
    project.edit(suiteFile, 'defaults:', 'gate: { latency: { maxIncrease: 10000% } }\ndefaults:');
    for (let index = 1; index <= 20; index += 1) {
      const word = `w${String(index).padStart(2, '0')}`;
      project.answers.set(`Now. Say: ${word}`, word);
    }
    const before = project.server.requests.length;
    const run = await project.compared(['run', '--rerun-baseline', '--baseline', 'git:main', '--cache', 'off']);
    expect(run.code).toBe(0);
    expect(run.comparison.against).toEqual({ source: 'the baseline, run again', prompt: 'v1@baseline' });
    expect(run.comparison.latencyMs.low).not.toBeNull();
    // The measured latencies themselves may draw a warning: they are those of this machine.
    expect(run.report.decision.warnings.join()).not.toContain('latencies are not comparable');
    const bodies = project.server.requests.slice(before).map(({ body }) => JSON.parse(body));
    const old = bodies.filter(({ messages }) => messages[0].content.startsWith('Say'));
    expect(old.map(({ max_tokens }) => max_tokens)).toEqual(Array.from({ length: 20 }, () => 20));
    expect(bodies).toHaveLength(40);
    // Interleaved: a drift of the provider meets both alike.
    const order = bodies.slice(0, 16).filter(({ messages }) => messages[0].content.startsWith('Say')).length;
    expect(order).toBeGreaterThan(4);
  });

  test('of a prompt that has not changed says that nothing new was measured', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const run = await project.compared(['run', '--rerun-baseline', '--cache', 'off']);
    expect(run.comparison.notes.join()).toContain('20 of 20 answers are the very ones');
    expect(run.comparison.latencyMs.delta).toBeNull();
  });

  test('does not let a new case through that fails under both prompts', async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, '"Say: {{ word }}"', '"Now. Say: {{ word }}"');
    for (const word of firstWords(20)) project.answers.set(`Now. Say: ${word}`, word);
    project.write(casesFile, `${project.read(casesFile)}{"id":"new","vars":{"word":"x"},"expected":"never"}\n`);
    const run = await project.compared(['run', '--rerun-baseline', '--cache', 'off']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-added-failed'], ['new']]);
    expect(run.comparison.cases['added']).toEqual(['new']);
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.decision).toEqual(run.report.decision);
  });

  test('takes the parameters that each provider was accepted with', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', '  - { id: big, use: "openai:gpt-4o", params: { seed: 9 } }\ndefaults:');
    await project.accept();
    project.edit(suiteFile, '"Say: {{ word }}"', '"Now. Say: {{ word }}"');
    const before = project.server.requests.length;
    await project.llmcheck('run', '--rerun-baseline', '--cache', 'off', '-q', '-t', 'case-1*');
    const bodies = project.server.requests.slice(before).map(({ body }) => JSON.parse(body));
    const old = bodies.filter(({ messages }) => messages[0].content.startsWith('Say'));
    // Ten cases on two models, and those of them that are asked again beside the new prompt, under which all fail.
    expect(old.length).toBeGreaterThan(20);
    for (const { model, max_tokens, seed } of old) {
      expect([model, max_tokens, seed]).toEqual(model === 'gpt-4o' ? [model, undefined, 9] : [model, 20, undefined]);
    }
  });

  test('is refused where a prompt was accepted with another text on each provider', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', '  - { id: big, use: "openai:gpt-4o" }\ndefaults:');
    await project.acceptUnchanged('--provider', 'mini');
    project.edit(suiteFile, '"Say: {{ word }}"', '"Now. Say: {{ word }}"');
    for (const word of firstWords(20)) project.answers.set(`Now. Say: ${word}`, word);
    await project.acceptUnchanged('--provider', 'big');
    const before = project.server.requests.length;
    const { code, stderr } = await project.llmcheck('run', '--rerun-baseline', '--cache', 'off');
    expect([code, project.server.requests.length - before]).toEqual([2, 0]);
    expect(stderr).toContain('prompt v1 was accepted with one text on big and another on mini');
    // Each by itself has one text only.
    const [big, mini] = [
      await project.compared(['run', '--rerun-baseline', '--cache', 'off', '--provider', 'big']),
      await project.compared(['run', '--rerun-baseline', '--cache', 'off', '--provider', 'mini', '--prompt', 'v1']),
    ];
    expect([big.code, mini.code]).toEqual([0, 0]);
    const texts = project.server.requests.slice(before).map(({ body }) => JSON.parse(body));
    const saidTo = (wanted: string) =>
      new Set(texts.flatMap(({ model, messages }) => (model === wanted ? [messages[0].content.split(':')[0]] : [])));
    expect([saidTo('gpt-4o'), saidTo('gpt-4o-mini')]).toEqual([new Set(['Now. Say']), new Set(['Now. Say', 'Say'])]);
  });

  test('is refused where an earlier prompt answered some cases, which the last one may fail unseen', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.edit(suiteFile, '"Say: {{ word }}"', '"Now. Say: {{ word }}"');
    for (const word of firstWords(20)) project.answers.set(`Now. Say: ${word}`, word === 'w02' ? 'broken' : word);
    // The edit breaks case 2, and a run of case 1 alone is accepted.
    await project.acceptUnchanged('-t', 'case-01');
    const plain = await project.compared(['run', '--cache', 'off']);
    expect([plain.code, plain.named]).toEqual([1, ['case-02']]);
    const { code, stderr } = await project.llmcheck('run', '--rerun-baseline', '--cache', 'off');
    expect(code).toBe(2);
    expect(stderr).toContain('the cases of prompt v1 were accepted with several prompts');
  });

  test('accepts the new prompt alone, not the old one that ran beside it', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const before = withoutMeasured(project.read(baselineFile));
    await project.llmcheck('run', '--rerun-baseline', '--cache', 'off');
    expect((await project.llmcheck('baseline', 'accept')).code).toBe(0);
    expect(withoutMeasured(project.read(baselineFile))).toBe(before);
  });

  test('without a baseline is a usage error', async () => {
    const project = await openBaselineProject();
    const { code, stderr } = await project.llmcheck('run', '--rerun-baseline');
    expect([code, project.asked.size]).toEqual([2, 0]);
    expect(stderr).toContain('baseline accept');
  });

  test('of a prompt that reads a variable which is gone is a usage error', async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, '"Say: {{ word }}"', '"Say: {{ text }}"');
    project.write(casesFile, project.read(casesFile).replaceAll('"word"', '"text"'));
    const { code, stderr } = await project.llmcheck('run', '--rerun-baseline');
    expect([code, project.asked.size]).toEqual([2, 0]);
    expect(stderr).toContain('word');
  });
});
