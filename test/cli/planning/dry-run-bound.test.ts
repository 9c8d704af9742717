import { describe, expect, test } from 'vitest';
import { type ChatReply, type ChatRequest, completionOf, startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const maxTokens = 20;
const provider = `{ id: mini, use: "openai:gpt-4o-mini", price: { input: 100, output: 100 }, params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }`;

interface Written {
  readonly prompts?: string;
  readonly words?: readonly string[];
  readonly defaults?: string;
  readonly more?: string;
  readonly ofCase?: string;
}

function write(project: TempProject, { prompts, words, defaults, more = '', ofCase = '' }: Written): void {
  const cases = (words ?? ['one', 'two', 'three', 'four']).map(
    (word) => `  - { id: ${word}, vars: { word: ${word} }${ofCase} }\n`,
  );
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: ${prompts ?? '[{ id: v1, text: "Say: {{ word }}" }]'}
providers: [${provider}]
defaults: ${defaults ?? '{ assert: [{ equals: "{{ word }}" }] }'}
${more}cases:
${cases.join('')}`,
  );
}

/** Uses all that a bound allows: a token for each byte of the messages, and as many as the request lets it answer. */
function bill(chat: ChatRequest, text: string): ChatReply {
  const bytes = chat.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  return {
    body: {
      ...completionOf(text, chat.model),
      usage: { prompt_tokens: bytes, completion_tokens: maxTokens, total_tokens: bytes + maxTokens },
    },
  };
}

/** A project whose models are right at first; `break` lets them answer otherwise. */
async function open() {
  let answer = (chat: ChatRequest): ChatReply => bill(chat, wordOf(chat.text));
  const server = await startChatServer((chat) => answer(chat));
  const project = openTempProject();
  const { env } = server;
  return {
    project,
    server,
    env,
    break: (broken: typeof answer) => {
      answer = broken;
    },
    async accept() {
      await project.run(['run', '--cache', 'off'], { env });
      await project.run(['baseline', 'accept'], { env });
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** What the last line of a dry run promises. */
function readPromise(stdout: string) {
  const number = (pattern: RegExp) => Number(pattern.exec(stdout.slice(stdout.indexOf('\ndry run:')))?.[1] ?? 0);
  return {
    requests:
      number(/(\d+) requests?[,;]/) + number(/up to (\d+) more to confirm/) + number(/up to (\d+) requests? to judges/),
    usd: number(/at most \$([\d.]+) in all/) || number(/at most \$([\d.]+)/),
  };
}

/** Runs what the dry run told of. */
async function runAsTold({ project, server, env }: Opened, ...flags: readonly string[]) {
  const argv = ['run', '--cache', 'off', ...flags];
  const dry = await project.run([...argv, '--dry-run'], { env });
  expect(dry.code).toBe(0);
  const before = server.requests.length;
  const { report } = await project.report(argv, { env });
  const sent = server.requests.length - before;
  const promise = readPromise(dry.stdout);
  expect(sent).toBeLessThanOrEqual(promise.requests);
  expect(report.totals.spentUsd).toBeLessThanOrEqual(promise.usd);
  return { sent, promise, report, stdout: dry.stdout };
}

describe('a run never sends or spends more than its dry run said', () => {
  test('where all cases of a baseline break', async () => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    opened.break((chat) => bill(chat, 'wrong'));
    const { sent, promise, stdout } = await runAsTold(opened);
    // Every case is asked again until it is confirmed.
    expect(sent).toBeGreaterThan(4);
    expect(promise.requests).toBeGreaterThanOrEqual(sent);
    expect(stdout).toMatch(
      /4 requests, .*at most \$[\d.]+, up to \d+ more to confirm failures: at most \$[\d.]+ in all;/,
    );
  });

  test('where ten cases break on two models, and one of the trials that confirm each of them errors', async () => {
    const opened = await open();
    const second = provider.replace('mini', 'other').replace('gpt-4o-mini', 'gpt-4o');
    write(opened.project, { words: Array.from({ length: 10 }, (_, index) => `w${index}`) });
    const path = 'evals/words.eval.yaml';
    opened.project.write(path, opened.project.read(path).replace(`[${provider}]`, `[${provider}, ${second}]`));
    await opened.accept();
    const asked = new Map<string, number>();
    opened.break((chat) => {
      const cell = `${chat.model} ${chat.text}`;
      asked.set(cell, (asked.get(cell) ?? 0) + 1);
      return asked.get(cell) === 2 ? { status: 400, body: { error: { message: 'no' } } } : bill(chat, 'wrong');
    });
    // Ten cases would need 4 failures each; twenty need 5.
    expect((await runAsTold(opened)).sent).toBe(120);
  });

  test('with several trials, of which all fail or one does', async () => {
    const opened = await open();
    write(opened.project, { defaults: '{ trials: 3, assert: [{ equals: "{{ word }}" }] }' });
    await opened.accept();
    opened.break((chat) => bill(chat, 'wrong'));
    expect((await runAsTold(opened)).sent).toBeGreaterThan(4);
  });

  test('where cases that must pass fail without a baseline, and pass when they are asked again', async () => {
    const opened = await open();
    write(opened.project, { ofCase: ', mustPass: true' });
    const asked = new Map<string, number>();
    opened.break((chat) => {
      asked.set(chat.text, (asked.get(chat.text) ?? 0) + 1);
      return bill(chat, asked.get(chat.text) === 1 ? 'wrong' : wordOf(chat.text));
    });
    expect((await runAsTold(opened)).sent).toBe(12);
  });

  test('where new and redefined cases fail', async () => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    write(opened.project, { words: ['one', 'two', 'three', 'four', 'five'], defaults: '{ assert: [{ equals: x }] }' });
    expect((await runAsTold(opened)).sent).toBeGreaterThan(4);
  });

  test('where a version that replaces another fails', async () => {
    const opened = await open();
    const second = '{ id: v2, text: "Say it: {{ word }}", replaces: v1 }';
    write(opened.project, { prompts: `[{ id: v1, text: "Say: {{ word }}" }, ${second}]` });
    opened.break((chat) => bill(chat, chat.text.startsWith('Say it') ? 'wrong' : wordOf(chat.text)));
    expect((await runAsTold(opened)).sent).toBeGreaterThan(4);
  });

  test("where the baseline's prompt runs beside the new one", async () => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    write(opened.project, { prompts: '[{ id: v1, text: "Say it: {{ word }}" }]' });
    opened.break((chat) => bill(chat, chat.text.startsWith('Say it') ? 'wrong' : wordOf(chat.text)));
    expect((await runAsTold(opened, '--rerun-baseline')).sent).toBeGreaterThan(8);
  });

  test('where confirmation trials err, some at once and some after an answer', async () => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    const asked = new Map<string, number>();
    opened.break((chat) => {
      const before = asked.get(chat.text) ?? 0;
      asked.set(chat.text, before + 1);
      const mayErr = before > 0 && (wordOf(chat.text) === 'one' || (wordOf(chat.text) === 'two' && before % 2 === 0));
      return mayErr ? { status: 400, body: { error: { message: 'no' } } } : bill(chat, 'wrong');
    });
    expect((await runAsTold(opened)).sent).toBeGreaterThan(4);
  });

  test('in a conversation, whose later requests hold all that was said before', async () => {
    const opened = await open();
    const turns = '[{ user: "And once more?" }, { user: "And once more, please?" }]';
    write(opened.project, { ofCase: `, turns: ${turns}` });
    const { sent, promise } = await runAsTold(opened);
    expect(sent).toBe(12);
    expect(promise.requests).toBe(12);
  });

  test('where a judge gives no verdict that can be read', async () => {
    const opened = await open();
    const more = 'judges: [{ id: strict, use: "openai:gpt-4o", limits: { retries: 0 } }]\n';
    write(opened.project, { more, ofCase: ', mustPass: true', defaults: '{ assert: [{ rubric: It is a word. }] }' });
    opened.break((chat) => bill(chat, chat.model === 'gpt-4o' ? 'Hm.' : wordOf(chat.text)));
    const argv = ['run', '--cache', 'off'];
    const { stdout } = await opened.project.run([...argv, '--dry-run'], { env: opened.env });
    const { requests } = readPromise(stdout);
    expect(stdout).toMatch(/up to \d+ requests to judges, whose cost is not counted; nothing was sent/);
    await opened.project.run(argv, { env: opened.env });
    expect(opened.server.requests.length).toBeLessThanOrEqual(requests);
  });

  test('where a judge of three votes fails cases that must pass, and their confirmation trials too', async () => {
    const opened = await open();
    const more = 'judges: [{ id: strict, use: "openai:gpt-4o" }]\n';
    const rubric = '{ assert: [{ rubric: { value: It is a word., votes: 3 } }] }';
    write(opened.project, { more, ofCase: ', mustPass: true', defaults: rubric });
    const verdict = JSON.stringify({ reason: 'no', pass: false });
    opened.break((chat) => bill(chat, chat.model === 'gpt-4o' ? verdict : wordOf(chat.text)));
    const argv = ['run', '--cache', 'off'];
    const { stdout } = await opened.project.run([...argv, '--dry-run'], { env: opened.env });
    await opened.project.run(argv, { env: opened.env });
    // Four cases of three trials, each judged by three votes.
    expect(opened.server.requests).toHaveLength(48);
    expect(readPromise(stdout).requests).toBeGreaterThanOrEqual(48);
  });
});

test('nothing can be asked again of recordings, so a dry run tells of no confirmation trials', async () => {
  const opened = await open();
  write(opened.project, { more: 'recordings: words.jsonl\n', ofCase: ', mustPass: true' });
  await opened.project.run(['run', '--record'], { env: opened.env });
  const { stdout } = await opened.project.run(['run', '--dry-run'], { env: opened.env });
  expect(stdout).not.toContain('to confirm failures');
});

test('--max-cost holds for the planned trials, the confirmation trials, judges and retries together', async () => {
  const opened = await open();
  const more = `judges: [{ id: strict, use: "openai:gpt-4o", price: { input: 100, output: 100 }, params: { max_tokens: ${maxTokens} } }]\n`;
  write(opened.project, { more, defaults: '{ assert: [{ rubric: It is a word. }] }', ofCase: ', mustPass: true' });
  let billed = 0;
  opened.break((chat) => {
    if (opened.server.requests.length % 5 === 0) return { status: 500, headers: { 'retry-after': '0' }, body: {} };
    const bytes = chat.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    billed += ((bytes + maxTokens) * 100) / 1e6;
    const isJudge = chat.model === 'gpt-4o';
    return bill(chat, isJudge ? JSON.stringify({ reason: 'no', pass: false }) : wordOf(chat.text));
  });
  for (const cap of [0.01, 0.1, 0.3, 1]) {
    billed = 0;
    await opened.project.run(['run', '--cache', 'off', '-j', '1', '--max-cost', String(cap)], { env: opened.env });
    expect(billed).toBeLessThanOrEqual(cap);
  }
});
