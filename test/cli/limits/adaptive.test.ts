import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type ChatReply, startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** Holds every answer until no further request has come for some turns of the event loop. */
function createRounds() {
  let waiting: (() => void)[] = [];
  let isRunning = false;
  let most = 0;
  async function run(): Promise<void> {
    let seen = 0;
    let quietTurns = 0;
    while (quietTurns < 30) {
      await nextTurn();
      quietTurns = waiting.length === seen ? quietTurns + 1 : 0;
      seen = waiting.length;
    }
    most = Math.max(most, seen);
    const answered = waiting;
    waiting = [];
    isRunning = false;
    for (const answer of answered) answer();
  }
  return {
    most: () => most,
    take: (): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (isRunning) return;
        isRunning = true;
        void run();
      }),
  };
}

const suite = (cases: number, rest = '') => `suite: many
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: one, use: "openai:test-model"${rest} }, { id: two, use: "openai:other-model"${rest} }]
defaults: { assert: [{ contains: "{{ word }}" }] }
cases:
${Array.from({ length: cases }, (_, index) => `  - { id: c${index}, vars: { word: w${index} } }`).join('\n')}
`;

test('a run with nothing configured begins with eight calls for all providers of one key, and takes more', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  project.write('evals/many.eval.yaml', suite(100));
  const rounds = createRounds();
  const firstRound: number[] = [];
  const server = await startChatServer(async ({ text }) => {
    await rounds.take();
    if (firstRound.length === 0) firstRound.push(rounds.most());
    return wordOf(text);
  });
  const { code } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(firstRound).toEqual([8]);
  expect(rounds.most()).toBeGreaterThanOrEqual(16);
});

test.each([
  ['keys', ', apiKeyEnv: FIRST_KEY', ', apiKeyEnv: SECOND_KEY', 16],
  ['keys in a header', ', headers: { x-key: { env: FIRST_KEY } }', ', headers: { x-key: { env: SECOND_KEY } }', 16],
  ['headers without a key', ', headers: { x-team: one }', ', headers: { x-team: two }', 8],
])(
  'providers with other %s begin together with as many calls as they have accounts for',
  { tags: 'slow' },
  async (_, first, second, calls) => {
    const project = openTempProject();
    project.write(
      'evals/many.eval.yaml',
      suite(100).replace('test-model"', `$&${first}`).replace('other-model"', `$&${second}`),
    );
    const rounds = createRounds();
    const firstRound: number[] = [];
    const server = await startChatServer(async ({ text }) => {
      await rounds.take();
      if (firstRound.length === 0) firstRound.push(rounds.most());
      return wordOf(text);
    });
    const env = { ...server.env, FIRST_KEY: 'sk-test-of-the-first', SECOND_KEY: 'sk-test-of-the-second' };
    expect((await project.report(['run'], { env })).code).toBe(0);
    expect(firstRound).toEqual([calls]);
  },
);

test.each([
  ['-j', ['run', '-j', '8'], ''],
  ['limits.concurrency', ['run'], ', limits: { concurrency: 4 }'],
])('%s is never exceeded, however well it goes', async (_, argv, rest) => {
  const project = openTempProject();
  project.write('evals/many.eval.yaml', suite(60, rest));
  const rounds = createRounds();
  const server = await startChatServer(async ({ text }) => {
    await rounds.take();
    return wordOf(text);
  });
  const { code } = await project.report(argv, { env: server.env });
  expect(code).toBe(0);
  expect(rounds.most()).toBe(8);
});

const now = { 'retry-after-ms': '1' };
const failures: readonly ChatReply[] = [
  { status: 429, headers: now, body: { error: { message: 'slow down' } } },
  { status: 500, headers: now, body: { error: { message: 'no luck' } } },
  { status: 503, headers: now, body: '<html>try later</html>' },
  { status: 529, headers: now, body: { error: { type: 'overloaded_error', message: 'busy' } } },
  'reset',
  'truncate',
  { headers: { 'content-type': 'application/json' }, body: '{"choices": [{"message": {"content": "w' },
];

test('against a server that fails in every way nothing is lost or judged twice, and attempts are booked as it counted them', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  project.write('evals/many.eval.yaml', suite(70));
  const counted = new Map<string, number>();
  const server = await startChatServer(({ text, model }) => {
    const cell = `${model === 'test-model' ? 'one' : 'two'} c${wordOf(text).slice(1)}`;
    const attempt = (counted.get(cell) ?? 0) + 1;
    counted.set(cell, attempt);
    // Every third question fails once, every ninth twice, each in its own way.
    const number = Number(wordOf(text).slice(1));
    const isFailing = number % 3 === 0 && attempt <= (number % 9 === 0 ? 2 : 1);
    return isFailing ? (failures[(number / 3 + attempt) % failures.length] ?? 'reset') : wordOf(text);
  });
  const { code, report } = await project.report(['run', '-j', '20'], { env: server.env });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ planned: 140, passed: 140, failed: 0, errored: 0 });
  const [record = ''] = project.files('.llmcheck/runs');
  const booked = project
    .read(record)
    .split('\n')
    .filter((line) => line.includes('"type":"cell"'))
    .map((line) => JSON.parse(line) as { provider: string; caseId: string; attempts: number });
  expect(booked).toHaveLength(140);
  const sorted = (entries: Iterable<readonly [string, number]>) =>
    [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  expect(sorted(booked.map(({ provider, caseId, attempts }) => [`${provider} ${caseId}`, attempts]))).toEqual(
    sorted(counted),
  );
});
