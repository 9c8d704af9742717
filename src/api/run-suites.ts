import type { Report } from '../model/report/report.ts';
import type { ProgressEvent } from '../model/run/progress.ts';
import { openContext, type RunSuitesOptions, refuseUnknown, runSuitesKeys, toFlags } from './options.ts';

export type RunEvent = ProgressEvent;

/** A running run: `for await` reads its events, `await` its report. */
export interface SuiteRun extends AsyncIterable<RunEvent>, PromiseLike<Report> {
  /** Rejects with a `UserError` for mistakes that you can fix. In that case nothing was sent. */
  readonly report: Promise<Report>;
}

/**
 * Runs suites as `llmcheck run` does: the same plan, cache, record, comparison and gate. Writes no report and sets no exit
 * code; the report holds both the decision and its exit code.
 */
export function runSuites(options: RunSuitesOptions = {}): SuiteRun {
  const readers: Readers = new Set();
  const onEvent = (event: RunEvent): void => {
    for (const push of readers) push(event);
  };
  // The run starts after this turn, so that a reader that is opened in it gets the first event.
  const report = Promise.resolve().then(() => run(options, onEvent));
  return {
    report,
    // oxlint-disable-next-line unicorn/no-thenable -- awaiting a run gives its report
    then: (onFulfilled, onRejected) => report.then(onFulfilled, onRejected),
    [Symbol.asyncIterator]: () => readEvents(readers, report),
  };
}

/** Loads the code that runs suites only when it is called, so that importing `defineAssertion` stays cheap. */
async function run(options: RunSuitesOptions, onEvent: (event: RunEvent) => void): Promise<Report> {
  refuseUnknown(options, runSuitesKeys, 'runSuites');
  const { runProject } = await import('./run-project.ts');
  return runProject({ ...openContext(options), flags: toFlags(options), options, onEvent });
}

/** Takes the next event, for each open reader. Without a reader nothing is kept. */
type Readers = Set<(event: RunEvent) => void>;

/** Reads events from now on. Throws the error of a run that fails. */
function readEvents(readers: Readers, report: Promise<Report>): AsyncIterator<RunEvent> {
  const waiting: RunEvent[] = [];
  let isEnded = false;
  let wake = (): void => undefined;
  const push = (event: RunEvent): void => {
    waiting.push(event);
    wake();
  };
  const end = (): void => {
    isEnded = true;
    wake();
  };
  readers.add(push);
  report.then(end, end);
  return read();

  async function* read(): AsyncGenerator<RunEvent, undefined> {
    try {
      for (;;) {
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event;
        if (isEnded) {
          await report;
          return undefined;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      readers.delete(push);
    }
  }
}
