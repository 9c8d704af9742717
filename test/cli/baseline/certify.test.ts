import { describe, expect, test } from 'vitest';
import { type BaselineProject, casesFile, openBaselineProject, suiteFile } from './baseline-project.ts';

const fresh = ['run', '--cache', 'refresh'];

/** A second suite of the same cases beside the first. */
function addSuite(project: BaselineProject, name: string, gate: string) {
  const text = project.read(suiteFile).replace(/^suite: .*$/m, '');
  project.write(`evals/${name}.eval.yaml`, `suite: ${name}\n${text}gate: ${gate}\n`);
}

/** A first run of a suite that asks for certainty ends with 4, and can be accepted. */
async function acceptFirst(project: BaselineProject) {
  expect((await project.llmcheck('run')).code).toBe(4);
  expect(await project.llmcheck('baseline', 'accept')).toMatchObject({ code: 0 });
}

describe('gate.certify', () => {
  test('asks nothing of the other suites', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    addSuite(project, 'strict', '{ certify: true }');
    await acceptFirst(project);
    // A suite without the gate has a case that fails although nothing has changed.
    project.answers.set('w05', 'sorry');
    const run = await project.compared([...fresh, '-t', 'words/*', '-t', 'strict/case-0[1-4]']);
    expect([run.code, run.report.decision.outcome]).toEqual([0, 'passed']);
    const strict = await project.compared(fresh);
    expect([strict.code, strict.codes]).toEqual([4, ['inconclusive']]);
    expect(strict.report.decision.breaches.map(({ message }) => message)).toEqual([
      '1 verdict is open, and gate.certify asks for it',
    ]);
  });

  test('is not met by a variant that is compared with nothing', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, /$/, 'gate: { certify: true }\n');
    const first = await project.report([...fresh], { env: project.server.env });
    expect([first.code, first.report.decision.outcome]).toEqual([4, 'incomplete']);
    expect(first.report.decision.breaches.map(({ message }) => message)).toEqual([
      '1 variant is compared with nothing, and gate.certify asks for it',
    ]);
    await acceptFirst(project);
    expect((await project.compared(fresh)).code).toBe(0);
  });

  test('--require-conclusive asks for it of every suite, the new ones too', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    addSuite(project, 'new', '{}');
    expect((await project.report(fresh, { env: project.server.env })).report.decision).toMatchObject({
      outcome: 'passed',
      certainty: { kind: 'unseen', cases: 20, uncompared: 1 },
    });
    const run = await project.report([...fresh, '--require-conclusive'], { env: project.server.env });
    expect([run.code, run.report.decision.breaches.map(({ message }) => message)]).toEqual([
      4,
      ['1 variant is compared with nothing, and --require-conclusive asks for it'],
    ]);
  });
});

describe('--bail', () => {
  test.each([
    ['a case', ''],
    ['a must-pass case', '"mustPass":true,'],
  ])('fails a first run at %s that failed', async (_name, mark) => {
    const project = await openBaselineProject();
    project.write(casesFile, project.read(casesFile).replace('"id":"case-03"', `${mark}"id":"case-03"`));
    project.answers.set('w03', 'sorry');
    const run = await project.report([...fresh, '--bail', '-j', '1'], { env: project.server.env });
    expect([run.code, run.report.run.stopReason]).toEqual([1, 'bail']);
    expect(project.server.requests.length).toBeLessThan(10);
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.decision).toEqual(run.report.decision);
  });

  test('leaves a case that was accepted open, and --resume settles it', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w03', 'sorry');
    const run = await project.compared([...fresh, '--bail', '-j', '1']);
    expect([run.code, run.codes]).toEqual([4, ['stopped', 'unsettled']]);
    expect((await project.compared(['run', '--resume'])).code).toBe(1);
  });
});

test('an accepted prompt that was not asked is said also where only the average failed', {
  tags: ['slow'],
}, async () => {
  const project = await openBaselineProject();
  project.edit(suiteFile, 'use: openai:', 'headers: { X-Model: first }\n    use: openai:');
  await project.accept('--trials', '3');
  project.edit(suiteFile, 'X-Model: first', 'X-Model: other');
  for (let index = 1; index <= 12; index += 1) {
    const word = `w${String(index).padStart(2, '0')}`;
    project.answers.set(word, (asked) => (asked % 2 === 0 ? 'sorry' : word));
  }
  const run = await project.compared([...fresh, '--trials', '3']);
  expect([run.code, run.codes]).toEqual([1, ['pass-rate-regressed']]);
  expect(run.named).toEqual([]);
  expect(run.report.decision.warnings.join()).toContain('the accepted prompt was not asked again: ');
});
