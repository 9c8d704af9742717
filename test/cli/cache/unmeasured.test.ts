import { describe, expect, test } from 'vitest';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

/** Answers recorded by hand, which say no more than they are given. */
function openRecordings(gate: string, checks: string, answers: readonly object[]) {
  const project = openTempProject();
  const ids = answers.map((_, index) => `c${index}`);
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
recordings: words.jsonl
gate: ${gate}
defaults: { assert: ${checks} }
cases:
${ids.map((id) => `  - { id: ${id}, vars: { word: ${id} } }`).join('\n')}
`,
  );
  const lines = answers.map((completion, index) => ({
    format: 1,
    prompt: 'v1',
    provider: 'mini',
    caseId: ids[index],
    trial: 0,
    completion: { text: 'said', ...completion },
  }));
  project.write('evals/words.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return project;
}

async function reportOf(gate: string, checks: string, answers: readonly object[]) {
  const project = openRecordings(gate, checks, answers);
  expect((await project.run(['cache', 'import', 'evals/words.jsonl'])).code).toBe(0);
  const { code, report } = await project.report(['run']);
  return { code, codes: report.decision.breaches.map((breach) => breach.code), report };
}

describe('a limit on what was not measured', () => {
  const p95 = '{ latency: { p95Max: 1s } }';
  const said = '[{ equals: said }]';

  test.each([
    ['no latency at all', [{}, {}], 3, ['untimed']],
    ['one latency of two', [{ latencyMs: 10 }, {}], 3, ['untimed']],
    ['every latency', [{ latencyMs: 10 }, { latencyMs: 20 }], 0, []],
    ['a slow answer that fails the limit whatever the other took', [{ latencyMs: 60_000 }, {}], 1, ['latency-p95-max']],
    ['every latency, and one is slow', [{ latencyMs: 60_000 }, { latencyMs: 10 }], 1, ['latency-p95-max']],
  ])('fails or passes p95 latency, with %s', async (_, answers, code, codes) => {
    expect(await reportOf(p95, said, answers)).toMatchObject({ code, codes });
  });

  test('of p95 latency is met where the unknown ones can not reach the percentile', async () => {
    const answers = [{}, ...Array.from({ length: 40 }, () => ({ latencyMs: 10 }))];
    expect(await reportOf(p95, said, answers)).toMatchObject({ code: 0, codes: [] });
  });

  test.each([
    [p95, [{}, {}], "a latency limit can't be judged because the latency of 2 answers is unknown"],
    [p95, [{ latencyMs: 10 }, {}], "a latency limit can't be judged because the latency of 1 answer is unknown"],
    ['{ cost: { max: 1 } }', [{}], "a cost limit can't be judged because the cost of some answers is unknown"],
    [
      '{ latency: { p95Max: 1s }, cost: { max: 1 } }',
      [{}],
      "the latency of 1 answer is unknown, and a cost limit can't be judged",
    ],
  ])('is what the headline names: %s, %j', async (gate, answers, words) => {
    const project = openRecordings(gate, said, answers);
    await project.run(['cache', 'import', 'evals/words.jsonl']);
    const { code, stdout } = await project.run(['run']);
    expect([code, stdout.replace(/\s+/g, ' ')]).toEqual([3, expect.stringContaining(words)]);
    expect(stdout).not.toContain('could not be confirmed');
  });

  test('is no broken limit beside one that is', async () => {
    const project = openRecordings(p95, '[{ equals: other }]', [{}]);
    await project.run(['cache', 'import', 'evals/words.jsonl']);
    const { code, stdout } = await project.run(['run']);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^FAILED {2}1 of 1 \S+ case fails with [^;]*\n/)]);
  });

  test('of cost is an error without usage', async () => {
    expect(await reportOf('{ cost: { max: 1 } }', said, [{}])).toMatchObject({ code: 3, codes: ['unpriced'] });
  });

  test.each(['latency: { max: 1s }', 'tokens: { max: 10 }', 'cost: { max: 1 }', 'finishReason: stop'])(
    'in a check is an errored cell: %s',
    async (check) => {
      const { code, report } = await reportOf('{}', `[{ ${check} }]`, [{}]);
      expect([code, trialsOf(report)[0]?.error?.kind]).toEqual([3, 'check']);
    },
  );

  test('is an error under not too', async () => {
    const { code } = await reportOf('{}', '[{ not: { finishReason: length } }]', [{}]);
    expect(code).toBe(3);
  });
});

test('cache import writes no finish reason that was not given', async () => {
  const calls = { text: '', toolCalls: [{ name: 'find', arguments: {} }] };
  const project = openRecordings('{}', '[{ equals: said }]', [
    {},
    { finishReason: 'length' },
    calls,
    { refusal: 'No.' },
  ]);
  expect((await project.run(['cache', 'import', 'evals/words.jsonl'])).code).toBe(0);
  const written = project.read('evals/words.jsonl').trim().split('\n');
  expect(written.map((line) => JSON.parse(line).completion.finishReason)).toEqual([
    undefined,
    'length',
    undefined,
    undefined,
  ]);
});
