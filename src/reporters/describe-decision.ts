import { formatCount } from '../lib/format-amount.ts';
import type { Breach } from '../model/gate.ts';
import type { StopReason } from '../model/record.ts';
import type { Report } from '../model/report.ts';

/** The gate's word in one sentence, without the exit code. */
export function describeDecision(report: Report): string {
  const { decision, run, totals } = report;
  const { outcome, breaches } = decision;
  if (decision.interrupted !== undefined) return `interrupted by ${decision.interrupted}; what was done is kept`;
  switch (outcome) {
    case 'passed':
      return totals.planned === 0 ? 'passed: nothing was planned' : 'passed';
    case 'failed':
      return breaches.length === 0 ? 'failed' : `failed: ${formatCount(breaches.length, 'threshold')} broken`;
    case 'inconclusive':
      return 'inconclusive: these data can neither show nor exclude a regression';
    case 'incomplete':
      return `incomplete: ${describeIncomplete(report)}${run.complete ? '' : '; llmcheck run --resume goes on'}`;
  }
}

/** Where a breach is and what broke: `triage · v2 × openai:gpt-4o · refund: …`. */
export function describeBreach({ suite, prompt, provider, caseId, message }: Breach): string {
  const variant = [prompt, provider].filter((part) => part !== undefined).join(' × ');
  const place = [suite, variant === '' ? undefined : variant, caseId].filter((part) => part !== undefined).join(' · ');
  return place === '' ? message : `${place}: ${message}`;
}

const stopSentences: Readonly<Record<StopReason, string>> = {
  budget: 'the budget (--max-cost) stopped the run',
  deadline: 'the time limit (--deadline) stopped the run',
  bail: 'the run was stopped at the failures that --bail allows',
  storage: 'the record could not be written any further',
  interrupted: 'the run was interrupted',
};

function describeIncomplete({ decision, run, totals }: Report): string {
  switch (decision.incompleteBecause ?? 'stopped') {
    case 'errors':
      return `${formatCount(totals.errored, 'cell')} could not be judged`;
    case 'nothing-evaluated':
      return 'nothing was evaluated';
    case 'inconclusive':
      return 'these data can neither show nor exclude a regression, and --require-conclusive asks for one of them';
    case 'stopped':
      return run.stopReason === undefined ? 'the run did not end' : stopSentences[run.stopReason];
  }
}
