import { expect, test } from 'vitest';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import type { TempProject } from '../../support/temp-project.ts';
import { openJudgeProject, writeJudgeSuite } from './judge-project.ts';

const rubric = '[{ rubric: The answer is good. }]';
const judges = '[{ id: strict, use: openai:gpt-4o, minKappa: 0.5, labels: strict.jsonl }]';

/** 100 answers `n`, of which a person passes those that 3 does not divide. */
const labels = Array.from({ length: 100 }, (_, n) =>
  JSON.stringify({ id: `n${n}`, question: 'Which number?', answer: `${n}`, label: n % 3 === 0 ? 'fail' : 'pass' }),
).join('\n');

/** Agrees on 87 of them: kappa 0.72031 by scikit-learn 1.4.2, `cohen_kappa_score`. */
const goodJudge = (n: number) => verdict((n % 3 !== 0 && n % 7 !== 0) || n % 11 === 0, `looked at ${n}`);
/** No better than chance. */
const badJudge = (n: number) => verdict(n % 2 === 0);

const open = (file = labels, options: { readonly judges?: string; readonly assert?: string } = {}): TempProject => {
  const project = openJudgeProject({ assert: rubric, judges, words: ['red'], ...options });
  project.write('evals/strict.jsonl', `${file}\n`);
  return project;
};

const startJudge = (judge: (n: number) => string) =>
  startJudgeServer(({ parts }) =>
    /^\d+$/.test(parts['answer'] ?? '') ? judge(Number(parts['answer'])) : verdict(true),
  );

test('100 labelled answers: agreement and kappa are the reference values, and the wrong cases are named', {
  tags: 'slow',
}, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  const { code, stdout } = await project.run(['judge', 'check', '--json'], { env: server.env });
  expect(code).toBe(0);
  const [found] = JSON.parse(stdout).suites[0].judges;
  expect(found).toMatchObject({
    judge: 'strict',
    assertion: 'rubric',
    cases: 100,
    agreement: 0.87,
    errored: 0,
    mayDecide: true,
  });
  expect(found.kappa).toBeCloseTo(0.7203098106712564, 12);
  expect(found.low).toBeLessThan(found.kappa);
  expect(found.wrong).toHaveLength(13);
  expect(found.wrong[0]).toMatchObject({ id: 'n0', label: 'fail', said: 'pass', at: { line: 1 } });
  expect(found.lengthBias.rho).toBeTypeOf('number');
  expect(server.judged).toHaveLength(100);
  expect(server.judged[0]?.parts['input']).toBe('Which number?');
});

test('an answer that is labelled alike in several rows counts once', async () => {
  const server = await startJudge((n) => verdict(n % 3 !== 0));
  const rows = Array.from({ length: 40 }, (_, n) =>
    JSON.stringify({ id: `n${n}`, question: 'Which?', answer: `${n % 2}`, label: n % 2 === 0 ? 'fail' : 'pass' }),
  );
  const project = open(rows.join('\n'));
  const { code, stdout } = await project.run(['judge', 'check', '--json'], { env: server.env });
  expect([code, JSON.parse(stdout).suites[0].judges[0]]).toMatchObject([4, { cases: 2, mayDecide: false }]);
  expect(server.judged).toHaveLength(2);
});

test('sensitivity, specificity and J are shown, and their counts are kept', { tags: 'slow' }, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  const { stdout } = await project.run(['judge', 'check'], { env: server.env });
  expect(stdout).toContain('  sensitivity  0.86 [0.76, 0.93], passed 57 of 66 good answers\n');
  expect(stdout).toContain('  specificity  0.88 [0.73, 0.95], failed 30 of 34 bad answers\n');
  expect(stdout).toContain("  Youden's J   0.75, at least 0.68 (one-sided 80 %)\n");
  const [kept] = JSON.parse(project.read('evals/tone.judges.json')).validations;
  expect(kept.counts).toEqual({ passesFound: 57, passes: 66, failuresFound: 30, failures: 34 });
  const json = JSON.parse((await project.run(['judge', 'check', '--json'], { env: server.env })).stdout);
  expect(json.suites[0].judges[0]).toMatchObject({
    sensitivity: { value: 57 / 66, low: expect.any(Number), high: expect.any(Number) },
    specificity: { value: 30 / 34 },
    youden: expect.closeTo(57 / 66 + 30 / 34 - 1, 12),
    youdenLow: expect.any(Number),
  });
});

test('a file of before counts still lets a judge decide', { tags: 'slow' }, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  await project.run(['judge', 'check'], { env: server.env });
  const file = JSON.parse(project.read('evals/tone.judges.json'));
  const calibrations = file.validations.map(({ counts: _counts, ...rest }: { counts: unknown }) => rest);
  // The list had another name then.
  project.write('evals/tone.judges.json', JSON.stringify({ format: 1, calibrations }));
  expect((await project.run(['run'], { env: server.env })).code).toBe(0);
});

test('minKappa asks for the lower bound: a kappa above it with a wide interval is too little', {
  tags: 'slow',
}, async () => {
  const server = await startJudge(goodJudge);
  const project = open(labels, { judges: judges.replace('minKappa: 0.5', 'minKappa: 0.65') });
  const { code, stdout } = await project.run(['judge', 'check'], { env: server.env });
  expect(code).toBe(4);
  expect(stdout).toMatch(/kappa 0\.72 \[0\.\d\d, 0\.\d\d\] over 100 labelled answers, and its lower bound/);
  expect((await project.run(['run'], { env: server.env })).code).toBe(4);
});

test('a record with the former name for judges that may not decide is incomplete still', async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  expect((await project.run(['run'], { env: server.env })).code).toBe(4);
  const [path = ''] = project.files('.llmcheck/runs');
  project.write(path, project.read(path).replace('"unvalidated":', '"uncalibrated":'));
  const { stdout } = await project.run(['report']);
  expect(stdout).toContain('INCOMPLETE  a judge may not decide before it is validated');
});

test.each([
  [29, 4, 'label 1 more answer, then run llmcheck judge check'],
  [30, 0, ''],
])('%i labels of a judge that is always right: exit %i', async (count, wanted, message) => {
  const server = await startJudge((n) => verdict(n % 3 !== 0));
  const project = open(labels.split('\n').slice(0, count).join('\n'));
  const checked = await project.run(['judge', 'check'], { env: server.env });
  expect(checked.code).toBe(wanted);
  expect(checked.stdout).toContain(message);
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(wanted);
  expect(report.decision.breaches[0]?.message ?? '').toContain(message);
});

test('a judge that reached its minKappa may decide, one that was never measured may not', {
  tags: ['slow'],
}, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  const before = await project.report(['run'], { env: server.env });
  expect(before.code).toBe(4);
  expect(before.report.decision).toMatchObject({
    outcome: 'incomplete',
    breaches: [{ code: 'judge-unvalidated', message: expect.stringContaining('was never measured') }],
  });
  expect((await project.run(['judge', 'check'], { env: server.env })).stdout).toContain('wrote evals/tone.judges.json');
  expect((await project.run(['run'], { env: server.env })).code).toBe(0);
});

test('a judge below minKappa may not decide: exit 4 and why, even where it fails a case', {
  tags: ['slow'],
}, async () => {
  const server = await startJudgeServer(({ parts }) =>
    /^\d+$/.test(parts['answer'] ?? '') ? badJudge(Number(parts['answer'])) : verdict(false),
  );
  const project = open();
  const checked = await project.run(['judge', 'check'], { env: server.env });
  expect(checked.code).toBe(4);
  expect(checked.stdout).toMatch(
    /may not decide by rubric: kappa -?0\.\d\d \[.+\] over 100 labelled answers, and minKappa is 0\.5/,
  );
  const { code, report, stdout } = await project.report(['run'], { env: server.env });
  expect(code).toBe(4);
  expect(stdout).toContain('judge-unvalidated');
  expect(report.decision.breaches[0]?.message).toContain('minKappa is 0.5');
  expect(report.decision.warnings.join()).toContain('not decided: its judge is not validated');
  expect(report.totals).toMatchObject({ failed: 1 });
  // The record alone says the same.
  const again = await project.run(['report', report.run.id, '-r', 'json']);
  expect(JSON.parse(again.stdout).decision).toMatchObject({ exitCode: 4, incompleteBecause: 'unvalidated' });
});

test('another judge model or another criterion makes the measurement stale', { tags: 'slow' }, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  await project.run(['judge', 'check'], { env: server.env });
  for (const changed of [
    { assert: '[{ rubric: The answer is very good. }]', judges },
    { assert: rubric, judges: judges.replace('minKappa', 'params: { seed: 1 }, minKappa') },
  ]) {
    writeJudgeSuite(project, changed);
    const { code, report } = await project.report(['run'], { env: server.env });
    expect(code).toBe(4);
    expect(report.decision.breaches[0]?.message).toContain('was measured before the judge or the check changed');
  }
});

test('another label makes the measurement stale, another order of labels does not', { tags: 'slow' }, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  await project.run(['judge', 'check'], { env: server.env });
  const rows = project.read('evals/strict.jsonl').trimEnd().split('\n');
  project.write('evals/strict.jsonl', `${rows.toReversed().join('\n')}\n`);
  expect((await project.run(['run'], { env: server.env })).code).toBe(0);
  const [first = '', ...others] = rows;
  const flipped = first.replace(
    /"label":\s*"(pass|fail)"/,
    (_, label) => `"label":"${label === 'pass' ? 'fail' : 'pass'}"`,
  );
  project.write('evals/strict.jsonl', `${[flipped, ...others].join('\n')}\n`);
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(4);
  expect(report.decision.breaches[0]?.message).toContain('was measured before its labels changed');
});

test('a failure elsewhere still fails the run', async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  project.write(
    'evals/other.eval.yaml',
    'prompts: [{ id: v1, text: "Say: x" }]\nproviders: [{ id: mini, use: openai:gpt-4o-mini }]\ncases: [{ id: a, assert: [{ equals: y }] }]\n',
  );
  expect((await project.run(['run'], { env: server.env })).code).toBe(1);
});

test('replies that can not be read are no words: outside the measurement, and exit 3', { tags: 'slow' }, async () => {
  const server = await startJudge((n) => (n < 10 ? 'hm' : goodJudge(n)));
  const project = open();
  const { code, stdout } = await project.run(['judge', 'check'], { env: server.env });
  expect(code).toBe(3);
  expect(stdout).toContain('labelled     90, and 10 without a verdict of the judge');
});

test('labels or verdicts that are all alike have no kappa, so the judge may not decide', {
  tags: ['slow'],
}, async () => {
  const server = await startJudge(() => verdict(true));
  const { code, stdout } = await open().run(['judge', 'check'], { env: server.env });
  expect(code).toBe(4);
  expect(stdout).toContain('kappa 0.00');
  const alike = await open(labels.split('\n').slice(1, 3).join('\n')).run(['judge', 'check'], { env: server.env });
  expect(alike.code).toBe(4);
  expect(alike.stdout).toContain('kappa        unknown');
});

test('comparisons: kappa over three words, and the bias for a place', async () => {
  const server = await startJudgeServer(() => JSON.stringify({ reason: 'first', winner: 'A' }));
  const rows = ['win', 'loss', 'tie', 'tie'].map((label, n) => JSON.stringify({ answer: `a${n}`, other: 'b', label }));
  const project = open(rows.join('\n'), {
    assert: '[{ pairwise: Which is better? }]',
    judges: judges.replace('minKappa: 0.5, ', ''),
  });
  const { code, stdout } = await project.run(['judge', 'check', '--json'], { env: server.env });
  expect(code).toBe(0);
  const [found] = JSON.parse(stdout).suites[0].judges;
  expect(found).toMatchObject({ agreement: 0.5, positions: { first: 8, second: 0, tie: 0 } });
  const shown = await project.run(['judge', 'check'], { env: server.env });
  expect(shown.stdout).toContain('               1 × said tie, labelled win\n');
});

test.each([0.1, 0.5, 1])('a comparison is measured by what the judge prefers, also where min is %f', async (min) => {
  const server = await startJudgeServer(({ parts }) => {
    const [a, b] = [parts['answer A']?.length ?? 0, parts['answer B']?.length ?? 0];
    return JSON.stringify({ reason: 'by length', winner: a === b ? 'tie' : a > b ? 'A' : 'B' });
  });
  const rows = { win: 'long', loss: 's', tie: 'xx' };
  const labelled = Object.entries(rows).map(([label, answer]) => JSON.stringify({ answer, other: 'bb', label }));
  const project = open(labelled.join('\n'), {
    assert: `[{ pairwise: { value: Which is longer?, min: ${min} } }]`,
    judges: judges.replace('minKappa: 0.5, ', ''),
  });
  const { stdout } = await project.run(['judge', 'check', '--json', '--no-keep'], { env: server.env });
  expect(JSON.parse(stdout).suites[0].judges).toMatchObject([{ agreement: 1, kappa: 1 }]);
});

test('a judge with two checks needs to know which one a label is for', { tags: ['slow'] }, async () => {
  const server = await startJudge(goodJudge);
  const assert = '[{ rubric: It is good., name: good }, { rubric: It is short., name: short }]';
  const unnamed = await open(labels, { assert }).run(['judge', 'check'], { env: server.env });
  expect(unnamed.code).toBe(2);
  expect(unnamed.stderr).toContain('strict.jsonl:1');
  const named = labels.replaceAll('"id"', '"check":"good","id"');
  const { code, stdout } = await open(named, { assert }).run(['judge', 'check'], { env: server.env });
  expect(code).toBe(0);
  expect(stdout).toContain('"good"');
});

test.each([
  ['a label that is none', '{"answer": "x", "label": "maybe"}', 'must be pass or fail'],
  ['a key that no row has', '{"answer": "x", "label": true, "lable": 1}', '"lable"'],
  ['other beside a rubric', '{"answer": "x", "other": "y", "label": true}', '"other" is for pairwise'],
  ['a word of a comparison', '{"answer": "x", "label": "win"}', 'a label of rubric is'],
  [
    'a check that is not there',
    '{"answer": "x", "label": true, "check": "godo"}',
    ':1:41 error unknown-id: no check of this judge',
  ],
  [
    'two rows of one id',
    '{"id": "a", "answer": "x", "label": true}\n{"id": "a", "answer": "y", "label": true}',
    'have the id "a"',
  ],
])('%s is a usage error with its place', async (_, row, wanted) => {
  const { code, stderr } = await open(row).run(['validate']);
  expect(code).toBe(2);
  expect(stderr).toContain(wanted);
  expect(stderr).toMatch(/strict\.jsonl:\d/);
});

test('a file of labels that is missing, and one of validations that is damaged, are usage errors', async () => {
  const missing = openJudgeProject({ assert: rubric, judges });
  expect(await missing.run(['validate'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('strict.jsonl does not exist'),
  });
  const damaged = open();
  damaged.write('evals/tone.judges.json', '{"format": 1');
  const broken = await damaged.run(['run']);
  expect(broken.code).toBe(2);
  expect(broken.stderr).toContain('holds no validations of judges: it is no JSON: ');
  damaged.write('evals/tone.judges.json', '{"format": 1, "validations": [{ "judge": 5 }]}');
  const misshapen = await damaged.run(['run']);
  expect(misshapen.code).toBe(2);
  expect(misshapen.stderr).toMatch(/holds no validations of judges: validations\.0\.judge: \S/);
});

test('without a label there is nothing to measure: exit 4; unknown judges and flags are usage errors', async () => {
  const project = openJudgeProject({ assert: rubric });
  const none = await project.run(['judge', 'check']);
  expect(none).toMatchObject({ code: 4, stderr: expect.stringContaining('no answer is labelled') });
  for (const flags of [
    ['--judge', 'x'],
    ['--cache', 'x'],
    ['--max-cost', '-1'],
    ['-j', '0'],
    ['--timeout', 'x'],
  ]) {
    expect((await project.run(['judge', 'check', ...flags])).code).toBe(2);
  }
});

test('--no-keep writes nothing, and an interrupted check neither', { tags: ['slow'] }, async () => {
  const server = await startJudge(goodJudge);
  const project = open();
  await project.run(['judge', 'check', '--no-keep'], { env: server.env });
  expect(project.files('evals')).not.toContain('evals/tone.judges.json');
  const { code } = await project.run(['judge', 'check', '--cache', 'off'], {
    env: server.env,
    onReady: (signal) => signal('SIGINT'),
  });
  expect(code).toBe(130);
  expect(project.files('evals')).not.toContain('evals/tone.judges.json');
});
