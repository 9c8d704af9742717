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

function providerText(id: string, model: string, retries: number): string {
  return `{ id: ${id}, use: "openai:${model}", params: { max_tokens: ${maxTokens} }, limits: { retries: ${retries} } }`;
}

/** A random project: suites, models, prompt versions, trials, turns, contracts, judges and shares of the budget. */
function drawSuite(random: () => number, { prompt, isOld }: Edition, shape: SuiteShape): string {
  const { models, cases, trials, turns, isJudged, budget, versions, replaces, hasOldModel, retries } = shape;
  const prompts = Array.from({ length: versions }, (_, index) => {
    const more = replaces && index === 1 ? ', replaces: v1' : '';
    return `{ id: v${index + 1}, text: "${prompt} ${index}: {{ word }}"${more} }`;
  });
  const rubric = '{ rubric: { value: It is fine., votes: 1 } }';
  const ofTurn = isJudged ? `, assert: [${rubric}]` : ', assert: [{ contains: ok }]';
  const lines = Array.from({ length: cases }, (_, index) => {
    const more = [
      ...(random() < 0.3 ? ['mustPass: true'] : []),
      ...(index < turns ? [`turns: [{ user: "Once more?"${ofTurn} }]`] : []),
    ];
    return `  - { id: c${index}, vars: { word: w${index} }${more.map((text) => `, ${text}`).join('')} }\n`;
  });
  const checks = isJudged ? `[{ contains: ok }, ${rubric}]` : '[{ contains: ok }]';
  const modelOf = (id: string) => (isOld && hasOldModel ? `${id}-old` : id);
  const judges = `judges: [{ id: strict, use: "openai:${judge}", params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }]\n`;
  return `prompts: [${prompts.join(', ')}]
providers: [${models.map((model) => providerText(model, modelOf(model), retries)).join(', ')}]
${isJudged ? judges : ''}gate: { confirm: { budget: ${budget} } }
defaults: { trials: ${trials}, assert: ${checks} }
cases:
${lines.join('')}`;
}

/** The prompts before and after an edit. */
interface Edition {
  readonly prompt: string;
  readonly isOld: boolean;
}

/** The models of the accepted prompts are dearer. */
const prices = `prices:
${['mini', 'big', judge].map((model) => `  "openai:${model}": { input: 100, output: 100 }\n`).join('')}${['mini-old', 'big-old'].map((model) => `  "openai:${model}": { input: 300, output: 300 }\n`).join('')}`;

interface SuiteShape {
  readonly models: readonly string[];
  readonly cases: number;
  readonly trials: number;
  readonly turns: number;
  readonly isJudged: boolean;
  readonly budget: number;
  readonly versions: number;
  readonly replaces: boolean;
  readonly hasOldModel: boolean;
  readonly retries: number;
}

function drawShape(random: () => number): SuiteShape {
  const upTo = (count: number) => 1 + Math.floor(random() * count);
  return {
    models: ['mini', 'big'].slice(0, upTo(2)),
    cases: upTo(8),
    trials: upTo(3),
    turns: random() < 0.3 ? upTo(3) : 0,
    isJudged: random() < 0.3,
    budget: [1, 1, 0.5, 0.25][Math.floor(random() * 4)] ?? 1,
    versions: upTo(2),
    replaces: random() < 0.5,
    hasOldModel: random() < 0.3,
    retries: random() < 0.3 ? 2 : 0,
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

test.each(Array.from({ length: 2 }, (_, block) => block))(
  'random projects with breaks never send or spend more than their dry run said, block %i',
  { tags: ['slow'] },
  async (block) => {
    const random = createRandom(500 + block);
    let failing = 0;
    let judgeFails = 0;
    let answered = 0;
    const seen = { judges: 0, accepted: 0, retried: 0, turns: 0 };
    const server = await startChatServer((chat) => {
      const isJudge = chat.model === judge;
      if (!isJudge && random() < 0.03) {
        const isTransient = random() < 0.5;
        if (isTransient) seen.retried += 1;
        const headers = { 'retry-after-ms': '1' };
        return { status: isTransient ? 503 : 400, headers, body: { error: { message: 'no' } } };
      }
      answered += 1;
      if (isJudge) {
        seen.judges += 1;
        const isUnreadable = random() < judgeFails;
        return bill(chat, isUnreadable ? 'Hm.' : JSON.stringify({ reason: 'So.', pass: random() >= failing / 2 }));
      }
      const isCandidate = chat.messages.some(({ content }) => content.startsWith('Please'));
      if (failing > 0 && !isCandidate) seen.accepted += 1;
      if (chat.messages.length > 1) seen.turns += 1;
      return bill(chat, isCandidate && random() < failing ? 'wrong' : 'ok');
    });
    const { env } = server;
    for (let index = 0; index < 8; index += 1) {
      const project = openTempProject();
      const shapes = Array.from({ length: 1 + Math.floor(random() * 3) }, () => drawShape(random));
      const seed = Math.floor(random() * 1e6);
      const write = (edition: Edition) => {
        for (const [suite, shape] of shapes.entries()) {
          project.write(`evals/s${suite}.eval.yaml`, drawSuite(createRandom(seed + suite), edition, shape));
        }
      };
      project.write('llmcheck.config.yaml', prices);
      write({ prompt: 'Say', isOld: true });
      if (random() < 0.8) {
        await project.run(['run', '--cache', 'off', '--max-errors', '100%', '-q'], { env });
        await project.run(['baseline', 'accept', '--force'], { env });
      }
      write({ prompt: 'Please say', isOld: false });
      failing = random();
      judgeFails = random() < 0.5 ? 0 : random() / 2;
      const cache = random() < 0.5 ? 'off' : 'use';
      const argv = ['run', '--cache', cache, '--max-errors', '100%', ...(random() < 0.2 ? ['--drift'] : [])];
      const dry = await project.run([...argv, '--dry-run'], { env });
      const promise = readPromise(dry.stdout);
      const before = answered;
      const { report } = await project.report(argv, { env });
      // What a server refused is asked again, and not billed.
      const sent = answered - before;
      const { spentUsd, judgeCostUsd } = report.totals;
      const isKnown = spentUsd !== null && judgeCostUsd !== null;
      const isWithin = isKnown && sent <= promise.calls && spentUsd + judgeCostUsd <= promise.usd;
      // What was planned is shown where it fails.
      expect({ isWithin, sent, spentUsd, judgeCostUsd, promise, argv, shapes, said: dry.stdout }).toMatchObject({
        isWithin: true,
      });
      failing = 0;
      judgeFails = 0;
    }
    // Each kind of call was among them.
    expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
  },
);
