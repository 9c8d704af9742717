import picocolors from 'picocolors';
import type { ProgressEvent } from '../../model/progress.ts';
import type { Report, ReportStyle } from '../../model/report.ts';
import { reporters } from '../../reports/index.ts';
import { formatCount, formatDuration } from '../../text/format-amount.ts';
import { breakWorkflowCommands, toSafeLine } from '../../text/sanitize.ts';

export type FinishedCell = Extract<ProgressEvent, { readonly type: 'cell-finished' }>;

const maxPassed = 20;

/** A round of a watched run: the cells that ran in it, the failures among them, and the decision over the whole run. */
export function* renderRound(report: Report, finished: readonly FinishedCell[], style: ReportStyle): Iterable<string> {
  const colors = picocolors.createColors(style.color);
  const passed = finished.filter(({ status }) => status === 'passed');
  for (const { label } of style.quiet ? [] : passed.slice(0, maxPassed)) {
    yield `${breakWorkflowCommands(`${colors.green('✓')} ${toSafeLine(label)}`)}\n`;
  }
  if (!style.quiet && passed.length > maxPassed) {
    yield `… and ${formatCount(passed.length - maxPassed, 'more that passed', 'more that passed')}\n`;
  }
  const ran = new Set(finished.map(({ key }) => caseOf(key)));
  const suites = report.suites.map((suite) => ({
    ...suite,
    *cases(filter?: Parameters<typeof suite.cases>[0]) {
      for (const entry of suite.cases(filter)) if (ran.has(caseOf({ suite: suite.suite, ...entry }))) yield entry;
    },
  }));
  yield* reporters['terminal']?.render({ ...report, suites }, { ...style, quiet: true }) ?? [];
  yield `${describeRound(report, finished)}\n`;
}

function caseOf({ suite, caseId, prompt, provider }: Omit<FinishedCell['key'], 'trial'>): string {
  return JSON.stringify([suite, caseId, prompt, provider]);
}

function describeRound({ totals, run }: Report, finished: readonly FinishedCell[]): string {
  if (finished.length === 0) return 'nothing had to run again';
  const cached = finished.filter((cell) => cell.cached).length;
  const kept = Math.max(0, totals.planned + totals.observed - new Set(finished.map(({ label }) => label)).size);
  const parts = [`ran ${formatCount(finished.length, 'cell')}`, `${cached} from the cache`, `kept ${kept}`];
  return `${parts.join(', ')}; took ${formatDuration(run.durationMs)}`;
}
