import { exitCodes, renderReport, runSuites } from 'llmcheck';

const run = runSuites({ cwd: import.meta.dirname, concurrency: 4 });
for await (const event of run) {
  if (event.type === 'cell-finished') console.error(event.row.caseId, event.status);
}
const report = await run;
for (const chunk of await renderReport(report, 'markdown')) process.stdout.write(chunk);
process.exitCode = report.decision.outcome === 'passed' ? exitCodes.passed : report.exitCode;
