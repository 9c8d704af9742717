import { expect, test } from 'vitest';
import { mergeBaseline } from '../../src/baseline/baseline-cases.ts';
import type { BaselineCase, BaselineTrial, BaselineVariant } from '../../src/model/comparison/baseline.ts';
import type { Usage } from '../../src/model/run/completion.ts';
import { contentOf, rowsOf } from '../support/baseline-rows.ts';

const variant: BaselineVariant = {
  type: 'variant',
  prompt: 'v1',
  provider: 'p',
  adapter: 'openai',
  model: 'small',
  params: {},
  messages: [],
  contract: {},
  models: [],
};

function trial(answerId: string, more: Partial<BaselineTrial> = {}): BaselineTrial {
  return { trial: 0, status: 'passed', checks: [], answerHash: `hash ${answerId}`, answerId, ...more };
}

function row(trials: readonly BaselineTrial[], more: Partial<BaselineCase> = {}): BaselineCase {
  const key = { prompt: 'v1', provider: 'p', caseId: 'refund', caseHash: 'same' };
  return { type: 'case', ...key, trials: trials.map((one, index) => ({ ...one, trial: index })), ...more };
}

interface Change {
  readonly old?: Partial<BaselineVariant>;
  readonly fresh?: Partial<BaselineVariant>;
  readonly beginsAgain?: boolean;
}

/** The case after another run of all cases was accepted. */
function pool(before: BaselineCase, accepted: BaselineCase, { old, fresh, beginsAgain = false }: Change = {}) {
  const build = (one: BaselineCase, more: Partial<BaselineVariant> = {}) =>
    contentOf({ suite: 'triage', variants: [{ ...variant, ...more }], cases: [one] });
  const options = { isFull: true, beginsAgain: () => beginsAgain };
  return rowsOf(mergeBaseline(build(before, old), build(accepted, fresh), options)).cases[0];
}

const passed = row([trial('a')]);
const again = row([trial('b')]);
const two = { runs: 2, trials: 2, failures: 0, score: { n: 2, mean: 1, squares: 0 }, answered: 2, answers: ['a'] };

test('two runs of a case are counted together', () => {
  expect(pool(passed, again)).toEqual({ ...again, pooled: two });
  const withFile = { ...again, caseHash: 'same@file:cat' };
  expect(pool(passed, withFile)).toEqual({ ...withFile, pooled: two });
});

test.each<[string, BaselineCase, BaselineCase, Change]>([
  ['other checks', passed, { ...again, caseHash: 'other' }, {}],
  ['another file', { ...passed, caseHash: 'same@file:cat' }, { ...again, caseHash: 'same@file:dog' }, {}],
  ['a case that begins again', passed, again, { beginsAgain: true }],
  ['a case of another variant', { ...passed, otherVariant: true }, again, {}],
  ['a variant that asks another model', passed, again, { old: { model: 'large' } }],
  ['an alias that answers with another snapshot', passed, again, { old: { models: ['x'] }, fresh: { models: ['y'] } }],
  ['an earlier answer without a name', row([{ ...trial(''), answerId: undefined }]), again, {}],
  ['a new answer without a name', passed, row([{ ...trial(''), answerId: undefined }]), {}],
  ['a case that had no verdict before', row([trial('x', { status: 'errored' })]), again, {}],
  ['the run that was accepted already', passed, passed, {}],
])('nothing is counted together of %s', (_name, before, accepted, change) => {
  expect(pool(before, accepted, change)).toEqual(accepted);
});

test.each<[string, Change]>([
  ['the old run names no snapshot', { fresh: { models: ['y'] } }],
  ['the new run names none', { old: { models: ['x'] } }],
  ['both share one', { old: { models: ['w', 'x'] }, fresh: { models: ['x', 'y'] } }],
])('answers count together where %s', (_name, change) => {
  expect(pool(passed, again, change)?.pooled).toEqual(two);
});

test('a run without a verdict leaves the case as it was', () => {
  const errored = row([trial('x', { status: 'errored' })]);
  expect(pool(passed, errored)).toEqual(passed);
});

test('refused requests are distinguished by trial and outcome', () => {
  const refused = (status: 'passed' | 'failed') => row([{ trial: 0, status, checks: [], score: 0.25 }]);
  expect(pool(refused('failed'), refused('failed'))).toEqual(refused('failed'));
  expect(pool(refused('failed'), refused('passed'))?.pooled).toEqual({
    runs: 2,
    trials: 2,
    failures: 1,
    score: { n: 2, mean: 0.25, squares: 0 },
    answered: 0,
    answers: ['0:failed'],
  });
});

test('a third run counts only what is new, and remembers the names of the others', () => {
  const third = pool({ ...again, pooled: two }, row([trial('b'), trial('c', { status: 'failed' }), trial('a')]));
  expect(third?.pooled).toEqual({
    runs: 3,
    trials: 3,
    failures: 1,
    score: { n: 3, mean: expect.closeTo(2 / 3), squares: expect.closeTo(2 / 3) },
    answered: 3,
    answers: [],
  });
  const fourth = pool({ ...again, pooled: { ...two, answers: ['a', 'z'] } }, row([trial('a')]));
  expect(fourth?.pooled).toEqual({ ...two, answers: ['z', 'b'] });
});

test('a case remembers the names of its last hundred answers', () => {
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
  const merged = pool({ ...again, pooled: { ...two, answers: names } }, row([trial('c')]));
  expect(merged?.pooled?.answers).toEqual([...names.slice(1), 'b']);
});

test('errored trials before and after are left out, and their names too', () => {
  const before = row([trial('a'), trial('x', { status: 'errored' })]);
  const merged = pool(before, row([trial('b'), trial('y', { status: 'errored' })]));
  expect(merged?.pooled).toEqual(two);
});

test('latencies are averaged over the answers that have one', () => {
  const of = (before: Partial<BaselineTrial>, after: Partial<BaselineTrial>) =>
    pool(row([trial('a', before)]), row([trial('b', after)]))?.pooled?.latencyMs;
  expect([
    of({}, {}),
    of({ latencyMs: 10 }, {}),
    of({}, { latencyMs: 30 }),
    of({ latencyMs: 10 }, { latencyMs: 30 }),
  ]).toEqual([
    undefined,
    { n: 1, mean: 10, squares: 0 },
    { n: 1, mean: 30, squares: 0 },
    { n: 2, mean: 20, squares: 200 },
  ]);
});

test.each<[string, Usage | undefined, readonly (Usage | undefined)[], Usage | undefined]>([
  [
    'is the mean of all',
    { inputTokens: 1, outputTokens: 2 },
    [
      { inputTokens: 4, outputTokens: 8 },
      { inputTokens: 4, outputTokens: 2 },
    ],
    { inputTokens: 3, outputTokens: 4 },
  ],
  ['is unknown where an earlier answer has none', undefined, [{ inputTokens: 4, outputTokens: 8 }], undefined],
  [
    'is unknown where a new answer has none',
    { inputTokens: 1, outputTokens: 2 },
    [{ inputTokens: 1, outputTokens: 2 }, undefined],
    undefined,
  ],
  [
    'takes a member that one answer lacks as 0',
    { inputTokens: 2, outputTokens: 2, cachedInputTokens: 4, reasoningTokens: 6 },
    [{ inputTokens: 2, outputTokens: 2, cacheWriteTokens: 8, inputAudioTokens: 10, outputAudioTokens: 12 }],
    {
      inputTokens: 2,
      outputTokens: 2,
      cachedInputTokens: 2,
      reasoningTokens: 3,
      cacheWriteTokens: 4,
      inputAudioTokens: 5,
      outputAudioTokens: 6,
    },
  ],
  [
    'has a cost where every answer has one',
    { inputTokens: 2, outputTokens: 2, costUsd: 1 },
    [{ inputTokens: 2, outputTokens: 2, costUsd: 3 }],
    { inputTokens: 2, outputTokens: 2, costUsd: 2 },
  ],
  [
    'has no cost where an earlier answer has none',
    { inputTokens: 2, outputTokens: 2 },
    [{ inputTokens: 2, outputTokens: 2, costUsd: 3 }],
    { inputTokens: 2, outputTokens: 2 },
  ],
  [
    'has no cost where a new answer has none',
    { inputTokens: 2, outputTokens: 2, costUsd: 1 },
    [{ inputTokens: 2, outputTokens: 2 }],
    { inputTokens: 2, outputTokens: 2 },
  ],
])('usage %s', (_name, before, after, usage) => {
  const withUsage = (id: string, one: Usage | undefined) => trial(id, one === undefined ? {} : { usage: one });
  const fresh = row(after.map((one, index) => withUsage(`b${index}`, one)));
  expect(pool(row([withUsage('a', before)]), fresh)?.pooled?.usage).toEqual(usage);
});

test('usage ignores trials without an answer', () => {
  const refused: BaselineTrial = { trial: 0, status: 'failed', checks: [] };
  const usage = { inputTokens: 1, outputTokens: 2 };
  const pooled = pool(row([trial('a', { usage })]), row([trial('b', { usage }), refused]))?.pooled;
  expect([pooled?.usage, pooled?.answered, pooled?.trials]).toEqual([usage, 2, 3]);
  const later = pool(row([refused]), row([trial('b', { usage })]))?.pooled;
  expect([later?.usage, later?.answered]).toEqual([usage, 1]);
});

test('the rows of two variants are counted apart, and only those whose variant is the same', () => {
  const v2 = { ...variant, prompt: 'v2' };
  const of = (one: BaselineCase, prompt: string) => ({ ...one, prompt });
  const old = contentOf({ suite: 's', variants: [variant, v2], cases: [of(passed, 'v1'), of(passed, 'v2')] });
  const changed = { ...v2, params: { temperature: 1 } };
  for (const variants of [
    [variant, changed],
    [changed, variant],
  ]) {
    const fresh = contentOf({ suite: 's', variants, cases: [of(again, 'v1'), of(again, 'v2')] });
    const merged = rowsOf(mergeBaseline(old, fresh, { isFull: true })).cases;
    expect(merged.map(({ prompt, pooled }) => [prompt, pooled?.runs])).toEqual([
      ['v1', 2],
      ['v2', undefined],
    ]);
  }
});

test('a part of the cases marks those that stay of a changed variant, and of no other', () => {
  const v2 = { ...variant, prompt: 'v2' };
  const of = (caseId: string, prompt: string) => ({ ...passed, caseId, prompt });
  const cases = ['a', 'b'].flatMap((id) => [of(id, 'v1'), of(id, 'v2')]);
  const old = contentOf({ suite: 's', variants: [variant, v2], cases });
  const fresh = contentOf({
    suite: 's',
    variants: [variant, { ...v2, params: { temperature: 1 } }],
    cases: [of('a', 'v1'), of('a', 'v2')],
  });
  const merged = rowsOf(mergeBaseline(old, fresh, { isFull: false })).cases;
  expect(merged.map(({ caseId, prompt, otherVariant }) => [caseId, prompt, otherVariant])).toEqual([
    ['a', 'v1', undefined],
    ['a', 'v2', undefined],
    ['b', 'v1', undefined],
    ['b', 'v2', true],
  ]);
});
