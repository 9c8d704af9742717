import type { Report } from '../model/report.ts';
import { defineReporter } from './define.ts';
import { buildPageData } from './page-data.ts';
import { renderPageFoot, renderPageHead, renderPagePiece } from './page-document.ts';

export const html = defineReporter({
  summary: 'one self-contained page: verdict, cases × variants, each case with its answers, charts; nothing is fetched',
  extension: 'html',
  render: renderHtml,
});

/** Cases are written as they are read, so that the size of a run does not matter. */
function* renderHtml(report: Report): Iterable<string> {
  const suites = report.suites.map(({ suite }) => suite).join(', ');
  yield renderPageHead({
    title: `${report.decision.outcome}: ${suites === '' ? 'no suite' : suites} – llmcheck`,
    isServed: false,
  });
  for (const piece of buildPageData(report, { maxIndexCells })) {
    yield renderPagePiece(piece.kind === 'index' ? 'index' : `${piece.kind}-${piece.number}`, piece.json);
  }
  yield renderPageFoot();
}

/** Some hundred kilobytes of rows. */
const maxIndexCells = 1000;
