import { Buffer } from 'node:buffer';
import type { Baseline, BaselineCase, BaselineTrial, BaselineVariant } from '../model/baseline.ts';
import type { CellRow } from '../model/record.ts';
import type { RowSummary, SuiteSummary, VariantSummary } from '../model/summary.ts';
import { answerHashOf } from './hash-answer.ts';

/** Longer answers are kept by their hash alone. */
export const maxKeptOutputBytes = 64 * 1024;

/** What a suite's run has to say for later comparisons. Nothing of when, where or how fast it was served is in it. */
export function buildBaseline(suite: SuiteSummary, readRow: (rowIndex: number) => CellRow): Baseline {
  const keepsOutputs = suite.recorded.outputs === 'full';
  return {
    suite: suite.recorded.suite,
    variants: suite.variants.filter(({ cases }) => cases.size > 0).map(describeVariant),
    cases: suite.variants.flatMap((variant) => buildCases(variant, readRow, keepsOutputs)),
  };
}

function describeVariant({ recorded, cases }: VariantSummary): BaselineVariant {
  const { prompt, provider, adapter, model, baseUrl, params, messages, replaces, contract } = recorded;
  return {
    type: 'variant',
    prompt,
    provider,
    adapter,
    model,
    ...(baseUrl === undefined ? {} : { baseUrl }),
    params,
    messages,
    ...(replaces === undefined ? {} : { replaces }),
    // Approvals and policies belong to who compares, not to what was accepted.
    contract: {
      ...(contract.input === undefined ? {} : { input: contract.input }),
      ...(contract.output === undefined ? {} : { output: contract.output }),
    },
    models: answeredModels(cases.values()),
  };
}

/** The model snapshots that answered, sorted. */
export function answeredModels(cases: Iterable<{ readonly trials: readonly RowSummary[] }>): readonly string[] {
  const models = new Set<string>();
  for (const { trials } of cases) for (const { model } of trials) if (model !== undefined) models.add(model);
  return [...models].sort();
}

function buildCases(
  { recorded, cases }: VariantSummary,
  readRow: (rowIndex: number) => CellRow,
  keepsOutputs: boolean,
): readonly BaselineCase[] {
  return [...cases.values()]
    .filter(({ observe, status }) => !observe && status !== 'skipped')
    .map(({ caseId, stamp, mustPass, trials, confirmations }) => {
      const keep = (rows: readonly RowSummary[]) =>
        rows.map(({ rowIndex }) => buildTrial(readRow(rowIndex), keepsOutputs));
      return {
        type: 'case',
        prompt: recorded.prompt,
        provider: recorded.provider,
        caseId,
        stamp,
        ...(mustPass ? { mustPass: true as const } : {}),
        trials: keep(trials),
        ...(confirmations.length === 0 ? {} : { confirmations: keep(confirmations) }),
      };
    });
}

function buildTrial(row: CellRow, keepsOutputs: boolean): BaselineTrial {
  const { trial, status, score, checks, usage, latencyMs, finishReason, output, toolCalls, reasoning, refusal } = row;
  const answerHash = answerHashOf(row);
  const isKept = keepsOutputs && output !== undefined && Buffer.byteLength(output) <= maxKeptOutputBytes;
  return {
    trial,
    status,
    ...(score === undefined ? {} : { score }),
    checks,
    ...(usage === undefined ? {} : { usage }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(isKept ? { output } : {}),
    ...(isKept && toolCalls !== undefined ? { toolCalls } : {}),
    ...(isKept && reasoning !== undefined ? { reasoning } : {}),
    ...(isKept && refusal !== undefined ? { refusal } : {}),
    ...(answerHash === undefined ? {} : { answerHash }),
  };
}
