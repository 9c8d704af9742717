import { defined } from '../json/defined.ts';
import { type BreachCode } from '../model/comparison/breach.ts';
import type { ComparedSide, ComparedVariant } from '../model/comparison/comparison.ts';
import type { Decision } from '../model/comparison/gate.ts';
import { caseKey, countStatus } from '../model/run/cell.ts';
import type { RecordedSuite, RunHeader, RunSettings } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import type { GatePolicy, MetricLimits } from '../model/suite/gate-policy.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import { type CompareVariantsOptions, compareVariants } from '../verdict/compare-variants.ts';
import type { AskedSide } from '../verdict/confirm/case-evidence.ts';
import { chooseNext } from '../verdict/confirm/choose-next.ts';
import { defaultMaxDrop } from '../verdict/default-margins.ts';
import { decide } from '../verdict/gate/decide-run.ts';
import type { GatedComparison } from '../verdict/gate/gated-comparison.ts';
import { type JudgedComparison, judgeRun, settleRun } from '../verdict/gate/judge-comparisons.ts';
import { pairSides } from '../verdict/pair-cases.ts';
import { countCalls, findBudget } from './fresh-budget.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';
import { createCases, type SimulatedCase, triedCases } from './simulate-cases.ts';

/** What a run says, by its exit code. `drifted`: more cases than the gate tolerates fail with the accepted prompt too. */
export type SimulatedOutcome = 'passed' | 'failed' | 'drifted' | 'inconclusive';

/** The gate's verdict on one variant in one comparison. */
export interface SimulatedComparison {
  readonly outcome: SimulatedOutcome;
  readonly codes: ReadonlySet<BreachCode>;
  readonly brokenCases: readonly string[];
  /** True if averages or cases look worse, and fresh trials did not settle them. */
  readonly isOpen: { readonly averages: boolean; readonly cases: boolean };
}

export interface SimulatedRun {
  readonly outcome: SimulatedOutcome;
  /** One for each pool, in the same order. */
  readonly comparisons: readonly SimulatedComparison[];
  /** Number of planned trials, and of fresh trials for averages and for cases. */
  readonly trials: { readonly planned: number; readonly averages: number; readonly cases: number };
}

interface GateSimulation {
  /** Draws a failure rate for every case. Later runs use these rates. */
  readonly drawRates: () => void;
  /** Accepts a run and compares another one with it. All their trials use the current rates. */
  readonly simulate: () => SimulatedRun;
}

/** Runs the real comparison and gate on trials of one version, so every failure is a false alarm. */
export function createSimulation(pools: readonly SimulatedPool[], random: () => number): GateSimulation {
  const summaries = summarizePools(pools.map(({ pool }) => pool));
  const variants = pools.map(({ pool, baselineTrials }): SimulatedVariant => {
    const suite = summaries.get(pool.suite.id);
    const variant = suite?.variants.find(
      ({ recorded }) => recorded.prompt === pool.prompt && recorded.provider === pool.provider,
    );
    if (suite === undefined || variant === undefined) throw new Error(`the pool of ${pool.suite.id} has no variant`);
    const cases = createCases(pool, baselineTrials, random);
    const { prompt, provider } = pool;
    const ids = cases.list.map((one): [string, SimulatedCase] => {
      return [caseKey({ suite: pool.suite.id, prompt, provider, caseId: one.found.caseId }), one];
    });
    return { suite, variant, ids: new Map(ids), drawRates: cases.drawRates };
  });
  const budget = findBudget(countCalls(pools.map(({ pool }) => ({ ...pool, cases: triedCases(pool) }))));
  const callsOf = new Map(variants.flatMap(({ ids }) => [...ids].map(([id, one]) => [id, one.found.callsPerTrial])));
  const spendOf = (id: string) => ({ calls: callsOf.get(id) ?? 1, usd: undefined });
  return {
    drawRates() {
      for (const variant of variants) variant.drawRates();
    },
    simulate() {
      const drawn = variants.map(drawSides);
      const trials = { planned: drawn.reduce((sum, { planned }) => sum + planned, 0), averages: 0, cases: 0 };
      let spent = 0;
      for (;;) {
        const gated = drawn.map(gate);
        // Fresh trials are added until the gate needs no more, as in a run.
        const { suspicions, settled } = settleRun(gated, { summary: summaryOf(gated), settings, isFinal: false });
        const next = chooseNext(suspicions.flagged, settled, {
          ...budget,
          spent: { calls: spent, usd: undefined },
          spendOf,
        });
        if (next.length === 0) return { trials, ...concludeRun(gated) };
        const kind = next.every(({ id }) => settled.cases.get(id)?.outcome === 'open') ? 'cases' : 'averages';
        for (const { id, side, count } of next) {
          const asked = drawn.find(({ simulated }) => simulated.ids.has(id))?.ask(id, side, count) ?? 0;
          trials[kind] += asked;
          spent += asked * spendOf(id).calls;
        }
      }
    },
  };
}

const settings: RunSettings = {
  cacheMode: 'use',
  maxErrors: { count: 0 },
  allowEmpty: false,
  requireConclusive: false,
};

function summaryOf(gated: readonly GatedComparison[]) {
  const suites = [...new Set(gated.map(({ suite }) => suite))].map((suite) => ({
    ...suite,
    variants: gated.filter((one) => one.suite === suite).map(({ variant }) => variant),
  }));
  return { suites, stopReason: undefined, ended: true };
}

/** Decides about a whole run, and about each of its variants. */
function concludeRun(gated: readonly GatedComparison[]): Omit<SimulatedRun, 'trials'> {
  const judged = judgeRun(gated, { summary: summaryOf(gated), settings, isFinal: true });
  const decideAbout = (some: readonly GatedComparison[], comparisons: readonly JudgedComparison[]): SimulatedOutcome =>
    outcomeOf(decide({ summary: summaryOf(some), settings, judged: { ...judged, comparisons } }));
  return {
    outcome: decideAbout(gated, judged.comparisons),
    comparisons: gated.flatMap((one, index) => {
      const comparison = judged.comparisons[index];
      return comparison === undefined ? [] : [sumUp(comparison, decideAbout([one], [comparison]))];
    }),
  };
}

function outcomeOf({ outcome, incompleteBecause }: Decision): SimulatedOutcome {
  if (outcome !== 'incomplete') return outcome;
  return incompleteBecause === 'drift' ? 'drifted' : 'inconclusive';
}

function sumUp(
  { failures, unsettled, unsettledAverages }: JudgedComparison,
  outcome: SimulatedOutcome,
): SimulatedComparison {
  return {
    outcome,
    codes: new Set(failures.map(({ code }) => code)),
    brokenCases: failures.flatMap(({ caseId }) => caseId ?? []),
    isOpen: { averages: unsettledAverages.length > 0, cases: unsettled.length > 0 },
  };
}

interface SimulatedPool {
  readonly pool: TrialPool;
  /** Trials per case in the accepted baseline. A missing case gets as many as a run has. */
  readonly baselineTrials: ReadonlyMap<string, number>;
}

interface SimulatedVariant extends Pick<GatedComparison, 'suite' | 'variant'> {
  /** Cases by the keys that fresh trials use. */
  readonly ids: ReadonlyMap<string, SimulatedCase>;
  readonly drawRates: () => void;
}

interface DrawnSides {
  readonly simulated: SimulatedVariant;
  /** Number of planned trials. */
  readonly planned: number;
  readonly summarize: () => VariantSummary;
  readonly compare: () => ComparedVariant;
  /** Draws fresh trials of a side until it has so many, and counts the new ones. */
  readonly ask: (id: string, side: AskedSide, count: number) => number;
}

function drawSides(simulated: SimulatedVariant): DrawnSides {
  const baseline = new Map<string, CaseSummary>();
  const candidate = new Map<string, CaseSummary>();
  for (const one of simulated.ids.values()) {
    const { caseId, plannedTrials } = one.found;
    baseline.set(caseId, buildCase(one.found, one.draw(one.baselineTrials)));
    candidate.set(caseId, buildCase(one.found, one.draw(plannedTrials)));
  }
  const rows = [...candidate.values()].flatMap(({ trials }) => trials);
  const [passed, failed] = [countStatus(rows, 'passed'), countStatus(rows, 'failed')];
  const counts = { planned: rows.length, passed, failed, errored: 0, skipped: 0, skippedByCase: 0, notAsked: 0 };
  const [sides, options] = sidesOf(simulated, baseline, candidate);
  const planned = compareVariants(...sides, options);
  let isAsked = false;
  return {
    simulated,
    planned: rows.length,
    summarize: () => ({ ...simulated.variant, ...counts, cases: candidate }),
    // Fresh trials change verdicts, but not what the planned trials say.
    compare: () => (isAsked ? { ...planned, cases: pairSides(...sides, options) } : planned),
    ask(id, side, count) {
      isAsked = true;
      const one = simulated.ids.get(id);
      const drawn = candidate.get(one?.found.caseId ?? '');
      if (one === undefined || drawn === undefined) throw new Error(`case ${id} was not drawn`);
      const member = side === 'candidate' ? 'confirmations' : 'accepted';
      const fresh = one.draw(count - drawn[member].length).map((row) => ({ ...row, confirmation: true }));
      candidate.set(drawn.caseId, { ...drawn, [member]: [...drawn[member], ...fresh] });
      return fresh.length;
    },
  };
}

function gate({ simulated, summarize, compare }: DrawnSides): GatedComparison {
  const { suite, variant } = simulated;
  return {
    suite,
    ...defined({ acceptedPrompt: variant.recorded.acceptedPrompt }),
    variant: summarize(),
    compared: compare(),
  };
}

function sidesOf(
  { suite, variant: { recorded } }: SimulatedVariant,
  baseline: ReadonlyMap<string, CaseSummary>,
  candidate: ReadonlyMap<string, CaseSummary>,
): readonly [readonly [ComparedSide, ComparedSide], CompareVariantsOptions] {
  const side = (source: string, cases: ReadonlyMap<string, CaseSummary>): ComparedSide => ({
    source,
    kind: 'stored',
    recorded,
    cases,
    models: [],
    checksOf: () => [],
    answerOf: () => undefined,
  });
  const { gate: policy } = suite.recorded;
  return [
    [side('the baseline', baseline), side('the run', candidate)],
    {
      gate: policy,
      margin: policy.passRate.maxDrop ?? defaultMaxDrop,
      scoreMargin: policy.score.maxDrop ?? defaultMaxDrop,
      redefined: new Set(),
      latencyComparable: false,
      isWhole: true,
    },
  ];
}

function buildCase(
  { caseId, caseHash, mustPass, group, slices }: PooledCase,
  trials: readonly RowSummary[],
): CaseSummary {
  return {
    caseId,
    caseHash,
    mustPass,
    group,
    slices,
    observe: false,
    status: caseStatusOf(trials),
    trials,
    confirmations: [],
    accepted: [],
  };
}

function summarizePools(pools: readonly TrialPool[]): ReadonlyMap<string, SuiteSummary> {
  const suites = new Map<string, RecordedSuite>();
  for (const { suite, recorded, asksAccepted } of pools) {
    if (recorded === undefined) continue;
    const before = suites.get(suite.id)?.variants ?? [];
    suites.set(suite.id, {
      suite: suite.id,
      path: suite.path,
      gate: withoutLimits(suite.gate),
      outputs: suite.baseline.outputs,
      filtered: false,
      // Recorded answers can't be asked again, so a failure counts at once.
      ...defined({ replayed: suite.recordings === undefined ? undefined : (true as const) }),
      // Simulate a run after an edit of the prompt.
      variants: [
        ...before,
        {
          ...recorded,
          acceptedPrompt: asksAccepted ? { is: 'askable' } : { is: 'unavailable', why: '' },
        },
      ],
    });
  }
  const header: RunHeader = {
    type: 'run',
    format: 1,
    id: '',
    startedAt: '',
    tool: { name: 'llmcheck', version: '' },
    settings,
    suites: [...suites.values()],
  };
  const rows = pools.flatMap(({ cases }) => cases.flatMap(({ trials }) => trials));
  const { suites: summaries } = summarizeRun(header, rows, undefined);
  return new Map(summaries.map((summary) => [summary.recorded.suite, summary]));
}

/** Absolute limits compare nothing, so that they raise no false alarm. */
function withoutLimits(policy: GatePolicy): GatePolicy {
  const { passRate, score, cost, latency, steps, slices } = policy;
  const relative = ({ maxDrop, maxIncrease }: MetricLimits) => defined({ maxDrop, maxIncrease });
  const ofSlices = Object.entries(slices ?? {}).map(
    ([slice, limits]) => [slice, { passRate: relative(limits.passRate) }] as const,
  );
  return {
    ...policy,
    passRate: relative(passRate),
    score: relative(score),
    cost: relative(cost),
    latency: relative(latency),
    ...defined({
      steps: steps && relative(steps),
      slices: slices && Object.fromEntries(ofSlices),
    }),
  };
}
