import type * as z from 'zod';
import { canonicalJson } from '../json/canonical-json.ts';
import type { KeptAnswer } from '../model/comparison.ts';
import type { ToolCall } from '../model/completion.ts';
import type { LocatedFinding } from '../model/finding.ts';
import type { CellRow, RecordedCheck } from '../model/record.ts';
import type { CaseReport, Report, SuiteReport, VariantComparison, VariantReport } from '../model/report.ts';
import type { Judgement } from '../model/verdict.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import type {
  answerSchema,
  caseSchema,
  checkSchema,
  contractSchema,
  decisionSchema,
  findingSchema,
  runSchema,
  totalsSchema,
  trialSchema,
  variantSchema,
} from './report-schema.ts';

/** JSON on one line with sorted keys, safe to print wherever the values came from. */
export function renderSafeJson(value: unknown): string {
  return escapeJsonText(canonicalJson(value));
}

export function buildJsonDecision({ decision, exitCode }: Report): z.input<typeof decisionSchema> {
  return {
    outcome: decision.outcome,
    exitCode,
    ...(decision.incompleteBecause !== undefined && { incompleteBecause: decision.incompleteBecause }),
    ...(decision.interrupted !== undefined && { interrupted: decision.interrupted }),
    breaches: decision.breaches.map(
      ({ code, suite, prompt, provider, caseId, metric, baseline, candidate, message }) => ({
        code,
        suite: suite ?? null,
        prompt: prompt ?? null,
        provider: provider ?? null,
        ...(caseId !== undefined && { caseId }),
        ...(metric !== undefined && { metric }),
        ...(baseline !== undefined && { baseline }),
        ...(candidate !== undefined && { candidate }),
        message,
      }),
    ),
    warnings: [...decision.warnings],
  };
}

export function buildJsonRun({ run }: Report): z.input<typeof runSchema> {
  const { id, startedAt, durationMs, complete, stopReason } = run;
  return { id, startedAt, durationMs, complete, stopReason: stopReason ?? null };
}

export function buildJsonTotals({ totals }: Report): z.input<typeof totalsSchema> {
  const { planned, passed, failed, errored, skipped, observed, confirmations, cached, passRate } = totals;
  const { costUsd, spentUsd, spentApartUsd, judgeCostUsd } = totals;
  const counts = { planned, passed, failed, errored, skipped, observed, confirmations, cached };
  return { ...counts, passRate, costUsd, spentUsd, spentApartUsd, judgeCostUsd };
}

/** Findings as they were found: the worst is not always first. */
export function buildJsonContracts({ contracts = [] }: Report): z.input<typeof contractSchema>[] {
  return contracts
    .toSorted((a, b) => compareText(a.suite, b.suite) || compareText(a.prompt, b.prompt))
    .map(({ suite, prompt, against, findings, observed = [] }) => ({
      suite,
      prompt,
      against,
      findings: findings.map(buildJsonFinding),
      observed: observed.map((seen) => ({ ...seen, offenders: seen.offenders.map((offender) => ({ ...offender })) })),
    }));
}

export function buildJsonVariants(suite: SuiteReport): z.input<typeof variantSchema>[] {
  return suite.variants
    .toSorted((a, b) => compareText(a.prompt, b.prompt) || compareText(a.provider, b.provider))
    .map(buildJsonVariant);
}

export function buildJsonCase(entry: CaseReport): z.input<typeof caseSchema> {
  const { caseId, prompt, provider, status, observe, at, trials, change, baseline } = entry;
  return {
    caseId,
    prompt,
    provider,
    status,
    ...(observe && { observe: true }),
    ...(change !== undefined && { change }),
    ...(baseline !== undefined && { baseline: buildJsonAnswer(baseline) }),
    at: { file: at.file, line: at.line, column: at.column },
    trials: trials.map(buildJsonTrial),
  };
}

export function buildJsonTrial(row: CellRow): z.input<typeof trialSchema> {
  const { score, refusal, toolCalls, finishReason, model, error, skip } = row;
  return {
    index: row.trial,
    status: row.status,
    ...(row.confirmation === true && { confirmation: true }),
    ...(score !== undefined && { score }),
    output: row.output ?? null,
    ...(refusal !== undefined && { refusal }),
    ...(toolCalls !== undefined && { toolCalls: toolCalls.map(buildJsonToolCall) }),
    ...(finishReason !== undefined && { finishReason }),
    ...(model !== undefined && { model }),
    checks: row.checks.map(buildJsonCheck),
    latencyMs: row.latencyMs ?? null,
    costUsd: row.costUsd ?? null,
    usage: row.usage ?? null,
    cached: row.cached,
    ...(error !== undefined && {
      error: {
        kind: error.kind,
        message: error.message,
        ...(error.status !== undefined && { status: error.status }),
        attempts: error.attempts,
      },
    }),
    ...(skip !== undefined && {
      skip: { reason: skip.reason, ...(skip.message !== undefined && { message: skip.message }) },
    }),
  };
}

/** By UTF-16 code unit: the same order on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function buildJsonFinding(finding: LocatedFinding): z.input<typeof findingSchema> {
  const { ruleId, direction, severity, path, old, new: replacement, message, fingerprint, approved, at } = finding;
  return {
    ruleId,
    direction,
    severity,
    path,
    // What zod calls JSON is mutable; nothing here changes it.
    old: old as z.input<ReturnType<typeof z.json>>,
    new: replacement as z.input<ReturnType<typeof z.json>>,
    message,
    fingerprint,
    ...(approved === true && { approved }),
    ...(at !== undefined && { at: { file: at.file, line: at.line, column: at.column } }),
  };
}

function buildJsonAnswer({ status, output, toolCalls, reason }: KeptAnswer): z.input<typeof answerSchema> {
  return {
    status,
    output: output ?? null,
    ...(toolCalls !== undefined && { toolCalls: toolCalls.map(buildJsonToolCall) }),
    ...(reason !== undefined && { reason }),
  };
}

function buildJsonToolCall(call: ToolCall) {
  const { id, name, arguments: parsed, rawArguments } = call;
  return {
    ...(id !== undefined && { id }),
    name,
    // What zod calls JSON is mutable; nothing here changes it.
    ...(parsed !== undefined && { arguments: parsed as z.input<ReturnType<typeof z.json>> }),
    rawArguments,
  };
}

function buildJsonCheck(check: RecordedCheck): z.input<typeof checkSchema> {
  const { assertion, name, pass, score, reason, weight, required, turn, error, judgement } = check;
  return {
    assertion,
    ...(name !== undefined && { name }),
    pass,
    score,
    reason,
    ...(weight !== undefined && { weight }),
    ...(required !== undefined && { required }),
    ...(turn !== undefined && { turn }),
    ...(judgement !== undefined && { judge: buildJsonJudge(judgement) }),
    ...(error !== undefined && { error }),
  };
}

function buildJsonVariant(variant: VariantReport): z.input<typeof variantSchema> {
  const { comparison, replacedBy, latencies: _latencies, ...rest } = variant;
  return {
    ...rest,
    ...(replacedBy !== undefined && { replacedBy }),
    ...(comparison !== undefined && { comparison: buildJsonComparison(comparison) }),
  };
}

function buildJsonComparison(comparison: VariantComparison): NonNullable<z.input<typeof variantSchema>['comparison']> {
  const { outcome, against, passRate, score, costUsd, latencyMs, cases, prompts } = comparison;
  const sorted = (ids: readonly string[]): string[] => ids.toSorted(compareText);
  return {
    outcome,
    against,
    passRate,
    score,
    costUsd,
    latencyMs,
    cases: {
      regressed: sorted(cases.regressed),
      fixed: sorted(cases.fixed),
      stillFailing: sorted(cases.stillFailing),
      flaky: sorted(cases.flaky),
      added: sorted(cases.added),
      removed: sorted(cases.removed),
      redefined: sorted(cases.redefined),
    },
    residue: [...comparison.residue],
    advice: [...comparison.advice],
    notes: [...comparison.notes],
    accepted: [...comparison.accepted],
    ...(prompts !== undefined && {
      prompts: { baseline: [...prompts.baseline], candidate: [...prompts.candidate] },
    }),
  };
}

function buildJsonJudge({ judge, model, votes, agreement }: Judgement) {
  return { id: judge, ...(model !== undefined && { model }), votes, agreement };
}
