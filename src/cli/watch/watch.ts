import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import picocolors from 'picocolors';
import { buildBrokenGraph, buildWatchGraph, type WatchGraph } from '../../changes/suite-sources.ts';
import { exitCodeOfSignal } from '../../model/comparison/exit-code.ts';
import { UserError, usageError } from '../../model/problem.ts';
import type { Report, ReportStyle } from '../../model/report/report.ts';
import { caseKey } from '../../model/run/cell.ts';
import type { ProgressEvent } from '../../model/run/progress.ts';
import type { RunOptions } from '../../plan/run-options.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import { renderBrief } from '../../reports/terminal/terminal.ts';
import { runSuites } from '../../run/run.ts';
import { maskByName } from '../../secrets/mask-secrets.ts';
import { createReadLog } from '../../suite/files/read-log.ts';
import { formatCount, formatDuration, listFirst } from '../../text/format-amount.ts';
import { breakWorkflowCommands, toSafeLine } from '../../text/sanitize.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { resolveRun } from '../flags/resolve-run.ts';
import type { Io } from '../io.ts';
import { describeProblems } from '../output/problems.ts';
import { openProgress } from '../output/progress.ts';
import { type ReportRequest, writeReports } from '../output/reports.ts';
import { wantsColor } from '../output/style.ts';
import { type PreparedRun, prepareRun } from '../run/prepare-run.ts';
import type { FileWatcher } from './file-watcher.ts';

type Flags = Readonly<Record<string, unknown>>;

/**
 * `llmcheck run --watch`: a run, then a round in the same record after each change. A round keeps each verdict that the
 * change does not affect, and runs the other cells again.
 */
export async function watchCommand(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  checkFlags(flags, io);
  if (io.openWatcher === undefined) throw usageError('--watch: files can not be watched here', 'leave --watch out');
  const inbox = createInbox();
  const stopListening = io.onSignal((signal) => inbox.end(signal));
  const watcher = await io.openWatcher((batch) => inbox.add(batch));
  const session = new WatchSession({ paths, flags, io, inbox, watcher });
  try {
    for (let changed: ReadonlySet<string> = new Set(); ; ) {
      await session.round(changed);
      const next = await inbox.next((path) => session.holds(path));
      if (typeof next === 'string') return exitCodeOfSignal(next);
      changed = next;
    }
  } finally {
    stopListening();
    await watcher.close();
  }
}

/** Mistakes in the flags end the command, because no change of a file can correct them. */
function checkFlags(flags: Flags, io: Io): void {
  const { values } = resolveRun({}, { flags, env: io.env, cwd: io.cwd, root: findProjectRoot(io.cwd, undefined) });
  for (const key of ['dryRun', 'batch', 'resume', 'updateBaseline'] as const) {
    if (values[key] === undefined || values[key] === false) continue;
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw usageError(`--watch and ${flag} can't go together`, 'leave one of them out');
  }
}

interface SessionOptions {
  readonly paths: readonly string[];
  readonly flags: Flags;
  readonly io: Io;
  readonly inbox: Inbox;
  readonly watcher: FileWatcher;
}

class WatchSession {
  readonly #options: SessionOptions;
  readonly #color: boolean;
  /** Undefined before the first round. */
  #graph: WatchGraph | undefined;
  /** The graph of the last load without mistakes. */
  #wholeGraph: WatchGraph | undefined;
  /** The cases that failed before the first round. */
  #cases: readonly string[] | undefined;
  #lastRun: { readonly runId: string; readonly recordPath: string } | undefined;
  /** Files that changed since the last round that finished. */
  #unfinished = new Set<string>();

  constructor(options: SessionOptions) {
    const { flags, io } = options;
    this.#options = options;
    this.#color = wantsColor(io.stderr, io.env, flags['color'] !== false);
  }

  /** True for a file on which a suite depends. */
  holds(path: string): boolean {
    return this.#graph?.holds(path) === true;
  }

  /** Runs the suites that the changed files affect; all suites the first time. */
  async round(changed: ReadonlySet<string>): Promise<void> {
    const { paths, flags, io, inbox } = this.#options;
    const isFirst = this.#graph === undefined;
    if (!isFirst) this.#say(`\n${describeChange(changed, io)}\n`);
    for (const path of changed) this.#unfinished.add(path);
    const reads = createReadLog();
    let isStarted = false;
    try {
      const prepared = await prepareRun(paths, flags, io, { reads, cases: this.#cases });
      const { onlyCases } = prepared.options.selection;
      this.#cases = onlyCases && [...onlyCases];
      const before = this.#wholeGraph;
      const graph = buildWatchGraph(prepared.project, { env: prepared.ports.env, extra: envFileOf(prepared) });
      this.#wholeGraph = graph;
      this.#watch(graph);
      isStarted = true;
      await this.#runRound(prepared, findTouched([before, graph], this.#unfinished));
    } catch (error) {
      // The user can correct a mistake in a file while watching goes on. Any other mistake ends the first round.
      const isInFile = error instanceof UserError && error.problems.some(({ at }) => at !== undefined);
      if (!(error instanceof UserError) || (isFirst && !isStarted && !isInFile)) throw error;
      if (!isStarted) this.#watch(buildBrokenGraph(reads, this.#graph));
      this.#say(maskByName(io.env)(describeProblems(error.problems, { color: this.#color })));
    }
    if (inbox.signal !== undefined) return;
    const files = [...(this.#graph?.paths ?? [])].filter((path) => existsSync(path));
    this.#say(`watching ${formatCount(files.length, 'file')}; Ctrl-C ends\n`);
  }

  #watch(graph: WatchGraph): void {
    this.#graph = graph;
    this.#options.watcher.watch(graph);
  }

  #say(text: string): void {
    this.#options.io.stderr.write(text);
  }

  async #runRound(prepared: PreparedRun, touched: ReadonlySet<string> | undefined): Promise<void> {
    const { io, inbox } = this.#options;
    const { explanation, quiet, values, mask, reporters, hasColor } = prepared;
    const isFirst = this.#lastRun === undefined;
    if (!quiet && isFirst) this.#say(mask(explanation));
    const outdated = inbox.expect((path) => this.holds(path));
    const finished: FinishedCell[] = [];
    const progress = openProgress(prepared.io, this.#color, quiet || !io.stderr.isTty);
    const options: RunOptions = { ...prepared.options, ...this.#resumeOf(touched) };
    try {
      const report = await runSuites(options, {
        ...prepared.ports,
        outdated,
        onProgress: (event) => {
          if (event.type === 'cell-finished') finished.push(event);
          progress.onEvent(event);
        },
      });
      progress.close();
      this.#lastRun = { runId: report.run.id, recordPath: resolve(io.cwd, report.run.recordPath ?? '') };
      if (outdated.aborted && inbox.signal === undefined) {
        const answers = finished.filter(({ status }) => status !== 'skipped').length;
        this.#say(`a file changed meanwhile: ${formatCount(answers, 'answer')} kept, the rest waits\n`);
        return;
      }
      this.#unfinished = new Set();
      const { requests } = reporters;
      const shown = isFirst ? requests : requests.map((request) => asRound(request, finished));
      await writeReports(report, shown, { io, mask, color: hasColor, quiet, verbose: values.verbose === true });
    } finally {
      progress.close();
    }
  }

  /** Errored cells run again only in suites that the change affects. */
  #resumeOf(touched: ReadonlySet<string> | undefined): Pick<RunOptions, 'resume'> {
    const last = this.#lastRun;
    if (last === undefined || !existsSync(last.recordPath)) return {};
    return { resume: { runId: last.runId, isTouched: (suite) => touched === undefined || touched.has(suite) } };
  }
}

/** The suites that changed files affect, before or after the change; undefined for all suites. */
function findTouched(
  graphs: readonly (WatchGraph | undefined)[],
  changed: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  const touched = new Set<string>();
  for (const graph of graphs) {
    const found = graph?.touchedBy(changed);
    if (graph !== undefined && found === undefined) return undefined;
    for (const suite of found ?? []) touched.add(suite);
  }
  return touched;
}

/** The terminal report shows only this round; every other report shows the whole run. */
function asRound(request: ReportRequest, finished: readonly FinishedCell[]): ReportRequest {
  if (request.name !== 'terminal') return request;
  const render = (report: Report, style: Parameters<typeof renderRound>[2]) => renderRound(report, finished, style);
  return { ...request, reporter: { ...request.reporter, render } };
}

function envFileOf({ values, ports }: PreparedRun): readonly string[] {
  return values.envFile === undefined ? [] : [resolve(ports.cwd, values.envFile)];
}

const maxNamed = 3;

function describeChange(changed: ReadonlySet<string>, { cwd, now }: Io): string {
  const names = [...changed].map((path) => toSafeLine(toSlashes(relative(cwd, path))));
  const time = now().toTimeString().slice(0, 8);
  return `${time}  ${listFirst(names, maxNamed)} changed`;
}

type FinishedCell = Extract<ProgressEvent, { readonly type: 'cell-finished' }>;

const maxPassed = 20;

/** Describes a round of a watched run: the cells that ran, their failures, and the decision over the whole run. */
function* renderRound(report: Report, finished: readonly FinishedCell[], style: ReportStyle): Iterable<string> {
  const colors = picocolors.createColors(style.color);
  const passed = finished.filter(({ status }) => status === 'passed');
  for (const { label } of style.quiet ? [] : passed.slice(0, maxPassed)) {
    yield `${breakWorkflowCommands(`${colors.green('✓')} ${toSafeLine(label)}`)}\n`;
  }
  if (!style.quiet && passed.length > maxPassed) {
    yield `… and ${formatCount(passed.length - maxPassed, 'more that passed', 'more that passed')}\n`;
  }
  const ran = new Set(finished.map(({ key }) => caseKey(key)));
  const suites = report.suites.map((suite) => ({
    ...suite,
    *cases(filter?: Parameters<typeof suite.cases>[0]) {
      for (const entry of suite.cases(filter)) if (ran.has(caseKey({ suite: suite.suite, ...entry }))) yield entry;
    },
  }));
  yield* renderBrief({ ...report, suites }, style);
  yield `${describeRound(report, finished)}\n`;
}

function describeRound({ totals, run }: Report, finished: readonly FinishedCell[]): string {
  if (finished.length === 0) return 'nothing had to run again';
  const cached = finished.filter((cell) => cell.cached).length;
  const kept = Math.max(0, totals.planned + totals.observed - new Set(finished.map(({ label }) => label)).size);
  const parts = [`ran ${formatCount(finished.length, 'cell')}`, `${cached} from the cache`, `kept ${kept}`];
  return `${parts.join(', ')}; took ${formatDuration(run.durationMs)}`;
}

type StopSignal = 'SIGINT' | 'SIGTERM';

/** Collects changed files and the signal to stop while a round runs. */
export interface Inbox {
  add(batch: ReadonlySet<string>): void;
  end(signal: StopSignal): void;
  readonly signal: StopSignal | undefined;
  /** Resolves to the relevant changes when there are some, or to the signal. */
  next(counts: (path: string) => boolean): Promise<ReadonlySet<string> | StopSignal>;
  /** Aborted once a change that counts arrives. */
  expect(counts: (path: string) => boolean): AbortSignal;
}

export function createInbox(): Inbox {
  let waiting = new Set<string>();
  let signal: StopSignal | undefined;
  let onArrival: () => void = () => undefined;
  return {
    add(batch) {
      for (const path of batch) waiting.add(path);
      onArrival();
    },
    end(received) {
      signal ??= received;
      onArrival();
    },
    get signal() {
      return signal;
    },
    next: (counts) =>
      new Promise((resolve) => {
        onArrival = () => {
          const found = [...waiting].filter(counts);
          // Other files are dropped. Otherwise the set would grow with every file of a build.
          waiting = new Set();
          if (signal === undefined && found.length === 0) return;
          onArrival = () => undefined;
          resolve(signal ?? new Set(found));
        };
        onArrival();
      }),
    expect(counts) {
      const controller = new AbortController();
      onArrival = () => {
        if ([...waiting].some(counts)) controller.abort();
      };
      return controller.signal;
    },
  };
}
