import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import { cacheKey } from '../../src/cache/cache-key.ts';
import type { CacheStore } from '../../src/cache/cache-store.ts';
import { type CacheOptions, withCache } from '../../src/cache/with-cache.ts';
import type { Complete, Completion, CompletionOutcome } from '../../src/model/run/completion.ts';
import type { CacheMode } from '../../src/model/run/record.ts';
import { answer, ask, completed, noSignal } from './build-request.ts';

const question = ask('Where is my parcel?');
const cell = { name: 'f', arguments: {}, rawArguments: '{}' };

describe('use', () => {
  test('asks once and answers from the store from then on, with the original latency, usage and time', async () => {
    const { complete, calls } = build('use', completed(answer('On its way.')));
    const first = await complete(question, noSignal);
    const second = await complete(question, noSignal);
    expect(calls.count).toBe(1);
    expect(first).toMatchObject({ cached: false, attempts: 1, receivedAt: '2026-01-01T00:00:01.000Z' });
    expect(second).toEqual({ ...first, cached: true, attempts: 0 });
  });

  test('every trial is a sample of its own', async () => {
    const { complete, calls } = build('use', completed(answer('yes')));
    await complete(question, noSignal);
    await complete({ ...question, trial: 1 }, noSignal);
    expect(calls.count).toBe(2);
  });

  test('the time that the provider named is kept', async () => {
    const { complete } = build('use', {
      ...completed(answer('yes')),
      receivedAt: '2025-05-05T05:05:05.000Z',
    } as CompletionOutcome);
    await complete(question, noSignal);
    expect(await complete(question, noSignal)).toMatchObject({ receivedAt: '2025-05-05T05:05:05.000Z' });
  });

  test.each<[string, CompletionOutcome]>([
    ['a failure', { status: 'failed', failure: { kind: 'server', message: 'oops' }, attempts: 3 }],
    ['an empty answer', completed(answer(''))],
    ['an answer that a filter stopped', completed(answer('I am', { finishReason: 'contentFilter' }))],
    ['an answer that is kept elsewhere', { ...completed(answer('yes')), cached: true } as CompletionOutcome],
  ])('%s is not stored', async (_, outcome) => {
    const { complete, calls, entries } = build('use', outcome);
    await complete(question, noSignal);
    await complete(question, noSignal);
    expect(entries.size).toBe(0);
    expect(calls.count).toBe(2);
  });

  test.each<[string, Completion]>([
    ['a refusal', answer('', { refusal: 'I will not.' })],
    ['a tool call', answer('', { toolCalls: [cell] })],
    ['a cut answer', answer('Once upon', { finishReason: 'length' })],
  ])('%s without a whole text is stored', async (_, completion) => {
    const { complete, entries } = build('use', completed(completion));
    await complete(question, noSignal);
    expect(entries.get(cacheKey(question))?.completion).toEqual(completion);
  });

  test('canStore keeps further answers out', async () => {
    const { complete, entries } = build('use', completed(answer('yes')), { canStore: () => false });
    expect(await complete(question, noSignal)).toMatchObject({ status: 'completed' });
    expect(entries.size).toBe(0);
  });
});

describe('refresh', () => {
  test('asks although there is an answer, and overwrites it', async () => {
    const { complete, entries } = build('refresh', completed(answer('new')));
    entries.set(cacheKey(question), entryOf('old'));
    expect(await complete(question, noSignal)).toMatchObject({ cached: false, completion: { text: 'new' } });
    expect(entries.get(cacheKey(question))?.completion.text).toBe('new');
  });
});

describe('off', () => {
  test('neither reads nor stores', async () => {
    const { complete, entries } = build('off', completed(answer('new')));
    entries.set(cacheKey(question), entryOf('old'));
    expect(await complete(question, noSignal)).toMatchObject({ cached: false, completion: { text: 'new' } });
    expect(entries.get(cacheKey(question))?.completion.text).toBe('old');
  });
});

describe('replay', () => {
  test('sends nothing: a miss is a failure that names key, provider and model', async () => {
    const { complete, calls } = build('replay', completed(answer('new')));
    const outcome = await complete(question, noSignal);
    expect(calls.count).toBe(0);
    expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'cacheMiss' }, attempts: 0 });
    const message = outcome.status === 'failed' ? outcome.failure.message : '';
    for (const part of [cacheKey(question), '"openai:small"', 'openai:small', '--cache use'])
      expect(message).toContain(part);
  });

  test('answers what is stored', async () => {
    const { complete, entries, calls } = build('replay', completed(answer('new')));
    entries.set(cacheKey(question), entryOf('old'));
    expect(await complete(question, noSignal)).toMatchObject({ cached: true, completion: { text: 'old' } });
    expect(calls.count).toBe(0);
  });
});

test.each<CacheMode>(['use', 'refresh', 'off'])('%s sends identical requests in flight once', async (mode) => {
  const { complete, calls } = build(mode, completed(answer('yes')));
  const outcomes = await Promise.all([1, 2, 3].map(() => complete(question, noSignal)));
  expect(calls.count).toBe(1);
  expect(outcomes.map((outcome) => [outcome.status === 'completed' && outcome.cached, outcome.attempts])).toEqual([
    [false, 1],
    [true, 0],
    [true, 0],
  ]);
});

function entryOf(text: string): CacheEntry {
  const at = '2026-01-01T00:00:00.000Z';
  return { key: cacheKey(question), createdAt: at, receivedAt: at, request: question, completion: answer(text) };
}

function build(mode: CacheMode, outcome: CompletionOutcome, options: Partial<CacheOptions> = {}) {
  const entries = new Map<string, CacheEntry>();
  const store: CacheStore = {
    read: (key) => entries.get(key),
    write: (entry) => entries.set(entry.key, entry),
    close: () => {},
  };
  const calls = { count: 0 };
  let seconds = 0;
  const now = () => {
    seconds += 1;
    return new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
  };
  const next: Complete = async () => {
    calls.count += 1;
    return outcome;
  };
  return { complete: withCache(next, { store, mode, now, ...options }), calls, entries };
}

const yes = completed(answer('yes'));

describe('a shared cache', () => {
  /** One that holds this entry, and what was written to it. */
  function share(held?: CacheEntry) {
    const written: string[] = [];
    return { written, read: () => Promise.resolve(held), write: (entry: CacheEntry) => void written.push(entry.key) };
  }

  test('answers what is not here, which is stored here then, and gets what is new', async () => {
    const shared = share(entryOf('theirs'));
    const { complete, calls, entries } = build('use', yes, { shared });
    expect(await complete(question, noSignal)).toMatchObject({ cached: true, completion: { text: 'theirs' } });
    expect([calls.count, entries.size, shared.written]).toEqual([0, 1, []]);
    const none = share();
    const other = build('use', yes, { shared: none });
    expect(await other.complete(question, noSignal)).toMatchObject({ cached: false });
    expect([other.calls.count, none.written]).toEqual([1, [cacheKey(question)]]);
  });

  test('is only read in a replay', async () => {
    const { complete, entries } = build('replay', yes, { shared: share(entryOf('theirs')) });
    expect(await complete(question, noSignal)).toMatchObject({ cached: true, completion: { text: 'theirs' } });
    expect(entries.size).toBe(0);
    expect(await build('replay', yes, { shared: share() }).complete(question, noSignal)).toMatchObject({
      failure: { kind: 'cacheMiss' },
    });
  });
});

test('an answer of this run is its own, and took an attempt', async () => {
  const isOwn = (receivedAt: string) => receivedAt === entryOf('old').receivedAt;
  const { complete, entries } = build('use', yes, { isOwn });
  entries.set(cacheKey(question), entryOf('old'));
  expect(await complete(question, noSignal)).toEqual({
    status: 'completed',
    completion: answer('old'),
    cached: false,
    attempts: 1,
    receivedAt: entryOf('old').receivedAt,
    isStored: true,
  });
  const foreign = build('use', yes, { isOwn: () => false });
  foreign.entries.set(cacheKey(question), entryOf('old'));
  expect(await foreign.complete(question, noSignal)).toMatchObject({ cached: true, attempts: 0 });
});

test('where the first token is timed, an answer without its time is asked for again, save in a replay', async () => {
  const ask = async (mode: CacheMode, more: Partial<Completion>, options: Partial<CacheOptions> = {}) => {
    const { complete, entries, calls } = build(mode, yes, { isTimed: true, ...options });
    const entry = { ...entryOf('old'), completion: answer('old', more) };
    if (options.shared === undefined) entries.set(cacheKey(question), entry);
    const outcome = await complete(question, noSignal);
    return `${calls.count} ${outcome.status}`;
  };
  const shared = { read: () => Promise.resolve(entryOf('old')), write: () => undefined };
  expect([await ask('use', {}), await ask('use', { firstTokenMs: 5 }), await ask('replay', {})]).toEqual([
    '1 completed',
    '0 completed',
    '0 completed',
  ]);
  expect([await ask('use', {}, { shared }), await ask('use', {}, { isTimed: false })]).toEqual([
    '1 completed',
    '0 completed',
  ]);
});
