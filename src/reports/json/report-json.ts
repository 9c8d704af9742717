import type * as z from 'zod';
import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import type { KeptAnswer } from '../../model/comparison.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { CellRow, RecordedCheck } from '../../model/record.ts';
import type { CaseReport, Report, SuiteReport, VariantComparison } from '../../model/report.ts';
import { compareText } from '../../text/compare-text.ts';
import { escapeJsonText } from '../../text/sanitize.ts';
import { countAccepted, mapChanges } from '../comparison.ts';
import { describeVerdict } from '../headline.ts';
import type {
  answerSchema,
  caseSchema,
  checkSchema,
  contractSchema,
  decisionSchema,
  erosionSchema,
  runSchema,
  trialSchema,
} from './report-schema.ts';
import type { variantSchema } from './variant-schema.ts';

// Each function lists the members of the public format, or passes on a value whose members are the same. Writing drops
// members that are undefined.

/** What a schema takes, as values that nothing here changes. */
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

export function buildJsonDecision(report: Report): Json<typeof decisionSchema> {
  const { decision, exitCode } = report;
  const { outcome, certainty, incompleteBecause, interrupted, breaches, warnings, loosened } = decision;
  const { regressions, mustPass } = countAccepted(report);
  return {
    outcome,
    headline: describeVerdict(report),
    ...(regressions > 0 ? { accepted: { regressions, mustPass } } : {}),
    certainty,
    exitCode,
    incompleteBecause,
    interrupted,
    breaches: breaches.map(({ suite = null, prompt = null, provider = null, ...breach }) => {
      return { ...breach, suite, prompt, provider };
    }),
    warnings,
    loosened,
  };
}

export function buildJsonRun({ run }: Report): Json<typeof runSchema> {
  const { id, startedAt, durationMs, complete, stopReason = null } = run;
  return { id, startedAt, durationMs, complete, stopReason };
}

/** Findings keep the order in which they were found. */
export function buildJsonContracts({ contracts = [] }: Report): readonly Json<typeof contractSchema>[] {
  return contracts
    .toSorted((a, b) => compareText(a.suite, b.suite) || compareText(a.prompt, b.prompt))
    .map(({ findings, observed = [], ...contract }) => ({
      ...contract,
      findings: findings.map(({ at, ...finding }) => ({ ...finding, ...defined({ at: at && placeOf(at) }) })),
      observed,
    }));
}

/** Undefined where no suite has a pinned reference. */
export function buildJsonErosion({ erosion }: Report): readonly Json<typeof erosionSchema>[] | undefined {
  return erosion?.toSorted((a, b) => compareText(a.suite, b.suite));
}

export function buildJsonVariants(suite: SuiteReport): readonly Json<typeof variantSchema>[] {
  return suite.variants
    .toSorted((a, b) => compareText(a.prompt, b.prompt) || compareText(a.provider, b.provider))
    .map(({ comparison, latencies: _latencies, failedCases: _failed, erroredCases: _errored, ...variant }) => {
      return { ...variant, ...defined({ comparison: comparison && buildJsonComparison(comparison) }) };
    });
}

function buildJsonComparison(comparison: VariantComparison): NonNullable<Json<typeof variantSchema>['comparison']> {
  const {
    cases,
    unmatched,
    isWithinRun: _isWithinRun,
    unsettled: _unsettled,
    lostCases: _lost,
    ...others
  } = comparison;
  return { ...others, cases: mapChanges(cases, (ids) => ids.toSorted(compareText)), residue: unmatched };
}

export function buildJsonCase(entry: CaseReport): Json<typeof caseSchema> {
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

export function buildJsonTrial(row: CellRow): Json<typeof trialSchema> {
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
