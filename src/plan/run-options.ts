import type { JsonObject } from '../json/json.ts';
import type { Clock } from '../model/clock.ts';
import type { OnProgress, RunTrace } from '../model/run/progress.ts';
import type { RunSettings } from '../model/run/record.ts';
import type { Project, Suite } from '../model/suite/suite.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import type { QueueUrl } from '../text/addresses/store-urls.ts';
import type { Selection } from './select-cases.ts';

export interface RunOptions {
  readonly project: Project;
  /** The suites that flags may name, if the project has fewer: it then lacks the unchanged ones. */
  readonly knownSuites?: readonly Suite[];
  readonly selection: Selection;
  readonly settings: RunSettings;
  /** Calls in flight over all providers, at most; undefined: as many as they take. */
  readonly concurrency?: number;
  readonly timeoutMs: number;
  readonly deadlineMs?: number;
  /** Ends the run once the asked cases decide it. `seed` sets their random order. */
  readonly early?: { readonly seed?: number };
  /** Stop after this many failed cells. */
  readonly bail?: number;
  /** Write the suites' recordings from this run's answers. */
  readonly record: boolean;
  /** Ask the real tools for calls that no stub answers, and write their answers as stubs. */
  readonly recordTools?: boolean;
  /** True if the user chose a cache mode, so that recordings do not choose one. */
  readonly isCacheModeChosen: boolean;
  /** Workers at this queue make the calls, instead of this process. */
  readonly queue?: QueueUrl;
  /** Ask through batch APIs, if a provider has one. */
  readonly batch: boolean;
  /** Goes on with a stored run instead of starting one. */
  readonly resume?: {
    readonly runId?: string;
    /** Cells that errored in other suites are kept as they are; undefined: they all run again. */
    readonly isTouched?: (suite: string) => boolean;
  };
  /** Run the baseline's own prompts beside the candidate's. */
  readonly rerunBaseline: boolean;
  /**
   * Accept the run as the baseline, regardless of its changes. A run that `baseline accept` would refuse is refused
   * too.
   */
  readonly updateBaseline: boolean;
  readonly toolVersion: string;
  /** Remarks at the start of the report. */
  readonly notes?: readonly string[];
  /** Kept in the record, so that `--resume` plans the same run. */
  readonly invocation: JsonObject;
}

/** The functions of the outside world that a run can use. */
export interface RunPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly mask: Mask;
  readonly onProgress: OnProgress;
  /** Watches the run for a tracing system. */
  readonly trace?: RunTrace;
  /** Aborts when the run's results are no longer wanted. Calls in flight end and are kept, and nothing new starts. */
  readonly outdated?: AbortSignal;
  /** Calls back when the user interrupts the run, until the returned function is called. */
  readonly onSignal: (handler: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void;
}
