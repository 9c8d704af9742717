import { describe, expect, test } from 'vitest';
import { openBaselineText } from '../../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../../src/baseline/write-baseline.ts';
import type { BaselineTrial, SuiteBaseline } from '../../../src/model/comparison/baseline.ts';
import type { CellKey, CellResult } from '../../../src/model/run/cell.ts';
import type { CellRow } from '../../../src/model/run/record.ts';
import type { PromptVersion, Suite } from '../../../src/model/suite/suite.ts';
import { createComparedAnswers } from '../../../src/run/cells/compared-answers.ts';
import { contentOf } from '../../support/baseline-rows.ts';
import {
  buildCase,
  buildCell,
  buildCompletion,
  buildPrompt,
  buildProvider,
  buildSuite,
} from '../../support/build-case.ts';
import { buildVariant } from '../../support/build-summary.ts';
import { settleMicrotasks } from '../../support/manual-clock.ts';

const { at } = buildCase();
const others = { judge: buildProvider(), criterionHash: 'h', at };
const criteria = [
  { ...others, assertion: 'rubric' },
  { ...others, assertion: 'pairwise' },
];

interface Options {
  readonly prompts?: readonly Partial<PromptVersion>[];
  readonly compare?: readonly string[];
  readonly isPairwise?: boolean;
  /** What the baseline file holds of a prompt version, trial by trial; null for an answer that was not kept. */
  readonly stored?: Readonly<Record<string, readonly (string | null)[]>>;
  /** Prompt versions of which the run has no such cell. */
  readonly without?: readonly string[];
  /** Answers that an earlier part of the run has, by prompt version and trial. */
  readonly done?: Readonly<Record<string, string | null>>;
}

const openai = 'openai:gpt-4o-mini';

function open({ prompts = [{}], compare, isPairwise = true, stored, without = [], done = {} }: Options = {}) {
  const suite: Suite = buildSuite([buildCase()], {
    prompts: prompts.map((one) => buildPrompt(one)),
    criteria: isPairwise ? criteria : criteria.slice(0, 1),
  });
  const found = stored === undefined ? undefined : buildStored(stored);
  return createComparedAnswers({
    suites: [suite],
    ...(compare === undefined ? {} : { compare }),
    findBaseline: () => found,
    cellOf: (_suite, prompt) => (without.includes(prompt) ? undefined : buildCell()),
    findDone: ({ prompt, trial }) => {
      const output = done[`${prompt} ${trial}`];
      return output === undefined ? undefined : rowOf(output);
    },
  });
}

function rowOf(output: string | null): CellRow {
  const { key, cellHash, caseHash, at } = buildCell();
  const row = { type: 'cell', ...key, cellHash, caseHash, at, status: 'passed', checks: [] } as const;
  return { ...row, cached: false, attempts: 1, calls: [], ...(output === null ? {} : { output }) };
}

function buildStored(stored: NonNullable<Options['stored']>): SuiteBaseline {
  const variants = Object.keys(stored).map((prompt) => {
    const { planned: _planned, observed: _observed, ...variant } = buildVariant(1, { prompt, provider: openai });
    return { type: 'variant', ...variant, models: [] } as const;
  });
  const cases = Object.entries(stored).map(([prompt, outputs]) => ({
    type: 'case' as const,
    prompt,
    provider: openai,
    caseId: 'refund',
    caseHash: 'case',
    trials: outputs.map(
      (output, trial): BaselineTrial => ({
        trial,
        status: 'passed',
        checks: [],
        answerHash: 'h',
        ...(output === null ? {} : { output, reasoning: `why ${output}` }),
      }),
    ),
  }));
  const text = [...renderBaseline(contentOf({ suite: 'triage', variants, cases }))].join('');
  const source = 'evals/triage.baseline.jsonl';
  return { source, baseline: openBaselineText(text, source) };
}

function keyOf(prompt: string, trial = 0): CellKey {
  return { suite: 'triage', prompt, provider: openai, caseId: 'refund', trial };
}

function resultOf(text: string): CellResult {
  const { key, cellHash, caseHash, observe, mustPass, at } = buildCell();
  const base = { key, cellHash, caseHash, observe, mustPass, at, verdicts: [], attempts: 1, judgeCostUsd: 0 };
  const call = (said: string) => ({
    requestHash: 'r',
    completion: buildCompletion({ text: said, reasoning: `why ${said}` }),
    cached: false,
    attempts: 1,
    costUsd: 0,
  });
  return { ...base, status: 'judged', passed: true, score: 1, calls: [call('a first turn'), call(text)] };
}

const answer = (text: string) => ({ text, toolCalls: [], reasoning: `why ${text}` });

describe('the other answer of a pairwise check', () => {
  test.each([
    ['another suite', {}, { ...keyOf('v1'), suite: 'other' }],
    ['an unknown prompt version', {}, keyOf('v9')],
    ['a version that is compared with nothing', {}, keyOf('v1')],
    ['a version of which the baseline has no answer', { stored: {} }, keyOf('v1')],
    ['a version of which the baseline kept no answer', { stored: { v1: [null] } }, keyOf('v1')],
    [
      'a version that the run does not ask of the case',
      { prompts: [{ id: 'v1' }, { id: 'v2', replaces: 'v1' }], without: ['v1'] },
      keyOf('v2'),
    ],
    [
      'a version beside one that the run does not ask of the case',
      { prompts: [{ id: 'v1' }, { id: 'v2' }], compare: ['v1', 'v2'], without: ['v1'] },
      keyOf('v2'),
    ],
    [
      'a version that --compare does not name',
      { prompts: [{ id: 'v1' }, { id: 'v2' }, { id: 'v3' }], compare: ['v1', 'v2'] },
      keyOf('v3'),
    ],
  ])('is none for %s', async (_, options: Options, key) => {
    expect(await open(options).find({ key })).toBeUndefined();
  });

  test.each([
    ["the baseline's own prompt", { prompts: [{ id: 'v1' }, { id: 'old', baselineOf: 'v1' }] }, 'old'],
    ['the first of --compare', { prompts: [{ id: 'v1' }, { id: 'v2' }], compare: ['v1', 'v2'] }, 'v1'],
    ['a version that another one replaces', { prompts: [{ id: 'v1' }, { id: 'v2', replaces: 'v1' }] }, 'v1'],
  ])('is that of others for %s', async (_, options: Options, prompt) => {
    expect(await open(options).find({ key: keyOf(prompt) })).toBe('reference');
  });

  const replacing = [{ id: 'v1' }, { id: 'v2', replaces: 'v1' }];
  test.each([
    ['of this version', { stored: { v1: ['red'] } }, 'v1', 'red'],
    ['of this version rather than of the replaced one', { stored: { v1: ['red'], v2: ['blue'] } }, 'v2', 'blue'],
    ['of the version that it replaces', { stored: { v1: ['red'] } }, 'v2', 'red'],
    [
      'of the version that it replaces, where its own was not kept',
      { stored: { v1: ['red'], v2: [null] } },
      'v2',
      'red',
    ],
  ] as const)('is the stored one %s', async (_, options, prompt, said) => {
    expect(await open({ prompts: replacing, ...options }).find({ key: keyOf(prompt) })).toEqual(answer(said));
  });

  test('is that of the same trial, else of one of those that were kept', async () => {
    const { find } = open({ stored: { v1: ['a', null, 'c', 'd'] } });
    const found = await Promise.all([0, 1, 2, 3, 4, 5].map((trial) => find({ key: keyOf('v1', trial) })));
    expect(found.map((one) => (typeof one === 'object' ? one.text : one))).toEqual(['a', 'c', 'c', 'd', 'c', 'd']);
  });

  const comparing = { prompts: [{ id: 'v1' }, { id: 'v2' }], compare: ['v1', 'v2'], stored: { v2: ['stored'] } };
  test.each([
    ['that runs beside it, rather than what is stored', comparing, 'v2', 'v1'],
    [
      'that runs as the prompt of the baseline',
      { prompts: [{ id: 'v1' }, { id: 'old', baselineOf: 'v1' }] },
      'v1',
      'old',
    ],
    [
      'that runs as the prompt of the baseline, rather than the first of --compare',
      { prompts: [{ id: 'v1' }, { id: 'v2' }, { id: 'old', baselineOf: 'v2' }], compare: ['v1', 'v2'] },
      'v2',
      'old',
    ],
    ['that it replaces within the run', { prompts: replacing }, 'v2', 'v1'],
  ])('is awaited of the version %s', async (_, options: Options, prompt, other) => {
    const { find, post } = open(options);
    const found: unknown[] = [];
    for (const trial of [0, 0, 1]) void find({ key: keyOf(prompt, trial) }).then((one) => found.push([trial, one]));
    await settleMicrotasks();
    expect(found).toEqual([]);
    post(keyOf(other), resultOf('green'));
    await settleMicrotasks();
    expect(found).toEqual([
      [0, answer('green')],
      [0, answer('green')],
    ]);
    post(keyOf(other, 1), undefined);
    await settleMicrotasks();
    expect(found[2]).toEqual([1, undefined]);
    // It may have been posted before.
    expect(await find({ key: keyOf(prompt) })).toEqual(answer('green'));
    expect(await find({ key: keyOf(prompt, 1) })).toBeUndefined();
    // The other version has no fresh trial.
    expect(await find({ key: keyOf(prompt, 7), confirmation: true })).toEqual(answer('green'));
  });

  test('is that of an earlier part of the run', async () => {
    const { find } = open({ prompts: replacing, done: { 'v1 0': 'kept', 'v1 1': null } });
    expect(await find({ key: keyOf('v2') })).toEqual({ text: 'kept', toolCalls: [] });
    expect(await find({ key: keyOf('v2', 1) })).toBeUndefined();
  });

  test('is none of a cell that has no answer', async () => {
    const { find, post } = open({ prompts: replacing });
    post(keyOf('v1'), { ...resultOf(''), calls: [] });
    expect(await find({ key: keyOf('v2') })).toBeUndefined();
  });

  test('is not kept where no check of the suite compares two', async () => {
    const { find, post } = open({ prompts: replacing, isPairwise: false });
    post(keyOf('v1'), resultOf('green'));
    const found: unknown[] = [];
    void find({ key: keyOf('v2') }).then((one) => found.push(one));
    await settleMicrotasks();
    expect(found).toEqual([]);
  });
});
