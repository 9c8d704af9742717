import { defined } from '../../json/defined.ts';
import type { Report } from '../../model/report/report.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { describeVerdict } from '../headline.ts';
import { renderSafeJson } from '../json/json.ts';
import { locateReport, type Reporter } from '../reporter.ts';
import { listTests, type TestEntry } from './describe-tests.ts';

export const ctrf: Reporter = {
  summary: 'Common Test Report Format (CTRF), JSON; only what fails the gate is a failure',
  extension: 'ctrf.json',
  locate: locateReport,
  render: renderCtrf,
};

/** The version of the working draft. The schema has no released version yet. */
const specVersion = '0.0.0';

/** One test a line. The summary comes after the tests, so that a run of any size is read once. */
function* renderCtrf(report: Report): Iterable<string> {
  const { tool, run } = report;
  const counts = { passed: 0, failed: 0, skipped: 0, pending: 0, other: 0 };
  let tests = 0;
  let flaky = 0;
  const groups = new Set<string>();
  yield `{\n"generatedBy":${renderSafeJson(`${tool.name} ${tool.version}`)},\n"reportFormat":"CTRF",\n`;
  yield `"reportId":"${reportId(run.id)}",\n"results":{"tests":[`;
  for (const entry of listTests(report)) {
    const test = buildTest(entry);
    yield `${tests === 0 ? '' : ','}\n${renderSafeJson(test)}`;
    tests += 1;
    counts[test.status] += 1;
    if (test.flaky === true) flaky += 1;
    groups.add(JSON.stringify(entry.group));
  }
  const start = Date.parse(run.startedAt);
  const times = { start, stop: start + Math.round(run.durationMs), duration: Math.round(run.durationMs) };
  const summary = { tests, ...counts, flaky, suites: groups.size, ...times };
  yield `],\n"summary":${renderSafeJson(summary)},\n`;
  yield `"extra":${renderSafeJson({ llmcheck: buildExtra(report) })},\n"tool":${renderSafeJson(tool)}},\n`;
  yield `"specVersion":"${specVersion}",\n"timestamp":${renderSafeJson(run.startedAt)}\n}\n`;
}

/** A tolerated failure is a skipped test, an error is neither passed nor failed; `rawStatus` has llmcheck's own word. */
const statuses = {
  passed: 'passed',
  failed: 'failed',
  errored: 'other',
  skipped: 'skipped',
  tolerated: 'skipped',
} as const;

function buildTest({ status, group, name, durationMs, message, body, at, caseStatus }: TestEntry) {
  return {
    name: name === '' ? '(empty)' : name,
    status: statuses[status],
    rawStatus: status === 'tolerated' ? `tolerated (${caseStatus ?? 'failed'})` : status,
    duration: Math.round(durationMs),
    suite: group,
    ...defined({
      flaky: caseStatus === 'flaky' ? true : undefined,
      message: message || undefined,
      trace: body || undefined,
    }),
    ...(at !== undefined && { filePath: at.file, line: at.line }),
  };
}

function buildExtra(report: Report) {
  const { decision, exitCode, run, totals } = report;
  const { outcome, warnings } = decision;
  return {
    runId: run.id,
    outcome,
    headline: describeVerdict(report),
    exitCode,
    totals,
    ...defined({ warnings: warnings.length > 0 ? warnings : undefined }),
  };
}

/** A UUID of version 8 (RFC 9562: custom data) that depends only on the run's id. */
function reportId(runId: string): string {
  const hex = sha256Hex(runId);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
