import { expect, test } from 'vitest';
import { openAccepted, type Reply, wordsSuite } from '../run-project.ts';

const file = 'evals/words.eval.yaml';
const say: Reply = (text) => text.replace(/^.*: /, '');

/** A project with an accepted baseline, whose prompt was edited after it. */
async function openEdited(count = 20, more = '', ofCase?: (word: string) => string) {
  const project = await openAccepted({ [file]: wordsSuite(count, more, ofCase) });
  project.edit(file, 'Say:', 'Please say:');
  return project;
}

/** The edited prompt fails at these words, each as often as it says. */
const failing =
  (times: Readonly<Record<string, number>>): Reply =>
  (text, asked, model) => {
    const word = text.replace(/^Please say: /, '');
    return asked < (times[word] ?? 0) ? 'sorry' : say(text, asked, model);
  };

const again = ({ rows, asked }: { readonly rows: readonly string[]; readonly asked: readonly string[] }) => ({
  rows: rows.filter((row) => /again|accepted/.test(row)),
  asked: asked.slice(rows.filter((row) => !/again|accepted|skipped/.test(row)).length),
});

const ever = Number.POSITIVE_INFINITY;

test('a run in which nothing looks worse asks nothing again', async () => {
  const project = await openEdited(8);
  const run = await project.go();
  expect([run.rows.length, run.asked.length]).toEqual([8, 8]);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "passed",
    ]
  `);
});

test('a case that broke is asked beside the accepted prompt, and one that flaked once', async () => {
  const project = await openEdited();
  project.reply = failing({ w03: ever, w04: 1 });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Say: w03",
        "Say: w03",
        "Say: w03",
        "Say: w03",
        "Please say: w04",
      ],
      "rows": [
        "w03 again 1 failed",
        "w03 accepted passed",
        "w03 again 2 failed",
        "w03 again 3 failed",
        "w03 again 4 failed",
        "w03 again 5 failed",
        "w03 again 6 failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w04 again 1 passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 1 of 1 trials on the baseline and now failed all 7; the accepted prompt failed 0 of 5",
      "warning: words · v1 × own: case w04 failed 1 time and then passed a confirmation trial",
    ]
  `);
});

test('an average that fell is confirmed by the accepted prompt alone, two of its trials first', {
  tags: 'slow',
}, async () => {
  const project = await openEdited(20, 'gate: { scope: population }');
  const broken = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`w${String(index + 4).padStart(2, '0')}`, 1]),
  );
  project.reply = failing(broken);
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Say: w02",
        "Say: w05",
        "Say: w07",
        "Say: w18",
        "Say: w00",
        "Say: w12",
        "Say: w16",
        "Say: w10",
        "Say: w13",
        "Say: w15",
        "Say: w01",
        "Say: w04",
        "Say: w19",
        "Say: w17",
        "Say: w06",
        "Say: w09",
        "Say: w08",
        "Say: w03",
        "Say: w11",
        "Say: w14",
      ],
      "rows": [
        "w02 accepted passed",
        "w05 accepted passed",
        "w07 accepted passed",
        "w18 accepted passed",
        "w00 accepted passed",
        "w12 accepted passed",
        "w16 accepted passed",
        "w10 accepted passed",
        "w13 accepted passed",
        "w15 accepted passed",
        "w01 accepted passed",
        "w04 accepted passed",
        "w19 accepted passed",
        "w17 accepted passed",
        "w06 accepted passed",
        "w09 accepted passed",
        "w08 accepted passed",
        "w03 accepted passed",
        "w11 accepted passed",
        "w14 accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "pass-rate-regressed: pass rate fell: −60.0 pts [−78.1, −34.2], which is more than the 5 pts that are tolerated, seen again in the confirmation trials of 20 cases",
      "warning: words · v1 × own: 12 cases look broken too and were not asked again: w04, w05, w06, w07, w08 and 7 more",
    ]
  `);
});

test('an accepted prompt whose model is gone is asked for two cases only', async () => {
  const project = await openEdited(20, 'gate: { scope: population }');
  const broken = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`w${String(index + 4).padStart(2, '0')}`, 1]),
  );
  const reply = failing(broken);
  project.reply = (text, asked, model) => (text.startsWith('Say') ? 400 : reply(text, asked, model));
  const run = await project.go({ maxErrors: 100 });
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Say: w02",
        "Say: w05",
        "Please say: w04",
        "Please say: w05",
        "Please say: w06",
        "Please say: w07",
        "Please say: w08",
        "Please say: w09",
        "Please say: w10",
        "Please say: w11",
        "Please say: w12",
        "Please say: w13",
        "Please say: w14",
        "Please say: w15",
      ],
      "rows": [
        "w02 accepted errored",
        "w05 accepted errored",
        "w04 again 1 passed",
        "w05 again 1 passed",
        "w06 again 1 passed",
        "w07 again 1 passed",
        "w08 again 1 passed",
        "w09 again 1 passed",
        "w10 again 1 passed",
        "w11 again 1 passed",
        "w12 again 1 passed",
        "w13 again 1 passed",
        "w14 again 1 passed",
        "w15 again 1 passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "pass-rate-regressed: pass rate fell: −60.0 pts [−78.1, −34.2], which is more than the 5 pts that are tolerated",
      "warning: words · v1 × own: case w04 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w05 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w06 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w07 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w08 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w09 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w10 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w11 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w12 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w13 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w14 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: case w15 failed 1 time and then passed a confirmation trial",
      "warning: words · v1 × own: the accepted prompt could not be asked again: all its confirmation trials errored",
    ]
  `);
});

test('confirmation trials take no more calls than the share of the gate', async () => {
  const project = await openEdited(20, 'gate: { confirm: { budget: 15% } }');
  project.reply = failing({ w03: ever, w04: ever });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
      ],
      "rows": [
        "w03 again 1 failed",
        "w03 accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 1 of 1 trials on the baseline and now failed all 2; the accepted prompt failed 0 of 1",
      "warning: words · v1 × own: case w04 passed 1 of 1 trials on the baseline and now failed all 1; the calls for confirmation trials were used up before it was settled",
    ]
  `);
});

test('without a share nothing is asked again', async () => {
  const project = await openEdited(8, 'gate: { confirm: { budget: 0 } }');
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run)).toEqual({ rows: [], asked: [] });
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 1 of 1 trials on the baseline and now failed all 1",
    ]
  `);
});

test('observed and skipped cases pay for no confirmation trial', async () => {
  const project = await openEdited(20, '', (word) =>
    word < 'w10' ? '' : word < 'w15' ? ', observe: true' : ', skip: later',
  );
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Say: w03",
        "Say: w03",
        "Say: w03",
      ],
      "rows": [
        "w03 again 1 failed",
        "w03 accepted passed",
        "w03 again 2 failed",
        "w03 again 3 failed",
        "w03 again 4 failed",
        "w03 again 5 failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 1 of 1 trials on the baseline and now failed all 6; the accepted prompt failed 0 of 4",
    ]
  `);
});

test('observed and skipped cases add nothing to the calls for confirmation trials', async () => {
  const project = await openEdited(20, 'gate: { confirm: { budget: 30% } }', (word) =>
    word < 'w10' ? '' : word < 'w15' ? ', observe: true' : ', skip: later',
  );
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run).rows).toMatchInlineSnapshot(`
    [
      "w03 again 1 failed",
      "w03 accepted passed",
    ]
  `);
});

test('a suite that its recordings answer adds nothing to the calls for confirmation trials', async () => {
  const recorded = wordsSuite(12, 'recordings: more.recordings.jsonl').replace('suite: words', 'suite: more');
  const project = await openEdited(4, 'gate: { confirm: { budget: 50% } }');
  project.write('evals/more.eval.yaml', recorded.replace('Say:', 'Repeat:'));
  await project.go({ record: true, baseline: false, paths: ['evals/more.eval.yaml'] });
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again({ ...run, asked: [] }).rows).toEqual(['w03 again 1 failed', 'w03 accepted passed']);
});

test('a run that ended with its last failure confirms nothing, and is incomplete', async () => {
  const project = await openEdited(8);
  project.reply = failing({ w07: ever });
  const run = await project.go({ bail: 1 });
  expect(run.rows.filter((row) => !row.endsWith('passed'))).toEqual(['w07 0 failed']);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "incomplete, stopped by bail",
      "stopped: the run stopped before its end: enough cells failed (--bail)",
      "warning: words · v1 × own: case w07 passed 1 of 1 trials on the baseline and now failed all 1; the run stopped before confirmation trials could confirm it",
    ]
  `);
});

test('trials go on with the number after the planned ones', async () => {
  const project = await openEdited(10, '', () => ', trials: 2');
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Say: w03",
        "Say: w03",
        "Say: w03",
      ],
      "rows": [
        "w03 again 2 failed",
        "w03 accepted passed",
        "w03 again 3 failed",
        "w03 again 4 failed",
        "w03 again 5 failed",
        "w03 again 6 failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 2 of 2 trials on the baseline and now failed all 7; the accepted prompt failed 0 of 4",
    ]
  `);
});

test('a new case that must pass and failed is asked again by itself', async () => {
  const project = await openEdited(8);
  project.edit(file, 'cases:\n', 'cases:\n  - { id: new, vars: { word: new }, mustPass: true }\n');
  project.reply = failing({ new: ever });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: new",
        "Please say: new",
      ],
      "rows": [
        "new again 1 failed",
        "new again 2 failed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "must-pass: must-pass case new failed in 1 of 1 trials and in 2 of 2 confirmation trials",
    ]
  `);
});

test('a round whose trials have no money left is the last one', async () => {
  const project = await openEdited();
  project.reply = failing({ w03: ever, w04: ever });
  const run = await project.go({ maxCost: 0.00064 });
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
      ],
      "rows": [
        "w03 again 1 failed",
        "w03 accepted passed",
        "w03 again 2 skipped by budget",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "incomplete, stopped by budget",
      "stopped: the run stopped before its end: the budget is used up (--max-cost)",
      "warning: words · v1 × own: 2 failures were not settled: the run stopped before confirmation trials could confirm them: w03, w04",
    ]
  `);
});

test('a trial that errors is made again twice, and not more', async () => {
  const project = await openEdited();
  project.reply = (text, asked) => (text === 'Please say: w03' ? (asked === 0 ? 'sorry' : 400) : say(text, asked, ''));
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Please say: w03",
      ],
      "rows": [
        "w03 again 1 errored",
        "w03 again 2 errored",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "incomplete",
      "errors-exceeded: 0 of 20 cells could not be judged; 1 that failed could not be confirmed, since their confirmation trials errored (--max-errors 0)",
      "warning: words · v1 × own: case w03 passed 1 of 1 trials on the baseline and now failed 1 of 3, the others without a verdict; 2 of 2 confirmation trials errored, so nothing confirms it",
    ]
  `);
});

test('a run that is stopped between its rounds is incomplete, and goes on with the same trials', async () => {
  const whole = await openEdited();
  whole.reply = failing({ w03: ever, w04: 1 });
  const expected = await whole.go();
  const project = await openEdited();
  project.reply = failing({ w03: ever, w04: 1 });
  const stop = new AbortController();
  let seen = 0;
  const cut = await project.go({
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'cell-finished' && event.row.confirmation === true) seen += 1;
      if (seen === 2) stop.abort();
    },
  });
  expect(again(cut)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
      ],
      "rows": [
        "w03 again 1 failed",
        "w03 accepted passed",
      ],
    }
  `);
  expect(cut.verdict).toMatchInlineSnapshot(`
    [
      "incomplete, stopped by interrupted",
      "stopped: the run stopped before its end: it was interrupted (--resume continues it)",
      "warning: words · v1 × own: 2 failures were not settled: the run stopped before confirmation trials could confirm them: w03, w04",
    ]
  `);
  project.reply = (text, asked, model) => failing({ w03: ever })(text, asked, model);
  const resumed = await project.go({ resume: true });
  expect(again(resumed)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Please say: w03",
        "Say: w03",
        "Say: w03",
        "Say: w03",
        "Say: w03",
        "Please say: w04",
      ],
      "rows": [
        "w03 again 2 failed",
        "w03 again 3 failed",
        "w03 again 4 failed",
        "w03 again 5 failed",
        "w03 again 6 failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w04 again 1 passed",
      ],
    }
  `);
  expect(resumed.verdict).toEqual(expected.verdict);
});

test('scores that drop are confirmed although no case failed', async () => {
  const checks = 'defaults: { assert: [{ equals: "{{ word }}" }, { contains: "{{ word }}" }] }';
  const suite = wordsSuite(20, '', () => ', threshold: 0.5').replace(/^defaults: .*$/m, checks);
  const project = await openAccepted({ [file]: suite });
  project.edit(file, 'Say:', 'Please say:');
  project.reply = (text) => text.replace(/^Please say: (.*)/, '$1, sorry').replace(/^Say: /, '');
  const run = await project.go();
  expect(run.rows.filter((row) => row.includes('failed'))).toEqual([]);
  expect(again(run).rows.length).toBeGreaterThan(0);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "score-regressed: score fell: −50.0 pts [−58.1, −28.1], which is more than the 5 pts that are tolerated, seen again in the confirmation trials of 10 cases",
    ]
  `);
});
