import { describe, expect, test } from 'vitest';
import type { RecordedVariant } from '../../src/model/run/record.ts';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import {
  countSameAnswers,
  findUnmatched,
  hasOtherOptions,
  isSameQuestion,
  isSameSent,
  isSameSettings,
  nameSent,
  type SentVariant,
} from '../../src/verdict/variant-differences.ts';
import { buildCaseSummary, buildSide } from '../support/build-side.ts';
import { buildRowSummary } from '../support/build-summary.ts';

describe('what differs between two sides besides the prompt', () => {
  const differ = (before: Partial<RecordedVariant>, after: Partial<RecordedVariant>, models: string[][] = [[], []]) => {
    const [a = [], b = []] = models;
    return findUnmatched({ ...buildSide({}, before), models: a }, { ...buildSide({}, after), models: b });
  };

  test('is each provider, model, address, snapshot and parameter in a line', () => {
    expect(differ({}, { messages: [] })).toEqual([]);
    const before = { provider: 'a', adapter: 'openai', model: 'm', params: { top: 1, seed: 7, only: 'x', same: [1] } };
    const after = {
      provider: 'b',
      adapter: 'google',
      model: 'm',
      baseUrl: 'http://x',
      params: { seed: 8, top: 1, new: { z: 1, a: 2 }, same: [1] },
    };
    expect(differ(before, after, [['m-1', 'm-2'], []])).toEqual([
      'provider: a → b',
      'model: openai:m → google:m',
      'base URL: none → http://x',
      'model snapshot: m-1, m-2 → none',
      'params.new: none → {"z":1,"a":2}',
      'params.only: x → none',
      'params.seed: 7 → 8',
    ]);
    expect(differ({ params: { stop: ['a', 'b'] } }, { params: { stop: ['a'] } })).toEqual(['params.stop: a, b → a']);
    expect(differ({ params: { stop: ['a', 1] } }, { params: { stop: [] } })).toEqual(['params.stop: ["a",1] → none']);
    expect(differ({ params: { a: { x: 1, y: 2 } } }, { params: { a: { y: 2, x: 1 } } })).toHaveLength(1);
  });

  test('is shown where long values begin to differ', () => {
    const long = (end: string, count = 80) => `${'abcdefghij'.repeat(count / 10)}${end}`;
    expect(differ({ params: { system: long('1') } }, { params: { system: long('2') } })).toEqual([
      'params.system: …abcdefghijabcdefghij1 → …abcdefghijabcdefghij2',
    ]);
    const [line = ''] = differ({ params: { system: `x${long('')}` } }, { params: { system: long('') } });
    expect(line).toBe(`params.system: ${`x${long('')}`.slice(0, 57)}… → ${long('').slice(0, 57)}…`);
    // As long as is shown whole.
    const whole: readonly [string, string] = [`${'a'.repeat(59)}1`, `${'a'.repeat(59)}2`];
    expect(differ({ params: { s: whole[0] } }, { params: { s: whole[1] } })).toEqual([
      `params.s: ${whole[0]} → ${whole[1]}`,
    ]);
    // From just before the difference, on both sides.
    const middle = (word: string) => `${'a'.repeat(50)}${word}${'b'.repeat(90)}`;
    expect(differ({ params: { s: middle('1') } }, { params: { s: middle('2') } })).toEqual([
      `params.s: …${'a'.repeat(20)}1${'b'.repeat(36)}… → …${'a'.repeat(20)}2${'b'.repeat(36)}…`,
    ]);
    const next = (word: string) => `${'a'.repeat(40)}${word}${'b'.repeat(90)}`;
    expect(differ({ params: { s: next('1') } }, { params: { s: next('2') } })).toEqual([
      `params.s: …${'a'.repeat(20)}1${'b'.repeat(36)}… → …${'a'.repeat(20)}2${'b'.repeat(36)}…`,
    ]);
    const near = (word: string) => `${'a'.repeat(39)}${word}${'b'.repeat(90)}`;
    expect(differ({ params: { s: near('1') } }, { params: { s: near('2') } })).toEqual([
      `params.s: ${'a'.repeat(39)}1${'b'.repeat(17)}… → ${'a'.repeat(39)}2${'b'.repeat(17)}…`,
    ]);
  });
});

describe('the answers that both sides share', () => {
  const row = (more: Partial<RowSummary>) => buildRowSummary({ answerHash: 'text', ...more });
  const caseOf = (trials: RowSummary[], more: Partial<CaseSummary> = {}): CaseSummary => ({
    ...buildCaseSummary('a', ''),
    trials,
    ...more,
  });
  const count = (before: CaseSummary | undefined, after: CaseSummary, isWithinRun = false) => {
    const kind = isWithinRun ? 'run' : 'stored';
    const baseline = before === undefined ? buildSide({}) : buildSide({ a: before });
    return Object.values(countSameAnswers({ ...baseline, kind }, buildSide({ a: after }))).join(' of ');
  };
  const [called, cached] = [row({ answerId: '1' }), row({ answerId: '1', cached: true })];

  test('are those that came from the cache with the same name', () => {
    expect(count(caseOf([called]), caseOf([cached]))).toBe('1 of 1');
    expect(count(caseOf([cached]), caseOf([called]))).toBe('0 of 1');
    expect(count(caseOf([called]), caseOf([called]))).toBe('0 of 1');
    expect(count(caseOf([called]), caseOf([row({ answerId: '2', cached: true })]))).toBe('0 of 1');
    expect(count(caseOf([row({})]), caseOf([row({ cached: true })]))).toBe('0 of 1');
    expect(count(undefined, caseOf([cached]))).toBe('0 of 1');
    expect(count(caseOf([called]), caseOf([row({ answerHash: undefined, answerId: '1', cached: true })]))).toBe(
      '0 of 0',
    );
  });

  test('are also those of the first call of the same run', () => {
    expect(count(caseOf([cached]), caseOf([called]), true)).toBe('1 of 1');
    expect(count(caseOf([called]), caseOf([called]), true)).toBe('0 of 1');
    expect(count(caseOf([called]), caseOf([cached]), true)).toBe('1 of 1');
  });

  test('are counted over trials and fresh trials of both sides, and over pooled answers', () => {
    const other = row({ answerId: '2', cached: true });
    expect(count(caseOf([], { confirmations: [called] }), caseOf([cached, other]))).toBe('1 of 2');
    expect(count(caseOf([called, row({ answerId: '2' })]), caseOf([cached], { confirmations: [other] }))).toBe(
      '2 of 2',
    );
    const pooled = { answers: ['2'] } as unknown as NonNullable<CaseSummary['pooled']>;
    expect(count(caseOf([called], { pooled }), caseOf([cached, other]))).toBe('2 of 2');
  });
});

describe('what is sent', () => {
  const sent = (more: Partial<SentVariant> = {}): SentVariant => ({
    adapter: 'openai',
    adapterVersion: '1',
    model: 'm',
    params: { a: 1, b: 2 },
    messages: [{ role: 'user', content: 'Route {{ email }}' }],
    contract: {},
    ...more,
  });
  const { adapterVersion: _version, ...unversioned } = sent();

  /** Same settings, same question, same in all, and same name. */
  const compare = (a: SentVariant, b: SentVariant) =>
    [isSameSettings(a, b), isSameQuestion(a, b), isSameSent(a, b), nameSent(a) === nameSent(b)]
      .map((is) => (is ? 'y' : 'n'))
      .join('');

  test('is the same only where neither the settings nor the question differ', () => {
    expect(compare(sent(), sent())).toBe('yyyy');
    expect(compare(sent(), sent({ adapter: 'google' }))).toBe('nynn');
    expect(compare(sent(), sent({ adapterVersion: '2' }))).toBe('nynn');
    expect(compare(sent(), sent({ baseUrl: 'http://x' }))).toBe('nynn');
    expect(compare(sent(), sent({ options: { headers: 'x' } }))).toBe('nynn');
    expect(compare(sent(), sent({ options: {} }))).toBe('yyyy');
    expect(compare(sent(), sent({ model: 'n' }))).toBe('ynnn');
    expect(compare(sent(), sent({ params: { a: 1, b: 3 } }))).toBe('ynnn');
    // In the order in which they are sent.
    expect(compare(sent(), sent({ params: { b: 2, a: 1 } }))).toBe('ynnn');
    expect(compare(sent(), sent({ messages: [] }))).toBe('ynnn');
    expect(compare(sent(), sent({ contract: { output: {} } }))).toBe('ynnn');
    // A baseline keeps the members of a message sorted.
    expect(compare(sent(), sent({ messages: [{ content: 'Route {{ email }}', role: 'user' }] }))).toBe('yyyy');
  });

  test('is not known to be the same where a record does not say how it asked', () => {
    expect(compare(unversioned, unversioned)).toBe('nyyy');
    expect(compare(unversioned, sent())).toBe('nynn');
    expect(compare(sent(), unversioned)).toBe('nynn');
  });

  test('has other options where headers differ, in whatever order', () => {
    expect(hasOtherOptions(sent(), sent({ options: {} }))).toBe(false);
    expect(hasOtherOptions(sent({ options: { a: 1, b: 2 } }), sent({ options: { b: 2, a: 1 } }))).toBe(false);
    expect(hasOtherOptions(sent(), sent({ options: { a: 1 } }))).toBe(true);
    expect(hasOtherOptions(sent({ options: { a: 1 } }), sent())).toBe(true);
  });
});
