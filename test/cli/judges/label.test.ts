import { expect, test } from 'vitest';
import type { Typed } from '../../../src/cli/io.ts';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';
import { type JudgeSuite, openJudgeProject, writeJudgeSuite } from './judge-project.ts';

const rubric = '[{ rubric: The answer is good. }]';
const judges = '[{ id: strict, use: openai:gpt-4o, labels: strict.jsonl }]';
const suiteFile = 'evals/tone.eval.yaml';
/** Ten of a hundred are bad, of which the judge finds five; of 90 good ones it refuses ten. */
const words = Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? `bad ${n}` : `good ${n}`));
const few = words.slice(0, 30);
const numberIn = (text: string) => Number(/\d+/.exec(text)?.[0] ?? 0);
const saysPass = (answer: string) =>
  answer.startsWith('bad') ? numberIn(answer) % 20 === 0 : numberIn(answer) % 10 !== 1;

interface Row {
  readonly id: string;
  readonly answer: string;
  readonly label: string;
  readonly drawn: { readonly stratum: number; readonly of: number };
}

async function openRun(suite: Partial<JudgeSuite> = {}) {
  const server = await startJudgeServer(({ parts }) =>
    verdict(saysPass(parts['answer'] ?? ''), 'the secret of the judge'),
  );
  const project = openJudgeProject({ assert: rubric, judges, words, ...suite });
  project.write('evals/strict.jsonl', '');
  await project.run(['run', '--no-baseline'], { env: server.env });
  return { project, env: server.env, server };
}

const rowsOf = (project: TempProject): readonly Row[] =>
  project
    .read('evals/strict.jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const answerIn = (shown: string) => /answer:\n {4}(.*)\n/.exec(shown)?.[1] ?? '';

/** A person who knows: a word for good answers and a key for bad ones. */
const label = (shown: string) => (answerIn(shown).startsWith('good') ? 'Pass' : 'f');

/** The same person, who stops after some answers. */
function labelUntil(count: number, end: string | Typed) {
  let asked = 0;
  return (shown: string) => {
    asked += 1;
    return asked > count ? end : label(shown);
  };
}

const labelSuite = (project: TempProject, flags: readonly string[], input: (shown: string) => string | Typed = label) =>
  project.run(['judge', 'label', suiteFile, ...flags], { input });

test('draws half from passes and half from failures, and shows and writes no verdict', { tags: 'slow' }, async () => {
  const { project, env, server } = await openRun();
  const before = server.requests.length;
  const { code, stdout } = await labelSuite(project, ['--size', '20']);
  expect(code).toBe(0);
  expect(stdout).toContain('rubric:\n    The answer is good.\n');
  expect(stdout).toContain('20 labels written to evals/strict.jsonl\n');
  expect(stdout).not.toContain('secret');
  const rows = rowsOf(project);
  expect(rows.filter(({ answer }) => saysPass(answer))).toHaveLength(10);
  expect(new Set(rows.map(({ answer }) => answer)).size).toBe(20);
  for (const { answer, drawn } of rows) expect(drawn.of).toBe(saysPass(answer) ? 85 : 15);
  expect(project.read('evals/strict.jsonl')).not.toMatch(/secret|verdict|judge/);
  // What a run has judged is judged again from the cache.
  const checked = await project.run(['judge', 'check'], { env });
  expect(checked.stdout).toContain('labelled     20\n');
  expect(server.requests).toHaveLength(before);
});

test('uneven drawing does not bias sensitivity and specificity', { tags: 'slow' }, async () => {
  const { project, env } = await openRun();
  const measure = async (size: string) => {
    await labelSuite(project, ['--size', size]);
    const { stdout } = await project.run(['judge', 'check', '--json'], { env });
    const [found] = JSON.parse(stdout).suites[0].judges;
    return found;
  };
  // Half of these are answers that the judge failed: counted evenly, the sensitivity would be 0.69.
  const drawn = await measure('40');
  expect(drawn.sensitivity.value).toBeCloseTo(80 / 90, 1);
  expect(drawn.specificity.value).toBeLessThan(0.72);
  expect(drawn.counts.failures).toBeLessThan(10);
  const all = await measure('100');
  expect(all.counts).toEqual({ passesFound: 80, passes: 90, failuresFound: 5, failures: 10 });
});

test('goes on where it was left, and a larger size adds to it', { tags: ['slow'] }, async () => {
  const { project } = await openRun({ words: few });
  const quit = await labelSuite(project, ['--size', '10'], labelUntil(3, 'q'));
  expect([quit.code, rowsOf(project)]).toEqual([0, expect.objectContaining({ length: 3 })]);
  expect(quit.stdout).toContain('3 labels written to evals/strict.jsonl, 7 left: run it again to go on\n');
  const interrupted = await labelSuite(project, ['--size', '10'], labelUntil(2, { ended: 'interrupt' }));
  expect(interrupted.code).toBe(130);
  expect(interrupted.stdout).toContain('10 answers of run');
  expect(interrupted.stdout).toContain('3 of them labelled before');
  expect(rowsOf(project)).toHaveLength(5);
  await labelSuite(project, ['--size', '10'], labelUntil(1, { ended: 'input' }));
  await labelSuite(project, ['--size', '10']);
  expect(rowsOf(project)).toHaveLength(10);
  expect((await labelSuite(project, ['--size', '10'])).stdout).toContain('0 labels written');
  await labelSuite(project, ['--size', '16']);
  expect(new Set(rowsOf(project).map(({ answer }) => answer)).size).toBe(16);
});

test('asks again for a word that it does not know, and skips', { tags: ['slow'] }, async () => {
  const { project } = await openRun({ words: few });
  const replies = ['', 'yes', 'SKIP', 's', 'p', 'quit'];
  const { stdout } = await labelSuite(project, ['--size', '4'], () => replies.shift() ?? 'q');
  expect(stdout.split('[p]ass, [f]ail, [s]kip, [q]uit? ')).toHaveLength(7);
  expect(rowsOf(project)).toHaveLength(1);
});

test('the seed decides the draw', { tags: ['slow'] }, async () => {
  const { project } = await openRun({ words: few });
  const first = async (seed: string) => answerIn((await labelSuite(project, ['--seed', seed], () => 'q')).stdout);
  expect(await first('7')).toBe(await first('7'));
  expect(await first('7')).not.toBe(await first('8'));
});

test('answers with split votes come first, and are a group of their own', { tags: 'slow' }, async () => {
  const server = await startJudgeServer(({ parts, index }) =>
    verdict((parts['answer'] ?? '').startsWith('good 5') ? index % 2 === 0 : true),
  );
  const project = openJudgeProject({
    assert: '[{ rubric: { value: Good?, votes: 3 } }]',
    judges,
    words: words.slice(40, 70),
  });
  project.write('evals/strict.jsonl', '');
  await project.run(['run', '--no-baseline', '-j', '1'], { env: server.env });
  const order: string[] = [];
  await labelSuite(project, ['--size', '24'], (shown) => {
    order.push(answerIn(shown));
    return 'p';
  });
  const isSplit = (answer: string) => /^good 5\d?$/.test(answer);
  const split = order.filter(isSplit);
  expect(split.length).toBeGreaterThan(3);
  expect(order.slice(0, split.length)).toEqual(split);
  for (const { answer, drawn } of rowsOf(project)) {
    expect([2, 4].includes(drawn.stratum)).toBe(!isSplit(answer));
  }
});

test('rows of the file stay as they are, with and without a last line break', { tags: ['slow'] }, async () => {
  const { project, env } = await openRun({ words: few });
  const own = '{ "id": "mine",  "answer": "good", "label": true }';
  project.write('evals/strict.jsonl', own);
  await labelSuite(project, ['--size', '2']);
  const [first, ...others] = project.read('evals/strict.jsonl').trimEnd().split('\n');
  expect(first).toBe(own);
  expect(others).toHaveLength(2);
  expect((await project.run(['judge', 'check'], { env })).stdout).toContain('labelled     3\n');
});

test('what the model wrote can not act on the terminal', async () => {
  const { project } = await openRun({ words: ['red \u001b[2J \u202e x', 'green'] });
  const { stdout } = await labelSuite(project, []);
  for (const character of ['\u001b', '\u202e']) expect(stdout).not.toContain(character);
  expect(rowsOf(project).map(({ answer }) => answer)).toContain('red \u001b[2J \u202e x');
});

test('a file of labels that does not exist yet is made; run and check name the command', {
  tags: ['slow'],
}, async () => {
  const { project, env } = await openRun({ words: few });
  const { code, stderr } = await openJudgeProject({ assert: rubric, judges }).run(['run'], { env });
  expect([code, stderr]).toEqual([2, expect.stringContaining('llmcheck judge label SUITE writes it')]);
  writeJudgeSuite(project, { assert: rubric, judges: judges.replace('strict.jsonl', 'new.jsonl'), words: few });
  expect((await labelSuite(project, ['--size', '2'])).code).toBe(0);
  expect(project.read('evals/new.jsonl').trimEnd().split('\n')).toHaveLength(2);
});

test.each([
  ['a judge without a file', { judges: '[{ id: strict, use: openai:gpt-4o }]' }, [], 'names no file for its labels'],
  ['a file that is not a list of rows', { judges: judges.replace('strict.jsonl', 'strict.yaml') }, [], 'row by row'],
  ['several checks', { assert: '[{ rubric: A, name: a }, { rubric: B, name: b }]' }, [], '--check a, --check b'],
  ['a check that is not there', {}, ['--check', 'x'], 'no judged check called x'],
  ['a comparison', { assert: '[{ pairwise: Better? }]' }, [], 'pairwise compares two answers'],
  ['a suite without a judged check', { assert: '[{ contains: x }]' }, [], 'no check that asks a judge'],
  ['a size that is none', {}, ['--size', '0'], '--size: "0"'],
  ['a run that is not there', {}, ['--run', 'x'], 'x'],
  ['a suite that never ran', {}, [], 'there is no stored answer of evals/tone.eval.yaml'],
])('%s is a usage error, and nothing is written', async (_, suite, flags, wanted) => {
  const project = openJudgeProject({ assert: rubric, judges, ...suite });
  const before = project.files();
  const { code, stderr } = await labelSuite(project, flags);
  expect([code, stderr.replace(/\s+/g, ' ')]).toEqual([2, expect.stringContaining(wanted)]);
  expect(project.files()).toEqual(before);
});

test('the check is chosen by its name, and its answers are labelled for it alone', async () => {
  const assert = '[{ rubric: A, name: a }, { rubric: B, name: b }]';
  const { project, env } = await openRun({ assert, words: ['good 1', 'good 2', 'bad 3'] });
  await labelSuite(project, ['--check', 'a']);
  await labelSuite(project, ['--check', 'b']);
  expect(rowsOf(project)).toHaveLength(6);
  const { stdout } = await project.run(['judge', 'check', '--json'], { env });
  expect(JSON.parse(stdout).suites[0].judges).toMatchObject([
    { name: 'a', cases: 3 },
    { name: 'b', cases: 3 },
  ]);
});

test('a pipe can be the input, and its lines are all read', { tags: ['slow'] }, async () => {
  const { project } = await openRun();
  const { child, ended } = prepareSpawn()(['judge', 'label', suiteFile, '--size', '10'], { cwd: project.root });
  child.stdin?.end('p\nf\nskip\npass\n');
  expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('3 labels written') });
  expect(rowsOf(project)).toHaveLength(3);
});

test('an empty folder gets a hint how to begin', async () => {
  const { code, stderr } = await openTempProject().run(['judge', 'label', suiteFile]);
  expect(code).toBe(2);
  expect(stderr).toContain(suiteFile);
});
