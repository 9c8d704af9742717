import { describe, expect, test } from 'vitest';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { startChatServer } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

function openAgents({ cases = 1, params = '{}', maxSteps = 6 } = {}) {
  const project = openTempProject();
  project.write(
    'llmcheck.config.yaml',
    'suites: ["*.eval.yaml"]\nprices: { "openai:gpt-4o-mini": { input: 100, output: 100 } }\n',
  );
  const ids = Array.from({ length: cases }, (_, index) => `  - { id: c${index}, vars: { word: w${index} } }`);
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Count {{ word }}." }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", params: ${params} }]
tools: { next: { returns: more } }
maxSteps: ${maxSteps}
gate: { confirm: { budget: 0 } }
defaults: { assert: [{ contains: Done }] }
cases:
${ids.join('\n')}
`,
  );
  return project;
}

/** Five calls and an answer: six steps. */
const six: readonly ScriptedStep[] = [...Array.from({ length: 5 }, (_, at) => [['next', { at }]] as const), 'Done.'];

describe('an agent that is killed by SIGKILL in step 4 of 6', () => {
  for (const argv of [['run', '--resume'], ['run']]) {
    const tags = argv.includes('--resume') ? [] : ['slow'];
    test(`is not asked for steps 1 to 3 again by ${argv.join(' ')}`, { tags }, async () => {
      const project = openAgents();
      let isHanging = true;
      const server = await startAgentServerWhere((done) => (isHanging && done === 3 ? 'hang' : six[done]));
      const { child, ended } = spawnCli(['run', '--no-baseline'], { cwd: project.root, env: server.env });
      await server.waitFor(4);
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      isHanging = false;
      const { code, report } = await project.report([...argv, '--no-baseline'], { env: server.env });
      expect(code).toBe(0);
      expect(trialsOf(report)[0]).toMatchObject({ status: 'passed', output: 'Done.' });
      const asked = server.requests.map(({ body }) => answersIn(body));
      expect(asked).toEqual([0, 1, 2, 3, 3, 4, 5]);
    });
  }
});

/** An agent whose server may also hang, by the number of answers that it has given. */
function startAgentServerWhere(stepOf: (done: number) => ScriptedStep | undefined) {
  return startAgentServer(({ messages }) => {
    const step = stepOf(messages.filter(({ role }) => role === 'assistant').length);
    return step ?? 'Done.';
  });
}

function answersIn(body: string): number {
  const { messages } = JSON.parse(body) as { messages: readonly { role: string }[] };
  return messages.filter(({ role }) => role === 'assistant').length;
}

describe('a bound on what agents cost', () => {
  test('is said by the dry run for all their steps', async () => {
    const { stdout } = await openAgents({ cases: 2, params: '{ max_tokens: 20 }' }).run(['run', '--dry-run']);
    expect(stdout).toContain('12 requests');
  });

  test('is held by --max-cost from step to step', async () => {
    const project = openAgents({ params: '{ max_tokens: 20 }' });
    // 60 tokens a step at 100 USD per million.
    const server = await startChatServer(({ model, messages }) => {
      const done = messages.filter(({ role }) => role === 'assistant').length;
      const call = { id: `call_${done}`, type: 'function', function: { name: 'next', arguments: `{"at":${done}}` } };
      const message = { role: 'assistant', content: null, tool_calls: [call] };
      const usage = { prompt_tokens: 40, completion_tokens: 20, total_tokens: 60 };
      const choices = [{ index: 0, finish_reason: 'tool_calls', message }];
      return { body: { id: 'c', object: 'chat.completion', created: 1, model, choices, usage } };
    });
    const { code, report } = await project.report(['run', '--no-baseline', '--max-cost', '0.03'], { env: server.env });
    expect(code).toBe(4);
    expect(trialsOf(report)[0]).toMatchObject({ status: 'skipped' });
    expect(server.requests.length).toBeGreaterThan(1);
    expect(server.requests.length).toBeLessThan(6);
    expect(report.totals.spentUsd).toBeLessThanOrEqual(0.03);
    expect(report.totals.spentUsd).toBeCloseTo(server.requests.length * 0.006, 9);
  });
});

test('--batch is refused for cases with tools, at their place and before anything is sent', async () => {
  const project = openAgents({ cases: 2 });
  const server = await startAgentServer(six);
  for (const argv of [
    ['run', '--batch'],
    ['run', '--batch', '--dry-run'],
  ]) {
    const { code, stderr } = await project.run(argv, { env: server.env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/shop\.eval\.yaml:9:5.*--batch: case c0 of suite shop has tools/s);
    expect(stderr).not.toContain('case c1');
  }
  expect(server.requests).toEqual([]);
});

test('turns count as steps: none is sent after maxSteps answers', async () => {
  const project = openAgents({ maxSteps: 3 });
  project.write(
    'shop.eval.yaml',
    project
      .read('shop.eval.yaml')
      .replace('vars: { word: w0 }', 'vars: { word: w0 }, turns: [{ user: a }, { user: b }]'),
  );
  const server = await startAgentServer([[['next', {}]], 'Done.', 'Done.', 'Done.']);
  const { code, report } = await project.report(['run', '--no-baseline'], { env: server.env });
  expect([code, server.requests.length]).toEqual([4, 3]);
  expect(trialsOf(report)[0]?.checks).toEqual([
    expect.objectContaining({ turn: 1, reason: 'has turns left after 3 answers, the most that maxSteps allows' }),
  ]);
});
