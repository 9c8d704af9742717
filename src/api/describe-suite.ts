import { beforeAll, describe, test } from 'vitest';
import type { CaseReport, Report } from '../model/report/report.ts';
import { caseKey } from '../model/run/cell.ts';
import { explainCase, skipReasonOf } from '../reports/cases/explain-case.ts';
import { createFindGateEffect } from '../reports/cases/gate-effect.ts';
import { describeDecision } from '../reports/headline.ts';
import { groupBy } from '../text/group-by.ts';
import { type Keys, openContext, type RunSuitesOptions, refuseUnknown, runSuitesKeys, toFlags } from './options.ts';
import type { PlannedCase } from './run-project.ts';
import { runSuites } from './run-suites.ts';

export interface DescribeSuiteOptions extends Omit<RunSuitesOptions, 'paths' | 'signal'> {
  /** How long the whole run may take, in milliseconds; default: as long as it takes. */
  readonly testTimeoutMs?: number;
}

/**
 * Makes a test of each case of a suite, once a variant, and one of the gate. They run together, with the cache, the
 * record and the gate of `llmcheck run`. A failed case that the gate accepts, such as a known failure, is skipped with
 * the reason.
 */
export function describeSuite(path: string | readonly string[], options: DescribeSuiteOptions = {}): void {
  refuseUnknown(options, describeSuiteKeys, 'describeSuite');
  const paths = [path].flat();
  const { testTimeoutMs = 0, ...given } = options;
  const runOptions = { ...given, paths };
  describe(paths.join(', '), async () => {
    const { planProject } = await import('./run-project.ts');
    const planned = await planProject({
      ...openContext(runOptions),
      flags: toFlags(runOptions),
      options: runOptions,
      onEvent: () => {},
    });
    let results: { readonly report: Report; readonly find: (planned: PlannedCase) => Found | undefined } | undefined;
    beforeAll(async () => {
      const report = await runSuites(runOptions);
      results = { report, find: indexCases(report) };
    }, testTimeoutMs);

    for (const [suite, cases] of groupBy(planned, (entry) => entry.suite)) {
      describe(suite, () => {
        for (const plannedCase of cases) {
          const { caseId, prompt, provider } = plannedCase;
          test(`${caseId} · ${prompt} × ${provider}`, (context) => {
            const found = results?.find(plannedCase);
            if (found === undefined) throw plainError('the run ended before this case was reached');
            const { entry, effect } = found;
            if (effect.kind === 'skipped') context.skip(skipReasonOf(entry));
            if (effect.kind === 'tolerated') context.skip(`${effect.reason}: ${describeCase(entry)}`);
            if (effect.kind !== 'passed') throw plainError(describeCase(entry));
          });
        }
      });
    }
    test('gate', () => {
      if (results === undefined) throw plainError('there was no run');
      const { report } = results;
      if (report.exitCode === 0) return;
      const breaches = report.decision.breaches.map(({ message }) => message);
      throw plainError([`${describeDecision(report)} (exit code ${report.exitCode})`, ...breaches].join('\n'));
    });
  });
}

const { paths: _paths, signal: _signal, ...sharedKeys } = runSuitesKeys;
const describeSuiteKeys: Keys<DescribeSuiteOptions> = { ...sharedKeys, testTimeoutMs: true };

interface Found {
  readonly entry: CaseReport;
  readonly effect: ReturnType<ReturnType<typeof createFindGateEffect>>;
}

function indexCases(report: Report): (planned: PlannedCase) => Found | undefined {
  const found = new Map<string, Found>();
  for (const suite of report.suites) {
    const findEffect = createFindGateEffect(report, suite);
    for (const entry of suite.cases()) {
      found.set(caseKey({ suite: suite.suite, ...entry }), { entry, effect: findEffect(entry) });
    }
  }
  return (planned) => found.get(caseKey(planned));
}

function describeCase(entry: CaseReport): string {
  const { trials, reasons, answer, before } = explainCase(entry);
  const error = entry.trials.find((row) => row.error !== undefined)?.error;
  const lines = [
    trials ?? '',
    ...(error === undefined ? [] : [`${error.kind}: ${error.message}`]),
    ...reasons.map(({ label, reason }) => `${label}: ${reason}`),
    ...(before === undefined ? [] : [`answer on the baseline: ${before}`]),
    ...(answer === undefined ? [] : [`answer: ${answer}`]),
    `at ${entry.at.file}:${entry.at.line}:${entry.at.column}`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** An error without a stack trace, which would show code of llmcheck and not of the suite. */
function plainError(message: string): Error {
  const error = new Error(message);
  error.stack = message;
  return error;
}
