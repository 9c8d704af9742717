import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BaselineCase } from '../../../src/model/comparison/baseline.ts';
import { type BaselineProject, baselineFile, caseOf, openBaselineProject, suiteFile } from './baseline-project.ts';

describe('accepting pools', () => {
  test('the trials of every run of the same case, variant and checks, failed runs too', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    expect(caseIn(project, 'w01').pooled).toBeUndefined();
    project.answers.set('w01', 'sorry');
    await project.acceptUnchanged('--trials', '3', '--cache', 'refresh');
    const pooled = caseIn(project, 'w01');
    expect(pooled.trials.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    expect(pooled.pooled).toMatchObject({ runs: 2, trials: 4, failures: 3, answered: 4, score: { n: 4, mean: 0.25 } });
    expect(pooled.pooled?.usage).toEqual({ inputTokens: 10, outputTokens: 5 });
    expect(pooled.pooled?.latencyMs?.n).toBe(4);
    expect(caseIn(project, 'w02').pooled).toMatchObject({ runs: 2, trials: 4, failures: 0, score: { mean: 1 } });
    const [shown] = JSON.parse((await project.llmcheck('baseline', 'show', '--json')).stdout);
    expect(shown).toMatchObject({ case: 'case-01', passed: '1 of 4', runs: 2 });
  });

  test('nothing of answers from the cache that were counted before', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    await project.acceptUnchanged('--cache', 'refresh');
    const before = project.read(baselineFile);
    await project.acceptUnchanged();
    expect(project.read(baselineFile)).toBe(before);
    // Two further trials beside the cached one.
    await project.acceptUnchanged('--trials', '3');
    expect(caseIn(project, 'w01').pooled).toMatchObject({ runs: 3, trials: 4 });
  });

  test('a run once, however often it is accepted, and whatever was accepted in between', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    const [first = ''] = project.files('.llmcheck/runs');
    cpSync(project.path(first), project.path('first.jsonl'));
    await project.acceptUnchanged('--cache', 'refresh');
    await project.acceptUnchanged('--cache', 'refresh');
    const counted = caseIn(project, 'w01').pooled;
    expect(counted).toMatchObject({ runs: 3, trials: 3 });
    for (let times = 0; times < 2; times += 1) {
      expect((await project.llmcheck('baseline', 'accept', '--run', 'first.jsonl')).code).toBe(0);
      const { answers: _answers, ...again } = caseIn(project, 'w01').pooled ?? {};
      const { answers: _before, ...before } = counted ?? {};
      expect(again).toEqual(before);
    }
  });

  test.each([
    ['another prompt text', 'Say: ', 'Please say: '],
    ['other parameters', 'max_tokens: 20', 'max_tokens: 21'],
    ['another model', 'openai:gpt-4o-mini', 'openai:gpt-4o'],
    ['other checks', 'equals: "{{expected}}"', 'contains: "{{expected}}"'],
  ])('nothing of %s', { tags: 'slow' }, async (_name, from, to) => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.edit(suiteFile, from, to);
    await project.acceptUnchanged('--cache', 'refresh');
    expect(caseIn(project, 'w01').pooled).toBeUndefined();
    await project.acceptUnchanged('--cache', 'refresh');
    expect(caseIn(project, 'w01').pooled).toMatchObject({ runs: 2 });
  });

  test('nothing of rows that a filtered run of a changed prompt left behind', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.edit(suiteFile, 'Say: ', 'Please say: ');
    await project.acceptUnchanged('-t', 'case-05');
    expect([caseIn(project, 'w05').otherVariant, caseIn(project, 'w01').otherVariant]).toEqual([undefined, true]);
    await project.acceptUnchanged('--cache', 'refresh');
    expect([caseIn(project, 'w05').pooled?.runs, caseIn(project, 'w01').pooled]).toEqual([2, undefined]);
    expect(caseIn(project, 'w01').otherVariant).toBeUndefined();
  });

  test('errored trials never', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.answers.set('w03', () => ({ status: 400, body: { error: { message: 'no' } } }));
    await project.llmcheck('run', '--cache', 'refresh');
    await project.llmcheck('baseline', 'accept', '--force');
    const { trials, pooled } = caseIn(project, 'w03');
    // The last answer that was judged stays, since there is no newer one.
    expect([trials.map(({ status }) => status), pooled]).toEqual([['passed'], undefined]);
  });
});

describe('a case of which several runs were accepted', () => {
  /** `case-01` passes in so many accepted runs, and then fails. */
  async function failAfter(passes: number) {
    const project = await openBaselineProject();
    for (let run = 0; run < passes; run += 1) await project.acceptUnchanged('--cache', 'refresh');
    project.answers.set('w01', 'sorry');
    return project;
  }

  test('is compared by all of its trials', { tags: 'slow' }, async () => {
    const project = await failAfter(2);
    await project.acceptUnchanged('--cache', 'refresh');
    project.editPrompt();
    const { comparison, code } = await project.compared(['run', '--cache', 'refresh']);
    // 19 cases whole and one by two thirds.
    expect(comparison.passRate.baseline).toBeCloseTo((19 + 2 / 3) / 20, 12);
    expect([code, comparison.cases['regressed']]).toEqual([1, ['case-01']]);
  });

  test('is a known failure once half of its trials failed', { tags: ['slow'] }, async () => {
    const project = await failAfter(1);
    await project.llmcheck('run', '--cache', 'refresh');
    const { stdout } = await project.llmcheck('baseline', 'accept');
    expect(stdout).toContain('1 failing case of words is a known failure from now on: case-01 · v1 × mini');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.comparison.cases['stillFailing']]).toEqual([0, ['case-01']]);
  });

  test('is none after one failure among several passes, unless --known-failures says so', {
    tags: 'slow',
  }, async () => {
    const project = await failAfter(3);
    await project.llmcheck('run', '--cache', 'refresh');
    const plain = await project.llmcheck('baseline', 'accept');
    expect(plain.stdout).not.toContain('known failure from now on');
    expect(plain.stdout).toContain('1 case of words failed in this run and passes in most of its accepted trials');
    expect(plain.stdout).toContain('(--known-failures makes it known): case-01 · v1 × mini');
    const drift = await project.compared(['run', '--drift', '--cache', 'refresh']);
    expect(drift.comparison.cases['drifted']).toEqual(['case-01']);
    const named = await project.llmcheck('baseline', 'accept', '--known-failures');
    expect(named.stdout).toContain('known failure from now on:\n    case-01 · v1 × mini: ');
    expect(caseIn(project, 'w01').pooled).toBeUndefined();
    expect((await project.llmcheck('run', '--cache', 'refresh')).code).toBe(0);
  });

  test('is not made a known failure by a run that passed in spite of it', { tags: 'slow' }, async () => {
    const project = await failAfter(3);
    // It fails once and passes when it is asked again: flaky, and the run passes.
    project.answers.set('w01', (asked) => (asked === 0 ? 'sorry' : 'w01'));
    const run = await project.llmcheck('run', '--drift', '--update-baseline', '--cache', 'refresh');
    expect([run.code, run.stderr.includes('so a failure still counts')]).toEqual([0, true]);
    project.answers.set('w01', 'sorry');
    const drift = await project.compared(['run', '--drift', '--cache', 'refresh']);
    expect(drift.comparison.cases['drifted']).toEqual(['case-01']);
  });
});

test('counts that can not be are damage, with their line', { tags: ['slow'] }, async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  await project.acceptUnchanged('--cache', 'refresh');
  const text = project.read(baselineFile);
  for (const [from, to] of [
    ['"failures":0', '"failures":3'],
    ['"trials":2', '"trials":0'],
    ['"score":{"mean":1', '"score":{"mean":2'],
    ['"runs":2', '"runs":-1'],
  ] as const) {
    project.write(baselineFile, text.replace(from, to));
    const { code, stderr } = await project.llmcheck('run');
    expect([code, stderr.includes(`${baselineFile}:3`), stderr.includes('its "pooled" has the wrong type')]).toEqual([
      2,
      true,
      true,
    ]);
  }
});

function caseIn(project: BaselineProject, word: string): BaselineCase {
  const row = project
    .read(baselineFile)
    .split('\n')
    .filter((line) => line.includes('"type":"case"'))
    .map((line) => JSON.parse(line) as BaselineCase)
    .find(({ caseId }) => caseId === caseOf(word));
  if (row === undefined) throw new Error(`no row of ${word}`);
  return row;
}
