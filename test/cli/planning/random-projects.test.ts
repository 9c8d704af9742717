import { expect, test } from 'vitest';
import { createRandom } from '../../../src/text/random.ts';
import { type ChatReply, type ChatRequest, completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const maxTokens = 20;
const judge = 'judge-model';

/** Uses all that a bound allows: a token for each byte of the messages, and as many as the request lets it answer. */
function bill({ messages, model }: ChatRequest, text: string): ChatReply {
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  const usage = { prompt_tokens: bytes, completion_tokens: maxTokens, total_tokens: bytes + maxTokens };
  return { body: { ...completionOf(text, model), usage } };
}

function providerText(id: string, model: string): string {
  return `{ id: ${id}, use: "openai:${model}", price: { input: 100, output: 100 }, params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }`;
}

/** A random project: suites, models, prompt versions, trials, turns, contracts, judges and shares of the budget. */
function drawSuite(random: () => number, prompt: string, shape: SuiteShape): string {
  const { models, cases, trials, turns, isJudged, budget, versions } = shape;
  const prompts = Array.from(
    { length: versions },
    (_, index) => `{ id: v${index + 1}, text: "${prompt} ${index}: {{ word }}" }`,
  );
  const lines = Array.from({ length: cases }, (_, index) => {
    const more = [
      ...(random() < 0.3 ? ['mustPass: true'] : []),
      ...(index < turns ? ['turns: [{ user: "Once more?" }]'] : []),
    ];
    return `  - { id: c${index}, vars: { word: w${index} }${more.map((text) => `, ${text}`).join('')} }\n`;
  });
  const checks = isJudged ? '[{ contains: ok }, { rubric: { value: It is fine., votes: 1 } }]' : '[{ contains: ok }]';
  return `prompts: [${prompts.join(', ')}]
providers: [${models.map((model) => providerText(model, model)).join(', ')}]
${isJudged ? `judges: [{ id: strict, use: "openai:${judge}", limits: { retries: 0 } }]\n` : ''}gate: { confirm: { budget: ${budget} } }
defaults: { trials: ${trials}, assert: ${checks} }
cases:
${lines.join('')}`;
}

interface SuiteShape {
  readonly models: readonly string[];
  readonly cases: number;
  readonly trials: number;
  readonly turns: number;
  readonly isJudged: boolean;
  readonly budget: number;
  readonly versions: number;
}

function drawShape(random: () => number): SuiteShape {
  const upTo = (count: number) => 1 + Math.floor(random() * count);
  return {
    models: ['mini', 'big'].slice(0, upTo(2)),
    cases: upTo(12),
    trials: upTo(3),
    turns: random() < 0.3 ? upTo(3) : 0,
    isJudged: random() < 0.3,
    budget: [1, 1, 0.5, 0.25][Math.floor(random() * 4)] ?? 1,
    versions: upTo(2),
  };
}

function readPromise(stdout: string) {
  const line = stdout.slice(stdout.indexOf('\ndry run:'));
  const number = (pattern: RegExp) => Number(pattern.exec(line)?.[1] ?? 0);
  return {
    calls: number(/(\d+) requests?[,;]/) + number(/up to (\d+) more where/) + number(/up to (\d+) requests? to judges/),
    usd: number(/at most \$([\d.]+) in all/) || number(/at most \$([\d.]+)/),
  };
}

test.each(Array.from({ length: 20 }, (_, block) => block))(
  'random projects with breaks never send or spend more than their dry run said, block %i',
  { tags: ['slow'] },
  async (block) => {
    const random = createRandom(500 + block);
    let failing = 0;
    let judgeFails = 0;
    const server = await startChatServer((chat) => {
      if (chat.model === judge) return bill(chat, random() < judgeFails ? 'Hm.' : '{ "reason": "So.", "pass": true }');
      const isCandidate = chat.messages.some(({ content }) => content.startsWith('Please'));
      if (random() < 0.03) return { status: 400, body: { error: { message: 'no' } } };
      return bill(chat, isCandidate && random() < failing ? 'wrong' : 'ok');
    });
    const { env } = server;
    for (let index = 0; index < 10; index += 1) {
      const project = openTempProject();
      const shapes = Array.from({ length: 1 + Math.floor(random() * 3) }, () => drawShape(random));
      const seed = Math.floor(random() * 1e6);
      const write = (prompt: string) => {
        for (const [suite, shape] of shapes.entries()) {
          project.write(`evals/s${suite}.eval.yaml`, drawSuite(createRandom(seed + suite), prompt, shape));
        }
      };
      project.write('llmcheck.config.yaml', '');
      write('Say');
      if (random() < 0.8) {
        await project.run(['run', '--cache', 'off', '--max-errors', '100%', '-q'], { env });
        await project.run(['baseline', 'accept', '--force'], { env });
      }
      write('Please say');
      failing = random();
      judgeFails = random() < 0.5 ? 0 : random() / 2;
      const argv = ['run', '--cache', 'off', '--max-errors', '100%'];
      const dry = await project.run([...argv, '--dry-run'], { env });
      const promise = readPromise(dry.stdout);
      const before = server.requests.length;
      const { report } = await project.report(argv, { env });
      const sent = server.requests.length - before;
      const isWithin = sent <= promise.calls && (report.totals.spentUsd ?? 0) <= promise.usd;
      // What was planned is shown where it fails.
      expect({ isWithin, sent, spentUsd: report.totals.spentUsd, shapes, said: dry.stdout }).toMatchObject({
        isWithin: true,
      });
      failing = 0;
      judgeFails = 0;
    }
  },
);
