import { type Report, reportFormat } from '../model/report.ts';
import { defineReporter } from './define.ts';
import {
  buildJsonCase,
  buildJsonContracts,
  buildJsonDecision,
  buildJsonRun,
  buildJsonTotals,
  buildJsonVariants,
  compareText,
  renderSafeJson,
} from './report-json.ts';

export const json = defineReporter({
  summary: 'the whole run as one JSON document, with a JSON Schema (llmcheck schema report)',
  extension: 'json',
  render: renderJson,
});

/** One case a line: a run of any size streams, and two reports can be compared by lines. */
function* renderJson(report: Report): Iterable<string> {
  const contracts = buildJsonContracts(report).map((entry) => renderSafeJson(entry));
  yield `{\n"contracts":[${contracts.map((line) => `\n${line}`).join(',')}],\n`;
  yield `"decision":${renderSafeJson(buildJsonDecision(report))},\n`;
  yield `"format":${reportFormat},\n"notes":${renderSafeJson(report.notes)},\n`;
  yield `"run":${renderSafeJson(buildJsonRun(report))},\n"suites":[`;
  let isFirstSuite = true;
  for (const suite of report.suites.toSorted((a, b) => compareText(a.suite, b.suite))) {
    yield `${isFirstSuite ? '' : ','}\n{"cases":[`;
    isFirstSuite = false;
    let isFirstCase = true;
    for (const entry of suite.cases()) {
      yield `${isFirstCase ? '' : ','}\n${renderSafeJson(buildJsonCase(entry))}`;
      isFirstCase = false;
    }
    yield `],\n"path":${renderSafeJson(suite.path)},\n"suite":${renderSafeJson(suite.suite)},\n`;
    yield `"variants":${renderSafeJson(buildJsonVariants(suite))}}`;
  }
  yield `],\n"tool":${renderSafeJson(report.tool)},\n"totals":${renderSafeJson(buildJsonTotals(report))}\n}\n`;
}
