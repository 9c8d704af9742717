import { normalize, resolve } from 'node:path';
import type { Command } from 'commander';
import { replaceFile, StorageError } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import { exitCodes } from '../../model/comparison/exit-code.ts';
import { type Problem, UserError, usageProblem } from '../../model/problem.ts';
import type { Report, ReportStyle } from '../../model/report/report.ts';
import type { LoadedPlugin } from '../../model/suite/own-code.ts';
import { type Plugin, pluginsOf } from '../../model/suite/plugin.ts';
import { findProjectRoot, openRepositoryPaths } from '../../project/project-paths.ts';
import { reporters } from '../../reports/index.ts';
import type { RepositoryPaths } from '../../reports/reporter.ts';
import { describeThrown } from '../../text/deadline.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import type { Io } from '../io.ts';
import { styleFor } from './style.ts';

/** A format of some kind of report. */
interface Format<R> {
  readonly extension: string;
  readonly locate?: (report: R, paths: RepositoryPaths) => R;
  render(report: R, style: ReportStyle): Iterable<string>;
}

export interface ReportRequest<R = Report> {
  readonly name: string;
  readonly reporter: Format<R>;
  /** Undefined: stdout. */
  readonly path?: string;
}

export interface ParsedReporters<R> {
  readonly requests: readonly ReportRequest<R>[];
  readonly problems: readonly Problem[];
}

/** Flags of the commands that report on stored records. */
export interface ReportFlags {
  readonly reporter: readonly string[];
  readonly config?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
}

export function addReportFlags(command: Command, verboseText = 'every failing case, with its whole answer'): void {
  command
    .option('-r, --reporter <name[=path]>', 'report format (repeatable)', collect, [])
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'only the verdict and what failed')
    .option('--verbose', verboseText)
    .option('--no-color', 'no colour');
}

/** Collects the values of a repeatable option. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** `collect` for values that may be lists with commas. */
export function collectSplit(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, ...value.split(',')];
}

/** Reads `--reporter`. Loads the project's plug-ins only if a name is not built in. */
export async function readReporters({ reporter, config }: ReportFlags, { cwd }: Io): Promise<readonly ReportRequest[]> {
  const builtIn = parseReporters(reporter);
  if (builtIn.problems.length === 0) return builtIn.requests;
  // A dynamic import, because most names are built in and a project takes time to load.
  const { loadPlugins } = await import('../../project/load-project.ts');
  const plugins = await loadPlugins({ cwd, ...defined({ configPath: config }) });
  return requestsOf(parseReporters(reporter, plugins));
}

/** Throws a `UserError` if a reporter can't be used. */
export function requestsOf<R>({ requests, problems }: ParsedReporters<R>): readonly ReportRequest<R>[] {
  if (problems.length > 0) throw new UserError(problems);
  return requests;
}

/** Reads `name` and `name=path`. A report without a path, or with the path `-`, replaces the terminal report. */
export function parseReporters(
  texts: readonly string[],
  plugins: readonly LoadedPlugin<Plugin>[] = [],
): ParsedReporters<Report> {
  const own = pluginsOf(plugins, 'reporter').map(({ plugin }) => [plugin.name, plugin] as const);
  return parseRequests(texts, own.length === 0 ? reporters : { ...reporters, ...Object.fromEntries(own) });
}

/** `parseReporters` for reports of another kind. */
export function parseRequests<R>(
  texts: readonly string[],
  formats: Readonly<Record<string, Format<R>>>,
): ParsedReporters<R> {
  const requests: ReportRequest<R>[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const [, name = '', given] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
    const path = given === '-' ? undefined : given;
    const reporter = Object.hasOwn(formats, name) ? formats[name] : undefined;
    if (reporter === undefined) {
      problems.push(usageProblem(`--reporter ${text}: there is no reporter "${name}"`, hintOfReporter(name, formats)));
    } else if (path === '') {
      problems.push(
        usageProblem(`--reporter ${text}: the path is empty`, `write ${name}=report.${reporter.extension}`),
      );
    } else if (path !== undefined && ownFile.test(path)) {
      const message = `--reporter ${text}: the report would replace a file that llmcheck reads`;
      problems.push(usageProblem(message, `write ${name}=report.${reporter.extension}`));
    } else {
      requests.push({ name, reporter, ...defined({ path }) });
    }
  }
  const onStdout = requests.filter(({ path }) => path === undefined);
  if (onStdout.length > 1) {
    const names = onStdout.map(({ name }) => name).join(' and ');
    problems.push(
      usageProblem(`--reporter: ${names} would both write to stdout`, 'give all but one a path: junit=report.xml'),
    );
  }
  const paths = requests.flatMap(({ path }) => (path === undefined ? [] : normalize(path)));
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    problems.push(usageProblem(`--reporter: two reports would be written to ${twice}`, 'give each a path of its own'));
  }
  if (onStdout.length === 0 && formats['terminal'] !== undefined) {
    requests.unshift({ name: 'terminal', reporter: formats['terminal'] });
  }
  return { requests, problems };
}

function hintOfReporter(name: string, formats: Readonly<Record<string, { readonly extension: string }>>): string {
  const names = Object.keys(formats);
  const ending = /\.(\w+)$/.exec(name)?.[1] ?? '';
  // A path alone was written.
  const meant = names.find((other) => other === ending) ?? names.find((other) => formats[other]?.extension === ending);
  if (meant !== undefined) return `write ${meant}=${name}`;
  return didYouMean(name, names) ?? `there are: ${names.join(', ')}`;
}

/** Files that a report must not overwrite: suites, files beside them, and the config. */
const ownFile = /\.eval\.ya?ml$|\.(?:baseline|reference)\.jsonl$|\.(?:judges|cover)\.json$|llmcheck\.config\.yaml$/;

export interface WriteOptions {
  readonly io: Io;
  /** Absent for stored records: they were masked when they were written. */
  readonly mask?: (text: string) => string;
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** The config file that a flag names. */
  readonly config?: string;
  /** True if the time for reports is over. The terminal report has the verdict, and is written all the same. */
  readonly isOverdue?: () => boolean;
}

/**
 * Writes every report; returns false if one failed. A report that fails gives a warning and affects neither the others
 * nor the decision, whatever it throws: a reporter may come from a plug-in.
 */
export async function writeReports<R>(
  report: R,
  requests: readonly ReportRequest<R>[],
  options: WriteOptions,
): Promise<boolean> {
  const { io, mask = (text: string) => text } = options;
  let isWhole = true;
  for (const { name, reporter, path } of requests) {
    try {
      const isLate = () => name !== 'terminal' && options.isOverdue?.() === true;
      if (isLate()) throw new LateReportError();
      // A plug-in may return a promise, which rejects later than a `catch` without `await` would see.
      const rendered: unknown = reporter.render(
        locate(report, reporter, options),
        styleFor(io, options, path !== undefined),
      );
      const texts = checkedTexts(await rendered, mask, isLate);
      if (path === undefined) for (const text of texts) io.stdout.write(text);
      else replaceFile(resolve(io.cwd, path), texts);
    } catch (error) {
      isWhole = false;
      const reason = toSafeLine(mask(describeFailure(error)));
      io.stderr.write(`warning: the ${name} report could not be written to ${path ?? 'stdout'}: ${reason}\n`);
    }
  }
  return isWhole;
}

/** Makes paths relative to the repository, if the format wants that and there is one. */
function locate<R>(report: R, { locate: locateIn }: Format<R>, { io, config }: WriteOptions): R {
  if (locateIn === undefined) return report;
  const root = findProjectRoot(io.cwd, config);
  const paths = openRepositoryPaths({ cwd: io.cwd, root, env: io.env });
  return paths === undefined ? report : locateIn(report, paths);
}

/** `writeReports` for commands that only write reports. Exit code 2 if one could not be written. */
export async function writeReportsOnly<R>(
  report: R,
  requests: readonly ReportRequest<R>[],
  options: WriteOptions,
): Promise<number> {
  return (await writeReports(report, requests, options)) ? exitCodes.passed : exitCodes.usage;
}

/** `writeReports` for commands that decide about stored records: returns the exit code of the decision. */
export async function writeDecision<R extends { readonly exitCode: number }>(
  report: R,
  requests: readonly ReportRequest<R>[],
  options: WriteOptions,
): Promise<number> {
  // The reporter of a plug-in receives the report itself, and must not change the decision.
  const { exitCode } = report;
  await writeReports(report, requests, options);
  return exitCode;
}

/** Omits the name of the error's class, which does not help a user. */
function describeFailure(error: unknown): string {
  if (error instanceof StorageError) return error.reason;
  if (!(error instanceof Error)) return `the reporter threw ${describeThrown(error)}`;
  const thrownMessage = describeThrown(error).replace(/^[\w$]*: ?/, '');
  return thrownMessage === '' ? 'the reporter threw an error without a message' : thrownMessage;
}

class LateReportError extends Error {
  constructor() {
    super('the time for reports after the deadline was over (--deadline); llmcheck report writes them from the record');
    this.name = 'LateReportError';
  }
}

function* checkedTexts(chunks: unknown, mask: (text: string) => string, isLate: () => boolean): Iterable<string> {
  if (typeof chunks === 'string' || !isIterable(chunks)) throw new TypeError('render must return a list of texts');
  for (const chunk of chunks) {
    if (typeof chunk !== 'string') throw new TypeError('render must return texts, and one part is not a text');
    if (isLate()) throw new LateReportError();
    yield mask(chunk);
  }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
