import { expect, test } from 'vitest';
import { createRandom } from '../../../src/text/random.ts';
import { type ChatReply, type ChatRequest, completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const maxTokens = 60;

/** Uses all that a bound allows: a token for each byte that was sent, and for its own answers as many as it may make. */
function bill({ messages, model }: ChatRequest, text: string, calls: number): ChatReply {
  const sizes = messages.map(({ role, content }) => (role === 'assistant' ? maxTokens : Buffer.byteLength(content)));
  const prompt = sizes.reduce((sum, size) => sum + size, 0);
  const usage = { prompt_tokens: prompt, completion_tokens: maxTokens, total_tokens: prompt + maxTokens };
  const toolCalls = Array.from({ length: calls }, (_, at) => ({
    id: `call_${messages.length}_${at}`,
    type: 'function',
    function: { name: 'next', arguments: '{}' },
  }));
  const message = calls === 0 ? {} : { content: null, tool_calls: toolCalls };
  return { body: { ...completionOf(text, model, message), usage } };
}

interface SuiteShape {
  readonly cases: number;
  readonly trials: number;
  readonly maxSteps: number;
  readonly result: number;
  readonly turns: number;
  readonly budget: number;
}

function drawShape(random: () => number): SuiteShape {
  const upTo = (count: number) => 1 + Math.floor(random() * count);
  const turns = Math.floor(random() * 3);
  return {
    cases: upTo(8),
    trials: upTo(3),
    maxSteps: turns + upTo(4),
    result: upTo(400),
    turns,
    budget: [1, 0.5, 0.25][Math.floor(random() * 3)] ?? 1,
  };
}

function writeSuite(prompt: string, { cases, trials, maxSteps, result, turns, budget }: SuiteShape): string {
  const users = Array.from({ length: turns }, () => '{ user: "And now?" }').join(', ');
  const lines = Array.from(
    { length: cases },
    (_, at) => `  - { id: c${at}, vars: { word: w${at} }${turns === 0 ? '' : `, turns: [${users}]`} }\n`,
  );
  return `prompts: [{ id: v1, text: "${prompt}: {{ word }}" }]
providers: [{ id: mini, use: "openai:mini", params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }]
gate: { confirm: { budget: ${budget} } }
tools: { next: { returns: "${'x'.repeat(result)}" } }
maxSteps: ${maxSteps}
defaults: { trials: ${trials}, assert: [{ contains: ok }] }
cases:
${lines.join('')}`;
}

function readPromise(stdout: string) {
  const line = stdout.slice(stdout.indexOf('\ndry run:'));
  const number = (pattern: RegExp) => Number(pattern.exec(line)?.[1] ?? 0);
  return {
    calls: number(/(\d+) requests?[,;]/) + number(/up to (\d+) more where/),
    usd: number(/at most \$([\d.]+) in all/) || number(/at most \$([\d.]+)/),
  };
}

test.each(Array.from({ length: 4 }, (_, block) => block))(
  'random agents never send or spend more than their dry run said, block %i',
  { tags: ['slow'] },
  async (block) => {
    const random = createRandom(900 + block);
    let failing = 0;
    let eager = 0;
    const seen = { steps: 0, confirmed: 0 };
    const server = await startChatServer((chat) => {
      const results = chat.messages.filter(({ role }) => role === 'tool').length;
      if (results > 0) seen.steps += 1;
      if (random() < eager) return bill(chat, '', 1 + Math.floor(random() * 16));
      return bill(chat, random() < failing ? 'wrong' : 'ok', 0);
    });
    const { env } = server;
    for (let index = 0; index < 6; index += 1) {
      const project = openTempProject();
      const shape = drawShape(random);
      project.write(
        'llmcheck.config.yaml',
        'suites: ["*.eval.yaml"]\nprices: { "openai:mini": { input: 100, output: 100 } }\n',
      );
      project.write('a.eval.yaml', writeSuite('Say', shape));
      eager = random() / 2;
      if (random() < 0.7) {
        await project.run(['run', '--cache', 'off', '-q'], { env });
        await project.run(['baseline', 'accept', '--force'], { env });
        project.write('a.eval.yaml', writeSuite('Please say', shape));
      }
      failing = random();
      const argv = ['run', '--cache', random() < 0.5 ? 'off' : 'use'];
      const dry = await project.run([...argv, '--dry-run'], { env });
      const promise = readPromise(dry.stdout);
      const before = server.requests.length;
      const { report } = await project.report(argv, { env });
      const sent = server.requests.length - before;
      const spentUsd = report.totals.spentUsd ?? Number.NaN;
      if (sent > report.totals.planned) seen.confirmed += 1;
      const isWithin = sent <= promise.calls && spentUsd <= promise.usd + 1e-4;
      expect({ isWithin, sent, spentUsd, promise, shape, said: dry.stdout }).toMatchObject({ isWithin: true });
      failing = 0;
    }
    expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
  },
);
