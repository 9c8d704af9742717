import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRecordedSuiteFiles } from '../../src/baseline/accept-baseline.ts';
import { buildHeader, makeFolder } from '../record/build-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { openTempProject } from '../support/temp-project.ts';
import { writeStoredRun } from '../support/write-run.ts';
import { failed, firstId as id, openProject, passed, problemsOf, rowOf, type Written } from './record-project.ts';

const shown = `.llmcheck/runs/${id}.jsonl`;
const again = `go on with \`llmcheck run --resume ${id}\``;
const force = `accept it with \`llmcheck baseline accept --run ${id} --force\``;

describe('a run is refused', () => {
  test.each<[string, Written, readonly string[]]>([
    ['that did not end', { end: null }, [`${shown} is incomplete (interrupted)`, `→ ${again}, or ${force}`]],
    [
      'that was stopped',
      { end: { stopReason: 'budget' } },
      [`${shown} is incomplete (budget)`, `→ ${again}, or ${force}`],
    ],
    [
      'with errored cells',
      { cases: { a: { status: 'errored' }, b: passed, c: { status: 'errored' } } },
      ['triage: v1 × p has 2 errored cells', `→ run them again with \`llmcheck run --resume ${id}\`, or ${force}`],
    ],
    [
      'with a broken must-pass case',
      { cases: { a: [{ ...failed, mustPass: true }, { mustPass: true }], b: failed } },
      ['triage: v1 × p: must-pass case a failed in 1 of 2 trials', `→ fix it, or ${force}`],
    ],
    [
      'with one that fresh trials confirmed',
      {
        cases: { a: { ...failed, mustPass: true } },
        more: [
          rowOf('a', { ...failed, mustPass: true, trial: 1, confirmation: true }),
          rowOf('a', { mustPass: true, trial: 2, confirmation: true }),
          rowOf('a', { ...failed, mustPass: true, trial: 3, confirmation: true }),
        ],
      },
      ['triage: v1 × p: must-pass case a failed in 1 of 1 trials and in 2 of 3 fresh trials', `→ fix it, or ${force}`],
    ],
    [
      'with one of the prompt that replaces another',
      {
        variants: [{}, { prompt: 'v2', replaces: 'v1' }],
        cases: { a: { mustPass: true } },
        more: [rowOf('a', { ...failed, prompt: 'v2', mustPass: true })],
      },
      ['triage: v2 × p: must-pass case a failed in 1 of 1 trials', `→ fix it, or ${force}`],
    ],
    [
      'for each reason',
      { cases: { a: { status: 'errored' }, b: { ...failed, mustPass: true } }, end: null },
      [
        `${shown} is incomplete (interrupted)`,
        `→ ${again}, or ${force}`,
        'triage: v1 × p has 1 errored cell',
        `→ run them again with \`llmcheck run --resume ${id}\`, or ${force}`,
        'triage: v1 × p: must-pass case b failed in 1 of 1 trials',
        `→ fix it, or ${force}`,
      ],
    ],
  ])('%s, unless it is forced', async (_name, written, problems) => {
    const project = openProject();
    const path = project.write(written);
    expect(await problemsOf(project.accept(path))).toEqual(problems);
    expect(project.rows()).toBeUndefined();
    expect((await project.accept(path, { force: true })).map(({ isChanged }) => isChanged)).toEqual([true]);
  });

  test.each<[string, Written, readonly string[]]>([
    [
      'that compares providers',
      { settings: { swap: [{ provider: 'p', candidates: ['q'] }] } },
      [
        `${shown} compares candidates for a provider (--swap), and is no baseline`,
        '→ write the provider that you choose in the suite, run it, and accept that run',
      ],
    ],
    [
      'of a suite with another path',
      { suite: { path: 'evals/other.eval.yaml' } },
      [
        `${shown} holds the suite "triage" at "evals/other.eval.yaml", and the project has no such suite`,
        '→ accept it in the project that it was run in, or run the suite again after a change of its id or path',
      ],
    ],
    [
      'of a suite with another id',
      { suite: { suite: 'other' } },
      [
        `${shown} holds the suite "other" at "evals/triage.eval.yaml", and the project has no such suite`,
        '→ accept it in the project that it was run in, or run the suite again after a change of its id or path',
      ],
    ],
  ])('%s, also if it is forced', async (_name, written, problems) => {
    const project = openProject();
    const path = project.write({ ...written, cases: {} });
    expect(await problemsOf(project.accept(path, { force: true }))).toEqual(problems);
  });

  test('without a wanted suite, and an unwanted one is not looked at', async () => {
    const project = openProject();
    const path = project.write({ suite: { path: 'evals/other.eval.yaml' } });
    expect(await problemsOf(project.accept(path, { isWanted: () => false, force: true }))).toEqual([
      `${shown} holds no case of these suites`,
      '→ `llmcheck list runs` shows what each stored run has; --run takes another',
    ]);
  });

  test('and the commands name the config and a record elsewhere', async () => {
    const project = openProject();
    const path = project.write({ end: null });
    expect(await problemsOf(project.accept(path, { configPath: 'my config.yaml' }))).toEqual([
      `${shown} is incomplete (interrupted)`,
      `→ go on with \`llmcheck run --resume ${id} -c 'my config.yaml'\`, or accept it with \`llmcheck baseline accept --run ${id} -c 'my config.yaml' --force\``,
    ]);
    const elsewhere = makeFolder();
    const moved = writeStoredRun(
      elsewhere,
      buildHeader({ id: 'x', suites: [buildRecordedSuite([buildVariant(0)])] }),
      [],
    );
    const [, hint = ''] = await problemsOf(project.accept(moved));
    expect(hint).toContain('accept --run x --force');
    const copy = join(project.root, 'x.jsonl');
    writeFileSync(
      copy,
      `${JSON.stringify(buildHeader({ id: 'x', suites: [buildRecordedSuite([buildVariant(0)])] }))}\n`,
    );
    const [, other = ''] = await problemsOf(project.accept(copy));
    expect(other).toContain('accept --run x.jsonl --force');
  });
});

describe('a run is accepted', () => {
  test.each<[string, Written]>([
    ['that was decided early', { end: { stopReason: 'decided' } }],
    ['whose failing case need not pass', { cases: { a: failed } }],
    [
      'whose failing must-pass case is observed',
      { cases: { a: passed, b: { ...failed, mustPass: true, observe: true } } },
    ],
    [
      'whose failing must-pass case is of a replaced prompt',
      {
        variants: [{}, { prompt: 'v2', replaces: 'v1' }],
        cases: { a: { ...failed, mustPass: true } },
        more: [rowOf('a', { prompt: 'v2' })],
      },
    ],
  ])('%s', async (_name, written) => {
    const project = openProject();
    expect(await project.accept(project.write(written))).toHaveLength(1);
  });

  test('without the rows of the baseline that ran again beside it', async () => {
    const project = openProject();
    const variants = [{}, { prompt: 'v1@baseline', baselineOf: 'v1' }];
    const more = [rowOf('a', { prompt: 'v1@baseline', status: 'errored' })];
    const [accepted] = await project.accept(project.write({ variants, more }));
    expect(accepted).toMatchObject({ cases: 1, variants: 1 });
    expect(project.rows()?.cases.map(({ prompt }) => prompt)).toEqual(['v1']);
  });

  test('in part where it left a version out, whose rows stay as they were', async () => {
    const project = openProject();
    const more = [rowOf('a', { prompt: 'v2', answerId: 'v2' })];
    await project.accept(project.write({ variants: [{}, { prompt: 'v2' }], more }));
    await project.accept(project.write({ cases: { b: passed }, suite: { filtered: true } }));
    expect(project.rows()?.cases.map((row) => [row.caseId, row.prompt, row.otherVariant])).toEqual([
      ['a', 'v1', undefined],
      ['a', 'v2', undefined],
      ['b', 'v1', undefined],
    ]);
  });

  test('in part where it was filtered or decided early: other rows stay', async () => {
    const project = openProject();
    const names = () => project.rows()?.cases.map(({ caseId }) => caseId);
    await project.accept(project.write({ cases: { a: passed, b: passed } }));
    await project.accept(project.write({ cases: { c: passed }, suite: { filtered: true } }));
    expect(names()).toEqual(['a', 'b', 'c']);
    await project.accept(project.write({ cases: { d: passed }, end: { stopReason: 'decided' } }));
    expect(names()).toEqual(['a', 'b', 'c', 'd']);
    const path = project.write({ cases: { e: passed } });
    expect(await project.accept(path)).toEqual([
      {
        suite: 'triage',
        file: 'evals/triage.baseline.jsonl',
        isChanged: true,
        cases: 1,
        variants: 1,
        knownFailures: [],
        stillExpected: [],
      },
    ]);
    expect(names()).toEqual(['e']);
    expect(await project.accept(path)).toMatchObject([{ isChanged: false }]);
  });
});

describe('failing cases', () => {
  const known = (caseId: string, reason = 'lacks x') => ({
    suite: 'triage',
    caseId,
    prompt: 'v1',
    provider: 'p',
    reason,
  });

  test.each<[string, Written['cases'], readonly string[]]>([
    ['that fail in half of their trials', { a: [passed, failed], b: [passed, passed, failed] }, ['a']],
    ['that fail in all', { a: [failed, failed], b: passed }, ['a']],
    ['that are not observed', { a: failed, b: { ...failed, observe: true } }, ['a']],
    ['whose cells did not error', { a: failed, b: { status: 'errored' } }, ['a']],
    [
      'that must pass, by one trial',
      { a: [{ mustPass: true }, { mustPass: true }, { ...failed, mustPass: true }] },
      ['a'],
    ],
  ])('become known ones: %s', async (_name, cases = {}, ids) => {
    const project = openProject();
    const [accepted] = await project.accept(project.write({ cases }), { force: true });
    expect(accepted?.knownFailures).toEqual(ids.map((caseId) => known(caseId)));
    expect(accepted?.stillExpected).toEqual([]);
  });

  test('have a reason: the first failed check, else the error, else none', async () => {
    const project = openProject();
    const cases = {
      a: [passed, failed],
      b: { ...failed, checks: [], error: { kind: 'check', message: 'it broke', attempts: 1 } as const },
      c: { ...failed, checks: [] },
    };
    const [accepted] = await project.accept(project.write({ cases }));
    expect(accepted?.knownFailures).toEqual([known('a'), known('b', 'it broke'), known('c', 'failed')]);
  });

  test('are known already where they were accepted with the same checks', async () => {
    const project = openProject();
    const cases = { a: failed, b: failed, c: passed };
    await project.accept(project.write({ cases }));
    const [accepted] = await project.accept(
      project.write({ cases: { a: failed, b: { ...failed, caseHash: 'other' }, c: failed } }),
      { knownFailures: true },
    );
    expect(accepted).toMatchObject({ knownFailures: [known('b'), known('c')], stillExpected: [] });
  });

  test('are still expected to pass if most of their earlier trials passed, unless they are taken as known', async () => {
    const project = openProject();
    const first = project.write({ cases: { a: [passed, passed], b: passed, c: { mustPass: true } } });
    const second = project.write({ cases: { a: failed, b: failed, c: { ...failed, mustPass: true } } });
    await project.accept(first);
    const [accepted] = await project.accept(second, { force: true, knownFailures: false });
    expect(accepted).toMatchObject({ knownFailures: [known('b'), known('c')], stillExpected: [known('a')] });
    const other = openProject();
    await other.accept(other.write({ cases: { a: [passed, passed], b: passed } }));
    const [taken] = await other.accept(other.write({ cases: { a: failed, b: passed } }), { knownFailures: true });
    expect(taken).toMatchObject({ knownFailures: [known('a')], stillExpected: [] });
    expect(other.rows()?.cases.map(({ caseId, pooled }) => [caseId, pooled?.runs])).toEqual([
      ['a', undefined],
      ['b', 2],
    ]);
  });

  test('are none for a replaced prompt', async () => {
    const project = openProject();
    const variants = [{}, { prompt: 'v2', replaces: 'v1' }];
    const path = project.write({ variants, cases: { a: failed }, more: [rowOf('a', { ...failed, prompt: 'v2' })] });
    const [accepted] = await project.accept(path);
    expect(accepted?.knownFailures.map(({ prompt }) => prompt)).toEqual(['v2']);
  });
});

test('the suite files of a record are those that are there, within the project', () => {
  const project = openTempProject();
  const root = project.path('inside');
  project.write('inside/evals/one.eval.yaml', '');
  project.write('inside/evals/folder/x.txt', '');
  const suites = [
    'evals/one.eval.yaml',
    'evals/none.eval.yaml',
    'evals/folder',
    '../outside.eval.yaml',
    join(root, 'evals/one.eval.yaml'),
  ];
  const header = buildHeader({ suites: suites.map((path) => buildRecordedSuite([], {}, { suite: path, path })) });
  const record = writeStoredRun(root, header, []);
  project.write('outside.eval.yaml', '');
  expect(findRecordedSuiteFiles(record, root)).toEqual([join(root, 'evals/one.eval.yaml')]);
});
