import { describe, expect, it } from 'vitest';
import { type BatchPorts, createBatchAnswers, runBatches } from '../../src/calls/run-batches.ts';
import { type CompletionRequest, maxRetryAfterMs, type ProviderFailure } from '../../src/model/run/completion.ts';
import type { BatchApi, BatchHandle, BatchItem, BatchReply, BatchStatus } from '../../src/model/suite/provider.ts';
import { createManualClock } from '../support/manual-clock.ts';

const origin = { suite: 's', prompt: 'p', provider: 'x', caseId: 'c' };
const itemsOf = (...keys: string[]): BatchItem[] =>
  keys.map((key) => ({
    key,
    request: {
      adapter: 'a',
      adapterVersion: '1',
      model: 'm',
      messages: [],
      params: {},
      trial: 0,
      origin,
    } satisfies CompletionRequest,
  }));
const network: ProviderFailure = { kind: 'network', message: 'reset' };
const completionOf = (text: string) => ({ completion: { text, toolCalls: [], finishReason: 'stop' as const } });

/** An API of which a test overrides what it is about; answers every request with its key. */
function open(overrides: Partial<BatchApi> = {}) {
  const clock = createManualClock();
  const controller = new AbortController();
  const disk = new Map<string, BatchHandle>();
  const submitted: string[][] = [];
  const calls: string[] = [];
  const api: BatchApi = {
    maxRequests: 100,
    maxBytes: 100_000,
    encode: ({ key }) => Promise.resolve({ value: key }),
    submit: ({ items }) => {
      submitted.push(items.map(({ key }) => key));
      return Promise.resolve({ value: `id-${submitted.length}` });
    },
    find: () => Promise.resolve({ value: [] }),
    read: () => Promise.resolve({ value: { state: 'ended' } }),
    collect: (_id, { keys }) => Promise.resolve({ value: new Map(keys.map((key) => [key, completionOf(key)])) }),
    close: () => undefined,
    ...overrides,
  };
  const ports: BatchPorts = {
    api,
    clock,
    signal: controller.signal,
    newHandle: (keys) => ({
      format: 1,
      name: `n${disk.size}`,
      provider: 'x',
      endpoint: 'e',
      startedAt: '2026-01-01T00:00:00.000Z',
      keys,
      batchIds: [],
      isConfirmed: false,
    }),
    save: (handle) => {
      calls.push(`save ${handle.name} [${handle.batchIds.join()}]`);
      disk.set(handle.name, handle);
      return true;
    },
    forget: ({ name }) => {
      calls.push(`forget ${name}`);
      disk.delete(name);
    },
    refuse: () => undefined,
    say: () => undefined,
  };
  const run = (items: readonly BatchItem[], handles: readonly BatchHandle[] = []) =>
    clock.runUntil(runBatches({ items: () => items, handles }, ports));
  return { clock, controller, ports, run, submitted, calls, disk };
}

describe('runBatches', () => {
  it('writes a batch down before and after it is submitted', async () => {
    const { run, calls } = open({
      submit: () => {
        calls.push('submit');
        return Promise.resolve({ value: 'id' });
      },
    });
    await run(itemsOf('a'));
    expect(calls).toEqual(['save n0 []', 'submit', 'save n0 [id]']);
  });

  it('hands nothing in that can not be written down', async () => {
    const { ports, submitted, clock } = open();
    await clock.runUntil(runBatches({ items: () => itemsOf('a'), handles: [] }, { ...ports, save: () => false }));
    expect(submitted).toEqual([]);
  });

  it('splits by the number and the size of requests, and sends what occurs twice once', async () => {
    const byCount = open({ maxRequests: 2 });
    const { answers, collected } = await byCount.run(itemsOf('a', 'b', 'a', 'c'));
    expect(byCount.submitted).toEqual([['a', 'b'], ['c']]);
    expect([...answers.keys()]).toEqual(['a', 'b', 'c']);
    expect(collected).toHaveLength(2);
    const bySize = open({ maxBytes: 10 });
    await bySize.run(itemsOf('aa', 'bb', 'cccc'));
    expect(bySize.submitted).toEqual([['aa'], ['bb'], ['cccc']]);
  });

  it('never takes the batch of another submission for one whose answer was lost', async () => {
    const ids: (string | undefined)[] = ['id-a', undefined, 'id-b'];
    const { run, calls } = open({
      maxRequests: 1,
      submit: () => {
        const id = ids.shift();
        return Promise.resolve(id === undefined ? { failure: network } : { value: id });
      },
      find: () => Promise.resolve({ value: ['id-a'] }),
    });
    const { answers } = await run(itemsOf('a', 'b'));
    expect([...answers.keys()]).toEqual(['a', 'b']);
    expect(calls.filter((call) => call.startsWith('save n1'))).toEqual(['save n1 []', 'save n1 [id-b]']);
  });

  it('looks at a batch again at growing distances, and at least every minute', async () => {
    let looks = 0;
    const { run, clock } = open({
      read: (): Promise<BatchReply<BatchStatus>> =>
        Promise.resolve({ value: { state: (looks += 1) > 14 ? 'ended' : 'running' } }),
    });
    const { answers } = await run(itemsOf('a'));
    expect(answers.size).toBe(1);
    expect(clock.waits.slice(0, 4)).toEqual([1000, 1500, 2250, 3375]);
    expect(Math.max(...clock.waits)).toBe(60_000);
  });

  it('looks for a batch whose submission was cut off before it hands it in again', async () => {
    let submits = 0;
    const { run, calls } = open({
      submit: () => {
        submits += 1;
        return Promise.resolve({ failure: network });
      },
      find: () => Promise.resolve({ value: ['found'] }),
    });
    const { answers } = await run(itemsOf('a'));
    expect([submits, answers.get('a')?.answer]).toEqual([1, completionOf('a')]);
    expect(calls.at(-1)).toBe('save n0 [found]');
  });

  it('looks again where the search fails too, and hands nothing in before it was answered', async () => {
    const finds: BatchReply<readonly string[]>[] = [{ failure: network }, { failure: network }, { value: ['found'] }];
    const opened = open({ find: () => Promise.resolve(finds.shift() ?? { failure: network }) });
    let submits = 0;
    Object.assign(opened.ports.api, {
      submit: () => Promise.resolve((submits += 1) === 1 ? { failure: network } : { value: 'second' }),
    });
    const { answers } = await opened.run(itemsOf('a'));
    expect([submits, answers.get('a')?.answer, opened.calls.at(-1)]).toEqual([1, completionOf('a'), 'save n0 [found]']);
    submits = 0;
    const later = await opened.run(itemsOf('b'));
    expect([submits, later.answers.get('b')?.answer, later.pending.length]).toEqual([1, { failure: network }, 1]);
  });

  it('ends a look at a batch that gets no answer after a minute', async () => {
    const { run, clock } = open({
      read: (_id, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ failure: { kind: 'timeout', message: 'late' } }));
        }),
    });
    const { pending } = await run(itemsOf('a'));
    expect(pending).toHaveLength(1);
    expect(clock.now()).toBeLessThan(30 * 60_000);
  });

  it('hands a batch in again that was refused for now, after the time that the server asks for', async () => {
    let submits = 0;
    const { run, clock } = open({
      submit: () => {
        submits += 1;
        const failure: ProviderFailure = { kind: 'rateLimit', message: 'later', retryAfterMs: 7000 };
        return Promise.resolve(submits < 3 ? { failure } : { value: 'id' });
      },
    });
    const { answers } = await run(itemsOf('a'));
    expect([submits, answers.size, clock.waits]).toEqual([3, 1, [7000, 7000]]);
  });

  it('waits a minute at most where a header asks for a day, after a submission and after a search', async () => {
    const failure: ProviderFailure = { kind: 'server', message: 'down', retryAfterMs: 24 * 60 * 60_000 };
    const finds: BatchReply<readonly string[]>[] = [{ failure }, { value: ['found'] }];
    const { run, clock } = open({
      submit: () => Promise.resolve({ failure }),
      find: () => Promise.resolve(finds.shift() ?? { failure: network }),
    });
    const { answers } = await run(itemsOf('a'));
    expect([answers.get('a')?.answer, clock.waits]).toEqual([completionOf('a'), [maxRetryAfterMs, maxRetryAfterMs]]);
  });

  it('gives up on a server that never answers a submission, and keeps what it may have taken', async () => {
    const { run, disk } = open({ submit: () => Promise.resolve({ failure: network }) });
    const { answers, pending } = await run(itemsOf('a'));
    expect(answers.get('a')).toEqual({ answer: { failure: network }, isSent: true });
    expect([pending.length, disk.size]).toEqual([1, 1]);
  });

  it('continues the batches of an earlier run, and submits the rest', async () => {
    const { run, submitted, ports } = open();
    const handle = { ...ports.newHandle(['a', 'gone']), name: 'old', batchIds: ['id-0'], isConfirmed: true };
    const { answers } = await run(itemsOf('a', 'b'), [handle]);
    expect(submitted).toEqual([['b']]);
    expect([...answers.keys()].sort()).toEqual(['a', 'b', 'gone']);
  });

  it('tells its own batch from others of the same size by the keys of the answers', async () => {
    const { run, submitted, ports, calls } = open({
      find: () => Promise.resolve({ value: ['foreign', 'own'] }),
      collect: (id) => Promise.resolve({ value: new Map([[id === 'own' ? 'a' : 'z', completionOf(id)]]) }),
    });
    const { answers } = await run(itemsOf('a'), [{ ...ports.newHandle(['a']), name: 'old' }]);
    expect(answers.get('a')?.answer).toEqual(completionOf('own'));
    expect(submitted).toEqual([]);
    expect(calls.filter((call) => call.startsWith('save'))).toEqual(['save old [foreign,own]', 'save old [own]']);
  });

  it('keeps a batch that it can not look for, and sends nothing of it', async () => {
    const { run, submitted, ports } = open({ find: () => Promise.resolve({ failure: network }) });
    const handle = { ...ports.newHandle(['a']), name: 'old' };
    const { answers, pending } = await run(itemsOf('a', 'b'), [handle]);
    expect(answers.get('a')).toEqual({ answer: { failure: network }, isSent: false });
    expect([submitted, pending]).toEqual([[['b']], [handle]]);
  });

  it('errors the requests of a batch that the provider refuses after it took it', async () => {
    const failure: ProviderFailure = { kind: 'badRequest', message: 'no' };
    const { run, submitted } = open({ read: () => Promise.resolve({ value: { state: 'refused', failure } }) });
    const { answers, collected } = await run(itemsOf('a'));
    expect([answers.get('a'), collected.length]).toEqual([{ answer: { failure }, isSent: true }, 1]);
    expect(submitted).toHaveLength(1);
  });

  it('submits again where no candidate is its own batch', async () => {
    let finds = 0;
    const { run, submitted, ports } = open({
      find: () => Promise.resolve({ value: (finds += 1) === 1 ? ['foreign'] : [] }),
      collect: (id, { keys }) =>
        Promise.resolve({ value: new Map([[id === 'foreign' ? 'z' : (keys[0] ?? ''), completionOf(id)]]) }),
    });
    const { answers } = await run(itemsOf('a'), [{ ...ports.newHandle(['a']), name: 'old' }]);
    expect(submitted).toEqual([['a']]);
    expect(answers.get('a')?.answer).toEqual(completionOf('id-1'));
  });

  it('says so where a provider loses a batch twice, and asks nothing live', async () => {
    const { run, submitted } = open({ read: () => Promise.resolve({ value: { state: 'unknown' } }) });
    const { answers } = await run(itemsOf('a'));
    expect(submitted).toHaveLength(2);
    expect(answers.get('a')?.answer).toMatchObject({ failure: { kind: 'server' } });
  });

  it('bears some failures of looking, and gives up for this run after many or one that will stay', async () => {
    let looks = 0;
    const some = open({
      read: (): Promise<BatchReply<BatchStatus>> =>
        Promise.resolve((looks += 1) < 10 ? { failure: network } : { value: { state: 'ended' } }),
    });
    expect((await some.run(itemsOf('a'))).answers.get('a')?.answer).toEqual(completionOf('a'));
    for (const kind of ['network', 'auth'] as const) {
      const failing = open({ read: () => Promise.resolve({ failure: { kind, message: 'no' } }) });
      const { answers, pending } = await failing.run(itemsOf('a'));
      expect(answers.get('a')?.answer).toMatchObject({ failure: { kind } });
      expect([pending.length, failing.disk.size]).toEqual([1, 1]);
    }
  });

  it('forgets a batch whose answers stay missing, so that the next run submits its requests again', async () => {
    const missing: ProviderFailure = { kind: 'notFound', status: 404, message: 'no such file' };
    let looks = 0;
    const collect = () => {
      looks += 1;
      return Promise.resolve({ failure: missing });
    };
    const { run, submitted } = open({ collect });
    const { answers, pending, collected } = await run(itemsOf('a'));
    expect([submitted, pending, collected.length, looks]).toEqual([[['a']], [], 1, 15]);
    expect(answers.get('a')).toMatchObject({
      answer: { failure: { message: expect.stringContaining('no longer has') } },
    });
  });

  it('submits nothing where nothing is asked, or the run was stopped before', async () => {
    const idle = open();
    expect((await idle.run([])).answers.size).toBe(0);
    const stopped = open();
    stopped.controller.abort();
    const handle = { ...stopped.ports.newHandle(['z']), name: 'old' };
    expect((await stopped.run(itemsOf('a'), [handle])).pending).toEqual([handle]);
    expect([...idle.submitted, ...stopped.submitted, ...stopped.calls]).toEqual([]);
  });

  it('submits no further batch once the run is stopped', async () => {
    const opened = open({ maxRequests: 1 });
    const { submitted, controller, run, ports } = opened;
    const submit = ports.api.submit.bind(ports.api);
    Object.assign(ports.api, {
      submit: (...args: Parameters<typeof submit>) => {
        controller.abort();
        return submit(...args);
      },
    });
    const { answers, pending } = await run(itemsOf('a', 'b'));
    expect([submitted, answers.size, pending.length]).toEqual([[['a']], 0, 1]);
  });

  it('forgets a submission that the provider never took, or refuses for good', async () => {
    const gone = open();
    const { answers } = await gone.run(itemsOf('a'), [{ ...gone.ports.newHandle(['a']), name: 'old' }]);
    expect([gone.calls[0], gone.submitted, answers.size]).toEqual(['forget old', [['a']], 1]);
    const failure: ProviderFailure = { kind: 'auth', message: 'who?' };
    const refused = open({ submit: () => Promise.resolve({ failure }) });
    const { answers: errored, pending } = await refused.run(itemsOf('a'));
    expect(errored.get('a')).toEqual({ answer: { failure }, isSent: true });
    expect([refused.calls, pending, refused.clock.waits]).toEqual([['save n0 []', 'forget n0'], [], []]);
  });

  it('looks for no batch that was surely refused, and leaves one that is not clear when the run is stopped', async () => {
    let finds = 0;
    const find = () => Promise.resolve({ value: [`id-${(finds += 1)}`] });
    const limited: ProviderFailure = { kind: 'rateLimit', message: 'later' };
    const busy = open({ find, submit: () => Promise.resolve({ failure: limited }) });
    expect((await busy.run(itemsOf('a'))).answers.get('a')).toEqual({ answer: { failure: limited }, isSent: true });
    expect(finds).toBe(0);
    const stopped = open({ submit: () => Promise.resolve({ failure: limited }) });
    stopped.clock.startTimer(500, () => stopped.controller.abort());
    const { answers, pending } = await stopped.run(itemsOf('a'));
    expect([answers.size, pending.length]).toEqual([0, 1]);
  });

  it('goes on with the next candidate where the provider does not know one, and collects again what failed', async () => {
    let collects = 0;
    const { run, calls, ports } = open({
      read: (id) => Promise.resolve({ value: { state: id === 'x' ? 'unknown' : 'ended' } }),
      collect: () =>
        Promise.resolve((collects += 1) === 1 ? { failure: network } : { value: new Map([['a', completionOf('a')]]) }),
    });
    const { answers } = await run(itemsOf('a'), [
      { ...ports.newHandle(['a', 'b']), name: 'old', batchIds: ['x', 'y'] },
    ]);
    expect(answers.get('a')).toEqual({ answer: completionOf('a'), isSent: true });
    expect(answers.get('b')?.answer).toMatchObject({ failure: { kind: 'malformed' } });
    expect(calls).toEqual(['save old [y]', 'save old [y]']);
  });

  it('leaves what is under way when the run is stopped', async () => {
    const { clock, controller, run, disk } = open({ read: () => Promise.resolve({ value: { state: 'running' } }) });
    clock.startTimer(5000, () => controller.abort());
    const { answers, pending, collected } = await run(itemsOf('a'));
    expect([answers.size, pending.length, collected.length, disk.size]).toEqual([0, 1, 0, 1]);
  });
});

describe('the requests of a batch', () => {
  it('are errored without a submission where they may not be sent, and the others are sent', async () => {
    const failure: ProviderFailure = { kind: 'badRequest', message: 'no files' };
    const { ports, submitted, clock } = open({
      encode: ({ key }) => Promise.resolve(key === 'bad' ? { failure } : { value: key }),
    });
    const budget: ProviderFailure = { kind: 'budget', message: 'too dear' };
    const refused: string[] = [];
    const refuse = ({ key }: BatchItem) => {
      refused.push(key);
      return key === 'dear' ? budget : undefined;
    };
    const items = itemsOf('bad', 'a', 'dear', 'bad', 'b', 'dear');
    const { answers } = await clock.runUntil(runBatches({ items: () => items, handles: [] }, { ...ports, refuse }));
    expect(submitted).toEqual([['a', 'b']]);
    // A request that can't be written takes nothing of the budget, and no request takes it twice.
    expect(refused).toEqual(['a', 'dear', 'b']);
    expect([...answers].map(([key, { isSent }]) => [key, isSent])).toEqual([
      ['bad', false],
      ['dear', false],
      ['a', true],
      ['b', true],
    ]);
    expect([answers.get('bad')?.answer, answers.get('dear')?.answer]).toEqual([{ failure }, { failure: budget }]);
  });

  it('fill a batch to its limits, and one that is larger than a batch goes alone', async () => {
    const bySize = open({ maxBytes: 9 });
    await bySize.run(itemsOf('a', 'b', 'c', 'dddd', 'e'));
    expect(bySize.submitted).toEqual([['a', 'b', 'c'], ['dddd'], ['e']]);
    const byCount = open({ maxRequests: 2 });
    await byCount.run(itemsOf('a', 'b', 'c', 'd'));
    expect(byCount.submitted).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });
});

describe('answers that came through batches', () => {
  const signal = new AbortController().signal;
  const ask = (key: string) => itemsOf(key)[0]?.request as CompletionRequest;

  it('are billed to the first that asks, and all else is asked', async () => {
    const answers = createBatchAnswers();
    const failure: ProviderFailure = { kind: 'server', message: 'down' };
    const asked: string[] = [];
    let current = '';
    const complete = answers.wrap(
      async () => {
        asked.push(current);
        return { status: 'failed', failure: network, attempts: 1 };
      },
      () => current,
    );
    const get = async (key: string) => {
      current = key;
      return complete(ask(key), signal);
    };
    answers.add(new Map([['a', { answer: completionOf('first'), isSent: true }]]));
    answers.add(
      new Map([
        ['b', { answer: { failure }, isSent: true }],
        ['c', { answer: { failure }, isSent: false }],
      ]),
    );
    const completed = { status: 'completed', ...completionOf('first'), batched: true };
    expect([await get('a'), await get('a')]).toEqual([
      { ...completed, cached: false, attempts: 1 },
      { ...completed, cached: true, attempts: 0 },
    ]);
    const errored = { status: 'failed', failure, batched: true };
    expect([await get('b'), await get('b'), await get('c'), await get('c')]).toEqual(
      [1, 0, 0, 0].map((attempts) => ({ ...errored, attempts })),
    );
    expect(await get('d')).toEqual({ status: 'failed', failure: network, attempts: 1 });
    expect(asked).toEqual(['d']);
  });
});
