import { expect, test } from 'vitest';
import { openAccepted, type Reply, words, wordsSuite } from './run-project.ts';

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

test('an early run asks its cases in batches, and leaves out the rest once a drop is excluded', async () => {
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
    `"new, w30, w31 0 skipped by case, w32, w35 0 failed, w34, w36, w35 again 1 failed, w35 accepted passed, w35 again 2 failed, w35 again 3 passed, w35 again 4 passed, w01, w02, w03, w08, w09, w13, w14, w15, w19, w22, w04, w06, w07, w11, w21, w24, w25, w29, w33, w38, w00, w05, w12, w16, w18, w23, w26, w27, w37, w39, w10, w17, w20, w28"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "passed",
      "warning: words · v1 × own: case w35 failed 3 times and then passed a confirmation trial",
    ]
  `);
});

test('an early run fails once a fall is confirmed, and asks nothing after it', async () => {
  const project = await openEdited(60);
  project.reply = wrongAt(...words(60).filter((_, index) => index % 10 !== 0));
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w01 0 failed, w02 0 failed, w03 0 failed, w09 0 failed, w13 0 failed, w14 0 failed, w15 0 failed, w19 0 failed, w22 0 failed, w59 0 failed, w02 accepted passed, w59 accepted passed, w13 accepted passed, w15 accepted passed, w01 accepted passed, w19 accepted passed, w22 accepted passed, w09 accepted passed, w03 accepted passed, w14 accepted passed, w04 -, w06 -, w08 -, w11 -, w24 -, w32 -, w48 -, w49 -, w52 -, w54 -, w07 -, w21 -, w29 -, w31 -, w33 -, w38 -, w46 -, w47 -, w55 -, w58 -, w16 -, w18 -, w25 -, w34 -, w36 -, w39 -, w42 -, w43 -, w44 -, w45 -, w05 -, w12 -, w23 -, w27 -, w37 -, w41 -, w50 -, w51 -, w56 -, w57 -, w00 -, w10 -, w17 -, w20 -, w26 -, w28 -, w30 -, w35 -, w40 -, w53 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed, stopped by decided",
      "pass-rate-regressed: pass rate fell: −100.0 pts, and a drop beyond 30 pts is not excluded, seen again in the confirmation trials of 10 cases",
      "warning: words · v1 × own: 10 cases look broken too and were not asked again: w01, w02, w03, w09, w13 and 5 more",
    ]
  `);
});

test('an early run fails at a case that must pass before it asks another', async () => {
  const project = await openEdited(40, wide, (word) => (word === 'w20' ? ', mustPass: true' : ''));
  project.reply = wrongAt('w20');
  const run = await project.go(early);
  expect(inShort(run)).toMatchInlineSnapshot(
    `"w20 0 failed, w20 again 1 failed, w20 again 2 failed, w01 -, w02 -, w03 -, w08 -, w09 -, w13 -, w14 -, w15 -, w19 -, w22 -, w04 -, w06 -, w07 -, w11 -, w21 -, w24 -, w29 -, w31 -, w32 -, w33 -, w12 -, w16 -, w18 -, w23 -, w25 -, w34 -, w36 -, w37 -, w38 -, w39 -, w00 -, w05 -, w10 -, w17 -, w26 -, w27 -, w28 -, w30 -, w35 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed, stopped by decided",
      "must-pass: must-pass case w20 failed in 1 of 1 trials and in 2 of 2 confirmation trials",
    ]
  `);
});

test('an early run ends one variant and asks the others on', async () => {
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
    `"w01, w02, w03, w08, w09, w13, w14, w15 0 failed, w19, w22, w15 again 1 failed, w15 accepted failed, w15 accepted failed, w04, w06, w07, w11, w21, w24, w29, w31, w32, w33, w12, w16, w18, w23, w25 0 failed, w34, w36, w37, w38, w39, w25 again 1 failed, w25 accepted failed, w25 accepted failed, w00 -, w05 -, w10 -, w17 -, w20 -, w26 -, w27 -, w28 -, w30 -, w35 -"`,
  );
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "passed, stopped by decided",
      "warning: words · v1 × new: case w15 passed 1 of 1 trials on the baseline and now failed all 2; the accepted prompt failed 2 of 2: the model or the data changed, not this prompt",
      "warning: words · v1 × new: case w25 passed 1 of 1 trials on the baseline and now failed all 2; the accepted prompt failed 2 of 2: the model or the data changed, not this prompt",
    ]
  `);
});

test('an early run that is stopped makes no further attempt, and goes on in the order in which it began', async () => {
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
