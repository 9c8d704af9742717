import type { Report } from '../model/report.ts';
import { shellWord } from '../text/command-line.ts';

/** The command to run next; undefined where there is nothing to do. */
export function describeNextStep(report: Report): string | undefined {
  const { decision, run, suites, totals } = report;
  const resume = `llmcheck run --resume ${shellWord(run.id)}`;
  if (decision.interrupted !== undefined) return `go on: ${resume}`;
  switch (decision.outcome) {
    case 'passed':
      return undefined;
    case 'inconclusive':
      return settlingStep(report);
    case 'failed': {
      // `baseline accept` refuses such a run without --force.
      if (totals.errored > 0 || isCutShort(report)) return `to judge the rest: ${resume}`;
      const comparisons = suites.flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []));
      if (comparisons.every(({ isWithinRun }) => isWithinRun === true)) return undefined;
      return `to accept this on purpose: ${acceptCommand(report)}`;
    }
    case 'incomplete':
      if (decision.incompleteBecause !== 'errors') return undefined;
      return errorSteps[findErrorKind(report) ?? ''] ?? `ask again: ${resume}`;
  }
}

/** `--drift` repeats cases that fail although their requests did not change. More trials settle everything else. */
function settlingStep({ suites }: Report): string | undefined {
  const open = suites
    .flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []))
    .filter(({ outcome, certainty }) => outcome === 'inconclusive' && certainty.cases > 0);
  if (open.length === 0) return undefined;
  const isDrift = open.some(({ cases, unsettled = 0 }) => cases.regressed.length > 0 && unsettled === 0);
  return `to settle it: llmcheck run ${isDrift ? '--drift' : '--trials 3'}`;
}

/** A run that was decided early counts as finished. */
function isCutShort({ run }: Report): boolean {
  return !run.complete && run.stopReason !== 'decided';
}

/** `baseline accept` needs --force where a must-pass case fails. */
function acceptCommand({ decision, run }: Report): string {
  const needsForce = decision.breaches.some(({ code }) => code === 'must-pass');
  return `llmcheck baseline accept --run ${shellWord(run.id)}${needsForce ? ' --force' : ''}`;
}

/** Errors that a resumed run would repeat. */
const errorSteps: Readonly<Record<string, string>> = {
  recording: 'record again: llmcheck run --record',
  cacheMiss: 'ask the provider: llmcheck run --cache use',
};

/** The kind of the first error of the run. */
function findErrorKind({ suites }: Report): string | undefined {
  for (const suite of suites) {
    if (suite.variants.every(({ errored }) => errored === 0)) continue;
    for (const { trials } of suite.cases({ statuses: ['errored'] })) {
      return trials.find(({ error }) => error !== undefined)?.error?.kind;
    }
  }
  return undefined;
}
