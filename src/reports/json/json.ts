import { canonicalJson } from '../../json/canonical-json.ts';
import type { ContractReport } from '../../model/finding.ts';
import { reportFormat } from '../../model/report.ts';
import { compareText } from '../../text/compare-text.ts';
import { escapeJsonText } from '../../text/sanitize.ts';
import type { Reporter } from '../reporter.ts';
import { sortFindings } from '../terminal/contracts.ts';
import {
  buildJsonCase,
  buildJsonContracts,
  buildJsonDecision,
  buildJsonErosion,
  buildJsonRun,
  buildJsonTrial,
  buildJsonVariants,
  renderSafeJson,
} from './report-json.ts';

export const json: Reporter = {
  summary: 'the whole run as one JSON document, with a JSON Schema (llmcheck schema report)',
  extension: 'json',
  /** One case a line: a run of any size streams, and two reports can be compared by lines. */
  *render(report) {
    const contracts = buildJsonContracts(report).map((entry) => `\n${renderSafeJson(entry)}`);
    yield `{\n"contracts":[${contracts.join(',')}],\n`;
    yield `"decision":${renderSafeJson(buildJsonDecision(report))},\n`;
    const erosion = buildJsonErosion(report);
    if (erosion !== undefined) yield `"erosion":${renderSafeJson(erosion)},\n`;
    yield `"format":${reportFormat},\n"notes":${renderSafeJson(report.notes)},\n`;
    yield `"run":${renderSafeJson(buildJsonRun(report))},\n"suites":[`;
    const suites = report.suites.toSorted((a, b) => compareText(a.suite, b.suite));
    for (const [index, suite] of suites.entries()) {
      yield `${index === 0 ? '' : ','}\n{"cases":[`;
      let isFirst = true;
      for (const entry of suite.cases()) {
        yield `${isFirst ? '' : ','}\n${renderSafeJson(buildJsonCase(entry))}`;
        isFirst = false;
      }
      yield `],\n"path":${renderSafeJson(suite.path)},\n"suite":${renderSafeJson(suite.suite)},\n`;
      yield `"variants":${renderSafeJson(buildJsonVariants(suite))}}`;
    }
    const { swaps, tool, totals } = report;
    yield `],\n${swaps === undefined ? '' : `"swaps":${renderSafeJson(swaps)},\n`}"tool":${renderSafeJson(tool)},\n"totals":${renderSafeJson(totals)}\n}\n`;
  },
};

export const jsonl: Reporter = {
  summary: 'a JSON line a cell, after a header line and before a decision line',
  extension: 'jsonl',
  *render(report) {
    const { tool, notes } = report;
    const suites = report.suites.toSorted((a, b) => compareText(a.suite, b.suite));
    const headers = suites.map((suite) => ({
      suite: suite.suite,
      path: suite.path,
      variants: buildJsonVariants(suite),
    }));
    yield renderLine({ type: 'run', format: reportFormat, tool, run: buildJsonRun(report), suites: headers });
    for (const suite of suites) {
      for (const { caseId, prompt, provider, observe, at, trials, acceptedTrials = [], change } of suite.cases()) {
        const place = { suite: suite.suite, caseId, prompt, provider, observe: observe || undefined, at, change };
        for (const row of [...trials, ...acceptedTrials]) {
          yield renderLine({ type: 'cell', ...place, group: row.group, side: row.side, ...buildJsonTrial(row) });
        }
      }
    }
    yield renderLine({
      type: 'decision',
      contracts: buildJsonContracts(report),
      erosion: buildJsonErosion(report),
      swaps: report.swaps,
      decision: buildJsonDecision(report),
      totals: report.totals,
      notes,
    });
  },
};

function renderLine(value: unknown): string {
  return `${renderSafeJson(value)}\n`;
}

/** What a contract command found: one finding a line, so that two documents can be compared by lines. */
export function* renderContractJson({ entries, notes }: ContractReport): Iterable<string> {
  const findings = entries.flatMap(({ suite, prompt, findings: own }) =>
    sortFindings(own).map((finding) => ({ suite, prompt, ...finding })),
  );
  const observed = entries.flatMap(({ suite, prompt, observed: own = [] }) =>
    own.map((answers) => ({ suite, prompt, ...answers })),
  );
  yield `{\n"findings":${renderList(findings)},\n"format":1,\n`;
  yield `"notes":${renderList(notes)},\n"observed":${renderList(observed)}\n}\n`;
}

function renderList(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => escapeJsonText(canonicalJson(item))).join(',\n')}]`;
}
