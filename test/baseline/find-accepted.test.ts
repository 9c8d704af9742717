import { describe, expect, test } from 'vitest';
import {
  checkBaselines,
  createFindAccepted,
  describeUnaccepted,
  openBaselines,
  openReferences,
} from '../../src/baseline/find-baselines.ts';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase, BaselineTrial, Pin, SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import { UserError } from '../../src/model/problem.ts';
import type { PromptVersion, ProviderConfig } from '../../src/model/suite/suite.ts';
import type { Plan } from '../../src/plan/build-plan.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';
import { buildVariant } from '../support/build-summary.ts';
import { openTempProject } from '../support/temp-project.ts';

interface Written {
  readonly suite?: string;
  readonly pin?: Pin;
  /** Of each case, `PROMPT PROVIDER`. */
  readonly keys?: readonly string[];
  readonly trials?: readonly Partial<BaselineTrial>[];
}

const plainTrial = { trial: 0, status: 'passed', checks: [] } as const;

function textOf({ suite = 'triage', pin, keys = ['v1 p'], trials = [{}] }: Written = {}): string {
  const split = keys.map((key) => {
    const [prompt = '', provider = ''] = key.split(' ');
    return { prompt, provider };
  });
  const variants = split.map((key) => {
    const { planned: _planned, observed: _observed, acceptedPrompt: _state, ...rest } = buildVariant(1, key);
    return { type: 'variant' as const, ...rest, models: [] };
  });
  const cases = split.map(
    (key): BaselineCase => ({
      type: 'case',
      ...key,
      caseId: 'refund',
      caseHash: 'h',
      trials: trials.map((one, trial) => ({ ...plainTrial, trial, ...one })),
    }),
  );
  const content = { ...contentOf({ suite, variants, cases }), ...(pin !== undefined && { pin }) };
  return [...renderBaseline(content)].join('');
}

const fileOf = (written?: Written): SuiteBaseline => ({
  source: 'file',
  baseline: openBaselineText(textOf(written), 'file'),
});

describe('the accepted answer of a cell', () => {
  const trials: readonly Partial<BaselineTrial>[] = [
    { output: 'first', reasoning: 'because' },
    { output: 'second', toolCalls: [{ name: 'f', rawArguments: '{}' }] as never },
    {},
  ];
  const find = (found: SuiteBaseline | undefined, change: object = {}) =>
    createFindAccepted(
      [buildSuite([])],
      () => found,
    )({
      suite: 'triage',
      prompt: 'v1',
      provider: 'p',
      caseId: 'refund',
      trial: 0,
      ...change,
    });

  test('is that of the same trial, else the first', () => {
    const first = { text: 'first', toolCalls: [], reasoning: 'because' };
    expect(find(fileOf({ trials }))).toEqual(first);
    expect(find(fileOf({ trials }), { trial: 1 })).toEqual({
      text: 'second',
      toolCalls: [{ name: 'f', rawArguments: '{}' }],
    });
    expect(find(fileOf({ trials }), { trial: 7 })).toEqual(first);
  });

  test.each<[string, SuiteBaseline | undefined, object]>([
    ['without a baseline', undefined, {}],
    ['of another suite', fileOf({ trials }), { suite: 'other' }],
    ['of a case that was not accepted', fileOf({ trials }), { caseId: 'other' }],
    ['of a prompt that was not accepted', fileOf({ trials }), { prompt: 'v2' }],
    ['that was not kept', fileOf({ trials }), { trial: 2 }],
  ])('is none %s', (_name, found, change) => {
    expect(find(found, change)).toBeUndefined();
  });
});

describe('a variant of which the baseline has no case is named', () => {
  interface Variant {
    readonly prompt?: Partial<PromptVersion>;
    readonly provider?: Partial<ProviderConfig>;
    readonly planned?: number;
  }

  function namedOf(variants: readonly Variant[], found: SuiteBaseline | undefined) {
    const planned = variants.map(({ prompt, provider, planned: count = 1 }) => ({
      prompt: buildPrompt(prompt),
      provider: buildProvider({ id: 'p', ...provider }),
      params: {},
      planned: count,
      observed: 0,
    }));
    const suites: Plan['suites'] = [{ suite: buildSuite([]), filtered: false, selectedCases: 1, variants: planned }];
    return describeUnaccepted({ suites }, () => found, 'auto').map((line) =>
      line.replace(/^.*no case of (.*): .*$/, '$1'),
    );
  }

  const other = fileOf({ keys: ['v9 q'] });
  const v2 = { prompt: { id: 'v2', replaces: 'v1' } };

  test.each<[string, readonly Variant[], SuiteBaseline | undefined, readonly string[]]>([
    ['where nothing is there', [{}], undefined, []],
    ['where it has one', [{}], fileOf(), []],
    ['where it has none', [{}, { provider: { id: 'q' } }], other, ['v1 on p', 'v1 on q']],
    ['for one of two', [{}, { provider: { id: 'q' } }], fileOf(), ['v1 on q']],
    ['unless it was left out', [{ planned: 0 }], other, []],
    ['where it has none of the version that it replaces', [v2], other, ['v2 on p']],
    ['unless it has one of that', [v2], fileOf(), []],
    ['unless both versions run', [{}, v2], other, []],
    ['unless the replaced version was left out', [{ planned: 0 }, v2], other, ['v2 on p']],
    ['unless both providers run', [{}, { provider: { id: 'q', replaces: 'p' } }], other, []],
    ['where they run on different providers', [{}, { ...v2, provider: { id: 'q' } }], other, ['v1 on p', 'v2 on q']],
    ['unless its accepted prompt runs again', [{}, { prompt: { id: 'v1@baseline', baselineOf: 'v1' } }], other, []],
    [
      'where that of another provider runs again',
      [{}, { prompt: { id: 'v1@baseline', baselineOf: 'v1' }, provider: { id: 'q' } }],
      other,
      ['v1 on p'],
    ],
  ])('%s', (_name, variants, found, named) => {
    expect(namedOf(variants, found)).toEqual(named);
  });
});

describe('files beside suites', () => {
  const suites = ['one', 'two', 'three'].map((id) => ({ id, path: `evals/${id}.eval.yaml` }));
  const open = (files: Readonly<Record<string, string>>) => {
    const project = openTempProject();
    for (const [name, text] of Object.entries(files)) project.write(`evals/${name}`, text);
    const place = { root: project.root, cwd: project.root, env: {} };
    return { place, find: openBaselines('auto', place), reference: openReferences('auto', place) };
  };

  function problemsOf(work: () => unknown): readonly string[] {
    try {
      work();
    } catch (error) {
      if (error instanceof UserError) return error.problems.map(({ message, at }) => `${message} (${at?.file})`);
      throw error;
    }
    return [];
  }

  test('must belong to them, and the problems of all are said together', () => {
    const pin = { until: '2026-11-01T00:00:00.000Z' };
    const { find, reference } = open({
      'one.baseline.jsonl': textOf({ suite: 'other' }),
      'one.reference.jsonl': textOf({ suite: 'one', pin }),
      'two.baseline.jsonl': textOf({ suite: 'two' }),
      'two.reference.jsonl': textOf({ suite: 'two' }),
      'three.reference.jsonl': textOf({ suite: 'two', pin }),
    });
    expect(problemsOf(() => checkBaselines(suites, find, reference))).toEqual([
      'evals/one.baseline.jsonl is the baseline of suite other, not of one (evals/one.baseline.jsonl)',
      'evals/two.reference.jsonl is not a pinned reference: its header has no "pin" (evals/two.reference.jsonl)',
      'evals/three.reference.jsonl is the reference of suite two, not of three (evals/three.reference.jsonl)',
    ]);
    expect(problemsOf(() => checkBaselines(suites.slice(1, 2), find))).toEqual([]);
    expect([find(suites[1] as never)?.source, reference(suites[0] as never)?.pin]).toEqual([
      'evals/two.baseline.jsonl',
      pin,
    ]);
  });

  test('are not looked for where no baseline is wanted', () => {
    const { place } = open({ 'one.baseline.jsonl': textOf({ suite: 'one' }), 'one.reference.jsonl': 'nonsense' });
    const [one] = suites;
    for (const wanted of [undefined, 'none'] as const) {
      expect(openBaselines(wanted, place)(one as never)).toBeUndefined();
      expect(openReferences(wanted, place)(one as never)).toBeUndefined();
    }
  });

  test('may be named in place of those, for the one suite that they are of', () => {
    const { place } = open({ 'x.baseline.jsonl': textOf({ suite: 'two' }) });
    const find = openBaselines({ source: 'evals/x.baseline.jsonl' }, place);
    expect(suites.map((suite) => find(suite)?.source)).toEqual([undefined, 'evals/x.baseline.jsonl', undefined]);
    const ids = new Set(['v1']);
    expect(problemsOf(() => openBaselines({ source: 'v1' }, { ...place, promptIds: ids }))).toEqual([
      '--baseline v1 is a prompt id: --compare compares two prompt versions (undefined)',
    ]);
  });
});
