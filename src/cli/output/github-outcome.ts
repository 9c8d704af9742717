import type { Report } from '../model/report.ts';

/** What later steps of a job can read of a run. An amount that is not known is empty. */
export function githubOutputs(report: Report, exitCode: number): Readonly<Record<string, string>> {
  const { decision, totals, suites, run } = report;
  const { planned, passed, failed, errored, skipped, passRate, costUsd, spentUsd } = totals;
  const comparisons = suites.flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []));
  const count = (key: 'regressed' | 'fixed' | 'flaky' | 'stillFailing'): number =>
    comparisons.reduce((sum, { cases }) => sum + cases[key].length, 0);
  const broken = decision.breaches.filter(({ code }) => code === 'case-broken' || code === 'must-pass');
  const values = {
    outcome: decision.outcome,
    exitCode,
    passRate,
    costUsd,
    spentUsd,
    planned,
    passed,
    failed,
    errored,
    skipped,
    regressed: count('regressed'),
    broken: broken.length,
    fixed: count('fixed'),
    flaky: count('flaky'),
    stillFailing: count('stillFailing'),
    contractBreaks: decision.breaches.filter(({ code }) => code === 'contract-broken').length,
    runId: run.id,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === null ? '' : String(value)]));
}

/** Lines of GITHUB_OUTPUT. Values have no line breaks: numbers, words and ids of our own. */
export function renderOutputs(outputs: Readonly<Record<string, string>>): string {
  return Object.entries(outputs)
    .map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, ' ')}\n`)
    .join('');
}
