import { existsSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { buildBrokenGraph, buildWatchGraph, type WatchGraph } from '../changes/watch-graph.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { ProgressEvent } from '../model/progress.ts';
import type { Report } from '../model/report.ts';
import type { RunOptions } from '../plan/run-options.ts';
import { createReadLog } from '../project/load-project.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { runSuites } from '../run/run.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { describeProblems } from './describe-problems.ts';
import type { FileWatcher, Io } from './io.ts';
import { maskByName } from './mask-io.ts';
import { openProgress } from './open-progress.ts';
import { type PreparedRun, prepareRun } from './prepare-run.ts';
import { renderRound } from './render-round.ts';
import { resolveRun } from './resolve-run.ts';
import { wantsColor } from './style.ts';
import { createWatchInbox, type WatchInbox } from './watch-inbox.ts';
import { type ReportRequest, writeReports } from './write-reports.ts';

type Flags = Readonly<Record<string, unknown>>;

/**
 * `llmcheck run --watch`: a run, and after each change a round that goes on in the same record: it keeps every verdict
 * that the change left as it was, and asks for the others.
 */
export async function watchCommand(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  checkFlags(flags, io);
  const inbox = createWatchInbox();
  const stopListening = io.onSignal((signal) => inbox.end(signal));
  const watcher = await openWatcher(io, inbox);
  const session = createSession({ paths, flags, io, inbox, watcher });
  try {
    for (let changed: ReadonlySet<string> = new Set(); ; ) {
      await session.round(changed);
      const next = await inbox.next((path) => session.holds(path));
      if (typeof next === 'string') return next === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm;
      changed = next;
    }
  } finally {
    stopListening();
    await watcher.close();
  }
}

/** What is wrong with the flags themselves no save of a file can mend. */
function checkFlags(flags: Flags, io: Io): void {
  const { values } = resolveRun({}, { flags, env: io.env, cwd: io.cwd, root: findProjectRoot(io.cwd, undefined) });
  for (const key of ['dryRun', 'batch', 'resume', 'updateBaseline'] as const) {
    if (values[key] === undefined || values[key] === false) continue;
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw usageError(`--watch and ${flag} can't go together`, 'leave one of them out');
  }
}

function openWatcher(io: Io, inbox: WatchInbox): Promise<FileWatcher> {
  if (io.openWatcher === undefined) throw usageError('--watch: files can not be watched here', 'leave --watch out');
  return io.openWatcher((batch) => inbox.add(batch));
}

function usageError(message: string, hint: string): UserError {
  return new UserError([{ code: 'usage', severity: 'error', message, hint }]);
}

interface SessionOptions {
  readonly paths: readonly string[];
  readonly flags: Flags;
  readonly io: Io;
  readonly inbox: WatchInbox;
  readonly watcher: FileWatcher;
}

interface Session {
  /** Runs what the changed files touch; everything the first time. */
  round(changed: ReadonlySet<string>): Promise<void>;
  /** True for a file that something hangs on. */
  holds(path: string): boolean;
}

function createSession({ paths, flags, io, inbox, watcher }: SessionOptions): Session {
  const color = wantsColor(io.stderr, io.env, flags['color'] !== false);
  const say = (text: string): void => io.stderr.write(text);
  let graph: WatchGraph | undefined;
  /** Of the last load without mistakes. */
  let wholeGraph: WatchGraph | undefined;
  let last: { readonly runId: string; readonly recordPath: string } | undefined;
  /** What changed since the last round that came to its end. */
  let open = new Set<string>();

  async function round(changed: ReadonlySet<string>): Promise<void> {
    const isFirst = graph === undefined;
    if (!isFirst) say(`\n${describeChange(changed, io)}\n`);
    for (const path of changed) open.add(path);
    const reads = createReadLog();
    let isStarted = false;
    try {
      const prepared = await prepareRun(paths, flags, io, { reads });
      const before = wholeGraph;
      wholeGraph = buildWatchGraph(prepared.project, { env: prepared.env, extra: envFileOf(prepared, io) });
      graph = wholeGraph;
      watcher.watch(graph);
      isStarted = true;
      await runRound(prepared, touchedSuites([before, graph], open));
    } catch (error) {
      if (!(error instanceof UserError) || (isFirst && !isStarted && !isInFile(error))) throw error;
      if (!isStarted) {
        graph = buildBrokenGraph(reads, graph);
        watcher.watch(graph);
      }
      say(maskByName(io.env)(describeProblems(error.problems, { color })));
    }
    if (inbox.signal === undefined)
      say(
        `watching ${count([...(graph?.paths ?? [])].filter((path) => existsSync(path)).length, 'file')}; Ctrl-C ends\n`,
      );
  }

  async function runRound(prepared: PreparedRun, touched: ReadonlySet<string> | undefined): Promise<void> {
    const { explanation, quiet, values, mask, reporters } = prepared;
    if (!quiet && last === undefined) say(mask(explanation));
    const outdated = inbox.expect((path) => graph?.holds(path) === true);
    const finished: CellFinished[] = [];
    const progress = openProgress(prepared.io, color, quiet || !io.stderr.isTty);
    const options: RunOptions = { ...prepared.options, ...resumeOf(touched) };
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
      const isFirst = last === undefined;
      last = { runId: report.run.id, recordPath: resolve(io.cwd, report.run.recordPath ?? '') };
      if (outdated.aborted && inbox.signal === undefined) {
        say(`a file changed meanwhile: ${count(finished.filter(isAnswered).length, 'answer')} kept, the rest waits\n`);
        return;
      }
      open = new Set();
      const requests = isFirst ? reporters.requests : reporters.requests.map((request) => asRound(request, finished));
      const verbose = values['verbose'] === true;
      await writeReports(report, requests, { io, mask, color: flags['color'] !== false, quiet, verbose });
    } finally {
      progress.close();
    }
  }

  /** Cells that errored are asked again only in suites that the change touches. */
  function resumeOf(touched: ReadonlySet<string> | undefined): Pick<RunOptions, 'resume'> {
    if (last === undefined || !existsSync(last.recordPath)) return {};
    const isTouched = (suite: string): boolean => touched === undefined || touched.has(suite);
    return { resume: { runId: last.runId, isTouched } };
  }

  return { round, holds: (path) => graph?.holds(path) === true };
}

type CellFinished = Extract<ProgressEvent, { readonly type: 'cell-finished' }>;

function isAnswered({ status }: CellFinished): boolean {
  return status !== 'skipped';
}

/** By the suites as they were and as they are. */
function touchedSuites(
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

/** Mistakes in a file can be mended while watching goes on. */
function isInFile({ problems }: UserError): boolean {
  return problems.some(({ at }) => at !== undefined);
}

/** The report for people shows what ran in this round; every other one is of the whole. */
function asRound(request: ReportRequest, finished: readonly CellFinished[]): ReportRequest {
  if (request.name !== 'terminal') return request;
  const render = (report: Report, style: Parameters<typeof renderRound>[2]) => renderRound(report, finished, style);
  return { ...request, reporter: { ...request.reporter, render } };
}

function envFileOf({ values }: PreparedRun, { cwd }: Io): readonly string[] {
  return typeof values['envFile'] === 'string' ? [resolve(cwd, values['envFile'])] : [];
}

const maxNamed = 3;

function describeChange(changed: ReadonlySet<string>, { cwd, now }: Io): string {
  const names = [...changed].map((path) => toSafeLine(relative(cwd, path).split(sep).join('/')));
  const more = names.length - maxNamed;
  const time = now().toTimeString().slice(0, 8);
  return `${time}  ${names.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''} changed`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
