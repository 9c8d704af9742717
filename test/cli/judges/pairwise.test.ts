import { expect, test } from 'vitest';
import { completionOf } from '../../support/chat-server.ts';
import { type Shown, startJudgeServer } from '../../support/judge-server.ts';
import { type JsonReport, trialsOf } from '../../support/temp-project.ts';
import { openJudgeProject, writeJudgeSuite } from './judge-project.ts';

const assert = '[{ pairwise: Which is longer? }]';
const prompts = [
  '  - { id: v1, text: "Say: {{ word }}" }',
  '  - { id: v2, text: "Say: {{ word }}!", replaces: v1 }',
].join('\n');

const say = (winner: string) => JSON.stringify({ reason: 'by length', winner });
/** An honest judge of length. */
const longer = ({ parts }: Shown) => {
  const [a, b] = [parts['answer A']?.length ?? 0, parts['answer B']?.length ?? 0];
  return say(a === b ? 'tie' : a > b ? 'A' : 'B');
};

const checkOf = (report: JsonReport, prompt: string) =>
  trialsOf(report).find((trial) => trial.prompt === prompt)?.checks[0];

test('a version is compared with the one it replaces in the same run, in both orders', async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert, prompts });
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(checkOf(report, 'v2')).toMatchObject({ pass: true, score: 1, judge: { votes: 1, agreement: 1 } });
  expect(checkOf(report, 'v2')?.reason).toContain('better than the answer of the other side');
  expect(server.judged.map(({ parts }) => parts['answer A'])).toEqual(['red!', 'red']);
});

test('the version that others are compared with is not asked about, and passes without a say', async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert: '[{ pairwise: x }, { contains: red }]', prompts });
  const { report } = await project.report(['run'], { env: server.env });
  expect(checkOf(report, 'v1')).toMatchObject({ pass: true, weight: 0, reason: expect.stringContaining('not asked') });
});

test('orders that disagree are a tie, which passes unless a win is wanted', async () => {
  const server = await startJudgeServer(() => say('A'));
  const project = openJudgeProject({ assert, prompts });
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(checkOf(report, 'v2')).toMatchObject({ pass: true, score: 0.5 });
  expect(checkOf(report, 'v2')?.reason).toContain('the two orders disagree, which is a tie');
  writeJudgeSuite(project, { assert: '[{ pairwise: { value: Which is longer?, min: 1 } }]', prompts });
  expect((await project.run(['run', '--no-baseline'], { env: server.env })).code).toBe(1);
});

test('a worse answer fails, and each of three votes asks both orders', { tags: ['slow'] }, async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({
    assert: '[{ pairwise: { value: Which is longer?, votes: 3 } }]',
    prompts: prompts.replace('text: "Say: {{ word }}!"', 'text: "Say: r"'),
  });
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(1);
  expect(checkOf(report, 'v2')).toMatchObject({ pass: false, score: 0 });
  expect(checkOf(report, 'v2')?.reason).toContain('3 of 3 votes, agreement 1.00');
  // The planned answer and four fresh ones are judged, each by three votes in both orders, for the new version alone.
  expect(server.judged).toHaveLength(5 * 3 * 2);
});

test('the order of the versions in the suite does not matter: no cell waits without end', {
  tags: 'slow',
}, async () => {
  const server = await startJudgeServer(longer);
  const reversed = prompts.split('\n').toReversed().join('\n');
  const words = Array.from({ length: 20 }, (_, index) => `word${index}`);
  const project = openJudgeProject({ assert, prompts: reversed, words });
  const { code, report } = await project.report(['run', '--trials', '2', '-j', '2'], { env: server.env });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ planned: 80, passed: 80 });
});

test('--compare names the other side, whatever the suite says', async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert, prompts: prompts.replace(', replaces: v1', '') });
  const { code, report } = await project.report(['run', '--compare', 'v2,v1'], { env: server.env });
  expect(checkOf(report, 'v1')).toMatchObject({ pass: false, score: 0 });
  expect(checkOf(report, 'v2')?.reason).toContain('not asked');
  expect(code).toBe(1);
});

test("without another version in the run it is compared with the baseline's answer", { tags: ['slow'] }, async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert: '[{ contains: red }]' });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  writeJudgeSuite(project, { assert, prompts: '  - { id: v1, text: "Say: {{ word }}, very red" }' });
  const { code, report } = await project.report(['run'], { env: server.env });
  // Its checks are new, so nothing is comparable with what was accepted.
  expect(code).toBe(4);
  expect(server.judged[0]?.parts).toMatchObject({ 'answer A': 'red, very red', 'answer B': 'red' });
  expect(checkOf(report, 'v1')).toMatchObject({ score: 1 });
});

test("each trial is compared with the baseline's answer of its own number, a further trial with one of them", {
  tags: ['slow'],
}, async () => {
  let answers = 0;
  const server = await startJudgeServer(longer, (text) => {
    answers += 1;
    return answers > 2 ? 'red, very red' : `${text.replace('Say: ', '')} ${answers}`;
  });
  const project = openJudgeProject({ assert: '[{ contains: red }]' });
  const first = await project.report(['run', '--trials', '2', '-j', '1'], { env: server.env });
  expect(trialsOf(first.report).map(({ output }) => output)).toEqual(['red 1', 'red 2']);
  await project.run(['baseline', 'accept']);
  writeJudgeSuite(project, { assert, prompts: '  - { id: v1, text: "Say: {{ word }}, very red" }' });
  await project.run(['run', '--trials', '4', '-j', '1'], { env: server.env });
  const compared = server.judged.map(({ parts }) => parts['answer B']).filter((text) => text !== 'red, very red');
  const timesOf = (answer: string) => compared.filter((text) => text === answer).length;
  expect([compared.length, timesOf('red 1'), timesOf('red 2')]).toEqual([4, 2, 2]);
});

test('an answer that the baseline has no text of is left out of what trials are compared with', {
  tags: ['slow'],
}, async () => {
  let answers = 0;
  const server = await startJudgeServer(longer, (text) => {
    answers += 1;
    const refused = { status: 400, body: { error: { code: 'content_filter', message: 'filtered' } } };
    if (answers === 1) return refused;
    return text.replace('Say: ', '');
  });
  const project = openJudgeProject({ assert: '[{ contains: red }]' });
  await project.report(['run', '--trials', '3', '-j', '1'], { env: server.env });
  expect((await project.run(['baseline', 'accept', '--force'])).code).toBe(0);
  writeJudgeSuite(project, { assert, prompts: '  - { id: v1, text: "Say: {{ word }}, very red" }' });
  await project.run(['run', '--trials', '3', '-j', '1'], { env: server.env });
  expect(server.judged.filter(({ parts }) => parts['answer B'] === 'red')).toHaveLength(3);
});

test("--baseline RUN holds an answer against that run's answer to its case by its prompt", async () => {
  const server = await startJudgeServer(longer);
  const texts = (first: string, second: string) =>
    `  - { id: v1, text: "Say: {{ word }}${first}" }\n  - { id: v2, text: "Say: {{ word }}${second}" }`;
  const words = ['red', 'blue'];
  const project = openJudgeProject({ assert: '[{ regex: . }]', words, prompts: texts('', '!') });
  project.write('evals/another.eval.yaml', project.read('evals/tone.eval.yaml').replaceAll('word }}', 'word }} else'));
  const { report } = await project.report(['run'], { env: server.env });
  writeJudgeSuite(project, { assert, words, prompts: texts(' now', ' then') });
  await project.report(['run', 'evals/tone.eval.yaml', '--baseline', report.run.id], { env: server.env });
  // Both orders of each pair are asked.
  const pairs = server.judged.map(({ parts }) => `${parts['answer A']} | ${parts['answer B']}`);
  const firstLonger = pairs.filter((pair) => /^\w+ \w+ /.test(pair));
  expect(new Set(firstLonger)).toEqual(
    new Set(['blue now | blue', 'blue then | blue!', 'red now | red', 'red then | red!']),
  );
});

test('--baseline RUN holds an answer against the one of the same provider', async () => {
  let answers = 0;
  const server = await startJudgeServer(longer, () => `answer ${(answers += 1)}`);
  const project = openJudgeProject({ assert: '[{ contains: answer }]' });
  const onTwo = (text: string) =>
    project.write(
      'evals/tone.eval.yaml',
      text.replace('openai:gpt-4o-mini }', 'openai:gpt-4o-mini }, { id: nano, use: openai:gpt-4.1-nano }'),
    );
  onTwo(project.read('evals/tone.eval.yaml'));
  const before = await project.report(['run'], { env: server.env });
  writeJudgeSuite(project, { assert, prompts: '  - { id: v1, text: "Say: {{ word }}!" }' });
  onTwo(project.read('evals/tone.eval.yaml'));
  const after = await project.report(['run', '--baseline', before.report.run.id], { env: server.env });
  const outputOf = (report: JsonReport, id: string) =>
    trialsOf(report).find(({ provider }) => provider === id)?.output ?? '';
  const pairs = new Set(server.judged.map(({ parts }) => `${parts['answer A']} | ${parts['answer B']}`));
  for (const id of ['mini', 'nano']) {
    expect(pairs).toContain(`${outputOf(after.report, id)} | ${outputOf(before.report, id)}`);
  }
});

test('the reasoning of both answers is compared, of one in the run and of one in the baseline', async () => {
  const server = await startJudgeServer(longer, (text) => {
    const reply = completionOf('red');
    const message = { role: 'assistant', content: 'red', reasoning_content: `I ${text}` };
    return { body: { ...reply, choices: [{ index: 0, message, finish_reason: 'stop' }] } };
  });
  const select = '[{ pairwise: Which is longer?, select: reasoning }]';
  const project = openJudgeProject({ assert: select, prompts });
  await project.run(['run'], { env: server.env });
  expect(server.judged[0]?.parts).toMatchObject({ 'answer A': 'I Say: red!', 'answer B': 'I Say: red' });
  await project.run(['baseline', 'accept', '--force']);
  writeJudgeSuite(project, { assert: select, prompts: '  - { id: v2, text: "Say: {{ word }}!!" }' });
  await project.run(['run'], { env: server.env });
  expect(server.judged[2]?.parts).toMatchObject({ 'answer A': 'I Say: red!!', 'answer B': 'I Say: red!' });
});

test("with --rerun-baseline it is compared with today's answer of the accepted prompt", async () => {
  let day = 'first';
  const server = await startJudgeServer(longer, (text) => `${text.replace('Say: ', '')} ${day}`);
  const project = openJudgeProject({ assert: '[{ contains: red }]' });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  day = 'later';
  writeJudgeSuite(project, { assert, prompts: '  - { id: v1, text: "Say: {{ word }}, very" }' });
  const { code, report } = await project.report(['run', '--rerun-baseline', '--cache', 'off'], { env: server.env });
  expect([code, checkOf(report, 'v1@baseline')?.reason]).toEqual([0, expect.stringContaining('not asked')]);
  expect(server.judged.map(({ parts }) => parts['answer B'])).toEqual(['red later', 'red, very later']);
});

test('a version with accepted answers is compared with these, not with those of the version it replaces', async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert: '[{ contains: red }]', prompts });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  writeJudgeSuite(project, { assert, prompts: prompts.replace('word }}!', 'word }}!!') });
  await project.run(['run'], { env: server.env });
  expect(server.judged.map(({ parts }) => parts['answer B'])).toEqual(['red!', 'red!!']);
});

test('the tool calls of both answers are compared, of one in the baseline too', async () => {
  const server = await startJudgeServer(longer, (text) => {
    const call = { id: 'c1', type: 'function', function: { name: 'paint', arguments: JSON.stringify({ text }) } };
    const message = { role: 'assistant', content: 'red', tool_calls: [call] };
    return { body: { ...completionOf('red'), choices: [{ index: 0, message, finish_reason: 'tool_calls' }] } };
  });
  const project = openJudgeProject({ assert: '[{ contains: red }]' });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  const select = '[{ pairwise: Which is longer?, select: toolCalls }]';
  writeJudgeSuite(project, { assert: select, prompts: '  - { id: v1, text: "Say: {{ word }}, very" }' });
  expect((await project.run(['run'], { env: server.env })).code).toBe(4);
  expect(server.judged[0]?.parts).toMatchObject({
    'answer A': expect.stringContaining('Say: red, very'),
    'answer B': expect.stringMatching(/"Say: red"/),
  });
});

test('the same answer is a tie without a call; no other answer is an error', async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert });
  const first = await project.report(['run'], { env: server.env });
  expect(first.code).toBe(3);
  expect(checkOf(first.report, 'v1')?.reason).toContain('no other answer to compare with');
  await project.run(['baseline', 'accept', '--force']);
  const second = await project.report(['run'], { env: server.env });
  expect(second.code).toBe(0);
  expect(checkOf(second.report, 'v1')?.reason).toContain('both answers are the same');
  expect(server.judged).toHaveLength(0);
});

test('a resumed run reads the other answer from its own record', async () => {
  let isBroken = true;
  const server = await startJudgeServer((shown) => (isBroken ? 'nonsense' : longer(shown)));
  const project = openJudgeProject({ assert, prompts });
  expect((await project.run(['run'], { env: server.env })).code).toBe(3);
  isBroken = false;
  const { code, report } = await project.report(['run', '--resume'], { env: server.env });
  expect(code).toBe(0);
  expect(checkOf(report, 'v2')).toMatchObject({ score: 1 });
});

test('a resumed run compares again once another answer is accepted', { tags: ['slow'] }, async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert: '[{ contains: red }]' });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  writeJudgeSuite(project, { assert, prompts: '  - { id: v1, text: "Say: {{ word }}, very red" }' });
  await project.run(['run'], { env: server.env });
  const baseline = project.files('evals').find((file) => file.endsWith('.baseline.jsonl')) ?? '';
  project.write(
    baseline,
    project.read(baseline).replace('"output":"red"', '"output":"red, and longer than any answer"'),
  );
  const { report } = await project.report(['run', '--resume'], { env: server.env });
  expect(checkOf(report, 'v1')).toMatchObject({ pass: false, score: 0 });
});

test('cache import fills the hashes of both orders without a call; fresh trials are not recorded', {
  tags: ['slow'],
}, async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({
    assert: '[{ pairwise: { value: Which is longer?, min: 1 } }]',
    prompts: prompts.replace('text: "Say: {{ word }}!"', 'text: "Say: r"'),
    more: 'recordings: tone.jsonl',
  });
  await project.run(['run', '--record'], { env: server.env });
  const recorded = project.read('evals/tone.jsonl');
  const lines = recorded
    .trim()
    .split('\n')
    .map((line): { readonly trial?: number } => JSON.parse(line));
  expect(lines.some(({ trial = 0 }) => trial > 0)).toBe(false);
  project.write('evals/tone.jsonl', recorded.replaceAll(/"requestHash":"[^"]*",?/g, '').replaceAll(',}', '}'));
  const sent = server.requests.length;
  const imported = await project.run(['cache', 'import', 'evals/tone.jsonl']);
  expect(imported).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`filled ${lines.length} of ${lines.length}`),
  });
  expect(project.read('evals/tone.jsonl')).toBe(recorded);
  const { report } = await project.report(['run'], { env: server.env });
  expect(checkOf(report, 'v2')).toMatchObject({ pass: false, score: 0 });
  expect(server.requests).toHaveLength(sent);
});

test('cache import compares with the answer that the baseline holds', async () => {
  const server = await startJudgeServer(longer);
  const project = openJudgeProject({ assert, prompts: '  - { id: v1, text: "Say: {{ word }}" }' });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept', '--force']);
  writeJudgeSuite(project, {
    assert,
    prompts: '  - { id: v1, text: "Say: {{ word }}!" }',
    more: 'recordings: tone.jsonl',
  });
  await project.run(['run', '--record'], { env: server.env });
  const recorded = project.read('evals/tone.jsonl');
  project.write('evals/tone.jsonl', recorded.replaceAll(/"requestHash":"[^"]*",?/g, '').replaceAll(',}', '}'));
  const count = recorded.trim().split('\n').length;
  expect(count).toBeGreaterThan(2);
  const { code, stdout } = await project.run(['cache', 'import', 'evals/tone.jsonl']);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`filled ${count} of ${count}`)]);
});

test('an answer that lost is what later ones are compared with once it is accepted, and no known failure', {
  tags: ['slow'],
}, async () => {
  const server = await startJudgeServer(longer);
  const prompt = (text: string) => `  - { id: v1, text: "Say: ${text}" }`;
  const project = openJudgeProject({ assert, prompts: prompt('{{ word }}!!') });
  await project.run(['run'], { env: server.env });
  expect((await project.run(['baseline', 'accept'])).code).toBe(0);
  for (const text of ['{{ word }}!', '{{ word }}']) {
    writeJudgeSuite(project, { assert, prompts: prompt(text) });
    const { code, report } = await project.report(['run'], { env: server.env });
    expect([text, code, checkOf(report, 'v1')?.pass]).toEqual([text, 1, false]);
    const { code: accepted, stdout } = await project.run(['baseline', 'accept']);
    expect([accepted, stdout.includes('known failure')]).toEqual([0, false]);
  }
});
