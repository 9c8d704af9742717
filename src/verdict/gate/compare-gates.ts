import type { ComparedCase } from '../../model/comparison/comparison.ts';
import { type Loosened, type LoosenedCases, loosenedCases, type RunSettings } from '../../model/run/record.ts';
import type { RunSummary } from '../../model/run/summary.ts';
import type { ClassPolicy } from '../../model/suite/classes.ts';
import type { ConfirmBudget, GatePolicy, MetricLimits } from '../../model/suite/gate-policy.ts';
import type { Contract } from '../../model/suite/recorded-settings.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import { defaultMaxDrop } from '../default-margins.ts';
import type { JudgedComparison } from './judge-comparisons.ts';

/** The settings that decide whether a suite passes. */
export interface Gating {
  readonly gate: GatePolicy;
  readonly classes?: ClassPolicy;
  /** The contracts of the suite and of each of its prompts. */
  readonly contracts: readonly Contract[];
}

/** One key. The higher `strictness` is, the more fails. */
interface Setting {
  readonly strictness: number;
  readonly text: string;
}

/** Names each setting that is looser than before. */
export function compareGates(before: Gating, after: Gating): readonly Omit<Loosened, 'suite'>[] {
  const [old, now] = [listSettings(before), listSettings(after)];
  const looser = [...old].flatMap(([key, { strictness, text }]) => {
    const found = now.get(key) ?? noLimit;
    return found.strictness < strictness ? [{ key, old: text, new: found.text }] : [];
  });
  return [
    ...looser,
    ...compareScopes(before.gate, after.gate),
    ...compareExceptions(before.contracts, after.contracts),
  ];
}

const noLimit: Setting = { strictness: Number.NEGATIVE_INFINITY, text: 'none' };

function listSettings({ gate, classes, contracts }: Gating): ReadonlyMap<string, Setting> {
  const { cases, confirm, passRate, score, cost, latency, steps, slices = {} } = gate;
  const severity = (value: 'fail' | 'warn'): Setting => ({ strictness: value === 'fail' ? 1 : 0, text: value });
  const onOff = (value = false): Setting => ({ strictness: value ? 1 : 0, text: String(value) });
  return new Map([
    ['gate.alpha', atLeast(gate.alpha)],
    ['gate.certify', onOff(gate.certify)],
    ['gate.erosion', severity(gate.erosion ?? 'warn')],
    ['gate.cases.broken', severity(cases.broken)],
    ['gate.cases.drifted', severity(cases.drifted)],
    ['gate.cases.added', severity(cases.added)],
    ['gate.confirm.budget', budgetOf(confirm.budget)],
    ['gate.cases.loosened', severity(cases.loosened ?? 'warn')],
    ['gate.unsettled', severity(gate.unsettled ?? 'fail')],
    ...limitsOf('gate.passRate', passRate, defaultMaxDrop),
    ...limitsOf('gate.score', score, defaultMaxDrop),
    ...limitsOf('gate.cost', cost),
    ...limitsOf('gate.latency', latency),
    ...limitsOf('gate.steps', steps ?? {}),
    ...Object.entries(slices).flatMap(([tag, limits]) => limitsOf(`gate.slices.${tag}.passRate`, limits.passRate)),
    ...Object.entries(classes?.recall ?? {}).flatMap(([name, limits]) =>
      limitsOf(`classes.gate.recall.${name}`, limits),
    ),
    ...Object.entries(classes?.precision ?? {}).flatMap(([name, limits]) =>
      limitsOf(`classes.gate.precision.${name}`, limits),
    ),
    ...limitsOf('classes.gate.f1', classes?.f1 ?? {}),
    [
      'contract.policy',
      weakest(contracts.map(({ policy = 'practical' }) => ({ strictness: policies.indexOf(policy), text: policy }))),
    ],
    ['contract.strictConsumers', weakest(contracts.map(({ strictConsumers }) => onOff(strictConsumers)))],
  ]);
}

/** A share of the planned calls is not comparable with a number of calls: either may pay for less. */
function budgetOf(budget: ConfirmBudget): Setting {
  if ('calls' in budget) return { strictness: budget.calls, text: `${budget.calls} calls` };
  const { share, least = 0 } = budget;
  return { strictness: share * sharePoints + least / sharePoints, text: `${Math.round(share * 100)}%` };
}

/** A whole share weighs as much as so many calls. */
const sharePoints = 1000;

const policies = ['lenient', 'practical', 'formal'];

function weakest(settings: readonly Setting[]): Setting {
  return settings.reduce(
    (weakest, one) => (one.strictness < weakest.strictness ? one : weakest),
    settings[0] ?? noLimit,
  );
}

/** A setting that is looser if its value is lower. */
function atLeast(value: number): Setting {
  return { strictness: value, text: `${value}` };
}

/** A setting that is looser if its value is higher. */
function atMost(value: number): Setting {
  return { strictness: -value, text: `${value}` };
}

function atMostSeconds(ms: number): Setting {
  return { strictness: -ms, text: `${ms / 1000}s` };
}

function limitsOf(key: string, limits: MetricLimits, usualDrop?: number): readonly (readonly [string, Setting])[] {
  const { min, max, maxDrop = usualDrop, maxIncrease, p95MaxMs, firstTokenP95MaxMs } = limits;
  const read = (name: string, value: number | undefined, toSetting: (value: number) => Setting) =>
    value === undefined ? [] : [[`${key}.${name}`, toSetting(value)] as const];
  return [
    ...read('min', min, atLeast),
    ...read('max', max, atMost),
    ...read('maxDrop', maxDrop, atMost),
    ...read('maxIncrease', maxIncrease, atMost),
    ...read('p95Max', p95MaxMs, atMostSeconds),
    ...read('firstTokenP95Max', firstTokenP95MaxMs, atMostSeconds),
  ];
}

/** Neither scope is the stricter one in every respect. */
function compareScopes({ scope: old }: GatePolicy, { scope: now }: GatePolicy): readonly Omit<Loosened, 'suite'>[] {
  return old === now ? [] : [{ key: 'gate.scope', old, new: now }];
}

/** Compares the findings that a contract tolerates. */
function compareExceptions(
  before: readonly Contract[],
  after: readonly Contract[],
): readonly Omit<Loosened, 'suite'>[] {
  return (['approved', 'ignore', 'overrides'] as const).flatMap((key) => {
    const listOf = (contracts: readonly Contract[]) =>
      contracts.flatMap((contract) =>
        [...(contract[key] ?? [])].map((item) => (typeof item === 'string' ? item : `${item.rule}: ${item.severity}`)),
      );
    const [old, now] = [new Set(listOf(before)), new Set(listOf(after))];
    const added = [...now].filter((item) => !old.has(item));
    return added.length === 0
      ? []
      : [{ key: `contract.${key}`, old: [...old].join(', ') || 'none', new: [...now].join(', ') }];
  });
}

type Compared = Pick<JudgedComparison, 'variant' | 'compared'>;

/** One sentence for each setting and each kind of case that a change takes out of the gate. */
export function describeLoosened(
  { loosened = [], baseline }: RunSettings,
  { suites }: Pick<RunSummary, 'suites'>,
  comparisons: readonly Compared[],
): readonly string[] {
  // Only a commit shows what the change did: a file beside the suite is the change's own.
  const isOfCommit = typeof baseline === 'object' && baseline.source.startsWith('git:');
  const suiteOf = new Map(suites.flatMap(({ recorded, variants }) => variants.map((one) => [one, recorded.suite])));
  const ofBaselines = isOfCommit ? comparisons.flatMap((one) => findCases(one, suiteOf.get(one.variant) ?? '')) : [];
  const ofCases = loosened.flatMap(({ suite = '', key, cases }) =>
    cases === undefined ? [] : [{ suite, key, cases }],
  );
  const settings = loosened.filter(({ cases }) => cases === undefined);
  return [...settings.map(describeSetting), ...describeCases([...ofCases, ...ofBaselines])];
}

function describeSetting({ suite, key, old, new: now }: Loosened): string {
  if (key === 'suite') return `this change removes the suite ${suite ?? ''} (${old})`;
  return `${suite === undefined ? '' : `${suite}: `}this change loosens ${key}: ${old} → ${now}`;
}

interface FoundCases {
  readonly suite: string;
  readonly key: string;
  readonly cases: readonly string[];
}

/** The suite's files and its baseline may both show a case. */
function describeCases(found: readonly FoundCases[]): readonly string[] {
  const suites = [...new Set(found.map(({ suite }) => suite))];
  return suites.flatMap((suite) =>
    loosenedCases.flatMap((kind) => {
      const own = found.filter((one) => one.suite === suite && one.key === kind);
      const cases = [...new Set(own.flatMap((one) => one.cases))];
      if (cases.length === 0) return [];
      const names = listFirst(cases, maxNamed);
      return [`${suite}: this change ${words[kind](formatCount(cases.length, 'case'))}: ${names}`];
    }),
  );
}

const maxNamed = 5;

const words: Readonly<Record<LoosenedCases, (cases: string) => string>> = {
  removed: (cases) => `removes ${cases} with mustPass`,
  mustPass: (cases) => `drops mustPass of ${cases}`,
  observe: (cases) => `only observes ${cases}`,
  skip: (cases) => `skips ${cases}`,
  slices: (cases) => `takes ${cases} out of a gated slice`,
  trials: (cases) => `asks ${cases} fewer times`,
};

/** Finds loosened cases by the baseline, also in suites that can't be read from a commit. */
function findCases({ variant, compared }: Compared, suite: string): readonly FoundCases[] {
  const before = [...compared.baseline.cases.values()];
  const select = (key: LoosenedCases, isIt: (one: Before) => boolean): FoundCases => {
    return { suite, key, cases: before.filter(isIt).map(({ caseId }) => caseId) };
  };
  const now = ({ caseId }: Before) => compared.cases.get(caseId);
  return [
    select('removed', (one) => one.mustPass && now(one)?.change === 'removed'),
    select('mustPass', (one) => one.mustPass && now(one)?.candidate?.mustPass === false),
    select('observe', ({ caseId }) => variant.cases.get(caseId)?.observe === true),
    select('skip', ({ caseId }) => isSkipped(variant.cases.get(caseId)?.trials ?? [])),
  ];
}

type Before = ComparedCase['baseline'] & object;

function isSkipped(trials: Before['trials']): boolean {
  return trials.length > 0 && trials.every(({ status, skipReason }) => status === 'skipped' && skipReason === 'case');
}
