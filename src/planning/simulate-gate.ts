import { compareVariants } from '../compare/compare-variants.ts';
import { type GatedComparison, judgeComparisons } from '../compare/gate/judge-comparisons.ts';
import { defaultMaxDrop } from '../compare/gate/judge-metrics.ts';
import type { ComparedSide, ComparedVariant } from '../model/comparison.ts';
import type { BreachCode } from '../model/gate.ts';
import type { RecordedSuite, RecordedVariant, RunHeader } from '../model/record.ts';
import type { ComparisonOutcome } from '../model/report.ts';
import type { CaseSummary, RowSummary, SuiteSummary } from '../model/summary.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';

/** The gate's verdict on one variant in one comparison. */
export interface SimulatedComparison {
  readonly outcome: ComparisonOutcome;
  readonly codes: ReadonlySet<BreachCode>;
  readonly brokenCases: readonly string[];
}

export interface GateSimulation {
  /** Splits the trials of every case at random and judges all variants together. One result for each pool, in their order. */
  readonly simulate: () => readonly SimulatedComparison[];
}

/** Runs the real comparison and the real gate on trials of one version, so that every failure is a false alarm. */
export function createSimulation(pools: readonly TrialPool[], random: () => number): GateSimulation {
  const summaries = summarizePools(pools);
  const variants = pools.map((pool): SimulatedVariant => {
    const suite = summaries.get(pool.suite.id);
    const variant = suite?.variants.find(
      ({ recorded }) => recorded.prompt === pool.prompt && recorded.provider === pool.provider,
    );
    if (suite === undefined || variant === undefined) throw new Error(`the pool of ${pool.suite.id} has no variant`);
    const cases = pool.cases.filter(({ trials }) => trials.length >= 2).map(withoutLatency);
    return { pool, suite, variant, cases, byId: new Map(cases.map((found) => [found.caseId, found])) };
  });
  return {
    simulate() {
      const drawn = variants.map((variant) => drawSides(variant, random));
      let gated = drawn.map(gate);
      for (;;) {
        const judged = judgeComparisons(gated);
        // Confirmation trials are added until the gate needs no more, as in a run.
        if (judged.every(({ open }) => open.length === 0)) return judged.map(sumUp);
        gated = gated.map((comparison, index) => {
          const [sides, open] = [drawn[index], judged[index]?.open ?? []];
          if (sides === undefined || open.length === 0) return comparison;
          for (const { caseId, retrials } of open) sides.confirm(caseId, retrials);
          return gate(sides);
        });
      }
    },
  };
}

/** Trials of each side: half of what there is, and no more than the suite would run. */
export function sideSize({ trials, plannedTrials }: PooledCase): number {
  return Math.max(1, Math.min(Math.floor(trials.length / 2), plannedTrials));
}

interface SimulatedVariant extends Pick<GatedComparison, 'suite' | 'variant'> {
  readonly pool: TrialPool;
  readonly cases: readonly PooledCase[];
  readonly byId: ReadonlyMap<string, PooledCase>;
}

interface DrawnSides {
  readonly simulated: SimulatedVariant;
  readonly baseline: ReadonlyMap<string, CaseSummary>;
  readonly candidate: ReadonlyMap<string, CaseSummary>;
  readonly confirm: (caseId: string, count: number) => void;
}

function drawSides(simulated: SimulatedVariant, random: () => number): DrawnSides {
  const baseline = new Map<string, CaseSummary>();
  const candidate = new Map<string, CaseSummary>();
  const reserves = new Map<string, readonly RowSummary[]>();
  for (const found of simulated.cases) {
    const size = sideSize(found);
    const trials = shuffle(found.trials, random);
    baseline.set(found.caseId, buildCase(found, trials.slice(0, size)));
    candidate.set(found.caseId, buildCase(found, trials.slice(size, 2 * size)));
    reserves.set(found.caseId, trials.slice(2 * size));
  }
  const confirm = (caseId: string, count: number): void => {
    const [found, side] = [simulated.byId.get(caseId), candidate.get(caseId)];
    if (found === undefined || side === undefined) throw new Error(`case ${caseId} was not drawn`);
    const confirmations = [...side.confirmations];
    for (let added = 0; added < count; added += 1) {
      // After the trials that neither side took, new ones are drawn from all trials of the case.
      const drawn =
        reserves.get(caseId)?.[confirmations.length] ?? found.trials[Math.floor(random() * found.trials.length)];
      if (drawn !== undefined) confirmations.push({ ...drawn, confirmation: true });
    }
    candidate.set(caseId, { ...side, confirmations });
  };
  return { simulated, baseline, candidate, confirm };
}

function gate({ simulated, baseline, candidate }: DrawnSides): GatedComparison {
  const { suite, variant, pool } = simulated;
  return {
    suite,
    variant,
    compared: compare(suite, variant.recorded, baseline, candidate),
    // With recorded answers no confirmation trial can be made, so a failure counts as it is.
    confirmability: pool.suite.recordings === undefined ? 'retrials' : 'stands',
  };
}

function compare(
  { recorded: { gate: policy } }: SuiteSummary,
  recorded: RecordedVariant,
  baseline: ReadonlyMap<string, CaseSummary>,
  candidate: ReadonlyMap<string, CaseSummary>,
): ComparedVariant {
  const side = (source: string, cases: ReadonlyMap<string, CaseSummary>): ComparedSide => ({
    source,
    recorded,
    cases,
    models: [],
    checksOf: () => [],
    answerOf: () => undefined,
  });
  return compareVariants(side('one half', baseline), side('the other half', candidate), {
    gate: policy,
    margin: policy.passRate.maxDrop ?? defaultMaxDrop,
    scoreMargin: policy.score.maxDrop ?? defaultMaxDrop,
    redefined: new Set(),
    latencyComparable: false,
    isWhole: true,
  });
}

function sumUp({ report, failures }: ReturnType<typeof judgeComparisons>[number]): SimulatedComparison {
  return {
    outcome: report.outcome,
    codes: new Set(failures.map(({ code }) => code)),
    brokenCases: failures.flatMap(({ caseId }) => caseId ?? []),
  };
}

function buildCase({ caseId, stamp, mustPass, group }: PooledCase, trials: readonly RowSummary[]): CaseSummary {
  return { caseId, stamp, mustPass, group, observe: false, status: caseStatusOf(trials), trials, confirmations: [] };
}

/** Stored latencies are not comparable, and comparing them would take most of the time. */
function withoutLatency(found: PooledCase): PooledCase {
  return { ...found, trials: found.trials.map((trial) => ({ ...trial, latencyMs: undefined })) };
}

function summarizePools(pools: readonly TrialPool[]): ReadonlyMap<string, SuiteSummary> {
  const suites = new Map<string, RecordedSuite>();
  for (const { suite, recorded } of pools) {
    if (recorded === undefined) continue;
    const before = suites.get(suite.id)?.variants ?? [];
    suites.set(suite.id, {
      suite: suite.id,
      path: suite.path,
      gate: suite.gate,
      outputs: suite.baseline.outputs,
      filtered: false,
      variants: [...before, recorded],
    });
  }
  const header: RunHeader = {
    type: 'run',
    format: 1,
    id: '',
    startedAt: '',
    tool: { name: 'llmcheck', version: '' },
    settings: { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: [...suites.values()],
  };
  const rows = pools.flatMap(({ cases }) => cases.flatMap(({ trials }) => trials));
  const { suites: summaries } = summarizeRun(header, rows, undefined);
  return new Map(summaries.map((summary) => [summary.recorded.suite, summary]));
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a !== undefined && b !== undefined) [shuffled[last], shuffled[other]] = [b, a];
  }
  return shuffled;
}
