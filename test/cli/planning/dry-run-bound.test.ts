import { describe, expect, test } from 'vitest';
import { type ChatReply, type ChatRequest, completionOf, startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const maxTokens = 20;
const provider = `{ id: mini, use: "openai:gpt-4o-mini", price: { input: 100, output: 100 }, params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }`;

/** The prompt as it is edited after it was accepted. */
const edited = '[{ id: v1, text: "Now. Say: {{ word }}" }]';
const isEdited = ({ text }: Pick<ChatRequest, 'text'>) => text.startsWith('Now. ');

interface Written {
  readonly prompts?: string;
  readonly providers?: string;
  readonly words?: readonly string[];
  readonly defaults?: string;
  readonly more?: string;
  readonly ofCase?: string;
}

function write(
  project: TempProject,
  { prompts, providers = `[${provider}]`, words, defaults, more = '', ofCase = '' }: Written,
): void {
  const cases = (words ?? ['one', 'two', 'three', 'four']).map(
    (word) => `  - { id: ${word}, vars: { word: ${word} }${ofCase} }\n`,
  );
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: ${prompts ?? '[{ id: v1, text: "Say: {{ word }}" }]'}
providers: ${providers}
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
  const sentOf = (test: (chat: ChatRequest) => boolean) => received.filter(test).length;
  const received: ChatRequest[] = [];
  const server = await startChatServer((chat) => {
    received.push(chat);
    return answer(chat);
  });
  const project = openTempProject();
  const { env } = server;
  return {
    project,
    server,
    env,
    sentOf,
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
      number(/(\d+) requests?[,;]/) +
      number(/up to (\d+) more where something looks worse/) +
      number(/up to (\d+) requests? to judges/),
    usd: number(/at most \$([\d.]+) in all/) || number(/at most \$([\d.]+)/),
  };
}

/** Runs what the dry run told of. */
async function runAsTold({ project, server, env }: Opened, ...flags: readonly string[]) {
  const argv = ['run', ...(flags.includes('--cache') ? [] : ['--cache', 'off']), ...flags];
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
    write(opened.project, { prompts: edited });
    opened.break((chat) => bill(chat, isEdited(chat) ? 'wrong' : wordOf(chat.text)));
    const { sent, promise, stdout, report } = await runAsTold(opened);
    expect([promise.requests, report.decision.exitCode]).toEqual([204, 1]);
    expect(sent).toBeGreaterThan(4);
    expect(stdout).toMatch(
      /4 requests, .*at most \$[\d.]+, up to 200 more where something looks worse: at most \$[\d.]+ in all;/,
    );
  });

  test('where ten cases break on two models, and one of the trials that confirm each of them errors', {
    tags: ['slow'],
  }, async () => {
    const opened = await open();
    const second = provider.replace('mini', 'other').replace('gpt-4o-mini', 'gpt-4o');
    write(opened.project, { words: Array.from({ length: 10 }, (_, index) => `w${index}`) });
    const path = 'evals/words.eval.yaml';
    opened.project.write(path, opened.project.read(path).replace(`[${provider}]`, `[${provider}, ${second}]`));
    await opened.accept();
    const asked = new Map<string, number>();
    opened.project.write(path, opened.project.read(path).replace('"Say:', '"Now. Say:'));
    opened.break((chat) => {
      if (!isEdited(chat)) return bill(chat, wordOf(chat.text));
      const cell = `${chat.model} ${chat.text}`;
      asked.set(cell, (asked.get(cell) ?? 0) + 1);
      return asked.get(cell) === 2 ? { status: 400, body: { error: { message: 'no' } } } : bill(chat, 'wrong');
    });
    const { sent, promise, report } = await runAsTold(opened);
    expect([promise.requests, report.decision.exitCode]).toEqual([220, 1]);
    expect(sent).toBeGreaterThan(20);
  });

  test('where cases break beside a suite of recordings, whose cells pay for no fresh trials', {
    tags: ['slow'],
  }, async () => {
    const { project, server, env, break: breakModel } = await open();
    const path = 'evals/words.eval.yaml';
    write(project, { words: Array.from({ length: 40 }, (_, index) => `r${index}`) });
    const recorded = project.read(path).replace('suite: words', 'suite: recorded\nrecordings: words.recordings.jsonl');
    project.write('evals/recorded.eval.yaml', recorded);
    await project.run(['run', '--record', 'evals/recorded.eval.yaml'], { env });
    write(project, {});
    await project.run(['run'], { env });
    await project.run(['baseline', 'accept'], { env });
    write(project, { prompts: edited });
    breakModel((chat) => bill(chat, isEdited(chat) ? 'wrong' : wordOf(chat.text)));
    const dry = await project.run(['run', '--dry-run'], { env });
    const before = server.requests.length;
    const { report } = await project.report(['run'], { env });
    expect([report.totals.planned, report.decision.exitCode, readPromise(dry.stdout).requests]).toEqual([44, 1, 204]);
    expect(server.requests.length - before).toBeLessThanOrEqual(204);
  });

  test('for several trials, all or one of which fail', { tags: ['slow'] }, async () => {
    const opened = await open();
    const defaults = '{ trials: 3, assert: [{ equals: "{{ word }}" }] }';
    write(opened.project, { defaults });
    await opened.accept();
    write(opened.project, { defaults, prompts: edited });
    opened.break((chat) => bill(chat, 'wrong'));
    expect((await runAsTold(opened)).sent).toBeGreaterThan(12);
  });

  test.each<[string, (chat: ChatRequest) => string]>([
    ['is right', (chat) => (isEdited(chat) ? 'wrong' : wordOf(chat.text))],
    ['fails too', () => 'wrong'],
  ])(
    'where two of twenty cases break and the accepted prompt, which is asked beside, %s',
    { tags: ['slow'] },
    async (_name, answer) => {
      const opened = await open();
      const words = Array.from({ length: 20 }, (_, index) => `w${index}`);
      write(opened.project, { words });
      await opened.accept();
      write(opened.project, { words, prompts: edited });
      opened.break((chat) => {
        const word = chat.text.split(' ').at(-1) ?? '';
        return bill(chat, ['w3', 'w4'].includes(word) ? answer(chat) : word);
      });
      const before = opened.sentOf((chat) => !isEdited(chat));
      const { promise } = await runAsTold(opened);
      expect(promise.requests).toBe(220);
      expect(opened.sentOf((chat) => !isEdited(chat))).toBeGreaterThan(before);
    },
  );

  test.each(['gpt-4', 'gpt-4.1-nano'])(
    'where the accepted prompt was asked on another model, %s',
    { tags: ['slow'] },
    async (model) => {
      const opened = await open();
      const words = Array.from({ length: 20 }, (_, index) => `w${index}`);
      const use = (name: string) =>
        `[{ id: mini, use: "openai:${name}", params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }]`;
      write(opened.project, { words, providers: use(model) });
      await opened.accept();
      write(opened.project, { words, providers: use('gpt-4o-mini') });
      opened.break((chat) =>
        bill(chat, chat.model === 'gpt-4o-mini' && chat.text.endsWith('w3') ? 'wrong' : wordOf(chat.text)),
      );
      const before = opened.sentOf((chat) => chat.model === model);
      const { report } = await runAsTold(opened);
      expect(report.decision.exitCode).toBe(1);
      // The fresh trials may cost as much as the dearer model.
      expect(opened.sentOf((chat) => chat.model === model)).toBeGreaterThan(before);
    },
  );

  test('where the average fell a little everywhere', { tags: ['slow'] }, async () => {
    const opened = await open();
    const words = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const defaults = '{ trials: 3, assert: [{ equals: "{{ word }}" }] }';
    write(opened.project, { words, defaults });
    await opened.accept();
    write(opened.project, { words, defaults, prompts: edited });
    const asked = new Map<string, number>();
    opened.break((chat) => {
      const count = asked.get(chat.text) ?? 0;
      asked.set(chat.text, count + 1);
      const word = chat.text.split(' ').at(-1) ?? '';
      return bill(chat, isEdited(chat) && (count + Number(word.slice(1))) % 2 === 0 ? 'wrong' : word);
    });
    const { report, sent } = await runAsTold(opened);
    expect(report.decision.breaches.map(({ code }) => code)).toEqual(['pass-rate-regressed']);
    expect(sent).toBeGreaterThan(60);
  });

  test('where nothing that is sent has changed, and under --drift', { tags: ['slow'] }, async () => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    opened.break((chat) => bill(chat, 'wrong'));
    expect((await runAsTold(opened)).sent).toBeGreaterThan(4);
    expect((await runAsTold(opened, '--drift')).sent).toBeGreaterThan(4);
  });

  test.each(['25%', '50%', '0'])('under a budget of %s', async (budget) => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    const more = `gate: { confirm: { budget: ${budget} } }\n`;
    write(opened.project, { prompts: edited, more });
    opened.break((chat) => bill(chat, isEdited(chat) ? 'wrong' : wordOf(chat.text)));
    const { promise, report } = await runAsTold(opened);
    expect(promise.requests).toBe(4 + Number.parseInt(budget, 10) / 25);
    // So few calls settle nothing.
    expect(report.decision.exitCode).toBe(4);
  });

  test('where cases that must pass fail without a baseline, and pass when they are asked again', async () => {
    const opened = await open();
    write(opened.project, { ofCase: ', mustPass: true' });
    const asked = new Map<string, number>();
    opened.break((chat) => {
      asked.set(chat.text, (asked.get(chat.text) ?? 0) + 1);
      return bill(chat, asked.get(chat.text) === 1 ? 'wrong' : wordOf(chat.text));
    });
    // Two fresh passes clear each contract.
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

  test('where fresh trials err, some at once and some after an answer', async () => {
    const opened = await open();
    write(opened.project, {});
    await opened.accept();
    write(opened.project, { prompts: edited });
    const asked = new Map<string, number>();
    opened.break((chat) => {
      const before = asked.get(chat.text) ?? 0;
      asked.set(chat.text, before + 1);
      const word = chat.text.split(' ').at(-1) ?? '';
      const mayErr = before > 0 && (word === 'one' || (word === 'two' && before % 2 === 0));
      return mayErr ? { status: 400, body: { error: { message: 'no' } } } : bill(chat, 'wrong');
    });
    expect((await runAsTold(opened)).sent).toBeGreaterThan(4);
  });

  test('in a conversation, whose later requests hold all that was said before', async () => {
    const opened = await open();
    const turns = '[{ user: "And once more?" }, { user: "And once more, please?" }]';
    write(opened.project, { ofCase: `, turns: ${turns}` });
    const { sent, promise } = await runAsTold(opened);
    // Every case fails, and is asked again whole.
    expect(sent).toBeGreaterThan(12);
    expect(promise.requests).toBe(12 + 200);
  });

  test('in a conversation that breaks, beside the accepted prompt, and whose trials err half way', {
    tags: ['slow'],
  }, async () => {
    const opened = await open();
    const words = Array.from({ length: 12 }, (_, index) => `w${index}`);
    const turns = '[{ user: "Say: more" }, { user: "Say: on" }]';
    const shared = { words, ofCase: `, turns: ${turns}`, defaults: '{ assert: [{ equals: on }] }' };
    write(opened.project, shared);
    await opened.accept();
    write(opened.project, { ...shared, prompts: edited });
    let asked = 0;
    opened.break((chat) => {
      asked += 1;
      const isBroken = isEdited({ text: chat.messages[0]?.content ?? '' });
      if (asked > 60 && asked % 7 === 0) return { status: 400, body: { error: { message: 'no' } } };
      return bill(chat, isBroken ? 'wrong' : wordOf(chat.text));
    });
    const argv = ['--max-errors', '99'];
    expect((await runAsTold(opened, ...argv)).promise.requests).toBe(36 + 200);
  });

  describe('with judges that have a limit', () => {
    const judges = `judges: [{ id: strict, use: "openai:judge", price: { input: 100, output: 100 }, params: { max_tokens: ${maxTokens} }, limits: { retries: 0 } }]\n`;
    const rubric = '{ assert: [{ contains: "{{ word }}" }, { rubric: { value: It is a word., votes: 3 } }] }';
    const says = (pass: boolean) => JSON.stringify({ reason: 'So.', pass });

    test.each<[string, (chat: ChatRequest) => string]>([
      ['that break cases', (chat) => says(!chat.messages.some(({ content }) => content.includes('now')))],
      ['whose replies can not be read', () => 'Hm.'],
    ])('%s, and a planned run, its judges and all fresh trials', { tags: 'slow' }, async (_name, judge) => {
      for (const cache of ['off', 'use', 'refresh']) {
        const opened = await open();
        opened.break((chat) => bill(chat, chat.model === 'judge' ? says(true) : wordOf(chat.text)));
        write(opened.project, { more: judges, defaults: rubric });
        await opened.accept();
        write(opened.project, { more: judges, defaults: rubric, prompts: edited });
        opened.break((chat) =>
          bill(chat, chat.model === 'judge' ? judge(chat) : isEdited(chat) ? `now ${chat.text}` : wordOf(chat.text)),
        );
        const { report, stdout, promise } = await runAsTold(opened, '--cache', cache, '--max-errors', '99');
        expect(stdout).toContain('requests to judges: at most $');
        expect((report.totals.spentUsd ?? 0) + (report.totals.judgeCostUsd ?? 0)).toBeLessThanOrEqual(promise.usd);
        expect(report.totals.judgeCostUsd).toBeGreaterThan(0);
      }
    });

    test('one unpriced model is named, and the bound holds for the rest', { tags: ['slow'] }, async () => {
      const opened = await open();
      const unpriced = '{ id: other, use: "openai:other", params: { max_tokens: 20 }, limits: { retries: 0 } }';
      const both = { more: judges, defaults: rubric, providers: `[${provider}, ${unpriced}]` };
      opened.break((chat) => bill(chat, chat.model === 'judge' ? says(true) : wordOf(chat.text)));
      write(opened.project, both);
      await opened.accept();
      write(opened.project, { ...both, prompts: edited });
      opened.break((chat) => bill(chat, chat.model === 'judge' ? says(false) : chat.text));
      const argv = ['run', '--cache', 'off'];
      const dry = await opened.project.run([...argv, '--dry-run'], { env: opened.env });
      expect(dry.stdout).toContain('not counted: other: other has no price; nothing was sent');
      const promise = readPromise(dry.stdout);
      const before = opened.server.requests.length;
      const { report } = await opened.project.report(argv, { env: opened.env });
      expect(opened.server.requests.length - before).toBeLessThanOrEqual(promise.requests);
      const variants = report.suites.flatMap((suite) => suite.variants);
      const priced = variants.reduce((sum, { spentUsd }) => sum + (spentUsd ?? 0), report.totals.judgeCostUsd ?? 0);
      expect(priced).toBeGreaterThan(0);
      expect(priced).toBeLessThanOrEqual(promise.usd);
      expect(report.totals.spentUsd).toBeNull();
    });
  });

  test('where a judge gives no verdict that can be read', async () => {
    const opened = await open();
    const more = 'judges: [{ id: strict, use: "openai:gpt-4o", limits: { retries: 0 } }]\n';
    write(opened.project, { more, ofCase: ', mustPass: true', defaults: '{ assert: [{ rubric: It is a word. }] }' });
    opened.break((chat) => bill(chat, chat.model === 'gpt-4o' ? 'Hm.' : wordOf(chat.text)));
    const argv = ['run', '--cache', 'off'];
    const { stdout } = await opened.project.run([...argv, '--dry-run'], { env: opened.env });
    const { requests } = readPromise(stdout);
    expect(stdout).toMatch(
      /up to \d+ requests to judges, whose cost is not counted \(strict has no limit on output tokens\); nothing was sent/,
    );
    await opened.project.run(argv, { env: opened.env });
    expect(opened.server.requests.length).toBeLessThanOrEqual(requests);
  });

  test('where a judge of three votes fails cases that must pass, and their fresh trials too', async () => {
    const opened = await open();
    const more = 'judges: [{ id: strict, use: "openai:gpt-4o" }]\n';
    const rubric = '{ assert: [{ rubric: { value: It is a word., votes: 3 } }] }';
    write(opened.project, { more, ofCase: ', mustPass: true', defaults: rubric });
    const verdict = JSON.stringify({ reason: 'no', pass: false });
    opened.break((chat) => bill(chat, chat.model === 'gpt-4o' ? verdict : wordOf(chat.text)));
    const argv = ['run', '--cache', 'off'];
    const { stdout } = await opened.project.run([...argv, '--dry-run'], { env: opened.env });
    await opened.project.run(argv, { env: opened.env });
    // Each answer is judged by three votes. Once a contract is broken, no more is sent again than was planned.
    expect(opened.server.requests).toHaveLength(32);
    // A vote may have to be asked for twice.
    expect(readPromise(stdout).requests).toBe(4 + 4 * 3 * 2 + 200);
  });

  test('where a judge of three votes fails an edited prompt, and judges the accepted one beside it', {
    tags: 'slow',
  }, async () => {
    const opened = await open();
    const words = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const more = 'judges: [{ id: strict, use: "openai:gpt-4o" }]\n';
    const defaults = '{ assert: [{ rubric: { value: It is a word., votes: 3 } }] }';
    let isBroken = false;
    opened.break((chat) => {
      if (chat.model !== 'gpt-4o') return bill(chat, chat.text);
      const pass = !(isBroken && /Now\. Say: w[34]\b/.test(chat.text));
      return bill(chat, JSON.stringify({ reason: 'so it is', pass }));
    });
    write(opened.project, { words, more, defaults });
    await opened.accept();
    write(opened.project, { words, more, defaults, prompts: edited });
    isBroken = true;
    const argv = ['run', '--cache', 'off'];
    const { stdout } = await opened.project.run([...argv, '--dry-run'], { env: opened.env });
    const before = opened.server.requests.length;
    const acceptedBefore = opened.sentOf(({ text }) => text.startsWith('Say: '));
    const { code } = await opened.project.run(argv, { env: opened.env });
    expect([code, readPromise(stdout).requests]).toEqual([1, 3 * (20 + 20 * 3 * 2)]);
    expect(opened.sentOf(({ text }) => text.startsWith('Say: '))).toBeGreaterThan(acceptedBefore);
    expect(opened.server.requests.length - before).toBeLessThanOrEqual(160);
  });
});

test('nothing can be asked again of recordings, so a dry run tells of no fresh trials', async () => {
  const opened = await open();
  write(opened.project, { more: 'recordings: words.jsonl\n', ofCase: ', mustPass: true' });
  await opened.project.run(['run', '--record'], { env: opened.env });
  const { stdout } = await opened.project.run(['run', '--dry-run'], { env: opened.env });
  expect(stdout).not.toContain('looks worse');
});

test.each([false, true])(
  '--max-cost holds for the planned trials, the fresh trials, judges and retries together (accepted: %s)',
  { tags: ['slow'] },
  async (isAccepted) => {
    const opened = await open();
    const more = `judges: [{ id: strict, use: "openai:gpt-4o", price: { input: 100, output: 100 }, params: { max_tokens: ${maxTokens} } }]\n`;
    const suite = { more, defaults: '{ assert: [{ rubric: It is a word. }] }' };
    let [billed, isBroken] = [0, false];
    opened.break((chat) => {
      if (isBroken && opened.server.requests.length % 5 === 0) {
        return { status: 500, headers: { 'retry-after': '0' }, body: {} };
      }
      const bytes = chat.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
      billed += ((bytes + maxTokens) * 100) / 1e6;
      const isJudge = chat.model === 'gpt-4o';
      return bill(chat, isJudge ? JSON.stringify({ reason: 'no', pass: !isBroken }) : wordOf(chat.text));
    });
    const words = Array.from({ length: isAccepted ? 10 : 4 }, (_, index) => `w${index}`);
    write(opened.project, { ...suite, words });
    if (isAccepted) await opened.accept();
    write(
      opened.project,
      isAccepted ? { ...suite, words, prompts: edited } : { ...suite, words, ofCase: ', mustPass: true' },
    );
    isBroken = true;
    for (const cap of [0.01, 0.1, 0.3, 1]) {
      billed = 0;
      await opened.project.run(['run', '--cache', 'off', '-j', '1', '--max-cost', String(cap)], { env: opened.env });
      expect(billed).toBeLessThanOrEqual(cap);
    }
  },
);
