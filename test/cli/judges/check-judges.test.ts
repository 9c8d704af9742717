import { expect, test } from 'vitest';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import type { TempProject } from '../../support/temp-project.ts';
import { openJudgeProject, writeJudgeSuite } from './judge-project.ts';

/** Passes an answer that says `good`. */
const startJudge = () => startJudgeServer(({ parts }) => verdict(parts['answer']?.includes('good') === true));

const two = {
  assert:
    '[{ rubric: { value: It is good., judge: strict }, name: nice }, { rubric: { value: It is short., judge: mild }, name: short }]',
  judges:
    '[{ id: strict, use: openai:gpt-4o, labels: strict.jsonl }, { id: mild, use: openai:gpt-4o, labels: mild.jsonl }]',
};
const rows = (...labelled: readonly object[]) => `${labelled.map((row) => JSON.stringify(row)).join('\n')}\n`;
const kept = (project: TempProject) =>
  (JSON.parse(project.read('evals/tone.judges.json')).validations as { judge: string; cases: number }[]).map(
    ({ judge, cases }) => `${judge} ${cases}`,
  );

test('measures the judges that are named, keeps what was measured of others, and drops what no check asks any more', async () => {
  const server = await startJudge();
  const project = openJudgeProject(two);
  project.write('evals/strict.jsonl', rows({ answer: 'good', label: 'pass' }, { answer: 'bad', label: 'fail' }));
  project.write('evals/mild.jsonl', rows({ answer: 'good', label: 'fail' }));
  project.write(
    'evals/other.eval.yaml',
    'prompts: [{ id: v1, text: hi }]\nproviders: ["openai:gpt-4o"]\ncases: [{ id: a, assert: [{ equals: x }] }]\n',
  );
  const check = async (...flags: readonly string[]) => {
    const { stdout, stderr } = await project.run(['judge', 'check', '--json', ...flags], { env: server.env });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout).suites as { suite: string; judges: Record<string, unknown>[] }[];
  };
  const [mild, ...others] = await check('--judge', 'mild');
  expect([mild?.suite, mild?.judges.length, others]).toEqual(['tone', 1, []]);
  expect(mild?.judges[0]).toMatchObject({
    judge: 'mild',
    cases: 1,
    agreement: 0,
    errored: 0,
    wrong: [{ label: 'fail', said: 'pass' }],
    confusion: [
      { said: 'pass', label: 'pass', count: 0 },
      { said: 'pass', label: 'fail', count: 1 },
      { said: 'fail', label: 'pass', count: 0 },
      { said: 'fail', label: 'fail', count: 0 },
    ],
  });
  expect([kept(project), server.judged.length]).toEqual([['mild 1'], 1]);
  await check('--judge', 'strict');
  expect(kept(project)).toEqual(['mild 1', 'strict 2']);
  writeJudgeSuite(project, { ...two, assert: two.assert.replace('It is short.', 'It is very short.') });
  await check('--judge', 'strict');
  expect(kept(project)).toEqual(['strict 2']);
  const [both] = await check();
  expect(both?.judges.map(({ judge, cases }) => [judge, cases])).toEqual([
    ['strict', 2],
    ['mild', 1],
  ]);
});

test('without a verdict there is no measurement, and the one before it is not kept', async () => {
  let isBroken = false;
  const server = await startJudgeServer(() => (isBroken ? 'hm' : verdict(true)));
  const project = openJudgeProject({
    assert: '[{ rubric: It is good. }]',
    judges: '[{ id: strict, use: openai:gpt-4o, labels: s.jsonl }]',
  });
  project.write('evals/s.jsonl', rows({ answer: 'a', label: 'pass' }));
  await project.run(['judge', 'check'], { env: server.env });
  expect(kept(project)).toEqual(['strict 1']);
  isBroken = true;
  const { code, stdout } = await project.run(['judge', 'check', '--json', '--cache', 'refresh'], { env: server.env });
  expect([code, kept(project)]).toEqual([3, []]);
  expect(JSON.parse(stdout).suites[0].judges[0]).toMatchObject({
    cases: 0,
    errored: 1,
    confusion: [],
    wrong: [{ label: 'pass', said: null, reason: expect.stringContaining('is unreadable') }],
  });
});

test('answers that were drawn unevenly are weighted by what they represent', async () => {
  const server = await startJudge();
  const project = openJudgeProject({
    assert: '[{ rubric: It is good. }]',
    judges: '[{ id: strict, use: openai:gpt-4o, labels: s.jsonl }]',
  });
  const countsOf = async (...labelled: readonly object[]) => {
    project.write('evals/s.jsonl', rows(...labelled.map((row, index) => ({ id: `r${index}`, ...row }))));
    await project.run(['judge', 'check'], { env: server.env });
    const [{ counts }] = JSON.parse(project.read('evals/tone.judges.json')).validations;
    return ['passesFound', 'passes', 'failuresFound', 'failures'].map((key) => Number(counts[key].toFixed(4)));
  };
  const [many, few] = [
    { stratum: 1, of: 30 },
    { stratum: 2, of: 10 },
  ];
  // Two of thirty, and two of ten: an answer of the second stands for a third of one of the first.
  expect(
    await countsOf(
      { answer: 'good 1', label: 'pass', drawn: many },
      { answer: 'bad 2', label: 'pass', drawn: many },
      { answer: 'bad 3', label: 'fail', drawn: few },
      { answer: 'good 4', label: 'fail', drawn: few },
    ),
  ).toEqual([1, 2, 0.3333, 0.6667]);
  // One of thirty beside two of ten: six times as much. One that was not drawn stands for the mean.
  expect(
    await countsOf(
      { answer: 'good 1', label: 'pass', drawn: many },
      { answer: 'bad 2', label: 'fail', drawn: few },
      { answer: 'good 3', label: 'fail', drawn: few },
      { answer: 'good 4', label: 'pass' },
    ),
  ).toEqual([1.4444, 1.4444, 0.1667, 0.3333]);
  expect(await countsOf({ answer: 'good', label: 'pass' }, { answer: 'good 2', label: 'fail' })).toEqual([1, 1, 0, 1]);
});

test.each([
  ['', [2, 3, 1, 1]],
  [', min: 1', [1, 1, 3, 3]],
])('a tie of a comparison passes, unless the check demands a win:%s', async (min, counts) => {
  const winners: Readonly<Record<string, string>> = { win: 'A', tie: 'tie', wrong: 'B', loss: 'B' };
  const server = await startJudgeServer(({ parts }) => {
    const [first = '', second = ''] = [parts['answer A'], parts['answer B']];
    const winner = winners[first] ?? { A: 'B', B: 'A', tie: 'tie' }[winners[second] ?? 'tie'] ?? 'tie';
    return JSON.stringify({ reason: 'x', winner });
  });
  const project = openJudgeProject({
    assert: `[{ pairwise: { value: Which is better?${min} } }]`,
    judges: '[{ id: strict, use: openai:gpt-4o, labels: s.jsonl }]',
  });
  const labels = { win: 'win', tie: 'tie', wrong: 'tie', loss: 'loss' };
  project.write(
    'evals/s.jsonl',
    rows(...Object.entries(labels).map(([answer, label]) => ({ answer, other: 'other', label }))),
  );
  const { stdout } = await project.run(['judge', 'check', '--json'], { env: server.env });
  const [found] = JSON.parse(stdout).suites[0].judges;
  expect(found.wrong.map(({ label, said }: { label: string; said: string }) => [label, said])).toEqual([
    ['tie', 'fail'],
  ]);
  const [{ counts: measured }] = JSON.parse(project.read('evals/tone.judges.json')).validations;
  expect(Object.values(measured)).toEqual(counts);
  expect(found.positions).toEqual({ first: 3, second: 3, tie: 2 });
});

test('a judge of comparisons prefers long answers where it errs by how much longer they are than the other', async () => {
  const server = await startJudgeServer(({ parts }) => {
    const [a, b] = [parts['answer A']?.length ?? 0, parts['answer B']?.length ?? 0];
    return JSON.stringify({ reason: 'by length', winner: a === b ? 'tie' : a > b ? 'A' : 'B' });
  });
  const project = openJudgeProject({
    assert: '[{ pairwise: Which is better? }]',
    judges: '[{ id: strict, use: openai:gpt-4o, labels: s.jsonl }]',
  });
  // Each answer is as long as the others; what it is compared with is not.
  const others = ['x', 'xx', 'x'.repeat(9), 'x'.repeat(10)];
  project.write('evals/s.jsonl', rows(...others.map((other, n) => ({ answer: `abcd${n}`, other, label: 'tie' }))));
  const { stdout } = await project.run(['judge', 'check', '--json'], { env: server.env });
  const [found] = JSON.parse(stdout).suites[0].judges;
  expect(found.lengthBias.rho).toBeGreaterThan(0.8);
});
