import { Buffer } from 'node:buffer';
import { defined } from '../json/defined.ts';
import type { BaselineCases, BaselineContent, BaselineTrial, BaselineVariant } from '../model/baseline.ts';
import type { CellRow } from '../model/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary, VariantSummary } from '../model/summary.ts';
import { answerHashOf } from '../record/hash-answer.ts';

/** Of longer answers only the hash is kept. */
export const maxKeptOutputBytes = 64 * 1024;

/** What later comparisons need of a suite's run. Nothing in it depends on when, where or how fast it ran, and rows are read lazily. */
export function buildBaseline(suite: SuiteSummary, readRow: (rowIndex: number) => CellRow): BaselineContent {
  const keepsOutputs = suite.recorded.outputs === 'full';
  return {
    suite: suite.recorded.suite,
    variants: suite.variants.filter(({ cases }) => cases.size > 0).map(describeVariant),
    cases: suite.variants.map((variant) => buildCases(variant, readRow, keepsOutputs)),
  };
}

function describeVariant({ recorded, cases }: VariantSummary): BaselineVariant {
  const { prompt, provider, adapter, model, baseUrl, adapterVersion, params, options, messages, replaces, contract } =
    recorded;
  return {
    type: 'variant',
    prompt,
    provider,
    adapter,
    model,
    ...defined({ baseUrl, adapterVersion }),
    params,
    ...defined({ options }),
    messages,
    ...defined({ replaces }),
    // Approvals and policies belong to a comparison, not to what was accepted.
    contract: defined({ input: contract.input, output: contract.output }),
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
): BaselineCases {
  const { prompt, provider } = recorded;
  const keep = (rows: readonly RowSummary[]) => rows.map(({ rowIndex }) => buildTrial(readRow(rowIndex), keepsOutputs));
  return {
    prompt,
    provider,
    *caseIds() {
      for (const found of cases.values()) if (isAcceptable(found)) yield found.caseId;
    },
    has(caseId) {
      const found = cases.get(caseId);
      return found !== undefined && isAcceptable(found);
    },
    read(caseId) {
      const found = cases.get(caseId);
      if (found === undefined) throw new RangeError(`${caseId} is no case of ${prompt} on ${provider}`);
      const { stamp, mustPass, group, trials, confirmations } = found;
      return {
        type: 'case',
        prompt,
        provider,
        caseId,
        stamp,
        ...(mustPass ? { mustPass: true as const } : {}),
        ...defined({ group }),
        trials: keep(trials),
        ...(confirmations.length === 0 ? {} : { confirmations: keep(confirmations) }),
      };
    },
  };
}

function isAcceptable({ observe, status }: CaseSummary): boolean {
  return !observe && status !== 'skipped';
}

function buildTrial(row: CellRow, keepsOutputs: boolean): BaselineTrial {
  const { trial, status, score, classified, checks, usage, latencyMs, finishReason, answerId } = row;
  const { output, toolCalls, reasoning, refusal } = row;
  const isKept = keepsOutputs && output !== undefined && Buffer.byteLength(output) <= maxKeptOutputBytes;
  return {
    trial,
    status,
    ...defined({ score, classified }),
    checks,
    ...defined({ usage, latencyMs, finishReason }),
    ...(isKept ? defined({ output, toolCalls, reasoning, refusal }) : {}),
    ...defined({ answerHash: answerHashOf(row), answerId }),
  };
}
