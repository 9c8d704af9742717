import { expect, test } from 'vitest';
import { type BaselineProject, baselineFile, firstWords, openBaselineProject, suiteFile } from './baseline-project.ts';

/** What the comparison says of answers that the baseline holds already. */
async function notesOf(project: BaselineProject, ...argv: string[]): Promise<string> {
  const { comparison } = await project.compared(['run', ...argv]);
  return comparison.notes.filter((note) => /the very ones?|nothing new/.test(note)).join('\n');
}

test('answers from the cache are the very ones that were accepted', async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  expect(await notesOf(project)).toBe(
    '20 of 20 answers are the very ones the baseline holds: nothing new was measured',
  );
  expect(project.asked.size).toBe(0);
});

test('answers of another prompt that read alike are not, fresh or from the cache', async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  project.edit(suiteFile, '"Say: {{ word }}"', '"Now. Say: {{ word }}"');
  for (const word of firstWords(20)) project.answers.set(`Now. Say: ${word}`, word);
  expect(await notesOf(project)).toBe('');
  expect(await notesOf(project)).toBe('');
});

test('answers of new calls that read alike are not, though a later run finds them in the cache', {
  tags: 'slow',
}, async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  expect(await notesOf(project, '--cache', 'refresh')).toBe('');
  expect(await notesOf(project)).toBe('');
  // Two of twenty that were asked again are new, the others are what they were.
  await project.acceptUnchanged();
  await project.llmcheck('run', '--cache', 'refresh', '-t', 'case-01', '-t', 'case-02');
  expect(await notesOf(project)).toBe('18 of 20 answers are the very ones the baseline holds');
});

test('trials and cases that the baseline does not hold are new answers', async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  expect(await notesOf(project, '--trials', '3')).toBe('20 of 60 answers are the very ones the baseline holds');
});

test('recorded answers are the accepted ones until they are recorded again', { tags: 'slow' }, async () => {
  const project = await openBaselineProject();
  project.edit(suiteFile, 'defaults:', 'recordings: words.recordings.jsonl\ndefaults:');
  await project.llmcheck('run', '--record', '--cache', 'off', '-q');
  await project.acceptUnchanged();
  expect(await notesOf(project)).toContain('20 of 20 answers are the very ones the baseline holds');
  await project.llmcheck('run', '--record', '--cache', 'refresh', '-q');
  expect(await notesOf(project)).toBe('');
});

test('a baseline that does not say which answers it holds is taken for none', async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  project.edit(baselineFile, /"answerId":"[0-9a-f]+",?/g, '');
  expect(await notesOf(project)).toBe('');
});
