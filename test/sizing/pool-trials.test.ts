import { expect, test } from 'vitest';
import type { Baseline } from '../../src/model/comparison/baseline.ts';
import type { Case, Suite } from '../../src/model/suite/suite.ts';
import {
  countBaselineTrials,
  poolTrials,
  type StoredTrial,
  type TrialPool,
  type TrialSource,
} from '../../src/sizing/pool-trials.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';
import { buildRowSummary, buildVariant } from '../support/build-summary.ts';

const own = buildProvider({ id: 'own' });
const caseOf = (id: string, more: Partial<Case> = {}) => buildCase({ id, caseHash: `hash ${id}`, ...more });

function suiteOf(cases: readonly Case[], more: Partial<Suite> = {}): Suite {
  return buildSuite(cases, { id: 'triage', prompts: [buildPrompt()], providers: [own], ...more });
}

const trialOf = (caseId: string, more: Partial<StoredTrial> = {}): StoredTrial => ({
  ...buildRowSummary({ suite: 'triage', prompt: 'v1', provider: 'own', caseId, caseHash: `hash ${caseId}`, ...more }),
  calls: 1,
  model: undefined,
  ...more,
});

const sourceOf = (
  runId: string | undefined,
  trials: readonly StoredTrial[],
  more: Partial<TrialSource> = {},
): TrialSource => ({
  suite: 'triage',
  recorded: buildVariant(1, { provider: 'own' }),
  runId,
  trials,
  judges: [],
  ...more,
});

/** The trials of each case, in short. */
const show = ({ cases }: TrialPool) =>
  cases.map(
    ({ caseId, caseHash, trials }) =>
      `${caseId} (${caseHash}): ${trials.map(({ trial, model }) => `${trial}${model === undefined ? '' : ` of ${model}`}`).join(', ')}`,
  );

function poolOf(suite: Suite, ...sources: readonly TrialSource[]): TrialPool {
  const [pool, ...more] = poolTrials([suite], sources);
  if (pool === undefined || more.length > 0) throw new Error('there is not one pool');
  return pool;
}

test('the gated cases of a variant have their trials of all runs, sorted by id', () => {
  const cases = [
    caseOf('b', { turns: [{ kind: 'user', content: 'and', checks: [] }], trials: 3, group: 'g', mustPass: true }),
    caseOf('a'),
    caseOf('seen', { observe: true }),
    caseOf('skipped', { skip: 'later' }),
    caseOf('elsewhere', { providers: ['other'] }),
  ];
  const pool = poolOf(
    suiteOf(cases),
    sourceOf('r2', [trialOf('a'), trialOf('b'), trialOf('gone')]),
    sourceOf('r1', [trialOf('a', { trial: 1 })]),
    sourceOf(undefined, [trialOf('a', { trial: 2 })]),
    sourceOf('other', [trialOf('a', { trial: 3 })], { suite: 'other' }),
    sourceOf('prompt', [trialOf('a', { trial: 4 })], { recorded: buildVariant(1, { provider: 'own', prompt: 'v2' }) }),
    sourceOf('provider', [trialOf('a', { trial: 5 })], { recorded: buildVariant(1, { provider: 'x' }) }),
  );
  expect(show(pool)).toEqual(['a (hash a): 0, 1, 2', 'b (hash b): 0']);
  expect([pool.runIds, pool.usesBaseline, pool.prompt, pool.provider]).toEqual([['r2', 'r1'], true, 'v1', 'own']);
  expect(
    pool.cases.map(({ plannedTrials, hasTurns, group, mustPass }) => [plannedTrials, hasTurns, group, mustPass]),
  ).toEqual([
    [1, false, undefined, false],
    [3, true, 'g', true],
  ]);
  expect(pool.recorded).toEqual(buildVariant(1, { provider: 'own' }));
});

test('a suite without trials or without cases has none', () => {
  const pool = poolOf(suiteOf([caseOf('a')]), sourceOf('r1', [trialOf('a', { caseHash: 'other' })]));
  expect([show(pool), pool.runIds, pool.usesBaseline, pool.recorded, pool.judges]).toEqual([
    ['a (hash a): '],
    [],
    false,
    undefined,
    [],
  ]);
  expect(poolTrials([suiteOf([caseOf('seen', { observe: true })])], [])).toEqual([]);
});

test('a version that another one replaces is not planned', () => {
  const prompts = [buildPrompt({ id: 'v1' }), buildPrompt({ id: 'v2', replaces: 'v1' })];
  expect(
    poolTrials([suiteOf([caseOf('a')], { prompts })], []).map(({ prompt, replaces }) => [prompt, replaces]),
  ).toEqual([['v2', 'v1']]);
});

test.each<[string, Parameters<typeof buildVariant>[1]]>([
  ['params', { params: { temperature: 1 } }],
  ['messages', { messages: [{ role: 'user', content: 'Other: {{ email }}' }] }],
  ['model', { model: 'gpt-5' }],
  ['address', { baseUrl: 'https://proxy.example' }],
  ['contract', { contract: { output: { type: 'string' } } }],
])('trials of another version, of other %s, are left out', (_what, more) => {
  const other = sourceOf('r1', [trialOf('a', { trial: 1 })], {
    recorded: buildVariant(1, { provider: 'own', ...more }),
  });
  const pool = poolOf(suiteOf([caseOf('a')]), sourceOf('r2', [trialOf('a')]), other);
  expect([show(pool), pool.runIds]).toEqual([['a (hash a): 0'], ['r2']]);
});

test('trials of another snapshot of the model are left out, those without one are not', () => {
  const of = (trial: number, model: string | undefined) => trialOf('a', { trial, model });
  const pool = poolOf(
    suiteOf([caseOf('a')]),
    sourceOf('r3', [of(0, 'm-2'), of(1, 'm-3')]),
    sourceOf('r2', [of(2, 'm-1')]),
    sourceOf('r1', [of(3, 'm-3'), of(4, undefined), of(5, 'm-1')]),
  );
  expect([show(pool), pool.runIds]).toEqual([['a (hash a): 0 of m-2, 1 of m-3, 3 of m-3, 4'], ['r3', 'r1']]);
});

test('trials count under the hash of the latest one, which may have a part more', () => {
  const of = (trial: number, caseHash: string) => trialOf('a', { trial, caseHash });
  const pool = poolOf(
    suiteOf([caseOf('a')]),
    sourceOf('r2', [of(0, 'hash a.judge2')]),
    sourceOf('r1', [of(1, 'hash a.judge1'), of(2, 'hash a.judge2'), of(3, 'hash a'), of(4, 'hash ab')]),
  );
  expect(show(pool)).toEqual(['a (hash a.judge2): 0, 2']);
});

test('trials of another file than the latest one are left out, and those that know none are not', () => {
  const of = (trial: number, caseHash: string) => trialOf('a', { trial, caseHash });
  const pool = poolOf(
    suiteOf([caseOf('a')]),
    sourceOf('r2', [of(0, 'hash a@file:dog')]),
    sourceOf('r1', [of(1, 'hash a@file:cat'), of(2, 'hash a'), of(3, 'hash ab@file:dog')]),
  );
  expect(show(pool)).toEqual(['a (hash a@file:dog): 0, 2']);
});

test('an answer that the cache served again counts once', () => {
  const of = (trial: number, cached: boolean, answerHash: string | undefined) =>
    trialOf('a', { trial, cached, answerHash });
  const pool = poolOf(
    suiteOf([caseOf('a')]),
    sourceOf('r3', [of(0, true, 'x'), of(1, true, 'y')]),
    sourceOf('r2', [of(0, true, 'x'), of(0, true, 'z')]),
    sourceOf('r1', [of(0, false, 'x'), of(0, false, 'x'), of(1, true, undefined), of(1, true, undefined)]),
  );
  expect(show(pool)).toEqual(['a (hash a): 0, 0, 1, 0, 1']);
});

test.each<[string, boolean, Partial<Suite>, Parameters<typeof buildVariant>[1]]>([
  ['as a rule', true, {}, {}],
  ['not of a program', false, { providers: [{ ...own, adapter: 'exec' }] }, {}],
  [
    'not with files',
    false,
    {},
    {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'a', attach: ['a.png'] },
      ],
    },
  ],
  [
    'not where a check compares two',
    false,
    { criteria: [{ assertion: 'rubric' }, { assertion: 'pairwise' }] as never },
    {},
  ],
])('an accepted prompt can be asked again %s', (_what, asksAccepted, suite, variant) => {
  const recorded = buildVariant(1, { provider: 'own', ...variant });
  expect(poolOf(suiteOf([caseOf('a')], suite), sourceOf('r1', [trialOf('a')], { recorded })).asksAccepted).toBe(
    asksAccepted,
  );
  expect(poolOf(suiteOf([caseOf('a')], suite)).asksAccepted).toBe(
    asksAccepted || (suite.providers === undefined && suite.criteria === undefined),
  );
});

test('judges are as the latest run measured them', () => {
  const judge = { id: 'strict' } as never;
  const pool = poolOf(
    suiteOf([caseOf('a')]),
    sourceOf(undefined, [trialOf('a')], { judges: ['of a baseline' as never] }),
    sourceOf('r2', [trialOf('a')], { judges: [judge] }),
    sourceOf('r1', [trialOf('a')]),
  );
  expect(pool.judges).toEqual([judge]);
});

test('accepted trials are counted of the version, else of the one that it replaces, where the case is the same', () => {
  const accepted = (trials: readonly string[], caseHash = 'hash a') => ({
    caseId: 'a',
    caseHash,
    trials: trials.map((status) => trialOf('a', { status: status as 'passed' })),
  });
  const baselineOf = (stored: Readonly<Record<string, object>>, provider = 'own') =>
    ({
      variants: Object.keys(stored).map((prompt) => ({ prompt, provider })),
      casesOf: ({ prompt }: { readonly prompt: string }) => new Map([['a', stored[prompt]]]),
    }) as unknown as Baseline;
  const prompts = [buildPrompt({ id: 'v2', replaces: 'v1' })];
  const pool = poolOf(suiteOf([caseOf('a'), caseOf('b')], { prompts }));
  const count = (baseline: Baseline | undefined) => [...countBaselineTrials(baseline, pool)];
  expect(count(undefined)).toEqual([]);
  expect(count(baselineOf({ v1: accepted(['passed', 'failed', 'errored']) }))).toEqual([['a', 2]]);
  expect(count(baselineOf({ v1: accepted(['passed']), v2: accepted(['passed', 'passed', 'failed']) }))).toEqual([
    ['a', 3],
  ]);
  expect(count(baselineOf({ v1: accepted(['passed'], 'other') }))).toEqual([]);
  expect(count(baselineOf({ v1: accepted(['passed'], 'hash a@file:cat') }))).toEqual([['a', 1]]);
  expect(count(baselineOf({ v1: accepted(['errored']) }))).toEqual([]);
  expect(count(baselineOf({ v1: accepted(['passed']) }, 'other'))).toEqual([]);
  expect(count(baselineOf({ v3: accepted(['passed']) }))).toEqual([]);
});
