import type * as z from 'zod';
import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import type { KeptAnswer } from '../../model/comparison/comparison.ts';
import type { ContractReport } from '../../model/comparison/finding.ts';
import type { SourceLocation } from '../../model/problem.ts';
import {
  type CaseReport,
  type Report,
  reportFormat,
  type SuiteReport,
  type VariantComparison,
} from '../../model/report/report.ts';
import type { CellRow } from '../../model/run/record.ts';
import type { RecordedCheck } from '../../model/run/verdict.ts';
import { compareText } from '../../text/compare-text.ts';
import { escapeJsonText } from '../../text/sanitize.ts';
import { countAccepted, mapChanges, nameAccepted } from '../comparison.ts';
import { describeVerdict } from '../headline.ts';
import type { Reporter } from '../reporter.ts';
import { sortFindings } from '../terminal/contracts.ts';
import type { decisionSchema } from './decision-schema.ts';
import type {
  answerSchema,
  caseSchema,
  checkSchema,
  contractSchema,
  erosionSchema,
  runSchema,
  trialSchema,
} from './report-schema.ts';
import type { variantSchema } from './variant-schema.ts';

export const json: Reporter = {
  summary: 'the whole run as one JSON document, with a JSON Schema (llmcheck schema report)',
  extension: 'json',
  /** One case a line: a run of any size streams, and two reports can be compared by lines. */
  *render(report) {
    const contracts = buildJsonContracts(report).map((entry) => `\n${renderSafeJson(entry)}`);
    yield `{\n"contracts":[${contracts.join(',')}],\n`;
    yield `"decision":${renderSafeJson(buildJsonDecision(report))},\n`;
    const erosion = buildJsonErosion(report);
    if (erosion !== undefined) yield `"erosion":${renderSafeJson(erosion)},\n`;
    yield `"format":${reportFormat},\n"notes":${renderSafeJson(report.notes)},\n`;
    yield `"run":${renderSafeJson(buildJsonRun(report))},\n"suites":[`;
    const suites = report.suites.toSorted((a, b) => compareText(a.suite, b.suite));
    for (const [index, suite] of suites.entries()) {
      yield `${index === 0 ? '' : ','}\n{"cases":[`;
      let isFirst = true;
      for (const entry of suite.cases()) {
        yield `${isFirst ? '' : ','}\n${renderSafeJson(buildJsonCase(entry))}`;
        isFirst = false;
      }
      yield `],\n"path":${renderSafeJson(suite.path)},\n"suite":${renderSafeJson(suite.suite)},\n`;
      yield `"variants":${renderSafeJson(buildJsonVariants(suite))}}`;
    }
    const { swaps, tool, totals } = report;
    yield `],\n${swaps === undefined ? '' : `"swaps":${renderSafeJson(swaps)},\n`}"tool":${renderSafeJson(tool)},\n"totals":${renderSafeJson(totals)}\n}\n`;
  },
};

export const jsonl: Reporter = {
  summary: 'a JSON line a cell, after a header line and before a decision line',
  extension: 'jsonl',
  *render(report) {
    const { tool, notes } = report;
    const suites = report.suites.toSorted((a, b) => compareText(a.suite, b.suite));
    const headers = suites.map((suite) => ({
      suite: suite.suite,
      path: suite.path,
      variants: buildJsonVariants(suite),
    }));
    yield renderLine({ type: 'run', format: reportFormat, tool, run: buildJsonRun(report), suites: headers });
    for (const suite of suites) {
      for (const { caseId, prompt, provider, observe, at, trials, acceptedTrials = [], change } of suite.cases()) {
        const place = { suite: suite.suite, caseId, prompt, provider, observe: observe || undefined, at, change };
        for (const row of [...trials, ...acceptedTrials]) {
          yield renderLine({ type: 'cell', ...place, group: row.group, side: row.side, ...buildJsonTrial(row) });
        }
      }
    }
    yield renderLine({
      type: 'decision',
      contracts: buildJsonContracts(report),
      erosion: buildJsonErosion(report),
      swaps: report.swaps,
      decision: buildJsonDecision(report),
      totals: report.totals,
      notes,
    });
  },
};

function renderLine(value: unknown): string {
  return `${renderSafeJson(value)}\n`;
}

/** The report of a contract command. Each finding is on one line, so that a line diff can compare two documents. */
export function* renderContractJson({ entries, notes }: ContractReport): Iterable<string> {
  const findings = entries.flatMap(({ suite, prompt, findings: own }) =>
    sortFindings(own).map((finding) => ({ suite, prompt, ...finding })),
  );
  const observed = entries.flatMap(({ suite, prompt, observed: own = [] }) =>
    own.map((answers) => ({ suite, prompt, ...answers })),
  );
  yield `{\n"findings":${renderList(findings)},\n"format":1,\n`;
  yield `"notes":${renderList(notes)},\n"observed":${renderList(observed)}\n}\n`;
}

function renderList(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => escapeJsonText(canonicalJson(item))).join(',\n')}]`;
}

// Each function lists the members of the public format, or passes on a value whose members are the same. Writing drops
// members that are undefined.

/** The input type of a schema, with every member read-only. */
type Json<Schema extends z.ZodType> = Frozen<z.input<Schema>>;

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** JSON on one line with sorted keys, safe to print wherever the values came from. */
export function renderSafeJson(value: unknown): string {
  return escapeJsonText(canonicalJson(value));
}

function buildJsonDecision(report: Report): Json<typeof decisionSchema> {
  const { decision, exitCode } = report;
  const { outcome, kind, evidence, loosenedCases, drift, certainty, incompleteBecause, interrupted } = decision;
  const { breaches, warnings, loosened } = decision;
  const { regressions, mustPass } = countAccepted(report);
  return {
    outcome,
    kind,
    headline: describeVerdict(report),
    ...defined({ accepted: regressions > 0 ? { regressions, mustPass } : undefined }),
    certainty,
    drift,
    exitCode,
    incompleteBecause,
    interrupted,
    breaches: breaches.map(({ suite = null, prompt = null, provider = null, ...breach }) => {
      return { ...breach, suite, prompt, provider };
    }),
    evidence: [...evidence],
    loosenedCases,
    warnings,
    loosened,
  };
}

function buildJsonRun({ run }: Report): Json<typeof runSchema> {
  const { id, startedAt, durationMs, complete, stopReason = null } = run;
  return { id, startedAt, durationMs, complete, stopReason };
}

/** Findings keep the order in which they were found. */
function buildJsonContracts({ contracts = [] }: Report): readonly Json<typeof contractSchema>[] {
  return contracts
    .toSorted((a, b) => compareText(a.suite, b.suite) || compareText(a.prompt, b.prompt))
    .map(({ findings, observed = [], ...contract }) => ({
      ...contract,
      findings: findings.map(({ at, ...finding }) => ({ ...finding, ...defined({ at: at && placeOf(at) }) })),
      observed,
    }));
}

/** Undefined if no suite has a pinned reference. */
function buildJsonErosion({ erosion }: Report): readonly Json<typeof erosionSchema>[] | undefined {
  return erosion?.toSorted((a, b) => compareText(a.suite, b.suite));
}

function buildJsonVariants(suite: SuiteReport): readonly Json<typeof variantSchema>[] {
  return suite.variants
    .toSorted((a, b) => compareText(a.prompt, b.prompt) || compareText(a.provider, b.provider))
    .map(({ comparison, latencies: _latencies, failedCases: _failed, erroredCases: _errored, ...variant }) => {
      return { ...variant, ...defined({ comparison: comparison && buildJsonComparison(comparison) }) };
    });
}

function buildJsonComparison(comparison: VariantComparison): NonNullable<Json<typeof variantSchema>['comparison']> {
  const {
    accepted,
    cases,
    unmatched,
    isWithinRun: _isWithinRun,
    unsettled: _unsettled,
    unsettledAverages: _unsettledAverages,
    isOpenByErrors: _isOpenByErrors,
    isSameRequest: _isSameRequest,
    isOfRecords: _isOfRecords,
    lostCases: _lost,
    ...others
  } = comparison;
  return {
    ...others,
    accepted: accepted.map(nameAccepted),
    cases: mapChanges(cases, (ids) => ids.toSorted(compareText)),
    residue: unmatched,
  };
}

function buildJsonCase(entry: CaseReport): Json<typeof caseSchema> {
  const { caseId, prompt, provider, status, observe, at, trials, acceptedTrials = [], change, baseline, blame } = entry;
  return {
    caseId,
    prompt,
    provider,
    status,
    observe: observe || undefined,
    group: trials.find((row) => row.group !== undefined)?.group,
    class: entry.class,
    change,
    blame: blame && { sentence: blame.sentence, ...defined({ at: blame.at }) },
    baseline: baseline && buildJsonAnswer(baseline),
    at: placeOf(at),
    trials: trials.map(buildJsonTrial),
    acceptedTrials: acceptedTrials.length === 0 ? undefined : acceptedTrials.map(buildJsonTrial),
  };
}

function placeOf({ file, line, column }: SourceLocation) {
  return { file, line, column };
}

function buildJsonTrial(row: CellRow): Json<typeof trialSchema> {
  const { status, confirmation, score, refusal, toolCalls, steps, trajectory, state } = row;
  const { finishReason, model, firstTokenMs, cached, error, skip } = row;
  return {
    index: row.trial,
    status,
    confirmation,
    score,
    output: row.output ?? null,
    refusal,
    toolCalls,
    steps,
    trajectory,
    state,
    finishReason,
    model,
    class: row.classified?.found,
    checks: row.checks.map(buildJsonCheck),
    latencyMs: row.latencyMs ?? null,
    firstTokenMs,
    costUsd: row.costUsd ?? null,
    usage: row.usage ?? null,
    cached,
    error: error && { kind: error.kind, message: error.message, status: error.status, attempts: error.attempts },
    skip,
  };
}

function buildJsonAnswer(answer: KeptAnswer): Json<typeof answerSchema> {
  const { status, output = null, toolCalls, trajectory, state, reason } = answer;
  return { status, output, toolCalls, trajectory, state, reason };
}

function buildJsonCheck(check: RecordedCheck): Json<typeof checkSchema> {
  const { judgement, diff: _diff, ...others } = check;
  if (judgement === undefined) return others;
  const { judge: id, model, votes, agreement } = judgement;
  return { ...others, judge: { id, ...defined({ model }), votes, agreement } };
}
