import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../src/model/run/cell.ts';
import { defaultGate, type GatePolicy } from '../../../src/model/suite/gate-policy.ts';
import { Attempts, orderCases } from '../../../src/run/asking/ask-early.ts';
import type { Run } from '../../../src/run/open-run.ts';
import { rankOf } from '../../../src/verdict/gate/early-end.ts';
import { buildCell, buildPrompt, buildSuite } from '../../support/build-case.ts';
import { buildRowSummary, rowsOf, summarize } from '../../support/build-summary.ts';
import { openAccepted, type Reply, words, wordsSuite } from '../run-project.ts';

const file = 'evals/words.eval.yaml';
const early = { early: true, seed: 1 } as const;
// With this margin an unchanged suite is decided after 20 cases.
const wide = 'gate: { passRate: { maxDrop: 0.3 } }';

/** The edited prompt fails at these words, ever. */
const wrongAt =
  (...wrong: readonly string[]): Reply =>
  (text) => {
    const word = text.replace(/^.*: /, '');
    return text.startsWith('Please') && wrong.includes(word) ? 'sorry' : word;
  };

async function openEdited(count: number, gate = wide, ofCase?: (word: string) => string) {
  const project = await openAccepted({ [file]: wordsSuite(count, gate, ofCase) });
  project.edit(file, 'Say:', 'Please say:');
  return project;
}

/** The cases in the order of their rows, without the status of those that passed. */
const inShort = ({ rows }: { readonly rows: readonly string[] }) =>
  rows.map((row) => row.replace(/ 0 passed$/, '').replace(' 0 skipped by decided', ' -')).join(', ');

test('an early run asks its cases in batches, and leaves out the rest once a drop is excluded', {
  tags: 'slow',
}, async () => {
  const project = await openEdited(40);
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w01, w02, w03, w08, w09, w13, w14, w15, w19, w22, w04, w06, w07, w11, w21, w24, w29, w31, w32, w33, w12 -, w16 -, w18 -, w23 -, w25 -, w34 -, w36 -, w37 -, w38 -, w39 -, w00 -, w05 -, w10 -, w17 -, w20 -, w26 -, w27 -, w28 -, w30 -, w35 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "passed, stopped by decided",
    ]
  `);
  const other = await project.go({ early: true, seed: 2, cache: 'off' });
  expect(inShort(other)).not.toBe(inShort(run));
});

test('an early run asks first what an average does not speak for', async () => {
  const project = await openEdited(
    40,
    'gate: { passRate: { maxDrop: 0.3 }, slices: { few: { passRate: { min: 0.5 } }, many: { passRate: { maxDrop: 0.5 } } } }',
    (word) =>
      word === 'w30'
        ? ', mustPass: true'
        : word === 'w31'
          ? ', skip: later'
          : word === 'w32'
            ? ', tags: [few]'
            : word === 'w33'
              ? ', tags: [many]'
              : '',
  );
  project.edit(file, 'id: w34, vars: { word: w34 }', 'id: w34, vars: { word: w34, more: 1 }');
  project.edit(file, 'cases:\n', 'cases:\n  - { id: new, vars: { word: new } }\n');
  project.reply = wrongAt('w35');
  const failed = await project.go({ filter: ['w35', 'w36'], baseline: false });
  expect(failed.rows).toContain('w35 0 failed');
  project.reply = wrongAt();
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"new, w30, w31 0 skipped by case, w32, w35 0 failed, w34, w36, w35 again failed, w35 accepted passed, w35 again failed, w35 accepted passed, w35 again failed, w35 accepted passed, w35 again failed, w35 accepted passed, w35 again failed, w35 accepted passed, w35 again failed, w35 accepted passed, w01 -, w02 -, w03 -, w08 -, w09 -, w13 -, w14 -, w15 -, w19 -, w22 -, w04 -, w06 -, w07 -, w11 -, w21 -, w24 -, w25 -, w29 -, w33 -, w38 -, w00 -, w05 -, w12 -, w16 -, w18 -, w23 -, w26 -, w27 -, w37 -, w39 -, w10 -, w17 -, w20 -, w28 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed, stopped by decided",
      "case-broken: case w35 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4",
    ]
  `);
});

test('an early run fails once a fall is seen again, and asks nothing after it', async () => {
  const project = await openEdited(60);
  project.reply = wrongAt(...words(60).filter((_, index) => index % 10 !== 0));
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w01 0 failed, w02 0 failed, w03 0 failed, w09 0 failed, w13 0 failed, w14 0 failed, w15 0 failed, w19 0 failed, w22 0 failed, w59 0 failed, w02 again failed, w02 accepted passed, w59 accepted passed, w59 again failed, w13 again failed, w13 accepted passed, w15 accepted passed, w15 again failed, w01 again failed, w01 accepted passed, w19 again failed, w19 accepted passed, w22 accepted passed, w22 again failed, w09 accepted passed, w09 again failed, w03 accepted passed, w03 again failed, w14 accepted passed, w14 again failed, w04 -, w06 -, w08 -, w11 -, w24 -, w32 -, w48 -, w49 -, w52 -, w54 -, w07 -, w21 -, w29 -, w31 -, w33 -, w38 -, w46 -, w47 -, w55 -, w58 -, w16 -, w18 -, w25 -, w34 -, w36 -, w39 -, w42 -, w43 -, w44 -, w45 -, w05 -, w12 -, w23 -, w27 -, w37 -, w41 -, w50 -, w51 -, w56 -, w57 -, w00 -, w10 -, w17 -, w20 -, w26 -, w28 -, w30 -, w35 -, w40 -, w53 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed, stopped by decided",
      "pass-rate-regressed: pass rate fell: −100.0 pts, and a drop beyond 30 pts is not excluded, seen again in fresh trials of 10 cases",
      "warning: words · v1 × own: 10 failures are not settled: w01, w02, w03, w09, w13 and 5 more; the calls for fresh trials were used up before they were settled",
    ]
  `);
});

test('an early run fails at a case that must pass before it asks another', async () => {
  const project = await openEdited(40, wide, (word) => (word === 'w20' ? ', mustPass: true' : ''));
  project.reply = wrongAt('w20');
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w20 0 failed, w20 again failed, w20 accepted passed, w20 again failed, w20 accepted passed, w01 -, w02 -, w03 -, w08 -, w09 -, w13 -, w14 -, w15 -, w19 -, w22 -, w04 -, w06 -, w07 -, w11 -, w21 -, w24 -, w29 -, w31 -, w32 -, w33 -, w12 -, w16 -, w18 -, w23 -, w25 -, w34 -, w36 -, w37 -, w38 -, w39 -, w00 -, w05 -, w10 -, w17 -, w26 -, w27 -, w28 -, w30 -, w35 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed, stopped by decided",
      "must-pass: must-pass case w20 failed 1 of 1 trial, and 2 of 2 fresh ones; the accepted prompt failed 0 of 2",
    ]
  `);
});

test('an early run ends one variant and asks the others on', { tags: 'slow' }, async () => {
  const project = await openAccepted({
    [file]: wordsSuite(40, wide).replace('}]\ndefaults', '}, { id: new, use: "own:newer" }]\ndefaults'),
  });
  project.edit(file, 'Say:', 'Please say:');
  project.reply = (text, asked, model) =>
    model === 'newer' && Number(text.slice(-2)) % 5 === 0 ? 'sorry' : wrongAt()(text, asked, model);
  const run = await project.go(early);
  const isNew = (row: string) => row.startsWith('v1 × new');
  expect(inShort({ rows: run.rows.filter((row) => !isNew(row)) })).toMatchInlineSnapshot(
    `"w01, w02, w03, w08, w09, w13, w14, w15, w19, w22, w04, w06, w07, w11, w21, w24, w29, w31, w32, w33, w12 -, w16 -, w18 -, w23 -, w25 -, w34 -, w36 -, w37 -, w38 -, w39 -, w00 -, w05 -, w10 -, w17 -, w20 -, w26 -, w27 -, w28 -, w30 -, w35 -"`,
  );
  expect(inShort({ rows: run.rows.filter(isNew) }).replaceAll('v1 × new ', '')).toMatchInlineSnapshot(
    `"w01, w02, w03, w08, w09, w13, w14, w15 0 failed, w19, w22, w15 again failed, w15 accepted failed, w15 again failed, w15 accepted failed, w15 again failed, w15 accepted failed, w15 again failed, w15 accepted failed, w04, w06, w07, w11, w21, w24, w29, w31, w32, w33, w12, w16, w18, w23, w25 0 failed, w34, w36, w37, w38, w39, w25 again failed, w25 accepted failed, w25 accepted failed, w25 again failed, w25 accepted failed, w25 again failed, w25 accepted failed, w25 again failed, w00 -, w05 -, w10 -, w17 -, w20 -, w26 -, w27 -, w28 -, w30 -, w35 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "passed, stopped by decided",
      "warning: words · v1 × new: case w15 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 4 of 4: the model or the data changed, not this prompt",
      "warning: words · v1 × new: case w25 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 4 of 4: the model or the data changed, not this prompt",
    ]
  `);
});

const eachOf = (distance: number) => words(60).filter((_, index) => index % distance === 1);

test('an early run spends a part of its level on each attempt, and confirms less by it than the end does', async () => {
  const project = await openEdited(60);
  project.reply = wrongAt(...eachOf(5));
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w01 0 failed, w02, w03, w09, w13, w14, w15, w19, w22, w59, w01 again failed, w01 accepted passed, w01 again failed, w01 accepted passed, w01 again failed, w01 accepted passed, w01 again failed, w01 accepted passed, w01 again failed, w01 accepted passed, w01 again failed, w01 accepted passed, w04 -, w06 -, w08 -, w11 -, w24 -, w32 -, w48 -, w49 -, w52 -, w54 -, w07 -, w21 -, w29 -, w31 -, w33 -, w38 -, w46 -, w47 -, w55 -, w58 -, w16 -, w18 -, w25 -, w34 -, w36 -, w39 -, w42 -, w43 -, w44 -, w45 -, w05 -, w12 -, w23 -, w27 -, w37 -, w41 -, w50 -, w51 -, w56 -, w57 -, w00 -, w10 -, w17 -, w20 -, w26 -, w28 -, w30 -, w35 -, w40 -, w53 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed, stopped by decided",
      "case-broken: case w01 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4",
    ]
  `);
});

test('an early run that may confirm nothing ends with what it has seen', async () => {
  const project = await openEdited(40, 'gate: { passRate: { maxDrop: 0.3 }, confirm: { budget: 0 } }');
  project.reply = wrongAt(...eachOf(4));
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w01 0 failed, w02, w03, w08, w09 0 failed, w13 0 failed, w14, w15, w19, w22, w04, w06, w07, w11, w21 0 failed, w24, w29 0 failed, w31, w32, w33 0 failed, w12, w16, w18, w23, w25 0 failed, w34, w36, w37 0 failed, w38, w39, w00, w05 0 failed, w10, w17 0 failed, w20, w26, w27, w28, w30, w35"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "inconclusive",
      "unsettled: case w01 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w05 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w09 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w13 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w17 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w21 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w25 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w29 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w33 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: case w37 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "unsettled: pass rate fell: −25.0 pts [−41.0, −13.1], and a drop beyond 30 pts is not excluded, and gate.confirm.budget is 0",
      "warning: words · v1 × own: 10 failures are not settled: w01, w05, w09, w13, w17 and 5 more; gate.confirm.budget is 0, so they were not asked again",
      "warning: words · v1 × own: pass rate fell: −25.0 pts [−41.0, −13.1], and a drop beyond 30 pts is not excluded, and gate.confirm.budget is 0",
    ]
  `);
});

test('an early run asks each accepted prompt twice at first, and then as often as it wants', {
  tags: 'slow',
}, async () => {
  const project = await openAccepted({
    [file]: wordsSuite(40, wide, (word) => (Number(word.slice(1)) % 4 === 0 ? ', providers: [own]' : '')).replace(
      '}]\ndefaults',
      '}, { id: new, use: "own:newer" }]\ndefaults',
    ),
  });
  project.edit(file, 'Say:', 'Please say:');
  project.reply = wrongAt(...eachOf(6));
  const { rows } = await project.go(early);
  expect(rows.filter((row) => /again|accepted/.test(row))).toMatchInlineSnapshot(`
    [
      "w19 again failed",
      "v1 × new w01 again failed",
      "w13 again failed",
      "v1 × new w13 again failed",
      "v1 × new w19 again failed",
      "w19 accepted passed",
      "v1 × new w01 accepted passed",
      "w13 accepted passed",
      "v1 × new w13 accepted passed",
      "w19 again failed",
      "v1 × new w01 accepted passed",
      "w19 accepted passed",
      "v1 × new w01 again failed",
      "w13 again failed",
      "v1 × new w13 accepted passed",
      "w13 accepted passed",
      "v1 × new w13 again failed",
      "w19 again failed",
      "v1 × new w01 accepted passed",
      "w19 accepted passed",
      "v1 × new w01 again failed",
      "w13 again failed",
      "w13 accepted passed",
      "w19 again failed",
      "v1 × new w01 accepted passed",
      "w19 accepted passed",
      "v1 × new w01 again failed",
      "w13 again failed",
      "w13 accepted passed",
      "w19 again failed",
      "w19 accepted passed",
      "w13 again failed",
      "w13 accepted passed",
      "w19 again failed",
      "w19 accepted passed",
      "w13 again failed",
      "w13 accepted passed",
      "w19 again failed",
      "w19 accepted passed",
      "w13 again failed",
      "w13 accepted passed",
      "v1 × new w01 accepted passed",
      "v1 × new w01 again failed",
      "v1 × new w13 accepted passed",
      "v1 × new w13 again failed",
      "v1 × new w01 accepted passed",
      "v1 × new w01 again failed",
      "v1 × new w01 accepted passed",
      "v1 × new w01 again failed",
      "v1 × new w13 accepted passed",
      "v1 × new w13 again failed",
      "v1 × new w13 accepted passed",
      "v1 × new w13 again failed",
      "v1 × new w13 accepted passed",
      "v1 × new w13 again failed",
      "v1 × new w13 accepted passed",
      "v1 × new w13 again failed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 again failed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 again failed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 again failed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 again failed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 again failed",
      "v1 × new w19 accepted passed",
      "v1 × new w19 again failed",
    ]
  `);
});

test('an early run asks again once twice as many cells have a result as when it did last', async () => {
  const project = await openEdited(40);
  // One fails in each of the first three batches of ten cases.
  const wrong = wrongAt('w01', 'w04', 'w12');
  project.reply = (text, asked, model) => (asked === 0 ? wrong : wrongAt())(text, asked, model);
  const { rows } = await project.go(early);
  const confirmed = rows.flatMap((row, index) => (row.includes(' again ') ? [[index, row]] : []));
  expect(confirmed).toEqual([
    [10, 'w01 again passed'],
    [21, 'w04 again passed'],
    [42, 'w12 again passed'],
  ]);
});

test('an early run that is stopped makes no further attempt, and goes on in the order in which it began', {
  tags: ['slow'],
}, async () => {
  const project = await openEdited(40);
  const whole = await project.go({ ...early, cache: 'off' });
  const stop = new AbortController();
  let seen = 0;
  const cut = await project.go({
    ...early,
    cache: 'off',
    signal: stop.signal,
    onEvent: ({ type }) => {
      if (type === 'cell-finished') seen += 1;
      if (seen === 12) stop.abort();
    },
  });
  expect(cut.verdict[0]).toBe('incomplete, stopped by interrupted');
  const resumed = await project.go({ resume: true });
  const asked = [...cut.rows, ...resumed.rows].filter((row) => row.endsWith('passed'));
  expect(asked.toSorted()).toEqual(whole.rows.filter((row) => row.endsWith('passed')).toSorted());
  expect(resumed.verdict).toEqual(whole.verdict);
});

describe('the batches of an early run', () => {
  const keyOf = (caseId: string, more: Partial<Cell['key']> = {}) => ({
    suite: 'triage',
    prompt: 'v1',
    provider: 'p',
    caseId,
    trial: 0,
    ...more,
  });
  const cellOf = (caseId: string, { key, ...more }: Partial<Cell> = {}): Cell =>
    buildCell({ key: { ...keyOf(caseId), ...key }, caseHash: 'same', ...more });

  interface Given {
    readonly cells: readonly Cell[];
    readonly slices?: GatePolicy['slices'];
    readonly failedInLatestRun?: readonly string[];
    /** Cases whose first request is answered without a call. */
    readonly answered?: readonly string[];
    /** Whether the row of a finished case came from the cache, by case. */
    readonly done?: Readonly<Record<string, boolean>>;
    readonly baseline?: object;
    readonly replaces?: string;
  }

  /** The cases of each batch. */
  function order(given: Given): readonly (readonly string[])[] {
    const { cells, slices, failedInLatestRun = [], answered = [], done = {}, baseline, replaces } = given;
    const gate: GatePolicy = { ...defaultGate, ...(slices !== undefined && { slices }) };
    const variants = [
      { prompt: buildPrompt({ id: 'v0' }) },
      { prompt: buildPrompt({ id: 'v1', ...(replaces !== undefined && { replaces }) }) },
    ];
    const names = Object.keys(done);
    const run = {
      planned: {
        plan: {
          suites: ['triage', 'other'].map((id) => ({ suite: buildSuite([], { id, gate }), variants })),
          providerKeys: ['a', 'b'],
          cells: (key: string) => cells.filter(({ key: { provider } }) => (key === 'a') === (provider === 'p')),
        },
      },
      caseOrderSeed: 'seed',
      earlier: { rowOf: ({ caseId }: Cell['key']) => (names.includes(caseId) ? names.indexOf(caseId) : undefined) },
      calls: { needsNoCall: ({ origin }: Cell['request']) => answered.includes(origin.caseId) },
      record: { readRow: (index: number) => ({ cached: done[names[index] ?? ''] }) },
      failedInLatestRun: new Set(failedInLatestRun),
      findBaseline: () => baseline,
    } as unknown as Run;
    return orderCases(run).map((batch) =>
      batch.map(({ suite, caseId }) => (suite === 'triage' ? caseId : `${suite} ${caseId}`)),
    );
  }

  const asking = (caseId: string, more: Partial<Cell> = {}): Cell => {
    const cell = cellOf(caseId, more);
    return { ...cell, request: { ...cell.request, origin: { ...cell.request.origin, caseId } } };
  };
  const ranked = (ids: readonly string[], suite = 'triage') =>
    ids.toSorted((a, b) => (rankOf('seed', suite, a) < rankOf('seed', suite, b) ? -1 : 1));

  test('hold ten cases at first and an eighth of those before them later, in random order', () => {
    const ids = words(130);
    const batches = order({ cells: ids.map((id) => cellOf(id)) });
    expect(batches.map(({ length }) => length)).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 10, 12, 13, 15]);
    expect(batches.flat()).toEqual(ranked(ids));
  });

  test('hold a part of each suite, and each case once however many cells it has', () => {
    const ids = words(12);
    const others = ids.map((id) => cellOf(id, { key: keyOf(id, { suite: 'other' }) }));
    const trials = ids.map((id) => cellOf(id, { key: keyOf(id, { trial: 1 }) }));
    const ofProvider = ids.map((id) => cellOf(id, { key: keyOf(id, { provider: 'q' }) }));
    const [own, other] = [ranked(ids), ranked(ids, 'other').map((id) => `other ${id}`)];
    expect(order({ cells: [...ids.map((id) => cellOf(id)), ...trials, ...ofProvider, ...others] })).toEqual([
      [...own.slice(0, 10), ...other.slice(0, 10)],
      [...own.slice(10), ...other.slice(10)],
    ]);
  });

  const verdicts = rowsOf('p')[0] ?? buildRowSummary();
  const known = (caseHash: string, trials: readonly object[] = [verdicts]) => ({ caseId: 'x', caseHash, trials });
  const ofFile = (cases: Readonly<Record<string, readonly (readonly [string, object])[]>>) => ({
    kind: 'file',
    baseline: { casesOf: ({ prompt }: { readonly prompt: string }) => new Map(cases[prompt] ?? []) },
  });
  const other = ['o', known('same')] as const;
  const errors = rowsOf('e');

  test.each<[string, Omit<Given, 'cells'> & { readonly x?: Partial<Cell> }, boolean]>([
    ['an ordinary one', {}, false],
    ['one that must pass', { x: { mustPass: true } }, true],
    ['one that failed lately', { failedInLatestRun: ['triage/x'] }, true],
    ['one of which another suite’s failed lately', { failedInLatestRun: ['other/x'] }, false],
    [
      'one of a slice with a least pass rate',
      { x: { slices: ['a', 'b'] }, slices: { b: { passRate: { min: 0.5 } } } },
      true,
    ],
    ['one of a slice with a margin', { x: { slices: ['b'] }, slices: { b: { passRate: { maxDrop: 0.5 } } } }, false],
    ['one of a slice that is not gated', { x: { slices: ['b'] } }, false],
    ['one that its suite skips', { x: { skip: 'later' } }, true],
    ['one that is answered without a call', { answered: ['x'] }, true],
    ['one that was answered without a call before', { done: { x: true } }, true],
    [
      'one that was asked before, though its answer is in the cache now',
      { done: { x: false }, answered: ['x'] },
      false,
    ],
    ['one that was accepted as it is', { baseline: ofFile({ v1: [other, ['x', known('same')]] }) }, false],
    ['one that was accepted as it was', { baseline: ofFile({ v1: [other, ['x', known('old')]] }) }, true],
    [
      'one that was accepted with another file',
      { x: { caseHash: 'same@file:dog' }, baseline: ofFile({ v1: [other, ['x', known('same@file:cat')]] }) },
      true,
    ],
    [
      'one that was accepted before files were hashed',
      { x: { caseHash: 'same@file:dog' }, baseline: ofFile({ v1: [other, ['x', known('same')]] }) },
      false,
    ],
    [
      'one that was accepted without a verdict',
      { baseline: ofFile({ v1: [other, ['x', known('same', errors)]] }) },
      true,
    ],
    ['one that is new', { baseline: ofFile({ v1: [other] }) }, true],
    ['one of which nothing was accepted', { baseline: ofFile({}) }, false],
    ['a new one of the replaced version', { baseline: ofFile({ v0: [other] }), replaces: 'v0' }, true],
    [
      'one that was accepted of the replaced version',
      { baseline: ofFile({ v0: [['x', known('same')]] }), replaces: 'v0' },
      false,
    ],
    [
      'one that was accepted of its own version rather than of the replaced one',
      { baseline: ofFile({ v1: [['x', known('same')]], v0: [other] }), replaces: 'v0' },
      false,
    ],
    ['a new one of a version that it does not replace', { baseline: ofFile({ v0: [other] }) }, false],
  ])('begin with %s, or do not', (_what, { x = {}, ...given }, isFirst) => {
    const plain = ['o', 'y'].map((id) => asking(id));
    const cells = [plain[0] ?? asking('o'), asking('x', x)];
    const batches = order({ cells, ...given });
    expect(batches[0]?.includes('x') === true && batches.length > 1 && !batches[1]?.includes('x')).toBe(isFirst);
  });

  test('begin with a case that costs nothing only where none of its cells costs something', () => {
    const free = asking('x', { skip: 'later' });
    const dear = asking('x', { key: keyOf('x', { provider: 'q' }) });
    const plain = asking('o');
    expect(order({ cells: [free, dear, plain] })).toEqual([ranked(['x', 'o'])]);
    const dearFirst = [asking('x'), asking('x', { key: keyOf('x', { provider: 'q' }), skip: 'later' }), plain];
    expect(order({ cells: dearFirst })).toEqual([ranked(['x', 'o'])]);
    const must = asking('x', { key: keyOf('x', { provider: 'q' }), mustPass: true });
    expect(order({ cells: [asking('x'), must, plain] })).toEqual([['x'], ['o']]);
    const on = (provider: string, more: Partial<Cell> = {}) => asking('x', { key: keyOf('x', { provider }), ...more });
    expect(order({ cells: [on('p', { mustPass: true }), on('q'), plain] })).toEqual([['x'], ['o']]);
  });
});

test.each([
  ['p', 100, 0.2],
  ['pppppffffe ppss', 100, 0.24],
  ['p'.repeat(30), 100, 0.5],
  ['p', 10, 0.5],
  ['', 0, 0.5],
])('an attempt after the cells %s of %i may use a part of the calls', (outcomes, planned, budget) => {
  const read = () => ({ summary: summarize(rowsOf(outcomes), { planned }) });
  const attempts = new Attempts({ record: { read } } as unknown as Run);
  expect([attempts.share(), attempts.budget()]).toEqual([expect.closeTo(0.1, 12), expect.closeTo(budget, 12)]);
});
