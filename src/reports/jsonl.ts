import { type Report, reportFormat } from '../model/report.ts';
import { defineReporter } from './define.ts';
import {
  buildJsonContracts,
  buildJsonDecision,
  buildJsonRun,
  buildJsonTotals,
  buildJsonTrial,
  buildJsonVariants,
  compareText,
  renderSafeJson,
} from './report-json.ts';

export const jsonl = defineReporter({
  summary: 'a JSON line a cell, after a header line and before a decision line',
  extension: 'jsonl',
  render: renderJsonLines,
});

function* renderJsonLines(report: Report): Iterable<string> {
  const suites = report.suites.toSorted((a, b) => compareText(a.suite, b.suite));
  yield renderLine({
    type: 'run',
    format: reportFormat,
    tool: report.tool,
    run: buildJsonRun(report),
    suites: suites.map((suite) => ({ suite: suite.suite, path: suite.path, variants: buildJsonVariants(suite) })),
  });
  for (const suite of suites) {
    for (const { caseId, prompt, provider, observe, at, trials, change } of suite.cases()) {
      for (const row of trials) {
        const place = { suite: suite.suite, caseId, prompt, provider, at };
        const marks = { ...(observe && { observe }), ...(change !== undefined && { change }) };
        yield renderLine({ type: 'cell', ...place, ...marks, ...buildJsonTrial(row) });
      }
    }
  }
  yield renderLine({
    type: 'decision',
    contracts: buildJsonContracts(report),
    decision: buildJsonDecision(report),
    totals: buildJsonTotals(report),
    notes: report.notes,
  });
}

function renderLine(value: unknown): string {
  return `${renderSafeJson(value)}\n`;
}
