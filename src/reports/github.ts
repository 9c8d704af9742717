import type { Report } from '../model/report.ts';
import { shortenToWidth } from '../terminal/display-width.ts';
import { formatCount } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { warningsBesideContracts } from './beside-contracts.ts';
import { annotateContracts } from './contract-annotations.ts';
import { defineReporter } from './define.ts';
import { describeCounts, describeInconclusive, shoutDecision } from './describe-decision.ts';
import { describeMetrics } from './describe-metrics.ts';
import { explainCase } from './explain-case.ts';
import { findGateEntries } from './find-gate-entries.ts';
import { type Annotation, maxAnnotations, renderCommand } from './github-command.ts';
import { type CaseRank, rankWord } from './rank-case.ts';
import { countHidden, type RankedCase, type SuiteSurvey, surveyCases } from './survey-cases.ts';

export const github = defineReporter({
  summary: 'annotations of GitHub Actions at the line of each case that broke',
  extension: 'txt',
  render: renderGithub,
});

function* renderGithub(report: Report): Iterable<string> {
  // Errors and warnings are both chosen from these.
  const surveys = surveyCases(report, { maxCases: 2 * maxAnnotations, maxNames: 1, maxGroups: maxAnnotations });
  const worst = surveys.flatMap((survey) => survey.worst);
  const failures = worst.filter(({ standing }) => standing.kind === 'failure');
  const ranked = (ranks: readonly CaseRank[]): Annotation[] =>
    ranks.flatMap((rank) =>
      failures.filter((found) => found.rank === rank).map((found) => annotateCase(found, 'error')),
    );
  const isErrored = report.decision.breaches.some(({ code }) => code === 'errors-exceeded');
  const errored = surveys.flatMap((survey) => annotateErrored(survey, isErrored ? 'error' : 'warning'));
  const contracts = annotateContracts(report.contracts ?? []);
  const errors = [
    ...contracts.filter(({ level }) => level === 'error'),
    ...ranked(['regressed', 'broken', 'new']),
    ...annotateGate(report),
    ...ranked(['failing', 'flaky']),
    ...(isErrored ? errored : []),
  ];
  const warnings = [
    ...annotateComparisons(report),
    ...worst
      .filter(({ standing, rank }) => standing.kind === 'tolerated' && rank !== 'tolerated')
      .map((found) => annotateCase(found, 'warning')),
    ...(isErrored ? [] : errored),
    ...contracts.filter(({ level }) => level === 'warning'),
    ...warningsBesideContracts(report).map((message) => ({ level: 'warning' as const, title: 'llmcheck', message })),
  ];
  for (const annotation of errors.slice(0, maxAnnotations)) yield renderCommand(annotation);
  for (const annotation of warnings.slice(0, maxAnnotations)) yield renderCommand(annotation);
  const hidden = surveys.flatMap(countHidden).reduce((total, [, count]) => total + count, 0);
  yield renderCommand(annotateRest(report, errors.length + warnings.length + hidden, errors.length, warnings.length));
}

/** The last line: the gate's word, and how much is not annotated. */
function annotateRest(report: Report, total: number, errors: number, warnings: number): Annotation {
  const shown = Math.min(errors, maxAnnotations) + Math.min(warnings, maxAnnotations);
  const left = total - shown;
  const more =
    left > 0 ? `\n${formatCount(left, 'more problem')} not annotated: llmcheck report ${report.run.id} --verbose` : '';
  const message = `${shoutDecision(report)} (exit code ${report.exitCode})\n${describeCounts(report)}${more}`;
  return { level: 'notice', title: 'llmcheck', message };
}

function annotateCase({ suite, entry, rank }: RankedCase, level: 'error' | 'warning'): Annotation {
  const { trials, reasons, answer, before } = explainCase(entry);
  const word = rankWord(entry, rank) || 'failed';
  const lines = [
    ...(trials === '' ? [] : [trials]),
    ...reasons.slice(0, maxReasons).map(({ label, reason }) => `${label}: ${shortenAnswer(reason)}`),
    ...(before === undefined ? [] : [`on the baseline: ${shortenAnswer(before)}`]),
    ...(answer === undefined ? [] : [`${before === undefined ? 'answer' : 'now'}: ${shortenAnswer(answer)}`]),
  ];
  const title = `${entry.caseId}: ${word} (${suite.suite} · ${entry.prompt} × ${entry.provider})`;
  return { level, title, message: lines.join('\n'), at: entry.at };
}

/** What fails the gate besides single cases stands at the head of its suite. */
function annotateGate(report: Report): Annotation[] {
  return findGateEntries(report).map(({ name, message, breach }) => {
    const path = report.suites.find(({ suite }) => suite === breach?.suite)?.path;
    return {
      level: 'error',
      title: name,
      message,
      ...(path !== undefined && path !== '' && { at: { file: path, line: 1 } }),
    };
  });
}

function annotateErrored({ errored }: SuiteSurvey, level: 'error' | 'warning'): Annotation[] {
  return errored.map(({ reason, cases, count }) => {
    const [first] = cases;
    const title = `${formatCount(count, 'case')} could not be judged`;
    return { level, title, message: reason, ...(first !== undefined && { at: first.at }) };
  });
}

/** A comparison without a verdict is worth a warning: green alone would pass for proof. */
function annotateComparisons({ suites }: Report): Annotation[] {
  return suites.flatMap(({ suite, path, variants }) =>
    variants.flatMap(({ prompt, provider, comparison }): Annotation[] => {
      if (comparison?.outcome !== 'inconclusive') return [];
      const lines = [
        describeInconclusive(comparison.cases.regressed.length, comparison.unsettled),
        ...describeMetrics(comparison).map(({ label, text }) => `${label} ${text}`),
        ...comparison.advice.map(shortenAnswer),
      ];
      return [
        {
          level: 'warning',
          title: `inconclusive (${suite} · ${prompt} × ${provider})`,
          message: lines.join('\n'),
          ...(path !== '' && { at: { file: path, line: 1 } }),
        },
      ];
    }),
  );
}

const maxReasons = 3;
const maxAnswerColumns = 400;

function shortenAnswer(text: string): string {
  return text === '' ? '(empty)' : shortenToWidth(toSafeLine(text), maxAnswerColumns);
}
