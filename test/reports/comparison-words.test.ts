// oxlint-disable vitest/expect-expect -- expectLines asserts.
import { expect, test } from 'vitest';
import { type BreachCode } from '../../src/model/comparison/breach.ts';
import type { MetricComparison } from '../../src/model/comparison/comparison.ts';
import type { Breach, Certainty } from '../../src/model/comparison/gate.ts';
import type {
  AcceptedDifference,
  ClassReport,
  Report,
  VariantComparison,
  VariantReport,
} from '../../src/model/report/report.ts';
import { describeClasses } from '../../src/reports/classes.ts';
import * as words from '../../src/reports/comparison.ts';
import { describeFailed, describeRates } from '../../src/reports/describe-failed.ts';
import { buildComparison, buildReport, buildSuite, buildVariant } from '../support/build-report.ts';

const show = (value: unknown) => JSON.stringify(value) ?? 'undefined';

async function expectLines(name: string, lines: readonly unknown[]): Promise<void> {
  const written = lines.map((line) => (typeof line === 'string' ? line : show(line)));
  await expect(`${written.join('\n')}\n`).toMatchFileSnapshot(`__file_snapshots__/words/${name}.txt`);
}

const metric = (
  baseline: number | null,
  candidate: number | null,
  delta: number | null,
  low: number | null = null,
  high: number | null = null,
): MetricComparison => ({ baseline, candidate, delta, low, high, p: null });

const noCases = buildComparison().cases;

test('a comparison in a few words', async () => {
  const certainties: readonly Certainty[] = [
    { kind: 'unchanged', cases: 1 },
    { kind: 'unchanged', cases: 5 },
    { kind: 'certain', cases: 5 },
    { kind: 'unseen', cases: 1, drop: 0.081 },
    { kind: 'unseen', cases: 42, drop: null },
    { kind: 'unseen', cases: 42, drop: 0.08, slice: { name: 'vip', cases: 3, drop: 0.301 } },
    { kind: 'unseen', cases: 42, drop: 0.08, slice: { name: 'vip', cases: 1, drop: null, isClass: true } },
    { kind: 'unseen', cases: 42, drop: 0.08, slice: { name: 'vip', cases: 0, drop: 0.1, isClass: true } },
  ];
  const inconclusive = (more: Partial<VariantComparison>) => buildComparison({ outcome: 'inconclusive', ...more });
  await expectLines('comparisons', [
    ...certainties.map((certainty) => words.describeCertainty(certainty)),
    ...[
      buildComparison(),
      buildComparison({ isFirst: true, accepted: [{ caseId: 'a', change: 'added' }] }),
      buildComparison({ accepted: [{ caseId: 'a', change: 'regressed' }] }),
      buildComparison({ outcome: 'failed' }),
      inconclusive({ certainty: { kind: 'unseen', cases: 0 } }),
      inconclusive({}),
      inconclusive({ unsettled: 0 }),
      inconclusive({ unsettled: 1 }),
      inconclusive({ unsettled: 2 }),
      inconclusive({ cases: { ...noCases, regressed: ['a'] } }),
      inconclusive({ cases: { ...noCases, regressed: ['a', 'b'] } }),
    ].map(words.describeComparison),
  ]);
});

test('the metrics of a comparison', async () => {
  const of = (more: Partial<VariantComparison>) => words.describeMetrics(buildComparison(more));
  await expectLines('metrics', [
    of({}),
    of({ passRate: metric(0.98, 0.96, -0.02, -0.076, 0.028) }),
    of({ passRate: metric(0.98, 0.96, -0.02, null, 0.028) }),
    of({ passRate: metric(0.98, 0.96, -0.02, -0.076) }),
    of({ passRate: metric(null, 0.96, -0.02) }),
    of({ passRate: metric(0.98, null, -0.02) }),
    of({ passRate: metric(0.98, 0.96, null) }),
    of({ score: metric(0.5, 0.61239, 0.11239, 0, 0.2) }),
    of({ costUsd: metric(0.001, 0.002, 1, 0.5, 1.5), steps: metric(2, 3.25, 0.625) }),
    of({ costUsd: metric(0, 0.002, null) }),
    of({ costUsd: metric(0.002, 0, null) }),
    of({ costUsd: metric(0, 0, null) }),
    of({ costUsd: metric(null, 0, null) }),
    of({ latencyMs: metric(420, 1980, null) }),
    of({ latencyMs: metric(420, null, null) }),
    of({ latencyMs: metric(null, 420, null) }),
    of({ latencyMs: metric(420, 380, -0.095, -0.2, 0.01) }),
    ...[metric(1, 2, null), metric(1, 2, 1, 1, 1), metric(1, 2, 1, 1, 2), metric(1, 2, 1, 0, 1), metric(1, 2, 1)].map(
      words.describeRatio,
    ),
    ...[metric(null, 1, 0), metric(1, null, 0), metric(1, 1, null), metric(1, 0.5, -0.5, -0.7, 0)].map(
      words.describeRateChange,
    ),
    ...[
      { value: null, low: 0, high: 1, n: 1 },
      { value: 0.5, low: null, high: null, n: 1 },
      { value: 0.5, low: 0.2, high: null, n: 1 },
      { value: 0.5, low: null, high: 0.8, n: 1 },
    ].map(words.formatRate),
    [words.formatCost(null), words.formatCost(0.5), words.formatLatency(null), words.formatLatency(1500)],
    words.describeSlices(
      buildVariant({
        slices: [
          { slice: 'vip', passRate: { value: 0.5, low: 0.2, high: 0.8, n: 8 } },
          { slice: 'new', passRate: { value: 1, low: 0.2, high: 1, n: 1 } },
          { slice: 'null', passRate: { value: 1, low: 0.2, high: 1, n: 2 } },
        ],
        comparison: buildComparison({
          slices: [
            { slice: 'vip', cases: 8, passRate: metric(1, 0.625, -0.375, -0.698, -0.021) },
            { slice: 'null', cases: 0, passRate: metric(null, null, null) },
          ] as unknown as NonNullable<VariantComparison['slices']>,
        }),
      }),
    ),
    words.describeSlices(buildVariant()),
    [{}, { passRateMin: 1 }, { passRateMin: 0.85 }].map((more) => words.describeBareLimit(buildSuite([], more))),
  ]);
});

const estimate = (value: number | null) => ({ value, low: value === null ? null : 0, high: null });

const classesOf = (more: Partial<ClassReport> = {}): ClassReport => ({
  names: ['a', 'b', 'c'],
  cells: [
    { truth: 'a', found: 'a', cases: 2 },
    { truth: 'a', found: 'b', cases: 0.333 },
    { truth: 'b', found: null, cases: 1 },
  ],
  scores: [
    { class: 'a', cases: 3, recall: estimate(0.5), precision: estimate(null), f1: estimate(0.25) },
    { class: 'b', cases: 1, recall: estimate(0), precision: estimate(0), f1: estimate(0) },
  ],
  macro: { precision: 0.5, recall: 0.5, f1: estimate(0.125) },
  others: [
    { found: 'z', answers: 3 },
    { found: null, answers: 1 },
  ],
  ...more,
});

test('the classes of a variant', async () => {
  const compared = (cells: readonly { truth: string; found: string | null; baseline: number; candidate: number }[]) =>
    buildComparison({
      classes: {
        f1: metric(0.5, 0.25, -0.25, -0.5, 0),
        cases: 4,
        recall: [
          { class: 'a', ...metric(1, 0.5, -0.5) },
          { class: 'b', ...metric(null, 0.5, null) },
        ],
        cells: cells.map((cell) => ({ ...cell, entered: ['c1', 'c2', 'c3', 'c4'] })),
      } as unknown as NonNullable<VariantComparison['classes']>,
    });
  const cell = (baseline: number, candidate: number) => ({ truth: 'a', found: 'b', baseline, candidate });
  const uncompared = { ...compared([]), classes: { ...compared([]).classes, f1: metric(null, null, null) } };
  const wide = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `n${index}`);
    return classesOf({ names, cells: names.map((name) => ({ truth: name, found: name, cases: 1 })) });
  };
  const variants: readonly Partial<VariantReport>[] = [
    {},
    { classes: classesOf({ scores: [] }) },
    { classes: classesOf() },
    { classes: classesOf({ scores: classesOf().scores.slice(0, 1), cells: [] }) },
    { classes: classesOf(), comparison: buildComparison() },
    { classes: classesOf(), comparison: uncompared as VariantComparison },
    {
      classes: classesOf(),
      comparison: compared([
        cell(0, 1),
        cell(1, 1.05),
        cell(1, 1.06),
        cell(2, 1),
        { truth: 'a', found: null, baseline: 1, candidate: 0 },
      ]),
    },
    { classes: classesOf(), comparison: compared(Array.from({ length: 12 }, (_, index) => cell(0, index + 1))) },
    { classes: wide(12) },
    { classes: wide(13) },
  ];
  await expectLines(
    'classes',
    variants.map((more) => describeClasses(buildVariant(more))),
  );
});

test('the prompts that changed, what was accepted and what is compared with nothing', async () => {
  const prompts = (content: string) => ({
    baseline: [{ role: 'system', content: 'old\n\n' }],
    candidate: [
      { role: 'system', content },
      { role: 'user', content: 'x', attach: ['a.png', 'b.png'] },
    ],
  });
  const changed = buildSuite([], {
    variants: [
      buildVariant({ comparison: buildComparison({ prompts: prompts('new') }) }),
      buildVariant({ provider: 'big', comparison: buildComparison({ prompts: prompts('new') }) }),
      buildVariant({
        prompt: 'v3',
        comparison: buildComparison({ prompts: prompts('newer'), against: { source: 'x', prompt: 'v2' } }),
      }),
      buildVariant({ prompt: 'v4', comparison: buildComparison() }),
      buildVariant({ prompt: 'v5' }),
    ],
  });
  const accepted = (...differences: readonly AcceptedDifference[]) => buildComparison({ accepted: differences });
  const regressed = (caseId: string) => ({ caseId, change: 'regressed' }) as const;
  const ofVariants = (...variants: readonly VariantReport[]) => buildReport([buildSuite([], { variants })]);
  const failed = (...ids: readonly string[]) => ({ failedCases: ids.map((caseId) => ({ caseId, mustPass: true })) });
  const reports: readonly Report[] = [
    ofVariants(),
    ofVariants(
      buildVariant({
        comparison: accepted(
          regressed('a'),
          { caseId: 'b', change: 'added' },
          { caseId: 'c', change: 'fixed' },
          { metric: 'odd name' },
        ),
      }),
    ),
    ofVariants(
      buildVariant({ comparison: accepted(regressed('a'), regressed('b')), ...failed('a') }),
      buildVariant({ provider: 'big', comparison: accepted(regressed('a'), regressed('a (b)')) }),
    ),
    ofVariants(
      buildVariant({ comparison: accepted(regressed('a')) }),
      buildVariant({ provider: 'big', comparison: accepted(regressed('a')), ...failed('a') }),
    ),
    ofVariants(
      buildVariant({ comparison: buildComparison({ isFirst: true, cases: { ...noCases, stillFailing: ['a', 'b'] } }) }),
    ),
    ofVariants(
      buildVariant({ comparison: buildComparison({ isFirst: true }) }),
      buildVariant({ provider: 'big', comparison: buildComparison({ isFirst: true }), ...failed('a') }),
      buildVariant({ provider: 'huge', comparison: buildComparison(), ...failed('z') }),
    ),
  ];
  const bare = [
    changed,
    buildSuite([], { variants: [buildVariant(), buildVariant({ replacedBy: 'x' }), buildVariant({ planned: 0 })] }),
    buildSuite([], { variants: [] }),
  ];
  await expectLines('changes', [
    ...words.listPromptChanges(changed),
    ...reports.map((report) => [words.countAccepted(report), words.findFirstBaselines(report) ?? null]),
    ...bare.map((suite) => {
      const { variants, isWholeSuite } = words.findUncompared(suite);
      return [variants.map(({ prompt, provider }) => `${prompt} ${provider}`), isWholeSuite];
    }),
    words.mapChanges({ ...noCases, regressed: ['a', 'b'] }, (ids) => ids.length),
  ]);
});

test('why a run failed, in one sentence', async () => {
  const style = { name: (text: string) => `<${text}>`, sentence: (text: string) => `“${text}”` };
  const mini = 'openai:gpt-4o-mini';
  const breach = (code: BreachCode, more: Partial<Breach> = {}): Breach => ({
    code,
    suite: 'support-triage',
    prompt: 'v2',
    provider: mini,
    message: 'it is too low',
    ...more,
  });
  const compared = (more: Partial<VariantComparison> = {}) => buildComparison({ outcome: 'failed', ...more });
  const failedCases = (...ids: readonly string[]) =>
    ids.map((id) => ({ caseId: id.replace('!', ''), mustPass: id.includes('!') }));
  const many = { value: 0.5, low: 0, high: 1, n: 42 };
  const variant = (more: Partial<VariantReport> = {}) => buildVariant({ passRate: many, ...more });
  const reports: readonly (readonly [
    variants: readonly VariantReport[],
    breaches: readonly Breach[],
    suite?: object,
  ])[] = [
    [[variant()], []],
    [[variant({ comparison: compared() })], [breach('case-broken', { caseId: 'a' })]],
    [
      [variant({ comparison: compared({ passRate: metric(1, 0.762, -0.238) }), failedCases: failedCases('a!', 'b') })],
      [breach('case-broken', { caseId: 'a' }), breach('case-broken', { caseId: 'b' })],
    ],
    [
      [
        variant({
          comparison: compared({ cases: { ...noCases, regressed: ['a', 'b', 'c'] } }),
          failedCases: failedCases('a!', 'b!', 'c!'),
        }),
      ],
      [breach('case-broken', { caseId: 'a' })],
    ],
    [[variant({ failedCases: failedCases('a!') })], [breach('must-pass', { caseId: 'a' })]],
    [[variant({ failedCases: failedCases('a', 'b') })], [breach('pass-rate-min')]],
    [[variant({ failedCases: failedCases('a', 'b') })], [breach('pass-rate-min')], { passRateMin: 0.9 }],
    [[variant({ failedCases: failedCases('a', 'b') })], [breach('pass-rate-min', { slice: 'vip' })]],
    [[variant({ comparison: compared({ cases: { ...noCases, regressed: ['a'] } }) })], [breach('pass-rate-regressed')]],
    [
      [variant({ comparison: compared({ cases: { ...noCases, regressed: ['a', 'b'] } }) })],
      [breach('pass-rate-regressed'), breach('case-broken', { caseId: 'a' })],
    ],
    [[variant({ comparison: compared() })], [breach('pass-rate-regressed')]],
    [
      [variant({ comparison: compared() })],
      [breach('case-drifted', { caseId: 'a' }), breach('case-drifted', { caseId: 'b' })],
    ],
    [[variant({ comparison: compared() })], [breach('case-added-failed', { caseId: 'a' })]],
    [
      [variant({ comparison: compared({ cases: { ...noCases, redefined: ['a', 'b'] } }) })],
      [breach('case-added-failed', { caseId: 'a' }), breach('case-added-failed', { caseId: 'b' })],
    ],
    [
      [variant({ comparison: compared({ cases: { ...noCases, redefined: ['a'] } }) })],
      [breach('case-added-failed', { caseId: 'a' }), breach('case-added-failed', { caseId: 'b' })],
    ],
    [
      [
        variant({ comparison: compared({ passRate: metric(1, 0.5, -0.5) }) }),
        variant({ provider: 'big', comparison: compared({ passRate: metric(1, 0.75, -0.25) }) }),
        variant({ provider: 'same', comparison: compared({ passRate: metric(1, 1, 0) }) }),
      ],
      [breach('case-broken', { caseId: 'a' }), breach('case-broken', { caseId: 'a', provider: 'big' })],
    ],
    [
      [buildVariant({ comparison: compared({ isWithinRun: true }) })],
      [breach('case-broken', { caseId: 'a' }), breach('case-broken', { caseId: 'b' })],
    ],
    [[variant()], [breach('cost-max'), breach('cost-max', { provider: 'big' }), breach('cost-regressed')]],
    [
      [variant(), variant({ provider: 'big' })],
      [
        breach('cost-max'),
        breach('cost-max', { provider: 'big' }),
        breach('contract-broken'),
        breach('contract-broken'),
      ],
    ],
    [[variant()], [{ code: 'contract-broken', message: 'x' }]],
    [[variant()], [{ code: 'cost-max', message: 'no suite' }]],
    [
      [variant({ comparison: compared() })],
      [
        breach('case-broken', { caseId: 'a' }),
        breach('case-drifted', { caseId: 'b' }),
        breach('cost-max'),
        breach('cost-regressed'),
      ],
    ],
    [[variant()], [breach('untimed'), breach('errors-exceeded')]],
  ];
  await expectLines('failed', [
    ...reports.map(([variants, breaches, suite = {}]) =>
      describeFailed(
        buildReport([buildSuite([], { variants, ...suite })], {
          decision: { outcome: 'failed', breaches, warnings: [] },
        }),
        style,
      ),
    ),
    describeRates([]),
    describeRates([variant({ comparison: compared({ passRate: metric(0.9, 0.9, 0) }) })]),
    describeRates([variant({ comparison: compared({ passRate: metric(0.9, 0.8996, 0) }) }), variant()]),
  ]);
});
