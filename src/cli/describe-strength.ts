import type { SuiteStrength, WeakCase } from '../measuring/check-strength.ts';
import { toSafeLine } from '../text/sanitize.ts';

/** Suites with what is weak in them, and a last line that says it all. */
export function describeStrength(suites: readonly SuiteStrength[]): string {
  const sum = (count: (suite: SuiteStrength) => number) => suites.reduce((total, suite) => total + count(suite), 0);
  const cases = sum(({ weakCases }) => weakCases.length);
  const checks = sum(({ weakChecks }) => weakChecks.length);
  const caught = `${sum((suite) => suite.caught)} of ${sum((suite) => suite.mutants)} wrong answers caught`;
  const left = sum(({ leftToJudges }) => leftToJudges);
  const toJudges = left === 0 ? '' : `, ${left} left to judges, who are not asked here`;
  const verdict = describeVerdict(cases, checks, {
    measured: sum(({ measured }) => measured),
    unmeasured: sum(({ unmeasured }) => unmeasured.length),
  });
  return `${suites.map(describeSuite).join('\n')}\n${caught}${toJudges}\n${verdict}\n`;
}

function describeVerdict(
  cases: number,
  checks: number,
  { measured, unmeasured }: { readonly measured: number; readonly unmeasured: number },
): string {
  if (cases + checks > 0) return `WEAK: ${count(cases, 'case')} and ${count(checks, 'check')} (exit code 1)`;
  if (measured === 0) return 'NOTHING MEASURED: no stored answer passes (exit code 4)';
  if (unmeasured === 0) return 'STRONG: every case and every check noticed (exit code 0)';
  return `STRONG: every case and every check that was measured noticed; ${unmeasured} not measured (exit code 0)`;
}

function describeSuite(strength: SuiteStrength): string {
  const { suite, source, measured, weakCases, weakChecks, unmeasured } = strength;
  const from = source === null ? 'no stored answers' : `answers of ${source}`;
  const lines = [`${suite}: ${count(measured, 'right answer')} made wrong (${from})`];
  for (const weak of weakCases) lines.push(...describeCase(weak));
  for (const { check, assertion, cases } of weakChecks) {
    const shown = check === assertion ? assertion : `${check} (${assertion})`;
    lines.push(`  weak check ${shown}: failed for no wrong answer of the ${count(cases, 'case')} that has it`);
  }
  if (unmeasured.length > 0) {
    const shown = unmeasured.slice(0, 5).map(({ caseId, reason }) => `${caseId} (${reason})`);
    const more = unmeasured.length > 5 ? ` and ${unmeasured.length - 5} more` : '';
    lines.push(`  not measured: ${shown.join(', ')}${more}`);
  }
  return `${lines.map((line) => toSafeLine(line)).join('\n')}\n`;
}

const maxShown = 6;

function describeCase({ caseId, prompt, provider, at, survivors }: WeakCase): readonly string[] {
  const shown = survivors.slice(0, maxShown).map(({ mutation, detail }) => `    ${mutation}: ${detail}`);
  const more = survivors.length > maxShown ? [`    and ${survivors.length - maxShown} more`] : [];
  return [
    `  weak case ${caseId} · ${prompt} × ${provider} (${at.file}:${at.line}) still passes with`,
    ...shown,
    ...more,
  ];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
