import { defined } from '../json/defined.ts';
import type { Report, ReportStyle } from '../model/report/report.ts';
import type { ReporterPlugin } from '../model/suite/plugin.ts';
import { type ApiContext, contextKeys, type Keys, openContext, refuseUnknown } from './options.ts';

export interface CompareRecordsOptions extends ApiContext {
  /** `git:REF`, a baseline or record file, a run id, or a prompt version of the latest run. */
  readonly baseline: string;
  /** The same; a prompt version where the baseline is one. */
  readonly candidate: string;
  /** Only these suites, by id; default: all that both hold. */
  readonly suites?: readonly string[];
  /** The run that holds the prompt versions; default: the latest. */
  readonly run?: string;
  readonly requireConclusive?: boolean;
}

const compareRecordsKeys: Keys<CompareRecordsOptions> = {
  ...contextKeys,
  baseline: true,
  candidate: true,
  suites: true,
  run: true,
  requireConclusive: true,
};

/** Compares two stored runs, baselines or prompt versions as `llmcheck compare` does, without a call. */
export async function compareRecords(options: CompareRecordsOptions): Promise<Report> {
  refuseUnknown(options, compareRecordsKeys, 'compareRecords');
  const [{ compareRecords: compare }, { findProjectRoot }, { distrustCommittedState }, { isUnderCi }] =
    await Promise.all([
      import('../assessing/compare-records.ts'),
      import('../project/project-paths.ts'),
      import('../project/committed-state.ts'),
      import('../files/state-folder.ts'),
    ]);
  const context = openContext(options);
  const root = findProjectRoot(context.cwd, options.config);
  const { env } = context;
  const baseline = env['LLMCHECK_BASELINE'];
  const warning = isUnderCi(env) ? distrustCommittedState({ root, env, baseline }) : undefined;
  const report = await compare({
    ...context,
    sides: [options.baseline, options.candidate],
    suites: options.suites ?? [],
    ...defined({ run: options.run }),
    requireConclusive: options.requireConclusive === true,
    root,
  });
  return warning === undefined ? report : { ...report, notes: [warning.message, ...report.notes] };
}

const styleKeys: Keys<ReportStyle> = {
  linksFrom: true,
  pageUrl: true,
  color: true,
  width: true,
  verbose: true,
  quiet: true,
};

/** Renders a report in a built-in format or by a reporter of your own, in chunks; defaults: no colour, 80 columns. */
export async function renderReport(
  report: Report,
  format: string | Pick<ReporterPlugin, 'render'>,
  style: Partial<ReportStyle> = {},
): Promise<Iterable<string>> {
  refuseUnknown(style, styleKeys, 'renderReport');
  const whole: ReportStyle = { color: false, width: 80, verbose: false, quiet: false, ...style };
  if (typeof format !== 'string') return format.render(report, whole);
  const { reporters } = await import('../reports/index.ts');
  const reporter = Object.hasOwn(reporters, format) ? reporters[format] : undefined;
  if (reporter === undefined)
    throw new RangeError(`there is no reporter "${format}"; there are: ${Object.keys(reporters).join(', ')}`);
  return reporter.render(report, whole);
}
