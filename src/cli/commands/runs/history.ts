import picocolors from 'picocolors';
import { readHistory } from '../../../history/read-history.ts';
import { defined } from '../../../json/defined.ts';
import type { CaseHistory, FlakeHistory, History, HistoryPoint, SuiteHistory } from '../../../model/report/history.ts';
import type { ReportStyle } from '../../../model/report/report.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { shortenToWidth } from '../../../terminal/display-width.ts';
import { renderPlainTable } from '../../../terminal/plain-table.ts';
import { formatCount, formatDuration, formatPercent, formatUsd, percentOf } from '../../../text/format-amount.ts';
import { breakWorkflowCommands, toSafeLine } from '../../../text/sanitize.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import type { Io } from '../../io.ts';
import { collectSplit, parseRequests, writeReportsOnly } from '../../output/reports.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly suite: readonly string[];
  readonly limit: string;
  readonly recent?: string;
  readonly cases?: boolean;
  readonly reporter: string;
  readonly config?: string;
  readonly color: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: every suite that a stored run holds)')
    .option('-s, --suite <id>', 'only these suites (repeatable)', collectSplit, [])
    .option('-n, --limit <n>', 'the latest n runs', '50')
    .option('--recent <n>', 'compare the latest n of them with those before (default: half)')
    .option('--cases', 'every case, not only those whose flake rate changed')
    .option('-r, --reporter <name[=path]>', 'terminal or json', 'terminal')
    .option('-c, --config <file>', 'config file')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck history\n  $ llmcheck history evals/triage.eval.yaml --limit 20 --cases\n  $ llmcheck history -r json=history.json',
    )
    .action(async (paths: string[], flags: Flags) => exit(await showHistory(paths, flags, io)));
};

async function showHistory(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const formats = {
    terminal: {
      extension: 'txt',
      render: (history: History, style: ReportStyle) =>
        renderHistory(history, { ...style, allCases: flags.cases === true }),
    },
    json: { extension: 'json', render: (history: History) => [`${JSON.stringify(history, undefined, 1)}\n`] },
  };
  const reader = openFlagReader();
  const { requests, problems } = parseRequests([flags.reporter], formats);
  for (const { message, hint } of problems) reader.refuse(message, hint);
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER };
  const limit = reader.readCount('--limit', flags.limit, range);
  const recent = flags.recent === undefined ? undefined : reader.readCount('--recent', flags.recent, range);
  reader.check();
  const history = readHistory({
    root: findProjectRoot(io.cwd, flags.config ?? io.env['LLMCHECK_CONFIG']),
    cwd: io.cwd,
    paths,
    suites: flags.suite,
    limit,
    ...defined({ recent }),
  });
  for (const { message } of history.damaged) io.stderr.write(`warning: a run is left out: ${message}\n`);
  // A report file replaces the report on the terminal.
  const wanted = requests.filter(({ name, path }) => path !== undefined || name === flags.reporter);
  return writeReportsOnly(history, wanted, { io, color: flags.color });
}

export interface HistoryStyle extends ReportStyle {
  readonly allCases: boolean;
}

/** Tables of suites and variants over time, and the cases whose flake rate changed. */
export function* renderHistory(history: History, style: HistoryStyle): Iterable<string> {
  for (const line of renderSuites(history, style)) yield `${breakWorkflowCommands(line).trimEnd()}\n`;
}

function* renderSuites(history: History, style: HistoryStyle): Iterable<string> {
  const colors = picocolors.createColors(style.color);
  const dates = new Map(history.runs.map(({ id, startedAt }) => [id, startedAt.slice(0, 10)]));
  for (const suite of history.suites) {
    const title = `${colors.bold(toSafeLine(suite.suite))}  ${colors.dim(toSafeLine(suite.path))}`;
    yield title;
    yield `  ${describeSpan(suite, dates)}`;
    yield '';
    const rows = [
      ...(suite.variants.length > 1 ? [rowOf('all', suite.points, style)] : []),
      ...suite.variants.map(({ prompt, provider, points }) => rowOf(`${prompt} × ${provider}`, points, style)),
    ];
    yield* renderTable(['variant', 'pass rate', 'range', 'latest', 'cost', 'p50', 'flakes'], rows, style);
    yield '';
    yield* renderTrends(suite, style);
    yield* renderChanges(suite, dates, style);
    if (style.allCases) yield* renderCases(suite, style);
  }
}

function describeSpan({ points, partialRuns }: SuiteHistory, dates: ReadonlyMap<string, string>): string {
  const [first, last] = [points[0], points.at(-1)].map((point) => dates.get(point?.run ?? ''));
  const whole = points.length === 0 ? 'no whole run' : `${formatCount(points.length, 'run')}, ${first} to ${last}`;
  const breaks = points.filter(({ redefined }) => redefined).length;
  const parts = [
    ...(breaks === 0 ? [] : [`${formatCount(breaks, 'break')} (│) where prompts or cases changed`]),
    ...(partialRuns === 0 ? [] : [`${formatCount(partialRuns, 'filtered run')} left out of the rates`]),
  ];
  return [whole, ...parts].join('; ');
}

function rowOf(name: string, points: readonly HistoryPoint[], style: ReportStyle): readonly string[] {
  const last = points.at(-1);
  const line = sparkline(
    points.map(({ passRate, redefined }) => ({ value: passRate.value, isBroken: redefined })),
    sparkWidth(style),
  );
  return [
    shortenToWidth(toSafeLine(name), nameWidth(style)),
    line,
    formatRange(points),
    last === undefined ? unknown : formatRate(last),
    last?.costUsd == null ? unknown : formatUsd(last.costUsd),
    last?.latencyMs.p50 == null ? unknown : formatDuration(last.latencyMs.p50),
    last?.flakeRate == null ? unknown : formatPercent(last.flakeRate),
  ];
}

const unknown = '–';

function sparkWidth({ width }: ReportStyle): number {
  return Math.max(8, Math.min(40, width - 72));
}

function nameWidth({ width }: ReportStyle): number {
  return Math.max(12, Math.min(40, width - 66));
}

/** The table of cases has fewer columns than the table of variants. */
function caseWidth(style: ReportStyle): number {
  return Math.max(12, Math.min(60, style.width - 41 - sparkWidth(style)));
}

/** The lowest and the highest value of the sparkline. */
function formatRange(points: readonly HistoryPoint[]): string {
  const values = points.flatMap(({ passRate }) => passRate.value ?? []);
  if (values.length === 0) return unknown;
  return `${percentOf(Math.min(...values))}–${percentOf(Math.max(...values))}`;
}

function formatRate({ passRate: { value, low, high } }: HistoryPoint): string {
  if (value === null) return unknown;
  const interval = low === null || high === null ? '' : ` [${percentOf(low)}–${percentOf(high)}]`;
  return `${formatPercent(value)}${interval}`;
}

function* renderTrends({ variants, points }: SuiteHistory, style: HistoryStyle): Iterable<string> {
  if (points.length < 2) return;
  const colors = picocolors.createColors(style.color);
  for (const { prompt, provider, trend } of variants) {
    const name = shortenToWidth(toSafeLine(`${prompt} × ${provider}`), nameWidth(style));
    yield `  ${name}: ${trend.direction === 'falls' ? colors.yellow(trend.message) : trend.message}`;
  }
  yield '';
}

function* renderChanges(
  { cases, points }: SuiteHistory,
  dates: ReadonlyMap<string, string>,
  style: HistoryStyle,
): Iterable<string> {
  if (points.length < 2) return;
  const tested = cases.filter(({ flakes }) => flakes.change !== undefined);
  const named = tested.filter(({ flakes }) => flakes.change?.isNamed === true);
  if (tested.length === 0) {
    yield '  too few answers to say whether flake rates changed (repeated answers do not count)';
  } else if (named.length === 0) {
    yield `  no flake rate is shown to have changed (${formatCount(tested.length, 'case')} tested)`;
  } else {
    yield `  flake rate changed (${named.length} of ${formatCount(tested.length, 'case')} tested, 5 % false discoveries):`;
  }
  for (const entry of named) {
    for (const line of describeChange(entry, dates))
      yield `    ${shortenToWidth(toSafeLine(line), Math.max(40, style.width - 4))}`;
  }
  yield '';
}

function describeChange(
  { caseId, prompt, provider, flakes: { change } }: CaseHistory,
  dates: ReadonlyMap<string, string>,
): readonly string[] {
  if (change === undefined) return [];
  const { before, after, adjustedP } = change;
  const rates = [before, after].map(
    ({ pairs, disagreements }) => `${formatPercent(disagreements / pairs)} of ${pairs} pairs`,
  );
  const p = adjustedP < 0.001 ? 'p < 0.001' : `p ${adjustedP.toFixed(3)}`;
  return [
    `${caseId} · ${prompt} × ${provider}`,
    `  ${rates.join(' → ')} since ${dates.get(change.since) ?? change.since} (${p})`,
  ];
}

function* renderCases({ cases }: SuiteHistory, style: HistoryStyle): Iterable<string> {
  const rows = cases.map(({ caseId, prompt, provider, status, points, flakes }) => {
    const [passed, judged] = points.reduce(([p, j], point) => [p + point.passed, j + point.judged], [0, 0]);
    const line = sparkline(
      points.map((point) => ({
        value: point.judged === 0 ? null : point.passed / point.judged,
        isBroken: point.redefined,
      })),
      sparkWidth(style),
    );
    const name = shortenToWidth(toSafeLine(`${caseId} · ${prompt} × ${provider}`), caseWidth(style));
    return [name, line, status, `${passed}/${judged}`, formatFlakes(flakes)];
  });
  yield* renderTable(['case', 'passed', 'latest', 'trials', 'flakes'], rows, style);
  yield '';
}

function formatFlakes({ rate, pairs }: FlakeHistory): string {
  return rate === null ? unknown : `${formatPercent(rate)} of ${pairs}`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[], style: ReportStyle): string[] {
  if (rows.length === 0) return [];
  const colors = picocolors.createColors(style.color);
  return renderPlainTable([head, ...rows], { padding: { left: 0, right: 2 } }).map(
    (line, index) => `  ${index === 0 ? colors.dim(line) : line}`,
  );
}

const levels = '▁▂▃▄▅▆▇█';

interface SparkPoint {
  /** In [0, 1]; null if there is nothing to show. */
  readonly value: number | null;
  /** True if it can't be compared with the point before. */
  readonly isBroken: boolean;
}

/** The least span of the scale, so that noise does not look like a large change. */
const leastSpan = 0.1;

/**
 * One character for each value, scaled from the lowest to the highest. Keeps the latest values if space is short.
 * Values that are close together are scaled to a span of 0.1 around them, within 0 and 1. A bar marks a break.
 */
function sparkline(points: readonly SparkPoint[], width: number): string {
  const values = points.flatMap(({ value }) => value ?? []);
  const [low, high] = widen(Math.min(...values), Math.max(...values));
  const markOf = (value: number | null): string => {
    if (value === null) return '·';
    const level = Math.floor(((value - low) / (high - low)) * levels.length);
    return levels[Math.min(levels.length - 1, level)] ?? '·';
  };
  const parts: string[] = [];
  let used = 0;
  for (const { value, isBroken } of points.toReversed()) {
    const part = isBroken ? `│${markOf(value)}` : markOf(value);
    if (used + part.length > width) break;
    used += part.length;
    parts.push(part);
  }
  return parts.reverse().join('').replace(/^│/, '');
}

function widen(low: number, high: number): readonly [low: number, high: number] {
  if (high - low >= leastSpan) return [low, high];
  const start = Math.min(1 - leastSpan, Math.max(0, (low + high - leastSpan) / 2));
  return [start, start + leastSpan];
}
