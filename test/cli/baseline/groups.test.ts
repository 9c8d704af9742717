import { describe, expect, test } from 'vitest';
import { type BaselineProject, baselineFile, casesFile, openBaselineProject, suiteFile } from './baseline-project.ts';

const documents = ['doc-a', 'doc-b', 'doc-c', 'doc-d'];
const words = documents.flatMap((document) => Array.from({ length: 25 }, (_, index) => `${document}x${index}`));
const documentOf = (word: string) => word.split('x')[0] ?? '';

type GroupOf = (word: string) => string | undefined;

function writeCases(project: BaselineProject, groupOf: GroupOf): void {
  const lines = words.map((word) => JSON.stringify({ id: word, group: groupOf(word), vars: { word }, expected: word }));
  project.write(casesFile, `${lines.join('\n')}\n`);
}

/** Four documents of 25 cases each, of which the averages alone decide. */
async function openDocuments(groupOf: GroupOf): Promise<BaselineProject> {
  const project = await openBaselineProject();
  project.edit(suiteFile, 'defaults:', 'gate: { cases: { broken: warn } }\ndefaults:');
  writeCases(project, groupOf);
  await project.accept();
  return project;
}

function breakDocument(project: BaselineProject, document: string): void {
  for (const word of words) if (documentOf(word) === document) project.answers.set(word, 'sorry');
}

const fresh = ['run', '--cache', 'refresh'];

describe('one of four documents breaks', () => {
  test('its 25 cases are a regression where nothing says that they belong together', { tags: 'slow' }, async () => {
    const project = await openDocuments(() => undefined);
    breakDocument(project, 'doc-b');
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-regressed']]);
    expect(run.comparison.passRate.p).toBeLessThan(1e-6);
  });

  test('in groups they are one observation of four', { tags: 'slow' }, async () => {
    const project = await openDocuments(documentOf);
    breakDocument(project, 'doc-b');
    const run = await project.compared(fresh);
    // Too little to look at it again, and far from certain.
    expect([run.code, run.report.decision.outcome, run.codes]).toEqual([0, 'passed', []]);
    expect((await project.llmcheck(...fresh, '--require-conclusive')).code).toBe(4);
    // t = -0.25 / 0.25 with 3 degrees of freedom.
    expect(run.comparison.passRate.p).toBeCloseTo(0.1955, 4);
    expect(run.comparison.passRate.high).toBeCloseTo(-0.25 + 3.1824 * 0.25, 4);
    expect(run.comparison.advice.join()).toContain('is not excluded by 100 cases of 4 groups');
    const [suite] = run.report.suites;
    expect(suite?.cases[0]).toMatchObject({ caseId: 'doc-ax0', group: 'doc-a' });
    // Wilson for 100 / 33 cases, of which three quarters pass.
    expect(suite?.variants[0]).toMatchObject({ passRate: { value: 0.75, n: 100, low: expect.closeTo(0.2576, 4) } });
  });

  test('and each case in a group of its own is the same as no group', { tags: ['slow'] }, async () => {
    const project = await openDocuments(() => undefined);
    breakDocument(project, 'doc-b');
    const plain = await project.compared(fresh);
    writeCases(project, (word) => word);
    const own = await project.compared(fresh);
    expect(own.comparison.passRate).toEqual(plain.comparison.passRate);
    expect([own.code, own.codes]).toEqual([plain.code, plain.codes]);
  });

  test('one group for all says nothing of other inputs, also where nothing broke', { tags: 'slow' }, async () => {
    const project = await openDocuments(() => 'handbook');
    const same = await project.compared(fresh);
    expect([same.code, same.report.decision.outcome]).toEqual([0, 'passed']);
    expect((await project.llmcheck(...fresh, '--require-conclusive')).code).toBe(4);
    expect(same.comparison.notes.join()).toContain(
      'all 100 compared cases are of one group: nothing certain can be said of other inputs',
    );
    expect(same.comparison.advice.join()).toContain('cases of more groups');
    breakDocument(project, 'doc-b');
    const broken = await project.compared(fresh);
    expect([broken.code, broken.report.decision.outcome]).toEqual([0, 'passed']);
    expect(broken.comparison.passRate.p).toBe(1);
  });
});

test('a group is not part of the hash: the candidate’s holds, and accepting stores it', { tags: 'slow' }, async () => {
  const project = await openDocuments(() => undefined);
  expect(project.read(baselineFile)).not.toContain('"group"');
  writeCases(project, documentOf);
  breakDocument(project, 'doc-b');
  const run = await project.compared(fresh);
  expect([run.comparison.cases['redefined'], run.codes]).toEqual([[], []]);
  await project.accept('--cache', 'refresh');
  expect(project.read(baselineFile)).toContain('"group":"doc-b"');
  // The baseline has groups now, and the suite none.
  writeCases(project, () => undefined);
  breakDocument(project, 'doc-c');
  const without = await project.compared(fresh);
  expect(without.codes).toEqual(['pass-rate-regressed']);
});
