import type { Report } from '../../model/report.ts';
import { describeRunSince, listErosion, maxRunsSince } from '../list-erosion.ts';
import { codeCell, codeSpan, type Section, tableHead, tableRow } from './text.ts';

const nameColumns = 100;

/** The runs since the pin of each variant that fell below its pinned reference. */
export function erosionSections(report: Report): readonly Section[] {
  return report.suites.flatMap(({ suite }) =>
    listErosion(report, suite).map(({ prompt, provider, source, since }) => ({
      head: `### Erosion of ${codeSpan(`${suite} · ${prompt} × ${provider}`, nameColumns)} against ${codeSpan(source, nameColumns)}\n\n${tableHead(['date', 'pass rate', 'change', 'commit', 'run'])}`,
      items: since.slice(-maxRunsSince).map((run) => () => {
        const { date, rate, change, commit } = describeRunSince(run);
        return tableRow([
          date,
          rate,
          codeCell(change, nameColumns),
          codeCell(commit, nameColumns),
          codeCell(run.run, nameColumns),
        ]);
      }),
      tail: '\n',
      noun: 'runs since the pin',
    })),
  );
}
