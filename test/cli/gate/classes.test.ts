import { describe, expect, test } from 'vitest';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  openBaselineProject,
  suiteFile,
} from '../baseline/baseline-project.ts';

/** The cases of each class; the first word of an answer names its class. */
const sizes = { billing: 30, legal: 12, technical: 30 };

interface ClassOptions {
  /** Lines of `classes:` beside `truth` and `found`. */
  readonly classes?: string;
  readonly gate?: string;
  readonly counts?: Readonly<Record<string, number>>;
}

const looseGate = 'gate: { cases: { broken: warn }, passRate: { min: 50%, maxDrop: 50% } }\n';
const found = `classes:\n  truth: "{{queue}}"\n  found: { regex: "^([a-z]+)", group: 1 }\n`;

function wordsOf(name: string, count = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}

function writeCases(project: BaselineProject, counts: Readonly<Record<string, number>>): void {
  const lines = Object.entries(counts).flatMap(([queue, count]) =>
    wordsOf(queue, count).map((word) =>
      JSON.stringify({ id: word.replace(' ', '-'), vars: { word, queue }, expected: word }),
    ),
  );
  project.write(casesFile, `${lines.join('\n')}\n`);
}

/** A suite with classes whose answers all pass its checks, so that only classes can fail. */
async function openClasses({ classes = '', gate = looseGate, counts = sizes }: ClassOptions = {}) {
  const project = await openBaselineProject();
  const lines = classes === '' ? '' : `${classes.replaceAll(/^/gm, '  ')}\n`;
  project.edit(suiteFile, 'defaults:', `${gate}${found}${lines}defaults:`);
  project.edit(suiteFile, /assert:.*\n/, 'assert: [{ regex: "[a-z]" }]\n');
  writeCases(project, counts);
  return project;
}

const fresh = ['run', '--cache', 'refresh'];

/** From now on answers to the first cases of a class name another one. */
function confuse(project: BaselineProject, name: string, count: number, as = 'billing'): void {
  for (const word of wordsOf(name, count)) project.answers.set(word, `${as} it is`);
}

describe('a class that collapses while the average holds', () => {
  const limits = 'gate: { recall: { legal: { maxDrop: 10% } }, f1: { maxDrop: 50% } }';

  test('fails by its recall, confirmed by fresh trials', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.accept();
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    expect([run.code, run.codes, run.comparison.passRate.delta]).toEqual([1, ['recall-regressed'], 0]);
    const [breach] = run.report.decision.breaches;
    expect(breach).toMatchObject({ class: 'legal', metric: 'recall', baseline: 1, candidate: 0.25 });
    expect(breach?.message).toMatch(
      /^recall of class legal fell: −75\.0 pts .*than the 10 pts that are tolerated, seen again in fresh trials of 1\d cases$/,
    );
    // Only cases of the class are asked again.
    expect([...project.askedAccepted.keys()].every((word) => word.startsWith('legal'))).toBe(true);
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect([later.decision, later.suites]).toEqual([run.report.decision, run.report.suites]);
  });

  test('fails by macro F1 where no limit is written', { tags: 'slow' }, async () => {
    const project = await openClasses();
    await project.accept();
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['f1-regressed']]);
    expect(run.report.decision.breaches[0]?.message).toMatch(
      /^macro F1 fell: −2\d\.\d pts .*seen again in fresh trials of 72 cases/,
    );
    expect(run.comparison.notes.join('\n')).toMatch(
      /recall of class legal fell.*\(a warning: the suite's gate sets no limit\)/,
    );
  });

  test('is a note if fresh trials do not show it again', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.accept();
    for (const word of wordsOf('legal', 9)) {
      project.answers.set(word, (asked) => (asked === 0 ? 'billing it is' : word));
    }
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome, run.codes]).toEqual([0, 'passed', []]);
    expect(run.comparison.notes.join('\n')).toMatch(
      /recall of class legal fell.*but not in 24 fresh trials of 12 cases/,
    );
  });

  test('is not blamed on the change if it collapses with the accepted prompt too', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.accept();
    project.changeModel();
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([3, ['drift']]);
    expect(run.comparison.notes.join('\n')).toContain("the accepted prompt's own recall of class legal fell by 75 pts");
  });

  test('by two cases is not called unchanged, although every case passes', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.acceptUnchanged();
    expect((await project.compared(fresh)).report.decision.certainty?.kind).toBe('unchanged');
    confuse(project, 'legal', 2);
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.certainty]).toEqual([
      0,
      expect.objectContaining({ kind: 'unseen', slice: expect.objectContaining({ name: 'legal', isClass: true }) }),
    ]);
  });

  test('is not blamed on a change of nothing that is sent', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.acceptUnchanged();
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome, run.codes]).toEqual([3, 'incomplete', ['drift']]);
    const drift = await project.compared([...fresh, '--drift']);
    expect([drift.code, drift.codes]).toEqual([1, ['pass-rate-drifted']]);
    expect(drift.report.decision.breaches[0]).toMatchObject({ metric: 'recall', class: 'legal' });
  });

  test('fails at once where recorded answers are replayed', { tags: ['slow'] }, async () => {
    const project = await openClasses({ classes: limits });
    project.edit(suiteFile, 'defaults:', 'recordings: words.recordings.jsonl\ndefaults:');
    await project.llmcheck('run', '--record');
    await project.acceptUnchanged();
    const recordings = 'evals/words.recordings.jsonl';
    for (const word of wordsOf('legal', 9)) project.edit(recordings, `"text":"${word}"`, '"text":"billing it is"');
    const run = await project.compared(['run']);
    expect([run.code, run.codes]).toEqual([1, ['recall-regressed']]);
  });

  test('fails against the version of the same run that it replaces', { tags: ['slow'] }, async () => {
    const project = await openClasses({ classes: limits });
    project.editPrompt();
    const v2 = '  - { id: v2, text: "Say: {{ word }}", replaces: v1 }\n';
    project.edit(suiteFile, 'providers:', `    params: { max_tokens: 20 }\n${v2}providers:`);
    confuse(project, 'legal', 9);
    const run = await project.compared([...fresh, '--compare', 'v1,v2']);
    expect([run.code, run.codes]).toEqual([1, ['recall-regressed']]);
  });

  test('fails by merged shards, and where two records are compared', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.accept();
    const before = new Set(project.files('.llmcheck/runs'));
    confuse(project, 'legal', 12);
    for (const shard of ['1/2', '2/2']) await project.llmcheck(...fresh, '--shard', shard);
    const records = project.files('.llmcheck/runs').filter((file) => !before.has(file));
    const merged = await project.compared(['merge', ...records]);
    expect([merged.code, merged.codes]).toEqual([1, ['recall-regressed']]);
    const [first = ''] = before;
    const isMerged = (file: string) => !before.has(file) && !records.includes(file);
    const last = project.files('.llmcheck/runs').find(isMerged) ?? '';
    const compared = await project.compared(['compare', first, last]);
    expect(compared.comparison.classes?.cells[0]).toEqual({
      truth: 'legal',
      found: 'billing',
      baseline: 0,
      candidate: 12,
      entered: expect.arrayContaining(['legal-0', 'legal-1']),
    });
  });

  test('is accepted by a baseline of the change that has it', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    await project.accept();
    project.git('init', '-q', '-b', 'main');
    project.git('add', 'evals');
    project.git('commit', '-qm', 'accepted');
    confuse(project, 'legal', 9);
    await project.llmcheck(...fresh, '-q');
    await project.llmcheck('baseline', 'accept', '--force', '--known-failures');
    const run = await project.compared([...fresh, '--baseline', 'git:main']);
    expect([run.code, run.codes]).toEqual([0, []]);
    expect(run.comparison.accepted.join()).toContain('recall of class legal fell');
  });
});

describe('an answer of none of the classes', () => {
  test('has a column of its own, and is never right', async () => {
    const counts = { billing: 4, legal: 4 };
    const project = await openClasses({ counts, classes: 'gate: { recall: { legal: { min: 80% } } }' });
    project.answers.set('legal 0', 'sales it is');
    project.answers.set('legal 1', '7');
    project.edit(suiteFile, 'regex: "[a-z]" }]', 'regex: "." }]');
    const { code, report } = await project.report(['run'], { env: project.server.env });
    expect([code, report.decision.breaches.map(({ code: name }) => name)]).toEqual([1, ['recall-min']]);
    expect(report.decision.breaches[0]?.message).toBe('recall of class legal 50 % is below 80 %: 4 cases');
    expect(report.suites[0]?.variants[0]?.classes).toMatchObject({
      names: ['billing', 'legal'],
      cells: [
        { truth: 'billing', found: 'billing', cases: 4 },
        { truth: 'legal', found: null, cases: 2 },
        { truth: 'legal', found: 'legal', cases: 2 },
      ],
      // The interval of two right answers of two, and not of those of another class.
      scores: [{}, { class: 'legal', precision: { value: 1, low: expect.closeTo(2 / (2 + 1.96 ** 2), 3) } }],
      // As f1_score(truth, found, labels=["billing", "legal"], average="macro") of scikit-learn.
      macro: { precision: 1, recall: 0.75, f1: { value: expect.closeTo((1 + 2 / 3) / 2, 9) } },
      others: [
        { found: null, answers: 1 },
        { found: 'sales', answers: 1 },
      ],
    });
    const found = report.suites[0]?.cases.map(({ trials }) => trials[0]?.class);
    expect(found).toEqual([...Array.from({ length: 4 }, () => 'billing'), 'sales', null, 'legal', 'legal']);
  });

  test('is right for no class, whatever it is called', async () => {
    const project = await openClasses({ counts: { billing: 3 } });
    project.write(casesFile, '{"id":"c","vars":{"word":"w","queue":"(none)"},"expected":"w"}\n');
    const { code, stderr } = await project.llmcheck('run');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('is of the class "(none)", which is the name for answers'),
    ]);
  });
});

test('a run in which no answer names a class has tested none', async () => {
  const project = await openClasses({ counts: { billing: 3, legal: 3 } });
  project.edit(suiteFile, '^([a-z]+)', '^(QUEUE)');
  const { code, report } = await project.report(['run'], { env: project.server.env });
  expect([code, report.decision.breaches.map(({ message }) => message)]).toEqual([
    4,
    [
      expect.stringContaining(
        'none of the 6 answers names a class of the suite: classes.found may select the wrong part',
      ),
    ],
  ]);
  await project.acceptUnchanged('--allow-empty');
  expect((await project.compared(fresh)).code).toBe(4);
});

describe('limits that need no baseline', () => {
  const counts = { billing: 10, legal: 10 };

  async function runWith(gate: string, confused: number, as?: string) {
    const project = await openClasses({ counts, classes: `gate: { ${gate} }` });
    confuse(project, 'legal', confused, as);
    const { code, report } = await project.report(['run'], { env: project.server.env });
    return [code, report.decision.breaches.map((breach) => [breach.code, breach.message])];
  }

  test.each([
    ['recall: { legal: { min: 80% } }', 2, 0],
    ['recall: { legal: { min: 80% } }', 3, 'recall of class legal 70 % is below 80 %: 10 cases'],
    ['precision: { billing: { min: 0.8 } }', 2, 0],
    ['precision: { billing: { min: 0.8 } }', 3, 'precision of class billing 76.9 % is below 80 %: 10 cases'],
    ['precision: { legal: { min: 0.9 } }', 9, 0],
    [
      'precision: { legal: { min: 0.9 } }',
      10,
      "precision of class legal can't reach 90 %: no answer is of this class, and 10 cases should be",
    ],
    ['f1: { min: 0.84 }', 3, 0],
    ['f1: { min: 0.85 }', 3, 'macro F1 84.7 % is below 85 %'],
  ])('%s with %i wrong answers', async (gate, confused, expected) => {
    const code = gate.startsWith('f1') ? 'f1-min' : `${gate.split(':')[0]}-min`;
    expect(await runWith(gate, confused)).toEqual(expected === 0 ? [0, []] : [1, [[code, expected]]]);
  });

  test('hold over trials: a case with several counts once', async () => {
    const project = await openClasses({ counts, classes: 'gate: { recall: { legal: { min: 85% } } }' });
    // Each of four cases is wrong in one of two trials.
    for (const word of wordsOf('legal', 4)) {
      project.answers.set(word, (asked) => (asked === 0 ? 'billing it is' : word));
    }
    const { code, report } = await project.report(['run', '--trials', '2'], { env: project.server.env });
    expect([code, report.decision.breaches[0]?.message]).toEqual([
      1,
      'recall of class legal 80 % is below 85 %: 10 cases',
    ]);
  });

  test('are not met by a class whose cells all errored', async () => {
    const project = await openClasses({ counts, classes: 'gate: { recall: { legal: { min: 10% } } }' });
    for (const word of wordsOf('legal', 10)) {
      project.answers.set(word, () => ({ status: 400, body: { error: { message: 'no' } } }));
    }
    const { code, report } = await project.report(['run', '--max-errors', '100%'], { env: project.server.env });
    expect([code, report.decision.breaches[0]]).toEqual([
      4,
      expect.objectContaining({ code: 'nothing-evaluated', class: 'legal' }),
    ]);
    expect(report.decision.breaches[0]?.message).toContain('none of its 10 cases was judged');
  });

  test('are a warning for a class without a selected case', async () => {
    const project = await openClasses({ counts, classes: 'gate: { recall: { legal: { min: 10% } } }' });
    const { code, report } = await project.report(['run', '-t', 'billing'], { env: project.server.env });
    expect([code, report.decision.warnings.join()]).toEqual([
      0,
      expect.stringContaining('class legal: none of its cases was selected, so its limits say nothing'),
    ]);
  });

  test('stay open where cells were not reached, unless they are missed already', async () => {
    const project = await openClasses({ counts, classes: 'gate: { recall: { legal: { min: 80% } } }' });
    confuse(project, 'legal', 1);
    const run = (...argv: string[]) =>
      project.report(['run', '--cache', 'off', '--max-cost', '0.0000600', '--concurrency', '1', ...argv], {
        env: project.server.env,
      });
    const open = await run();
    expect(open.code).toBeGreaterThan(1);
    expect(open.report.decision.breaches.map(({ code }) => code)).toEqual(['stopped']);
    expect(open.report.decision.breaches[0]?.message).toContain('undecided: recall of class legal');
    confuse(project, 'legal', 3);
    project.write(casesFile, project.read(casesFile).split('\n').reverse().join('\n').trim());
    const missed = await run();
    expect([missed.code, missed.report.decision.breaches[0]?.code]).toEqual([1, 'recall-min']);
  });
});

describe('a comparison by class', () => {
  const limits = 'gate: { recall: { legal: { maxDrop: 10% } }, f1: { maxDrop: 50% } }';

  test('reads the stored answers where the baseline is from before the suite had classes', {
    tags: 'slow',
  }, async () => {
    const project = await openClasses({ classes: limits });
    const suite = project.read(suiteFile);
    project.write(suiteFile, suite.replace(/classes:\n(?: .*\n)+/, ''));
    await project.acceptUnchanged();
    expect(project.read(baselineFile)).not.toContain('classified');
    project.write(suiteFile, suite);
    project.editPrompt();
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['recall-regressed']]);
  });

  test('reads the stored answers again where another part of the answer names the class', {
    tags: 'slow',
  }, async () => {
    const project = await openClasses({ classes: limits });
    await project.accept();
    project.edit(suiteFile, '^([a-z]+)', '^([a-z]+)\\\\b');
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['recall-regressed']]);
  });

  test('says so where the baseline keeps neither classes nor answers', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    project.edit(suiteFile, 'defaults:', 'baseline: { outputs: hash }\ndefaults:');
    await project.accept();
    project.edit(suiteFile, '^([a-z]+)', '^([a-z]+)\\\\b');
    confuse(project, 'legal', 9);
    const run = await project.compared(fresh);
    const warnings = run.report.decision.warnings.join('\n');
    expect(warnings).toContain("72 cases can't be compared by class: the baseline holds neither a class nor an answer");
    expect(warnings).toContain('no case can be compared by class, so a drop of recall or macro F1 cannot be seen');
    expect(run.report.decision.certainty?.kind).toBe('unseen');
    const certified = await project.compared([...fresh, '--require-conclusive']);
    expect(certified.code).toBe(4);
  });

  test('works with hashes of answers too, since the baseline keeps classes', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    project.edit(suiteFile, 'defaults:', 'baseline: { outputs: hash }\ndefaults:');
    await project.accept();
    confuse(project, 'legal', 9);
    expect((await project.compared(fresh)).codes).toEqual(['recall-regressed']);
  });

  test('leaves out cases of another class than when they were accepted', { tags: 'slow' }, async () => {
    const project = await openClasses({ classes: limits });
    project.edit(suiteFile, '{{queue}}', '{{expected}}');
    project.write(
      casesFile,
      project.read(casesFile).replaceAll(/,"queue":("\w+")},"expected":"[^"]+"/g, '},"expected":$1'),
    );
    await project.accept();
    confuse(project, 'legal', 9);
    // The wrong answers are called right.
    for (const word of wordsOf('legal', 9)) {
      project.edit(casesFile, `"word":"${word}"},"expected":"legal"`, `"word":"${word}"},"expected":"billing"`);
    }
    const run = await project.compared(fresh);
    expect(run.report.decision.warnings.join('\n')).toContain(
      '9 cases are of another class than when accepted, and not compared by class',
    );
    expect(run.comparison.classes).toMatchObject({ cases: 63, recall: [{}, { class: 'legal', cases: 3 }, {}] });
  });

  test('is not certain where errors could hide a drop', { tags: 'slow' }, async () => {
    const classes = 'gate: { recall: { legal: { maxDrop: 90% } }, f1: { maxDrop: 50% } }';
    const project = await openClasses({ classes, counts: { billing: 110, legal: 12, technical: 110 } });
    await project.accept();
    expect((await project.compared(fresh)).report.decision.certainty?.kind).toBe('certain');
    for (const word of wordsOf('legal', 11)) {
      project.answers.set(word, () => ({ status: 400, body: { error: { message: 'no' } } }));
    }
    const run = await project.compared([...fresh, '--max-errors', '100%']);
    expect([run.code, run.report.decision.certainty]).toEqual([
      0,
      expect.objectContaining({ kind: 'unseen', slice: expect.objectContaining({ name: 'legal', cases: 1 }) }),
    ]);
  });

  test('names a class whose cases were all removed', { tags: 'slow' }, async () => {
    const project = await openClasses();
    await project.accept();
    writeCases(project, { billing: 30, technical: 30 });
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.warnings.join('\n')]).toEqual([
      0,
      expect.stringContaining('class legal has no case any more: its 12 cases were removed since the baseline'),
    ]);
    // Cases that were not selected are not removed.
    const part = await project.compared([...fresh, '-t', 'billing']);
    expect(part.report.decision.warnings.join('\n')).not.toContain('any more');
  });

  test('asks again cells whose class was corrected, when a run goes on', async () => {
    const project = await openClasses({ counts: { billing: 3, legal: 3 } });
    await project.llmcheck('run', '-q');
    project.edit(casesFile, '"word":"billing 0","queue":"billing"', '"word":"billing 0","queue":"legal"');
    const { report } = await project.report(['run', '--resume'], { env: project.server.env });
    expect(report.suites[0]?.variants[0]?.classes).toMatchObject({
      cells: [
        { truth: 'billing', found: 'billing', cases: 2 },
        { truth: 'legal', found: 'billing', cases: 1 },
        { truth: 'legal', found: 'legal', cases: 3 },
      ],
    });
  });
});

test('reports show the matrix, the scores, and what moved first', { tags: 'slow' }, async () => {
  const project = await openClasses({ classes: 'gate: { f1: { maxDrop: 90% } }' });
  await project.accept();
  confuse(project, 'legal', 5);
  confuse(project, 'technical', 1, 'weather');
  const { stdout } = await project.llmcheck(...fresh);
  const said = stdout.replaceAll(/\s+/g, ' ');
  expect(said).toMatch(/v1 × mini by class: macro F1 100\.0 % → \d\d\.\d %, −\d+\.\d pts \[/);
  expect(said).toContain(
    'moved: legal found as billing 0 → 5 (legal-0, legal-1, legal-2), legal found as legal 12 → 7, technical found as none of them 0 → 1 (technical-0)',
  );
  expect(said).toContain('answers of none of the classes: "weather" 1 time');
  expect(stdout).toMatch(/class ↓ found → +billing +legal +technical +none of them\n/);
  expect(stdout).toMatch(/\n +legal +5 +7 +0 +0\n/);
  // Intervals are below their values, where 80 columns are too few for one line.
  expect(stdout).toMatch(/\n +legal +12 +100\.0 % → 58\.3 % +100\.0 % +73\.7 %\n +−41\.7 pts \[.*\] +\[/);
  const markdown = (await project.llmcheck('report', '-r', 'markdown')).stdout;
  expect(markdown).toContain('moved: `legal` found as `billing` 0 → 5 (`legal-0`, `legal-1`, `legal-2`)');
  expect(markdown).toContain('| `legal` | 5 | 7 | 0 | 0 |');
  const junit = (await project.llmcheck('report', '-r', 'junit')).stdout;
  expect(junit).toContain('<property name="llmcheck.recall.legal" value="0.583333"/>');
  expect(junit).toMatch(/<property name="llmcheck\.macroF1" value="0\.\d+"\/>/);
  const page = (await project.llmcheck('report', '-r', 'html')).stdout;
  expect(page).toContain('"counts":["5","7","0","0"]');
});

test('reports show the cases of a class whose recall is too low as failures, and tolerate the others', async () => {
  const project = await openClasses({ classes: 'gate: { recall: { legal: { min: 80% } } }' });
  project.edit(suiteFile, 'assert: [{ regex: "[a-z]" }]', 'assert: [{ equals: "{{expected}}" }]');
  confuse(project, 'legal', 3);
  project.answers.set('technical 0', 'technical!');
  const { code, stdout } = await project.llmcheck(...fresh, '-r', 'tap');
  expect(code).toBe(1);
  const failed = stdout.split('\n').filter((line) => line.startsWith('not ok'));
  const gated = failed.filter((line) => !line.includes('# TODO')).flatMap((line) => /\w+-\d/.exec(line)?.[0] ?? []);
  expect(gated).toEqual(['legal-0', 'legal-1', 'legal-2']);
  expect(failed.join('\n')).toMatch(/technical-0 .*# TODO/);
});

test('names from a model are harmless in every report', async () => {
  const counts = { billing: 3, 'le|gal <b>': 3 };
  const project = await openClasses({ counts });
  project.edit(suiteFile, '{ regex: "^([a-z]+)", group: 1 }', 'text');
  project.edit(suiteFile, 'regex: "[a-z]"', 'regex: "."');
  for (const word of wordsOf('billing', 3)) project.answers.set(word, 'billing');
  const [first = '', second = '', third = ''] = wordsOf('le|gal <b>', 3);
  project.answers.set(first, ' le|gal <b>\n');
  project.answers.set(second, '\u001b[31mred\u001b[0m\n::error::planted');
  project.answers.set(third, `${'x'.repeat(300)} <script>alert(1)</script> | @everyone`);
  const { stdout } = await project.llmcheck('run');
  expect(stdout).toContain('le|gal <b>');
  expect(stdout).not.toContain('\u001b[31m');
  expect(stdout).not.toMatch(/^::error/m);
  const markdown = (await project.llmcheck('report', '-r', 'markdown')).stdout;
  expect(markdown).toContain('| `le\\|gal <b>` |');
  const junit = (await project.llmcheck('report', '-r', 'junit')).stdout;
  expect(junit).toContain('name="llmcheck.recall.le|gal &lt;b&gt;" value="0.333333"');
  const page = (await project.llmcheck('report', '-r', 'html')).stdout;
  expect(page).not.toContain('<script>alert(1)');
});

describe('mistakes in classes', () => {
  async function validate(edit: (project: BaselineProject) => void, options: ClassOptions = {}) {
    const project = await openClasses({ counts: { billing: 3, legal: 3 }, ...options });
    edit(project);
    const { code, stderr } = await project.llmcheck('validate');
    return [code, stderr];
  }
  const misspell = (name: string) => (project: BaselineProject) =>
    project.edit(casesFile, '"word":"legal 1","queue":"legal"', `"word":"legal 1","queue":"${name}"`);

  test('a class that the suite does not list is an error at its place', async () => {
    const [code, stderr] = await validate(misspell('leagl'), { classes: 'names: [billing, legal]' });
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${casesFile}:5:50`)]);
    expect(stderr).toContain('case "legal-1" is of the class "leagl", which is not among classes.names');
    expect(stderr).toContain('did you mean "legal"?');
  });

  test('a class of one case that is spelt nearly as another is an error, unless the suite lists both', async () => {
    const counts = { billing: 3, legal: 4 };
    for (const name of ['leagl', 'Legal', 'legals']) {
      const [code, stderr] = await validate(misspell(name), { counts });
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${casesFile}:5:50`)]);
      expect(stderr).toContain(`case "legal-1" alone is of the class "${name}", and 3 cases are of "legal"`);
      expect(stderr).toContain('list them all under classes.names');
      const [listed] = await validate(misspell(name), { counts, classes: `names: [billing, legal, ${name}]` });
      expect(listed).toBe(0);
    }
    for (const name of ['illegal', 'refund', 'legal2']) {
      expect((await validate(misspell(name), { counts }))[0]).toBe(0);
    }
  });

  test.each([
    ['gate: { recall: { leagl: { min: 1 } } }', 'classes.gate.recall: no case is of the class "leagl"', ':13:21'],
    ['gate: { precision: { sales: { min: 1 } } }', 'classes.gate.precision: no case is of the class "sales"', ':13:24'],
    ['names: [billing, legal, sales]', 'classes.names: no case is of the class "sales"', ':13:27'],
    ['names: []', 'must name at least one class', ''],
    ['gate: { recall: { legal: {} } }', 'needs min or maxDrop', ''],
    ['gate: { f1: { min: 120% } }', '120%', ''],
    ['gate: { recal: {} }', 'did you mean "recall"?', ''],
  ])('%s', async (classes, message, place) => {
    const [code, stderr] = await validate(() => undefined, { classes });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toContain(`${suiteFile}${place}`);
  });

  test.each([
    ['truth: "{{queue}}"', 'truth: billing', 'classes.truth reads no variable'],
    ['truth: "{{queue}}"', 'truth: "{{quue}}"', 'classes.truth reads the variable "quue", which no case supplies'],
    ['found: { regex: "^([a-z]+)", group: 1 }', 'found: toolCalls', 'classes.found must select a text'],
    ['found: { regex: "^([a-z]+)", group: 1 }', 'found: { regx: x }', 'unknown key "regx" in classes.found'],
    ['found: { regex: "^([a-z]+)", group: 1 }', '', 'must name a part of the answer'],
  ])('%s → %s', async (from, to, message) => {
    const [code, stderr] = await validate((project) => project.edit(suiteFile, from, to));
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test.each([
    ['null', 'has no class: classes.truth gives null'],
    ['""', 'has no class'],
    ['["legal"]', 'has no class'],
    [`"${'x'.repeat(201)}"`, 'is of a class with a name of 201 characters'],
  ])('a case of class %s', async (written, message) => {
    const [code, stderr] = await validate((project) =>
      project.edit(casesFile, '"word":"legal 1","queue":"legal"', `"word":"legal 1","queue":${written}`),
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toContain(`${casesFile}:5:50`);
  });
});

test('an observed case is outside the matrix of classes', async () => {
  const project = await openClasses({ counts: { billing: 2, legal: 2 } });
  project.edit(casesFile, '"id":"legal-0",', '"id":"legal-0","observe":true,');
  const { report } = await project.report(['run', '--no-baseline'], { env: project.server.env });
  const { classes } = (report.suites[0]?.variants[0] ?? {}) as { readonly classes?: object };
  expect(classes).toMatchObject({
    cells: [
      { truth: 'billing', cases: 2 },
      { truth: 'legal', cases: 1 },
    ],
  });
});
