import type * as z from 'zod';
import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import type { AgentStep } from '../../model/agent.ts';
import type { JudgedMargin, KeptAnswer } from '../../model/comparison.ts';
import type { ToolCall } from '../../model/completion.ts';
import type { LocatedFinding } from '../../model/finding.ts';
import type { CellRow, RecordedCheck } from '../../model/record.ts';
import type {
  CaseReport,
  ClassReport,
  Report,
  SuiteReport,
  VariantComparison,
  VariantReport,
} from '../../model/report.ts';
import { compareText } from '../../text/compare-text.ts';
import { escapeJsonText } from '../../text/sanitize.ts';
import { countAccepted } from '../comparison.ts';
import { describeVerdict } from '../headline.ts';
import type {
  answerSchema,
  caseSchema,
  checkSchema,
  contractSchema,
  decisionSchema,
  erosionSchema,
  findingSchema,
  runSchema,
  totalsSchema,
  trialSchema,
} from './report-schema.ts';
import type { variantSchema } from './variant-schema.ts';

// Each function lists the members of the public format. Writing drops members that are undefined.

/** JSON on one line with sorted keys, safe to print wherever the values came from. */
export function renderSafeJson(value: unknown): string {
  return escapeJsonText(canonicalJson(value));
}

export function buildJsonDecision(report: Report): z.input<typeof decisionSchema> {
  const { decision, exitCode } = report;
  const { outcome, certainty, incompleteBecause, interrupted, breaches, warnings, loosened } = decision;
  const { regressions, mustPass } = countAccepted(report);
  return {
    outcome,
    headline: describeVerdict(report),
    ...(regressions > 0 ? { accepted: { regressions, mustPass } } : {}),
    certainty: certainty && { ...certainty },
    exitCode,
    incompleteBecause,
    interrupted,
    breaches: breaches.map(
      ({ code, suite, prompt, provider, caseId, metric, slice, class: ofClass, baseline, candidate, message }) => ({
        code,
        suite: suite ?? null,
        prompt: prompt ?? null,
        provider: provider ?? null,
        caseId,
        metric,
        slice,
        class: ofClass,
        baseline,
        candidate,
        message,
      }),
    ),
    warnings: [...warnings],
    loosened: loosened && [...loosened],
  };
}

export function buildJsonRun({ run }: Report): z.input<typeof runSchema> {
  const { id, startedAt, durationMs, complete, stopReason } = run;
  return { id, startedAt, durationMs, complete, stopReason: stopReason ?? null };
}

export function buildJsonTotals({ totals }: Report): z.input<typeof totalsSchema> {
  const { planned, passed, failed, errored, skipped, observed, confirmations, cached, passRate } = totals;
  const { costUsd, spentUsd, spentApartUsd, judgeCostUsd, notAsked } = totals;
  const counts = {
    planned,
    passed,
    failed,
    errored,
    skipped,
    ...defined({ notAsked }),
    observed,
    confirmations,
    cached,
  };
  return { ...counts, passRate, costUsd, spentUsd, spentApartUsd, judgeCostUsd };
}

/** Findings keep the order in which they were found. */
export function buildJsonContracts({ contracts = [] }: Report): z.input<typeof contractSchema>[] {
  return contracts
    .toSorted((a, b) => compareText(a.suite, b.suite) || compareText(a.prompt, b.prompt))
    .map(({ suite, prompt, against, findings, observed = [] }) => ({
      suite,
      prompt,
      against,
      findings: findings.map(buildJsonFinding),
      observed: observed.map((answers) => ({ ...answers, offenders: [...answers.offenders] })),
    }));
}

/** Undefined where no suite has a pinned reference. */
export function buildJsonErosion({ erosion }: Report): z.input<typeof erosionSchema>[] | undefined {
  return erosion
    ?.toSorted((a, b) => compareText(a.suite, b.suite))
    .map(
      ({ kind, suite, prompt, provider, outcome, source, until, cases, of, passRate, margin, z, message, since }) => ({
        kind,
        suite,
        prompt,
        provider,
        outcome,
        source,
        until,
        cases,
        of,
        passRate,
        margin,
        z,
        message,
        since: since.map(({ run, startedAt, commit, branch, pullRequest, passRate: rate }) => ({
          run,
          startedAt,
          commit,
          branch,
          pullRequest,
          passRate: rate,
        })),
      }),
    );
}

function buildJsonFinding(finding: LocatedFinding): z.input<typeof findingSchema> {
  const { ruleId, direction, severity, path, old, new: replacement, message, fingerprint, approved, at } = finding;
  return {
    ruleId,
    direction,
    severity,
    path,
    old: asJson(old),
    new: asJson(replacement),
    message,
    fingerprint,
    approved,
    at: at && { file: at.file, line: at.line, column: at.column },
  };
}

export function buildJsonVariants(suite: SuiteReport): z.input<typeof variantSchema>[] {
  return suite.variants
    .toSorted((a, b) => compareText(a.prompt, b.prompt) || compareText(a.provider, b.provider))
    .map((variant: VariantReport) => {
      const {
        comparison,
        slices,
        classes,
        latencies: _latencies,
        failedCases: _failed,
        erroredCases: _errored,
        ...counts
      } = variant;
      return {
        ...counts,
        slices: slices && [...slices],
        classes: classes && buildJsonClasses(classes),
        comparison: comparison && buildJsonComparison(comparison),
      };
    });
}

function buildJsonClasses({ names, cells, scores, macro, others }: ClassReport) {
  return { names: [...names], cells: [...cells], scores: [...scores], macro, others: [...others] };
}

function buildJsonMargin(margin: JudgedMargin) {
  return { ...margin, unmeasured: [...margin.unmeasured] };
}

function buildJsonComparison(comparison: VariantComparison): z.input<typeof variantSchema>['comparison'] {
  const { outcome, certainty, against, passRate, score, costUsd, steps, latencyMs, cases, prompts, judgedMargin } =
    comparison;
  const sorted = (ids: readonly string[]): string[] => ids.toSorted(compareText);
  return {
    outcome,
    certainty: { ...certainty },
    against: { ...against },
    isFirst: comparison.isFirst,
    passRate,
    judgedMargin: judgedMargin && buildJsonMargin(judgedMargin),
    slices: comparison.slices?.map((slice) => ({
      ...slice,
      judgedMargin: slice.judgedMargin && buildJsonMargin(slice.judgedMargin),
    })),
    classes: comparison.classes && {
      ...comparison.classes,
      recall: [...comparison.classes.recall],
      cells: comparison.classes.cells.map((cell) => ({ ...cell, entered: [...cell.entered] })),
    },
    score,
    costUsd,
    steps,
    latencyMs,
    cases: {
      regressed: sorted(cases.regressed),
      drifted: sorted(cases.drifted),
      fixed: sorted(cases.fixed),
      stillFailing: sorted(cases.stillFailing),
      flaky: sorted(cases.flaky),
      added: sorted(cases.added),
      removed: sorted(cases.removed),
      redefined: sorted(cases.redefined),
    },
    residue: [...comparison.unmatched],
    advice: [...comparison.advice],
    notes: [...comparison.notes],
    accepted: [...comparison.accepted],
    prompts: prompts && { baseline: [...prompts.baseline], candidate: [...prompts.candidate] },
  };
}

export function buildJsonCase(entry: CaseReport): z.input<typeof caseSchema> {
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
    at: { file: at.file, line: at.line, column: at.column },
    trials: trials.map(buildJsonTrial),
    acceptedTrials: acceptedTrials.length === 0 ? undefined : acceptedTrials.map(buildJsonTrial),
  };
}

export function buildJsonTrial(row: CellRow): z.input<typeof trialSchema> {
  const { status, confirmation, score, refusal, toolCalls, finishReason, model, cached, error, skip } = row;
  return {
    index: row.trial,
    status,
    confirmation,
    score,
    output: row.output ?? null,
    refusal,
    toolCalls: toolCalls?.map(buildJsonToolCall),
    steps: row.steps,
    trajectory: row.trajectory?.map(buildJsonStep),
    state: row.state === undefined ? undefined : asJson(row.state),
    finishReason,
    model,
    class: row.classified?.found,
    checks: row.checks.map(buildJsonCheck),
    latencyMs: row.latencyMs ?? null,
    firstTokenMs: row.firstTokenMs,
    costUsd: row.costUsd ?? null,
    usage: row.usage ?? null,
    cached,
    error: error && { kind: error.kind, message: error.message, status: error.status, attempts: error.attempts },
    skip: skip && { reason: skip.reason, message: skip.message },
  };
}

function buildJsonAnswer({
  status,
  output,
  toolCalls,
  trajectory,
  state,
  reason,
}: KeptAnswer): z.input<typeof answerSchema> {
  return {
    status,
    output: output ?? null,
    toolCalls: toolCalls?.map(buildJsonToolCall),
    trajectory: trajectory?.map(buildJsonStep),
    state: state === undefined ? undefined : asJson(state),
    reason,
  };
}

function buildJsonStep({ text, calls, latencyMs, usage }: AgentStep) {
  return {
    text,
    calls: calls.map(({ result, ...call }) => ({
      ...buildJsonToolCall(call),
      result: result && { content: result.content, isError: result.isError, latencyMs: result.latencyMs },
    })),
    latencyMs,
    usage,
  };
}

function buildJsonToolCall({ id, name, arguments: parsed, rawArguments }: ToolCall) {
  return { id, name, arguments: parsed === undefined ? undefined : asJson(parsed), rawArguments };
}

function buildJsonCheck(check: RecordedCheck): z.input<typeof checkSchema> {
  const { assertion, name, pass, score, reason, weight, required, turn, error, judgement } = check;
  const judge = judgement && {
    id: judgement.judge,
    model: judgement.model,
    votes: judgement.votes,
    agreement: judgement.agreement,
  };
  return { assertion, name, pass, score, reason, weight, required, turn, judge, error };
}

/** zod's type of JSON is mutable; nothing here changes a value. */
function asJson(value: unknown): z.input<ReturnType<typeof z.json>> {
  return value as z.input<ReturnType<typeof z.json>>;
}
