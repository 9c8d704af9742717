import type { Baseline, BaselineTrial } from '../model/baseline.ts';
import type { Cell } from '../model/cell.ts';
import type { ComparedSide } from '../model/comparison.ts';
import type { CaseSummary, RowSummary, VariantSummary } from '../model/summary.ts';
import { caseStatusOf } from '../record/case-table.ts';
import type { JudgePorts } from './judge-answer.ts';

export interface Rejudged {
  readonly side: ComparedSide;
  /** Cases whose stored answers were judged by the new checks. */
  readonly cases: ReadonlySet<string>;
}

/**
 * Judges a baseline's stored answers again where nothing of a case but its checks has changed: without a call, and so
 * that the pair stays comparable. A case whose answers were not kept, or broke off, stays redefined.
 */
export async function rejudge(
  side: ComparedSide,
  baseline: Baseline,
  candidate: Pick<VariantSummary, 'cases'>,
  cellOf: (caseId: string) => Cell | undefined | Promise<Cell | undefined>,
  ports: JudgePorts = {},
): Promise<Rejudged> {
  const changed = [...candidate.cases.values()].filter(({ caseId, stamp }) => {
    const before = side.cases.get(caseId);
    return before !== undefined && before.stamp !== stamp && inputsOf(before.stamp) === inputsOf(stamp);
  });
  if (changed.length === 0) return { side, cases: new Set() };
  const { prompt, provider } = side.recorded;
  const stored = new Map(
    baseline.cases
      .filter((found) => found.prompt === prompt && found.provider === provider)
      .map((found) => [found.caseId, found]),
  );
  const cases = new Map(side.cases);
  const rejudged = new Set<string>();
  for (const { caseId, stamp } of changed) {
    const before = side.cases.get(caseId);
    const cell = await cellOf(caseId);
    const answers = stored.get(caseId);
    // The suite may have moved on since the candidate ran.
    if (before === undefined || cell?.stamp !== stamp || answers === undefined) continue;
    const again = await rejudgeCase(before, answers.trials, cell, ports);
    if (again === undefined) continue;
    cases.set(caseId, again);
    rejudged.add(caseId);
  }
  return { side: { ...side, cases }, cases: rejudged };
}

/** The part of a stamp that is not about checks. */
function inputsOf(stamp: string): string {
  return stamp.split('.')[0] ?? stamp;
}

async function rejudgeCase(
  before: CaseSummary,
  answers: readonly BaselineTrial[],
  cell: Cell,
  ports: JudgePorts,
): Promise<CaseSummary | undefined> {
  const { stamp } = cell;
  const trials: RowSummary[] = [];
  for (const [index, row] of before.trials.entries()) {
    const answer = answers[index];
    if (row.status !== 'passed' && row.status !== 'failed') {
      trials.push({ ...row, stamp });
      continue;
    }
    if (answer?.output === undefined) return undefined;
    const verdict = await judgeStored(answer, row, cell, ports);
    if (verdict === undefined) return undefined;
    trials.push({ ...row, stamp, ...verdict });
  }
  return { ...before, stamp, trials, status: caseStatusOf(trials), confirmations: [] };
}

async function judgeStored(
  { output = '', toolCalls = [], finishReason = 'stop', usage, reasoning, refusal, checks: stored }: BaselineTrial,
  row: RowSummary,
  cell: Cell,
  ports: JudgePorts,
): Promise<{ status: 'passed' | 'failed'; score: number } | undefined> {
  const { latencyMs } = row;
  const completion = {
    text: output,
    toolCalls,
    finishReason,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(usage === undefined ? {} : { usage }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(refusal === undefined ? {} : { refusal }),
  };
  // Nobody is asked: a model's word stands where its question is the same, else the case is redefined.
  const judged = {
    cell,
    completion,
    latencyMs,
    costUsd: row.costUsd ?? undefined,
    calls: [],
    conversation: [],
    stored,
  };
  // Nearly every comparison does without the assertions.
  const { decideAnswer, judgeAnswer } = await import('./judge-answer.ts');
  const { verdicts } = await judgeAnswer(cell.checks, judged, ports);
  const decision = decideAnswer(verdicts, cell.threshold);
  return decision.status === 'errored'
    ? undefined
    : { status: decision.passed ? 'passed' : 'failed', score: decision.score };
}
