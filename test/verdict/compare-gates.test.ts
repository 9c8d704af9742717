import { describe, expect, test } from 'vitest';
import type { Loosened } from '../../src/model/run/record.ts';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { type Contract } from '../../src/model/suite/recorded-settings.ts';
import { compareGates, describeLoosened, type Gating } from '../../src/verdict/gate/compare-gates.ts';
import { buildCaseSummary, buildSide, compareSides } from '../support/build-side.ts';
import { rowsOf, summarize } from '../support/build-summary.ts';

type GateOptions = Partial<GatePolicy> & {
  readonly classes?: Partial<ClassPolicy>;
  readonly contracts?: readonly Contract[];
};

function gating({ classes, contracts = [{}], ...gate }: GateOptions): Gating {
  const policy = { truth: '', found: {}, names: [], recall: {}, precision: {}, f1: {}, ...classes };
  return {
    gate: { ...defaultGate, ...gate },
    ...(classes !== undefined && { classes: policy as unknown as ClassPolicy }),
    contracts,
  };
}

/** What is looser from one gate to the other, and what is in the other direction. */
const both = (a: GateOptions, b: GateOptions) =>
  [compareGates(gating(a), gating(b)), compareGates(gating(b), gating(a))].map((found) =>
    found.map(({ key, old, new: now }) => `${key}: ${old} → ${now}`).join('; '),
  );

const { cases, confirm } = defaultGate;

describe('a setting is looser where more passes', () => {
  test.each<[string, GateOptions, GateOptions]>([
    ['gate.alpha: 0.05 → 0.01', {}, { alpha: 0.01 }],
    ['gate.certify: true → false', { certify: true }, {}],
    ['gate.erosion: fail → warn', { erosion: 'fail' }, {}],
    ['gate.erosion: fail → warn', { erosion: 'fail' }, { erosion: 'warn' }],
    ['gate.cases.broken: fail → warn', {}, { cases: { ...cases, broken: 'warn' } }],
    ['gate.cases.drifted: fail → warn', {}, { cases: { ...cases, drifted: 'warn' } }],
    ['gate.cases.loosened: fail → warn', { cases: { ...cases, loosened: 'fail' } }, {}],
    ['gate.unsettled: fail → warn', {}, { unsettled: 'warn' }],
    ['gate.cases.added: fail → warn', {}, { cases: { ...cases, added: 'warn' } }],
    ['gate.confirm.budget: 200% → 50%', {}, { confirm: { ...confirm, budget: { share: 0.5 } } }],
    [
      'gate.confirm.budget: 40 calls → 20 calls',
      { confirm: { ...confirm, budget: { calls: 40 } } },
      { confirm: { ...confirm, budget: { calls: 20 } } },
    ],
    ['gate.confirm.budget: 200% → 0 calls', {}, { confirm: { ...confirm, budget: { calls: 0 } } }],
    ['gate.passRate.min: 0.9 → 0.8', { passRate: { min: 0.9 } }, { passRate: { min: 0.8 } }],
    ['gate.passRate.min: 0.9 → none', { passRate: { min: 0.9 } }, {}],
    ['gate.passRate.maxDrop: 0.05 → 0.1', {}, { passRate: { maxDrop: 0.1 } }],
    ['gate.passRate.maxDrop: 0.02 → 0.05', { passRate: { maxDrop: 0.02 } }, {}],
    ['gate.score.min: 0.5 → none', { score: { min: 0.5 } }, {}],
    ['gate.score.maxDrop: 0.05 → 0.2', {}, { score: { maxDrop: 0.2 } }],
    ['gate.cost.max: 0.1 → 0.2', { cost: { max: 0.1 } }, { cost: { max: 0.2 } }],
    ['gate.cost.maxIncrease: 0.1 → none', { cost: { maxIncrease: 0.1 } }, {}],
    ['gate.latency.maxIncrease: 0.1 → 0.5', { latency: { maxIncrease: 0.1 } }, { latency: { maxIncrease: 0.5 } }],
    ['gate.latency.p95Max: 1.5s → 2s', { latency: { p95MaxMs: 1500 } }, { latency: { p95MaxMs: 2000 } }],
    ['gate.latency.firstTokenP95Max: 0.5s → none', { latency: { firstTokenP95MaxMs: 500 } }, {}],
    ['gate.steps.max: 3 → 4', { steps: { max: 3 } }, { steps: { max: 4 } }],
    ['gate.steps.maxIncrease: 0.2 → none', { steps: { maxIncrease: 0.2 } }, {}],
    ['gate.slices.vip.passRate.min: 0.5 → none', { slices: { vip: { passRate: { min: 0.5 } } } }, {}],
    [
      'gate.slices.vip.passRate.maxDrop: 0.1 → 0.2',
      { slices: { vip: { passRate: { maxDrop: 0.1 } } } },
      { slices: { vip: { passRate: { maxDrop: 0.2 } } } },
    ],
    [
      'classes.gate.recall.legal.min: 0.9 → 0.8',
      { classes: { recall: { legal: { min: 0.9 } } } },
      { classes: { recall: { legal: { min: 0.8 } } } },
    ],
    ['classes.gate.recall.legal.maxDrop: 0.1 → none', { classes: { recall: { legal: { maxDrop: 0.1 } } } }, {}],
    [
      'classes.gate.precision.legal.min: 0.9 → none',
      { classes: { precision: { legal: { min: 0.9 } } } },
      { classes: {} },
    ],
    ['classes.gate.f1.min: 0.9 → 0.8', { classes: { f1: { min: 0.9 } } }, { classes: { f1: { min: 0.8 } } }],
    [
      'classes.gate.f1.maxDrop: 0.1 → 0.2',
      { classes: { f1: { maxDrop: 0.1 } } },
      { classes: { f1: { maxDrop: 0.2 } } },
    ],
    ['contract.policy: practical → lenient', {}, { contracts: [{ policy: 'lenient' }] }],
    ['contract.policy: formal → practical', { contracts: [{ policy: 'formal' }] }, {}],
    // The loosest prompt counts.
    [
      'contract.policy: formal → lenient',
      { contracts: [{ policy: 'formal' }, { policy: 'formal' }] },
      { contracts: [{ policy: 'formal' }, { policy: 'lenient' }] },
    ],
    [
      'contract.policy: practical → lenient',
      { contracts: [{ policy: 'formal' }, {}] },
      { contracts: [{ policy: 'lenient' }, { policy: 'formal' }] },
    ],
    ['contract.strictConsumers: true → false', { contracts: [{ strictConsumers: true }] }, {}],
    [
      'contract.strictConsumers: true → false',
      { contracts: [{ strictConsumers: true }] },
      { contracts: [{ strictConsumers: true }, {}] },
    ],
  ])('%s', (line, stricter, looser) => {
    expect(both(stricter, looser)).toEqual([line, '']);
  });

  test('in the order of the settings, each by itself', () => {
    const strict = { alpha: 0.2, passRate: { min: 0.9, maxDrop: 0.01 }, cost: { max: 1, maxIncrease: 0.1 } };
    expect(both(strict, {})).toEqual([
      'gate.alpha: 0.2 → 0.05; gate.passRate.min: 0.9 → none; gate.passRate.maxDrop: 0.01 → 0.05; ' +
        'gate.cost.max: 1 → none; gate.cost.maxIncrease: 0.1 → none',
      '',
    ]);
  });
});

test('another scope is named in both directions, and the number of confirmed cases in none', () => {
  expect(both({ scope: 'suite' }, {})).toEqual(['gate.scope: suite → population', 'gate.scope: population → suite']);
  expect(both({ confirm: { ...confirm, cases: 1 } }, {})).toEqual(['', '']);
});

test('exceptions that a contract adds are named, with those that it had', () => {
  const before = [{ approved: ['a'], ignore: ['/x'] }, { overrides: [{ rule: 'enum-grew', severity: 'warning' }] }];
  const after = [
    { approved: ['a', 'b'], ignore: [] },
    { overrides: [{ rule: 'enum-grew', severity: 'info' }], ignore: ['/y', '/x'] },
  ];
  const contracts = (list: readonly object[]) => ({ contracts: list as readonly Contract[] });
  expect(both(contracts(before), contracts(after))).toEqual([
    'contract.approved: a → a, b; contract.ignore: /x → /y, /x; ' +
      'contract.overrides: enum-grew: warning → enum-grew: info',
    'contract.overrides: enum-grew: info → enum-grew: warning',
  ]);
  expect(both({}, contracts([{ approved: ['b', 'a'] }]))).toEqual(['contract.approved: none → b, a', '']);
});

describe('what a change takes out of its own gate', () => {
  const [shown] = summarize(rowsOf('p')).suites;
  const none = { suites: shown === undefined ? [] : [shown] };
  const say = (loosened: readonly Loosened[]) => describeLoosened({ ...settings, loosened }, none, []);
  const settings = { maxErrors: { count: 0 }, cacheMode: 'use', allowEmpty: false, requireConclusive: false } as const;

  test('is a sentence for each setting, and one for each kind of case', () => {
    const loosened: readonly Loosened[] = [
      { suite: 'b', key: 'skip', old: '', new: '', cases: ['x'] },
      { suite: 'a', key: 'trials', old: '', new: '', cases: ['1', '2', '3', '4', '5', '6'] },
      { suite: 'a', key: 'removed', old: '', new: '', cases: ['y'] },
      { suite: 'a', key: 'mustPass', old: '', new: '', cases: ['y', 'z'] },
      { suite: 'a', key: 'observe', old: '', new: '', cases: ['w'] },
      { suite: 'a', key: 'gate.alpha', old: '0.05', new: '0.01' },
      { key: 'maxErrors', old: '0', new: '1' },
      { suite: 'c', key: 'suite', old: 'evals/c.eval.yaml', new: 'none' },
    ];
    expect(say(loosened)).toEqual([
      'a: this change loosens gate.alpha: 0.05 → 0.01',
      'this change loosens maxErrors: 0 → 1',
      'this change removes the suite c (evals/c.eval.yaml)',
      'b: this change skips 1 case: x',
      'a: this change removes 1 case with mustPass: y',
      'a: this change drops mustPass of 2 cases: y, z',
      'a: this change only observes 1 case: w',
      'a: this change asks 6 cases fewer times: 1, 2, 3, 4, 5 and 1 more',
    ]);
    expect(say([])).toEqual([]);
  });

  test('is seen by the baseline of a commit too', () => {
    const must = { mustPass: true } as const;
    const baseline = buildSide({
      gone: buildCaseSummary('gone', 'p', must),
      plain: 'p',
      kept: buildCaseSummary('kept', 'p', must),
      dropped: buildCaseSummary('dropped', 'p', must),
      watched: 'p',
      skipped: 'p',
      half: 'p',
      stopped: 'p',
      empty: 'p',
    });
    const rows = [
      ...rowsOf('p', { caseId: 'kept', mustPass: true }),
      ...rowsOf('p', { caseId: 'dropped' }),
      ...rowsOf('p', { caseId: 'watched', observe: true }),
      ...rowsOf('cc', { caseId: 'skipped' }),
      ...rowsOf('pc', { caseId: 'half' }),
      ...rowsOf('s', { caseId: 'stopped' }),
    ];
    const summary = summarize(rows);
    const [variant] = summary.suites[0]?.variants ?? [];
    if (variant === undefined) throw new Error('one variant');
    const candidate = { ...buildSide({}), cases: variant.cases };
    const comparisons = [{ variant, compared: compareSides(baseline, candidate) }];
    const by = (source: string, loosened: readonly Loosened[] = []) =>
      describeLoosened({ ...settings, loosened, baseline: { source } }, summary, comparisons);
    expect(by('git:main')).toEqual([
      'triage: this change removes 1 case with mustPass: gone',
      'triage: this change drops mustPass of 1 case: dropped',
      'triage: this change only observes 1 case: watched',
      'triage: this change skips 1 case: skipped',
    ]);
    // The suite's files and the baseline may both show it.
    const files: readonly Loosened[] = [
      { suite: 'triage', key: 'skip', old: '', new: '', cases: ['other', 'skipped'] },
    ];
    expect(by('git:main', files)[3]).toBe('triage: this change skips 2 cases: other, skipped');
    expect(by('evals/triage.baseline.jsonl')).toEqual([]);
    expect(describeLoosened(settings, summary, comparisons)).toEqual([]);
    expect(describeLoosened({ ...settings, baseline: 'none' }, summary, comparisons)).toEqual([]);
  });
});
