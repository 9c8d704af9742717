import { expect, test } from 'vitest';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import { trialsOf } from '../../support/temp-project.ts';
import { openJudgeProject, writeJudgeSuite } from './judge-project.ts';

const rubric = '[{ rubric: The answer names a warm colour. }]';

test('a second run makes no call and is billed nothing', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({ assert: rubric, words: ['red', 'orange'] });
  await project.run(['run'], { env: server.env });
  expect(server.requests).toHaveLength(4);
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(server.requests).toHaveLength(4);
  expect(report.totals).toMatchObject({ judgeCostUsd: 0, spentUsd: 0, cached: 2 });
});

test('a judge is asked again for every trial, and retried like any call', async () => {
  const server = await startJudgeServer(({ index }) =>
    index === 0 ? { status: 429, headers: { 'retry-after-ms': '1', 'retry-after': '0' } } : verdict(true),
  );
  const project = openJudgeProject({ assert: rubric });
  const { code, report } = await project.report(['run', '--trials', '2', '-j', '1'], { env: server.env });
  expect(code).toBe(0);
  expect(server.judged).toHaveLength(3);
  expect(report.totals).toMatchObject({ planned: 2, passed: 2 });
});

test('a judge that is refused its key leaves the cells errored, not failed', async () => {
  const server = await startJudgeServer(() => ({ status: 401, body: { error: { message: 'bad key' } } }));
  const project = openJudgeProject({ assert: rubric, words: ['red', 'orange'] });
  const { code, report } = await project.report(['run', '-j', '1'], { env: server.env });
  expect(code).toBe(3);
  expect(report.totals).toMatchObject({ errored: 2 });
  expect(trialsOf(report)[0]?.checks[0]?.reason).toContain('gave no reply');
  // The judge is stopped by its first refusal.
  expect(server.judged).toHaveLength(1);
});

test('--max-cost reserves for judges, and what no longer fits is skipped', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const judges = '[{ id: strict, use: openai:gpt-4o, params: { max_tokens: 100 } }]';
  const project = openJudgeProject({ assert: rubric, judges });
  project.write(
    'evals/tone.eval.yaml',
    project
      .read('evals/tone.eval.yaml')
      .replace('openai:gpt-4o-mini }', 'openai:gpt-4o-mini, params: { max_tokens: 10 } }'),
  );
  const { code, report } = await project.report(['run', '--max-cost', '0.001'], { env: server.env });
  expect(code).toBe(4);
  expect(report.totals).toMatchObject({ planned: 1, skipped: 1, errored: 0 });
  expect(server.judged).toHaveLength(0);
});

test('--max-cost on a judge without a price is a usage error before any call', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({ assert: rubric, judges: '[{ id: strict, use: openai:my-judge }]' });
  const { code, stderr } = await project.run(['run', '--max-cost', '1'], { env: server.env });
  expect(code).toBe(2);
  expect(stderr).toContain('no price is known for openai:my-judge');
  expect(server.requests).toHaveLength(0);
});

test('recordings hold what the judge said: the run that uses them sends nothing', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({
    assert: '[{ rubric: { value: It is warm., votes: 3 } }]',
    more: 'recordings: tone.jsonl',
  });
  expect((await project.run(['run', '--record'], { env: server.env })).code).toBe(0);
  const recorded = project.read('evals/tone.jsonl');
  expect(recorded.match(/"provider":"strict"/g)).toHaveLength(3);
  const sent = server.requests.length;
  const { code, report } = await project.report(['run'], { env: {} });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ passed: 1, judgeCostUsd: 0 });
  expect(server.requests).toHaveLength(sent);
  expect(trialsOf(report)[0]?.checks[0]?.reason).toContain('3 of 3 votes');
});

test('a recorded reply of a judge that can not be read is not asked for again', async () => {
  const server = await startJudgeServer(() => 'nonsense');
  const project = openJudgeProject({ assert: rubric, more: 'recordings: tone.jsonl' });
  expect((await project.run(['run', '--record'], { env: server.env })).code).toBe(3);
  const sent = server.requests.length;
  expect((await project.run(['run'], { env: server.env })).code).toBe(3);
  expect(server.requests).toHaveLength(sent);
});

test('a judge without its recording leaves the cell errored and says how to record it', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({ assert: rubric, more: 'recordings: tone.jsonl' });
  await project.run(['run', '--record'], { env: server.env });
  const lines = project.read('evals/tone.jsonl').split('\n');
  project.write('evals/tone.jsonl', lines.filter((line) => !line.includes('"provider":"strict"')).join('\n'));
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(3);
  expect(trialsOf(report)[0]?.checks[0]?.reason).toContain('llmcheck run --record');
});

test('cache import fills the hashes of judges too', async () => {
  const project = openJudgeProject({ assert: rubric, more: 'recordings: tone.jsonl' });
  const line = (provider: string, text: string) =>
    JSON.stringify({ prompt: 'v1', provider, caseId: 'c0', completion: { text } });
  project.write('evals/tone.jsonl', `${line('mini', 'crimson')}\n${line('strict', verdict(true))}\n`);
  const imported = await project.run(['cache', 'import', 'evals/tone.jsonl']);
  expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining('filled 2 of 2') });
  expect((await project.run(['run'])).code).toBe(0);
});

test('another judge model is another check, another name for it is not', { tags: ['slow'] }, async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({ assert: rubric });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  const redefined = async (judges: string) => {
    writeJudgeSuite(project, { assert: rubric, judges });
    const { stdout } = await project.run(['run', '-r', 'json'], { env: server.env });
    const [suite] = JSON.parse(stdout).suites;
    return suite.variants[0].comparison.cases.redefined;
  };
  expect(await redefined('[{ id: renamed, use: openai:gpt-4o }]')).toEqual([]);
  expect(await redefined('[{ id: strict, use: openai:gpt-4o, params: { seed: 1 } }]')).toEqual(['c0']);
});

test('a stored verdict of the judge is kept without a call when other checks change', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({ assert: rubric });
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  writeJudgeSuite(project, { assert: '[{ rubric: The answer names a warm colour. }, { contains: r }]' });
  const sent = server.requests.length;
  const { stdout } = await project.run(['run', '-r', 'json'], { env: server.env });
  const [suite] = JSON.parse(stdout).suites;
  expect(suite.variants[0].comparison.cases).toMatchObject({ redefined: [] });
  expect(server.requests).toHaveLength(sent);
});

test('accepting a run that the cache answered changes no byte of the baseline', async () => {
  const server = await startJudgeServer(() => verdict(true));
  const project = openJudgeProject({ assert: rubric });
  for (const expected of ['wrote', 'unchanged']) {
    await project.run(['run'], { env: server.env });
    expect((await project.run(['baseline', 'accept'])).stdout).toContain(expected);
  }
});

test('a dry run counts what judges would be asked, and says that its cost leaves them out', async () => {
  const assert = '[{ rubric: { value: It is warm., votes: 3 } }, { not: { factual: x } }]';
  const project = openJudgeProject({ assert, words: ['red', 'blue'] });
  const { code, stdout } = await project.run(['run', '--dry-run']);
  expect(code).toBe(0);
  expect(stdout).toContain('up to 16 requests to judges, whose cost is not counted');
});
