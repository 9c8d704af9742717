import type { Report, SuiteReport } from '../../model/report.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { describeRunSince, listErosion, maxRunsSince } from '../list-erosion.ts';
import { indentText, type Paint } from '../paint.ts';

/** The runs since the pin of each variant that fell below its pinned reference. */
export function* renderErosion(report: Report, { suite }: SuiteReport, paint: Paint): Iterable<string> {
  for (const { prompt, provider, source, message, since } of listErosion(report, suite)) {
    const { colors, verbose } = paint;
    const name = `${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
    yield* indentText(`${name} against ${toSafeLine(source)}: ${colors.yellow(toSafeLine(message))}`, paint, 2);
    const shown = verbose ? since : since.slice(-maxRunsSince);
    if (since.length > shown.length) {
      yield* indentText(colors.dim(`… and ${since.length - shown.length} earlier runs`), paint, 4);
    }
    for (const run of shown) {
      const { date, rate, change, commit } = describeRunSince(run);
      yield* indentText(
        `${date}  ${rate.padStart(7)}  ${toSafeLine(change)}  ${commit}  ${colors.dim(toSafeLine(run.run))}`,
        paint,
        4,
      );
    }
    yield '';
  }
}
