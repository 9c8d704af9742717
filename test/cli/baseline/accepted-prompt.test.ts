import { describe, expect, test } from 'vitest';
import { caseOf, firstWords, openBaselineProject, suiteFile } from './baseline-project.ts';

describe('a case that fails although nothing that is sent has changed', () => {
  test('has drifted, which is noted within the margin, and beyond it only --drift fails it', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.answers.set('w03', 'sorry');
    const sent = project.server.requests.length;
    const noted = await project.compared(['run', '--cache', 'refresh']);
    expect([noted.code, noted.report.decision.outcome]).toEqual([0, 'passed']);
    expect(noted.comparison.cases).toMatchObject({ regressed: [], drifted: ['case-03'] });
    expect(project.server.requests.length).toBeGreaterThan(sent + 20);
    project.answers.set('w04', 'sorry');
    const beyond = await project.compared(['run', '--cache', 'refresh']);
    expect([beyond.code, beyond.codes]).toEqual([3, ['drift']]);
    const drift = await project.compared(['run', '--cache', 'refresh', '--drift']);
    expect([drift.code, drift.comparison.cases['drifted']]).toEqual([1, [caseOf('w03'), caseOf('w04')]]);
  });

  test('also where the prompt has several messages', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    const messages = '[{ role: system, content: Be short. }, { role: user, content: "Say: {{ word }}" }]';
    project.edit(suiteFile, 'text: "Say: {{ word }}"', `messages: ${messages}`);
    await project.acceptUnchanged();
    project.answers.set('w03', 'sorry');
    const noted = await project.compared(['run', '--cache', 'refresh']);
    expect([noted.code, noted.comparison.cases['drifted']]).toEqual([0, ['case-03']]);
    project.edit(suiteFile, 'Be short.', 'Be brief.');
    const edited = await project.compared(['run', '--cache', 'refresh']);
    expect([edited.code, edited.comparison.cases['drifted']]).toEqual([0, ['case-03']]);
  });
});

describe('a baseline whose cases were accepted with several prompts', () => {
  test('does not take the last of them for the prompt of all', async () => {
    const project = await openBaselineProject();
    await project.accept();
    // The edited prompt breaks a case, and is accepted of another one alone.
    project.answers.set('w03', 'sorry');
    await project.acceptUnchanged('-t', `words/${caseOf('w01')}`);
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], [caseOf('w03')]]);
    expect(run.report.decision.warnings.join()).toContain('its cases were accepted with several prompts');
  });

  test('nor asks the last of them in the place of an older one, and a run of all cases ends that', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w03', 'sorry');
    await project.acceptUnchanged('-t', `words/${caseOf('w01')}`);
    // Two edits later the server still answers wrongly, and it would do so to the prompt accepted last.
    project.edit(suiteFile, 'text: "Say: {{ word }}"', 'text: "Say: {{ word }} "');
    project.answers.set('w03 ', 'sorry');
    for (const word of firstWords(20)) if (word !== 'w03') project.answers.set(`${word} `, word);
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], [caseOf('w03')]]);
    project.answers.set('w03 ', 'w03');
    await project.acceptUnchanged('--cache', 'refresh');
    const again = await project.compared(['run']);
    expect(again.report.decision.warnings.join()).not.toContain('several prompts');
  });
});
