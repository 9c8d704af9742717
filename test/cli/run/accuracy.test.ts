import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const letters = ['A', 'B', 'C', 'D'] as const;

test('250 cases on two prompts and two models give exactly the pass rates of an independent count', {
  tags: 'slow',
}, async () => {
  const project = openTempProject('bulk');
  const golden = Array.from({ length: 250 }, (_, n) => letters[(n * 7 + 3) % 4] ?? 'A');
  const rows = golden.map((expected, n) => JSON.stringify({ id: `q${n}`, vars: { number: n }, expected }));
  project.write('data/questions.jsonl', `${rows.join('\n')}\n`);
  const counted = new Map<string, number>();
  const server = await startChatServer(({ model, messages, text }) => {
    const n = Number(/Q(\d+)/.exec(text)?.[1]);
    const prompt = messages.length === 2 ? 'long' : 'short';
    const answer = answerOf(n, prompt, model);
    if (answer === golden[n]) {
      const key = `${prompt} × openai:${model}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
    // Another letter comes first, so that only the last match is the answer; now and then there is none at all.
    return answer === undefined ? 'I can not say.' : `Not (${letters[(n + 1) % 4]}). It is (${answer}).`;
  });

  const { code, report } = await project.report(['run', '-j', '32'], { env: server.env });

  expect(code).toBe(0);
  expect(server.requests).toHaveLength(1000);
  expect(report.totals).toMatchObject({ planned: 1000, errored: 0, skipped: 0, cached: 0 });
  const [suite] = report.suites;
  const passed = suite?.variants.map((variant) => [`${variant.prompt} × ${variant.provider}`, variant.passed] as const);
  expect(new Map(passed)).toEqual(counted);
  for (const variant of suite?.variants ?? []) {
    expect(variant.planned).toBe(250);
    expect(variant.passRate).toMatchObject({ n: 250, value: variant.passed / 250 });
    expect(variant.passed).toBeGreaterThan(0);
    expect(variant.failed).toBeGreaterThan(0);
  }
  expect(suite?.cases).toHaveLength(1000);
});

/** Right in a share of the questions that differs by prompt and model. */
function answerOf(n: number, prompt: string, model: string): string | undefined {
  const skill = (prompt === 'long' ? 11 : 5) + (model === 'gpt-4o' ? 3 : 0);
  const draw = (n * 31 + skill) % 17;
  if (draw === 0) return undefined;
  return letters[(n * 7 + 3 + (draw < skill ? 0 : 1)) % 4];
}
