import { join } from 'node:path';
import { openRecordedSides } from '../../src/baseline/recorded-sides.ts';
import type { SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import { exitCodeFor } from '../../src/model/comparison/exit-code.ts';
import type { Decision } from '../../src/model/comparison/gate.ts';
import { caseKey, firstAcceptedTrial, firstFreshTrial, variantKey } from '../../src/model/run/cell.ts';
import type { EndRow, RecordedJudge, RunHeader } from '../../src/model/run/record.ts';
import type { CaseSummary, RowSummary, RunSummary } from '../../src/model/run/summary.ts';
import { createRecordPricer } from '../../src/plan/price-variants.ts';
import { SortedCases } from '../../src/record/case-summaries.ts';
import { openStoredRecord } from '../../src/record/read-run-record.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { combineBudgets } from '../../src/run/asking/asking-budget.ts';
import { judgeError } from '../../src/stats/agreement.ts';
import { createRandom } from '../../src/text/random.ts';
import { chooseNext } from '../../src/verdict/confirm/choose-next.ts';
import { assess, decideRecord } from '../../src/verdict/decide-record.ts';
import type { GateProject, Side } from './gate-project.ts';
import { type DrawTrial, drawReplicate, passingQuarters, type Scenario, shapesOf } from './gate-scenario.ts';

/** What one simulated run came to. */
export interface Outcome {
  readonly exitCode: number;
  readonly decision: Decision;
  readonly planned: number;
  /** Fresh trials of both sides. */
  readonly fresh: number;
  /** The most fresh trials that the run may ask. */
  readonly allowed: number;
}

/** Simulates the runs of a scenario. */
export interface Replay {
  simulate(seed: number): Outcome;
}

/**
 * Makes one run of a scenario for its header and its rows. Each replicate puts other results into these rows, in memory, and
 * asks again by the functions that a run asks with.
 */
export async function openReplay(project: GateProject, scenario: Scenario): Promise<Replay> {
  const { record, findBaseline } = await runOnce(project, scenario);
  const { header, summary } = record;
  const costOf = await createRecordPricer(header.suites);
  const planned = summary.suites.flatMap(({ variants }) => variants.flatMap(({ cases }) => rowsOf(cases)));
  const budget = combineBudgets(
    header.suites.map((suite) => ({
      budget: suite.gate.confirm.budget,
      planned: { calls: suite.variants.reduce((sum, variant) => sum + variant.planned, 0), usd: undefined },
    })),
  );
  const accepted = new Map<string, { readonly found: SuiteBaseline; readonly rows: readonly RowSummary[] }>();
  for (const { suite, path, variants } of header.suites) {
    const found = findBaseline({ id: suite, path });
    if (found === undefined) continue;
    accepted.set(suite, { found, rows: variants.flatMap((variant) => rowsOf(found.baseline.casesOf(variant))) });
  }

  return {
    simulate(seed) {
      const draw = drawReplicate(scenario, seed);
      const judged = scenario.judge === undefined ? header : withJudge(header, scenario.judge, seed);
      const rows = planned.map((row) => withResult(row, 'candidate', draw, row.trial, 'candidate'));
      const baselines = new Map(
        [...accepted].map(([suite, side]) => [
          suite,
          withRows(
            side.found,
            side.rows.map((row) => withResult(row, 'accepted', draw, row.trial, 'accepting')),
          ),
        ]),
      );
      const assessRows = (end: EndRow | undefined) =>
        assess({
          record: { ...record, header: judged, end, summary: withReadCases(summarizeRun(judged, rows, end)) },
          findBaseline: ({ id }) => baselines.get(id),
          judged: [],
          costOf,
          isOpen: end === undefined,
        });
      const asked = new Map<string, Record<Side, number>>();
      const templates = new Map(rows.map((row) => [caseKey(row), row]));
      let fresh = 0;
      for (let isOpen = rows.some(({ score }) => score !== 1); isOpen; ) {
        const { suspicions, settled } = assessRows(undefined).verdict;
        const wanted = chooseNext(suspicions.flagged, settled, {
          ...budget,
          spent: { calls: fresh, usd: undefined },
          spendOf: () => ({ calls: 1, usd: undefined }),
        });
        const before = fresh;
        for (const { id, side, count } of wanted) {
          const template = templates.get(id);
          if (template === undefined) throw new Error(`no case ${id}`);
          const soFar = asked.get(id) ?? { candidate: 0, accepted: 0 };
          asked.set(id, soFar);
          for (; soFar[side] < count; soFar[side] += 1) {
            rows.push(buildFresh(template, side, soFar[side], draw, scenario.trials));
            fresh += 1;
          }
        }
        isOpen = fresh > before;
      }
      const assessment = assessRows({ type: 'end', durationMs: 0, notes: [] });
      const { decision } = decideRecord(assessment, { findReference: () => undefined, contracts: undefined });
      return {
        exitCode: exitCodeFor(decision),
        decision,
        planned: planned.length,
        fresh,
        allowed: Math.max(0, budget.allowed.calls),
      };
    },
  };
}

async function runOnce(project: GateProject, scenario: Scenario) {
  project.clear();
  if (scenario.isFirst !== true) {
    project.write(shapesOf(scenario, 'accepted'), 'accepted');
    await project.accept(await project.run(() => false));
  }
  project.write(shapesOf(scenario, 'candidate'), 'candidate');
  const { report } = await project.run(() => false);
  const record = openStoredRecord(join(project.root, report.run.recordPath ?? ''), project.root);
  const { findBaseline } =
    record.sides === undefined ? { findBaseline: () => undefined } : openRecordedSides(record.sides);
  return { record, findBaseline };
}

function rowsOf(cases: ReadonlyMap<string, CaseSummary>): readonly RowSummary[] {
  return [...cases.values()].flatMap(({ trials }) => trials);
}

function withRows(found: SuiteBaseline, rows: readonly RowSummary[]): SuiteBaseline {
  const byVariant = new Map<string, RowSummary[]>();
  for (const row of rows) byVariant.set(variantKey(row), [...(byVariant.get(variantKey(row)) ?? []), row]);
  const cases = new Map([...byVariant].map(([key, ofVariant]) => [key, new Map(new SortedCases(ofVariant))]));
  return { ...found, baseline: { ...found.baseline, casesOf: (key) => cases.get(variantKey(key)) ?? new Map() } };
}

/** Reads each case once: the cases of a record are built anew on each access. */
function withReadCases(summary: RunSummary): RunSummary {
  return {
    ...summary,
    suites: summary.suites.map((suite) => ({
      ...suite,
      variants: suite.variants.map((variant) => ({ ...variant, cases: new Map(variant.cases) })),
    })),
  };
}

function withResult(
  row: RowSummary,
  side: Side,
  draw: DrawTrial,
  count: number,
  run: 'accepting' | 'candidate',
): RowSummary {
  const { suite, caseId, provider } = row;
  const quarters = draw({
    run,
    suite: indexIn(suite),
    caseIndex: indexIn(caseId),
    side,
    provider: indexIn(provider),
    count,
  });
  return {
    ...row,
    status: quarters >= passingQuarters ? 'passed' : 'failed',
    score: quarters / 4,
    answerHash: `answer of ${quarters}`,
    answerId: `${run} ${side} ${caseId} ${count}`,
  };
}

function buildFresh(template: RowSummary, side: Side, index: number, draw: DrawTrial, trials: number): RowSummary {
  const drawn = withResult(template, side, draw, side === 'candidate' ? trials + index : index, 'candidate');
  const first = side === 'candidate' ? firstFreshTrial : firstAcceptedTrial;
  return { ...drawn, trial: first + index, confirmation: true, ...(side === 'accepted' ? { side } : {}) };
}

/** The number in a name such as `c12`. */
function indexIn(name: string): number {
  return Number(name.slice(1));
}

/** The header with a judge as it was measured on labels that are drawn anew. */
function withJudge(header: RunHeader, judge: NonNullable<Scenario['judge']>, seed: number): RunHeader {
  const random = createRandom(seed + 0.5 * 2 ** 40);
  const half = judge.labels / 2;
  const countRight = (chance: number) => Array.from({ length: half }, random).filter((value) => value < chance).length;
  const [passesFound, failuresFound] = [countRight(judge.sensitivity), countRight(judge.specificity)];
  const { youdenLow } = judgeError({ passesFound, passes: half, failuresFound, failures: half }, 0.05);
  const recorded: RecordedJudge = {
    judge: 'judge',
    assertion: 'llm-rubric',
    ...(youdenLow === null ? {} : { measured: { labels: judge.labels, youdenLow } }),
  };
  return { ...header, suites: header.suites.map((suite) => ({ ...suite, judges: [recorded] })) };
}
