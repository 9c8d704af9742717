import { describe, expect, test } from 'vitest';
import {
  type BaselineProject,
  caseOf,
  firstWords,
  openBaselineProject,
  suiteFile,
} from '../baseline/baseline-project.ts';

const nightly = ['run', '--cache', 'refresh', '--drift'];
const pullRequest = ['run', '--cache', 'refresh'];

/** From now on the provider answers these words wrongly, whichever prompt asks. */
function degrade(project: BaselineProject, words: readonly string[]): void {
  project.changeModel();
  for (const word of words) project.answers.set(word, 'sorry');
}

async function openAccepted(): Promise<BaselineProject> {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  return project;
}

describe.each([
  ['two cases', ['w05', 'w11']],
  ['half of the cases', firstWords(10)],
  ['all cases', firstWords(20)],
])('a provider that degrades at a moment, on %s', (_name, words) => {
  const cases = words.map(caseOf);

  test('was green before, in a pull request and on a schedule', { tags: ['slow'] }, async () => {
    const project = await openAccepted();
    const before = await project.compared(nightly);
    expect([before.code, before.report.decision.outcome]).toEqual([0, 'passed']);
    project.editPrompt();
    const edited = await project.compared(pullRequest);
    expect([edited.code, edited.report.decision.outcome, edited.comparison.cases['drifted']]).toEqual([
      0,
      'passed',
      [],
    ]);
  });

  test('blames no pull request that edits a prompt, and names what drifted', { tags: ['slow'] }, async () => {
    const project = await openAccepted();
    project.editPrompt();
    degrade(project, words);
    const run = await project.compared(pullRequest);
    expect([run.code, run.codes]).toEqual([3, expect.arrayContaining(['drift'])]);
    expect(run.codes).not.toContain('case-broken');
    const { drifted = [] } = run.comparison.cases;
    expect(drifted.length).toBeGreaterThan(0);
    expect(cases).toEqual(expect.arrayContaining([...drifted]));
    // More than five are counted after the first ones.
    for (const caseId of drifted.slice(0, 5)) expect(run.report.decision.warnings.join()).toContain(caseId);
    expect(run.report.decision.warnings.join()).toContain('the model or the data changed, not this prompt');
    const { stdout } = await project.llmcheck('report', 'latest');
    expect(stdout).toContain('drifted');
  });

  test('blames no pull request that edits nothing that is sent', { tags: ['slow'] }, async () => {
    const project = await openAccepted();
    project.edit(suiteFile, 'suite: words', '# A remark.\nsuite: words');
    degrade(project, words);
    const run = await project.compared(pullRequest);
    expect([run.code, run.codes]).toEqual([3, expect.arrayContaining(['drift'])]);
    expect(run.codes).not.toContain('case-broken');
  });

  test('fails on a schedule, with the cases that drifted', { tags: ['slow'] }, async () => {
    const project = await openAccepted();
    degrade(project, words);
    const run = await project.compared(nightly);
    expect(run.code).toBe(1);
    expect(run.codes).toContain('case-drifted');
    expect(cases).toEqual(expect.arrayContaining([...run.named]));
    expect(run.comparison.cases).toMatchObject({ regressed: expect.any(Array), drifted: run.named });
  });
});

test('every case that drifted is named on a schedule', { tags: ['slow'] }, async () => {
  const project = await openAccepted();
  degrade(project, ['w05', 'w11']);
  expect((await project.compared(nightly)).named).toEqual(['case-05', 'case-11']);
});

test('a prompt that breaks one case while the provider degrades on another is blamed for its own', {
  tags: ['slow'],
}, async () => {
  const project = await openAccepted();
  project.editPrompt();
  project.changeModel();
  project.answers.set('w05', 'sorry');
  const isEdited = () => project.server.requests.at(-1)?.body.includes('"max_tokens":21') === true;
  project.answers.set('w11', () => (isEdited() ? 'sorry' : 'w11'));
  const run = await project.compared([...pullRequest, '-j', '1']);
  expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], ['case-11']]);
  expect(run.comparison.cases['drifted']).toEqual(['case-05']);
});
