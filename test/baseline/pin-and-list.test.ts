import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { listBaselines, showBaselines } from '../../src/baseline/list-baselines.ts';
import { type PinOptions, pinReferences, unpinReferences } from '../../src/baseline/pin-reference.ts';
import type { Project, Suite } from '../../src/model/suite/suite.ts';
import { readRows } from '../support/baseline-rows.ts';
import { buildSuite } from '../support/build-case.ts';
import { failed, openProject, passed, problemsOf, rowOf, triage, type Written } from './record-project.ts';

const now = new Date('2026-11-28T08:00:00.000Z');

type Opened = ReturnType<typeof openProject>;

const pin = ({ place }: Opened, recordPaths: readonly string[] = [], options: Partial<PinOptions> = {}) =>
  pinReferences({ ...place, suites: [triage], recordPaths, now, ...options });

const reference = ({ path }: Opened) => readRows(path('evals/triage.reference.jsonl'));

const figures = (project: Opened) =>
  reference(project)?.cases.map(({ caseId, pooled }) => [caseId, pooled?.runs, pooled?.trials, pooled?.failures]);

describe('a reference', () => {
  test('keeps the counts of the baseline, and no answer', async () => {
    const project = openProject();
    await project.accept(project.write({ cases: { a: passed, b: [passed, failed], c: { status: 'errored' } } }), {
      force: true,
    });
    const [pinned] = await pin(project);
    expect(pinned).toEqual({
      suite: 'triage',
      file: 'evals/triage.reference.jsonl',
      isChanged: true,
      rows: 2,
      thinRows: 2,
      fewestRuns: 1,
    });
    expect(reference(project)?.cases.map(({ caseId, trials, pooled }) => [caseId, trials, pooled?.answers])).toEqual([
      ['a', [{ trial: 0, status: 'passed', score: 1, checks: [] }], []],
      [
        'b',
        [
          { trial: 0, status: 'passed', score: 1, checks: [] },
          { trial: 1, status: 'failed', score: 0, checks: [] },
        ],
        [],
      ],
    ]);
    expect((await pin(project))[0]?.isChanged).toBe(false);
  });

  test('counts the named runs together, in the order of their time', async () => {
    const project = openProject();
    const paths = [2, 1, 3, 4, 5].map((day) =>
      project.write({
        startedAt: `2025-11-0${day}T09:30:00.000Z`,
        cases: day === 5 ? { a: passed, b: failed } : { a: passed },
        suite: { filtered: true },
      }),
    );
    expect((await pin(project, paths))[0]).toMatchObject({ rows: 2, thinRows: 1, fewestRuns: 1 });
    expect(figures(project)).toEqual([
      ['a', 5, 5, 0],
      ['b', 1, 1, 1],
    ]);
    expect((await pin(project, paths.slice(0, 1)))[0]).toMatchObject({ rows: 1, thinRows: 1, fewestRuns: 1 });
  });

  test('has the cases of the newest whole run, whatever order the runs are named in', async () => {
    const project = openProject();
    const old = project.write({ cases: { a: passed, b: passed } });
    const fresh = project.write({ cases: { a: failed } });
    for (const paths of [
      [old, fresh],
      [fresh, old],
    ]) {
      await pin(project, paths);
      expect(figures(project)).toEqual([['a', 2, 2, 1]]);
    }
    await pin(project, [old, project.write({ cases: { a: failed }, suite: { filtered: true } })]);
    expect(figures(project)).toEqual([
      ['a', 2, 2, 1],
      ['b', 1, 1, 0],
    ]);
  });

  test.each<[string, Written]>([
    ['did not end', { end: null }],
    ['was stopped', { end: { stopReason: 'budget' } }],
    ['has errored cells', { cases: { a: passed, b: { status: 'errored' } } }],
  ])('takes a run that %s', async (_name, written) => {
    const project = openProject();
    await pin(project, [project.write(written)]);
    expect(figures(project)).toEqual([['a', 1, 1, 0]]);
  });

  test.each<[string, Written | undefined, string]>([
    ['no baseline', undefined, 'suite triage has no baseline to pin'],
    ['no accepted verdict', { cases: { a: { status: 'errored' } } }, 'suite triage has no accepted verdict to pin'],
  ])('can not be made of %s', async (_name, written, message) => {
    const project = openProject();
    if (written !== undefined) await project.accept(project.write(written), { force: true });
    expect(await problemsOf(pin(project))).toEqual([
      message,
      '→ accept a run with `llmcheck baseline accept`, or name runs: llmcheck baseline pin --from RUN',
    ]);
  });

  test.each<[string, Written, Written]>([
    ['has another prompt text, another model, or other parameters or settings', {}, { variants: [{ model: 'other' }] }],
    ['has other cases or other checks', {}, { cases: { b: passed } }],
    ['has other cases or other checks', {}, { cases: { a: { caseHash: 'other' } } }],
    [
      'has other cases or other checks',
      { cases: { a: { caseHash: 'h@f:cat' } } },
      { cases: { a: { caseHash: 'h@f:dog' } } },
    ],
  ])('can not be made of runs of which one %s', async (what, first, second) => {
    const project = openProject();
    const [old, fresh] = [project.write(first), project.write(second)];
    const named = (path: string) => path.slice(project.root.length + 1);
    expect(await problemsOf(pin(project, [fresh, old]))).toEqual([
      `triage: v1 × p ${what} in ${named(old)} than in ${named(fresh)}, the newest run`,
      '→ leave that run out of --from',
    ]);
    expect(reference(project)).toBeUndefined();
    const every = await problemsOf(pin(project, [old, project.write(first), project.write(second)]));
    expect(every.filter((line) => line.includes(what))).toHaveLength(2);
  });

  test('may be made of runs that share a case, or that lack a variant', async () => {
    const project = openProject();
    const old = project.write({ cases: { a: { caseHash: 'other' }, b: passed } });
    const fresh = project.write({
      cases: { a: passed, b: passed },
      variants: [{}, { prompt: 'v2' }],
      more: [rowOf('a', { prompt: 'v2' })],
    });
    await pin(project, [old, fresh]);
    expect(reference(project)?.cases.map(({ caseId, prompt, pooled }) => [caseId, prompt, pooled?.runs])).toEqual([
      ['a', 'v1', 1],
      ['a', 'v2', 1],
      ['b', 'v1', 2],
    ]);
  });

  test('needs a verdict of each suite in one of the named runs', async () => {
    const project = openProject();
    const empty = project.write({ cases: { a: { status: 'errored' } } });
    const other = { id: 'other', path: 'evals/other.eval.yaml' };
    const suites = { suites: [triage, other], projectSuites: [triage, other] };
    const hint = '→ name another run, or the suites to pin';
    expect(await problemsOf(pin(project, [empty], suites))).toEqual([
      'none of the named runs has a verdict of suite triage',
      hint,
      'none of the named runs has a verdict of suite other',
      hint,
    ]);
    expect(await problemsOf(pin(project, [empty, project.write({})], suites))).toEqual([
      'none of the named runs has a verdict of suite other',
      hint,
    ]);
    expect(reference(project)).toBeUndefined();
  });

  test('is removed, where there is one, also a damaged one', async () => {
    const project = openProject();
    await pin(project, [project.write({})]);
    const unpin = () => unpinReferences(projectOf(project, buildSuite([], triage)), project.root);
    const removed = { suite: 'triage', file: 'evals/triage.reference.jsonl' };
    expect(unpin()).toEqual([{ ...removed, isRemoved: true }]);
    expect(unpin()).toEqual([{ ...removed, isRemoved: false }]);
    writeFileSync(project.path('evals/triage.reference.jsonl'), 'nonsense');
    expect(unpin()).toEqual([{ ...removed, isRemoved: true }]);
  });
});

function projectOf({ root }: Opened, ...suites: readonly Suite[]): Project {
  return { root, suites } as Partial<Project> as Project;
}

describe('baselines', () => {
  test('are listed by suite, and then those without a suite', async () => {
    const project = openProject();
    const more = [rowOf('a', { prompt: 'v2' }), rowOf('c', { prompt: 'v2' })];
    const path = project.write({ cases: { a: passed, b: passed }, variants: [{}, { prompt: 'v2' }], more });
    await project.accept(path);
    await pin(project);
    const none = { id: 'none', path: 'evals/none.eval.yaml' };
    const all = projectOf(project, buildSuite([], triage), buildSuite([], none));
    const row = { baseline: 'evals/triage.baseline.jsonl', variants: ['v1 × p', 'v2 × p'], cases: 3 };
    expect(listBaselines(all, [project.path('evals/triage.baseline.jsonl')], project.root)).toEqual([
      { suite: 'triage', ...row, pinned: 'evals/triage.reference.jsonl' },
      { suite: 'none', baseline: 'none yet', pinned: null, variants: [], cases: 0 },
      { suite: 'none: removed or renamed', ...row, pinned: null },
    ]);
    expect(
      await problemsOf(Promise.resolve().then(() => listBaselines(all, ['/etc/hosts'], project.root))),
    ).toHaveLength(2);
  });

  test('are shown case by case, and references apart from them', async () => {
    const project = openProject();
    const long = 'x'.repeat(81);
    await project.accept(project.write({ cases: { a: [{ output: long }, failed], b: passed } }));
    await project.accept(
      project.write({
        cases: { a: { output: long }, b: { output: undefined, answerHash: 'hash' }, c: { status: 'errored' } },
      }),
      { force: true },
    );
    const show = (isPinned: boolean) =>
      showBaselines(projectOf(project, buildSuite([], triage)), project.root, isPinned);
    const where = { suite: 'triage', prompt: 'v1', provider: 'p' };
    expect(show(false)).toEqual([
      { ...where, case: 'a', passed: '2 of 3', runs: 2, answer: 'x'.repeat(80) },
      { ...where, case: 'b', passed: '2 of 2', runs: 2, answer: 'hash' },
      { ...where, case: 'c', passed: '0 of 0', runs: 0, answer: expect.anything() },
    ]);
    expect(show(true)).toEqual([]);
    await pin(project);
    expect(show(true)).toEqual([
      { ...where, case: 'a', passed: '2 of 3', runs: 2, answer: null },
      { ...where, case: 'b', passed: '2 of 2', runs: 2, answer: null },
    ]);
  });
});
