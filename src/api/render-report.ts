import type { ReporterPlugin } from '../model/plugin.ts';
import type { Report, ReportStyle } from '../model/report.ts';
import { type Keys, refuseUnknown } from './refuse-unknown.ts';

const styleKeys: Keys<ReportStyle> = { linksFrom: true, color: true, width: true, verbose: true, quiet: true };

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
