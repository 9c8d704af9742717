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

/** How often each side was asked again, by status. */
function countAgain({ rows }: { readonly rows: readonly string[] }): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const row of rows.filter((one) => /again|accepted/.test(one))) {
    const kind = row.replace(/^\S+ /, '');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

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

test('a case that broke is asked beside the accepted prompt, and one that flaked once', {
  tags: ['slow'],
}, async () => {
  const project = await openEdited();
  project.reply = failing({ w03: ever, w04: 1 });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w04",
        "Please say: w03",
        "Say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
      ],
      "rows": [
        "w04 again passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4",
      "warning: words · v1 × own: case w04 failed 1 time and then passed a fresh trial",
    ]
  `);
});

const half = Array.from({ length: 12 }, (_, index) => `w${String(index + 4).padStart(2, '0')}`);

test('an average that fell in a bad hour is asked again on both sides, and blamed on no change', {
  tags: ['slow'],
}, async () => {
  const project = await openEdited(20, 'gate: { scope: population }');
  project.reply = failing(Object.fromEntries(half.map((word) => [word, 1])));
  const run = await project.go();
  expect(countAgain(run)).toMatchInlineSnapshot(`
    {
      "accepted passed": 40,
      "again passed": 40,
    }
  `);
  expect(run.verdict.filter((line) => !line.includes('then passed a fresh trial'))).toMatchInlineSnapshot(`
    [
      "passed",
      "warning: words · v1 × own: pass rate fell: −60.0 pts [−78.1, −34.2], which is more than the 5 pts that are tolerated, but not in 40 fresh trials of 20 cases",
    ]
  `);
});

test('an accepted prompt whose model is gone is not asked after a first look', { tags: ['slow'] }, async () => {
  const project = await openEdited(20, 'gate: { scope: population }');
  const reply = failing(Object.fromEntries(half.map((word) => [word, 1])));
  project.reply = (text, asked, model) => (text.startsWith('Say') ? 400 : reply(text, asked, model));
  const run = await project.go({ maxErrors: 100 });
  expect(countAgain(run)).toMatchInlineSnapshot(`
    {
      "accepted errored": 10,
      "again passed": 40,
    }
  `);
  expect(run.verdict.filter((line) => !line.includes('then passed a fresh trial'))).toMatchInlineSnapshot(`
    [
      "passed",
      "warning: words · v1 × own: pass rate fell: −60.0 pts [−78.1, −34.2], which is more than the 5 pts that are tolerated, but not in 40 fresh trials of 20 cases",
      "warning: words · v1 × own: the accepted prompt could not be asked again: all its fresh trials errored",
    ]
  `);
});

test('fresh trials take no more calls than the budget of the gate, and what they leave is not settled', {
  tags: ['slow'],
}, async () => {
  const project = await openEdited(20, 'gate: { confirm: { budget: 15% } }');
  project.reply = failing({ w03: ever, w04: ever });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w04",
        "Please say: w03",
        "Say: w04",
      ],
      "rows": [
        "w04 again failed",
        "w03 again failed",
        "w04 accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "inconclusive",
      "unsettled: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 1 of 1 fresh ones; the calls for fresh trials were used up before it was settled",
      "unsettled: case w04 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 1 of 1 fresh ones; the calls for fresh trials were used up before it was settled",
      "warning: words · v1 × own: 2 failures are not settled: w03, w04; the calls for fresh trials were used up before they were settled",
    ]
  `);
});

test('without a budget nothing is asked again, and nothing fails', async () => {
  const project = await openEdited(8, 'gate: { confirm: { budget: 0 } }');
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run)).toEqual({ rows: [], asked: [] });
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "inconclusive",
      "unsettled: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
      "warning: words · v1 × own: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; gate.confirm.budget is 0, so it was not asked again",
    ]
  `);
});

test('observed and skipped cases pay for no fresh trial', { tags: ['slow'] }, async () => {
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
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
      ],
      "rows": [
        "w03 again failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4",
    ]
  `);
});

test('observed and skipped cases add nothing to the calls for fresh trials', async () => {
  const project = await openEdited(20, 'gate: { confirm: { budget: 30% } }', (word) =>
    word < 'w10' ? '' : word < 'w15' ? ', observe: true' : ', skip: later',
  );
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run).rows).toMatchInlineSnapshot(`
    [
      "w03 again failed",
      "w03 accepted passed",
      "w03 again failed",
    ]
  `);
});

test('a suite that its recordings answer adds nothing to the calls for fresh trials', async () => {
  const recorded = wordsSuite(12, 'recordings: more.recordings.jsonl').replace('suite: words', 'suite: more');
  const project = await openEdited(4, 'gate: { confirm: { budget: 50% } }');
  project.write('evals/more.eval.yaml', recorded.replace('Say:', 'Repeat:'));
  await project.go({ record: true, baseline: false, paths: ['evals/more.eval.yaml'] });
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again({ ...run, asked: [] }).rows).toEqual(['w03 again failed', 'w03 accepted passed']);
});

test('a run that ended with its last failure asks nothing again, and is incomplete', async () => {
  const project = await openEdited(8);
  project.reply = failing({ w07: ever });
  const run = await project.go({ bail: 1 });
  expect(run.rows.filter((row) => !row.endsWith('passed'))).toEqual(['w07 0 failed']);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "incomplete, stopped by bail",
      "stopped: the run stopped before its end: enough cells failed (--bail)",
      "unsettled: case w07 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; the run stopped before it was settled",
      "warning: words · v1 × own: case w07 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; the run stopped before it was settled",
    ]
  `);
});

test('fresh trials have numbers of their own, beside several planned ones', async () => {
  const project = await openEdited(10, '', () => ', trials: 2');
  project.reply = failing({ w03: ever });
  const run = await project.go();
  expect(again(run)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Please say: w03",
        "Say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
      ],
      "rows": [
        "w03 again failed",
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "case-broken: case w03 passed 2 of 2 trials on the baseline, and failed 2 of 2 trials now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4",
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
        "Say: new",
        "Please say: new",
        "Say: new",
      ],
      "rows": [
        "new again failed",
        "new accepted passed",
        "new again failed",
        "new accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "failed",
      "must-pass: must-pass case new failed 1 of 1 trial, and 2 of 2 fresh ones; the accepted prompt failed 0 of 2",
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
        "Please say: w04",
      ],
      "rows": [
        "w03 again skipped by budget",
        "w04 again failed",
        "w04 accepted skipped by budget",
        "w03 again skipped by budget",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "incomplete, stopped by budget",
      "stopped: the run stopped before its end: the budget is used up (--max-cost)",
      "unsettled: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; the run stopped before it was settled",
      "unsettled: case w04 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 1 of 1 fresh ones; the run stopped before it was settled",
      "warning: words · v1 × own: 2 failures are not settled: w03, w04; the run stopped before they were settled",
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
        "Say: w03",
        "Say: w03",
        "Please say: w03",
      ],
      "rows": [
        "w03 again errored",
        "w03 accepted passed",
        "w03 again errored",
        "w03 accepted passed",
      ],
    }
  `);
  expect(run.verdict).toMatchInlineSnapshot(`
    [
      "incomplete",
      "errors-exceeded: 0 of 20 cells could not be judged; 1 that failed could not be confirmed, since their fresh trials errored (--max-errors 0)",
      "unsettled: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; its fresh trials errored, so nothing confirms it",
      "warning: words · v1 × own: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now; its fresh trials errored, so nothing confirms it",
    ]
  `);
});

test('a run that is stopped between its rounds is incomplete, and goes on with the same trials', {
  tags: ['slow'],
}, async () => {
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
        "Please say: w04",
        "Please say: w03",
      ],
      "rows": [
        "w04 again passed",
        "w03 again failed",
      ],
    }
  `);
  expect(cut.verdict).toMatchInlineSnapshot(`
    [
      "incomplete, stopped by interrupted",
      "stopped: the run stopped before its end: it was interrupted (--resume continues it)",
      "unsettled: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 1 of 1 fresh ones; the run stopped before it was settled",
      "warning: words · v1 × own: case w04 failed 1 time and then passed a fresh trial",
      "warning: words · v1 × own: case w03 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 1 of 1 fresh ones; the run stopped before it was settled",
    ]
  `);
  project.reply = (text, asked, model) => failing({ w03: ever })(text, asked, model);
  const resumed = await project.go({ resume: true });
  expect(again(resumed)).toMatchInlineSnapshot(`
    {
      "asked": [
        "Say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
        "Say: w03",
        "Please say: w03",
      ],
      "rows": [
        "w03 accepted passed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
        "w03 accepted passed",
        "w03 again failed",
      ],
    }
  `);
  expect(resumed.verdict).toEqual(expected.verdict);
});

test('scores that drop are asked again although no case failed', { tags: ['slow'] }, async () => {
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
      "score-regressed: score fell: −50.0 pts [−58.1, −28.1], which is more than the 5 pts that are tolerated, seen again in fresh trials of 10 cases",
    ]
  `);
});
