import picocolors from 'picocolors';
import type { Writable } from '../../json/defined.ts';
import type { CellCounts } from '../../model/run/cell.ts';
import type { OnProgress, ProgressEvent, RetryWait } from '../../model/run/progress.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { formatCount, formatDuration, formatUsd } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import type { Io } from '../io.ts';

/** The progress of a run on stderr, as its terminal and CI allow. */
export function openProgress({ stderr, env }: Io, color: boolean, quiet: boolean): ProgressView {
  return createProgressView({
    write: (text) => stderr.write(text),
    isTty: stderr.isTty && env['TERM'] !== 'dumb',
    columns: () => stderr.columns() ?? 80,
    now: () => performance.now(),
    color,
    ci: !['', '0', 'false'].includes(env['CI'] ?? ''),
    quiet,
  });
}

export interface ProgressOptions {
  /** Writes to stderr. */
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  readonly columns: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
  readonly color: boolean;
  /** A log that keeps every line: nothing is rewritten even if it claims to be a terminal. */
  readonly ci: boolean;
  readonly quiet?: boolean;
}

export interface ProgressView {
  readonly onEvent: OnProgress;
  /** Clears the line and gives the cursor back; safe to call twice. */
  readonly close: () => void;
}

/** Shows a run while it goes on: one line that rewrites itself on a terminal, a line every ten seconds elsewhere. */
export function createProgressView(options: ProgressOptions): ProgressView {
  if (options.quiet === true) return { onEvent: () => undefined, close: () => undefined };
  const state = startState(options.now());
  const surface = options.isTty && !options.ci ? createLiveLine(options) : createPlainLines(options);
  const colors = picocolors.createColors(options.color);
  return {
    onEvent(event) {
      count(state, event, options.now());
      switch (event.type) {
        case 'planned':
          return surface.begin(`${formatCount(event.cells, 'cell')} in ${formatCount(event.suites, 'suite')}`, state);
        case 'cell-finished': {
          const mark = { failed: colors.red('✗'), errored: colors.yellow('!'), passed: '', skipped: '' }[event.status];
          const reason = event.reason === undefined ? '' : ` ${event.reason}`;
          if (mark !== '') surface.failure(mark, `${event.label}${reason}`, state);
          return surface.update(state);
        }
        case 'provider-stopped':
          return surface.note(`${event.provider} stopped: ${event.failure.kind}: ${event.failure.message}`, state);
        case 'wait-started':
          return surface.wait(state);
        case 'wait-ended':
          return surface.update(state);
        case 'note':
          return surface.note(event.message, state);
        case 'finished':
          return surface.finish(state);
      }
    },
    close: () => surface.close(),
  };
}

interface ProgressState extends Writable<CellCounts> {
  startedMs: number;
  nowMs: number;
  /** Finished by an earlier part of the run. */
  kept: number;
  done: number;
  spentUsd: number;
  hasUnknownCost: boolean;
  failuresShown: number;
  /** The calls that wait to be sent again, in the order of their beginning. */
  readonly waits: Set<RetryWait>;
}

interface Surface {
  begin(line: string, state: ProgressState): void;
  update(state: ProgressState): void;
  /** Shows that a call waits. */
  wait(state: ProgressState): void;
  failure(mark: string, text: string, state: ProgressState): void;
  note(text: string, state: ProgressState): void;
  finish(state: ProgressState): void;
  close(): void;
}

const redrawMs = 100;
const plainLineMs = 10_000;
/** The most failures to print. If everything fails, more would flood the terminal. The report has them all. */
const maxFailures = 30;
const maxLogColumns = 200;
/** The least run time before the remaining time is shown. Earlier estimates are not steady. */
const minEtaMs = 3000;

function startState(nowMs: number): ProgressState {
  const counts = { passed: 0, failed: 0, errored: 0, skipped: 0, cached: 0, observed: 0, confirmations: 0 };
  return {
    planned: 0,
    kept: 0,
    done: 0,
    ...counts,
    startedMs: nowMs,
    nowMs,
    spentUsd: 0,
    hasUnknownCost: false,
    failuresShown: 0,
    waits: new Set(),
  };
}

function count(state: ProgressState, event: ProgressEvent, nowMs: number): void {
  state.nowMs = nowMs;
  if (event.type === 'planned') {
    state.planned = event.cells;
    state.kept = event.keptCells ?? 0;
    state.startedMs = nowMs;
  }
  if (event.type === 'wait-started') state.waits.add(event.wait);
  if (event.type === 'wait-ended') state.waits.delete(event.wait);
  if (event.type !== 'cell-finished') return;
  countCell(state, event);
  state.spentUsd += event.spentUsd ?? 0;
  // A request that was never sent costs nothing, even if its price is unknown.
  if (event.spentUsd === undefined && !event.cached && event.status !== 'skipped') state.hasUnknownCost = true;
}

/**
 * Counts a cell as the report does. Fresh trials are not part of the plan, and an observed cell's verdict does
 * not count.
 */
function countCell(state: ProgressState, { status, cached, row }: Extract<ProgressEvent, { type: 'cell-finished' }>) {
  if (row.confirmation === true) {
    state.confirmations += 1;
    return;
  }
  state.done += 1;
  if (row.observe === true) {
    state.observed += 1;
    return;
  }
  state[status] += 1;
  if (cached) state.cached += 1;
}

function createLiveLine({ write, columns, color }: ProgressOptions): Surface {
  const colors = picocolors.createColors(color);
  let isOpen = false;
  let drawnMs = Number.NEGATIVE_INFINITY;
  const room = (): number => Math.max(20, columns()) - 1;
  const draw = (state: ProgressState): void => {
    // The cursor is hidden while the line rewrites itself, or it would flicker.
    write(`${isOpen ? '' : hideCursor}${clearLine}${colors.dim(shortenToWidth(describeState(state), room()))}`);
    isOpen = true;
    drawnMs = state.nowMs;
  };
  const print = (mark: string, text: string, state: ProgressState): void => {
    const line = shortenToWidth(toSafeLine(text), room() - 2);
    write(`${isOpen ? clearLine : ''}${mark} ${line}\n`);
    draw(state);
  };
  const close = (): void => {
    if (isOpen) write(`${clearLine}${showCursor}`);
    isOpen = false;
  };
  return {
    begin: (_line, state) => draw(state),
    update: (state) => {
      if (state.nowMs - drawnMs >= redrawMs) draw(state);
    },
    wait: draw,
    failure: (mark, text, state) => {
      if (state.failuresShown < maxFailures) print(mark, text, state);
      else if (state.failuresShown === maxFailures) print('…', 'further failures are in the report', state);
      state.failuresShown += 1;
    },
    note: (text, state) => print(colors.yellow('·'), text, state),
    finish: close,
    close,
  };
}

function createPlainLines({ write, ci }: ProgressOptions): Surface {
  let printedMs = Number.NEGATIVE_INFINITY;
  const print = (line: string): void => write(`${toSafeLine(line)}\n`);
  const update = (state: ProgressState): void => {
    if (state.nowMs - printedMs < plainLineMs) return;
    printedMs = state.nowMs;
    print(describeState(state));
  };
  return {
    begin: (line, state) => {
      printedMs = state.nowMs;
      print(line);
    },
    update,
    // During a long wait there may be no other line.
    wait(state) {
      const [only, second] = state.waits;
      if (only === undefined || second !== undefined || only.waitMs < plainLineMs) return update(state);
      printedMs = state.nowMs;
      print(describeState(state));
    },
    // Only a log that is read while it grows needs failures. Captured output contains the report.
    failure(mark, text, state) {
      if (!ci) return;
      if (state.failuresShown < maxFailures) write(`${mark} ${shortenToWidth(toSafeLine(text), maxLogColumns)}\n`);
      else if (state.failuresShown === maxFailures) print('… further failures are in the report');
      state.failuresShown += 1;
    },
    note: print,
    finish: (state) => print(`${describeState(state)}, took ${formatDuration(state.nowMs - state.startedMs)}`),
    close: () => undefined,
  };
}

function describeState(state: ProgressState): string {
  const { planned, done, passed, failed, errored, skipped, cached, observed, confirmations, kept } = state;
  const parts = [`${done}/${planned}`, `${passed} passed`, `${failed} failed`, `${errored} errored`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (observed > 0) parts.push(`${observed} observed`);
  if (confirmations > 0) parts.push(formatCount(confirmations, 'fresh trial'));
  if (kept > 0) parts.push(`${kept} kept from before`);
  if (cached > 0) parts.push(`${cached} cached`);
  const spent = formatUsd(state.spentUsd);
  const unknown = state.spentUsd > 0 ? `${spent} + unknown` : 'unknown';
  parts.push(`spent ${state.hasUnknownCost ? unknown : spent}`);
  const leftMs = estimateLeftMs(state);
  if (leftMs !== undefined) parts.push(`about ${formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`);
  const longest = [...state.waits].toSorted((a, b) => b.waitMs - a.waitMs)[0];
  if (longest !== undefined) parts.push(describeWait(longest));
  return parts.join(', ');
}

/** `waiting 60 s for 127.0.0.1 (429)`. */
function describeWait({ waitMs, host, reason }: RetryWait): string {
  return `waiting ${Math.ceil(waitMs / 1000)} s for ${host} (${reason})`;
}

function estimateLeftMs({ planned, done, startedMs, nowMs }: ProgressState): number | undefined {
  const elapsedMs = nowMs - startedMs;
  if (elapsedMs < minEtaMs || done === 0 || done >= planned) return undefined;
  return (elapsedMs / done) * (planned - done);
}

const clearLine = '\r\u001b[2K';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
