import { defined } from '../json/defined.ts';
import type { ComparedSide, ComparedVariant } from '../model/comparison/comparison.ts';
import type { BreachCode } from '../model/comparison/gate.ts';
import type { ComparisonOutcome } from '../model/report/report.ts';
import { caseKey } from '../model/run/cell.ts';
import type { RecordedSuite, RunHeader } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary } from '../model/run/summary.ts';
import { caseStatusOf } from '../record/case-summaries.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import { drawRate, fitFailureRates } from '../stats/beta-binomial.ts';
import { type CompareVariantsOptions, compareVariants } from '../verdict/compare-variants.ts';
import { chooseRetrials } from '../verdict/confirm/choose-retrials.ts';
import type { RetrialSide } from '../verdict/confirm/judge-case.ts';
import { defaultMaxDrop } from '../verdict/default-margins.ts';
import type { GatedComparison } from '../verdict/gate/gated-comparison.ts';
import {
  type JudgedComparison,
  type JudgedRun,
  type JudgeRunOptions,
  judgeRun,
  settleRun,
} from '../verdict/gate/judge-comparisons.ts';
import { pairSides } from '../verdict/pair-cases.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';

/** The gate's verdict on one variant in one comparison. */
export interface SimulatedComparison {
  readonly outcome: ComparisonOutcome;
  readonly codes: ReadonlySet<BreachCode>;
  readonly brokenCases: readonly string[];
  /** True if averages or cases look worse and are neither confirmed nor cleared. */
  readonly isOpen: { readonly averages: boolean; readonly cases: boolean };
}

export interface SimulatedRun {
  /** One for each pool, in the same order. */
  readonly comparisons: readonly SimulatedComparison[];
  /** Number of planned trials, and of confirmation trials for averages and for cases. */
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
    // Copy the cases: a lazy map would summarize their rows again in each simulated run.
    const read = { ...variant, cases: new Map(variant.cases) };
    return { suite, variant: read, ids: new Map(ids), drawRates: cases.drawRates };
  });
  return {
    drawRates() {
      for (const variant of variants) variant.drawRates();
    },
    simulate() {
      const drawn = variants.map(drawSides);
      const trials = { planned: drawn.reduce((sum, { planned }) => sum + planned, 0), averages: 0, cases: 0 };
      for (;;) {
        const gated = drawn.map(gate);
        // Confirmation trials are added until the gate needs no more, as in a run.
        const { suspicions, settled } = settleRun(gated, runOf(gated, false));
        const { input } = suspicions;
        const left = { calls: input.maxRetrials - trials.averages - trials.cases, usd: undefined };
        const wanted = chooseRetrials(input, settled, { left, spendOf: () => oneRequest });
        if (wanted.length === 0) {
          const final = judgeRun(gated, runOf(gated, true));
          return { trials, comparisons: final.comparisons.map((one) => sumUp(one, final)) };
        }
        const kind = wanted.every(({ id }) => settled.cases.has(id)) ? 'cases' : 'averages';
        for (const { id, side, count } of wanted) {
          drawn.find(({ simulated }) => simulated.ids.has(id))?.ask(id, side, count);
          trials[kind] += count;
        }
      }
    },
  };
}

const oneRequest = { calls: 1, usd: undefined };

function runOf(gated: readonly GatedComparison[], isFinal: boolean): JudgeRunOptions {
  const suites = [...new Set(gated.map(({ suite }) => suite))];
  const summary = {
    stopReason: undefined,
    suites: suites.map((suite) => ({
      ...suite,
      variants: gated.filter((one) => one.suite === suite).map(({ variant }) => variant),
    })),
  };
  return { summary, settings: {}, isFinal };
}

interface SimulatedPool {
  readonly pool: TrialPool;
  /** Trials per case in the accepted baseline. A missing case gets as many as a run has. */
  readonly baselineTrials: ReadonlyMap<string, number>;
}

interface SimulatedVariant extends Pick<GatedComparison, 'suite' | 'variant'> {
  /** Cases by the keys that confirmation trials use. */
  readonly ids: ReadonlyMap<string, SimulatedCase>;
  readonly drawRates: () => void;
}

interface DrawnSides {
  readonly simulated: SimulatedVariant;
  /** Number of planned trials. */
  readonly planned: number;
  readonly candidate: ReadonlyMap<string, CaseSummary>;
  readonly compare: () => ComparedVariant;
  readonly ask: (id: string, side: RetrialSide, count: number) => void;
}

function drawSides(simulated: SimulatedVariant): DrawnSides {
  const baseline = new Map<string, CaseSummary>();
  const candidate = new Map<string, CaseSummary>();
  let trials = 0;
  for (const one of simulated.ids.values()) {
    const { caseId, plannedTrials } = one.found;
    trials += plannedTrials;
    baseline.set(caseId, buildCase(one.found, one.draw(one.baselineTrials)));
    candidate.set(caseId, buildCase(one.found, one.draw(plannedTrials)));
  }
  const [sides, options] = sidesOf(simulated, baseline, candidate);
  const planned = compareVariants(...sides, options);
  let isAsked = false;
  const ask = (id: string, side: RetrialSide, count: number): void => {
    isAsked = true;
    const one = simulated.ids.get(id);
    const drawn = candidate.get(one?.found.caseId ?? '');
    if (one === undefined || drawn === undefined) throw new Error(`case ${id} was not drawn`);
    const rows = one.draw(count).map((row) => ({ ...row, confirmation: true }));
    const { caseId, confirmations, accepted } = drawn;
    candidate.set(
      caseId,
      side === 'candidate'
        ? { ...drawn, confirmations: [...confirmations, ...rows] }
        : { ...drawn, accepted: [...accepted, ...rows] },
    );
  };
  // Confirmation trials change verdicts on cases, but no average.
  const compare = () => (isAsked ? { ...planned, cases: pairSides(...sides, options) } : planned);
  return { simulated, planned: trials, candidate, compare, ask };
}

function gate({ simulated, candidate, compare }: DrawnSides): GatedComparison {
  const { suite, variant } = simulated;
  return {
    suite,
    ...defined({ acceptedPrompt: variant.recorded.acceptedPrompt }),
    variant: { ...variant, planned: [...candidate.values()].reduce((sum, { trials }) => sum + trials.length, 0) },
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

function sumUp({ variant, report, failures }: JudgedComparison, run: JudgedRun): SimulatedComparison {
  const looks = run.suspicions.looks.get(variant) ?? [];
  const isUnsettled = looks.some(({ id }) => run.settled.averages.get(id)?.kind === 'unsettled');
  const cases = (run.verdicts.get(variant) ?? []).some(({ kind }) => kind === 'unsettled' || kind === 'unconfirmed');
  return {
    outcome: report.outcome,
    codes: new Set(failures.map(({ code }) => code)),
    brokenCases: failures.flatMap(({ caseId }) => caseId ?? []),
    isOpen: { averages: isUnsettled || !cases, cases },
  };
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
      gate: suite.gate,
      outputs: suite.baseline.outputs,
      filtered: false,
      // Recorded answers allow no confirmation trial, so a failure counts at once.
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
    settings: { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: [...suites.values()],
  };
  const rows = pools.flatMap(({ cases }) => cases.flatMap(({ trials }) => trials));
  const { suites: summaries } = summarizeRun(header, rows, undefined);
  return new Map(summaries.map((summary) => [summary.recorded.suite, summary]));
}

/** A case that answers like its stored trials. */
interface SimulatedCase {
  readonly found: PooledCase;
  readonly baselineTrials: number;
  /** Draws trials of the case at its current failure rate. */
  readonly draw: (count: number) => readonly RowSummary[];
}

/**
 * The cases of a pool that have a stored trial. One case has too few trials for a rate, so each rate is drawn from a
 * distribution fitted to all cases.
 */
function createCases(
  pool: TrialPool,
  baselineTrials: ReadonlyMap<string, number>,
  random: () => number,
): { readonly list: readonly SimulatedCase[]; readonly drawRates: () => void } {
  const tried = pool.cases.filter(({ trials }) => trials.length > 0);
  const counts = tried.map(({ trials }) => ({
    failures: trials.filter(({ status }) => status === 'failed').length,
    n: trials.length,
  }));
  const drawSpread = fitFailureRates(counts);
  const rates = counts.map(({ failures, n }) => failures / n);
  const all = tried.flatMap(({ trials }) => trials);
  const list = tried.map((found, index): SimulatedCase => {
    const rows = { passed: rowsOf(found, 'passed', all), failed: rowsOf(found, 'failed', all) };
    const drawOne = (): readonly RowSummary[] => {
      const stored = random() < (rates[index] ?? 0) ? rows.failed : rows.passed;
      const row = stored[Math.floor(random() * stored.length)];
      return row === undefined ? [] : [row];
    };
    return {
      found,
      baselineTrials: baselineTrials.get(found.caseId) ?? found.plannedTrials,
      draw: (count) => Array.from({ length: count }, drawOne).flat(),
    };
  });
  return {
    list,
    drawRates() {
      const spread = drawSpread(random);
      for (const [index, count] of counts.entries()) rates[index] = drawRate(count, spread, random);
    },
  };
}

type Judged = 'passed' | 'failed';

/** The case's own rows with this status. If it has none, its first row with the scores of other cases' rows. */
function rowsOf({ trials }: PooledCase, status: Judged, all: readonly RowSummary[]): readonly RowSummary[] {
  const own = trials.filter((row) => row.status === status);
  const [first] = trials;
  if (own.length > 0 || first === undefined) return own.map(bare);
  const scores = all.filter((row) => row.status === status).map(({ score }) => score);
  if (scores.length === 0) scores.push(status === 'passed' ? 1 : 0);
  return scores.map((score) => ({ ...bare(first), status, score }));
}

/** Drops latencies, which are not comparable and slow to compare, and `pooled`, since each draw is one trial. */
function bare({ pooled: _pooled, ...row }: RowSummary): RowSummary {
  return { ...row, latencyMs: undefined };
}
