import { defined } from '../json/defined.ts';
import type { ComparedVariant, SwapReport } from '../model/comparison/comparison.ts';
import { exitCodeFor } from '../model/comparison/exit-code.ts';
import type { PromptFindings } from '../model/comparison/finding.ts';
import type { Decision } from '../model/comparison/gate.ts';
import type { ErosionFinding, VariantTrend } from '../model/report/history.ts';
import type { CaseReport, Report, SuiteReport, VariantComparison, VariantReport } from '../model/report/report.ts';
import { judgedLatencies } from '../model/run/cell.ts';
import type { CellRow, EndRow, RunHeader } from '../model/run/record.ts';
import type { CaseSummary, RunSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import type { GatePolicy } from '../model/suite/gate-policy.ts';
import { reportClasses, truthOf } from './count-classes.ts';
import { estimateRates } from './estimate-rates.ts';
import { isComplete, totalsOf } from './summarize-run.ts';

export interface ReportInput {
  readonly header: RunHeader;
  readonly end: EndRow | undefined;
  readonly summary: RunSummary;
  readonly decision: Decision;
  readonly recordPath?: string;
  /** Reads a row back from the record. */
  readRow(rowIndex: number): CellRow;
  readonly comparisons?: ReadonlyMap<VariantSummary, VariantComparison>;
  /** The comparisons case by case, for each case's change and its answer on the baseline. */
  readonly compared?: ReadonlyMap<VariantSummary, ComparedVariant>;
  readonly contracts?: readonly PromptFindings[];
  readonly erosion?: readonly ErosionFinding[];
  readonly swaps?: readonly SwapReport[];
  readonly trends?: () => readonly VariantTrend[];
}

/** A report is a view of a record: nothing in it was not counted from rows. */
export function buildReport(input: ReportInput): Report {
  const { header, end, summary, decision } = input;
  return {
    tool: header.tool,
    run: {
      id: header.id,
      startedAt: header.startedAt,
      durationMs: end?.durationMs ?? 0,
      complete: isComplete(summary),
      ...defined({
        stopReason: summary.stopReason,
        baseline: header.settings.baseline === 'none' ? ('none' as const) : undefined,
        recordPath: input.recordPath,
      }),
    },
    decision,
    exitCode: exitCodeFor(decision),
    totals: totalsOf(summary),
    suites: summary.suites.map((suite) => buildSuiteReport(suite, input)),
    notes: end?.notes ?? [],
    ...defined({ contracts: input.contracts, erosion: input.erosion, swaps: input.swaps, trends: input.trends }),
  };
}

function buildSuiteReport(suite: SuiteSummary, input: ReportInput): SuiteReport {
  return {
    suite: suite.recorded.suite,
    path: suite.recorded.path,
    ...defined({ passRateMin: suite.recorded.gate.passRate.min }),
    variants: suite.variants.map((variant) => buildVariantReport(suite, variant, input)),
    *cases(filter) {
      const isWanted = ({ status }: CaseSummary) => filter === undefined || filter.statuses.includes(status);
      const [only, ...others] = suite.variants;
      // The cases of a single variant are sorted already: no ids of a million cases are collected.
      if (only !== undefined && others.length === 0) {
        for (const found of only.cases.values()) if (isWanted(found)) yield buildCaseReport(only, found, input);
        return;
      }
      // Variants are merged by case id, so that a case's prompt versions and providers are listed together.
      const ids = [...new Set(suite.variants.flatMap(({ cases }) => [...cases.keys()]))].sort();
      const variants = suite.variants.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
      for (const id of ids) {
        for (const variant of variants) {
          const found = variant.cases.get(id);
          if (found !== undefined && isWanted(found)) yield buildCaseReport(variant, found, input);
        }
      }
    },
  };
}

function sortKey({ recorded }: VariantSummary): string {
  return `${recorded.prompt}\u0000${recorded.provider}`;
}

function buildVariantReport(
  { recorded: { gate, classes } }: SuiteSummary,
  variant: VariantSummary,
  { comparisons, compared }: ReportInput,
): VariantReport {
  const comparison = comparisons?.get(variant);
  const {
    recorded,
    cases: _cases,
    skippedByCase: _skippedByCase,
    judgeCostUsd: _judgeCostUsd,
    notAsked,
    ...counts
  } = variant;
  return {
    prompt: recorded.prompt,
    provider: recorded.provider,
    model: recorded.model,
    ...counts,
    ...defined({ notAsked: notAsked === 0 ? undefined : notAsked }),
    latencies: () => ({
      candidate: latenciesOf(variant.cases),
      baseline: latenciesOf(compared?.get(variant)?.baseline.cases),
    }),
    ...defined({
      slices: reportSlices(variant, gate),
      failedCases: listFailed(variant),
      erroredCases: countErrored(variant),
      classes: classes && reportClasses(variant.cases, classes, gate.alpha),
      comparison,
    }),
  };
}

function countErrored({ cases }: VariantSummary): number | undefined {
  const errored = [...cases.values()].filter(({ status, observe }) => !observe && status === 'errored').length;
  return errored === 0 ? undefined : errored;
}

function listFailed({ cases }: VariantSummary): VariantReport['failedCases'] {
  const failed = [...cases.values()].filter(
    ({ status, observe }) => !observe && (status === 'failed' || status === 'flaky'),
  );
  if (failed.length === 0) return undefined;
  return failed.map(({ caseId, mustPass, confirmations }) => {
    const isCleared = confirmations.some(({ status }) => status === 'passed');
    return { caseId, mustPass, ...defined({ isCleared: isCleared || undefined }) };
  });
}

function reportSlices({ cases }: VariantSummary, { slices, alpha }: GatePolicy): VariantReport['slices'] {
  const reported = Object.entries(slices ?? {}).flatMap(([slice, limits]) => {
    const own = new Map([...cases].filter(([, found]) => found.slices?.includes(slice) === true));
    return own.size === 0 ? [] : [{ slice, passRate: estimateRates(own, alpha).passRate, ...limits.passRate }];
  });
  return reported.length === 0 ? undefined : reported;
}

function latenciesOf(cases: ReadonlyMap<string, CaseSummary> | undefined): number[] {
  const latencies: number[] = [];
  for (const { trials, observe } of cases?.values() ?? []) if (!observe) latencies.push(...judgedLatencies(trials));
  return latencies;
}

/** Reads rows only when a reporter looks at them: a report shows a few of thousands of failures and counts the rest. */
function buildCaseReport(variant: VariantSummary, found: CaseSummary, input: ReportInput): CaseReport {
  const compared = input.compared?.get(variant);
  const change = compared?.cases.get(found.caseId)?.change;
  const readTrials = once(() =>
    [...found.trials, ...found.confirmations].map(({ rowIndex }) => input.readRow(rowIndex)),
  );
  const readAccepted = once(() => found.accepted.map(({ rowIndex }) => input.readRow(rowIndex)));
  const readBaseline = once(() => compared?.baseline.answerOf(found.caseId));
  return {
    caseId: found.caseId,
    prompt: variant.recorded.prompt,
    provider: variant.recorded.provider,
    status: found.status,
    observe: found.observe,
    ...defined({
      change,
      slices: found.slices,
      class: truthOf(found),
      mustPass: found.mustPass ? (true as const) : undefined,
    }),
    get at() {
      return readTrials()[0]?.at ?? nowhere;
    },
    get trials() {
      return readTrials();
    },
    get acceptedTrials() {
      return readAccepted();
    },
    get baseline() {
      return readBaseline();
    },
  };
}

const nowhere = { file: '', line: 0, column: 0 };

function once<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}
