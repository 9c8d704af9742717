import type { Report } from '../model/report.ts';
import { openContext } from './api-context.ts';
import { refuseUnknown } from './refuse-unknown.ts';
import { createEventLog, type RunEvent } from './run-events.ts';
import { type RunSuitesOptions, runSuitesKeys, toFlags } from './run-options.ts';

/** A run that is going on: its events by `for await`, its report by `await`. */
export interface SuiteRun extends AsyncIterable<RunEvent>, PromiseLike<Report> {
  /** Rejects with a `UserError` for what you can fix: then nothing was sent. */
  readonly report: Promise<Report>;
}

/**
 * Runs suites as `llmcheck run` does: the same plan, cache, record, comparison and gate. Writes no report and sets no exit
 * code; the report holds both the decision and the code that it stands for.
 */
export function runSuites(options: RunSuitesOptions = {}): SuiteRun {
  const events = createEventLog();
  // A reader that is opened in the same turn sees the first event.
  const report = Promise.resolve().then(() => run(options, events.push));
  report.then(
    () => events.end(),
    (error: unknown) => events.end(error),
  );
  return {
    report,
    // oxlint-disable-next-line unicorn/no-thenable -- awaiting a run gives its report
    then: (onFulfilled, onRejected) => report.then(onFulfilled, onRejected),
    [Symbol.asyncIterator]: events.read,
  };
}

/** What plans and runs is loaded when it is used: `defineAssertion` costs nothing. */
async function run(options: RunSuitesOptions, onEvent: (event: RunEvent) => void): Promise<Report> {
  refuseUnknown(options, runSuitesKeys, 'runSuites');
  const { runProject } = await import('./run-project.ts');
  return runProject({ ...openContext(options), flags: toFlags(options), options, onEvent });
}
