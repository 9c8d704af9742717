import type { Report, ReportStyle } from '../model/report.ts';
import { breakWorkflowCommands, toSafeLine } from '../text/sanitize.ts';
import { warningsBesideContracts } from './beside-contracts.ts';
import { defineReporter } from './define.ts';
import { describeCounts } from './describe-decision.ts';
import { createPaint, indentText, type Paint } from './paint.ts';
import { listCases, renderCases, renderSkipped } from './terminal-cases.ts';
import { renderComparison, renderMissingBaselines } from './terminal-comparison.ts';
import { renderContracts } from './terminal-contracts.ts';
import { renderDecision, renderTotals } from './terminal-decision.ts';
import { renderVariantTable } from './terminal-table.ts';

export const terminal = defineReporter({
  summary: 'tables, failing cases with what was found, and the decision in words',
  extension: 'txt',
  render: renderTerminal,
});

function* renderTerminal(report: Report, style: ReportStyle): Iterable<string> {
  const paint = createPaint(style);
  for (const line of style.quiet ? renderQuiet(report, paint) : renderWhole(report, paint)) {
    // Every part is safe by itself, but a wrapped line may begin where no text did.
    yield `${breakWorkflowCommands(line).trimEnd()}\n`;
  }
}

function* renderWhole(report: Report, paint: Paint): Iterable<string> {
  const listing = listCases(report, paint);
  for (const suite of report.suites) {
    const path = suite.path === '' ? '' : `  ${paint.colors.dim(toSafeLine(suite.path))}`;
    yield* indentText(`${paint.colors.bold(toSafeLine(suite.suite))}${path}`, paint, 0);
    yield '';
    if (suite.variants.length > 0) {
      yield* renderVariantTable(suite, paint);
      yield '';
    }
    const comparisons = [
      ...suite.variants.flatMap((variant) => renderComparison(report, suite, variant, paint)),
      ...renderMissingBaselines(report, suite, paint),
    ];
    yield* comparisons;
    if (comparisons.length > 0) yield '';
    yield* renderContracts(report, suite, paint);
    yield* renderCases(listing, suite);
    const skipped = renderSkipped(report, suite, paint);
    yield* skipped;
    if (skipped.length > 0) yield '';
  }
  yield* renderTotals(report, paint);
  yield* renderDecision(report, warningsBesideContracts(report), paint);
}

/** Failures and the decision, for a log that is read only when something is wrong. */
function* renderQuiet(report: Report, paint: Paint): Iterable<string> {
  const listing = listCases(report, paint);
  for (const suite of report.suites) {
    let hasTitle = false;
    for (const line of renderCases(listing, suite)) {
      if (!hasTitle) yield* indentText(paint.colors.bold(toSafeLine(suite.suite)), paint, 0);
      hasTitle = true;
      yield line;
    }
  }
  yield* indentText(describeCounts(report), paint, 0);
  yield* renderDecision(report, report.decision.warnings, paint);
}
